use super::*;
use crate::{Change, FindingRow, FleetRank, JournalError, LookRow, ProfileRow, WatchBatch};

fn profile(name: &str, state: u8) -> ProfileRow {
    ProfileRow {
        account: account(name),
        state: vec![state; 3],
    }
}

fn look(name: &str, statistic: i64) -> LookRow {
    LookRow {
        account: account(name),
        look: 20,
        statistic,
    }
}

fn finding(id: &str, json: &str) -> FindingRow {
    FindingRow {
        id: id.to_owned(),
        account: account("a"),
        at: Timestamp(7),
        json: json.to_owned(),
    }
}

#[test]
fn a_batch_of_the_watch_is_kept_with_its_cursor() {
    on_both(|url| async move {
        let database = Database::open(&url).await.unwrap();
        assert_eq!(database.watched().await.unwrap(), 0);
        let first = WatchBatch {
            profiles: vec![profile("a", 1), profile("b", 1)],
            looks: vec![look("a", 5), look("b", -5)],
            from: 0,
            next: 9,
        };
        assert!(database.keep_watch(first).await.unwrap());
        let second = WatchBatch {
            profiles: vec![profile("b", 2)],
            looks: vec![look("b", 8)],
            from: 9,
            next: 12,
        };
        assert!(database.keep_watch(second.clone()).await.unwrap());
        // Whoever read before that was kept would count the same exchanges twice.
        for from in [0, 9, 13] {
            let stale = WatchBatch {
                profiles: vec![profile("a", 7)],
                from,
                ..second.clone()
            };
            assert!(!database.keep_watch(stale).await.unwrap(), "from {from}");
        }
        assert_eq!(database.watched().await.unwrap(), 12);
        let (a, b, c) = (account("a"), account("b"), account("c"));
        let mut kept = database.profiles(&[&b, &c, &a]).await.unwrap();
        kept.sort_by(|x, y| x.account.cmp(&y.account));
        assert_eq!(kept, [profile("a", 1), profile("b", 2)]);
        let rank = database.fleet_rank(&a, 5).await.unwrap();
        let expected = FleetRank {
            accounts: 1,
            at_least: 1,
        };
        assert_eq!(rank, expected);
        assert_eq!(database.profile_count().await.unwrap(), 2);
    });
}

fn judged(row: FindingRow) -> Entry {
    let record = Record {
        at: NOON,
        account: Some(row.account.clone()),
        event: Event::Judged {
            detector: [1; 32],
            finding: Some(evidence::Kept {
                id: row.id.clone(),
                digest: [2; 32],
            }),
            case: None,
        },
    };
    let mut entry = Entry::of(record);
    entry.change = Some(Change::Finding(row));
    entry
}

#[test]
fn a_finding_is_kept_with_its_record_and_stays_as_it_was() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        journal.append(judged(finding("f", "{}"))).await.unwrap();
        let again = judged(finding("f", "{\"later\":1}"));
        let refused = journal.append(again).await;
        assert!(matches!(refused, Err(JournalError::Refused(_))));
        let (a, b) = (account("a"), account("b"));
        let kept = database.findings(Some(&a)).await.unwrap();
        assert_eq!(kept, [finding("f", "{}")]);
        assert!(database.findings(Some(&b)).await.unwrap().is_empty());
        let end = database.count().await.unwrap();
        let of_a = database.records_of_kind("judged", Some(&a), end);
        assert_eq!(of_a.await.unwrap().len(), 1);
        for (account, end) in [(Some(&b), end), (None, 0)] {
            let none = database.records_of_kind("judged", account, end);
            assert!(none.await.unwrap().is_empty());
        }
    });
}
