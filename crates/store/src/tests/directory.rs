use facts::{MicroUsd, OrganisationId, ProjectId};

use super::*;
use crate::{
    AccountRow, CaseStepRow, Change, JournalError, KeyRow, LimitScope, LimitsRow, OrganisationRow,
    ProjectRow, Spend, StepTaken,
};

fn with(change: Change) -> Entry {
    Entry {
        change: Some(change),
        ..directory("changed")
    }
}

fn key() -> KeyRow {
    KeyRow {
        id: KeyId::parse("k1").unwrap(),
        account: account("acme"),
        secret_sha256: [3; 32],
        created_at: NOON,
        revoked_at: None,
    }
}

fn customer() -> Vec<Entry> {
    let organisation = OrganisationId::parse("o1").unwrap();
    let project = ProjectId::parse("p1").unwrap();
    vec![
        with(Change::Organisation(OrganisationRow {
            id: organisation.clone(),
            name: "Acme".to_owned(),
            created_at: NOON,
        })),
        with(Change::Project(ProjectRow {
            id: project.clone(),
            organisation,
            name: "One".to_owned(),
            purpose: None,
            created_at: NOON,
        })),
        with(Change::Account(AccountRow {
            id: account("acme"),
            project,
            name: "A".to_owned(),
            standing: "{}".to_owned(),
            created_at: NOON,
        })),
        with(Change::Key(key())),
        with(Change::Limits(LimitsRow {
            scope: LimitScope::Account,
            id: "acme".to_owned(),
            json: "{\"rpm\":1}".to_owned(),
        })),
    ]
}

#[test]
fn changes_are_kept_with_their_records() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        journal.append_all(customer()).await.unwrap();
        let standing = Change::Standing {
            account: account("acme"),
            json: "{\"suspended\":true}".to_owned(),
        };
        journal.append(with(standing)).await.unwrap();
        let revoke = Change::RevokeKey {
            key: key().id,
            at: NOON,
        };
        journal.append(with(revoke.clone())).await.unwrap();
        let rows = database.directory().await.unwrap();
        assert_eq!(rows.organisations[0].name, "Acme");
        assert_eq!(rows.projects[0].purpose, None);
        assert_eq!(rows.accounts[0].standing, "{\"suspended\":true}");
        assert_eq!(
            rows.keys,
            [KeyRow {
                revoked_at: Some(NOON),
                ..key()
            }]
        );
        assert_eq!(rows.limits[0].json, "{\"rpm\":1}");
        assert_eq!(database.count().await.unwrap(), 7);
        let again = journal.append(with(revoke)).await;
        assert!(matches!(again, Err(JournalError::Refused(_))));
    });
}

#[test]
fn a_failing_change_leaves_no_record_and_harms_no_neighbour() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        journal.append_all(customer()).await.unwrap();
        let (before, refused, after) = tokio::join!(
            journal.append(intent("before")),
            journal.append_all(vec![intent("never"), with(Change::Key(key()))]),
            journal.append(intent("after"))
        );
        assert!(matches!(refused, Err(JournalError::Refused(_))));
        assert_eq!((before, after), (Ok(5), Ok(6)));
        assert_eq!(database.count().await.unwrap(), 7);
        let never = database.records_of_exchange(&exchange("never")).await;
        assert!(never.unwrap().is_empty());
        assert!(journal.healthy());
    });
}

#[test]
fn a_step_of_a_case_is_taken_once() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        let step = |n| CaseStepRow {
            case_id: "c1".to_owned(),
            n,
            json: format!("{{\"n\":{n}}}"),
            digest: [1; 32],
        };
        for n in [0, 1] {
            journal
                .append(with(Change::CaseStep(Box::new(StepTaken::alone(step(n))))))
                .await
                .unwrap();
        }
        let twice = journal
            .append(with(Change::CaseStep(Box::new(StepTaken::alone(step(1))))))
            .await;
        assert!(matches!(twice, Err(JournalError::Refused(_))));
        assert_eq!(database.case_steps().await.unwrap(), [step(0), step(1)]);
        assert_eq!(database.count().await.unwrap(), 2);
    });
}

#[test]
fn spend_adds_up_by_day() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        let day = facts::Span::days(1);
        let mut entries = Vec::new();
        for (n, at) in [NOON, NOON, NOON.plus(day)].into_iter().enumerate() {
            let mut entry = directory(&n.to_string());
            entry.spend = Some(Spend {
                account: account("acme"),
                key: KeyId::parse("k1").unwrap(),
                at,
                amount: MicroUsd(5),
                tokens: 7,
                requests: 1,
            });
            entries.push(entry);
        }
        journal.append_all(entries.clone()).await.unwrap();
        journal.append_all(entries).await.unwrap();
        let spent = database.spend(0).await.unwrap();
        let sums: Vec<_> = spent
            .iter()
            .map(|s| (s.amount.0, s.tokens, s.requests))
            .collect();
        assert_eq!(sums, [(20, 28, 4), (10, 14, 2)]);
        assert_eq!(spent[1].day, spent[0].day + 1);
        assert_eq!(
            database.spend(spent[1].day).await.unwrap(),
            [spent[1].clone()]
        );
    });
}
