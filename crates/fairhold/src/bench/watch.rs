//! `fairhold bench watch`: a million accounts, and how much memory they take.
//!
//! The profiles and their store are the real ones; what is left out is the
//! log, whose reading costs the same whoever asks.

use std::path::Path;
use std::time::Instant;

use detection::campaign::Matcher;
use detection::{Detector, Reader};
use facts::{AccountId, Exchange, ExchangeId, Timestamp};
use serde::Serialize;
use store::Database;

use super::Scratch;
use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::watch::Watching;
use crate::watch::book::{Book, Seen};

/// Exchanges that are kept together, as many as a page of the log holds.
const BATCH: u64 = 250;
/// Exchanges of a busy account: looks at 20, 50, 100 and 200.
const BUSY: u32 = 200;

/// Who asks how much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fleet {
    /// Accounts.
    pub(super) accounts: u32,
    /// Exchanges of each.
    pub(super) exchanges: u32,
    /// Busy ones among them.
    pub(super) busy: u32,
}

#[derive(Debug, Serialize)]
struct Report {
    accounts: u64,
    exchanges: u64,
    looks: u64,
    in_memory: usize,
    seconds: f64,
    exchanges_per_second: f64,
    profile_bytes_mean: f64,
    peak_rss_mb: f64,
    store_mb: f64,
}

/// Runs the command.
pub(super) async fn run(
    fleet: Fleet,
    in_memory: usize,
    folder: Option<&Path>,
    out: Out,
) -> Result<Exit, Failure> {
    let broken = |e: std::io::Error| Failure::error(format!("failed to run the benchmark: {e}"));
    let scratch = match folder {
        Some(_) => None,
        None => Some(Scratch::new().map_err(broken)?),
    };
    let folder = folder.or(scratch.as_ref().map(|s| s.0.as_path()));
    let path = folder
        .unwrap_or_else(|| Path::new("."))
        .join("bench-watch.db");
    let database = Database::open(&format!("sqlite:{}", path.display()))
        .await
        .map_err(|e| Failure::chain(&e))?;
    let detector = Detector::shipped().map_err(|e| Failure::error(e.to_string()))?;
    let watching = Watching {
        accounts_in_memory: in_memory,
        ..Watching::USUAL
    };
    let started = Instant::now();
    let fed = feed(fleet, &database, Book::new(detector, watching), out).await?;
    let seconds = started.elapsed().as_secs_f64();
    let accounts = database.profile_count().await;
    let report = Report {
        accounts: accounts.map_err(|e| Failure::chain(&e))?,
        exchanges: fed.exchanges,
        looks: fed.looks,
        in_memory,
        seconds,
        exchanges_per_second: real(fed.exchanges) / seconds,
        profile_bytes_mean: real(fed.bytes) / real(fed.written.max(1)),
        peak_rss_mb: peak_rss_mb().map_err(broken)?,
        store_mb: real(std::fs::metadata(&path).map_err(broken)?.len()) / 1e6,
    };
    out.data(&report)?;
    out.line(&format!(
        "{} accounts, {} exchanges, {} looks in {:.0} s: {:.0} exchanges/s\n\
         peak memory {:.0} MB with at most {} profiles held; {:.0} MB in the store, {:.0} bytes a profile when written",
        report.accounts,
        report.exchanges,
        report.looks,
        report.seconds,
        report.exchanges_per_second,
        report.peak_rss_mb,
        report.in_memory,
        report.store_mb,
        report.profile_bytes_mean
    ));
    Ok(Exit::Clean)
}

#[derive(Debug, Default)]
struct Fed {
    exchanges: u64,
    looks: u64,
    written: u64,
    bytes: u64,
}

/// One exchange of everybody in every round, in an order that jumps about.
async fn feed(fleet: Fleet, database: &Database, mut book: Book, out: Out) -> Result<Fed, Failure> {
    let turns = turns(fleet);
    let bar = out.progress(turns, "exchanges");
    let (mut reader, mut fed, mut batch) = (Reader::default(), Fed::default(), Vec::new());
    let nothing = Matcher::new([]);
    for turn in 0..turns {
        batch.extend(Seen::of(
            exchange(fleet, turn, turns)?,
            turn + 1,
            &mut reader,
            &nothing,
        ));
        if u64::try_from(batch.len()).unwrap_or(BATCH) < BATCH && turn + 1 < turns {
            continue;
        }
        let seen = std::mem::take(&mut batch);
        let stopped = |e: crate::watch::WatchError| Failure::chain(&e);
        let (states, _) = book.states(database, &seen).await.map_err(stopped)?;
        let worked = book.take_unknown(&seen, &states);
        fed.exchanges += seen.len() as u64;
        fed.looks += worked.looks() as u64;
        let (profiles, bytes) = worked.size();
        fed.written += profiles as u64;
        fed.bytes += bytes as u64;
        book.keep(database, worked, turn..turn + 1)
            .await
            .map_err(stopped)?;
        bar.inc(BATCH);
    }
    bar.finish_and_clear();
    Ok(fed)
}

fn turns(fleet: Fleet) -> u64 {
    u64::from(fleet.accounts) * u64::from(fleet.exchanges)
        + u64::from(fleet.busy.min(fleet.accounts)) * u64::from(BUSY)
}

/// Whose turn it is: the turns are gone through in steps of a prime, which visits each once.
fn exchange(fleet: Fleet, turn: u64, turns: u64) -> Result<Exchange, Failure> {
    const STEP: u64 = 2_147_483_647;
    let place = u64::try_from(u128::from(turn) * u128::from(STEP) % u128::from(turns.max(1)))
        .unwrap_or_default();
    let plain = u64::from(fleet.accounts) * u64::from(fleet.exchanges);
    let account = if place < plain {
        place % u64::from(fleet.accounts.max(1))
    } else {
        place % u64::from(fleet.busy.max(1))
    };
    let bad = |e: facts::IdError| Failure::error(e.to_string());
    Ok(Exchange {
        id: ExchangeId::parse(&format!("x{turn}")).map_err(bad)?,
        account: AccountId::parse(&format!("account-{account}")).map_err(bad)?,
        at: Timestamp(0),
        model: None,
        prompt: prompt(account, turn),
        response: None,
        usage: None,
    })
}

/// Applications with a frame of their own each, and people without one.
fn prompt(account: u64, turn: u64) -> Vec<(String, String)> {
    const SUBJECTS: [&str; 6] = ["invoices", "tides", "bridges", "chess", "gardens", "trains"];
    let pick = |n: u64| SUBJECTS.get(usize::try_from(n % 6).unwrap_or(0)).copied();
    let subject = pick(turn / 7).unwrap_or("trains");
    let user = match turn % 3 {
        0 => format!("What do I have to know about {subject} before day {turn}, please?"),
        1 => format!(
            "Summarise this note about {subject} in two sentences: note {turn} of {account}."
        ),
        _ => format!("My list of {subject} has {turn} entries and I cannot sort it. Why?"),
    };
    if account.is_multiple_of(2) {
        return vec![("user".to_owned(), user)];
    }
    let system = format!(
        "You answer customers of office {} about {}. Be brief and never guess.",
        account % 1_000,
        pick(account).unwrap_or("tides")
    );
    vec![("system".to_owned(), system), ("user".to_owned(), user)]
}

/// The largest resident memory of this process so far.
fn peak_rss_mb() -> std::io::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kb = line.and_then(|l| l.split_whitespace().next()?.parse::<u32>().ok());
    kb.map(|kb| f64::from(kb) / 1024.0)
        .ok_or_else(|| std::io::Error::other("the process status is not in the known form"))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn real(n: u64) -> f64 {
    n as f64
}
