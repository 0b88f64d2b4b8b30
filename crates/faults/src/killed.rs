//! Harness `kill`: a real process under load is killed (`kill -9`); what it
//! had promised is held against what the next start finds.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chance::Chance;
use crate::child::killed_after;
use crate::crash::{on_every_core, runtime, scratch};
use crate::mutant::Mutant;
use crate::recover::judge;
use crate::tally::Tally;
use crate::watch::Said;

/// Deaths of one store, one after the other; then a fresh one, so that judging stays cheap.
const DEATHS: u64 = 10;

/// Kills `rounds` times, a store on every core.
pub(crate) fn all(rounds: u64, mutant: Option<Mutant>, tally: &Tally) -> Result<(), String> {
    let next = AtomicU64::new(0);
    on_every_core(|| {
        loop {
            let first = next.fetch_add(DEATHS, Ordering::Relaxed);
            if first >= rounds {
                return Ok(());
            }
            let mut batch = first..rounds.min(first + DEATHS);
            while !batch.is_empty() {
                one(&mut batch, mutant, tally)?;
            }
        }
    })
}

/// The deaths of one store, until something is lost.
fn one(rounds: &mut Range<u64>, mutant: Option<Mutant>, tally: &Tally) -> Result<(), String> {
    let folder = scratch()?;
    let mut said: Vec<Said> = Vec::new();
    for round in rounds {
        let lines = usize::try_from(40 + Chance::of(round).below(400)).unwrap_or(100);
        let whole;
        match killed_after(lines, folder.path(), mutant) {
            Ok(life) => {
                whole = life.whole();
                said.extend(life.said);
            }
            // A child that cannot go on with what the last one left is a loss too.
            Err(error) if !said.is_empty() => {
                tally.count(round, Err(error));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let judged = runtime()?.block_on(judge(folder.path(), &said));
        let judged = whole.and(judged);
        let lost = judged.is_err();
        tally.count(round, judged);
        if lost {
            return Ok(());
        }
    }
    Ok(())
}
