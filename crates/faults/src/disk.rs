//! What is on the disk after the power failed?
//!
//! Everything synced. Of what was not, every 512-byte sector by itself, so
//! that writes tear and change places; a file made, renamed or removed counts
//! once its folder is synced, before that as far as the journal of the file
//! system happened to get: a prefix of those changes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::chance::Chance;
use crate::watch::Op;

/// Disks write sectors of 512 bytes whole or not at all.
const SECTOR: usize = 512;

#[derive(Debug, Clone, Default)]
struct Content {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Size(usize),
}

#[derive(Debug, Clone)]
enum NameChange {
    Is(String, usize),
    Gone(String),
}

/// A disk with what was written to it and not yet synced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    contents: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending_names: Vec<NameChange>,
}

impl Disk {
    /// Carries out what was asked of it.
    pub(crate) fn apply(&mut self, op: &Op) {
        match op {
            Op::Create(name) => {
                self.contents.push(Content::default());
                self.name(name.clone(), self.contents.len() - 1);
            }
            Op::Write { name, at, bytes } => {
                let at = usize::try_from(*at).unwrap_or_default();
                let bytes = bytes.clone();
                self.change(name, Change::Write { at, bytes });
            }
            Op::Truncate { name, size } => {
                let size = usize::try_from(*size).unwrap_or_default();
                self.change(name, Change::Size(size));
            }
            Op::Sync(name) => {
                if let Some(content) = self.content(name) {
                    for change in std::mem::take(&mut content.pending) {
                        content.make(change);
                    }
                }
            }
            Op::Delete(name) => {
                self.names.remove(name);
                self.pending_names.push(NameChange::Gone(name.clone()));
            }
            Op::Rename { from, to } => {
                if let Some(n) = self.names.remove(from) {
                    self.pending_names.push(NameChange::Gone(from.clone()));
                    self.name(to.clone(), n);
                }
            }
            Op::SyncFolder => {
                self.pending_names.clear();
                self.durable_names = self.names.clone();
            }
            Op::Said(_) => {}
        }
    }

    fn name(&mut self, name: String, n: usize) {
        self.names.insert(name.clone(), n);
        self.pending_names.push(NameChange::Is(name, n));
    }

    fn content(&mut self, name: &str) -> Option<&mut Content> {
        self.contents.get_mut(*self.names.get(name)?)
    }

    fn change(&mut self, name: &str, change: Change) {
        if let Some(content) = self.content(name) {
            content.pending.push(change);
        }
    }

    /// The files after a power cut, as `chance` has it.
    pub(crate) fn after_power_cut(&self, chance: &mut Chance) -> BTreeMap<String, Vec<u8>> {
        // All, none, nearly none, half or nearly all of what was not synced.
        let survives = [100, 0, 10, 50, 90]
            .get(pick(chance, 5))
            .copied()
            .unwrap_or(50);
        let garbage = chance.percent(20);
        let mut names = self.durable_names.clone();
        let kept = pick(chance, self.pending_names.len() + 1);
        for change in self.pending_names.iter().take(kept) {
            match change {
                NameChange::Is(name, n) => names.insert(name.clone(), *n),
                NameChange::Gone(name) => names.remove(name),
            };
        }
        names
            .into_iter()
            .filter_map(|(name, n)| {
                let content = self.contents.get(n)?;
                Some((name, content.after(chance, survives, garbage)))
            })
            .collect()
    }
}

fn pick(chance: &mut Chance, n: usize) -> usize {
    usize::try_from(chance.below(n as u64)).unwrap_or_default()
}

impl Content {
    fn make(&mut self, change: Change) {
        match change {
            Change::Write { at, bytes } => put(&mut self.durable, at, &bytes, 0),
            Change::Size(size) => self.durable.resize(size, 0),
        }
    }

    fn after(&self, chance: &mut Chance, survives: u64, garbage: bool) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        // A sector that was never written reads as zeros, or as what was there before.
        let fill = if garbage { 0xa5 } else { 0 };
        for change in &self.pending {
            match change {
                Change::Size(size) => {
                    if chance.percent(survives) {
                        bytes.resize(*size, fill);
                    }
                }
                Change::Write { at, bytes: new } => {
                    for (at, part) in sectors(*at, new) {
                        if chance.percent(survives) {
                            put(&mut bytes, at, part, fill);
                        }
                    }
                }
            }
        }
        bytes
    }
}

/// The parts of a write by the sector they lie in.
fn sectors(at: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let head = (SECTOR - at % SECTOR).min(bytes.len());
    let (first, rest) = bytes.split_at(head);
    let parts = rest.chunks(SECTOR).enumerate();
    std::iter::once((at, first)).chain(parts.map(move |(n, part)| (at + head + n * SECTOR, part)))
}

fn put(to: &mut Vec<u8>, at: usize, bytes: &[u8], fill: u8) {
    let end = at + bytes.len();
    if to.len() < end {
        to.resize(end, fill);
    }
    if let Some(place) = to.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

/// Writes the files into an empty folder.
pub(crate) fn lay_out(files: &BTreeMap<String, Vec<u8>>, folder: &Path) -> io::Result<()> {
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
