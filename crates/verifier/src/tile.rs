//! Tiles (C2SP tlog-tiles): where the hashes and entries of a log lie, what
//! the bytes there mean, and proofs read out of them.
//!
//! A tile at level `l` holds up to 256 roots of complete subtrees of
//! `256^l` entries each; the one at the right edge is partial.

use std::fmt;

use crate::merkle::Hash;

mod read;

pub use read::{TileError, Tiles};

/// Hashes, or entries, of a full tile.
pub const WIDTH: u64 = 256;
/// Bytes of the largest entry that a bundle can hold.
pub const LARGEST_ENTRY: usize = 65_535;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of this level, 0 to 63.
    Hashes(u8),
    /// Log entries themselves.
    Entries,
}

/// A tile's place: its kind, its index among its kind, how much of it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl Tile {
    /// A tile of 1 to 256 hashes or entries at a level up to 63.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Option<Self> {
        let level = matches!(kind, TileKind::Hashes(level) if level > 63);
        (!level && (1..=256).contains(&width)).then_some(Self { kind, index, width })
    }

    /// The tile at `index` as a log of `size` entries has it; none beyond it.
    pub fn in_log(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let below = index.checked_mul(WIDTH)?;
        let left = hashes_at(kind, size).checked_sub(below)?.min(WIDTH);
        Self::new(kind, index, u16::try_from(left).ok()?)
    }

    /// What it holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its place among the tiles of its kind.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in it, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether it is full and will never change.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// The full tile at the same place.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: 256, ..self }
    }

    /// Reads a path, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`;
    /// none when it is spelled in any other way than the one allowed.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match level {
            "entries" => TileKind::Entries,
            digits => TileKind::Hashes(digits.parse().ok()?),
        };
        let (place, width) = match rest.split_once(".p/") {
            Some((place, width)) => (place, width.parse().ok()?),
            None => (rest, 256),
        };
        let mut index = 0_u64;
        for part in place.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            let part: u64 = digits.parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(part)?;
        }
        // There is one spelling: whatever was read otherwise is not written so.
        Self::new(kind, index, width).filter(|tile| tile.to_string() == path)
    }
}

/// The tile's path below the log's prefix.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        while let Some(group) = groups.pop() {
            if groups.is_empty() {
                write!(f, "{group:03}")?;
            } else {
                write!(f, "x{group:03}/")?;
            }
        }
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

/// How many hashes (or entries) of a kind a log of `size` entries has.
fn hashes_at(kind: TileKind, size: u64) -> u64 {
    match kind {
        TileKind::Entries => size,
        TileKind::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
    }
}

/// Every tile that a log of `size` entries has and one of `earlier` had not:
/// those that became full, and the partial ones at the new edge. Entries
/// first, then level by level.
pub fn new_tiles(earlier: u64, size: u64) -> Vec<Tile> {
    let kinds = std::iter::once(TileKind::Entries).chain((0..8).map(TileKind::Hashes));
    let mut tiles = Vec::new();
    for kind in kinds {
        let (before, now) = (hashes_at(kind, earlier), hashes_at(kind, size));
        if now > before {
            let places = before / WIDTH..now.div_ceil(WIDTH);
            tiles.extend(places.filter_map(|index| Tile::in_log(kind, index, size)));
        }
    }
    tiles
}

/// The hashes of a tile's bytes; none when they are not exactly `width` hashes.
pub fn hashes(bytes: &[u8], width: u16) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() == usize::from(width)).then(|| hashes.to_vec())
}

/// The bytes of an entry bundle: each entry after its length in two bytes,
/// high byte first. None when an entry is longer than 65,535 bytes.
pub fn entry_bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Some(bytes)
}

/// The entries of a bundle; none when its bytes are not exactly `width` entries.
pub fn entries(bytes: &[u8], width: u16) -> Option<Vec<&[u8]>> {
    let mut found = Vec::with_capacity(usize::from(width));
    let mut rest = bytes;
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let (entry, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        found.push(entry);
        rest = tail;
    }
    (rest.is_empty() && found.len() == usize::from(width)).then_some(found)
}

#[cfg(test)]
mod tests;
