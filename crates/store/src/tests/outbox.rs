use super::*;
use crate::{
    CaseStepRow, Change, ClaimRow, EndpointRow, HeldRow, JournalError, OpenedCase, OutboxRow,
    Sending, StepTaken, SummariesAsked, SummaryRow, Tried,
};

fn step(case: &str, n: u64) -> CaseStepRow {
    CaseStepRow {
        case_id: case.to_owned(),
        n,
        json: format!("{{\"n\":{n}}}"),
        digest: [1; 32],
    }
}

fn summary(case: &str, due: i64, closed: bool) -> SummaryRow {
    SummaryRow {
        case_id: case.to_owned(),
        version: 1,
        steps: 1,
        closed,
        awaits: if closed { "nothing" } else { "reply" }.to_owned(),
        due: Timestamp(due),
        json: "{}".to_owned(),
    }
}

fn endpoint(id: &str) -> EndpointRow {
    EndpointRow {
        id: id.to_owned(),
        account: "acme".to_owned(),
        kind: "webhook".to_owned(),
        target: "https://example.com".to_owned(),
        created_at: NOON,
        removed_at: None,
    }
}

fn notice(id: &str, endpoint: &str) -> OutboxRow {
    OutboxRow {
        id: id.to_owned(),
        endpoint: endpoint.to_owned(),
        account: "acme".to_owned(),
        case_id: "c1".to_owned(),
        event: "enforcement.warned".to_owned(),
        at: NOON,
        not_before: NOON,
        attempts: 0,
        state: Sending::Queued,
        error: None,
        delivered_at: None,
        payload: "{}".to_owned(),
    }
}

fn taken(case: &str, n: u64) -> StepTaken {
    StepTaken {
        opened: (n == 0).then(|| OpenedCase {
            accounts: vec![account("acme")],
            rests_on: vec!["c0".to_owned()],
        }),
        summary: Some(summary(case, 5, false)),
        outbox: vec![notice("m1", "e1"), notice("m1", "e2")],
        ..StepTaken::alone(step(case, n))
    }
}

fn entry(taken: StepTaken) -> Entry {
    Entry {
        change: Some(Change::CaseStep(Box::new(taken))),
        ..directory("stepped")
    }
}

#[test]
fn a_notice_is_queued_with_its_step_and_told_once() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        for id in ["e1", "e2"] {
            database.add_endpoint(&endpoint(id)).await.unwrap();
        }
        journal.append(entry(taken("c1", 0))).await.unwrap();
        let twice = journal.append(entry(taken("c1", 0))).await;
        assert!(matches!(twice, Err(JournalError::Refused(_))));
        assert_eq!(database.resting_on("c0").await.unwrap(), ["c1"]);
        assert_eq!(database.cases_of(&account("acme")).await.unwrap(), ["c1"]);
        assert!(
            database
                .due_notices(Timestamp(NOON.0 - 1), 9)
                .await
                .unwrap()
                .is_empty()
        );
        let due = database.due_notices(NOON, 9).await.unwrap();
        assert_eq!(due.len(), 2);
        let (first, to) = due.first().unwrap().clone();
        assert_eq!(
            (first.endpoint.as_str(), to.target.as_str()),
            ("e1", "https://example.com")
        );
        database
            .tried(&first, &Tried::Delivered(NOON))
            .await
            .unwrap();
        let (second, _) = due.last().unwrap().clone();
        let later = Tried::Later {
            at: Timestamp(NOON.0 + 9),
            error: "500".to_owned(),
        };
        database.tried(&second, &later).await.unwrap();
        assert!(database.due_notices(NOON, 9).await.unwrap().is_empty());
        let (again, _) = database
            .due_notices(Timestamp(NOON.0 + 9), 9)
            .await
            .unwrap()
            .remove(0);
        assert_eq!((again.attempts, again.error.as_deref()), (1, Some("500")));
        let dead = Tried::Dead {
            error: "gone".to_owned(),
        };
        database.tried(&again, &dead).await.unwrap();
        let dead = database
            .notices(Some(Sending::Dead), Some("c1"), 9)
            .await
            .unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!(
            database.retry_notice("m1", NOON).await.unwrap(),
            1,
            "what was delivered stays"
        );
        assert!(database.remove_endpoint("e2", NOON).await.unwrap());
        assert!(!database.remove_endpoint("e2", NOON).await.unwrap());
        assert_eq!(
            database.retry_notice("m1", NOON).await.unwrap(),
            0,
            "there is nowhere to go"
        );
        assert!(database.due_notices(NOON, 9).await.unwrap().is_empty());
        assert_eq!(database.endpoints_of("acme").await.unwrap().len(), 1);
    });
}

#[test]
fn a_held_step_is_taken_once_or_taken_back() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        let row = HeldRow {
            id: "h1".to_owned(),
            case_id: "c1".to_owned(),
            person: "ann".to_owned(),
            at: NOON,
            not_before: Timestamp(NOON.0 + 30),
            json: "{}".to_owned(),
            refused: None,
        };
        database.hold_step(&row).await.unwrap();
        assert_eq!(
            database.held_steps().await.unwrap(),
            std::slice::from_ref(&row)
        );
        let of_held = |n| StepTaken {
            held: Some("h1".to_owned()),
            ..taken("c1", n)
        };
        journal.append(entry(of_held(0))).await.unwrap();
        let again = journal.append(entry(of_held(1))).await;
        assert!(matches!(again, Err(JournalError::Refused(_))), "{again:?}");
        assert_eq!(database.steps_of("c1").await.unwrap(), [step("c1", 0)]);
        assert!(!database.drop_held("h1").await.unwrap());
        database.hold_step(&row).await.unwrap();
        database.refuse_held("h1", "closed").await.unwrap();
        assert!(database.drop_held("h1").await.unwrap());
    });
}

#[test]
fn a_claim_keeps_others_away_until_it_ends() {
    on_both(|url| async move {
        let (database, _journal, _task) = started(&url).await;
        let claim = |person: &str, until| ClaimRow {
            case_id: "c1".to_owned(),
            person: person.to_owned(),
            until: Timestamp(until),
        };
        assert!(
            database
                .claim(&claim("ann", 10), Timestamp(0))
                .await
                .unwrap()
        );
        assert!(
            !database
                .claim(&claim("bob", 20), Timestamp(9))
                .await
                .unwrap()
        );
        assert!(
            database
                .claim(&claim("ann", 15), Timestamp(9))
                .await
                .unwrap()
        );
        assert!(!database.unclaim("c1", "bob").await.unwrap());
        assert!(
            database
                .claim(&claim("bob", 20), Timestamp(15))
                .await
                .unwrap()
        );
        assert_eq!(
            database.claims(Timestamp(19)).await.unwrap(),
            [claim("bob", 20)]
        );
        assert!(database.claims(Timestamp(20)).await.unwrap().is_empty());
    });
}

#[test]
fn summaries_come_by_due_date_and_stale_ones_are_found() {
    on_both(|url| async move {
        let (database, journal, _task) = started(&url).await;
        for (n, (case, due, closed)) in [("c2", 7, false), ("c1", 7, false), ("c3", 1, true)]
            .into_iter()
            .enumerate()
        {
            let taken = StepTaken {
                summary: (n != 1).then(|| summary(case, due, closed)),
                ..StepTaken::alone(step(case, 0))
            };
            journal.append(entry(taken)).await.unwrap();
        }
        assert_eq!(database.stale_summaries(1).await.unwrap(), ["c1"]);
        assert_eq!(
            database.stale_summaries(2).await.unwrap(),
            ["c1", "c2", "c3"]
        );
        let made = (summary("c1", 7, false), OpenedCase::default());
        database.keep_summaries(&[made]).await.unwrap();
        assert!(database.stale_summaries(1).await.unwrap().is_empty());
        let ids = |rows: Vec<SummaryRow>| rows.into_iter().map(|r| r.case_id).collect::<Vec<_>>();
        let all = SummariesAsked::default();
        assert_eq!(
            ids(database.summaries(&all, 9).await.unwrap()),
            ["c3", "c1", "c2"]
        );
        let open = SummariesAsked {
            closed: Some(false),
            ..SummariesAsked::default()
        };
        assert_eq!(ids(database.summaries(&open, 1).await.unwrap()), ["c1"]);
        let next = SummariesAsked {
            after: Some((Timestamp(7), "c1".to_owned())),
            ..open
        };
        assert_eq!(ids(database.summaries(&next, 9).await.unwrap()), ["c2"]);
        assert_eq!(database.awaiting().await.unwrap().get("reply"), Some(&2));
    });
}
