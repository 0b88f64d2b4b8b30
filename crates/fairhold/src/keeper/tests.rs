use std::sync::Arc;

use engine::Mode;
use engine::directory::{Organisation, Project};
use engine::judge::{Judge, Question, Ruling, Verdict};
use engine::key::{Key, RANDOM_BYTES};
use engine::prices::{Price, Prices};
use engine::quota::Limits;
use engine::{Act, Held};
use evidence::seal::Kek;
use facts::{
    CaseId, ClauseId, Ending, Endpoint, ModelName, OrganisationId, ProjectId, Span, Usage,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

#[derive(Debug)]
struct Permit;

impl Judge for Permit {
    fn rule(&self, _: &Question<'_>) -> Ruling {
        Ruling {
            verdict: Verdict::Permit,
            clauses: Vec::new(),
            policy_sha256: "00".into(),
            asked: None,
            until: None,
        }
    }
}

pub(super) fn options(url: &str) -> Options {
    Options {
        url: url.to_owned(),
        reserve: None,
        keks: Keks::one(Kek::new([7; 32])),
        engine: Config {
            mode: Mode::Enforced,
            judge: Box::new(Permit),
            prices: Prices::flat(Price {
                input_per_1m: 1_000_000,
                output_per_1m: 1_000_000,
            }),
            lease: Span::hours(1),
            memory: Span::hours(1),
        },
    }
}

pub(super) fn account(n: u8) -> AccountId {
    AccountId::parse(&format!("a{n}")).unwrap()
}

fn key(n: u8) -> Key {
    Key::mint(&[n; RANDOM_BYTES])
}

/// `keys` accounts with a key each, in one project with this budget.
pub(super) async fn open(url: &str, keys: u8, budget: u64) -> (Keeper, JournalTask) {
    let (keeper, task) = Keeper::open(options(url)).await.unwrap();
    let organisation = OrganisationId::parse("o").unwrap();
    let project = ProjectId::parse("p").unwrap();
    let mut commands = vec![
        Command::OpenOrganisation(Organisation {
            id: organisation.clone(),
            name: "O".to_owned(),
            limits: Limits::UNLIMITED,
        }),
        Command::OpenProject(Project {
            id: project.clone(),
            organisation,
            purposes: vec!["rag".to_owned()],
            limits: Limits {
                budget: Some(MicroUsd(budget)),
                ..Limits::UNLIMITED
            },
        }),
    ];
    for n in 0..keys {
        commands.push(Command::OpenAccount {
            id: account(n),
            project: project.clone(),
            limits: Limits::UNLIMITED,
        });
        commands.push(Command::IssueKey {
            id: key(n).id().clone(),
            account: account(n),
            digest: key(n).digest(),
            limits: Limits::UNLIMITED,
        });
    }
    for command in commands {
        keeper.command(command).await.unwrap();
    }
    (keeper, task)
}

pub(super) fn ask(n: usize, k: u8, tokens_max: u64) -> Ask {
    Ask {
        exchange: ExchangeId::parse(&format!("x{n}")).unwrap(),
        at: SystemClock.now(),
        secret: key(k).expose().to_owned(),
        endpoint: Endpoint::ChatCompletions,
        model: ModelName::parse("m").unwrap(),
        subject: None,
        tokens_max,
        purpose: None,
        country: None,
        body_sha256: [0; 32],
    }
}

pub(super) fn completion(admitted: Admitted, tokens: u64) -> Completion {
    Completion {
        admitted,
        at: SystemClock.now(),
        ending: Ending::Completed,
        status: 200,
        usage: Usage {
            input_tokens: tokens,
            output_tokens: 0,
            estimated: false,
        },
        delivered_bytes: 2,
        answer_sha256: [0; 32],
    }
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// 200 tasks at once; returns how many were admitted, and how many records lie
/// in the journal beyond those of the directory.
async fn race(url: &str, keys: u8, cost: u64, settled: Vec<bool>) -> (usize, u64) {
    let (keeper, task) = open(url, keys, cost * 50).await;
    let before = keeper.database().count().await.unwrap();
    let keeper = Arc::new(keeper);
    let tasks: Vec<_> = settled
        .into_iter()
        .enumerate()
        .map(|(n, settle)| {
            let keeper = Arc::clone(&keeper);
            tokio::spawn(async move {
                let key = u8::try_from(n % usize::from(keys)).unwrap();
                let asked = ask(n, key, cost);
                match keeper.admit(asked, Bytes::from_static(b"{}")).await {
                    Ok(Recorded { what: admitted, .. }) => {
                        if settle {
                            let done = completion(admitted, cost);
                            keeper
                                .complete(done, Bytes::from_static(b"ok"))
                                .await
                                .unwrap();
                        }
                        (1, u64::from(settle))
                    }
                    Err(Recorded { what: refusal, .. }) => {
                        assert!(matches!(refusal, Refusal::Budget { .. }), "{refusal:?}");
                        (0, 0)
                    }
                }
            })
        })
        .collect();
    let (mut admitted, mut endings) = (0, 0);
    for task in tasks {
        let (one, ending) = task.await.unwrap();
        admitted += one;
        endings += ending;
    }
    let written = keeper.database().count().await.unwrap() - before - endings;
    let size = keeper.database().count().await.unwrap();
    assert_eq!(size, keeper.database().count().await.unwrap());
    drop(keeper);
    task.finished().await;
    (admitted, written)
}

#[test]
fn two_hundred_at_once_against_a_budget_for_fifty_admit_exactly_fifty() {
    let shape = (
        1u8..5,
        1u64..2000,
        proptest::collection::vec(any::<bool>(), 200),
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 4,
        ..ProptestConfig::default()
    });
    let result = runner.run(&shape, |(keys, cost, settled)| {
        testbed::on_both(|url| {
            let outcome = runtime().block_on(race(url, keys, cost, settled.clone()));
            assert_eq!(
                outcome,
                (50, 200),
                "admitted, and one record for each decision"
            );
        });
        Ok(())
    });
    result.unwrap();
}

#[test]
fn what_was_decided_outlives_a_restart() {
    testbed::on_both(|url| {
        runtime().block_on(async {
            let (keeper, task) = open(url, 3, 100).await;
            let admitted = keeper
                .admit(ask(1, 0, 40), Bytes::new())
                .await
                .unwrap()
                .what;
            keeper
                .complete(completion(admitted, 40), Bytes::new())
                .await
                .unwrap();
            let revoke = Command::RevokeKey(key(1).id().clone());
            keeper.command(revoke).await.unwrap();
            let case = CaseId::parse("c").unwrap();
            let clause = ClauseId::parse("t/1").unwrap();
            let row = store::CaseStepRow {
                case_id: "c".to_owned(),
                n: 0,
                json: "{}".to_owned(),
                digest: [1; 32],
            };
            let held = Held {
                case: case.clone(),
                clause,
                act: Act::Suspend,
                until: None,
            };
            let step = CaseStep {
                case,
                events: vec!["enforcement.suspended".to_owned()],
                digest: [1; 32],
                held: vec![(account(2), vec![held])],
            };
            keeper
                .steps(vec![(step, store::StepTaken::alone(row))], Vec::new())
                .await
                .unwrap();
            let rows = keeper.ask(|engine| engine.directory().rows());
            drop(keeper);
            task.finished().await;

            let (keeper, task) = Keeper::open(options(url)).await.unwrap();
            assert_eq!(keeper.ask(|engine| engine.directory().rows()), rows);
            let revoked = keeper
                .admit(ask(2, 1, 1), Bytes::new())
                .await
                .unwrap_err()
                .what;
            assert!(matches!(revoked, Refusal::RevokedKey { .. }));
            let barred = keeper
                .admit(ask(3, 2, 1), Bytes::new())
                .await
                .unwrap_err()
                .what;
            assert!(matches!(barred, Refusal::Suspended { .. }));
            let broke = keeper
                .admit(ask(4, 0, 61), Bytes::new())
                .await
                .unwrap_err()
                .what;
            assert!(matches!(broke, Refusal::Budget { .. }));
            assert!(keeper.admit(ask(5, 0, 60), Bytes::new()).await.is_ok());
            drop(keeper);
            task.finished().await;
        });
    });
}

#[test]
fn a_failure_of_the_store_is_not_told_as_one_of_opening_it() {
    let words = KeeperError::Store(StoreError::ReadOnly).to_string();
    assert!(words.starts_with("read or write the store: "), "{words}");
}
