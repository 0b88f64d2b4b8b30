//! How many of people's texts of the corpus's own kind does this audit flag in vain?
//!
//! The shipped rate was measured on other texts. Where the auditor has texts that hold no outputs,
//! theirs takes its place. If more than 0.5 % of them are flagged, every second one raises the
//! threshold until no more of those are, and the others, by which nothing was set, are the measure.

use std::io::Write as _;

use corpus::{Document, Job, Place};
use provenance::{Rate, Scanner, Tail};
use serde_json::json;

use super::scan::{Where, read};
use super::sought::Prepared;
use super::statement::corpus_digest;
use crate::args::provenance::{AuditCorpus, CorpusFiles};
use crate::failure::Failure;
use crate::out::Out;

/// The most of them that may be flagged, as a share.
const FLAGGED_MAX: f64 = 0.005;
/// By how much a threshold is above what it must be above.
const ABOVE_BITS: f64 = 0.001;

/// Says of each document how strong its strongest finding is, 0 without one.
struct Strength<'r>(Scanner<'r>);

impl Job for Strength<'_> {
    type Said = Vec<f64>;

    fn nothing(&self) -> Self::Said {
        Vec::new()
    }

    fn look(&self, document: &Document<'_>, said: &mut Self::Said) {
        let verdict = self.0.scan(&document.text);
        let findings = verdict.matches.iter().filter(|one| one.derived);
        said.push(findings.map(|one| one.bits).fold(0.0, f64::max));
    }

    fn write(&self, said: Self::Said, _: Place<'_>, to: &mut Vec<u8>) {
        for bits in said {
            // Memory takes whatever is written.
            writeln!(to, "{bits}").ok();
        }
    }
}

/// What was read of the auditor's texts.
struct Seen {
    bits: Vec<f64>,
    sha256: String,
}

/// Judges from here on by the auditor's own texts, if there are some.
pub(super) fn recalibrate(
    prepared: &mut Prepared,
    what: &AuditCorpus,
    out: Out,
) -> Result<(), Failure> {
    if what.human.is_empty() {
        return Ok(());
    }
    let Seen { bits, sha256 } = seen(prepared, what, out)?;
    let mut flagged = rate(bits.iter().copied());
    let raised = if flagged.value() > FLAGGED_MAX {
        let raised = raised(prepared, &bits);
        let tail = &prepared.judge.calibration.unrelated;
        let shifted = tail.largest().iter().map(|one| one + raised).collect();
        prepared.judge.calibration.unrelated = Tail::from_parts(tail.of(), shifted);
        let again = seen(prepared, what, out)?;
        if again.sha256 != sha256 {
            return Err(Failure::error(
                "the texts of `--human` changed while they were read: run the command again",
            ));
        }
        flagged = rate(again.bits.into_iter().skip(1).step_by(2));
        raised
    } else {
        0.0
    };
    prepared.measured.specificity = Rate {
        hits: flagged.of - flagged.hits,
        of: flagged.of,
    };
    prepared.rates = format!(
        "rates of the auditor's own {} human texts (`--human`): {} of the {} that set no threshold are flagged, which lies {raised:.1} bits above the shipped \
         one; documents missed as measured at the shipped threshold. Shipped: {}",
        bits.len(),
        flagged.hits,
        flagged.of,
        prepared.rates
    );
    prepared.human = Some(json!({
        "documents": bits.len(),
        "measured": flagged.of,
        "flagged": flagged.hits,
        "raised_bits": raised,
        "sha256": sha256,
    }));
    Ok(())
}

/// By how many bits the threshold must rise so that of every second text few enough are flagged.
fn raised(prepared: &Prepared, bits: &[f64]) -> f64 {
    let mut setting: Vec<f64> = bits.iter().copied().step_by(2).collect();
    setting.sort_by(|a, b| b.total_cmp(a));
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a count"
    )]
    let allowed = (setting.len() as f64 * FLAGGED_MAX) as usize;
    let first_too_many = setting.get(allowed).copied().unwrap_or(0.0);
    // A match is a finding when it is above the strongest that was none: the threshold itself lies
    // somewhere higher.
    let judge = &prepared.judge;
    let tail = &judge.calibration.unrelated;
    let none = tail.largest().iter().copied();
    let none = none.filter(|one| tail.p(*one) > judge.unrelated_max);
    let growth = judge.threshold(&prepared.registry) - tail.threshold(judge.unrelated_max);
    let below = none.fold(0.0, f64::max) + growth;
    (first_too_many - below + ABOVE_BITS).max(0.0)
}

fn rate(bits: impl Iterator<Item = f64>) -> Rate {
    let mut rate = Rate { hits: 0, of: 0 };
    for bits in bits {
        rate.of += 1;
        rate.hits += u64::from(bits > 0.0);
    }
    rate
}

fn seen(prepared: &Prepared, what: &AuditCorpus, out: Out) -> Result<Seen, Failure> {
    let files = CorpusFiles {
        paths: what.human.clone(),
        ..what.files.clone()
    };
    let judge = prepared.judge.clone();
    let job = Strength(Scanner::new(
        &prepared.registry,
        &prepared.key,
        prepared.depth,
        judge,
    ));
    let place = Where::of(None, None)?;
    let scanned = read(&files, &job, (&place, &prepared.asked()), what.threads, out)?;
    if let Some(fault) = scanned.totals.faults.first() {
        return Err(Failure::error(format!(
            "the texts of `--human` could not be read whole, and a rate of a part is none: {fault}"
        )));
    }
    let fault = |e: &dyn std::fmt::Display| {
        Failure::error(format!("failed to read `{}`: {e}", scanned.path.display()))
    };
    let told = std::fs::read_to_string(&scanned.path).map_err(|e| fault(&e))?;
    let bits = told
        .lines()
        .map(|line| line.parse::<f64>().map_err(|e| fault(&e)));
    let bits: Vec<f64> = bits.collect::<Result<_, _>>()?;
    // Below this a threshold that few enough pass says nothing.
    if bits.len() < 200 {
        return Err(Failure::error(format!(
            "`--human` names {} texts: give 200 or more, 0.5 % of fewer is less than one",
            bits.len()
        )));
    }
    let sha256 = corpus_digest(&scanned);
    Ok(Seen { bits, sha256 })
}
