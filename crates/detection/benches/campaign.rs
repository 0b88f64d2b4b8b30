//! What does it cost to look for a thousand known campaigns? `cargo bench -p detection`.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot start stops")]

use detection::campaign::{
    Campaign, CampaignParts, KnownProgramme, MadeFrom, Matcher, Rule, Tally, campaign_hashes,
};
use facts::Timestamp;

/// Two programmes of 120 hashes each, the usual size.
fn campaign(n: u64) -> Campaign {
    let spread = |k: u64| (n * 1_000 + k).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let programme = |from: u64| {
        let mut hashes: Vec<u64> = (from..from + 120).map(spread).collect();
        hashes.sort_unstable();
        KnownProgramme {
            prompts: 50,
            hashes,
        }
    };
    Campaign::new(CampaignParts {
        name: format!("c{n}"),
        made_at: Timestamp(0),
        expires_at: Timestamp(1),
        made_from: MadeFrom {
            accounts: 1,
            exchanges: 100,
            prompts: 100,
        },
        rule: Rule::STANDARD,
        programmes: vec![programme(0), programme(500)],
        back_test: None,
    })
    .unwrap()
}

/// Words of letters, no two alike: numbers are all read as one.
fn prompt(words: u32) -> Vec<(String, String)> {
    let letter = |n: u32, k: u32| char::from_digit(10 + n / 26_u32.pow(k) % 26, 36);
    let word = |n: u32| (0..6).filter_map(|k| letter(n * 7_919, k)).collect();
    let text: Vec<String> = (0..words).map(word).collect();
    vec![("user".to_owned(), text.join(" "))]
}

/// Reading and hashing, which depends on the prompt only.
#[divan::bench(args = [10, 50, 130])]
fn hashes(bencher: divan::Bencher<'_, '_>, words: u32) {
    let prompt = prompt(words);
    bencher.bench(|| campaign_hashes(&prompt));
}

/// Matching a prompt of nobody's campaign, as nearly all are.
#[divan::bench(args = [1, 100, 1_000])]
fn strangers(bencher: divan::Bencher<'_, '_>, campaigns: u64) {
    let matcher = Matcher::new((0..campaigns).map(campaign));
    let hashes = campaign_hashes(&prompt(130));
    assert!(hashes.len() > 100, "{} look-ups", hashes.len());
    bencher
        .with_inputs(Tally::new)
        .bench_refs(|tally| matcher.observe(tally, &hashes));
}

/// Matching a prompt of one of a thousand.
#[divan::bench]
fn member(bencher: divan::Bencher<'_, '_>) {
    let matcher = Matcher::new((0..1_000).map(campaign));
    let hashes = campaign(77)
        .parts()
        .programmes
        .first()
        .unwrap()
        .hashes
        .clone();
    bencher
        .with_inputs(Tally::new)
        .bench_refs(|tally| matcher.observe(tally, &hashes));
}

fn main() {
    divan::main();
}
