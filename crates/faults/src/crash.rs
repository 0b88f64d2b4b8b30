//! Harness `disk`: the power fails at a seeded moment of a recorded run.
//!
//! One run gives many seeds: its operations are cut at as many places, and
//! what was not synced there survives or not as the seed has it (`disk.rs`).
//!
//! A run is the same each time it is played: the database's own threads act only while the runtime
//! has nothing to do, and the runtime hears them only then.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use crate::chance::Chance;
use crate::disk::{Disk, lay_out};
use crate::early;
use crate::load::{Client, Hears, Open, publish_early, round};
use crate::mutant::{Mutant, accept_frames};
use crate::recover::judge;
use crate::tally::Tally;
use crate::watch::{Op, Outage, Said, Watch};

/// Seeds that share one recorded run.
const CUTS: u64 = 100;
/// Rounds of clients in a run.
const ROUNDS: u64 = 14;

/// A folder in memory where there is one: what is lost is decided by us.
pub(crate) fn scratch() -> Result<TempDir, String> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        TempDir::with_prefix_in("fairhold-faults-", memory)
    } else {
        TempDir::with_prefix("fairhold-faults-")
    };
    made.map_err(|e| format!("no temporary folder: {e}"))
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
}

/// What a run left: its operations, and how many appends were refused.
pub(crate) struct Run {
    pub(crate) ops: Vec<Op>,
    pub(crate) struck: bool,
}

/// Plays the run of this seed and records what it did to its files.
pub(crate) fn play(seed: u64, outage: Option<Outage>) -> Result<Run, String> {
    let folder = scratch()?;
    let watch = Watch::over(folder.path(), outage);
    let hears: Hears = {
        let watch = Arc::clone(&watch);
        Arc::new(move |said| watch.say(said))
    };
    let runtime = in_turn(&watch)?;
    watch.take_turn();
    let played = runtime.block_on(run(seed, folder.path(), &hears, outage.is_some()));
    early::on_this_thread(None);
    let (ops, struck) = (watch.ops(), watch.struck());
    // The database's threads end, whenever they come to it: that is no part of the run.
    watch.pass_turn();
    match played {
        Err(error) if !struck => Err(error),
        _ => Ok(Run { ops, struck }),
    }
}

/// A runtime of one thread, whose turn it is until it has nothing left to do. What other threads
/// answered is then taken up, never in between.
fn in_turn(watch: &Arc<Watch>) -> Result<tokio::runtime::Runtime, String> {
    let (idle, woken) = (Arc::clone(watch), Arc::clone(watch));
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .global_queue_interval(u32::MAX)
        .on_thread_park(move || idle.pass_turn())
        .on_thread_unpark(move || woken.take_turn())
        .build()
        .map_err(|e| e.to_string())
}

async fn run(seed: u64, folder: &Path, hears: &Hears, outage: bool) -> Result<(), String> {
    {
        let (folder, hears) = (folder.to_path_buf(), Arc::clone(hears));
        early::on_this_thread(Some(Box::new(move |signed| {
            publish_early(signed, &folder, &hears);
        })));
    }
    let open = Open::at(folder, hears, false).await?;
    let client = Client {
        journal: open.journal.clone(),
        hears: Arc::clone(hears),
    };
    for n in 0..ROUNDS {
        round(&client, seed, n).await;
        if n % 3 == 2
            && let Err(error) = open.seal(hears).await
            && !outage
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Whether everything promised before the cut of this seed survives it.
fn survives(
    seed: u64,
    disk: &Disk,
    said: &[Said],
    mutant: Option<Mutant>,
) -> Result<Result<(), String>, String> {
    let folder = scratch()?;
    cut(seed, disk, folder.path(), mutant)?;
    Ok(runtime()?.block_on(judge(folder.path(), said)))
}

/// Lays the disk after the power cut of this seed out in an empty folder.
pub(crate) fn cut(
    seed: u64,
    disk: &Disk,
    folder: &Path,
    mutant: Option<Mutant>,
) -> Result<(), String> {
    let mut files = disk.after_power_cut(&mut Chance::of(seed));
    if mutant == Some(Mutant::LogChecksumIgnored)
        && let Some(log) = files.get_mut("fairhold.db-wal")
    {
        accept_frames(log);
    }
    lay_out(&files, folder).map_err(|e| e.to_string())
}

/// Where the run of `ops` operations is cut for this seed.
fn place(seed: u64, ops: usize) -> usize {
    let n = Chance::of(seed.wrapping_mul(31).wrapping_add(7)).below(ops as u64 + 1);
    usize::try_from(n).unwrap_or(ops)
}

/// Judges the seeds of one run, in order of their places.
fn judge_run(
    run: u64,
    seeds: std::ops::Range<u64>,
    mutant: Option<Mutant>,
    tally: &Tally,
) -> Result<(), String> {
    let ops = play(run, None)?.ops;
    let mut places: Vec<(usize, u64)> = seeds.map(|seed| (place(seed, ops.len()), seed)).collect();
    places.sort_unstable();
    let (mut disk, mut said, mut done) = (Disk::default(), Vec::new(), 0);
    for (place, seed) in places {
        for op in ops.get(done..place).unwrap_or_default() {
            disk.apply(op);
            if let Op::Said(what) = op {
                said.push(what.clone());
            }
        }
        done = place;
        tally.count(seed, survives(seed, &disk, &said, mutant)?);
    }
    Ok(())
}

/// Judges seeds `0..seeds` on every core.
pub(crate) fn all(seeds: u64, mutant: Option<Mutant>, tally: &Tally) -> Result<(), String> {
    let next = AtomicU64::new(0);
    let worker = || {
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            let first = run * CUTS;
            if first >= seeds {
                return Ok(());
            }
            judge_run(run, first..seeds.min(first + CUTS), mutant, tally)?;
        }
    };
    on_every_core(worker)
}

/// Runs `worker` on every core until all of them end.
pub(crate) fn on_every_core(worker: impl Fn() -> Result<(), String> + Sync) -> Result<(), String> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(&worker)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err("a worker died".to_owned()))
        })
    })
}

/// Replays one seed; gives what was lost, if something was, and the folder.
pub(crate) fn replay(seed: u64) -> Result<(Result<(), String>, PathBuf), String> {
    let ops = play(seed / CUTS, None)?.ops;
    let (mut disk, mut said) = (Disk::default(), Vec::new());
    for op in ops.iter().take(place(seed, ops.len())) {
        disk.apply(op);
        if let Op::Said(what) = op {
            said.push(what.clone());
        }
    }
    let folder = scratch()?.keep();
    cut(seed, &disk, &folder, None)?;
    let judged = runtime()?.block_on(judge(&folder, &said));
    Ok((judged, folder))
}

#[cfg(test)]
mod tests;
