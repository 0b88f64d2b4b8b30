//! What is remembered of one account: sums, and nothing that could not be
//! added up.
//!
//! An account is a mixture of programmes, and judging the mixture is blind
//! to a harvest hidden at a tenth of it. So sums are kept for the whole, and
//! once more for each *frame*: prompts that open alike, whose last message
//! opens alike, or that end alike fall into the same one of 32 frames of
//! that view, by a hash. Where a frame's prompts come from is a function of
//! the prompt alone, so two halves of an account, two shards or two days
//! add up to exactly the whole, in any order.
//!
//! # Units
//! Levels are 256ths of a binary logarithm ([`level`]); sums are integers,
//! because the addition of floats depends on its order.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use crate::cues::{CUES, Cue};
use crate::reading::Reading;

/// Frames of one view.
pub const FRAMES: u8 = 32;

/// The ways of looking for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// How the conversation opens.
    Opening,
    /// How its last message opens.
    Request,
    /// How it ends.
    Ending,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Opening, Self::Request, Self::Ending];

    fn place(self) -> u8 {
        match self {
            Self::Opening => 0,
            Self::Request => 1,
            Self::Ending => 2,
        }
    }
}

/// One frame of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// By which view.
    pub view: View,
    /// Which of its frames, below [`FRAMES`].
    pub number: u8,
}

/// Sums over some prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Prompts.
    pub exchanges: u32,
    /// Levels of each cue, summed.
    pub levels: [u32; CUES],
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            exchanges: 0,
            levels: [0; CUES],
        }
    }
}

impl Sums {
    fn add(&mut self, levels: &[u32; CUES]) {
        self.exchanges = self.exchanges.saturating_add(1);
        for (sum, level) in self.levels.iter_mut().zip(levels) {
            *sum = sum.saturating_add(*level);
        }
    }

    /// Adds what another part of the same prompts summed to.
    pub fn merge(&mut self, other: &Self) {
        self.exchanges = self.exchanges.saturating_add(other.exchanges);
        for (sum, more) in self.levels.iter_mut().zip(&other.levels) {
            *sum = sum.saturating_add(*more);
        }
    }

    /// The sums of some readings.
    pub fn of(readings: impl IntoIterator<Item = impl Borrow<[u32; CUES]>>) -> Self {
        let mut sums = Self::default();
        readings
            .into_iter()
            .for_each(|levels| sums.add(levels.borrow()));
        sums
    }
}

/// The level of a cue that occurs `count` times among `words` words, in 256ths of a binary
/// logarithm: twice the words excuse half again the cues.
///
/// Integers throughout, so that every machine gets the same.
pub fn level(count: u16, words: usize) -> u32 {
    let length = u64::try_from(words.clamp(30, 100_000)).unwrap_or(30);
    // 256 times the root of the length in units of 60 words.
    let scale = (length * 65_536 / 60).isqrt().max(1);
    let value = 65_536 + u64::from(count) * 65_536 * 256 / scale;
    let whole = value.ilog2();
    let part = (value >> (whole - 8)) & 0xff;
    ((whole - 16) << 8) | u32::try_from(part).unwrap_or(0)
}

/// The levels of all cues of one prompt.
pub fn levels(reading: &Reading) -> [u32; CUES] {
    let words = reading.length();
    let mut levels = [0; CUES];
    for (level_of, count) in levels.iter_mut().zip(reading.counts) {
        *level_of = level(count, words);
    }
    // These two are sizes, not occurrences.
    for cue in [Cue::Length, Cue::Richness] {
        if let (Some(to), Some(count)) =
            (levels.get_mut(cue.place()), reading.counts.get(cue.place()))
        {
            *to = u32::from(*count) << 6;
        }
    }
    levels
}

/// One account's sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    whole: Sums,
    frames: BTreeMap<Frame, Sums>,
}

impl Account {
    /// Exchanges observed.
    pub fn seen(&self) -> u32 {
        self.whole.exchanges
    }

    /// Sums over everything.
    pub fn whole(&self) -> &Sums {
        &self.whole
    }

    /// The frames that hold anything, with their sums.
    pub fn frames(&self) -> impl Iterator<Item = (Frame, &Sums)> {
        self.frames.iter().map(|(frame, sums)| (*frame, sums))
    }

    /// Takes one prompt into account.
    pub fn observe(&mut self, reading: &Reading) {
        self.observe_parts(&levels(reading), &frames_of(reading));
    }

    /// The same, of what was read before.
    pub fn observe_parts(&mut self, levels: &[u32; CUES], frames: &[Frame]) {
        self.whole.add(levels);
        for frame in frames {
            self.frames.entry(*frame).or_default().add(levels);
        }
    }

    /// Adds what another shard or day saw. They must not overlap: sums cannot tell.
    pub fn merge(&mut self, other: &Self) {
        self.whole.merge(&other.whole);
        for (frame, sums) in &other.frames {
            self.frames.entry(*frame).or_default().merge(sums);
        }
    }
}

/// The frames that a prompt falls into, one of each view.
pub fn frames_of(reading: &Reading) -> [Frame; 3] {
    View::ALL.map(|view| {
        let hash = match view {
            View::Opening => reading.opening,
            View::Request => reading.request,
            View::Ending => reading.ending,
        };
        let [number, ..] = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        Frame {
            view,
            number: number % FRAMES,
        }
    })
}

/// Stored sums cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stored sums of an account cannot be read: delete them, they are made anew from the exchanges")
    }
}

impl std::error::Error for Unreadable {}

/// The stored form's version.
const VERSION: u8 = 1;

impl Account {
    /// The stored form: a version, then variable-length integers.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        write_sums(&mut out, &self.whole);
        write(&mut out, u32::try_from(self.frames.len()).unwrap_or(0));
        for (frame, sums) in &self.frames {
            out.push(frame.view.place());
            out.push(frame.number);
            write_sums(&mut out, sums);
        }
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Unreadable`] when it is of another version, cut short, or out of order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut rest = bytes;
        if byte(&mut rest)? != VERSION {
            return Err(Unreadable);
        }
        let mut account = Self {
            whole: read_sums(&mut rest)?,
            frames: BTreeMap::new(),
        };
        for _ in 0..read(&mut rest)? {
            let place = byte(&mut rest)?;
            let view = View::ALL
                .into_iter()
                .find(|view| view.place() == place)
                .ok_or(Unreadable)?;
            let number = byte(&mut rest)?;
            let frame = Frame { view, number };
            let later = account
                .frames
                .last_key_value()
                .is_none_or(|(k, _)| *k < frame);
            if number >= FRAMES || !later {
                return Err(Unreadable);
            }
            account.frames.insert(frame, read_sums(&mut rest)?);
        }
        if rest.is_empty() {
            Ok(account)
        } else {
            Err(Unreadable)
        }
    }
}

fn write_sums(out: &mut Vec<u8>, sums: &Sums) {
    write(out, sums.exchanges);
    sums.levels.iter().for_each(|sum| write(out, *sum));
}

fn read_sums(rest: &mut &[u8]) -> Result<Sums, Unreadable> {
    let mut sums = Sums {
        exchanges: read(rest)?,
        levels: [0; CUES],
    };
    for sum in &mut sums.levels {
        *sum = read(rest)?;
    }
    Ok(sums)
}

/// LEB128.
fn write(out: &mut Vec<u8>, mut value: u32) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

fn read(rest: &mut &[u8]) -> Result<u32, Unreadable> {
    let mut value = 0_u64;
    for shift in (0..35).step_by(7) {
        let next = byte(rest)?;
        value |= u64::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return u32::try_from(value).map_err(|_| Unreadable);
        }
    }
    Err(Unreadable)
}

fn byte(rest: &mut &[u8]) -> Result<u8, Unreadable> {
    let (first, more) = rest.split_first().ok_or(Unreadable)?;
    *rest = more;
    Ok(*first)
}

#[cfg(test)]
mod tests;
