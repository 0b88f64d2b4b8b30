//! `fairhold verify BUNDLE`: checks an evidence bundle offline.

use std::path::Path;

use evidence::verify::{Finding, Opened, Part, Report, Trust, Verdict};

use crate::args::Verify;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// What the command line says of whom to trust, read from its files.
struct Asked {
    policy: Option<Vec<u8>>,
    tsa: Option<Vec<u8>>,
    ask: Vec<Part>,
}

/// Runs the command. Exit 0 ok, 1 failed, 2 no bundle, 3 unproven.
pub(crate) fn run(what: &Verify, out: Out) -> Result<Exit, Failure> {
    let report = match opened(what)? {
        Ok(opened) => opened.report,
        Err(report) => *report,
    };
    let exit = ended(&report, what, out)?;
    if report.fault.is_none() && !report.key_was_given && !what.trust_bundle_key {
        out.next("fairhold verify BUNDLE --key KEY_FROM_A_SOURCE_YOU_TRUST");
    }
    Ok(exit)
}

/// Tells a report, and how the command ends by it.
pub(super) fn ended(report: &Report, what: &Verify, out: Out) -> Result<Exit, Failure> {
    out.data(report)?;
    let path = what.bundle.display();
    out.line(&format!("{}: {path}", report.verdict.word()));
    tell(report, out);
    Ok(exit(report.verdict))
}

/// The bundle named on a command line, under the trust stated there.
pub(super) fn opened(what: &Verify) -> Result<Result<Opened, Box<Report>>, Failure> {
    let bytes = read(&what.bundle)?;
    let asked = Asked {
        policy: what.policy.as_deref().map(read).transpose()?,
        tsa: what.tsa.as_deref().map(read).transpose()?,
        ask: parts(&what.ask)?,
    };
    let trust = Trust {
        key: what.key.as_deref(),
        policy: asked.policy.as_deref(),
        authorities: asked.tsa.as_deref(),
        bundle_key: what.trust_bundle_key,
        ask: Some(&asked.ask),
    };
    Ok(evidence::verify::open(&bytes, &trust))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|e| Failure::error(format!("failed to read `{}`: {e}", path.display())))
}

fn parts(words: &[String]) -> Result<Vec<Part>, Failure> {
    if words == ["none"] {
        return Ok(Vec::new());
    }
    let parts = words.iter().map(|word| {
        Part::from_word(word).ok_or_else(|| {
            let all: Vec<&str> = Part::ALL.iter().map(|part| part.word()).collect();
            Failure::error(format!(
                "`{word}` is no part of a bundle; parts are {}",
                all.join(", ")
            ))
        })
    });
    parts.collect()
}

/// What was found out, part by part.
pub(super) fn tell(report: &Report, out: Out) {
    if let Some(case) = &report.case {
        out.line(&format!("case {case}"));
    }
    for Finding {
        part,
        proven,
        asked,
        what,
    } in &report.parts
    {
        let word = match (proven, asked) {
            (true, _) => "proven",
            (false, true) => "unproven",
            (false, false) => "not asked",
        };
        out.line(&format!("  {:<10} {word:<10} {what}", part.word()));
    }
    if let Some(fault) = &report.fault {
        out.line(&format!("  {fault}"));
    }
}

/// The exit code of a verdict.
pub(super) fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Ok => Exit::Clean,
        Verdict::Failed => Exit::Finding,
        Verdict::Malformed => Exit::Error,
        Verdict::Unproven => Exit::Undecided,
    }
}
