//! How fast is a corpus looked through beside a large registry, on one core?
//!
//! `cargo bench -p provenance --bench scan [-- FILE...]`: megabytes a second of each tier beside a plain
//! count of newlines over the same bytes, by the thread's own clock where there is one; each is timed in
//! turn with the others and the best counts. Without files the project's own pages are the text.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

#[path = "shared/measure.rs"]
mod measure;

use std::hint::black_box;
use std::time::Instant;

use provenance::{
    AuditKey, Calibration, Depth, Fusion, Guarantee, Judge, Registry, Scanner, count_words,
};

use measure::{PAGES, now};

/// Gives something of a document, at some cost.
type Pass<'a> = &'a dyn Fn(&str) -> usize;

const BYTES: usize = 192 << 20;
const DOCUMENT: usize = 64 << 10;
const ROUNDS: usize = 5;

fn documents() -> Vec<String> {
    let files = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let mut text: String = files
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    if text.is_empty() {
        text.push_str(PAGES);
    }
    let mut documents = Vec::new();
    let mut document = String::new();
    for line in text.lines().cycle() {
        document.push_str(line);
        document.push('\n');
        if document.len() >= DOCUMENT {
            documents.push(std::mem::take(&mut document));
            if documents.len() * DOCUMENT >= BYTES {
                break;
            }
        }
    }
    documents
}

fn main() {
    let keys = std::env::var("KEYS").map_or(100_000_000, |k| k.parse().unwrap_or(100_000_000));
    let key = AuditKey::new(*b"timing of audits");
    let registry = Registry::of_strangers(key.id(), keys, 1);
    let documents = documents();
    let bytes: usize = documents.iter().map(String::len).sum();
    let beyond: usize = documents
        .iter()
        .flat_map(|d| d.bytes())
        .filter(|b| !b.is_ascii())
        .count();
    let judge = || Judge {
        fusion: Fusion::STANDARD,
        calibration: Calibration::new(
            (0..1_000).map(|n| f64::from(n) * 0.04).collect(),
            Vec::new(),
            Vec::new(),
        ),
        texts: 4_096.0,
        per_doubling: 0.0,
        unrelated_max: 0.003,
        independent_max: 0.005,
    };
    let of = |depth| Scanner::new(&registry, &key, depth, judge());
    let near = of(Depth::Copies(Guarantee::Words23));
    let far = of(Depth::Copies(Guarantee::Words39));
    let closely = of(Depth::Paraphrases(Guarantee::Words39));
    let plain = |d: &str| d.bytes().filter(|b| *b == b'\n').count();
    let passes: [(&str, Pass<'_>); 5] = [
        ("plain byte count", &plain),
        ("word boundaries", &count_words),
        ("23 words", &|d| near.scan(d).words),
        ("39 words", &|d| far.scan(d).words),
        ("paraphrases", &|d| closely.scan(d).words),
    ];
    let mut best = [f64::INFINITY; 5];
    let began = Instant::now();
    for _ in 0..ROUNDS {
        for ((_, pass), best) in passes.iter().zip(&mut best) {
            let from = now(began);
            for document in &documents {
                black_box(pass(document));
            }
            *best = best.min(now(began) - from);
        }
    }
    println!(
        "{keys} keys, filter {} MB, {} MB of text, {:.2}% of its bytes beyond ASCII",
        registry.filter_bytes() / 1_000_000,
        bytes / 1_000_000,
        100.0 * beyond as f64 / bytes as f64,
    );
    for ((name, _), seconds) in passes.iter().zip(best) {
        println!("{name:>17}: {:6.0} MB/s", bytes as f64 / 1e6 / seconds);
    }
}
