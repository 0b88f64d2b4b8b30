//! `fairhold export CASE`: the evidence bundle, for a stranger to check.

use console::Office;
use serde_json::json;

use crate::args::Export;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Export, out: Out) -> Result<Exit, Failure> {
    let bundle = office.export(&what.case).await?;
    let path = what
        .out
        .unwrap_or_else(|| format!("case-{}.evidence.zip", what.case).into());
    std::fs::write(&path, &bundle)
        .map_err(|e| Failure::error(format!("failed to write `{}`: {e}", path.display())))?;
    let checkpoint = office.checkpoint().await?;
    out.data(&json!({
        "case": what.case,
        "bundle": path.display().to_string(),
        "bytes": bundle.len(),
        "key": checkpoint.vkey,
    }))?;
    out.line(&format!(
        "{} written, {} bytes",
        path.display(),
        bundle.len()
    ));
    out.next(&format!(
        "fairhold verify {} --key '{}'",
        path.display(),
        checkpoint.vkey
    ));
    Ok(Exit::Clean)
}
