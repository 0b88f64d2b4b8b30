use super::*;

/// A witness that answers everything alike, and shows this.
async fn liar(status: u16, body: &'static str, shows: String) -> crate::witness::Asked {
    use axum::routing::{get, post};
    let key = evidence::checkpoint::WitnessKey::from_seed(&[9; 32], "example.org/witness").unwrap();
    let status = http::StatusCode::from_u16(status).unwrap();
    let router = axum::Router::new()
        .route(
            "/add-checkpoint",
            post(move || async move { (status, body) }),
        )
        .route("/{origin}/checkpoint", get(move || async move { shows }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    crate::witness::Asked::parse(&url, &key.vkey()).unwrap()
}

#[test]
fn a_witness_that_only_says_so_stops_nothing() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let other = LogKey::from_seed(&[8; 32], "example.org/log").unwrap();
        for (status, body, shows) in [
            (409, "1000\n", String::new()),
            (422, "", other.checkpoint(1_000, &[1; 32])),
            (422, "", key().checkpoint(0, &Edge::default().root())),
        ] {
            let fresh = testbed::databases();
            let url = if url.starts_with("sqlite:") {
                &fresh.sqlite
            } else {
                &fresh.postgres
            };
            let data = tempfile::tempdir().unwrap();
            let lying = Witnesses::new(vec![liar(status, body, shows).await]);
            let bench = Bench::witnessed(url, data.path(), lying).await;
            bench.record(&[Some("acme")], 5, 0).await;
            let published = bench.ledger.seal().await.unwrap();
            assert_eq!((published.sealed, published.cosigned), (5, 0));
            bench.close().await;
        }
        // What our own key signed is another thing.
        let shows = key().checkpoint(1_000, &[1; 32]);
        let honest = Witnesses::new(vec![liar(409, "1000\n", shows).await]);
        let bench = Bench::witnessed(&url, folder.path(), honest).await;
        bench.record(&[Some("acme")], 5, 0).await;
        refuses(&bench, "has seen 1000 entries").await;
        bench.close().await;
    });
}

#[test]
fn nothing_is_signed_until_a_witness_answers() {
    on_both(|url, _| async move {
        let remembered = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (asked, listener, desk) =
            crate::witness::tests::deaf(remembered.path(), vec![vkey()]).await;
        let bench = Bench::open(&url, folder.path()).await;
        bench.record(&[Some("acme")], 5, 0).await;
        bench.ledger.seal().await.unwrap();
        bench.close().await;

        let bench = Bench::witnessed(&url, folder.path(), Witnesses::new(vec![asked])).await;
        bench.record(&[Some("acme")], 5, 5).await;
        let error = bench.ledger.seal().await.unwrap_err().to_string();
        assert!(error.contains("did not answer in time"), "{error}");
        assert!(matches!(bench.ledger.standing(), Standing::Unconfirmed(_)));
        let file = bench.ledger.file(&acme(), None, "checkpoint").await;
        assert!(matches!(file, Err(ReadError::Refused(_))), "{file:?}");
        assert_eq!(bench.database.count().await.unwrap(), 10);
        // It goes on by itself once one answers.
        tokio::spawn(crate::witness::tests::listen(listener, desk));
        assert_eq!(bench.ledger.seal().await.unwrap().sealed, 10);
        bench.close().await;
    });
}

#[test]
fn a_whole_folder_of_yesterday_meets_the_witness() {
    on_both(|url, old| async move {
        let remembered = tempfile::tempdir().unwrap();
        let asked = crate::witness::tests::listening(remembered.path(), vec![vkey()]).await;
        let witnesses = || Witnesses::new(vec![asked.clone()]);
        let (folder, yesterday) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // Yesterday's copy, mark and all, as it was before today's records.
        let copy = Bench::open(&old, yesterday.path()).await;
        copy.record(&[Some("acme"), None], 30, 0).await;
        copy.ledger.seal().await.unwrap();
        copy.close().await;

        let today = Bench::witnessed(&url, folder.path(), witnesses()).await;
        for (n, from) in [(30, 0), (5, 30), (300, 35)] {
            today.record(&[Some("acme"), None], n, from).await;
            let published = today.ledger.seal().await.unwrap();
            let signed = Note::parse(&published.note).unwrap();
            assert!(asked.key.cosigned(&signed).unwrap().is_some());
            assert_eq!(published.cosigned, 1);
        }
        let served = today.ledger.file(&Whose::Root, None, "checkpoint").await;
        let served = String::from_utf8(served.unwrap().bytes).unwrap();
        let policy = today.ledger.witnesses().policy(&key().vkey());
        let policy = verifier::policy::Policy::parse(policy.as_bytes()).unwrap();
        assert!(policy.ask(&Note::parse(&served).unwrap()).unwrap().quorum);
        assert_eq!(today.fsck().await.faults, 0);
        today.close().await;

        let restored = Bench::witnessed(&old, yesterday.path(), witnesses()).await;
        refuses(&restored, "has seen 6 entries").await;
        let rotated = restored.ledger.rotate("restored").await.unwrap();
        assert_eq!(
            (rotated.epoch, rotated.cosigned),
            (2, 0),
            "nobody gave it the new key"
        );
        restored.close().await;

        // It goes on where it was, after a restart too.
        let today = Bench::witnessed(&url, folder.path(), witnesses()).await;
        assert_eq!(today.ledger.seal().await.unwrap().cosigned, 1);
        today.close().await;
    });
}
