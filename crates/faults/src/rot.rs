//! Harness `rot`: one bit of a stored leaf flips while nobody runs.
//!
//! Opening must refuse; going on with a record that is not what was written
//! is the loss.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::chance::Chance;
use crate::crash::{runtime, scratch};
use crate::load::{Client, Hears, Open, round};
use crate::recover::judge;
use crate::tally::Tally;
use crate::watch::Said;

/// A closed store's database file, and what was promised about it.
fn at_rest() -> Result<(Vec<u8>, Vec<Said>), String> {
    let folder = scratch()?;
    let said: Arc<Mutex<Vec<Said>>> = Arc::default();
    let hears: Hears = {
        let said = Arc::clone(&said);
        Arc::new(move |what| {
            said.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(what);
        })
    };
    runtime()?.block_on(filled(folder.path(), &hears))?;
    let bytes = std::fs::read(folder.path().join("fairhold.db")).map_err(|e| e.to_string())?;
    let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((bytes, said))
}

async fn filled(folder: &Path, hears: &Hears) -> Result<(), String> {
    let open = Open::at(folder, hears, false).await?;
    let client = Client {
        journal: open.journal.clone(),
        hears: Arc::clone(hears),
    };
    for n in 0..8 {
        round(&client, 1, n).await;
    }
    drop(client);
    let emptied = open.database.tell("PRAGMA wal_checkpoint(TRUNCATE)").await;
    open.close().await;
    emptied.map_err(|e| e.to_string())
}

/// Flips a bit `runs` times, each time in a fresh copy.
pub(crate) fn all(runs: u64, tally: &Tally) -> Result<(), String> {
    let (bytes, said) = at_rest()?;
    let leaves: Vec<&[u8]> = said
        .iter()
        .filter_map(|said| match said {
            Said::Recorded { leaf, .. } => Some(leaf.as_slice()),
            Said::Published(_) | Said::Kept { .. } => None,
        })
        .collect();
    for seed in 0..runs {
        let mut chance = Chance::of(seed);
        let n = usize::try_from(chance.below(leaves.len() as u64)).unwrap_or_default();
        let Some(leaf) = leaves.get(n) else {
            return Err("nothing was recorded".to_owned());
        };
        let byte = usize::try_from(chance.below(leaf.len() as u64)).unwrap_or_default();
        let bit = 1 << chance.below(8);
        let mut rotten = bytes.clone();
        // Pages that were split still hold old copies: all of them, so that the living one is.
        let copies: Vec<usize> = memchr::memmem::find_iter(&bytes, leaf).collect();
        if copies.is_empty() {
            return Err("a leaf is not in one piece in the database".to_owned());
        }
        for at in copies {
            if let Some(byte) = rotten.get_mut(at + byte) {
                *byte ^= bit;
            }
        }
        let folder = scratch()?;
        std::fs::write(folder.path().join("fairhold.db"), rotten).map_err(|e| e.to_string())?;
        for said in &said {
            if let Said::Kept { name, bytes } = said {
                std::fs::write(folder.path().join(name), bytes).map_err(|e| e.to_string())?;
            }
        }
        let judged = runtime()?.block_on(judge(folder.path(), &said));
        tally.count(seed, noticed(judged));
    }
    Ok(())
}

/// A store that says which record is damaged and does not open is as it should be.
fn noticed(judged: Result<(), String>) -> Result<(), String> {
    match judged {
        Err(what) if what.contains("is not what was written") => Ok(()),
        Err(what) => Err(what),
        Ok(()) => Err("a flipped bit went unnoticed".to_owned()),
    }
}
