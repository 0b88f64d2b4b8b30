//! Harness `errors`: the disk reports errors or is full from a seeded
//! operation on, and then the power fails.
//!
//! What was answered must hold; what was refused may be there or not. After an
//! error the journal refuses everything; on a disk that has room again it goes on.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::chance::Chance;
use crate::crash::{cut, on_every_core, play, runtime, scratch};
use crate::disk::Disk;
use crate::mutant::Mutant;
use crate::recover::judge;
use crate::tally::Tally;
use crate::watch::{Failing, Op, Outage};

fn outage(seed: u64) -> Outage {
    let mut chance = Chance::of(seed ^ 0xe110);
    let full = chance.percent(40);
    Outage {
        how: if full { Failing::Full } else { Failing::Error },
        from: 1 + chance.below(900),
        lasting: match (full, chance.below(3)) {
            (_, 0) => 1,
            (_, 1) => 1 + chance.below(30),
            (_, _) => u64::MAX,
        },
    }
}

fn one(seed: u64, mutant: Option<Mutant>) -> Result<Option<Result<(), String>>, String> {
    let run = play(seed, Some(outage(seed)))?;
    if !run.struck {
        return Ok(None);
    }
    let (mut disk, mut said) = (Disk::default(), Vec::new());
    for op in &run.ops {
        disk.apply(op);
        if let Op::Said(what) = op {
            said.push(what.clone());
        }
    }
    let folder = scratch()?;
    cut(seed, &disk, folder.path(), mutant)?;
    Ok(Some(runtime()?.block_on(judge(folder.path(), &said))))
}

/// Plays until `runs` outages have struck.
pub(crate) fn all(runs: u64, mutant: Option<Mutant>, tally: &Tally) -> Result<(), String> {
    let next = AtomicU64::new(0);
    on_every_core(|| {
        while tally.totals().0 < runs {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if let Some(judged) = one(seed, mutant)? {
                tally.count(seed, judged);
            }
        }
        Ok(())
    })
}
