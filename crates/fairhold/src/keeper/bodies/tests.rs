use bytes::Bytes;
use engine::Ask;
use gateway::Desk as _;

use super::super::tests::{account, ask, completion, open, options, runtime};
use super::*;

/// Admits, answers and ends one exchange of a subject.
async fn exchanged(keeper: &Keeper, n: usize, subject: Option<&str>) -> ExchangeId {
    let asked = Ask {
        subject: subject.map(str::to_owned),
        ..ask(n, 0, 1)
    };
    let body = Bytes::from(format!("request {n} of {subject:?}"));
    let admitted = keeper.admit(asked, body).await.unwrap().what;
    let id = admitted.exchange.clone();
    let answer = Bytes::from(format!("answer {n}"));
    keeper
        .complete(completion(admitted, 1), answer)
        .await
        .unwrap();
    id
}

fn order(subject: Option<&str>) -> Order {
    Order {
        account: account(0),
        subject: subject.map(str::to_owned),
        by: "dpo".to_owned(),
        reason: "asked to".to_owned(),
    }
}

async fn readable(keeper: &Keeper, exchange: &ExchangeId) -> usize {
    keeper.opened_bodies(exchange).await.unwrap().len()
}

#[test]
fn an_erasure_takes_one_subject_and_leaves_the_others_and_the_log() {
    testbed::on_both(|url| {
        runtime().block_on(async {
            let (keeper, task) = open(url, 1, 1_000).await;
            let mut of = Vec::new();
            for n in 0..9 {
                let subject = [Some("ada"), Some("bob"), None][n % 3];
                of.push(exchanged(&keeper, n, subject).await);
            }
            let size = keeper.database().count().await.unwrap();
            let leaves = keeper.database().leaves(0..size).await.unwrap();
            let erased = keeper.erase(&order(Some("ada"))).await.unwrap();
            assert_eq!((erased.keys, erased.bodies, erased.imported), (1, 6, 0));
            assert_eq!(erased.months.len(), 1);
            for (n, exchange) in of.iter().enumerate() {
                let left = if n % 3 == 0 { 0 } else { 2 };
                assert_eq!(readable(&keeper, exchange).await, left, "{n}");
            }
            let after = keeper.database().leaves(0..size).await.unwrap();
            assert_eq!(after, leaves, "the log is as it was");

            let again = keeper.erase(&order(Some("ada"))).await.unwrap();
            assert_eq!((again.seq, again.keys), (None, 0), "nothing of it is kept");
            let anew = exchanged(&keeper, 20, Some("ada")).await;
            assert_eq!(
                readable(&keeper, &anew).await,
                2,
                "who comes back gets a new key"
            );
            let all = keeper.erase(&order(None)).await.unwrap();
            assert_eq!((all.keys, all.bodies), (3, 14));
            drop(keeper);
            task.finished().await;
        });
    });
}

#[test]
fn an_answer_that_comes_after_the_erasure_is_not_kept_and_its_ending_is() {
    testbed::on_both(|url| {
        runtime().block_on(async {
            let (keeper, task) = open(url, 1, 1_000).await;
            let asked = Ask {
                subject: Some("ada".to_owned()),
                ..ask(1, 0, 1)
            };
            let admitted = keeper
                .admit(asked, Bytes::from_static(b"{}"))
                .await
                .unwrap()
                .what;
            let exchange = admitted.exchange.clone();
            let erased = keeper.erase(&order(Some("ada"))).await.unwrap();
            assert_eq!((erased.keys, erased.bodies), (1, 1));
            let answer = Bytes::from_static(b"late");
            keeper
                .complete(completion(admitted, 1), answer)
                .await
                .unwrap();
            assert_eq!(readable(&keeper, &exchange).await, 0);
            let records = keeper
                .database()
                .records_of_exchange(&exchange)
                .await
                .unwrap();
            assert_eq!(records.len(), 2);
            drop(keeper);
            task.finished().await;
        });
    });
}

#[test]
fn an_erasure_that_was_cut_short_is_completed_by_the_next() {
    for cut in [
        EraseStep::Forgotten,
        EraseStep::Recorded,
        EraseStep::Scrubbed,
    ] {
        testbed::on_both(|url| {
            runtime().block_on(async {
                let (keeper, task) = open(url, 1, 1_000).await;
                let gone = exchanged(&keeper, 1, Some("ada")).await;
                let kept = exchanged(&keeper, 2, Some("bob")).await;
                let stops = |step| {
                    if step == cut {
                        Err(KeeperError::Row("power cut".to_owned()))
                    } else {
                        Ok(())
                    }
                };
                let died = keeper.erase_until(&order(Some("ada")), &stops).await;
                assert!(died.is_err(), "{cut:?}");
                drop(keeper);
                task.finished().await;

                let (keeper, task) = Keeper::open(options(url)).await.unwrap();
                keeper.erase(&order(Some("ada"))).await.unwrap();
                assert_eq!(readable(&keeper, &gone).await, 0, "{cut:?}");
                assert_eq!(readable(&keeper, &kept).await, 2, "{cut:?}");
                let database = keeper.database();
                assert_eq!(database.scrub_due().await.unwrap(), None, "{cut:?}");
                let size = database.count().await.unwrap();
                let records = database.records(0..size).await.unwrap();
                let erased = records.iter().filter(|row| row.kind == "erased").count();
                assert_eq!(erased, 1, "recorded once: {cut:?}");
                drop(keeper);
                task.finished().await;
            });
        });
    }
}

#[test]
fn a_hold_stands_in_the_way_of_erasure_and_retention_until_it_is_released() {
    testbed::on_both(|url| {
        runtime().block_on(async {
            let (keeper, task) = open(url, 1, 1_000).await;
            let ada = exchanged(&keeper, 1, Some("ada")).await;
            let bob = exchanged(&keeper, 2, Some("bob")).await;
            let placed = keeper.hold(&order(Some("ada")), None).await.unwrap();
            for blocked in [Some("ada"), None] {
                let refused = keeper.erase(&order(blocked)).await.unwrap_err();
                assert!(
                    matches!(&refused, KeeperError::Held(by) if by.id == placed.id),
                    "{refused}"
                );
            }
            assert_eq!(readable(&keeper, &ada).await, 2);
            keeper.erase(&order(Some("bob"))).await.unwrap();
            assert_eq!(readable(&keeper, &bob).await, 0);
            keeper.release(&placed.id, "judge").await.unwrap();
            let twice = keeper.release(&placed.id, "judge").await.unwrap_err();
            assert!(matches!(twice, KeeperError::Journal(_)), "{twice}");
            let unknown = keeper.release("hold-x", "judge").await.unwrap_err();
            assert!(matches!(unknown, KeeperError::Unknown(_)), "{unknown}");
            keeper.erase(&order(Some("ada"))).await.unwrap();
            assert_eq!(readable(&keeper, &ada).await, 0);
            drop(keeper);
            task.finished().await;
        });
    });
}

/// Writes an exchange that began and ended at `at`.
async fn long_ago(keeper: &Keeper, n: usize, subject: &str, at: Timestamp) -> ExchangeId {
    let asked = Ask {
        subject: Some(subject.to_owned()),
        at,
        ..ask(n, 0, 1)
    };
    let admitted = keeper
        .admit(asked, Bytes::from_static(b"{}"))
        .await
        .unwrap()
        .what;
    let id = admitted.exchange.clone();
    let mut done = completion(admitted, 1);
    done.at = at;
    keeper
        .complete(done, Bytes::from_static(b"ok"))
        .await
        .unwrap();
    id
}

#[test]
fn bodies_go_when_their_days_are_over_and_keys_when_their_month_is() {
    testbed::on_both(|url| {
        runtime().block_on(async {
            let (keeper, task) = open(url, 1, 1_000).await;
            let now = keeper.clock.now();
            let day = Span::days(1).0;
            let midnight = Timestamp(now.0 - now.0.rem_euclid(day));
            let days_ago = |n: i64| Timestamp(midnight.0 - n * day);
            let ancient = long_ago(&keeper, 1, "ada", days_ago(400)).await;
            let held = long_ago(&keeper, 2, "eve", days_ago(399)).await;
            let last = long_ago(&keeper, 3, "ada", Timestamp(days_ago(30).0 - 1)).await;
            let first = long_ago(&keeper, 4, "ada", days_ago(30)).await;
            let young = long_ago(&keeper, 5, "ada", now).await;
            let placed = keeper.hold(&order(Some("eve")), None).await.unwrap();
            let nobody = BTreeSet::new();
            let everybody = BTreeSet::from([account(0)]);
            let done = keeper.retain(30, &everybody, &|_| ()).await.unwrap();
            assert_eq!(
                (done.bodies, done.kept),
                (0, 6),
                "an open case keeps all of it"
            );
            let done = keeper.retain(30, &nobody, &|_| ()).await.unwrap();
            assert_eq!((done.bodies, done.kept), (4, 2));
            assert!(done.keys >= 1, "the key of the month that is long over");
            for (exchange, left) in [
                (&ancient, 0),
                (&held, 2),
                (&last, 0),
                (&first, 2),
                (&young, 2),
            ] {
                assert_eq!(readable(&keeper, exchange).await, left, "{exchange}");
            }
            let again = keeper.retain(30, &nobody, &|_| ()).await.unwrap();
            assert_eq!((again.bodies, again.keys, again.kept), (0, 0, 2));
            keeper.release(&placed.id, "judge").await.unwrap();
            let done = keeper.retain(30, &nobody, &|_| ()).await.unwrap();
            assert_eq!((done.bodies, done.keys, done.kept), (2, 1, 0));
            let size = keeper.database().count().await.unwrap();
            let records = keeper.database().records(0..size).await.unwrap();
            assert!(records.iter().any(|row| row.kind == "expired"));
            drop(keeper);
            task.finished().await;
        });
    });
}

#[test]
fn whoever_reads_a_body_is_recorded_before_it_is_shown() {
    testbed::on_both(|url| {
        runtime().block_on(async {
            let (keeper, task) = open(url, 1, 1_000).await;
            let exchange = exchanged(&keeper, 7, Some("ada")).await;
            let read = keeper
                .read_bodies(&exchange, "auditor", "complaint 3")
                .await
                .unwrap();
            let texts: Vec<_> = read
                .iter()
                .map(|b| String::from_utf8_lossy(&b.plaintext))
                .collect();
            assert_eq!(texts, ["request 7 of Some(\"ada\")", "answer 7"]);
            for body in &read {
                assert_eq!(
                    evidence::seal::commit(&body.salt, &body.plaintext),
                    body.commitment
                );
            }
            let records = keeper
                .database()
                .records_of_exchange(&exchange)
                .await
                .unwrap();
            let last = Record::parse(&records.last().unwrap().leaf).unwrap().1;
            assert!(matches!(last.event, Event::BodyRead { by, .. } if by == "auditor"));
            let unknown = ExchangeId::parse("nothing").unwrap();
            assert!(keeper.read_bodies(&unknown, "a", "b").await.is_err());
            drop(keeper);
            task.finished().await;
        });
    });
}
