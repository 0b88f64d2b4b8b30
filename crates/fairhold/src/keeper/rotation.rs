//! Every key is wrapped anew, under the current KEK.
//!
//! Bodies stay as they are. What is left to do is known from the keys
//! themselves, so that a run that was cut short is gone on with.

use evidence::seal::KekId;
use evidence::{Event, Record};
use store::{Change, Entry};

use super::bodies::Cut;
use super::{Keeper, KeeperError};

/// Keys rewrapped in one transaction.
const PAGE: u32 = 1_000;

/// What a rotation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// The KEK that wraps all keys now.
    pub kek: KekId,
    /// Keys there are.
    pub keys: u64,
    /// Keys that were wrapped under another before.
    pub rewrapped: u64,
}

/// A point at which a rotation can be cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RotateStep {
    /// That it is under way is noted.
    Begun,
    /// A page of keys is rewrapped.
    Page,
    /// It is recorded.
    Recorded,
}

impl Keeper {
    /// Wraps every key under the current KEK and records it. `progress` is told how many keys are
    /// done, and of how many.
    ///
    /// # Errors
    /// [`KeeperError`]; run again, it goes on.
    pub async fn rewrap(
        &self,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Rotated, KeeperError> {
        self.rewrap_until(progress, &|_| Ok(())).await
    }

    pub(crate) async fn rewrap_until(
        &self,
        progress: &(dyn Fn(u64, u64) + Sync),
        reached: Cut<'_, RotateStep>,
    ) -> Result<Rotated, KeeperError> {
        let _one_at_a_time = self.commands.lock().await;
        let kek = self.keys.kek()?;
        let (keys, under) = self.database.keys_under(&kek).await?;
        let what = format!("kek rotation {}", hex::encode(kek.0));
        if under < keys {
            self.database.begin_work(&what, self.clock.now()).await?;
        }
        reached(RotateStep::Begun)?;
        let (mut after, mut rewrapped) = (0, 0);
        progress(under, keys);
        loop {
            let page = self.database.keys_not_under(&kek, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let anew: Result<Vec<_>, _> = page.iter().map(|row| self.keys.rewrapped(row)).collect();
            let anew: Vec<_> = anew?.into_iter().flatten().collect();
            self.database.rewrap(&anew).await?;
            rewrapped += anew.len() as u64;
            progress(under + rewrapped, keys);
            reached(RotateStep::Page)?;
        }
        if self.database.unfinished(&what).await?.is_some() {
            let mut entry = Entry::of(Record {
                at: self.clock.now(),
                account: None,
                event: Event::Directory {
                    change: "kek_rotated".to_owned(),
                    subject: format!("kek:{kek}"),
                },
            });
            entry.change = Some(Change::Finished(what));
            self.journal.append(entry).await?;
        }
        reached(RotateStep::Recorded)?;
        self.database.scrub(Vec::new(), false).await?;
        Ok(Rotated {
            kek,
            keys,
            rewrapped,
        })
    }
}

#[cfg(test)]
mod tests;
