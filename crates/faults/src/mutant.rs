//! The faults that are built in, one at a time.

use store::faults::{Mutant as Store, choose};

/// A fault: in the store's own code, or in what stands below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// In the store.
    Store(Store),
    /// In the database: its recovery takes every frame of the write-ahead log
    /// for whole, whatever the frame's checksum says.
    LogChecksumIgnored,
}

/// All of them, by name.
pub(crate) const ALL: &[(&str, Mutant)] = &[
    ("never_sync", Mutant::Store(Store::NeverSync)),
    ("ack_before_sync", Mutant::Store(Store::AckBeforeSync)),
    ("ack_before_write", Mutant::Store(Store::AckBeforeWrite)),
    (
        "recovery_ignores_checksum",
        Mutant::Store(Store::RecoveryIgnoresChecksum),
    ),
    ("recovery_ignores_log_checksum", Mutant::LogChecksumIgnored),
    (
        "completion_released_before_durable",
        Mutant::Store(Store::CompletionReleasedBeforeDurable),
    ),
    (
        "checkpoint_before_journal",
        Mutant::Store(Store::CheckpointBeforeJournal),
    ),
    (
        "lost_directory_sync",
        Mutant::Store(Store::LostDirectorySync),
    ),
    (
        "reused_sequence_number",
        Mutant::Store(Store::ReusedSequenceNumber),
    ),
];

/// Builds it into this process.
pub(crate) fn build_in(mutant: Option<Mutant>) {
    choose(match mutant {
        Some(Mutant::Store(store)) => Some(store),
        Some(Mutant::LogChecksumIgnored) | None => None,
    });
}

pub(crate) fn named(name: &str) -> Option<Mutant> {
    let found = ALL.iter().find(|(n, _)| *n == name);
    found.map(|(_, mutant)| *mutant)
}

pub(crate) fn name(mutant: Option<Mutant>) -> &'static str {
    let found = ALL.iter().find(|(_, m)| Some(*m) == mutant);
    found.map_or("", |(name, _)| *name)
}

/// Makes every frame of a write-ahead log pass for whole: salts and checksums
/// as the format wants them (<https://www.sqlite.org/fileformat2.html#walformat>).
pub(crate) fn accept_frames(log: &mut [u8]) {
    let Some((header, frames)) = log.split_at_mut_checked(32) else {
        return;
    };
    let (magic, page) = (be(header, 0), be(header, 8));
    if magic & !1 != 0x377f_0682 || page < 512 {
        return;
    }
    let big = magic & 1 == 1;
    let salts = header.get(16..24).unwrap_or_default().to_vec();
    let mut sum = checksum(header.get(..24).unwrap_or_default(), (0, 0), big);
    set(header, 24, sum);
    let size = usize::try_from(page)
        .unwrap_or(usize::MAX)
        .saturating_add(24);
    for frame in frames.chunks_exact_mut(size) {
        if let Some(place) = frame.get_mut(8..16) {
            place.copy_from_slice(&salts);
        }
        sum = checksum(frame.get(..8).unwrap_or_default(), sum, big);
        sum = checksum(frame.get(24..).unwrap_or_default(), sum, big);
        set(frame, 16, sum);
    }
}

fn be(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    four.map_or(0, u32::from_be_bytes)
}

fn set(bytes: &mut [u8], at: usize, sum: (u32, u32)) {
    let text = [sum.0.to_be_bytes(), sum.1.to_be_bytes()].concat();
    if let Some(place) = bytes.get_mut(at..at + 8) {
        place.copy_from_slice(&text);
    }
}

fn checksum(bytes: &[u8], (mut a, mut b): (u32, u32), big: bool) -> (u32, u32) {
    let word = |four: &[u8]| {
        let four = four.try_into().unwrap_or_default();
        if big {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        }
    };
    for pair in bytes.chunks_exact(8) {
        let (first, second) = pair.split_at(4);
        a = a.wrapping_add(word(first)).wrapping_add(b);
        b = b.wrapping_add(word(second)).wrapping_add(a);
    }
    (a, b)
}

#[cfg(test)]
mod tests;
