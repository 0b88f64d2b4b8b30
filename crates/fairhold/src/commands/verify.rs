//! `fairhold verify BUNDLE`: checks an evidence bundle offline.

use crate::args::Verify;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command. Exit 0 ok, 1 failed, 2 no bundle.
pub(crate) fn run(what: &Verify, out: Out) -> Result<Exit, Failure> {
    let path = what.bundle.display();
    let bytes = std::fs::read(&what.bundle)
        .map_err(|e| Failure::error(format!("failed to read `{path}`: {e}")))?;
    let report = evidence::verify::verify(&bytes, what.key.as_deref());
    out.data(&report)?;
    out.line(&format!("{}: {path}", report.verdict.word()));
    if let Some(case) = &report.case {
        out.line(&format!(
            "case {case}, {} entries proven to be in the log",
            report.entries
        ));
    }
    if let Some(fault) = &report.fault {
        out.line(&format!("  {fault}"));
    }
    if report.fault.is_none() && !report.key_was_given {
        out.say(
            "the key was taken from the bundle itself: that shows it is whole, not whose it is",
        );
        out.next("fairhold verify BUNDLE --key KEY_FROM_A_SOURCE_YOU_TRUST");
    }
    Ok(match report.verdict.exit_code() {
        0 => Exit::Clean,
        1 => Exit::Finding,
        _ => Exit::Error,
    })
}
