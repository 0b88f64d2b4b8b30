use evidence::Commitment;
use facts::{Endpoint, ExchangeId, KeyId, ModelName};
use sqlx::Connection as _;

use super::*;

/// Changes a database as whoever holds it could.
async fn tamper(url: &str, statements: &[&str]) {
    for sql in statements {
        let done = if url.starts_with("sqlite:") {
            let mut c = sqlx::SqliteConnection::connect(url).await.unwrap();
            let done = sqlx::query(sql).execute(&mut c).await.unwrap();
            c.close().await.unwrap();
            done.rows_affected()
        } else {
            let mut c = sqlx::PgConnection::connect(url).await.unwrap();
            let done = sqlx::query(sql).execute(&mut c).await.unwrap();
            done.rows_affected()
        };
        assert!(done > 0, "{sql} changes something");
    }
}

/// A statement that alters, and the words of the finding it must lead to.
const TAMPERED: [(&[&str], &str); 11] = [
    (
        &["UPDATE journal SET leaf = (SELECT leaf FROM journal WHERE seq = 11) WHERE seq = 10"],
        "record 10: its leaf is not what was hashed",
    ),
    (
        &[
            "UPDATE journal SET leaf_hash = (SELECT leaf_hash FROM journal WHERE seq = 11) WHERE seq = 10",
        ],
        "record 10: its leaf is not what was hashed",
    ),
    (
        &[
            "UPDATE journal SET leaf = (SELECT leaf FROM journal WHERE seq = 12), leaf_hash = (SELECT leaf_hash FROM journal WHERE seq = 12) WHERE seq = 10",
        ],
        "record 10: it holds the leaf of record 12",
    ),
    (
        &["UPDATE journal SET account = 'b' WHERE seq = 10"],
        "record 10: its leaf is not of the account `b`",
    ),
    (
        &["DELETE FROM journal WHERE seq = 10"],
        "records 10 to 10: missing from the journal",
    ),
    (
        &["DELETE FROM journal WHERE seq >= 698"],
        "records 698 to 699: sealed, and missing",
    ),
    (
        &[
            "UPDATE journal SET seq = -1 WHERE seq = 10",
            "UPDATE journal SET seq = 10 WHERE seq = 12",
            "UPDATE journal SET seq = 12 WHERE seq = -1",
        ],
        "record 10: it holds the leaf of record 12",
    ),
    (
        &[
            "UPDATE tiles SET hashes = (SELECT hashes FROM tiles t WHERE t.ledger = '' AND t.level = 0) WHERE ledger = 'acme' AND level = 0",
        ],
        "account `acme`: `tile/0/0` differs from the journal at record 0",
    ),
    (
        &["DELETE FROM tiles WHERE ledger = 'acme' AND level = 1"],
        "account `acme`: hash 0 of `tile/1/0` differs",
    ),
    (
        &[
            "UPDATE root_entries SET body = (SELECT body FROM root_entries e WHERE e.n = 0) WHERE n = 1",
        ],
        "entry 1",
    ),
    (
        &["UPDATE root_checkpoints SET note = 'x'"],
        "the checkpoint of 2 entries: this is not a signed note",
    ),
];

#[test]
fn whatever_is_altered_is_named() {
    for (statements, words) in TAMPERED {
        on_both(|url, _| async move {
            let folder = tempfile::tempdir().unwrap();
            let bench = Bench::open(&url, folder.path()).await;
            bench.record(&[Some("acme"), None], 350, 0).await;
            bench.ledger.seal().await.unwrap();
            assert_eq!(bench.fsck().await.findings, Vec::<String>::new());
            tamper(&url, statements).await;
            let report = bench.fsck().await;
            assert!(
                report.findings.iter().any(|f| f.contains(words)),
                "{statements:?}: {words}: {:?}",
                report.findings
            );
            bench.close().await;
        });
    }
}

/// A request whose body is nowhere.
fn bodiless(n: usize) -> Entry {
    Entry::of(Record {
        at: Timestamp(1_790_000_000_000),
        account: Some(AccountId::parse("acme").unwrap()),
        event: Event::Intent {
            exchange: ExchangeId::parse(&format!("x{n}")).unwrap(),
            key: KeyId::parse("00000000001").unwrap(),
            endpoint: Endpoint::ChatCompletions,
            model: ModelName::parse("m").unwrap(),
            request: Commitment([7; 32]),
            policy: "00".repeat(32),
            clauses: Vec::new(),
            purpose: None,
            asked: None,
        },
    })
}

#[test]
fn missing_bodies_hide_no_altered_record() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&url, folder.path()).await;
        let all = (0..1_100).map(bodiless).collect();
        bench.journal.append_all(all).await.unwrap();
        bench.record(&[Some("acme")], 20, 0).await;
        bench.ledger.seal().await.unwrap();
        let alter = "UPDATE journal SET leaf = (SELECT leaf FROM journal WHERE seq = 1111) WHERE seq = 1110";
        tamper(&url, &[alter]).await;
        let report = bench.fsck().await;
        assert_eq!(report.missing, 1_100);
        assert!(report.faults > 1_100, "{}", report.faults);
        let named = |words: &str| report.findings.iter().filter(|f| f.contains(words)).count();
        assert_eq!(named("its sealed request is missing"), 100);
        assert!(named("record 1110: its leaf is not what was hashed") > 0);
        bench.close().await;
    });
}

#[test]
fn a_leaf_altered_together_with_its_hash_is_found_by_the_trees() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&url, folder.path()).await;
        bench.record(&[Some("acme"), None], 5, 0).await;
        bench.ledger.seal().await.unwrap();
        bench.record(&[Some("acme"), None], 5, 5).await;
        bench.ledger.seal().await.unwrap();
        forge(&url).await;
        let report = bench.fsck().await;
        assert_eq!(
            report.findings,
            ["account `acme`: its records before 10 are not those of its checkpoint in entry 1"]
        );
        // A rotation signs the forged history anew, and does not hide it.
        bench.ledger.rotate("tidied").await.unwrap();
        let report = bench.fsck().await;
        assert_eq!(
            report.findings,
            [
                "account `acme`: its records before 10 are not those that epoch 1 stated in entry 1: history was rewritten since"
            ]
        );
        bench.close().await;
    });
}

/// Alters record 4 and its hash: the same number and account, another subject.
async fn forge(url: &str) {
    let forged = note(Some("acme"), "forged").record.leaf(4).unwrap();
    let (leaf, hash) = (hex::encode(&forged), hex::encode(leaf_hash(&forged)));
    let bytes = |hex: String| {
        if url.starts_with("sqlite:") {
            format!("x'{hex}'")
        } else {
            format!("'\\x{hex}'::bytea")
        }
    };
    let sql = format!(
        "UPDATE journal SET leaf = {}, leaf_hash = {} WHERE seq = 4",
        bytes(leaf),
        bytes(hash)
    );
    tamper(url, &[&sql]).await;
}

#[test]
fn a_rotation_that_did_not_seal_yet_hides_nothing() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&url, folder.path()).await;
        bench.record(&[Some("acme"), None], 5, 0).await;
        bench.ledger.seal().await.unwrap();
        let mut sealing = bench.ledger.sealing.lock().await;
        let begun = bench.ledger.rotate_under(&mut sealing, "moved").await;
        begun.unwrap();
        drop(sealing);
        assert_eq!(bench.fsck().await.findings, Vec::<String>::new());
        forge(&url).await;
        let report = bench.fsck().await;
        assert!(report.findings[0].contains("epoch 1 stated"), "{report:?}");
        bench.close().await;
    });
}
