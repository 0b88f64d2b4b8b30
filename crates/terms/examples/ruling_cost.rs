//! What one ruling costs: prints microseconds per decision and per key.

use std::error::Error;
use std::io::Write as _;
use std::time::Instant;

use facts::{AccountId, Endpoint, ModelName, Timestamp};
use terms::{Catalogue, DocumentId, Question, Standing, Terms};

fn main() -> Result<(), Box<dyn Error>> {
    let catalogue = Catalogue::builtin()?;
    let documents: Vec<_> = [
        "openai/services",
        "anthropic/commercial",
        "anthropic/usage-policy",
    ]
    .into_iter()
    .filter_map(DocumentId::parse)
    .collect();
    let started = Instant::now();
    let terms = Terms::load(&catalogue, &documents)?;
    let loading = started.elapsed();
    let (account, model) = (AccountId::parse("acct_1")?, ModelName::parse("gpt-4")?);
    let question = Question {
        account: &account,
        model: &model,
        endpoint: Endpoint::ChatCompletions,
        purpose: Some("train-competing-model"),
        declared: &[],
        authorisations: &[],
        standing: Standing::Active,
        at: Timestamp(1_790_000_000_000),
    };
    let rounds = 20_000_u32;
    let started = Instant::now();
    for _ in 0..rounds {
        std::hint::black_box(terms.rule(std::hint::black_box(&question)));
    }
    let ruling = started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    let started = Instant::now();
    for _ in 0..rounds {
        std::hint::black_box(terms.key(std::hint::black_box(&question)));
    }
    let key = started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    writeln!(
        std::io::stdout(),
        "load {} us, ruling {ruling:.1} us, key {key:.2} us, {} documents",
        loading.as_micros(),
        terms.documents().len()
    )?;
    Ok(())
}
