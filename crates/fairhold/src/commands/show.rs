//! `fairhold show BUNDLE`: what is in a bundle, for people.

use evidence::verify::{Disclosed, Opened};
use facts::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::verify;
use crate::args::Verify;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// A moment of the case or of the account.
#[derive(Debug, Serialize)]
struct Moment {
    at: String,
    what: String,
}

/// Everything that is shown.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    report: &'a evidence::verify::Report,
    statement: &'a str,
    timeline: Vec<Moment>,
    entries: Vec<&'a serde_json::Map<String, Value>>,
    files: Vec<&'a str>,
}

/// Runs the command; exits as `fairhold verify` does.
pub(crate) fn run(what: &Verify, out: Out) -> Result<Exit, Failure> {
    let opened = match verify::opened(what)? {
        Ok(opened) => opened,
        Err(report) => return verify::ended(&report, what, out),
    };
    let shown = shown(&opened);
    out.data(&shown)?;
    out.line(&format!(
        "{}: {}",
        opened.report.verdict.word(),
        what.bundle.display()
    ));
    verify::tell(&opened.report, out);
    out.line("");
    out.line(shown.statement);
    out.line("");
    out.line("timeline");
    for moment in &shown.timeline {
        out.line(&format!("  {}  {}", moment.at, moment.what));
    }
    out.line(&format!(
        "{} files, each named by the statement",
        shown.files.len()
    ));
    out.next(&format!("fairhold replay {}", what.bundle.display()));
    Ok(verify::exit(opened.report.verdict))
}

fn shown(opened: &Opened) -> Shown<'_> {
    Shown {
        report: &opened.report,
        statement: &opened.predicate.statement,
        timeline: timeline(opened),
        entries: opened.entries.iter().map(|entry| &entry.leaf).collect(),
        files: opened.files.keys().map(String::as_str).collect(),
    }
}

/// The case's steps with what was said, and the records between them, by time.
fn timeline(opened: &Opened) -> Vec<Moment> {
    let mut moments: Vec<(i64, String)> = Vec::new();
    for step in &opened.predicate.steps {
        let step: Value = serde_json::from_str(step).unwrap_or_default();
        let text = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or("");
        let said = match text("comment") {
            "" => String::new(),
            comment => format!(": {comment}"),
        };
        let at = step.get("at").and_then(Value::as_i64).unwrap_or_default();
        moments.push((at, format!("case {} by {}{said}", deed(&step), text("by"))));
    }
    for entry in opened
        .entries
        .iter()
        .filter(|e| e.text("type") != "case_step")
    {
        let at = entry.leaf.get("at").and_then(Value::as_i64);
        moments.push((at.unwrap_or_default(), line(entry)));
    }
    moments.sort();
    let moments = moments.into_iter().map(|(at, what)| Moment {
        at: Timestamp(at).rfc3339(),
        what,
    });
    moments.collect()
}

/// The word of a step: of one that says more it is the name of what it says.
fn deed(step: &Value) -> String {
    match step.get("step") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Object(deed)) => deed.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn line(entry: &Disclosed) -> String {
    let what = match entry.text("type") {
        "intent" => format!("let upstream to {}", entry.text("model")),
        "refusal" => format!("refused, {}", entry.text("code")),
        "completion" => format!("ended, {}", entry.text("ending")),
        "directory" => format!("{} {}", entry.text("change"), entry.text("subject")),
        other => other.to_owned(),
    };
    let account = match entry.text("account") {
        "" => String::new(),
        account => format!("{account}: "),
    };
    format!("record {}: {account}{what}", entry.seq)
}
