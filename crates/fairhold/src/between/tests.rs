use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::{self, Next};
use facts::{AccountId, ExchangeId, ModelName, Timestamp};
use http_body_util::BodyExt as _;
use provenance::{AuditKey, Month, OutputText, Registry, Role, Row, SegmentBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::client::{Learned, Other};
use super::described::{Names, alias};
use super::server::{Desk, Limits, router};
use super::*;

const TOKEN: &str = "a token";
const SECRET: [u8; 16] = [9; 16];
const PLENTY: Limits = Limits {
    budget: 1_000_000,
    rate: 1_000_000,
};

fn key(seed: u8) -> Key {
    Key::new([seed; 32]).unwrap()
}

fn text(n: u32) -> String {
    let words: Vec<String> = (0..60).map(|k| format!("word{n}of{k}")).collect();
    words.join(" ")
}

/// Twenty outputs of two accounts, one in five a control twin; the first two share their text.
fn registry() -> Registry {
    let key = AuditKey::new(SECRET);
    let month = Month::of(Timestamp(0));
    let segments = ["alice", "bob"].map(|name| {
        let account = AccountId::parse(name).unwrap();
        let mut builder = SegmentBuilder::new(&key, account.clone(), month);
        for n in 0..10 {
            let said = builder.add(&OutputText {
                id: ExchangeId::parse(&format!("{name}-{n}")).unwrap(),
                account: account.clone(),
                prompt: &format!("question {n}"),
                text: &text(if n < 2 {
                    0
                } else {
                    n + u32::from(name == "bob") * 100
                }),
                at: Timestamp(i64::from(n)),
                model: ModelName::parse("m").unwrap(),
                role: if n % 5 == 4 {
                    Role::Control
                } else {
                    Role::Output
                },
            });
            said.unwrap();
        }
        builder.build()
    });
    Registry::join(key.id(), segments.into(), None).unwrap()
}

fn desk(seed: u8, names: Names, limits: Limits) -> Arc<Desk> {
    let made = Desk::of(
        &registry(),
        (key(seed), &SECRET),
        names,
        (limits, TOKEN),
        &|_| {},
    );
    Arc::new(made.unwrap())
}

async fn listen(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// The fingerprints of a text.
fn fingerprints(text: &str) -> BTreeSet<u64> {
    let key = AuditKey::new(SECRET);
    let account = AccountId::parse("x").unwrap();
    let mut builder = SegmentBuilder::new(&key, account.clone(), Month::of(Timestamp(0)));
    let added = builder.add(&OutputText {
        id: ExchangeId::parse("x").unwrap(),
        account,
        prompt: "",
        text,
        at: Timestamp(0),
        model: ModelName::parse("m").unwrap(),
        role: Role::Output,
    });
    added.unwrap();
    let one = Registry::join(key.id(), vec![builder.build()], None).unwrap();
    one.rows().map(|row| row.key).collect()
}

fn asked(keys: &[u64]) -> Asking {
    Asking::of(keys).unwrap()
}

#[test]
fn an_answer_holds_for_what_was_asked_and_for_nothing_else() {
    let (holder, other) = (key(1), key(2));
    let theirs = public(&holder.public()).unwrap();
    let keys = [1 << 20, 2 << 20, 3 << 20];
    let asking = asked(&keys);
    let answer = holder.answer(&asking.body).unwrap();
    let heard = asking.heard(&answer, theirs).unwrap();
    for (key, evaluation) in keys.iter().zip(&heard) {
        assert_eq!(*evaluation, holder.evaluate(*key).unwrap());
        assert_ne!(*evaluation, other.evaluate(*key).unwrap());
    }
    // Another key's answer, with a proof that holds for that key.
    let foreign = other.answer(&asking.body).unwrap();
    assert_eq!(asking.heard(&foreign, theirs), Err(BetweenError::Proof));
    // An answer to another question, or to the same one blinded anew: replayed.
    let again = asked(&keys);
    assert_ne!(again.body, asking.body);
    assert_eq!(again.heard(&answer, theirs), Err(BetweenError::Proof));
    // Points in another order, one point of another answer, a flipped bit of the proof.
    let mut swapped = answer.clone();
    let (first, rest) = swapped.split_at_mut(POINT);
    first.swap_with_slice(&mut rest[..POINT]);
    assert_eq!(asking.heard(&swapped, theirs), Err(BetweenError::Proof));
    let mut mixed = answer.clone();
    mixed[..POINT].copy_from_slice(&foreign[..POINT]);
    assert_eq!(asking.heard(&mixed, theirs), Err(BetweenError::Proof));
    let mut flipped = answer.clone();
    flipped[3 * POINT + 40] ^= 1;
    assert_eq!(asking.heard(&flipped, theirs), Err(BetweenError::Proof));
    // The proof of another batch.
    let mut borrowed = answer.clone();
    let elsewhere = holder.answer(&again.body).unwrap();
    borrowed[3 * POINT..].copy_from_slice(&elsewhere[3 * POINT..]);
    assert_eq!(asking.heard(&borrowed, theirs), Err(BetweenError::Proof));
}

#[test]
fn what_is_malformed_is_refused_on_both_sides() {
    let holder = key(1);
    let theirs = public(&holder.public()).unwrap();
    let asking = asked(&[1 << 20, 2 << 20]);
    let answer = holder.answer(&asking.body).unwrap();
    let malformed = |result: Result<Vec<Evaluation>, BetweenError>| {
        assert!(
            matches!(result, Err(BetweenError::Malformed(_))),
            "{result:?}"
        );
    };
    for cut in [0, 1, POINT, 2 * POINT, answer.len() - 1] {
        malformed(asking.heard(&answer[..cut], theirs));
    }
    malformed(asking.heard(&[answer.clone(), vec![0]].concat(), theirs));
    malformed(asking.heard(&[answer.clone(), answer.clone()].concat(), theirs));
    // No point, and the neutral one, in place of the first.
    for wrong in [[0xff; POINT], [0; POINT]] {
        let mut bytes = answer.clone();
        bytes[..POINT].copy_from_slice(&wrong);
        malformed(asking.heard(&bytes, theirs));
        let mut bytes = asking.body.clone();
        bytes[POINT..].copy_from_slice(&wrong);
        assert!(matches!(
            holder.answer(&bytes),
            Err(BetweenError::Malformed(_))
        ));
        assert!(public(&hex::encode(wrong)).is_err());
    }
    // A proof that is no pair of scalars.
    let mut bytes = answer.clone();
    bytes[2 * POINT..].fill(0xff);
    malformed(asking.heard(&bytes, theirs));
    let many = asking.body.repeat(BATCH_MAX / 2 + 1);
    for body in [&[][..], &asking.body[..40], &many] {
        assert!(matches!(
            holder.answer(body),
            Err(BetweenError::Malformed(_))
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_told_and_nothing_else() {
    let whole = registry();
    for names in [Names::Told, Names::Withheld] {
        let url = listen(router(desk(1, names, PLENTY))).await;
        let other = Other::meet(&url, TOKEN, Some(&key(1).public()))
            .await
            .unwrap();
        let mut learned = Learned::default();
        let mut keys = fingerprints(&text(0));
        let strange = fingerprints(&text(5_000));
        keys.extend(&strange);
        other.ask(&keys, &mut learned, &|_| {}).await.unwrap();
        // Asked once more, nothing goes over the wire and nothing changes.
        other.ask(&keys, &mut learned, &|_| {}).await.unwrap();
        let part = other.registry(&learned).unwrap();
        assert_eq!((part.len(), other.accounts()), (whole.len(), 2));
        // Four outputs share the text: all of them are told, and no other.
        assert_eq!(part.outputs().len(), 4);
        let told: BTreeSet<u64> = part.rows().map(|row| row.key).collect();
        assert!(told.is_disjoint(&strange) && !told.is_empty());
        let mut rows: Vec<Row> = whole.rows().filter(|r| keys.contains(&r.key)).collect();
        assert_eq!(part.fingerprints(), rows.len());
        rows.retain(|row| !told.contains(&row.key));
        assert!(rows.is_empty());
        for output in part.outputs() {
            let (account, id) = (output.account.as_str(), output.id.as_str());
            if names == Names::Told {
                assert!(["alice", "bob"].contains(&account), "{account}");
                let same = whole
                    .outputs()
                    .iter()
                    .find(|o| o.id.as_str() == id)
                    .unwrap();
                assert_eq!(
                    (same.own, same.words, same.at),
                    (output.own, output.words, output.at)
                );
            } else {
                let known = ["alice", "bob"].map(|name| alias(&key(1), "account", name));
                assert!(known.iter().any(|name| name == account), "{account}");
            }
            // The registry's own numbers of prompts could be guessed.
            assert!(whole.outputs().iter().all(|o| o.prompt != output.prompt));
            assert_eq!(part.twins(output.prompt), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_sent_tells_the_text() {
    let url = listen(router(desk(1, Names::Withheld, PLENTY))).await;
    let to = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let between = format!("http://{}", listener.local_addr().unwrap());
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from, mut back) = client.into_split();
            let (mut read, mut write) = TcpStream::connect(&to).await.unwrap().into_split();
            tokio::spawn(async move { tokio::io::copy(&mut read, &mut back).await });
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(n) = from.read(&mut buffer).await {
                    if n == 0 || write.write_all(&buffer[..n]).await.is_err() {
                        break;
                    }
                    kept.lock().unwrap().push(buffer[..n].to_vec());
                }
            });
        }
    });
    let other = Other::meet(&between, TOKEN, None).await.unwrap();
    let text = format!("{} {}", text(3), text(7_000));
    let keys = fingerprints(&text);
    let mut learned = Learned::default();
    other.ask(&keys, &mut learned, &|_| {}).await.unwrap();
    assert!(!other.registry(&learned).unwrap().outputs().is_empty());
    let sent = sent.lock().unwrap().concat();
    assert!(sent.len() >= keys.len() * POINT, "{}", sent.len());
    let holds = |what: &[u8]| sent.windows(what.len()).any(|window| window == what);
    assert!(holds(b"Bearer a token"));
    for word in text.split(' ') {
        assert!(!holds(word.as_bytes()), "{word}");
    }
    for key in &keys {
        assert!(!holds(&input(*key)), "{key:x}");
        assert!(!holds(&key.to_le_bytes()[2..]), "{key:x}");
        assert!(!holds(hex::encode(input(*key)).as_bytes()), "{key:x}");
    }
    // Nor is the same fingerprint ever sent as the same point.
    assert_ne!(asked(&[1 << 20]).body, asked(&[1 << 20]).body);
}

/// The real routes, whose answers to batches are changed on the way.
fn lying(change: impl Fn(Vec<u8>) -> Vec<u8> + Clone + Send + Sync + 'static) -> Router {
    let changed = move |request: Request, next: Next| {
        let change = change.clone();
        async move {
            let batch = request.uri().path().ends_with("evaluate");
            let answer = next.run(request).await;
            if !batch {
                return answer;
            }
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            axum::response::Response::new(Body::from(change(bytes.to_vec())))
        }
    };
    router(desk(1, Names::Told, PLENTY)).layer(middleware::from_fn(changed))
}

async fn ask_at(routes: Router) -> Result<(), BetweenError> {
    let url = listen(routes).await;
    let other = Other::meet(&url, TOKEN, None).await?;
    let mut learned = Learned::default();
    let asked = other
        .ask(&fingerprints(&text(0)), &mut learned, &|_| {})
        .await;
    // Nothing of a refused answer is used.
    assert!(other.registry(&learned)?.outputs().is_empty() || asked.is_ok());
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_lies_is_refused() {
    assert_eq!(ask_at(lying(|bytes| bytes)).await, Ok(()));
    let cut = ask_at(lying(|bytes| bytes[..bytes.len() - POINT].to_vec())).await;
    assert!(matches!(cut, Err(BetweenError::Malformed(_))), "{cut:?}");
    let long = ask_at(lying(|bytes| bytes.repeat(40))).await;
    assert!(matches!(long, Err(BetweenError::Malformed(_))), "{long:?}");
    let empty = ask_at(lying(|_| Vec::new())).await;
    assert!(
        matches!(empty, Err(BetweenError::Malformed(_))),
        "{empty:?}"
    );
    let first = Arc::new(Mutex::new(None));
    let replay = move |bytes: Vec<u8>| first.lock().unwrap().get_or_insert(bytes).clone();
    let routes = lying(replay);
    assert_eq!(ask_at(routes.clone()).await, Ok(()));
    let again = ask_at(routes).await.unwrap_err();
    assert_eq!(again, BetweenError::Proof);
    assert!(again.to_string().contains("do not rely on this audit"));
    let changed = ask_at(lying(|mut bytes| {
        bytes.swap(0, POINT);
        bytes
    }));
    assert!(changed.await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_of_another_key_is_refused() {
    let url = listen(router(desk(2, Names::Told, PLENTY))).await;
    let met = Other::meet(&url, TOKEN, Some(&key(1).public())).await;
    let theirs = key(2).public();
    assert_eq!(met.unwrap_err(), BetweenError::OtherKey { theirs });
    // One that says the pinned key and answers under its own.
    let claimed = key(1).public();
    let claims = move |request: Request, next: Next| {
        let claimed = claimed.clone();
        async move {
            let hello = request.uri().path().ends_with("hello");
            let answer = next.run(request).await;
            if !hello {
                return answer;
            }
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            let mut hello: Hello = serde_json::from_slice(&bytes).unwrap();
            hello.server_key = claimed;
            axum::response::Response::new(Body::from(serde_json::to_vec(&hello).unwrap()))
        }
    };
    let routes = router(desk(2, Names::Told, PLENTY)).layer(middleware::from_fn(claims));
    let url = listen(routes).await;
    let other = Other::meet(&url, TOKEN, Some(&key(1).public()))
        .await
        .unwrap();
    let asked = other
        .ask(&fingerprints(&text(0)), &mut Learned::default(), &|_| {})
        .await;
    assert_eq!(asked, Err(BetweenError::Proof));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_out_of_bounds_is_refused() {
    type Change = fn(&mut Hello);
    let changes: [Change; 9] = [
        |hello| hello.rows += 1,
        |hello| hello.rows = u64::MAX,
        |hello| hello.outputs = u64::MAX,
        |hello| hello.width = 1 << 40,
        |hello| hello.accounts = u64::MAX,
        |hello| hello.rows_sha256 = "00".to_owned(),
        |hello| hello.audit_key = "zz".to_owned(),
        |hello| hello.normaliser += 1,
        |hello| hello.server_key.truncate(10),
    ];
    for change in changes {
        let says = move |request: Request, next: Next| async move {
            let hello = request.uri().path().ends_with("hello");
            let answer = next.run(request).await;
            if !hello {
                return answer;
            }
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            let mut hello: Hello = serde_json::from_slice(&bytes).unwrap();
            change(&mut hello);
            axum::response::Response::new(Body::from(serde_json::to_vec(&hello).unwrap()))
        };
        let routes = router(desk(1, Names::Told, PLENTY)).layer(middleware::from_fn(says));
        let met = Other::meet(&listen(routes).await, TOKEN, None).await;
        assert!(matches!(met, Err(BetweenError::Malformed(_))), "{met:?}");
    }
}

async fn post(url: &str, token: &str, body: Vec<u8>) -> (u16, String) {
    let request = hyper::Request::post(format!("{url}/between/1/evaluate"))
        .header("authorization", format!("Bearer {token}"))
        .body(http_body_util::Full::new(Bytes::from(body)))
        .unwrap();
    let answer = crate::witness::caller().request(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_takes_too_much_is_refused() {
    let limits = Limits {
        budget: 1_500,
        rate: 1,
    };
    let url = listen(router(desk(1, Names::Told, limits))).await;
    let point = asked(&[1 << 20]).body;
    assert_eq!(post(&url, "another token", point.clone()).await.0, 401);
    assert_eq!(post(&url, TOKEN, Vec::new()).await.0, 400);
    assert_eq!(post(&url, TOKEN, point[..31].to_vec()).await.0, 400);
    assert_eq!(post(&url, TOKEN, vec![0xff; POINT]).await.0, 400);
    assert_eq!(post(&url, TOKEN, point.repeat(BATCH_MAX + 1)).await.0, 413);
    // What is left of the burst, then the rate.
    assert_eq!(
        post(&url, TOKEN, point.repeat(BATCH_MAX - 100)).await.0,
        200
    );
    assert_eq!(post(&url, TOKEN, point.repeat(BATCH_MAX)).await.0, 429);
    let limits = Limits {
        rate: 1_000_000,
        ..limits
    };
    let url = listen(router(desk(1, Names::Told, limits))).await;
    assert_eq!(post(&url, TOKEN, point.repeat(1_000)).await.0, 200);
    let (status, said) = post(&url, TOKEN, point.repeat(501)).await;
    assert_eq!(
        (status, said.as_str()),
        (403, "the budget of this audit is spent")
    );
    assert_eq!(post(&url, TOKEN, point.repeat(500)).await.0, 200);
    // The other side is told before it asks anything.
    let other = Other::meet(&url, TOKEN, None).await.unwrap();
    let keys = fingerprints(&text(0));
    let needed = keys.len() as u64;
    let asked = other.ask(&keys, &mut Learned::default(), &|_| {}).await;
    assert_eq!(asked, Err(BetweenError::Budget { needed, left: 0 }));
}
