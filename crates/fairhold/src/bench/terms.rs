//! `fairhold bench terms`: what one ruling costs, kept and anew, in CPU time:
//! the clock on the wall counts whoever else is at work on the machine.

use std::hint::black_box;
use std::sync::Arc;

use engine::directory::{Organisation, Project};
use engine::judge::{Judge, Question, Verdict};
use engine::key::{Key, RANDOM_BYTES};
use engine::prices::{Price, Prices};
use engine::quota::Limits;
use engine::{Ask, Command, Config, Engine, Mode};
use facts::{
    AccountId, Endpoint, ExchangeId, ModelName, OrganisationId, ProjectId, Span, Timestamp,
};
use serde::Serialize;
use terms::{Agreement, Exceeded, Purpose};

use super::process::own_cpu_us;
use crate::failure::{Exit, Failure};
use crate::judge::{Bound, Documents, Seated, documents as named};
use crate::out::Out;

const ACCOUNTS: u32 = 1_000;
/// Enough for about a second each: CPU time is told to a hundredth.
const COLD_ROUNDS: u32 = 20_000;
const CACHED_ROUNDS: u32 = 4_000_000;
/// 2026-11-01T00:00:00Z: every document below is in force.
const NOW: Timestamp = Timestamp(1_793_491_200_000);

/// Three documents of two providers, some 20 policies with the house's.
const DOCUMENTS: [&str; 3] = [
    "openai/services",
    "anthropic/commercial",
    "anthropic/usage-policy",
];

#[derive(Debug, Serialize)]
struct Report {
    ruling_cached_us: f64,
    ruling_cold_us: f64,
    policies: usize,
    accounts: u32,
}

/// The documents of the benchmarks.
pub(super) fn documents() -> Result<Documents, Failure> {
    Documents::load(&Bound {
        documents: DOCUMENTS.map(str::to_owned).to_vec(),
        ..Bound::default()
    })
}

/// Runs the command.
pub(super) fn run(out: Out) -> Result<Exit, Failure> {
    let documents = Arc::new(documents()?);
    let set = named(&DOCUMENTS.map(str::to_owned))?;
    let terms = documents
        .library()
        .bound(&set)
        .map_err(|e| Failure::error(e.to_string()))?;
    let policies = terms.policies(NOW);
    let cold = cold(&Seated(Arc::clone(&documents)))?;
    let mut asked = engine(documents)?;
    // The first round of every account fills the cache.
    cached(&mut asked, ACCOUNTS)?;
    let report = Report {
        ruling_cached_us: cached(&mut asked, CACHED_ROUNDS)?,
        ruling_cold_us: cold,
        policies,
        accounts: ACCOUNTS,
    };
    out.data(&report)?;
    out.line(&format!(
        "{policies} policies, {ACCOUNTS} accounts, CPU time\nruling anew  {cold:.1} us (aim: at most 100)\n\
         ruling kept  {:.3} us (aim: at most 1)",
        report.ruling_cached_us
    ));
    Ok(Exit::Clean)
}

/// Microseconds of what the engine asks when it kept no ruling, over all
/// accounts and purposes in turn.
fn cold(judge: &dyn Judge) -> Result<f64, Failure> {
    let accounts: Vec<AccountId> = (0..ACCOUNTS).map(account).collect::<Result<_, _>>()?;
    let organisation = OrganisationId::parse("o").map_err(bad)?;
    let project = ProjectId::parse("p").map_err(bad)?;
    let model = ModelName::parse("mock-1").map_err(bad)?;
    let key = key(0);
    let agreement = Agreement::default();
    let mut purposes = Purpose::ALL.into_iter().cycle();
    let before = own_cpu_us().map_err(unmeasured)?;
    for (_, account) in (0..COLD_ROUNDS).zip(accounts.iter().cycle()) {
        let ruling = judge.rule(black_box(&Question {
            organisation: &organisation,
            project: &project,
            account,
            key: key.id(),
            model: &model,
            endpoint: Endpoint::ChatCompletions,
            purpose: purposes.next().map(Purpose::word),
            agreement: &agreement,
            country: None,
            exceeded: Exceeded::default(),
            at: NOW,
        }));
        if matches!(black_box(ruling).verdict, Verdict::Error(_)) {
            return Err(Failure::error(
                "the benchmark's question could not be decided".to_owned(),
            ));
        }
    }
    each(before, COLD_ROUNDS)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn bad(error: facts::IdError) -> Failure {
    Failure::error(error.to_string())
}

/// CPU microseconds per round since `before`.
fn each(before: u64, rounds: u32) -> Result<f64, Failure> {
    let spent = own_cpu_us().map_err(unmeasured)?.saturating_sub(before);
    let spent = u32::try_from(spent).map_err(unmeasured)?;
    Ok(f64::from(spent) / f64::from(rounds))
}

fn unmeasured(error: impl std::fmt::Display) -> Failure {
    Failure::error(format!("failed to measure: {error}"))
}

fn account(n: u32) -> Result<AccountId, Failure> {
    AccountId::parse(&format!("account-{n}")).map_err(bad)
}

fn key(n: u32) -> Key {
    let mut random = [0; RANDOM_BYTES];
    for (slot, byte) in random.iter_mut().skip(4).zip(n.to_be_bytes()) {
        *slot = byte;
    }
    Key::mint(&random)
}

/// An engine with accounts, asked by documents.
fn engine(documents: Arc<Documents>) -> Result<Engine, Failure> {
    let mut engine = Engine::new(Config {
        mode: Mode::Enforced,
        judge: Box::new(Seated(documents)),
        prices: Prices::flat(Price {
            input_per_1m: 1,
            output_per_1m: 1,
        }),
        lease: Span::seconds(1),
        memory: Span::seconds(1),
    });
    let organisation = OrganisationId::parse("o").map_err(bad)?;
    let project = ProjectId::parse("p").map_err(bad)?;
    let mut commands = vec![
        Command::OpenOrganisation(Organisation {
            id: organisation.clone(),
            name: String::new(),
            limits: Limits::UNLIMITED,
        }),
        Command::OpenProject(Project {
            id: project.clone(),
            organisation,
            purposes: vec!["inference-product".to_owned(), "rag".to_owned()],
            limits: Limits::UNLIMITED,
        }),
    ];
    for n in 0..ACCOUNTS {
        let account = account(n)?;
        commands.push(Command::OpenAccount {
            id: account.clone(),
            project: project.clone(),
            limits: Limits::UNLIMITED,
        });
        commands.push(Command::IssueKey {
            id: key(n).id().clone(),
            account,
            digest: key(n).digest(),
            limits: Limits::UNLIMITED,
        });
    }
    for command in commands {
        let effects = engine
            .apply(command, NOW)
            .map_err(|e| Failure::error(e.to_string()))?;
        for effect in &effects {
            engine.enact(effect);
        }
    }
    Ok(engine)
}

/// Microseconds of one ruling through the engine, over all accounts in turn.
fn cached(engine: &mut Engine, rounds: u32) -> Result<f64, Failure> {
    let keys: Vec<Key> = (0..ACCOUNTS).map(key).collect();
    let ask = Ask {
        exchange: ExchangeId::parse("exchange").map_err(bad)?,
        at: NOW,
        secret: String::new(),
        endpoint: Endpoint::ChatCompletions,
        model: ModelName::parse("mock-1").map_err(bad)?,
        subject: None,
        tokens_max: 1_000,
        purpose: None,
        country: None,
        body_sha256: [0; 32],
    };
    let before = own_cpu_us().map_err(unmeasured)?;
    for (_, key) in (0..rounds).zip(keys.iter().cycle()) {
        let ruling = engine.consult(black_box(key.id()), black_box(&ask));
        if !black_box(ruling).is_some_and(|ruling| ruling.verdict == Verdict::Permit) {
            return Err(Failure::error(
                "the benchmark's request was denied".to_owned(),
            ));
        }
    }
    each(before, rounds)
}
