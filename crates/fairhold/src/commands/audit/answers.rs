//! `fairhold audit CORPUS.. --answers LOG..`: which documents hold recorded answers?

use std::path::Path;

use provenance::{Answers, FingerprintKey};
use serde::Serialize;
use serde_json::Value;

use crate::args::provenance::Audit;
use crate::failure::{Exit, Failure};
use crate::logs::{Reader, read_all};
use crate::out::Out;

/// The most matches that are shown to people; `--json` tells all.
const SHOWN: usize = 20;

#[derive(Serialize)]
struct Told {
    answers: usize,
    /// Answers under 40 words, or that only repeat their prompt.
    skipped: usize,
    documents: u64,
    flagged: u64,
    share_min: f64,
    matches: Vec<Match>,
}

#[derive(Serialize)]
struct Match {
    document: String,
    exchange: String,
    /// The share of the answer's own eight-word runs that stand in the document.
    share: f64,
    /// The longest run of words in the answer's order.
    words_in_a_row: usize,
}

/// Runs the command; exit 1 when a document holds an answer.
pub(super) fn run(what: &Audit, out: Out) -> Result<Exit, Failure> {
    let key = store::random::<16>().map_err(|e| Failure::error(format!("draw a key: {e}")))?;
    let mut registry = Answers::new(FingerprintKey::new(key));
    let mut told = Told {
        answers: 0,
        skipped: 0,
        documents: 0,
        flagged: 0,
        share_min: what.share,
        matches: Vec::new(),
    };
    for exchange in read_all(&what.answers, what.account.as_deref(), out)? {
        let Some(answer) = &exchange.response else {
            continue;
        };
        let prompt: Vec<&str> = exchange.prompt.iter().map(|(_, t)| t.as_str()).collect();
        match registry.register(exchange.id.clone(), &prompt.join("\n"), answer) {
            Ok(()) => told.answers += 1,
            Err(_) => told.skipped += 1,
        }
    }
    if registry.is_empty() {
        return Err(Failure::error(
            "the logs hold no answer of 40 words or more: nothing could be recognised; give logs \
             that hold answers with `--answers`"
                .to_owned(),
        ));
    }
    let bar = out.progress(what.corpus.len() as u64, "files");
    for path in &what.corpus {
        scan(path, &registry, &mut told)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    show(&told, out)
}

/// A JSONL file holds a document a line, any other file is one.
fn scan(path: &Path, registry: &Answers, told: &mut Told) -> Result<(), Failure> {
    let name = path.display().to_string();
    let plain = name.strip_suffix(".zst").unwrap_or(&name);
    let one_a_line = Path::new(plain).extension().is_some_and(|e| e == "jsonl");
    let mut lines = Reader::open(path)?;
    let mut whole = String::new();
    while let Some(line) = lines.next_line()? {
        let line = line.map_err(|why| Failure::error(format!("failed to read {name}: {why}")))?;
        if one_a_line {
            if !line.trim().is_empty() {
                document(
                    &format!("{name}:{}", lines.number()),
                    &words(&line),
                    registry,
                    told,
                );
            }
        } else {
            whole.push_str(&line);
        }
    }
    if !one_a_line {
        document(&name, &whole, registry, told);
    }
    Ok(())
}

/// Every string of a JSON line, whatever the set calls its fields; a line that is no JSON, as it is.
fn words(line: &str) -> String {
    fn gather(value: &Value, text: &mut String) {
        match value {
            Value::String(s) => {
                text.push_str(s);
                text.push('\n');
            }
            Value::Array(items) => items.iter().for_each(|v| gather(v, text)),
            Value::Object(fields) => fields.values().for_each(|v| gather(v, text)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let Ok(value) = serde_json::from_str::<Value>(line) else {
        return line.to_owned();
    };
    let mut text = String::new();
    gather(&value, &mut text);
    text
}

fn document(name: &str, text: &str, registry: &Answers, told: &mut Told) {
    told.documents += 1;
    let held = registry.held(text, told.share_min);
    told.flagged += u64::from(!held.is_empty());
    told.matches.extend(held.into_iter().map(|held| Match {
        document: name.to_owned(),
        exchange: held.exchange.to_string(),
        share: held.share,
        words_in_a_row: held.run + provenance::GRAM - 1,
    }));
}

fn show(told: &Told, out: Out) -> Result<Exit, Failure> {
    out.data(told)?;
    out.line(&format!(
        "{} of {} documents hold at least {:.0} % of one of {} answers",
        told.flagged,
        told.documents,
        told.share_min * 100.0,
        told.answers
    ));
    for found in told.matches.iter().take(SHOWN) {
        out.line(&format!(
            "  {:<40} {:>4.0} % of {} ({} words in a row)",
            found.document,
            found.share * 100.0,
            found.exchange,
            found.words_in_a_row
        ));
    }
    if told.matches.len() > SHOWN {
        out.line(&format!("  and {} more", told.matches.len() - SHOWN));
    }
    if told.matches.is_empty() {
        return Ok(Exit::Clean);
    }
    out.line(
        "Each document holds text of the answer, of its family, or of a source that both have in \
         common: overlap alone does not say which.",
    );
    Ok(Exit::Finding)
}

#[cfg(test)]
mod tests;
