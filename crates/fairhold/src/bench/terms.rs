//! `fairhold bench terms`: what one ruling costs, kept and anew.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use engine::directory::{Organisation, Project};
use engine::key::{Key, RANDOM_BYTES};
use engine::prices::{Price, Prices};
use engine::quota::Limits;
use engine::{Ask, Command, Config, Engine, Mode};
use facts::{
    AccountId, Endpoint, ExchangeId, ModelName, OrganisationId, ProjectId, Span, Timestamp,
};
use serde::Serialize;
use terms::{Act, Purpose, Question};

use crate::failure::{Exit, Failure};
use crate::judge::{Bound, Documents, NoTerms, Seated, documents as named};
use crate::out::Out;

const ACCOUNTS: u32 = 1_000;
const COLD_ROUNDS: u32 = 20_000;
const CACHED_ROUNDS: u32 = 400_000;
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
    admit_with_terms_us: f64,
    admit_without_terms_us: f64,
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
    let documents = documents()?;
    let set = named(&DOCUMENTS.map(str::to_owned))?;
    let terms = documents
        .library()
        .bound(&set)
        .map_err(|e| Failure::error(e.to_string()))?;
    let policies = terms.policies(NOW);
    let cold = cold(&terms)?;
    let without = admissions(&mut engine(None)?)?;
    let mut with_terms = engine(Some(Arc::new(documents)))?;
    // The first round of every account fills the cache.
    admissions(&mut with_terms)?;
    let with = admissions(&mut with_terms)?;
    let report = Report {
        ruling_cached_us: (with - without).max(0.0),
        ruling_cold_us: cold,
        policies,
        accounts: ACCOUNTS,
        admit_with_terms_us: with,
        admit_without_terms_us: without,
    };
    out.data(&report)?;
    out.line(&format!(
        "{policies} policies, {ACCOUNTS} accounts\nruling anew    {cold:.1} us (aim: at most 100)\n\
         ruling kept    {:.3} us (aim: at most 1), the difference of\nadmission      {with:.3} us with terms, {without:.3} us without",
        report.ruling_cached_us
    ));
    Ok(Exit::Clean)
}

/// Microseconds of one evaluation.
fn cold(terms: &terms::Terms) -> Result<f64, Failure> {
    let account = AccountId::parse("bench").map_err(bad)?;
    let model = ModelName::parse("mock-1").map_err(bad)?;
    let mut purposes = Purpose::ALL.into_iter().cycle();
    let started = Instant::now();
    for _ in 0..COLD_ROUNDS {
        let act = Act::Infer {
            model: &model,
            endpoint: Endpoint::ChatCompletions,
        };
        let question = Question {
            purpose: purposes.next().map(Purpose::word),
            ..Question::new(&account, act, NOW)
        };
        black_box(terms.rule(black_box(&question)));
    }
    Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(COLD_ROUNDS))
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn bad(error: facts::IdError) -> Failure {
    Failure::error(error.to_string())
}

fn key(n: u32) -> Key {
    let mut random = [0; RANDOM_BYTES];
    for (slot, byte) in random.iter_mut().skip(4).zip(n.to_be_bytes()) {
        *slot = byte;
    }
    Key::mint(&random)
}

/// An engine with accounts, asked by documents or by nobody.
fn engine(documents: Option<Arc<Documents>>) -> Result<Engine, Failure> {
    let judge: Box<dyn engine::judge::Judge> = match documents {
        Some(documents) => Box::new(Seated(documents)),
        None => Box::new(NoTerms::new()),
    };
    let mut engine = Engine::new(Config {
        mode: Mode::Enforced,
        judge,
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
        let account = AccountId::parse(&format!("account-{n}")).map_err(bad)?;
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

/// Microseconds of one admission, over all accounts in turn.
fn admissions(engine: &mut Engine) -> Result<f64, Failure> {
    let secrets: Vec<String> = (0..ACCOUNTS).map(|n| key(n).expose().to_owned()).collect();
    let model = ModelName::parse("mock-1").map_err(bad)?;
    let mut spent = 0.0;
    for (n, secret) in (0..CACHED_ROUNDS).zip(secrets.iter().cycle()) {
        let ask = Ask {
            exchange: ExchangeId::parse(&format!("exchange-{n}")).map_err(bad)?,
            at: NOW.plus(Span(i64::from(n / 10))),
            secret: secret.clone(),
            endpoint: Endpoint::ChatCompletions,
            model: model.clone(),
            tokens_max: 1_000,
            purpose: None,
            country: None,
            body_sha256: [0; 32],
        };
        let started = Instant::now();
        let admitted = engine.admit(black_box(&ask));
        spent += started.elapsed().as_secs_f64();
        let (admitted, _) = admitted.map_err(|(refusal, _)| {
            Failure::error(format!("the benchmark's request was refused: {refusal:?}"))
        })?;
        engine.release(&admitted.exchange, ask.at);
    }
    Ok(spent * 1e6 / f64::from(CACHED_ROUNDS))
}
