//! `fairhold show BUNDLE`: what is in a bundle, for people.

use std::collections::BTreeMap;

use evidence::verify::{Disclosed, Opened};
use facts::Timestamp;
use serde::Serialize;
use serde_json::Value;
use verifier::bundle::DISCLOSURE;

use super::verify;
use crate::args::Verify;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Records of one type that are told of an account one by one; `--json` gives all.
const TOLD_MAX: usize = 10;

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
    /// How much of each account is disclosed, as the operator says it.
    disclosure: Option<Value>,
    /// Exchanges of each account that are in no sum, their requests being gone.
    unread: BTreeMap<String, u64>,
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
    out.line("disclosed");
    for line in disclosed(&shown) {
        out.line(&format!("  {line}"));
    }
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
        disclosure: json(opened, DISCLOSURE),
        unread: unread(opened),
        timeline: timeline(opened),
        entries: opened.entries.iter().map(|entry| &entry.leaf).collect(),
        files: opened.files.keys().map(String::as_str).collect(),
    }
}

fn json(opened: &Opened, name: &str) -> Option<Value> {
    serde_json::from_slice(opened.files.get(name)?).ok()
}

/// What the sums of each account leave out.
fn unread(opened: &Opened) -> BTreeMap<String, u64> {
    let names = opened.files.keys();
    let sums = names.filter(|name| name.starts_with("detector/accounts/"));
    let each = sums.filter_map(|name| {
        let inputs = json(opened, name)?;
        let account = inputs.get("account")?.as_str()?.to_owned();
        Some((account, inputs.get("unread")?.as_u64()?))
    });
    each.collect()
}

/// A line for each account.
fn disclosed(shown: &Shown<'_>) -> Vec<String> {
    let all = shown.disclosure.as_ref().and_then(|d| d.get("accounts"));
    let all = all.and_then(Value::as_array).into_iter().flatten();
    let line = |of: &Value| {
        let number = |name: &str| of.get(name).and_then(Value::as_u64);
        let known = |name: &str| number(name).unwrap_or_default();
        let account = of.get("account").and_then(Value::as_str).unwrap_or("");
        let mut told = vec![format!(
            "{account}: the case counts {} exchanges; {} are disclosed",
            known("exchanges_counted"),
            known("exchanges_disclosed")
        )];
        // Bundles of earlier versions do not say.
        told.extend(number("exchanges_read").map(|read| {
            format!(
                ": {read} can be read, {} asked for embeddings, the requests of {} are gone",
                known("exchanges_embeddings"),
                known("exchanges_unread")
            )
        }));
        let cut = of.get("cut").and_then(Value::as_str);
        told.extend(cut.map(|cut| format!("; no more fit: {cut}")));
        told.extend(match shown.unread.get(account) {
            None => Some("; there are no sums of it".to_owned()),
            Some(0) => None,
            Some(gone) => Some(format!("; its sums leave out {gone}, which are gone")),
        });
        told.concat()
    };
    all.map(line).collect()
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
    let mut told: BTreeMap<(&str, &str), (usize, i64)> = BTreeMap::new();
    for entry in opened
        .entries
        .iter()
        .filter(|e| e.text("type") != "case_step")
    {
        let at = entry.leaf.get("at").and_then(Value::as_i64);
        let at = at.unwrap_or_default();
        let of = (entry.text("account"), entry.text("type"));
        let (count, last) = told.entry(of).or_default();
        (*count, *last) = (*count + 1, at);
        if *count <= TOLD_MAX {
            moments.push((at, line(entry)));
        }
    }
    for ((account, kind), (count, last)) in told {
        if let Some(more @ 1..) = count.checked_sub(TOLD_MAX) {
            moments.push((
                last,
                format!("{account}: {more} more records of type {kind}"),
            ));
        }
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
        "asked" => format!("the policies are asked about {}", entry.text("model")),
        "judged" => match entry.text("finding") {
            "" => "a detector judges".to_owned(),
            finding => format!("a detector judges: {finding}"),
        },
        "directory" => format!("{} {}", entry.text("change"), entry.text("subject")),
        other => other.to_owned(),
    };
    let account = match entry.text("account") {
        "" => String::new(),
        account => format!("{account}: "),
    };
    format!("record {}: {account}{what}", entry.seq)
}
