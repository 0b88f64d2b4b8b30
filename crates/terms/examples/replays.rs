//! Random questions with their decisions, as JSON lines, for another Cedar engine to decide:
//! `cargo run -p terms --example replays -- 6000 | node tests/wasm/compare.mjs`.
//!
//! A line `{"policies": {...}, "schema": ..., "sha256": ...}` comes before the
//! first question that is decided by those policies.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write as _;

use facts::{AccountId, Endpoint, ModelName, Timestamp};
use serde_json::json;
use terms::{
    Act, Authorisation, Catalogue, Conduct, Countries, Country, Declaration, DocumentId, Exceeded,
    Library, Purpose, Question, Replay, Standing,
};

/// `SplitMix64` (Steele, Lea, Flood 2014): seeded, so that a disagreement can be found again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let n = u64::try_from(n.max(1)).unwrap_or(1);
        usize::try_from((z ^ (z >> 31)) % n).unwrap_or_default()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.below(all.len())).cloned()
    }

    fn some<T: Clone>(&mut self, all: &[T], at_most: usize) -> Vec<T> {
        (0..self.below(at_most + 1))
            .filter_map(|_| self.pick(all))
            .collect()
    }
}

/// What does not change from question to question.
struct World {
    library: Library,
    documents: Vec<DocumentId>,
    moments: Vec<Timestamp>,
    account: AccountId,
    models: Vec<ModelName>,
}

impl World {
    fn new() -> Result<Self, Box<dyn Error>> {
        let catalogue = Catalogue::builtin()?;
        let documents = catalogue.documents();
        let mut moments: Vec<Timestamp> = vec![Timestamp(1_793_491_200_000)];
        for version in catalogue.versions() {
            moments.push(version.from().0);
            moments.extend(version.until().map(|(until, _)| Timestamp(until.0 - 1)));
        }
        let list: BTreeSet<Country> = ["US", "DE"]
            .into_iter()
            .filter_map(Country::parse)
            .collect();
        let countries: Countries = documents
            .iter()
            .map(|document| (document.clone(), list.clone()))
            .collect();
        Ok(Self {
            library: Library::new(catalogue, countries),
            documents,
            moments,
            account: AccountId::parse("acme")?,
            models: vec![
                ModelName::parse("gpt-4o")?,
                ModelName::parse("llama-3-70b")?,
            ],
        })
    }

    fn authorisations(&self, dice: &mut Dice) -> Vec<Authorisation> {
        let clauses: Vec<_> = self
            .library
            .catalogue()
            .versions()
            .iter()
            .flat_map(|version| version.clauses().iter().map(|clause| clause.id.clone()))
            .collect();
        dice.some(&clauses, 3)
            .into_iter()
            .map(|clause| Authorisation {
                clause,
                purpose: None,
                models: Vec::new(),
                from: Timestamp(0),
                until: None,
            })
            .collect()
    }
}

/// Where the lines go; each policy set is told once.
struct Told {
    out: std::io::BufWriter<std::io::StdoutLock<'static>>,
    sets: BTreeSet<String>,
}

impl Told {
    fn new() -> Self {
        Self {
            out: std::io::BufWriter::new(std::io::stdout().lock()),
            sets: BTreeSet::new(),
        }
    }

    fn write(&mut self, replay: &Replay) -> std::io::Result<()> {
        if self.sets.insert(replay.policy_sha256.clone()) {
            let line = json!({
                "sha256": replay.policy_sha256,
                "policies": replay.policies,
                "schema": replay.schema,
            });
            writeln!(self.out, "{line}")?;
        }
        let line = json!({
            "policy_sha256": replay.policy_sha256,
            "principal": replay.principal,
            "action": replay.action,
            "resource": replay.resource,
            "context": replay.context,
            "entities": replay.entities,
            "decision": replay.decision,
            "reason": replay.reason,
        });
        writeln!(self.out, "{line}")
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 6_000,
    };
    let world = World::new()?;
    let mut dice = Dice(20_261_124);
    let mut told = Told::new();
    let mut written = 0;
    while written < wanted {
        let set = dice.some(&world.documents, 3);
        let Ok(terms) = world.library.bound(&set) else {
            continue;
        };
        let (Some(at), Some(model)) = (dice.pick(&world.moments), dice.pick(&world.models)) else {
            continue;
        };
        let purpose = (!dice.one_in(8))
            .then(|| dice.pick(&Purpose::ALL))
            .flatten();
        let declared = dice.some(Declaration::ALL, 2);
        let conduct = if dice.one_in(4) {
            dice.some(Conduct::ALL, 2)
        } else {
            Vec::new()
        };
        let authorisations = world.authorisations(&mut dice);
        let act = if dice.one_in(3) {
            Act::Use {
                set: "outputs-1",
                model: Some(&model),
                transformed: dice.one_in(2),
            }
        } else {
            Act::Infer {
                model: &model,
                endpoint: Endpoint::ChatCompletions,
            }
        };
        let standings = [
            Standing::Active,
            Standing::Active,
            Standing::Active,
            Standing::Restricted,
            Standing::Suspended,
        ];
        let countries = ["US", "KP"].map(Country::parse);
        let question = Question {
            purpose: purpose.map(Purpose::word),
            declared: &declared,
            conduct: &conduct,
            authorisations: &authorisations,
            country: dice.pick(&countries).flatten().filter(|_| dice.one_in(3)),
            exceeded: Exceeded {
                expected_usage: dice.one_in(20),
                request_size: dice.one_in(20),
            },
            standing: dice.pick(&standings).unwrap_or(Standing::Active),
            ..Question::new(&world.account, act, at)
        };
        if let Some(replay) = terms.replay(&question) {
            told.write(&replay)?;
            written += 1;
        }
    }
    told.out.flush()?;
    Ok(())
}
