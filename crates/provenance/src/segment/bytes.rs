//! How is a segment written down?
//!
//! `FHSEG\0`, format and normaliser versions, key id, account, month, outputs, entries, and
//! SipHash-2-4 (zero key) of all before as a checksum. Numbers are little-endian. An entry is eight
//! bytes: 48 bits of a key over 16 of its place. Entries stand by output, in the order of the
//! outputs, whose own counts say how many are whose. Format 1, which is still read, sorted them by
//! key and gave each the number of its output.

use std::hash::Hasher as _;

use facts::{AccountId, ExchangeId, ModelName, Timestamp};
use siphasher::sip::SipHasher24;

use super::{Entry, Month, Output, Role, Segment};
use crate::normaliser::NORMALISER_VERSION;

const MAGIC: &[u8; 6] = b"FHSEG\0";
const FORMAT: u16 = 2;
/// Entries sorted by key, twelve bytes each.
const SORTED: u16 = 1;

/// Why bytes are no segment, or two segments not one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SegmentError {
    /// They do not begin like one.
    NotASegment,
    /// Written by another format.
    Format(u16),
    /// Made by another normaliser.
    Normaliser(u16),
    /// They end early or hold what cannot be.
    Malformed,
    /// The checksum says otherwise.
    Checksum,
    /// Key, account or month differ.
    Foreign,
}

impl std::fmt::Display for SegmentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotASegment => f.write_str("this is not a registry segment"),
            Self::Format(n) => write!(
                f,
                "the segment has format {n}, this build reads up to {FORMAT}: read it with the build that wrote it"
            ),
            Self::Normaliser(n) => write!(
                f,
                "the segment was made by normaliser {n}, this build has {NORMALISER_VERSION}: register the outputs again"
            ),
            Self::Malformed => f.write_str(
                "the segment ends early or is damaged: restore it or register the outputs again",
            ),
            Self::Checksum => f.write_str(
                "the segment's checksum does not hold: restore it or register the outputs again",
            ),
            Self::Foreign => {
                f.write_str("segments of different keys, accounts or months cannot be merged")
            }
        }
    }
}

impl std::error::Error for SegmentError {}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher24::new();
    hasher.write(bytes);
    hasher.finish()
}

impl Segment {
    /// The segment as bytes; [`Self::from_bytes`] reads them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Vec::with_capacity(64 + self.outputs.len() * 96 + self.entries.len() * 8);
        to.extend_from_slice(MAGIC);
        to.extend_from_slice(&FORMAT.to_le_bytes());
        to.extend_from_slice(&NORMALISER_VERSION.to_le_bytes());
        to.extend_from_slice(&self.key_id.to_le_bytes());
        name(&mut to, self.account.as_str());
        to.extend_from_slice(&self.month.year.to_le_bytes());
        to.push(self.month.month);
        count(&mut to, self.outputs.len());
        for output in &self.outputs {
            name(&mut to, output.id.as_str());
            name(&mut to, output.account.as_str());
            name(&mut to, output.model.as_str());
            to.extend_from_slice(&output.at.0.to_le_bytes());
            to.push(u8::from(output.role == Role::Control));
            to.extend_from_slice(&output.prompt.to_le_bytes());
            to.extend_from_slice(&output.words.to_le_bytes());
            for own in output.own {
                to.extend_from_slice(&own.to_le_bytes());
            }
        }
        count(&mut to, self.entries.len());
        let from = to.len();
        to.resize(from + 8 * self.entries.len(), 0);
        let (places, _) = to.get_mut(from..).unwrap_or_default().as_chunks_mut::<8>();
        for (place, entry) in places.iter_mut().zip(&self.entries) {
            *place = entry.packed.to_le_bytes();
        }
        let sum = checksum(&to);
        to.extend_from_slice(&sum.to_le_bytes());
        to
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`SegmentError`]: nothing is taken from bytes that are not whole.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SegmentError> {
        let mut from = Bytes(bytes);
        if from.take(6)? != MAGIC {
            return Err(SegmentError::NotASegment);
        }
        let format = u16::from_le_bytes(from.array()?);
        if format != FORMAT && format != SORTED {
            return Err(SegmentError::Format(format));
        }
        let normaliser = u16::from_le_bytes(from.array()?);
        if normaliser != NORMALISER_VERSION {
            return Err(SegmentError::Normaliser(normaliser));
        }
        let body = bytes
            .len()
            .checked_sub(8)
            .and_then(|n| bytes.get(..n))
            .ok_or(SegmentError::Malformed)?;
        let told = bytes.get(body.len()..).unwrap_or_default();
        if checksum(body).to_le_bytes() != told {
            return Err(SegmentError::Checksum);
        }
        let mut from = Bytes(body.get(10..).unwrap_or_default());
        let key_id = u64::from_le_bytes(from.array()?);
        let account = from.account()?;
        let month = Month {
            year: u16::from_le_bytes(from.array()?),
            month: u8::from_le_bytes(from.array()?),
        };
        let outputs = from.outputs()?;
        let entries = if format == SORTED {
            from.sorted_entries(&outputs)?
        } else {
            from.entries(&outputs)?
        };
        if !from.0.is_empty() {
            return Err(SegmentError::Malformed);
        }
        Ok(Self {
            key_id,
            account,
            month,
            outputs,
            entries,
        })
    }
}

fn name(to: &mut Vec<u8>, name: &str) {
    // Identifiers are at most 128 bytes.
    to.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    to.extend_from_slice(name.as_bytes());
}

fn count(to: &mut Vec<u8>, n: usize) {
    to.extend_from_slice(&(n as u64).to_le_bytes());
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], SegmentError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(SegmentError::Malformed)?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SegmentError> {
        self.take(N)?
            .try_into()
            .map_err(|_| SegmentError::Malformed)
    }

    fn name(&mut self) -> Result<&'a str, SegmentError> {
        let [length] = self.array()?;
        std::str::from_utf8(self.take(length.into())?).map_err(|_| SegmentError::Malformed)
    }

    fn account(&mut self) -> Result<AccountId, SegmentError> {
        AccountId::parse(self.name()?).map_err(|_| SegmentError::Malformed)
    }

    /// A count of things of at least `size` bytes each: never more than the bytes can hold.
    fn count(&mut self, size: usize) -> Result<usize, SegmentError> {
        let n = u64::from_le_bytes(self.array()?);
        usize::try_from(n)
            .ok()
            .filter(|n| n.checked_mul(size).is_some_and(|all| all <= self.0.len()))
            .ok_or(SegmentError::Malformed)
    }

    fn outputs(&mut self) -> Result<Vec<Output>, SegmentError> {
        let n = self.count(36)?;
        let mut outputs = Vec::with_capacity(n);
        for _ in 0..n {
            outputs.push(Output {
                id: ExchangeId::parse(self.name()?).map_err(|_| SegmentError::Malformed)?,
                account: self.account()?,
                model: ModelName::parse(self.name()?).map_err(|_| SegmentError::Malformed)?,
                at: Timestamp(i64::from_le_bytes(self.array()?)),
                role: match self.array()? {
                    [0] => Role::Output,
                    [1] => Role::Control,
                    _ => return Err(SegmentError::Malformed),
                },
                prompt: u64::from_le_bytes(self.array()?),
                words: u32::from_le_bytes(self.array()?),
                own: [
                    u32::from_le_bytes(self.array()?),
                    u32::from_le_bytes(self.array()?),
                    u32::from_le_bytes(self.array()?),
                ],
            });
        }
        Ok(outputs)
    }

    fn entries(&mut self, outputs: &[Output]) -> Result<Vec<Entry>, SegmentError> {
        let n = self.count(8)?;
        if owned(outputs) != n as u64 {
            return Err(SegmentError::Malformed);
        }
        let (packed, _) = self.take(8 * n)?.as_chunks::<8>();
        let whose = (0_u32..).zip(outputs).flat_map(|(number, output)| {
            let own = output.own.into_iter().map(|own| own as usize).sum();
            std::iter::repeat_n(number, own)
        });
        let entries = packed.iter().zip(whose).map(|(packed, output)| Entry {
            packed: u64::from_le_bytes(*packed),
            output,
        });
        Ok(entries.collect())
    }

    fn sorted_entries(&mut self, outputs: &[Output]) -> Result<Vec<Entry>, SegmentError> {
        let n = self.count(12)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(n);
        let mut owned = vec![0_u64; outputs.len()];
        for _ in 0..n {
            let entry = Entry {
                packed: u64::from_le_bytes(self.array()?),
                output: u32::from_le_bytes(self.array()?),
            };
            let in_order = entries.last().is_none_or(|last| *last <= entry);
            let whose = owned.get_mut(entry.output as usize).filter(|_| in_order);
            *whose.ok_or(SegmentError::Malformed)? += 1;
            entries.push(entry);
        }
        let told = |output: &Output| output.own.into_iter().map(u64::from).sum::<u64>();
        if !outputs.iter().map(told).eq(owned) {
            return Err(SegmentError::Malformed);
        }
        entries.sort_by_key(|entry| entry.output);
        Ok(entries)
    }
}

/// All fingerprints of these outputs.
fn owned(outputs: &[Output]) -> u64 {
    let all = outputs.iter().flat_map(|output| output.own);
    all.map(u64::from).sum()
}
