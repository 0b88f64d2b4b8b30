//! Rows that can be read by whoever was given their evaluation, and by nobody else.
//!
//! The n-th place of a fingerprint has a name (16 bytes) and a pad, both SHA-512 of its evaluation
//! and n. Under the pad lie the output's number, the place in it, and the secret that opens the
//! output's description. Rows are sorted by name: neither which belong to one output nor how many
//! outputs share a fingerprint can be told from them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use provenance::{Registry, Row};
use sha2::{Digest as _, Sha512};

use super::{BetweenError, Evaluation, Key, ROWS_MAX};

/// Bytes of a name.
const NAME: usize = 16;
/// Bytes under the pad: output, place, secret.
const UNDER: usize = 4 + 2 + SECRET;
/// Bytes of the secret that opens a description.
const SECRET: usize = 16;
/// Bytes of a row.
pub(crate) const ROW: usize = NAME + UNDER;
/// Places of one fingerprint that are told. One of more is told nothing of: it is what many answers to
/// one prompt have in common, or boilerplate.
const PLACES_MAX: usize = 4_096;
/// Fingerprints that a core takes at once.
const PART: usize = 512;

/// What opens a description.
pub(crate) type Secret = [u8; SECRET];

/// A place that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The output's number with its holder.
    pub(crate) output: u32,
    /// The place in it.
    pub(crate) position: u16,
    /// What opens its description.
    pub(crate) secret: Secret,
}

fn name_and_pad(evaluation: &Evaluation, n: u32) -> ([u8; NAME], [u8; UNDER]) {
    let mut hash = Sha512::new();
    hash.update(b"fairhold between parties 1 row\0");
    hash.update(evaluation);
    hash.update(n.to_be_bytes());
    let bytes: [u8; 64] = hash.finalize().into();
    let (mut name, mut pad) = ([0; NAME], [0; UNDER]);
    for (to, from) in name.iter_mut().chain(&mut pad).zip(bytes) {
        *to = from;
    }
    (name, pad)
}

/// The table of a registry, on every core.
pub(crate) fn table(
    registry: &Registry,
    key: &Key,
    secret: &(dyn Fn(u32) -> Secret + Sync),
    done: &(dyn Fn(u64) + Sync),
) -> Result<Vec<u8>, BetweenError> {
    let rows: Vec<Row> = registry.rows().collect();
    if rows.len() as u64 > ROWS_MAX {
        return Err(BetweenError::TooLarge);
    }
    let groups: Vec<&[Row]> = rows.chunk_by(|a, b| a.key == b.key).collect();
    let parts = Mutex::new(groups.chunks(PART));
    let made: Mutex<Vec<[u8; ROW]>> = Mutex::new(Vec::with_capacity(rows.len()));
    let failed = AtomicBool::new(false);
    let work = || {
        loop {
            let part = parts.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(part) = part else { return };
            let mut own = Vec::with_capacity(part.len());
            for group in part.iter().filter(|group| group.len() <= PLACES_MAX) {
                let Some(evaluation) = group.first().and_then(|row| key.evaluate(row.key).ok())
                else {
                    failed.store(true, Ordering::Relaxed);
                    return;
                };
                for (n, row) in (0..).zip(group.iter()) {
                    own.push(sealed(&evaluation, n, *row, &secret(row.output)));
                }
            }
            done(part.len() as u64);
            let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
            made.append(&mut own);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..cores {
            scope.spawn(work);
        }
        work();
    });
    if failed.load(Ordering::Relaxed) {
        return Err(BetweenError::Malformed("a fingerprint"));
    }
    let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    made.sort_unstable();
    Ok(made.concat())
}

fn sealed(evaluation: &Evaluation, n: u32, row: Row, secret: &Secret) -> [u8; ROW] {
    let (name, pad) = name_and_pad(evaluation, n);
    let under = row
        .output
        .to_be_bytes()
        .into_iter()
        .chain(row.position.to_be_bytes())
        .chain(*secret);
    let mut bytes = [0; ROW];
    let whole = name.into_iter().chain(under.zip(pad).map(|(a, b)| a ^ b));
    for (to, from) in bytes.iter_mut().zip(whole) {
        *to = from;
    }
    bytes
}

/// A table as the other side holds it.
pub(crate) struct Rows(bytes::Bytes);

impl Rows {
    /// Checks that it is one, sorted, so that what is in it is found.
    pub(crate) fn of(bytes: bytes::Bytes) -> Result<Self, BetweenError> {
        let (rows, rest) = bytes.as_chunks::<ROW>();
        if !rest.is_empty() || !rows.is_sorted() {
            return Err(BetweenError::Malformed(
                "the table is cut off or not sorted",
            ));
        }
        Ok(Self(bytes))
    }

    /// Every place of the fingerprint whose evaluation this is.
    pub(crate) fn places(&self, evaluation: &Evaluation) -> Vec<Place> {
        let (rows, _) = self.0.as_chunks::<ROW>();
        let mut found = Vec::new();
        for n in 0..u32::try_from(PLACES_MAX).unwrap_or(u32::MAX) {
            let (name, pad) = name_and_pad(evaluation, n);
            let at = rows.partition_point(|row| row.first_chunk::<NAME>() < Some(&name));
            let Some(row) = rows.get(at).filter(|row| row.starts_with(&name)) else {
                break;
            };
            found.push(opened(row, &pad));
        }
        found
    }
}

fn opened(row: &[u8; ROW], pad: &[u8; UNDER]) -> Place {
    let mut under = [0; UNDER];
    for (to, (a, b)) in under.iter_mut().zip(row.iter().skip(NAME).zip(pad)) {
        *to = a ^ b;
    }
    let mut bytes = under.into_iter();
    let mut next = || bytes.next().unwrap_or(0);
    Place {
        output: u32::from_be_bytes(std::array::from_fn(|_| next())),
        position: u16::from_be_bytes(std::array::from_fn(|_| next())),
        secret: std::array::from_fn(|_| next()),
    }
}
