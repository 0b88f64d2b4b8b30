//! `fairhold bench restart`: how long does a house with a long log take to open?
//!
//! Fills a store through the real journal, leaves some exchanges open, and
//! times the opening that `serve` does: schema, tail check, intents left open,
//! directory, spend. A log that the store holds already is kept and filled up.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use store::{DataFolder, Database, Entry, Journal, SystemClock};

use super::Scratch;
use super::record::Ids;
use crate::args::bench::RestartBench;
use crate::failure::{Exit, Failure};
use crate::house::{House, Plan};
use crate::keeper::leaf;
use crate::out::Out;

/// Accounts that take turns.
const ACCOUNTS: u64 = 1_000;
/// Exchanges that are appended together.
const TOGETHER: u64 = 500;
/// Exchanges that are open when the process ends.
const OPEN: u64 = 100;

#[derive(Debug, Serialize)]
struct Report {
    records: u64,
    filled_seconds: f64,
    restart_seconds: f64,
    interrupted: u64,
    store_mb: Option<f64>,
}

/// Runs the command.
pub(super) async fn run(what: &RestartBench, out: Out) -> Result<Exit, Failure> {
    let broken = |e: std::io::Error| Failure::error(format!("failed to run the benchmark: {e}"));
    let scratch = match &what.folder {
        Some(_) => None,
        None => Some(Scratch::new().map_err(broken)?),
    };
    let folder = what.folder.as_deref();
    let folder = folder.or(scratch.as_ref().map(|s| s.0.as_path()));
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let began = Instant::now();
    fill(folder, what, out).await?;
    let filled_seconds = began.elapsed().as_secs_f64();
    let plan = Plan {
        database_url: what.postgres.clone(),
        ..Plan::at_rest()
    };
    let began = Instant::now();
    let house = House::open(folder, plan).await?;
    let restart_seconds = began.elapsed().as_secs_f64();
    let interrupted = house.interrupted();
    let records = house.keeper.database().count().await;
    house.close().await;
    let size = std::fs::metadata(folder.join("fairhold.db")).ok();
    let report = Report {
        records: records.map_err(|e| Failure::chain(&e))?,
        filled_seconds,
        restart_seconds,
        interrupted,
        store_mb: size.map(|m| megabytes(m.len())),
    };
    out.data(&report)?;
    out.line(&format!(
        "{} records, filled in {:.1} s; opened in {:.2} s, {} exchanges interrupted (aim: 2,000,000 records in under 10 s)",
        report.records, report.filled_seconds, report.restart_seconds, report.interrupted
    ));
    if what.folder.is_some() {
        out.next(&format!(
            "fairhold fsck --without-bodies --data {}",
            folder.display()
        ));
    }
    Ok(Exit::Clean)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Appends exchanges until the log holds as many records as asked.
async fn fill(folder: &Path, what: &RestartBench, out: Out) -> Result<(), Failure> {
    let failed = |e: store::StoreError| Failure::chain(&e);
    let data = DataFolder::open(folder).map_err(failed)?;
    let url = what.postgres.clone().unwrap_or_else(|| data.database_url());
    let database = Database::open(&url).await.map_err(failed)?;
    let (journal, task) = Journal::start(database.clone(), leaf, SystemClock.now(), None)
        .await
        .map_err(failed)?;
    let mut there = database.count().await.map_err(failed)?;
    let bar = out.progress(what.records, "records");
    while there + OPEN < what.records {
        let left = (what.records - OPEN - there).div_ceil(2);
        there = exchanges(&journal, there, left.min(TOGETHER), true).await?;
        bar.set_position(there);
    }
    exchanges(&journal, there, OPEN, false).await?;
    bar.finish_and_clear();
    drop(journal);
    task.finished().await;
    drop(database);
    Ok(())
}

/// Appends `n` exchanges after the `there`-th record, ended or not; how many records there are then.
async fn exchanges(journal: &Journal, there: u64, n: u64, ended: bool) -> Result<u64, Failure> {
    let failed = |e: store::JournalError| Failure::error(format!("failed to {e}"));
    let ids: Vec<Ids> = (there..there + n)
        .map(|k| Ids::with_account(&format!("account-{}", k % ACCOUNTS), &format!("r{k}")))
        .collect::<Result<_, _>>()?;
    let intents: Vec<Entry> = ids.iter().map(|ids| ids.intent(&[])).collect();
    let numbers = journal.append_all(intents).await.map_err(failed)?;
    if !ended {
        return Ok(there + n);
    }
    let endings = ids.iter().zip(numbers);
    let endings: Vec<Entry> = endings.map(|(ids, seq)| ids.completion(seq, &[])).collect();
    journal.append_all(endings).await.map_err(failed)?;
    Ok(there + 2 * n)
}
