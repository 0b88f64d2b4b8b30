use std::collections::BTreeSet;
use std::path::Path;

use evidence::seal::SubjectDigest;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::bodies::Scrubbed;
use crate::{Change, Forget, HoldChange, HoldRow, SealedBody, StoreError};

/// An exchange of a subject whose key has this number.
fn exchange_of(name: &str, key: &Arc<SubjectKeyRow>) -> Entry {
    let mut entry = intent(name);
    entry.record.account = Some(account(&key.account));
    entry.key = Some(Arc::clone(key));
    entry.bodies.push(SealedBody {
        what: "request".to_owned(),
        bytes: ciphertext(name),
        key: key.id,
    });
    entry
}

/// Bytes that look sealed, of a length that differs from one to the next.
fn ciphertext(name: &str) -> Vec<u8> {
    let seed: [u8; 32] = Sha256::digest(name).into();
    let length = 40 + usize::from(seed[0]) * 40;
    let blocks = (0_u32..).flat_map(|n| -> [u8; 32] {
        Sha256::new()
            .chain_update(seed)
            .chain_update(n.to_le_bytes())
            .finalize()
            .into()
    });
    blocks.take(length).collect()
}

fn erasure(account_name: &str, subject: Option<u8>, in_use: Vec<u64>) -> Entry {
    let mut entry = Entry::of(Record {
        at: NOON,
        account: Some(account(account_name)),
        event: Event::Erased {
            subject: subject.map(|s| [s; 32]),
            keys: 0,
            bodies: 0,
            imported: 0,
            by: "dpo".to_owned(),
            reason: [0; 32],
        },
    });
    entry.change = Some(Change::Forget(Forget::Subject {
        account: account(account_name),
        subject: subject.map(|s| SubjectDigest([s; 32])),
        in_use,
    }));
    entry
}

/// What the record at a place says was erased: keys, bodies.
async fn said(database: &Database, seq: u64) -> (u64, u64) {
    let rows = database.records(seq..seq + 1).await.unwrap();
    let leaf = String::from_utf8(rows[0].leaf.clone()).unwrap();
    let count = |name: &str| {
        let rest = leaf.split(name).nth(1).unwrap();
        rest.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse()
            .unwrap()
    };
    (count("keys: "), count("bodies: "))
}

#[test]
fn what_is_erased_is_counted_in_its_record_and_nobody_elses_is_touched() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        let keys = [key(1, "acme", 1), key(2, "acme", 2), key(3, "other", 1)];
        for (n, row) in keys.iter().cycle().take(12).enumerate() {
            journal
                .append(exchange_of(&format!("e{n}"), row))
                .await
                .unwrap();
        }
        let seq = journal
            .append(erasure("acme", Some(1), Vec::new()))
            .await
            .unwrap();
        assert_eq!(said(&database, seq).await, (1, 4));
        assert!(
            database
                .keys_of("acme", Some(&SubjectDigest([1; 32])))
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            database.keys_of("acme", None).await.unwrap(),
            [(*keys[1]).clone()]
        );
        assert_eq!(database.keys_of("other", None).await.unwrap().len(), 1);
        for n in 0..12 {
            let bodies = database
                .bodies_of_exchange(&exchange(&format!("e{n}")))
                .await
                .unwrap();
            assert_eq!(bodies.len(), usize::from(n % 3 != 0), "e{n}");
        }
        assert!(database.scrub_due().await.unwrap().is_some());
        database
            .scrub(vec![keys[0].wrapped.clone()], false)
            .await
            .unwrap();
        assert_eq!(database.scrub_due().await.unwrap(), None);

        // The same subject again, under a new key; then the whole account.
        let anew = key(4, "acme", 1);
        journal.append(exchange_of("e90", &anew)).await.unwrap();
        assert_eq!(
            database
                .bodies_of_exchange(&exchange("e90"))
                .await
                .unwrap()
                .len(),
            1
        );
        let seq = journal
            .append(erasure("acme", None, Vec::new()))
            .await
            .unwrap();
        assert_eq!(said(&database, seq).await, (2, 5));
        assert_eq!(database.next_key().await.unwrap(), 5);
        drop(journal);
        task.finished().await;
    });
}

#[test]
fn what_was_sealed_under_a_destroyed_key_and_waited_is_not_kept() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        let (kept, waiting) = (key(1, "acme", 1), key(2, "acme", 1));
        journal.append(exchange_of("before", &kept)).await.unwrap();
        // The second key is in use and its row was not written yet.
        let seq = journal
            .append(erasure("acme", Some(1), vec![2]))
            .await
            .unwrap();
        assert_eq!(said(&database, seq).await, (1, 1));
        for (name, row) in [("late", &kept), ("later", &waiting)] {
            journal.append(exchange_of(name, row)).await.unwrap();
            assert!(
                database
                    .bodies_of_exchange(&exchange(name))
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
        assert!(database.keys_of("acme", None).await.unwrap().is_empty());
        assert_eq!(database.bodies_under(&[1, 2]).await.unwrap(), 0);
        drop(journal);
        task.finished().await;
    });
}

#[test]
fn expired_bodies_go_and_keys_that_still_open_one_stay() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        let (one, two) = (key(1, "acme", 1), key(2, "acme", 2));
        for (n, row) in (0_i64..).zip([&one, &one, &two, &two]) {
            let mut entry = exchange_of(&format!("e{n}"), row);
            entry.record.at = Timestamp(NOON.0 + n * 1_000);
            journal.append(entry).await.unwrap();
        }
        let before = Timestamp(NOON.0 + 3_000);
        assert_eq!(database.place_at(before).await.unwrap(), 3);
        assert_eq!(database.place_at(Timestamp(0)).await.unwrap(), 0);
        assert_eq!(database.place_at(Timestamp(i64::MAX)).await.unwrap(), 4);
        let old = database.old_bodies(0..3, 2).await.unwrap();
        assert_eq!(
            old.iter().map(|b| (b.seq, b.key)).collect::<Vec<_>>(),
            [(0, Some(1)), (1, Some(1))]
        );
        let mut entry = Entry::of(Record {
            at: NOON,
            account: None,
            event: Event::Expired {
                before,
                keys: 0,
                bodies: 0,
            },
        });
        entry.change = Some(Change::Forget(Forget::Expired {
            bodies: vec![0, 1, 2],
            keys: vec![1, 2],
        }));
        let seq = journal.append(entry).await.unwrap();
        assert_eq!(said(&database, seq).await, (1, 3));
        let live: Vec<u64> = database
            .keys_of("acme", None)
            .await
            .unwrap()
            .iter()
            .map(|k| k.id)
            .collect();
        assert_eq!(live, [2]);
        assert_eq!(database.idle_keys("2026-10", 0, 9).await.unwrap(), []);
        assert_eq!(
            database
                .bodies_of_exchange(&exchange("e3"))
                .await
                .unwrap()
                .len(),
            1
        );
        drop(journal);
        task.finished().await;
    });
}

#[test]
fn a_hold_is_placed_released_once_and_ends_by_itself() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        let row = |id: &str, subject: Option<u8>, until: Option<i64>| HoldRow {
            id: id.to_owned(),
            account: account("acme"),
            subject: subject.map(|s| SubjectDigest([s; 32])),
            placed_at: NOON,
            placed_by: "counsel".to_owned(),
            reason: "litigation".to_owned(),
            until: until.map(Timestamp),
            released: None,
        };
        let append = async |change: HoldChange| {
            let mut entry = directory("hold");
            entry.change = Some(Change::Hold(change));
            journal.append(entry).await
        };
        let (whole, one) = (row("h1", None, None), row("h2", Some(1), Some(NOON.0 + 5)));
        append(HoldChange::Placed(whole.clone())).await.unwrap();
        append(HoldChange::Placed(one.clone())).await.unwrap();
        assert_eq!(
            database.holds().await.unwrap(),
            [whole.clone(), one.clone()]
        );
        let (ada, bob) = (SubjectDigest([1; 32]), SubjectDigest([2; 32]));
        assert!(
            whole.concerns(&account("acme"), Some(&bob)) && !whole.concerns(&account("b"), None)
        );
        assert!(one.concerns(&account("acme"), Some(&ada)) && one.concerns(&account("acme"), None));
        assert!(!one.concerns(&account("acme"), Some(&bob)));
        assert!(one.binds(NOON) && !one.binds(Timestamp(NOON.0 + 5)));
        let release = |id: &str| HoldChange::Released {
            id: id.to_owned(),
            at: Timestamp(NOON.0 + 9),
            by: "judge".to_owned(),
        };
        append(release("h1")).await.unwrap();
        assert!(append(release("h1")).await.is_err(), "released already");
        assert!(append(release("h2")).await.is_err(), "over already");
        assert!(append(release("h9")).await.is_err(), "unknown");
        assert!(!database.holds().await.unwrap()[0].binds(NOON));
        drop(journal);
        task.finished().await;
    });
}

/// Whether any file of the folder holds the bytes.
fn found(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

/// How an erasure is carried out; every one but `Whole` leaves something behind: rows deleted
/// without zeroing, the write-ahead log not emptied, keys kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    Whole,
    NoSecureDelete,
    LogKept,
    KeysKept,
}

/// Keys of many subjects come, some go; gives those that must be gone and were found.
async fn remains(care: Care, order: &[u8]) -> (BTreeSet<u64>, bool) {
    let bed = testbed::databases();
    let database = Database::open_as(&bed.sqlite, care != Care::NoSecureDelete)
        .await
        .unwrap();
    let (journal, task) = Journal::start(database.clone(), leaf, NOON, None)
        .await
        .unwrap();
    let (mut gone, mut id) = (Vec::new(), 0);
    for (round, erased) in order.iter().enumerate() {
        for subject in 0..8 {
            id += 1;
            let row = key(id, &format!("a{round}"), subject);
            for n in 0..3 {
                let name = format!("x{round}-{subject}-{n}");
                journal.append(exchange_of(&name, &row)).await.unwrap();
            }
            if subject == erased % 8 {
                gone.push(row);
            }
        }
        let account = format!("a{round}");
        if matches!(care, Care::KeysKept | Care::NoSecureDelete) {
            let mut session = database.session().await.unwrap();
            let id = gone.last().unwrap().id;
            let table = match care {
                Care::NoSecureDelete => "subject_keys WHERE id",
                _ => "bodies WHERE key_id",
            };
            let sql = format!("DELETE FROM {table} = {id}");
            session.execute(&sql, Vec::new()).await.unwrap();
        } else {
            journal
                .append(erasure(&account, Some(erased % 8), Vec::new()))
                .await
                .unwrap();
        }
    }
    let mut scrubbed = Scrubbed::default();
    let needles = || gone.iter().map(|row| row.wrapped.clone()).collect();
    match care {
        Care::LogKept => {}
        // A careful look would notice, and write the file anew: here nobody looks.
        Care::NoSecureDelete | Care::KeysKept => {
            database.scrub(Vec::new(), false).await.unwrap();
        }
        Care::Whole => scrubbed = database.scrub(needles(), false).await.unwrap(),
    }
    let left = gone.iter().filter(|row| found(bed.folder(), &row.wrapped));
    let left = left.map(|row| row.id).collect();
    drop(journal);
    task.finished().await;
    (left, scrubbed.rewritten)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn no_copy_of_a_destroyed_key_is_left_in_any_file(order in prop::collection::vec(any::<u8>(), 1..6)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (left, rewritten) = runtime.block_on(remains(Care::Whole, &order));
        prop_assert!(left.is_empty(), "{left:?}");
        // Rows of keys are never moved, so that the file need not be written anew.
        prop_assert!(!rewritten);
    }
}

#[test]
fn whoever_erases_carelessly_is_noticed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for care in [Care::NoSecureDelete, Care::LogKept, Care::KeysKept] {
        let (left, _) = runtime.block_on(remains(care, &[1, 5, 2]));
        assert!(!left.is_empty(), "{care:?} left nothing behind");
    }
}

#[test]
fn a_copy_that_is_left_makes_the_file_be_written_anew() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let bed = testbed::databases();
        let database = Database::open_as(&bed.sqlite, false).await.unwrap();
        let (journal, task) = Journal::start(database.clone(), leaf, NOON, None)
            .await
            .unwrap();
        let row = key(1, "acme", 1);
        journal.append(exchange_of("e1", &row)).await.unwrap();
        journal
            .append(exchange_of("e2", &key(2, "acme", 2)))
            .await
            .unwrap();
        {
            // Not how it is done: the row's bytes stay in the page.
            let mut session = database.session().await.unwrap();
            let sql = "DELETE FROM subject_keys WHERE id = 1";
            session.execute(sql, Vec::new()).await.unwrap();
        }
        let done = database
            .scrub(vec![row.wrapped.clone()], false)
            .await
            .unwrap();
        assert!(done.rewritten && done.searched_bytes > 0);
        assert!(!found(bed.folder(), &row.wrapped));
        // What is still there on purpose cannot be written away.
        let live = database.keys_of("acme", None).await.unwrap().remove(0);
        let refused = database.scrub(vec![live.wrapped], false).await;
        assert!(
            matches!(refused, Err(StoreError::Remains(_))),
            "{refused:?}"
        );
        drop(journal);
        task.finished().await;
    });
}

/// What a bundle is chosen by: endings are counted where they lie, and which requests are left.
#[test]
fn endings_are_counted_and_held_requests_are_told_from_forgotten_ones() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        let keys = [key(1, "acme", 1), key(2, "acme", 2), key(3, "other", 1)];
        let (mut intents, mut ends) = (Vec::new(), Vec::new());
        for (n, row) in keys.iter().cycle().take(9).enumerate() {
            let name = format!("e{n}");
            let intent = journal.append(exchange_of(&name, row)).await.unwrap();
            let mut ending = completion(&name, intent);
            ending.record.account = Some(account(&row.account));
            intents.push(intent);
            ends.push(journal.append(ending).await.unwrap());
        }
        let (acme, other) = (account("acme"), account("other"));
        for (range, of_acme, of_other) in [
            (0..u64::MAX, 6, 3),
            (0..ends[4], 3, 1),
            (0..ends[4] + 1, 4, 1),
            (ends[4]..u64::MAX, 3, 2),
            (5..5, 0, 0),
        ] {
            let told = database.ending_count(range.clone(), &acme).await.unwrap();
            assert_eq!(told, of_acme, "{range:?}");
            let told = database.ending_count(range.clone(), &other).await.unwrap();
            assert_eq!(told, of_other, "{range:?}");
        }
        let erased = erasure("acme", Some(1), Vec::new());
        journal.append(erased).await.unwrap();
        let left = [1, 2, 4, 5, 7, 8].map(|n| intents[n]);
        let held = database.held_requests(&intents).await.unwrap();
        assert_eq!(held, BTreeSet::from(left));
        let told = database.held_requests(&intents[..2]).await.unwrap();
        assert_eq!(told, BTreeSet::from([intents[1]]));
        assert!(database.held_requests(&ends).await.unwrap().is_empty());
        assert!(database.held_requests(&[]).await.unwrap().is_empty());
        let leaves = database.leaves_at(&[ends[3], intents[0]]).await.unwrap();
        assert_eq!(
            leaves.into_keys().collect::<Vec<_>>(),
            [intents[0], ends[3]]
        );
    });
}
