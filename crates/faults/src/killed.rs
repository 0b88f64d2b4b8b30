//! Harness `kill`: a real process under load is killed (`kill -9`); what it
//! had promised is held against what the next start finds.

use crate::chance::Chance;
use crate::child::killed_after;
use crate::crash::{runtime, scratch};
use crate::mutant::Mutant;
use crate::recover::judge;
use crate::tally::Tally;
use crate::watch::Said;

/// Deaths of one store, one after the other; then a fresh one, so that judging stays cheap.
const DEATHS: u64 = 10;

/// Kills `rounds` times.
pub(crate) fn all(rounds: u64, mutant: Option<Mutant>, tally: &Tally) -> Result<(), String> {
    let mut round = 0;
    while round < rounds {
        let folder = scratch()?;
        let mut said: Vec<Said> = Vec::new();
        for _ in 0..DEATHS.min(rounds - round) {
            let lines = 40 + Chance::of(round).below(400);
            let lines = usize::try_from(lines).unwrap_or(100);
            match killed_after(lines, folder.path(), mutant) {
                Ok(more) => said.extend(more),
                // A child that cannot go on with what the last one left is a loss too.
                Err(error) if !said.is_empty() => {
                    tally.count(round, Err(error));
                    round += 1;
                    break;
                }
                Err(error) => return Err(error),
            }
            let judged = runtime()?.block_on(judge(folder.path(), &said));
            let lost = judged.is_err();
            tally.count(round, judged);
            round += 1;
            if lost {
                break;
            }
        }
    }
    Ok(())
}
