//! `fairhold import FILES..`: exchanges recorded elsewhere, into the store.
//!
//! Safe to stop and to repeat: each batch is one transaction, and an exchange
//! that is there already is left as it is.

use std::path::Path;

use serde_json::json;
use store::{DataFolder, Database};

use crate::args::Import;
use crate::failure::{Exit, Failure};
use crate::logs::Reader;
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run(data: &Path, what: Import, out: Out) -> Result<Exit, Failure> {
    let account = what
        .account
        .as_deref()
        .map(facts::AccountId::parse)
        .transpose();
    let mut reader = Reader::new(account.map_err(|e| Failure::error(e.to_string()))?);
    let folder = DataFolder::open(data).map_err(|e| Failure::chain(&e))?;
    let database = Database::open(&folder.database_url())
        .await
        .map_err(|e| Failure::chain(&e))?;
    let (mut read, mut new) = (0_u64, 0_u64);
    let bar = out.progress(what.files.len() as u64, "files");
    for path in &what.files {
        let mut lines = Reader::open(path)?;
        loop {
            let batch = reader.next_batch(&mut lines)?;
            if batch.is_empty() {
                break;
            }
            read += batch.len() as u64;
            new += database
                .import(&batch)
                .await
                .map_err(|e| Failure::chain(&e))?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (rest, tally) = reader.finish();
    read += rest.len() as u64;
    new += database
        .import(&rest)
        .await
        .map_err(|e| Failure::chain(&e))?;
    tally.tell(out);
    out.data(&json!({
        "files": what.files.len(), "lines": tally.lines, "exchanges": read,
        "imported": new, "already_there": read - new,
        "bad": tally.bad, "bad_lines": tally.bad_lines,
    }))?;
    out.line(&format!(
        "{new} exchanges imported, {} were there already, {} bad lines",
        read - new,
        tally.bad
    ));
    out.next(&format!("fairhold detect --data {}", data.display()));
    Ok(if tally.bad == 0 {
        Exit::Clean
    } else {
        Exit::Finding
    })
}
