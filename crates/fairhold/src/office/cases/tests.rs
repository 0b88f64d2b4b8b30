mod attached;
mod kept;

use std::path::Path;

use bytes::Bytes;
use console::{
    CaseStep, CaseView, NewAccount, NewCase, NewCondition, NewLimits, NewMeasure, NewNotice,
    Office as _, OfficeError,
};
use engine::{Ask, Mode, Refusal};
use evidence::Event;
use facts::{Endpoint, ExchangeId, ModelName};
use gateway::Desk as _;

use super::*;
use crate::house::{House, Plan};
use crate::office::LocalOffice;

/// An enforcing house with accounts a and b, and a key of each.
struct Bench {
    house: House,
    office: LocalOffice,
    keys: [String; 2],
    asked: u32,
}

impl Bench {
    async fn open(folder: &Path) -> Self {
        let plan = Plan {
            mode: Mode::Enforced,
            ..Plan::at_rest()
        };
        let house = House::open(folder, plan).await.unwrap();
        let office = LocalOffice::of(&house);
        let mut keys = Vec::new();
        for name in ["a", "b"] {
            let new = NewAccount {
                account: name.to_owned(),
                project: name.to_owned(),
                organisation: name.to_owned(),
                ..NewAccount::default()
            };
            // Known already when the house is opened again.
            let _ = office.open_account(new).await;
            keys.push(office.create_key(name).await.unwrap().key);
        }
        Self {
            house,
            office,
            keys: keys.try_into().unwrap(),
            asked: 0,
        }
    }

    async fn close(self) {
        drop(self.office);
        self.house.close().await;
    }

    async fn observe(&self, account: &str, rests_on: &[&str]) -> String {
        let new = NewCase {
            account: account.to_owned(),
            clause: "t/1".to_owned(),
            summary: "facts".to_owned(),
            exculpatory: "none found".to_owned(),
            by: "ann".to_owned(),
            rests_on: rests_on.iter().map(|c| (*c).to_owned()).collect(),
            ..NewCase::default()
        };
        self.office.propose(new).await.unwrap().case
    }

    async fn step(&self, case: &str, step: CaseStep, by: &str) -> Result<CaseView, OfficeError> {
        let step = console::Step {
            step,
            by: by.to_owned(),
            comment: "because".to_owned(),
            attachments: Vec::new(),
        };
        self.office.step(case, step).await
    }

    /// Suspends by an emergency and two people.
    async fn suspend(&self, case: &str) {
        self.step(case, CaseStep::Emergency(LEFT), "ann")
            .await
            .unwrap();
        self.step(case, propose("suspend"), "ann").await.unwrap();
        let view = self.step(case, CaseStep::Approve, "bob").await.unwrap();
        assert_eq!(
            (view.state.as_str(), view.action.as_str()),
            ("suspended", "suspend")
        );
    }

    /// One request of account 0 or 1.
    async fn ask(&mut self, account: usize) -> Result<engine::Admitted, Refusal> {
        self.asked += 1;
        let ask = Ask {
            exchange: ExchangeId::parse(&format!("x{}-{account}", self.asked)).unwrap(),
            at: SystemClock.now(),
            secret: self.keys[account].clone(),
            endpoint: Endpoint::ChatCompletions,
            model: ModelName::parse("m").unwrap(),
            tokens_max: 1,
            purpose: None,
            subject: None,
            country: None,
            body_sha256: [0; 32],
        };
        let asked = self.house.keeper.admit(ask, Bytes::from_static(b"{}"));
        asked.await.map(|one| one.what).map_err(|one| one.what)
    }
}

const LEFT: NewLimits = NewLimits {
    requests_per_minute: Some(1),
    tokens_per_minute: None,
};

fn propose(measure: &str) -> CaseStep {
    CaseStep::Propose(NewMeasure {
        measure: measure.to_owned(),
        limits: LEFT,
        ..NewMeasure::default()
    })
}

fn notice() -> CaseStep {
    CaseStep::Notice(NewNotice {
        metric: "exchanges a day".to_owned(),
        under: "20".to_owned(),
        days: 14,
        declaration: true,
    })
}

#[track_caller]
fn conflict(done: Result<CaseView, OfficeError>, says: &str) {
    match done {
        Err(OfficeError::Conflict(why)) => assert!(why.contains(says), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn measures_act_on_the_next_request_and_end_with_their_reversal() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    bench.step(&case, propose("mark"), "ann").await.unwrap();
    let view = bench.step(&case, CaseStep::Approve, "bob").await.unwrap();
    assert_eq!(view.state, "marked");
    let running = bench.ask(0).await.unwrap();
    assert_eq!(
        running.marked.as_ref().map(CaseId::as_str),
        Some(case.as_str())
    );
    assert!(bench.ask(1).await.unwrap().marked.is_none());
    let view = bench
        .step(&case, CaseStep::Emergency(LEFT), "ann")
        .await
        .unwrap();
    assert!(view.in_force[1].emergency && view.in_force[1].until.is_some());
    assert!(view.deadlines.iter().any(|d| d.what == "emergency_ends"));
    // One request of the minute was made before the throttle.
    assert!(matches!(
        bench.ask(0).await,
        Err(Refusal::RateLimited { .. })
    ));
    bench.step(&case, propose("suspend"), "ann").await.unwrap();
    bench.step(&case, CaseStep::Approve, "bob").await.unwrap();
    assert!(
        !bench.house.keeper.still_welcome(&running),
        "running streams stop"
    );
    assert!(matches!(bench.ask(0).await, Err(Refusal::Suspended { .. })));
    assert!(bench.ask(1).await.is_ok());
    let view = bench.office.case(&case).await.unwrap();
    assert_eq!(view.statements.len(), 3);
    assert_eq!(
        view.statements[2].dsa["decision_account"],
        "DECISION_ACCOUNT_SUSPENDED"
    );
    assert!(
        view.statements[2]
            .text
            .iter()
            .any(|t| t.text.contains("暂停"))
    );
    conflict(
        bench.step(&case, CaseStep::Appeal, "b").await,
        "not accused",
    );
    bench.step(&case, CaseStep::Appeal, "a").await.unwrap();
    conflict(
        bench.step(&case, CaseStep::Overturn, "bob").await,
        "took part",
    );
    let view = bench.step(&case, CaseStep::Overturn, "cat").await.unwrap();
    assert_eq!(
        (view.state.as_str(), view.in_force.len()),
        ("overturned", 0)
    );
    assert!(bench.ask(0).await.is_ok());
    bench.close().await;
}

#[tokio::test]
async fn a_suspension_waits_for_an_answer_and_a_termination_for_thirty_days() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    conflict(
        bench.step(&case, propose("suspend"), "ann").await,
        "`notice` comes first",
    );
    let view = bench.step(&case, notice(), "ann").await.unwrap();
    assert_eq!(
        (view.state.as_str(), view.action.as_str()),
        ("noticed", "notice")
    );
    assert!(
        view.statement.contains("get under 20 (exchanges a day)"),
        "{}",
        view.statement
    );
    conflict(
        bench.step(&case, propose("suspend"), "ann").await,
        "unanswered",
    );
    bench.step(&case, CaseStep::Declare, "a").await.unwrap();
    conflict(
        bench.step(&case, propose("terminate"), "ann").await,
        "thirty days",
    );
    let offered = CaseStep::Undertake(vec![NewCondition {
        promise: "no more than 10 a day".to_owned(),
        check: "count them".to_owned(),
        days: 30,
    }]);
    bench.step(&case, offered, "a").await.unwrap();
    bench.step(&case, CaseStep::Accept, "ann").await.unwrap();
    conflict(
        bench.step(&case, propose("suspend"), "ann").await,
        "undertaking runs",
    );
    let broken = CaseStep::Check {
        condition: 1,
        met: false,
    };
    bench.step(&case, broken, "ann").await.unwrap();
    bench.step(&case, propose("suspend"), "ann").await.unwrap();
    let returned = bench.step(&case, CaseStep::Return, "bob").await.unwrap();
    assert!(returned.pending.is_none());
    assert_eq!(returned.timeline.last().unwrap().comment, "because");
    bench.step(&case, propose("suspend"), "ann").await.unwrap();
    conflict(
        bench.step(&case, CaseStep::Approve, "ann").await,
        "second person",
    );
    bench.step(&case, CaseStep::Approve, "bob").await.unwrap();
    bench.close().await;
}

#[tokio::test]
async fn one_person_with_two_accounts_is_one_person() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let people = "[[person]]\nname = \"ann\"\nrole = \"reviewer\"\nidentity = \"key-1\"\n\
        [[person]]\nname = \"ann2\"\nrole = \"approver\"\nidentity = \"key-1\"\n\
        [[person]]\nname = \"bob\"\nrole = \"approver\"\nidentity = \"key-2\"\n\
        [[person]]\nname = \"aud\"\nrole = \"auditor\"\nidentity = \"key-3\"\n";
    std::fs::write(folder.path().join("people.toml"), people).unwrap();
    let case = bench.observe("a", &[]).await;
    conflict(
        bench.step(&case, propose("mark"), "aud").await,
        "`auditor` does not include",
    );
    bench.step(&case, propose("mark"), "ann").await.unwrap();
    conflict(
        bench.step(&case, CaseStep::Approve, "ann2").await,
        "identity of their own",
    );
    conflict(
        bench.step(&case, CaseStep::Approve, "eve").await,
        "not among the people",
    );
    let view = bench.step(&case, CaseStep::Approve, "bob").await.unwrap();
    assert_eq!(view.state, "marked");
    bench.close().await;
}

#[tokio::test]
async fn a_reversal_opens_anew_what_rested_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::open(folder.path()).await;
    let root = bench.observe("a", &[]).await;
    let linked = bench.observe("b", &[&root]).await;
    bench.suspend(&root).await;
    bench.suspend(&linked).await;
    bench.step(&root, CaseStep::Appeal, "a").await.unwrap();
    bench.step(&root, CaseStep::Overturn, "cat").await.unwrap();
    let view = bench.office.case(&linked).await.unwrap();
    assert_eq!(
        (view.state.as_str(), view.action.as_str()),
        ("reopened", "suspend")
    );
    assert!(view.deadlines.iter().any(|d| d.what == "review_due"));
    let until = view
        .in_force
        .iter()
        .find(|m| m.measure == "suspend")
        .unwrap();
    assert!(
        until.until.is_some(),
        "it ends by itself unless somebody upholds it"
    );
    assert!(bench.ask(0).await.is_ok() && bench.ask(1).await.is_err());
    let view = bench
        .step(&linked, CaseStep::Overturn, "dan")
        .await
        .unwrap();
    assert_eq!(view.state, "overturned");
    assert!(bench.ask(1).await.is_ok());
    bench.close().await;
}

#[tokio::test]
async fn steps_are_recorded_with_their_events_and_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    bench.step(&case, notice(), "ann").await.unwrap();
    bench.suspend(&case).await;
    let before = bench.office.case(&case).await.unwrap();
    bench.close().await;

    let mut bench = Bench::open(folder.path()).await;
    assert!(matches!(bench.ask(0).await, Err(Refusal::Suspended { .. })));
    let after = bench.office.case(&case).await.unwrap();
    assert_eq!(after.timeline, before.timeline);
    let database = bench.house.keeper.database();
    let rows = database
        .records(0..database.count().await.unwrap())
        .await
        .unwrap();
    let events: Vec<String> = rows
        .iter()
        .filter_map(|row| match Record::parse(&row.leaf).ok()?.1.event {
            Event::CaseStep { step, .. } => Some(step),
            _ => None,
        })
        .collect();
    let expected = [
        "policy.violation.detected",
        "enforcement.warned",
        "enforcement.throttled",
        "enforcement.proposed",
        "enforcement.approved",
        "enforcement.suspended",
    ];
    assert_eq!(events, expected);
    bench.close().await;
}
