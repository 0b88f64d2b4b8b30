//! `fairhold bench audit`: what a corpus audit finds, whom it accuses in vain, and how fast it is.

mod speed;

use std::collections::BTreeMap;

use provenance::{Calibrated, Measured, Rate};
use serde_json::{Map, Value, json};
use simulation::desensitize::measure::{Figures, measure};
use simulation::desensitize::{own, rows};

use crate::args::bench::AuditBench;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Synthetic corpora over which the interval's coverage is counted.
const CORPORA: usize = 1_000;

/// What the figures leave out.
const EXCLUDED: &str = "recall leaves out documents under 40 words (recall_any_length has them) and \
    outputs with control twins (recall_with_twins has them); human_flagged leaves out people's answers to \
    the prompts of registered outputs (human_same_prompt_flagged has them where there are twins, \
    human_same_prompt_flagged_without_twins where there are none); intervals are of the first \
    arrangement";

/// Runs it.
pub(super) fn run(what: &AuditBench, out: Out) -> Result<Exit, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::error(format!("failed to {e}"));
    let texts = if let Some(dir) = &what.corpora {
        rows::read(dir).map_err(|e| failed(&e))?
    } else {
        out.say("a small set of our own text (it shows that everything works; its figures say nothing about real texts); --corpora DIR for real ones");
        own::rows(what.seed)
    };
    let shipped = Calibrated::shipped().map_err(|e| failed(&e))?;
    let mut arrangements = Vec::new();
    for seed in what.seed..what.seed + what.seeds.max(1) {
        let bar = out.progress(0, "documents");
        let figures = measure(&texts, &shipped.judge, seed, |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        arrangements.push(figures.map_err(|e| failed(&e))?);
    }
    let mut report = told(&arrangements, what.seed, &shipped.measured);
    let bar = out.busy("timing");
    let speed = speed::measure(&texts, what.keys, &shipped.judge)?;
    bar.finish_and_clear();
    report.extend(speed);
    report.insert("judge".to_owned(), json!(shipped.rates()));
    let report = Value::Object(report);
    out.data(&report)?;
    show(&report, out);
    if what.corpora.is_none() {
        out.next("fairhold bench audit --corpora DIR");
    }
    Ok(Exit::Clean)
}

fn rate(rate: Rate) -> Value {
    let (lo, hi) = rate.interval();
    json!({"value": rate.value(), "lo": lo, "hi": hi, "hits": rate.hits, "of": rate.of})
}

fn all(arrangements: &[Figures], pick: impl Fn(&Figures) -> Rate) -> Value {
    // The same texts come again in every arrangement: one arrangement's counts make the interval, and the
    // others are told beside it.
    let sum = arrangements.first().map_or(Rate { hits: 0, of: 0 }, &pick);
    let each: Vec<f64> = arrangements.iter().map(|one| pick(one).value()).collect();
    let mut told = rate(sum);
    if let Some(fields) = told.as_object_mut() {
        fields.insert("by_arrangement".to_owned(), json!(each));
    }
    told
}

fn table(arrangements: &[Figures], pick: impl Fn(&Figures) -> &BTreeMap<String, Rate>) -> Value {
    let mut names: Vec<&String> = Vec::new();
    for one in arrangements {
        names.extend(pick(one).keys());
    }
    names.sort();
    names.dedup();
    let none = Rate { hits: 0, of: 0 };
    let row = |name: &String| {
        let of = all(arrangements, |f| pick(f).get(name).copied().unwrap_or(none));
        (name.clone(), of)
    };
    Value::Object(names.into_iter().map(row).collect())
}

/// The figures of all arrangements together; those of the interval are of the first.
fn told(arrangements: &[Figures], seed: u64, rates: &Measured) -> Map<String, Value> {
    let mut report = Map::new();
    let mut tell = |name: &str, value: Value| report.insert(name.to_owned(), value);
    tell("recall", table(arrangements, |f| &f.recall));
    tell(
        "recall_any_length",
        table(arrangements, |f| &f.recall_any_length),
    );
    tell(
        "recall_with_twins",
        table(arrangements, |f| &f.recall_with_twins),
    );
    tell("human_flagged", all(arrangements, |f| f.human));
    tell(
        "human_same_prompt_flagged_without_twins",
        all(arrangements, |f| f.human_same_prompt),
    );
    tell(
        "human_same_prompt_flagged",
        all(arrangements, |f| f.human_same_prompt_with_twins),
    );
    tell("same_prompt_flagged", all(arrangements, |f| f.same_prompt));
    tell(
        "same_prompt_flagged_any_output",
        all(arrangements, |f| f.same_prompt_any_output),
    );
    tell(
        "same_prompt_flagged_without_twins",
        all(arrangements, |f| f.same_prompt_without_twins),
    );
    tell(
        "same_prompt_flagged_no_twins_known",
        all(arrangements, |f| f.same_prompt_alone),
    );
    tell(
        "same_prompt_any_shared_8_gram",
        all(arrangements, |f| f.any_shared_gram),
    );
    if let Some(first) = arrangements.first() {
        let [documents, bytes, tokens] = first.coverage(CORPORA, seed, Some(rates));
        let [drawn, ..] = first.coverage(CORPORA, seed, None);
        tell("interval_coverage", rate(documents));
        tell("interval_coverage_bytes", rate(bytes));
        tell("interval_coverage_tokens", rate(tokens));
        tell("interval_coverage_rates_drawn", rate(drawn));
        tell("outputs", json!(first.outputs));
    }
    let thresholds = arrangements.iter().map(|f| json!(f.threshold));
    tell("threshold_bits", thresholds.collect());
    tell("excluded", json!(EXCLUDED));
    report
}

/// Rates that people are shown, and what they are called.
const RATES: &[(&str, &str)] = &[
    ("human_flagged", "people's texts flagged"),
    (
        "same_prompt_flagged",
        "other models' answers to the same prompt flagged",
    ),
    (
        "same_prompt_flagged_without_twins",
        "  if their control twins were not asked",
    ),
    ("same_prompt_any_shared_8_gram", "  by any shared 8-gram"),
    (
        "same_prompt_flagged_no_twins_known",
        "  of outputs that have no control twins",
    ),
    (
        "human_same_prompt_flagged",
        "people's answers to the same prompt flagged",
    ),
    (
        "human_same_prompt_flagged_without_twins",
        "  of outputs that have no control twins",
    ),
    ("interval_coverage", "interval holds the true share"),
];
/// Speeds and sizes that people are shown.
const SIZES: &[&str] = &[
    "scan_mb_s",
    "scan_ascii_mb_s",
    "beyond_ascii",
    "memchr_mb_s",
    "jsonl_zst_mb_s",
    "jsonl_zst_words_23_mb_s",
    "paraphrase_mb_s",
    "filter_mb",
    "peak_mb",
    "two_cores_over_one",
];

fn show(report: &Value, out: Out) {
    if let Some(judge) = report.get("judge").and_then(Value::as_str) {
        out.line(&format!("the shipped judge; {judge}"));
    }
    out.line(EXCLUDED);
    let percent = |v: &Value| {
        let of = |name: &str| v.get(name).and_then(Value::as_f64).unwrap_or(0.0) * 100.0;
        format!(
            "{:>7.2} %  ({:.2} to {:.2})",
            of("value"),
            of("lo"),
            of("hi")
        )
    };
    let rows = |name: &str, title: &str| {
        out.line(title);
        for (row, value) in report
            .get(name)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            out.line(&format!("  {row:<28} {}", percent(value)));
        }
    };
    rows("recall", "found, documents of 40 words and more:");
    rows(
        "recall_with_twins",
        "found and told from independent answers, where there are control twins:",
    );
    for (name, title) in RATES {
        let value = report.get(*name).map(percent).unwrap_or_default();
        out.line(&format!("{title:<50} {value}"));
    }
    for name in SIZES {
        if let Some(value) = report.get(*name) {
            out.line(&format!("{name:<30} {value}"));
        }
    }
}
