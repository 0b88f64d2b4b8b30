//! `fairhold bench ledger`: what sealing costs, and how soon a receipt is there.
//!
//! First a backlog is sealed with nothing else running: CPU time of the whole
//! process by record. Then exchanges are recorded at a steady rate while the
//! ledger is sealed beside them, and each is followed from the acknowledgement
//! of its record until that is under a published checkpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use evidence::checkpoint::LogKey;
use evidence::{Event, Record};
use facts::AccountId;
use serde::Serialize;
use store::{Database, Entry, Journal, SystemClock};
use tokio::sync::{mpsc, watch};

use super::Scratch;
use super::figures::quantile_ms;
use super::process::own_cpu_us;
use crate::args::bench::LedgerBench;
use crate::failure::{Exit, Failure};
use crate::house::LOG;
use crate::keeper::leaf;
use crate::ledger::{Ledger, Standing};
use crate::out::Out;
use crate::witness::Witnesses;

/// Records appended at once.
const BATCH: u64 = 1_000;
/// Exchanges are asked for a hundred times a second.
const TICK: Duration = Duration::from_millis(10);
/// Batches that wait for their receipts: a minute and a half of them.
const WAITING: usize = 10_000;
/// How often the published checkpoint is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// The figures.
#[derive(Debug, Serialize)]
struct Report {
    accounts: u32,
    backlog: u64,
    seal_cpu_us_per_record: f64,
    seal_records_per_second: f64,
    exchanges_per_second: f64,
    receipt_p50_ms: f64,
    receipt_p99_ms: f64,
    receipt_max_ms: f64,
}

/// Runs the command.
pub(super) async fn run(what: &LedgerBench, out: Out) -> Result<Exit, Failure> {
    let broken = |e: std::io::Error| Failure::error(format!("failed to run the benchmark: {e}"));
    let failed = |e: store::StoreError| Failure::chain(&e);
    let scratch = Scratch::new().map_err(broken)?;
    let url = match &what.postgres {
        Some(url) => url.clone(),
        None => format!("sqlite:{}", scratch.0.join("ledger.db").display()),
    };
    let database = Database::open(&url).await.map_err(failed)?;
    let started = Journal::start(database.clone(), leaf, SystemClock.now(), None).await;
    let (journal, task) = started.map_err(failed)?;
    let key = LogKey::from_seed(&[1; 32], LOG).map_err(|e| Failure::error(e.to_string()))?;
    let none = Witnesses::default();
    let ledger = Arc::new(Ledger::new(database, key, &scratch.0, none));
    let accounts: Vec<AccountId> = (0..what.accounts)
        .map(|n| AccountId::parse(&format!("account-{n}")))
        .collect::<Result<_, _>>()
        .map_err(|e| Failure::error(e.to_string()))?;
    out.say(&format!("1/2 sealing {} records at once", what.records));
    let (cpu, seconds) = backlog(&journal, &ledger, &accounts, what.records).await?;
    out.say(&format!("2/2 {} exchanges per second", what.rate));
    let (rate, waits) = steady(&journal, &ledger, &accounts, what).await?;
    drop((journal, ledger));
    task.finished().await;
    let records = per(what.records);
    let report = Report {
        accounts: what.accounts,
        backlog: what.records,
        seal_cpu_us_per_record: per(cpu) / records,
        seal_records_per_second: records / seconds,
        exchanges_per_second: rate,
        receipt_p50_ms: quantile_ms(&waits, 0.5),
        receipt_p99_ms: quantile_ms(&waits, 0.99),
        receipt_max_ms: quantile_ms(&waits, 1.0),
    };
    out.data(&report)?;
    out.line(&format!(
        "sealing: {:.1} us of CPU per record, {:.0} records/s; at {:.0} exchanges/s a receipt is there after {:.0} ms (p50), {:.0} ms (p99), {:.0} ms (longest)",
        report.seal_cpu_us_per_record,
        report.seal_records_per_second,
        report.exchanges_per_second,
        report.receipt_p50_ms,
        report.receipt_p99_ms,
        report.receipt_max_ms
    ));
    Ok(Exit::Clean)
}

#[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
fn per(n: u64) -> f64 {
    n as f64
}

/// Records of so many exchanges, from `first` on, of one account after the other.
fn entries(accounts: &[AccountId], first: u64, count: u64) -> Vec<Entry> {
    let entry = |n: u64| {
        let place = usize::try_from(n).unwrap_or(0) % accounts.len().max(1);
        Entry::of(Record {
            at: SystemClock.now(),
            account: accounts.get(place).cloned(),
            event: Event::Directory {
                change: "benchmark".to_owned(),
                subject: format!("{n:0>200}"), // a leaf of some 300 bytes, as an intent has
            },
        })
    };
    (first..first + count).map(entry).collect()
}

/// CPU time in microseconds and seconds for the sealing of so many records.
async fn backlog(
    journal: &Journal,
    ledger: &Arc<Ledger>,
    accounts: &[AccountId],
    records: u64,
) -> Result<(u64, f64), Failure> {
    for first in (0..records).step_by(usize::try_from(BATCH).unwrap_or(1)) {
        let batch = entries(accounts, first, BATCH.min(records - first));
        let written = journal.append_all(batch).await;
        written.map_err(|e| Failure::error(e.to_string()))?;
    }
    let unread = |e: std::io::Error| Failure::error(format!("failed to read the CPU time: {e}"));
    let (before, began) = (own_cpu_us().map_err(unread)?, Instant::now());
    ledger
        .seal()
        .await
        .map_err(|e| Failure::error(e.to_string()))?;
    let cpu = own_cpu_us().map_err(unread)?.saturating_sub(before);
    Ok((cpu, began.elapsed().as_secs_f64()))
}

/// Exchanges per second, and how long each of them waited, in microseconds.
async fn steady(
    journal: &Journal,
    ledger: &Arc<Ledger>,
    accounts: &[AccountId],
    what: &LedgerBench,
) -> Result<(f64, Vec<u32>), Failure> {
    let (stop, stopping) = watch::channel(false);
    let sealing = tokio::spawn(Arc::clone(ledger).run(stopping));
    let (sent, waiting) = mpsc::channel(WAITING);
    let following = tokio::spawn(follow(Arc::clone(ledger), waiting));
    let began = Instant::now();
    let mut ticks = tokio::time::interval(TICK);
    let (mut next, mut exchanges) = (what.records, 0);
    let batch = (u64::from(what.rate) / 100).max(1);
    while began.elapsed() < Duration::from_secs(what.seconds) {
        ticks.tick().await;
        let written = journal.append_all(entries(accounts, next, 2 * batch)).await;
        let written = written.map_err(|e| Failure::error(e.to_string()))?;
        if let Some(last) = written.last() {
            // The receiver lives until this sender is dropped.
            let _ = sent.send((*last, Instant::now())).await;
        }
        next += 2 * batch;
        exchanges += batch;
    }
    let rate = per(exchanges) / began.elapsed().as_secs_f64();
    drop(sent);
    let waits = following.await;
    let _ = stop.send(true);
    let ended = sealing.await;
    ended.map_err(|e| Failure::error(format!("the sealing died: {e}")))?;
    let waits = waits.map_err(|e| Failure::error(format!("the follower died: {e}")))?;
    Ok((rate, waits))
}

/// How long each record waited until it was under a published checkpoint.
async fn follow(ledger: Arc<Ledger>, mut waiting: mpsc::Receiver<(u64, Instant)>) -> Vec<u32> {
    let mut waits = Vec::new();
    while let Some((seq, at)) = waiting.recv().await {
        loop {
            match ledger.standing() {
                Standing::Signed(published) if published.sealed > seq => break,
                Standing::Refused(_) => return waits,
                Standing::Signed(_) | Standing::Starting | Standing::Unconfirmed(_) => {
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
        waits.push(u32::try_from(at.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    waits
}
