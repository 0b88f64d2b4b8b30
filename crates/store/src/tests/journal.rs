use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::*;
use crate::{JournalError, KeptBody, SealedBody, StoreError};

#[test]
fn what_is_appended_is_read_back() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        let mut entry = intent("e1");
        let body = SealedBody {
            what: "request".to_owned(),
            bytes: vec![0, 1, 255],
            key: 7,
        };
        entry.bodies.push(body.clone());
        let key = key(7, "acme", 1);
        entry.key = Some(Arc::clone(&key));
        let record = entry.record.clone();
        assert_eq!(journal.append(entry).await, Ok(0));
        assert_eq!(journal.append(completion("e1", 0)).await, Ok(1));
        let rows = database.records_of_exchange(&exchange("e1")).await.unwrap();
        let kinds: Vec<_> = rows.iter().map(|r| (r.seq, r.kind.as_str())).collect();
        assert_eq!(kinds, [(0, "intent"), (1, "completion")]);
        assert_eq!(rows[0].leaf, leaf(&record, 0));
        let hash: [u8; 32] = Sha256::new()
            .chain_update([0])
            .chain_update(&rows[0].leaf)
            .finalize()
            .into();
        assert_eq!(database.leaves(0..1).await.unwrap(), [hash]);
        let kept = KeptBody {
            what: body.what,
            bytes: body.bytes,
            key: (*key).clone(),
        };
        assert_eq!(
            database.bodies_of_exchange(&exchange("e1")).await.unwrap(),
            [kept]
        );
        let later = database
            .records_of_account(&account("acme"), Some(0), 10)
            .await
            .unwrap();
        assert_eq!(later.len(), 1);
        assert_eq!(database.records(0..9).await.unwrap(), rows);
        drop(journal);
        task.finished().await;
    });
}

#[test]
fn sequence_numbers_are_dense_and_commits_are_shared() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        let mut appenders = Vec::new();
        for a in 0..64 {
            let journal = journal.clone();
            appenders.push(tokio::spawn(async move {
                let mut seen = Vec::new();
                for n in 0..20 {
                    seen.push(journal.append(intent(&format!("e{a}-{n}"))).await.unwrap());
                }
                seen
            }));
        }
        let mut seen = BTreeSet::new();
        for appender in appenders {
            let numbers = appender.await.unwrap();
            assert!(numbers.is_sorted(), "one appender's order is kept");
            seen.extend(numbers);
        }
        assert!(seen.into_iter().eq(0..1280));
        assert_eq!(database.count().await.unwrap(), 1280);
        let stored = database.records(0..2000).await.unwrap();
        assert!(stored.iter().map(|r| r.seq).eq(0..1280));
        let commits = journal.commits();
        assert!(commits < 640, "{commits} commits for 1,280 appends");
    });
}

#[test]
fn open_intents_are_interrupted_at_the_next_start() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        journal.append(intent("done")).await.unwrap();
        journal.append(intent("open")).await.unwrap();
        journal.append(completion("done", 0)).await.unwrap();
        let open = database.open_intents().await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].seq, open[0].exchange.as_str()), (1, "open"));
        drop(journal);
        task.finished().await;
        drop(database);

        let (database, journal, task) = started(&url).await;
        assert_eq!(task.interrupted(), 1);
        let rows = database
            .records_of_exchange(&exchange("open"))
            .await
            .unwrap();
        let text = String::from_utf8(rows[1].leaf.clone()).unwrap();
        assert!(text.contains("ending: Interrupted") && text.contains("answer: None"));
        assert_eq!(rows[1].seq, 3);
        assert!(database.open_intents().await.unwrap().is_empty());
        assert_eq!(journal.append(intent("next")).await, Ok(4));
    });
}

#[test]
fn an_intent_ends_once() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        journal.append(intent("e")).await.unwrap();
        let not_open = |intent| Err(JournalError::NotOpen { intent });
        assert_eq!(journal.append(completion("x", 9)).await, not_open(9));
        let twice = vec![completion("e", 0), completion("e", 0)];
        assert!(matches!(
            journal.append_all(twice).await,
            Err(JournalError::Refused(_))
        ));
        let (one, two) = tokio::join!(
            journal.append(completion("e", 0)),
            journal.append(completion("e", 0))
        );
        assert_eq!((one, two), (Ok(1), not_open(0)));
        assert_eq!(database.count().await.unwrap(), 2);
        assert!(journal.healthy());
    });
}

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    on_both(|url| async move {
        let first = Database::open(&url).await.unwrap();
        let second = Database::open(&url).await;
        assert!(matches!(second, Err(StoreError::Locked(_))), "{second:?}");
        let reader = Database::open_to_read(&url).await.unwrap();
        assert_eq!(reader.count().await.unwrap(), 0);
        let start = Journal::start(reader, leaf, NOON, None).await;
        assert!(matches!(start, Err(StoreError::ReadOnly)));
        drop(first);
        Database::open(&url).await.unwrap();
    });
}

#[test]
fn a_failed_commit_stops_the_journal() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        journal.append(intent("before")).await.unwrap();
        database
            .session()
            .await
            .unwrap()
            .execute("DROP TABLE bodies", Vec::new())
            .await
            .unwrap();
        let mut entry = intent("lost");
        entry.bodies.push(SealedBody {
            what: "request".to_owned(),
            bytes: vec![1],
            key: 1,
        });
        assert_eq!(journal.append(entry).await, Err(JournalError::Stopped));
        assert!(!journal.healthy());
        let after = journal.append(intent("after")).await;
        assert_eq!(after, Err(JournalError::Stopped));
        assert_eq!(database.count().await.unwrap(), 1);
    });
}

#[test]
fn a_full_disk_refuses_new_exchanges_and_lets_open_ones_end() {
    let bed = testbed::databases();
    let reserve = bed.folder().join("reserve");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = Database::open(&bed.sqlite).await.unwrap();
        let (journal, _task) = Journal::start(database.clone(), leaf, NOON, Some(reserve.clone()))
            .await
            .unwrap();
        assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 8 << 20);
        journal.append(intent("open")).await.unwrap();
        let pages = |n: u32| format!("PRAGMA max_page_count = {n}");
        let session = || database.session();
        // SQLite raises the limit to the pages in use: the file may not grow.
        session()
            .await
            .unwrap()
            .execute(&pages(1), Vec::new())
            .await
            .unwrap();
        let mut large = intent("large");
        large.bodies.push(SealedBody {
            what: "request".to_owned(),
            bytes: vec![9; 100_000],
            key: 1,
        });
        assert_eq!(journal.append(large).await, Err(JournalError::Full));
        assert!(!reserve.exists(), "the reserve was given up");
        assert_eq!(journal.append(completion("open", 0)).await, Ok(1));
        assert!(journal.healthy());
        session()
            .await
            .unwrap()
            .execute(&pages(1_000_000), Vec::new())
            .await
            .unwrap();
        assert_eq!(journal.append(intent("again")).await, Ok(2));
        assert!(reserve.exists(), "the reserve was laid by again");
    });
}
