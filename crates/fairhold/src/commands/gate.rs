//! `fairhold gate PATH.. --use VERB`: which rows of a corpus may be used for that, by the terms of
//! each output's own day?
//!
//! The audit says which rows are derived from registered outputs; the terms say what those may be
//! used for. A row that was desensitized or paraphrased keeps the terms of its source.

pub(crate) mod rule;
mod write;

use std::collections::BTreeMap;

use serde::Serialize;

use super::audit::found::{self, Found, Line};
use super::audit::scan::{Scanned, Where, scan};
use super::audit::show_skipped;
use super::audit::sought::Prepared;
use crate::args::provenance::{CorpusFiles, Gate, Sought, UseOf};
use crate::failure::{Exit, Failure};
use crate::out::Out;
use rule::{Judgement, Ruler, Said};

/// Rows that are shown to people; `--json` tells all.
const SHOWN: usize = 20;

/// A row that is derived from an output, and what the terms say of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// Its file.
    pub(crate) file: String,
    /// The file's number in the corpus.
    #[serde(skip)]
    pub(crate) number: usize,
    /// Its place in the file, from 1.
    #[serde(rename = "row")]
    pub(crate) place: u64,
    /// Its own id, where the corpus has such a field.
    pub(crate) id: Option<String>,
    /// The output that decided.
    pub(crate) exchange: String,
    /// Whose.
    pub(crate) account: String,
    /// Who wrote it.
    pub(crate) model: String,
    /// When.
    pub(crate) at: String,
    /// `blocked`, `undecided`, `allowed` or `allowed_with_conditions`.
    pub(crate) verdict: Said,
    /// The clauses that decided; of a condition, those that would block without it.
    pub(crate) clauses: Vec<String>,
    /// The versions of the terms in force on the output's day.
    pub(crate) terms: Vec<String>,
    /// What an allowance rests on.
    pub(crate) conditions: Vec<String>,
    /// What could not be decided, and why.
    pub(crate) errors: Vec<String>,
}

/// What the gate comes to; the keys are stable (README).
#[derive(Debug, Serialize)]
pub(crate) struct Gated {
    /// What is to be done, as the terms call it.
    pub(crate) purpose: String,
    /// Documents that were read.
    pub(crate) documents: u64,
    /// Rows derived from no registered output.
    pub(crate) no_output: u64,
    /// Rows that may be used.
    pub(crate) allowed: u64,
    /// Rows that may be used as long as the conditions hold.
    pub(crate) allowed_with_conditions: u64,
    /// Rows that may not.
    pub(crate) blocked: u64,
    /// Rows of which nobody knows: they may not either.
    pub(crate) undecided: u64,
    /// Rows and files that could not be read: not checked.
    pub(crate) bad: u64,
    /// The first of them.
    pub(crate) faults: Vec<String>,
    /// Files of named folders and members of archives that were not read.
    pub(crate) skipped: u64,
    /// The first of them.
    pub(crate) skipped_names: Vec<String>,
    /// Derived rows, in the order of the corpus.
    pub(crate) rows: Vec<Row>,
    /// Conditions that an allowance rests on, with the rows that need each.
    pub(crate) conditions: BTreeMap<String, u64>,
    /// Versions of terms that were asked, with the rows under each.
    pub(crate) terms: BTreeMap<String, u64>,
    /// Rows by model.
    pub(crate) models: BTreeMap<String, u64>,
}

/// Everything that the gate looked at.
#[derive(Debug)]
pub(crate) struct Passed {
    /// What was looked for.
    pub(crate) prepared: Prepared,
    /// What was read.
    pub(crate) scanned: Scanned,
    /// What came of it.
    pub(crate) gated: Gated,
    /// Its files, for as long as they are needed.
    _place: Where,
}

/// Runs the command.
pub(crate) fn run(what: &Gate, out: Out) -> Result<Exit, Failure> {
    if what.files.paragraphs && what.write.is_some() {
        return Err(Failure::error(
            "paragraphs cannot be left out of a text file: split the files, a document each, and \
             leave `--paragraphs` away"
                .to_owned(),
        ));
    }
    let passed = pass(&what.files, (&what.sought, &what.uses), what.threads, out)?;
    let gated = &passed.gated;
    out.data(gated)?;
    show(gated, out);
    if what.write.is_some() {
        write_cleaned(what, &passed, out)?;
    } else if gated.blocked + gated.undecided > 0 {
        out.next("the same command with `--write DIR` writes the corpus without the blocked rows");
    } else {
        out.next("fairhold certify with the same arguments and `--out FILE`");
    }
    Ok(exit(gated))
}

/// Writes the corpus without the rows that may not be used, where that was asked.
pub(crate) fn write_cleaned(what: &Gate, passed: &Passed, out: Out) -> Result<(), Failure> {
    match &what.write {
        Some(folder) => write::write(folder, passed, out),
        None => Ok(()),
    }
}

/// 2 when something was not read, 1 when rows are blocked, 3 when some could not be decided.
pub(crate) fn exit(gated: &Gated) -> Exit {
    if gated.bad > 0 {
        Exit::Error
    } else if gated.blocked > 0 {
        Exit::Finding
    } else if gated.undecided > 0 {
        Exit::Undecided
    } else {
        Exit::Clean
    }
}

/// Scans the corpus and asks the terms of every row that is derived from an output.
pub(crate) fn pass(
    files: &CorpusFiles,
    (sought, uses): (&Sought, &UseOf),
    threads: Option<usize>,
    out: Out,
) -> Result<Passed, Failure> {
    let ruler = Ruler::of(uses)?;
    let prepared = Prepared::of(sought, files, None, out)?;
    let place = Where::of(None, None)?;
    let scanned = scan(files, &prepared, &place, threads, out)?;
    let mut rows = Vec::new();
    found::each(&scanned.path, |line| match line {
        Line::Document(found) => rows.extend(row(&found, &prepared, &ruler)),
        Line::Batch(batch) => {
            let near = batch.near.iter();
            rows.extend(near.filter_map(|found| row(found, &prepared, &ruler)));
        }
    })?;
    rows.sort_by_key(|row| (row.number, row.place));
    let gated = gated(rows, &scanned, &ruler);
    Ok(Passed {
        prepared,
        scanned,
        gated,
        _place: place,
    })
}

/// The strictest of what the terms say of all outputs that a row may be derived from.
fn row(found: &Found, prepared: &Prepared, ruler: &Ruler) -> Option<Row> {
    let resembled = found.matches.iter();
    let resembled = resembled.filter(|one| one.derived || one.resembles);
    let judged = resembled.filter_map(|one| {
        let output = prepared.registry.outputs().get(one.output)?;
        let judged = ruler.judge(output);
        let judged = if one.derived {
            judged
        } else {
            explained(judged)?
        };
        Some((one, judged))
    });
    let (one, judgement): (_, Judgement) = judged.min_by_key(|(_, judged)| judged.said)?;
    Some(Row {
        file: found.file.clone(),
        number: found.number,
        place: found.row,
        id: found.id.clone(),
        exchange: one.exchange.clone(),
        account: one.account.clone(),
        model: one.model.clone(),
        at: one.at.clone(),
        verdict: judgement.said,
        clauses: judgement.clauses,
        terms: judgement.terms,
        conditions: judgement.conditions,
        errors: judgement.errors,
    })
}

/// What is said of a row that human text does not explain and a control twin does. Twins are given
/// by whoever asks: they can spare an account an accusation, but they do not open a gate.
fn explained(mut judged: Judgement) -> Option<Judgement> {
    match judged.said {
        Said::Allowed => None,
        Said::AllowedWithConditions => Some(judged),
        Said::Blocked | Said::Undecided => {
            judged.said = Said::Undecided;
            let why = "it resembles this output, and an independent answer to the same prompt as \
                       much: look at both";
            judged.errors.push(why.to_owned());
            Some(judged)
        }
    }
}

fn gated(rows: Vec<Row>, scanned: &Scanned, ruler: &Ruler) -> Gated {
    let count = |said: Said| rows.iter().filter(|row| row.verdict == said).count() as u64;
    let mut conditions: BTreeMap<String, u64> = BTreeMap::new();
    let mut terms: BTreeMap<String, u64> = BTreeMap::new();
    let mut models: BTreeMap<String, u64> = BTreeMap::new();
    for row in &rows {
        *models.entry(row.model.clone()).or_default() += 1;
        for condition in &row.conditions {
            *conditions.entry(condition.clone()).or_default() += 1;
        }
        for version in &row.terms {
            *terms.entry(version.clone()).or_default() += 1;
        }
    }
    let totals = &scanned.totals;
    Gated {
        purpose: ruler.purpose(),
        documents: totals.documents,
        no_output: totals.documents.saturating_sub(rows.len() as u64),
        allowed: count(Said::Allowed),
        allowed_with_conditions: count(Said::AllowedWithConditions),
        blocked: count(Said::Blocked),
        undecided: count(Said::Undecided),
        bad: totals.bad,
        faults: totals.faults.iter().map(ToString::to_string).collect(),
        skipped: totals.skipped,
        skipped_names: totals.skipped_names.clone(),
        rows,
        conditions,
        terms,
        models,
    }
}

pub(crate) fn show(gated: &Gated, out: Out) {
    out.line(&format!(
        "{}: {} of {} documents are derived from no registered output; of the others {} are \
         allowed, {} allowed with conditions, {} blocked, {} undecided",
        gated.purpose,
        gated.no_output,
        gated.documents,
        gated.allowed,
        gated.allowed_with_conditions,
        gated.blocked,
        gated.undecided
    ));
    let stopped = gated
        .rows
        .iter()
        .filter(|row| matches!(row.verdict, Said::Blocked | Said::Undecided));
    for row in stopped.clone().take(SHOWN) {
        let why = row.clauses.iter().chain(&row.errors);
        let why: Vec<&str> = why.map(String::as_str).collect();
        let place = format!("{}:{}", row.file, row.place);
        out.line(&format!(
            "  {place:<36} {:<9} {} of {}: {}",
            row.verdict.word(),
            row.model,
            row.at.get(..10).unwrap_or(&row.at),
            why.join(", ")
        ));
    }
    let more = stopped.count().saturating_sub(SHOWN);
    if more > 0 {
        out.line(&format!("  and {more} more"));
    }
    for (condition, rows) in &gated.conditions {
        out.line(&format!("  condition of {rows} rows: {condition}"));
    }
    for fault in gated.faults.iter().take(SHOWN) {
        out.say(fault);
    }
    if gated.bad > 0 {
        out.say(&format!(
            "{} rows or files could not be read: they were not checked",
            gated.bad
        ));
    }
    show_skipped(gated.skipped, &gated.skipped_names, out);
}
