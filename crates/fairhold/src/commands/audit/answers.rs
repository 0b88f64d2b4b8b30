//! `fairhold audit CORPUS.. --answers LOG..`: which documents hold recorded answers?
//!
//! The same scan as `audit corpus`, told document by document and not as a share of the corpus.

use serde::Serialize;

use super::found::{self, Line};
use super::scan::{Where, scan};
use super::sought::Prepared;
use crate::args::provenance::{Audit, Closely, CorpusFiles, Other, Sought, Words};
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// The most matches that are shown to people; `--json` tells all.
const SHOWN: usize = 20;

#[derive(Debug, Serialize)]
struct Told {
    /// Answers of 40 words or more.
    answers: usize,
    documents: u64,
    flagged: u64,
    share_min: f64,
    /// Lines, members and files that could not be read.
    bad: u64,
    faults: Vec<String>,
    matches: Vec<Match>,
}

#[derive(Debug, Serialize)]
struct Match {
    document: String,
    exchange: String,
    /// The share of the answer's own fingerprints of the channel that the document holds.
    share: f64,
    channel: String,
    p_unrelated: f64,
}

/// Runs the command; exit 1 when a document holds an answer, 2 when a file could not be read.
pub(super) fn run(what: &Audit, out: Out) -> Result<Exit, Failure> {
    let told = told(what, out)?;
    out.data(&told)?;
    show(&told, out);
    Ok(if told.bad > 0 {
        Exit::Error
    } else if told.matches.is_empty() {
        Exit::Clean
    } else {
        Exit::Finding
    })
}

fn told(what: &Audit, out: Out) -> Result<Told, Failure> {
    let files = CorpusFiles {
        paths: what.corpus.clone(),
        text_field: None,
        id_field: None,
        paragraphs: false,
    };
    let sought = Sought {
        registry: None,
        answers: what.answers.clone(),
        account: what.account.clone(),
        twins: Vec::new(),
        depth: Closely::Paraphrases,
        guarantee: Words::Words23,
        other: Other::default(),
    };
    let prepared = Prepared::of(&sought, &files, None, out)?;
    let place = Where::of(None, None)?;
    let scanned = scan(&files, &prepared, &place, None, out)?;
    let mut told = Told {
        answers: prepared.registry.len(),
        documents: scanned.totals.documents,
        flagged: 0,
        share_min: what.share,
        bad: scanned.totals.bad,
        faults: scanned
            .totals
            .faults
            .iter()
            .map(ToString::to_string)
            .collect(),
        matches: Vec::new(),
    };
    found::each(&scanned.path, |line| {
        let Line::Document(found) = line else { return };
        let before = told.matches.len();
        let held = found
            .matches
            .iter()
            .filter(|one| one.derived && one.share >= what.share);
        told.matches.extend(held.map(|one| Match {
            document: format!("{}:{}", found.file, found.row),
            exchange: one.exchange.clone(),
            share: one.share,
            channel: one.channel.clone(),
            p_unrelated: one.p_unrelated,
        }));
        told.flagged += u64::from(told.matches.len() > before);
    })?;
    Ok(told)
}

fn show(told: &Told, out: Out) {
    out.line(&format!(
        "{} of {} documents hold at least {:.0} % of one of {} answers",
        told.flagged,
        told.documents,
        told.share_min * 100.0,
        told.answers
    ));
    for found in told.matches.iter().take(SHOWN) {
        out.line(&format!(
            "  {:<40} {:>4.0} % of {} ({})",
            found.document,
            found.share * 100.0,
            found.exchange,
            found.channel
        ));
    }
    if told.matches.len() > SHOWN {
        out.line(&format!("  and {} more", told.matches.len() - SHOWN));
    }
    for fault in told.faults.iter().take(SHOWN) {
        out.say(fault);
    }
    if !told.matches.is_empty() {
        out.line(super::told::WORDING);
    }
}

#[cfg(test)]
mod tests;
