//! Which files are joined, and when?
//!
//! Every write makes a file for each account and month that it has outputs of: left alone they would be
//! thousands, and were all joined whenever there are some, each byte would be written anew a thousand
//! times. So files have tiers by their size, each eight times as large as the one before, and neighbours
//! are joined when what they make is of a higher tier than each of them: a byte is written anew
//! once for a tier, six times at most. Files of the last tier are left: what is as large as that is
//! read as fast as if it were one, and joining it would take the gateway's processor.
//!
//! The writer is the only one, so it knows its small files without listing the folders, which
//! have a file for every thirty seconds of a busy account's month.

use std::collections::BTreeMap;
use std::ops::Range;

use provenance::{Month, Segment};

use super::{Folder, RegistryError, SegmentFile, Writing, folder_name};

/// Bits of a size from one tier to the next: eight times.
const STEP: u32 = 3;
/// The last tier: from 2 MiB on.
const LAST: u32 = 7;
/// Files are joined to no more than this by people's commands: what is joined is held in memory.
const TOGETHER_MAX: u64 = 64 << 20;

fn tier(size: u64) -> u32 {
    (size.max(1).ilog2() / STEP).min(LAST)
}

/// Which neighbours are joined next, by their sizes in the order of the log.
fn joined_next(sizes: &[u64]) -> Option<Range<usize>> {
    for highest in 0..LAST {
        let (mut from, mut total) = (0, 0_u64);
        for (n, size) in sizes.iter().enumerate() {
            if tier(*size) > highest {
                (from, total) = (n + 1, 0);
                continue;
            }
            total = total.saturating_add(*size);
            if n > from && tier(total) > highest {
                return Some(from..n + 1);
            }
        }
    }
    None
}

/// Groups of neighbours that make no more than a size.
fn together(sizes: &[u64], most: u64) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut total = 0_u64;
    for (n, size) in sizes.iter().enumerate() {
        total = total.saturating_add(*size);
        match groups.last_mut() {
            Some(group) if total <= most => group.end = n + 1,
            _ => {
                groups.push(n..n + 1);
                total = *size;
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// An account, as folders spell it, and a month.
type Of = (String, String);

/// The files of a registry that may still be joined, as its writer knows them.
#[derive(Debug, Default)]
pub(crate) struct Small(BTreeMap<Of, Vec<(SegmentFile, u64)>>);

impl Small {
    /// Of a folder that is open: all of it is listed, once.
    pub(crate) fn of(folder: &Folder) -> Result<Self, RegistryError> {
        let mut small = Self::default();
        for file in folder.files()? {
            let size = size_of(&file)?;
            small
                .0
                .entry(file.of.clone())
                .or_default()
                .push((file, size));
        }
        Ok(small)
    }

    /// A file that was written behind all others of its account and month.
    fn add(&mut self, file: SegmentFile, size: u64) {
        let files = self.0.entry(file.of.clone()).or_default();
        files.retain(|(known, _)| known.path != file.path);
        files.push((file, size));
    }

    /// Joins what is to be joined of one account and month; says how many files went.
    fn join(
        &mut self,
        (folder, right): (&Folder, &Writing),
        of: &Of,
    ) -> Result<usize, RegistryError> {
        let Some(files) = self.0.get_mut(of) else {
            return Ok(0);
        };
        let mut gone = 0;
        loop {
            let sizes: Vec<u64> = files.iter().map(|(_, size)| *size).collect();
            let Some(range) = joined_next(&sizes) else {
                break;
            };
            let some: Vec<SegmentFile> = files.drain(range.clone()).map(|(file, _)| file).collect();
            let (joined, went) = folder.joined(right, &some)?;
            let size = size_of(&joined)?;
            files.insert(range.start, (joined, size));
            gone += went;
        }
        // Nothing is joined across a file of the last tier: what is before one stays as it is.
        let last = files.iter().rposition(|(_, size)| tier(*size) >= LAST);
        files.drain(..last.map_or(0, |n| n + 1));
        if files.is_empty() {
            self.0.remove(of);
        }
        Ok(gone)
    }
}

impl Folder {
    /// Writes segments of a range of the log, as far as which it was read then; joins files where
    /// there are many.
    pub(crate) fn write_on(
        &self,
        right: &Writing,
        segments: Vec<Segment>,
        range: (u64, u64),
        small: &mut Option<Small>,
    ) -> Result<(), RegistryError> {
        let mut known = match small.take() {
            Some(known) => known,
            None => Small::of(self)?,
        };
        let of: Vec<(String, Month)> = segments
            .iter()
            .map(|s| (s.account().as_str().to_owned(), s.month()))
            .collect();
        let sizes = self.write(right, segments, range)?;
        self.advance(right, range.1)?;
        for ((account, month), size) in of.into_iter().zip(sizes) {
            let file = self.file_of((&account, month), range);
            let of = file.of.clone();
            known.add(file, size);
            known.join((self, right), &of)?;
        }
        *small = Some(known);
        Ok(())
    }

    /// Where the file of an account and month is, of a range of the log.
    fn file_of(&self, (account, month): (&str, Month), (from, to): (u64, u64)) -> SegmentFile {
        let of = (folder_name(account), month.to_string());
        let path = self
            .path
            .join(&of.0)
            .join(format!("{month}.{from}-{to}.seg"));
        SegmentFile { of, from, to, path }
    }

    /// Joins all files of each account and month, as far as they make no more than some
    /// megabytes; says how many files went.
    pub(crate) fn merge(&self, right: &Writing) -> Result<usize, RegistryError> {
        let mut by: BTreeMap<Of, Vec<SegmentFile>> = BTreeMap::new();
        for file in self.files()? {
            by.entry(file.of.clone()).or_default().push(file);
        }
        let mut gone = 0;
        for files in by.into_values() {
            let sizes = files.iter().map(size_of).collect::<Result<Vec<_>, _>>()?;
            for group in together(&sizes, TOGETHER_MAX) {
                gone += self.joined(right, files.get(group).unwrap_or_default())?.1;
            }
        }
        Ok(gone)
    }

    /// Makes one file of neighbours: it is written first, then they are removed. They are covered by
    /// it, should the process die in between.
    fn joined(
        &self,
        right: &Writing,
        files: &[SegmentFile],
    ) -> Result<(SegmentFile, usize), RegistryError> {
        let mut merged: Option<Segment> = None;
        for file in files {
            let read = Self::read(&file.path)?;
            merged = Some(match merged {
                None => read,
                Some(merged) => merged
                    .merge(&read)
                    .map_err(|e| RegistryError::Segment(file.path.clone(), e))?,
            });
        }
        let (Some(first), Some(merged)) = (files.first(), merged) else {
            return Err(RegistryError::Form(self.path.clone()));
        };
        let from = files.iter().map(|file| file.from).min().unwrap_or(0);
        let to = files.iter().map(|file| file.to).max().unwrap_or(0);
        let whole = SegmentFile {
            of: first.of.clone(),
            from,
            to,
            path: first
                .path
                .with_file_name(format!("{}.{from}-{to}.seg", first.of.1)),
        };
        self.write(right, vec![merged], (from, to))?;
        let mut gone = 0;
        for file in files.iter().filter(|file| file.path != whole.path) {
            std::fs::remove_file(&file.path)
                .map_err(|e| RegistryError::File(file.path.clone(), e))?;
            gone += 1;
        }
        Ok((whole, gone))
    }
}

fn size_of(file: &SegmentFile) -> Result<u64, RegistryError> {
    let seen = std::fs::metadata(&file.path);
    seen.map(|seen| seen.len())
        .map_err(|e| RegistryError::File(file.path.clone(), e))
}

#[cfg(test)]
mod tests;
