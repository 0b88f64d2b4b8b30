//! What does it cost to register an output, on one core?
//!
//! `cargo bench -p provenance --bench register`: microseconds for an output of 250 words, beside prompts of
//! several lengths, and of its parts, by the thread's own clock where there is one; each is timed in
//! turn with the others and the best counts. Texts are made of the project's own pages.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

#[path = "shared/measure.rs"]
mod measure;

use std::hint::black_box;
use std::time::Instant;

use facts::{AccountId, ExchangeId, ModelName, Timestamp};
use provenance::{AuditKey, Month, OutputText, Role, Segment, SegmentBuilder, Workspace};

use measure::{PAGES, now};

const OUTPUTS: usize = 10_000;
const WORDS: usize = 250;
const ROUNDS: usize = 5;

/// Texts of so many words, each from another place of the pages, with a stride that no page has.
fn texts(words: usize, from: usize) -> Vec<String> {
    let all: Vec<&str> = PAGES.split_whitespace().collect();
    let text = |n: usize| {
        let at = (from + n * 7_919) % all.len();
        let words = all.iter().cycle().skip(at).take(words);
        words.copied().collect::<Vec<_>>().join(" ")
    };
    (0..OUTPUTS).map(text).collect()
}

fn builder(key: &AuditKey) -> Option<SegmentBuilder> {
    let account = AccountId::parse("bench").ok()?;
    Some(SegmentBuilder::new(key, account, Month::of(Timestamp(0))))
}

fn registered(key: &AuditKey, prompts: &[String], outputs: &[String]) -> Option<Segment> {
    let mut workspace = Workspace::default();
    let mut builder = builder(key)?;
    for (n, (prompt, text)) in prompts.iter().zip(outputs).enumerate() {
        let output = OutputText {
            id: ExchangeId::parse(&format!("exchange-{n}")).ok()?,
            account: AccountId::parse("bench").ok()?,
            prompt,
            text,
            at: Timestamp(0),
            model: ModelName::parse("model").ok()?,
            role: Role::Output,
        };
        black_box(builder.add_in(&output, &mut workspace)).ok();
    }
    Some(builder.build())
}

fn main() {
    let key = AuditKey::new(*b"timing of audits");
    let outputs = texts(WORDS, 0);
    let none = vec![String::new(); OUTPUTS];
    let (same, long) = (texts(WORDS, 5_000), texts(4 * WORDS, 5_000));
    let Some(segment) = registered(&key, &none, &outputs) else {
        return;
    };
    let bytes = segment.to_bytes();
    let passes: [(&str, &dyn Fn()); 5] = [
        ("without a prompt", &|| {
            black_box(registered(&key, &none, &outputs));
        }),
        ("a prompt of 250 words", &|| {
            black_box(registered(&key, &same, &outputs));
        }),
        ("a prompt of 1,000 words", &|| {
            black_box(registered(&key, &long, &outputs));
        }),
        ("a segment written", &|| {
            black_box(segment.to_bytes());
        }),
        ("a segment read", &|| {
            black_box(Segment::from_bytes(&bytes)).ok();
        }),
    ];
    let mut best = [f64::INFINITY; 5];
    let began = Instant::now();
    for _ in 0..ROUNDS {
        for ((_, pass), best) in passes.iter().zip(&mut best) {
            let from = now(began);
            pass();
            *best = best.min(now(began) - from);
        }
    }
    println!(
        "an output of {WORDS} words: {:.0} fingerprints, {:.0} bytes",
        segment.fingerprints() as f64 / segment.outputs().len() as f64,
        bytes.len() as f64 / segment.outputs().len() as f64,
    );
    for ((name, _), seconds) in passes.iter().zip(best) {
        println!("{name:>24}: {:6.2} us", seconds * 1e6 / OUTPUTS as f64);
    }
    let [_, short, long, ..] = best;
    let further = (long - short) * 1e6 / OUTPUTS as f64 / (3 * WORDS) as f64 * 1_000.0;
    println!("{:>24}: {further:6.2} us", "1,000 words of a prompt");
}
