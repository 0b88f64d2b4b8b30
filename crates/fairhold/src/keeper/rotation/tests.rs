use bytes::Bytes;
use engine::Ask;
use evidence::seal::Kek;
use facts::ExchangeId;
use gateway::Desk as _;

use super::super::tests::{ask, completion, open, options, runtime};
use super::super::{Keks, Options};
use super::*;

/// Options with these KEKs; `open` uses the KEK of sevens.
fn under(url: &str, current: u8, others: &[u8]) -> Options {
    Options {
        keks: Keks {
            current: Kek::new([current; 32]),
            others: others.iter().map(|n| Kek::new([*n; 32])).collect(),
            version_one: Kek::new([7; 32]),
        },
        ..options(url)
    }
}

async fn exchanged(keeper: &Keeper, n: usize) -> ExchangeId {
    let asked = Ask {
        subject: Some(format!("subject {n}")),
        ..ask(n, 0, 1)
    };
    let admitted = keeper
        .admit(asked, Bytes::from_static(b"{}"))
        .await
        .unwrap()
        .what;
    let id = admitted.exchange.clone();
    let answer = Bytes::from_static(b"ok");
    keeper
        .complete(completion(admitted, 1), answer)
        .await
        .unwrap();
    id
}

async fn rotations(keeper: &Keeper) -> usize {
    let size = keeper.database().count().await.unwrap();
    let records = keeper.database().records(0..size).await.unwrap();
    let said = records.iter().filter(|row| {
        let record = Record::parse(&row.leaf).unwrap().1;
        matches!(record.event, Event::Directory { change, .. } if change == "kek_rotated")
    });
    said.count()
}

#[test]
fn a_rotation_that_was_cut_short_goes_on_and_every_body_opens() {
    for cut in [
        None,
        Some(RotateStep::Begun),
        Some(RotateStep::Page),
        Some(RotateStep::Recorded),
    ] {
        testbed::on_both(|url| {
            runtime().block_on(async {
                let (keeper, task) = open(url, 1, 10_000).await;
                let mut all = Vec::new();
                for n in 0..6 {
                    all.push(exchanged(&keeper, n).await);
                }
                drop(keeper);
                task.finished().await;

                let (keeper, task) = Keeper::open(under(url, 8, &[7])).await.unwrap();
                let stops = |step| {
                    if Some(step) == cut {
                        Err(KeeperError::Row("power cut".to_owned()))
                    } else {
                        Ok(())
                    }
                };
                let died = keeper.rewrap_until(&|_, _| (), &stops).await;
                assert_eq!(died.is_err(), cut.is_some(), "{died:?}");
                // Until it is gone on with, both KEKs open the house, and new keys come.
                all.push(exchanged(&keeper, 100).await);
                drop(keeper);
                task.finished().await;

                let (keeper, task) = Keeper::open(under(url, 8, &[7])).await.unwrap();
                let done = keeper.rewrap(&|_, _| ()).await.unwrap();
                assert_eq!(done.keys, 8, "the house's own, six and one");
                assert_eq!(rotations(&keeper).await, 1, "recorded once: {cut:?}");
                drop(keeper);
                task.finished().await;

                let (keeper, task) = Keeper::open(under(url, 8, &[])).await.unwrap();
                for exchange in &all {
                    let read = keeper.read_bodies(exchange, "a", "b").await.unwrap();
                    assert_eq!(read.len(), 2, "{exchange} after {cut:?}");
                }
                drop(keeper);
                task.finished().await;
                let old = Keeper::open(under(url, 7, &[])).await;
                assert!(
                    matches!(old, Err(KeeperError::Key(_))),
                    "the old KEK opens nothing"
                );
            });
        });
    }
}
