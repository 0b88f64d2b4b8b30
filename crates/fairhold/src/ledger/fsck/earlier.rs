//! Did a rotation rewrite history? What earlier epochs stated of each ledger,
//! against the one journal that there is, and each epoch's beginning against
//! the end of the one before.

use std::collections::VecDeque;

use evidence::checkpoint::Checkpoint;
use evidence::ledger::Edge;
use evidence::merkle::Hash;
use store::{Database, EpochRow, RootEntryRow, SealableRow, StoreError};

use super::{Check, PAGE, Report};

/// An epoch before the last, as far as its entries were compared with the journal.
pub(super) struct Earlier<'a> {
    epoch: &'a EpochRow,
    entries: VecDeque<RootEntryRow>,
    read: u64,
}

impl<'a> Earlier<'a> {
    pub(super) fn of(epochs: &'a [EpochRow]) -> Vec<Self> {
        let each = epochs.iter().map(|epoch| Self {
            epoch,
            entries: VecDeque::new(),
            read: 0,
        });
        each.collect()
    }

    /// The next entry that was sealed before record `seq`.
    async fn next(
        &mut self,
        database: &Database,
        seq: u64,
    ) -> Result<Option<RootEntryRow>, StoreError> {
        if self.entries.is_empty() && self.read < self.epoch.size {
            let range = self.read..(self.read + PAGE).min(self.epoch.size);
            self.read = range.end;
            // What is missing is told when the epoch's own tree is recomputed.
            self.entries = database.root_entries(self.epoch.epoch, range).await?.into();
        }
        let due = self.entries.front().is_some_and(|e| e.sealed <= seq);
        Ok(due.then(|| self.entries.pop_front()).flatten())
    }
}

impl Check<'_> {
    /// What earlier epochs stated of the records before `seq`, against the journal.
    pub(super) async fn earlier(&mut self, seq: u64) -> Result<(), StoreError> {
        let mut all = std::mem::take(&mut self.earlier);
        for one in &mut all {
            while let Some(entry) = one.next(self.database, seq).await? {
                self.stated(one.epoch, &entry);
            }
        }
        self.earlier = all;
        Ok(())
    }

    fn stated(&mut self, epoch: &EpochRow, entry: &RootEntryRow) {
        let Some(name) = &entry.ledger else {
            return; // the end of an epoch: see `begins`
        };
        let tree = self.ledgers.entry(name.clone()).or_default();
        if tree.told {
            return;
        }
        let edge = self.beyond.get(name).unwrap_or(&tree.edge);
        let said = std::str::from_utf8(&entry.body).ok();
        let said = said.and_then(|body| Checkpoint::parse(body).ok());
        if said.is_some_and(|said| (said.size, said.root) == (edge.size(), edge.root())) {
            return;
        }
        let what = format!(
            "its records before {} are not those that epoch {} stated in entry {}: history was rewritten since",
            entry.sealed, epoch.epoch, entry.n
        );
        self.tell(name, &what);
    }

    /// A record that the last epoch has not sealed and an earlier one has: right after a rotation.
    pub(super) fn unsealed(&mut self, row: &SealableRow, hash: Hash) {
        if self.earlier.iter().all(|one| row.seq >= one.epoch.sealed) {
            return;
        }
        let known = self.ledgers.get(&row.ledger).map(|tree| &tree.edge);
        let edge = self.beyond.entry(row.ledger.clone());
        let edge = edge.or_insert_with(|| known.cloned().unwrap_or_default());
        edge.push(hash, |_| {});
    }
}

/// What the epoch after this one says that this one ended with.
pub(super) async fn said_of_end(
    database: &Database,
    next: &EpochRow,
) -> Result<Option<Checkpoint>, StoreError> {
    let first = database.root_entries(next.epoch, 0..1).await?;
    let first = first.first().filter(|entry| entry.ledger.is_none());
    Ok(first.and_then(|entry| Checkpoint::parse(std::str::from_utf8(&entry.body).ok()?).ok()))
}

/// Whether an epoch begins where the one before ended; `at` is the root of that one's tree at the
/// size which is said.
pub(super) fn begins(
    report: &mut Report,
    (before, next): (&EpochRow, &EpochRow),
    said: Option<&Checkpoint>,
    at: Option<Hash>,
) {
    let (old, new) = (before.epoch, next.epoch);
    if new != old + 1 {
        report.notes.push(format!(
            "epoch {new} follows epoch {old}: those between were lost with an older copy"
        ));
        return;
    }
    let held = before.size;
    match said {
        None if held == 0 => {}
        None => report.fault(format!(
            "epoch {new} does not begin with the last checkpoint of epoch {old}"
        )),
        Some(said) if said.origin != before.origin => report.fault(format!(
            "epoch {new} begins after `{}`, and epoch {old} is `{}`",
            said.origin, before.origin
        )),
        Some(said) if said.size > held => report.notes.push(format!(
            "epoch {new} begins after {} entries of epoch {old}, of which {held} are held here: it was begun over an older copy",
            said.size
        )),
        Some(said) if at != Some(said.root) => report.fault(format!(
            "epoch {new} begins after another tree of {} entries than the one of epoch {old} that is held here: history was rewritten",
            said.size
        )),
        Some(said) if said.size < held => report.fault(format!(
            "epoch {new} begins after {} entries of epoch {old}, and {held} were sealed",
            said.size
        )),
        Some(_) => {}
    }
}

/// The root of no entries, or none yet.
pub(super) fn at_start(said: Option<&Checkpoint>) -> Option<Hash> {
    said.filter(|said| said.size == 0)
        .map(|_| Edge::default().root())
}
