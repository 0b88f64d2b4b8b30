//! What does one decision cost? `cargo bench -p engine`.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot start stops")]

use engine::directory::{Organisation, Project};
use engine::judge::{Judge, Question, Ruling, Verdict};
use engine::key::{Key, RANDOM_BYTES};
use engine::prices::{Price, Prices};
use engine::quota::Limits;
use engine::{Ask, Command, Completion, Config, Engine, Mode};
use facts::{
    AccountId, Ending, Endpoint, ExchangeId, ModelName, OrganisationId, ProjectId, Span, Timestamp,
    Usage,
};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const ACCOUNTS: u32 = 10_000;

#[derive(Debug)]
struct Permit;

impl Judge for Permit {
    fn rule(&self, _: &Question<'_>) -> Ruling {
        Ruling {
            verdict: Verdict::Permit,
            clauses: Vec::new(),
            policy_sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
                .into(),
            asked: None,
            until: None,
        }
    }
}

fn key(n: u32) -> Key {
    let mut random = [0; RANDOM_BYTES];
    for (slot, byte) in random.iter_mut().skip(4).zip(n.to_be_bytes()) {
        *slot = byte;
    }
    Key::mint(&random)
}

fn house() -> Engine {
    let mut engine = Engine::new(Config {
        mode: Mode::Enforced,
        judge: Box::new(Permit),
        prices: Prices::flat(Price {
            input_per_1m: 1,
            output_per_1m: 1,
        }),
        lease: Span::seconds(1),
        memory: Span::seconds(1),
    });
    let organisation = OrganisationId::parse("o").unwrap();
    let project = ProjectId::parse("p").unwrap();
    let mut commands = vec![
        Command::OpenOrganisation(Organisation {
            id: organisation.clone(),
            name: String::new(),
            limits: Limits::UNLIMITED,
        }),
        Command::OpenProject(Project {
            id: project.clone(),
            organisation,
            purposes: vec!["rag".to_owned()],
            limits: Limits::UNLIMITED,
        }),
    ];
    for n in 0..ACCOUNTS {
        let account = AccountId::parse(&format!("account-{n}")).unwrap();
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
        for effect in engine.apply(command, NOW).unwrap() {
            engine.enact(&effect);
        }
    }
    engine
}

#[divan::bench]
fn admit_and_settle(bencher: divan::Bencher<'_, '_>) {
    let mut engine = house();
    let secrets: Vec<String> = (0..ACCOUNTS).map(|n| key(n).expose().to_owned()).collect();
    let model = ModelName::parse("gpt-4o-mini").unwrap();
    let mut n = 0u32;
    bencher
        .with_inputs(|| {
            n += 1;
            let secret = secrets.get((n % ACCOUNTS) as usize).unwrap().clone();
            Ask {
                exchange: ExchangeId::parse(&format!("exchange-{n}")).unwrap(),
                at: NOW.plus(Span(i64::from(n / 10))),
                secret,
                endpoint: Endpoint::ChatCompletions,
                model: model.clone(),
                subject: None,
                tokens_max: 1000,
                purpose: None,
                country: None,
                body_sha256: [0; 32],
            }
        })
        .bench_local_refs(|ask| {
            let (admitted, _) = engine.admit(ask).unwrap();
            engine.settle(&Completion {
                admitted,
                at: ask.at,
                ending: Ending::Completed,
                status: 200,
                usage: Usage::default(),
                delivered_bytes: 0,
                answer_sha256: [0; 32],
            })
        });
}

fn main() {
    divan::main();
}
