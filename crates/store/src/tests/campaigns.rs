use super::*;
use crate::{CampaignChange, CampaignRow, Change, JournalError};

fn row(name: &str, at: i64) -> CampaignRow {
    CampaignRow {
        name: name.to_owned(),
        activated_at: Timestamp(at),
        activated_by: "ann".to_owned(),
        expires_at: Timestamp(at + 1_000),
        expired: None,
        file: vec![0, 1, 2, 255],
    }
}

fn entry(change: Change) -> Entry {
    let mut entry = directory("campaign_activated");
    entry.change = Some(change);
    entry
}

#[test]
fn a_campaign_acts_from_its_record_until_it_expires() {
    on_both(|url| async move {
        let (database, journal, task) = started(&url).await;
        assert_eq!(database.campaigns().await.unwrap(), []);
        for name in ["b", "a"] {
            let change = Change::Campaign(CampaignChange::Activated(row(name, 10)));
            journal.append(entry(change)).await.unwrap();
        }
        let active = |now| {
            let database = database.clone();
            async move {
                let rows = database.active_campaigns(Timestamp(now)).await.unwrap();
                rows.into_iter()
                    .map(|r| r.name)
                    .collect::<Vec<_>>()
                    .join(" ")
            }
        };
        assert_eq!(
            database.campaigns().await.unwrap(),
            [row("a", 10), row("b", 10)]
        );
        assert_eq!(
            (active(1_009).await, active(1_010).await),
            ("a b".into(), String::new())
        );
        let expire = |name: &str| {
            entry(Change::Campaign(CampaignChange::Expired {
                name: name.to_owned(),
                at: Timestamp(500),
                by: "bob".to_owned(),
            }))
        };
        journal.append(expire("a")).await.unwrap();
        assert_eq!(active(600).await, "b");
        let count = database.count().await.unwrap();
        for name in ["a", "c"] {
            let refused = journal.append(expire(name)).await;
            assert!(
                matches!(refused, Err(JournalError::Refused(_))),
                "{refused:?}"
            );
        }
        assert_eq!(
            database.count().await.unwrap(),
            count,
            "a refused change has no record"
        );
        journal
            .append(entry(Change::Campaign(CampaignChange::Activated(row(
                "a", 700,
            )))))
            .await
            .unwrap();
        assert_eq!(active(800).await, "a b");
        let kept = database.campaigns().await.unwrap();
        assert_eq!(kept[0].expired, Some((Timestamp(500), "bob".to_owned())));
        drop(journal);
        task.finished().await;
    });
}
