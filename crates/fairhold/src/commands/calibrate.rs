//! `fairhold calibrate`: ranks accounts among the deployment's own.

use std::collections::BTreeMap;
use std::path::Path;

use console::{CalibrationView, Office};
use detection::{Detector, Reader as PromptReader};
use facts::AccountId;
use serde_json::json;

use crate::args::Calibrate;
use crate::calibrate::{Honest, LeftOut, REACH_MAX, Trajectory, calibrate};
use crate::failure::{Exit, Failure};
use crate::logs::Reader;
use crate::out::Out;
use crate::watch::model;

/// Calibrates on what the store holds.
pub(crate) async fn store<O: Office>(
    office: &O,
    data: &Path,
    what: &Calibrate,
    out: Out,
) -> Result<Exit, Failure> {
    out.say("reading every account that no case and no finding names");
    let made = office.calibrate().await?;
    finish(&made, data, what, out)
}

/// Calibrates on logs: each account is a customer of its own.
pub(crate) fn files(data: &Path, what: &Calibrate, out: Out) -> Result<Exit, Failure> {
    let shipped = Detector::shipped().map_err(|e| Failure::error(e.to_string()))?;
    let mut reader = Reader::new(None);
    let mut prompts = PromptReader::default();
    let mut accounts: BTreeMap<AccountId, Trajectory> = BTreeMap::new();
    let bar = out.progress(what.logs.len() as u64, "files");
    for path in &what.logs {
        let mut lines = Reader::open(path)?;
        loop {
            let batch = reader.next_batch(&mut lines)?;
            if batch.is_empty() {
                break;
            }
            for exchange in batch {
                let account = accounts.entry(exchange.account.clone()).or_default();
                account.observe(&exchange, &shipped.head, &mut prompts);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (rest, tally) = reader.finish();
    for exchange in rest {
        let account = accounts.entry(exchange.account.clone()).or_default();
        account.observe(&exchange, &shipped.head, &mut prompts);
    }
    tally.tell(out);
    let honest = accounts.into_iter().map(|(account, trajectory)| Honest {
        customer: account.to_string(),
        declared: None,
        account,
        trajectory,
    });
    let made = calibrate(shipped, honest.collect(), LeftOut::default())?;
    finish(&made, data, what, out)
}

/// Writes the detector unless it could tell nothing.
fn finish(
    made: &CalibrationView,
    data: &Path,
    what: &Calibrate,
    out: Out,
) -> Result<Exit, Failure> {
    let useful = made.reach <= REACH_MAX;
    let path = what.out.clone().unwrap_or_else(|| model::path(data));
    if useful {
        write(&path, &made.detector)?;
    }
    out.data(&json!({
        "programmes": made.programmes, "sources": made.sources, "exchanges": made.exchanges,
        "too_small": made.too_small, "accused": made.accused, "found": made.found,
        "looks": made.looks, "reach": made.reach, "written": useful.then(|| path.display().to_string()),
    }))?;
    table(made, out);
    if !useful {
        out.say(&format!(
            "nothing was written: {} accounts of {} customers tell no chance below {:.3} over all looks; let more \
             accounts of more customers reach 20 exchanges, or give their logs with `--logs`; until then the shipped \
             calibration holds",
            made.programmes, made.sources, made.reach
        ));
        return Ok(Exit::Finding);
    }
    out.line(&format!("written to {}", path.display()));
    out.say(&format!(
        "set `alpha` in `[detection]` to {:.4} or more; a running server takes the file up by itself",
        made.reach
    ));
    out.next("fairhold findings");
    Ok(Exit::Clean)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).ok();
    }
    store::write_atomically(path, text.as_bytes(), 0o600)
        .map_err(|e| Failure::error(format!("failed to write `{}`: {e}", path.display())))
}

fn table(made: &CalibrationView, out: Out) {
    out.line(&format!(
        "{} accounts of {} customers, {} exchanges; left out: {} too small, {} accused, {} found or noted",
        made.programmes, made.sources, made.exchanges, made.too_small, made.accused, made.found
    ));
    out.line(&format!(
        "{:>6} {:>10} {:>10} {:>10} {:>12}",
        "look", "accounts", "customers", "floor", "least p told"
    ));
    for look in &made.looks {
        out.line(&format!(
            "{:>6} {:>10} {:>10} {:>10.4} {:>12.4}",
            look.look, look.programmes, look.sources, look.floor, look.reach
        ));
    }
    out.line(&format!(
        "over all looks no chance below {:.4} can be told; leaving out who was found makes small chances look smaller, \
         by that share at most",
        made.reach
    ));
}
