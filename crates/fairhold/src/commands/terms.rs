//! `fairhold terms`: what the terms say, as data.

mod explain;
mod export;
mod folder;
pub(crate) mod test;

use std::path::Path;

use facts::Timestamp;
use serde_json::json;
use store::SystemClock;
use terms::{Agreement, Catalogue, Version, check, diff};

use crate::args::terms::Terms;
use crate::failure::{Exit, Failure};
use crate::office::terms::document_view;
use crate::out::Out;

/// Runs a command that needs no store.
pub(crate) fn run(what: &Terms, out: Out) -> Result<Exit, Failure> {
    match what {
        Terms::List { at } => list(at.as_deref(), out),
        Terms::Show {
            document,
            at,
            policies,
        } => show(document, at.as_deref(), *policies, out),
        Terms::Check { dir } => checked(dir.as_deref(), out),
        Terms::Explain(what) => explain::run(what, out),
        Terms::Diff { old, new } => compared(old, new, out),
        Terms::Export(what) => export::run(what, out),
        Terms::Test(_) => Err(Failure::error("`terms test` reads the store".to_owned())),
    }
}

fn builtin() -> Result<Catalogue, Failure> {
    Catalogue::builtin().map_err(|e| Failure::error(format!("failed to read the catalogue: {e}")))
}

/// Midnight of a day; now without one.
fn moment(day: Option<&str>) -> Result<Timestamp, Failure> {
    match day {
        None => Ok(SystemClock.now()),
        Some(text) => terms::day(text).ok_or_else(|| {
            Failure::error(format!(
                "`{text}` is no day: write YYYY-MM-DD, for example 2023-12-15"
            ))
        }),
    }
}

/// The agreement in a file; the empty one without.
pub(super) fn agreement_of(path: Option<&Path>) -> Result<Agreement, Failure> {
    let Some(path) = path else {
        return Ok(Agreement::default());
    };
    let place = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::error(format!("failed to read `{place}`: {e}")))?;
    Agreement::from_toml(&text).map_err(|e| Failure::error(format!("{place}: failed to {e}")))
}

fn list(at: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let catalogue = builtin()?;
    let at = at.map(|day| moment(Some(day))).transpose()?;
    let versions: Vec<&Version> = catalogue
        .versions()
        .iter()
        .filter(|version| at.is_none_or(|at| version.covers(at)))
        .collect();
    let views: Vec<_> = versions
        .iter()
        .map(|version| document_view(version))
        .collect();
    out.data(&views)?;
    for view in &views {
        out.line(&format!(
            "{:<40} {:<32} {} to {}",
            view.version,
            view.class,
            view.from,
            view.until.as_deref().unwrap_or("now")
        ));
    }
    if let Some(last) = views.last() {
        out.next(&format!("fairhold terms show {}", last.document));
    }
    Ok(Exit::Clean)
}

/// The version that is named: itself, or that of a document on a day.
fn named<'a>(
    catalogue: &'a Catalogue,
    name: &str,
    at: Option<Timestamp>,
) -> Result<&'a Version, Failure> {
    if let Some(version) = catalogue.version(name) {
        return Ok(version);
    }
    let versions = catalogue.versions().iter();
    let mut of_document = versions.filter(|version| version.document().to_string() == name);
    let found = of_document.rfind(|version| at.is_none_or(|at| version.covers(at)));
    found.ok_or_else(|| {
        Failure::error(format!(
            "the catalogue has no `{name}` for that day; `fairhold terms list` shows all"
        ))
    })
}

fn show(name: &str, at: Option<&str>, policies: bool, out: Out) -> Result<Exit, Failure> {
    let catalogue = builtin()?;
    let at = at.map(|day| moment(Some(day))).transpose()?;
    let version = named(&catalogue, name, at)?;
    let view = document_view(version);
    out.data(&view)?;
    out.line(&format!(
        "{}\n{} ({})",
        view.title, view.version, view.class
    ));
    let until = view.until.as_deref().unwrap_or("now");
    out.line(&format!("in force  {} to {until}", view.from));
    out.line(&format!("source    {}", view.source));
    let digest = view.text_sha256.as_deref().unwrap_or("not recorded");
    out.line(&format!("sha-256   {digest}"));
    for (what, said) in [
        ("notice", &view.notice),
        ("cure", &view.cure),
        ("appeal", &view.appeal),
    ] {
        let said = said.as_deref().unwrap_or("the document says nothing");
        out.line(&format!("{what:<9} {said}"));
    }
    for clause in &view.clauses {
        out.line(&format!("\n{}\n  {}", clause.id, clause.paraphrase));
        if let Some(reading) = &clause.interpretation {
            out.line(&format!("  read as: {reading}"));
        }
        for (what, words) in [
            ("forbids", &clause.forbids),
            ("forbids after", &clause.conduct),
            ("allows", &clause.allows),
        ] {
            if !words.is_empty() {
                out.line(&format!("  {what}: {}", words.join(", ")));
            }
        }
        for exception in &clause.exceptions {
            out.line(&format!(
                "  except {}: {}",
                exception.id, exception.paraphrase
            ));
        }
    }
    if policies {
        out.line(&format!("\n{}", version.policies()));
    }
    Ok(Exit::Clean)
}

fn checked(dir: Option<&Path>, out: Out) -> Result<Exit, Failure> {
    let catalogue = match dir {
        Some(dir) => folder::catalogue(dir)?,
        None => builtin()?,
    };
    let bar = out.progress(catalogue.versions().len() as u64, "versions");
    let report = check::check(&catalogue, |_| bar.inc(1));
    bar.finish_and_clear();
    out.data(&json!({
        "documents": report.documents,
        "versions": report.versions,
        "providers": report.providers,
        "clauses": report.clauses,
        "cases": report.cases,
        "mutants": report.mutants,
        "mutation_score": report.mutation_score(),
        "survivors": report.survivors,
        "errors": report.errors,
    }))?;
    for line in &report.errors {
        out.say(&format!("error: {line}"));
    }
    for line in &report.survivors {
        out.say(&format!("no case notices {line}"));
    }
    out.line(&format!(
        "{} documents of {} providers in {} versions, {} clauses, {} cases",
        report.documents, report.providers, report.versions, report.clauses, report.cases
    ));
    out.line(&format!(
        "{} of {} mutants noticed: score {:.1} %",
        report.mutants - report.survivors.len(),
        report.mutants,
        report.mutation_score() * 100.0
    ));
    Ok(if report.holds() {
        Exit::Clean
    } else {
        Exit::Finding
    })
}

fn compared(old: &str, new: &str, out: Out) -> Result<Exit, Failure> {
    let catalogue = builtin()?;
    let read = |name: &str| -> Result<Version, Failure> {
        if Path::new(name).is_dir() {
            return folder::one(Path::new(name));
        }
        named(&catalogue, name, None).cloned()
    };
    let (old, new) = (read(old)?, read(new)?);
    let changes = diff::diff(&old, &new).map_err(|e| Failure::error(e.to_string()))?;
    out.data(&json!({"old": old.slug(), "new": new.slug(), "changes": changes}))?;
    for change in &changes {
        let clauses = [change.old_clauses.as_slice(), change.new_clauses.as_slice()].concat();
        out.line(&format!(
            "{:<70} {} -> {}  {}",
            change.situation(),
            change.old,
            change.new,
            clauses.join(", ")
        ));
    }
    out.line(&format!("{} situations change verdict", changes.len()));
    out.next("fairhold terms test DIR --since DAY");
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests;
