use facts::Exchange;

use super::*;
use crate::{Change, LinkKind, LinkRow};

fn linked(name: &str, kind: LinkKind, token: u64) -> Entry {
    let row = LinkRow {
        account: account(name),
        kind,
        token,
    };
    Entry {
        change: Some(Change::Link { row, at: NOON }),
        ..directory("linked")
    }
}

#[test]
fn tokens_are_kept_once_and_paged_by_account() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        let entries = vec![
            linked("b", LinkKind::Payment, u64::MAX),
            linked("a", LinkKind::Network, 1),
            linked("a", LinkKind::Identity, 7),
            linked("a", LinkKind::Network, 1),
            linked("c", LinkKind::Network, 1),
        ];
        journal.append_all(entries).await.unwrap();
        let page = database.links(None, 2).await.unwrap();
        let found: Vec<(&str, LinkKind, u64)> = page
            .iter()
            .map(|row| (row.account.as_str(), row.kind, row.token))
            .collect();
        assert_eq!(
            found,
            [
                ("a", LinkKind::Identity, 7),
                ("a", LinkKind::Network, 1),
                ("b", LinkKind::Payment, u64::MAX),
            ]
        );
        let rest = database.links(Some(&account("b")), 2).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!(database.links_of(&account("a")).await.unwrap().len(), 2);
        drop(journal);
        task.finished().await;
    });
}

#[test]
fn activity_counts_served_and_imported_by_hour() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        assert_eq!(database.newest_exchange().await.unwrap(), None);
        journal
            .append_all(vec![intent("e1"), intent("e2")])
            .await
            .unwrap();
        let hour = 3_600_000;
        let import = |name: &str, n: i64, at: i64| Exchange {
            id: exchange(&format!("x{n}")),
            account: account(name),
            at: Timestamp(at),
            model: None,
            prompt: Vec::new(),
            response: None,
            usage: None,
        };
        let old = NOON.0 - 50 * hour;
        let all = [
            import("acme", 1, NOON.0),
            import("acme", 2, old),
            import("zeta", 3, NOON.0 + hour),
            import("beta", 4, NOON.0),
        ];
        database.import(&all).await.unwrap();
        let newest = database.newest_exchange().await.unwrap();
        assert_eq!(newest, Some(Timestamp(NOON.0 + hour)));
        let since = Timestamp(NOON.0 - 24 * hour);
        let page = database.seen(None, 2, since).await.unwrap();
        let names: Vec<&str> = page.iter().map(|s| s.account.as_str()).collect();
        assert_eq!(names, ["acme", "beta"]);
        assert_eq!(page[0].first, Timestamp(old));
        let at = NOON.0 / hour;
        assert_eq!(page[0].hours, [(at, 2), (at, 1)]);
        let rest = database
            .seen(Some(&account("beta")), 2, since)
            .await
            .unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].hours, [(at + 1, 1)]);
        let end = database
            .seen(Some(&account("zeta")), 2, since)
            .await
            .unwrap();
        assert!(end.is_empty());
        drop(journal);
        task.finished().await;
    });
}
