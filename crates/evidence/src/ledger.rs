//! A tree kept as tiles: what must be remembered to go on with it, and which
//! tiles a root or a proof is made of.
//!
//! An [`Edge`] is all that appending needs: the roots of the complete subtrees,
//! one for each bit of the size. Everything else is in tiles of 256 hashes
//! (C2SP tlog-tiles), and a [`Question`] says which of them to read. Nothing
//! here reads them: whoever keeps them does, and hands them in.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;

pub use verifier::bundle::ledger_origin;
use verifier::merkle::{self, Hash, Nodes, empty_root, node_hash};
use verifier::tile::{Tile, TileKind, Tiles, WIDTH};

/// Each level of tiles stands for eight of the tree.
const HEIGHT: u32 = 8;

/// The right edge of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    /// Roots of the complete subtrees, the largest first.
    peaks: Vec<Hash>,
}

/// A stored edge that fits no tree of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeError {
    /// The size.
    pub size: u64,
    /// Hashes that it should have.
    pub expected: u32,
    /// Bytes found.
    pub bytes: usize,
}

impl fmt::Display for EdgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the edge of a tree of {} leaves has {} hashes of 32 bytes, and {} bytes are kept",
            self.size, self.expected, self.bytes
        )
    }
}

impl std::error::Error for EdgeError {}

/// A subtree that an append completed: one hash of a tile above the leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// The level of the tile that the hash goes into, from 1.
    pub level: u8,
    /// The hash's place in that level.
    pub index: u64,
    /// Root of the full tile below.
    pub hash: Hash,
}

impl Edge {
    /// The edge of a tree that was kept.
    ///
    /// # Errors
    /// [`EdgeError`] when the bytes are not an edge of that size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, EdgeError> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        let expected = size.count_ones();
        if !rest.is_empty() || u32::try_from(peaks.len()) != Ok(expected) {
            return Err(EdgeError {
                size,
                expected,
                bytes: bytes.len(),
            });
        }
        Ok(Self {
            size,
            peaks: peaks.to_vec(),
        })
    }

    /// Its stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf's hash; hands over every subtree of 256, 65,536 ... leaves that is now complete.
    pub fn push(&mut self, leaf: Hash, mut finished: impl FnMut(Finished)) {
        let mut hash = leaf;
        for height in 1..=self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            if height.is_multiple_of(HEIGHT)
                && let Ok(level) = u8::try_from(height / HEIGHT)
            {
                let index = self.size >> height;
                finished(Finished { level, index, hash });
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => empty_root(),
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

/// Root of a run of hashes that is a tree of its own.
pub fn root_of(hashes: &[Hash]) -> Hash {
    let mut edge = Edge::default();
    for hash in hashes {
        edge.push(*hash, |_| {});
    }
    edge.root()
}

/// What is asked of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Its root.
    Root,
    /// Proof that this leaf is in it.
    Inclusion(u64),
    /// Proof that it continues the tree of so many leaves.
    Consistency(u64),
}

impl Question {
    /// The tiles that answer it for a tree of `size` leaves, each as wide as that tree has it.
    pub fn tiles(self, size: u64) -> BTreeSet<Tile> {
        let mut needed = Needed {
            size,
            tiles: BTreeSet::new(),
        };
        // Nodes that need no reading cannot fail.
        let Ok(()) = match self {
            Self::Root => merkle::root(&mut needed, size).map(drop),
            Self::Inclusion(index) => merkle::inclusion_proof(&mut needed, index, size).map(drop),
            Self::Consistency(earlier) => {
                merkle::consistency_proof(&mut needed, earlier, size).map(drop)
            }
        };
        needed.tiles
    }

    /// The answer, from those tiles: the root alone, or the proof's hashes.
    ///
    /// # Errors
    /// [`Missing`] when a tile is not there or not as wide, or the place is beyond the tree.
    pub fn answer(self, size: u64, tiles: &BTreeMap<Tile, Vec<u8>>) -> Result<Vec<Hash>, Missing> {
        let mut read = Tiles::new(size, |tile| tiles.get(&tile).cloned().ok_or(Missing));
        match self {
            Self::Root => read.root().map(|root| vec![root]),
            Self::Inclusion(index) => read.inclusion_proof(index),
            Self::Consistency(earlier) => read.consistency_proof(earlier),
        }
        .map_err(|_| Missing)
    }
}

/// A tile that was asked for is not there as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing;

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tile that the proof needs is missing or damaged")
    }
}

impl std::error::Error for Missing {}

/// Walks a tree to see which tiles it would read.
struct Needed {
    size: u64,
    tiles: BTreeSet<Tile>,
}

impl Nodes for Needed {
    type Error = Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let kind = TileKind::Hashes(u8::try_from(level / HEIGHT).unwrap_or(u8::MAX));
        let first = index << (level % HEIGHT);
        self.tiles
            .extend(Tile::in_log(kind, first / WIDTH, self.size));
        Ok([0; 32])
    }
}

/// The root log's name in an epoch: the log's own, then `@2`, `@3` ...
pub fn root_origin(log: &str, epoch: u64) -> String {
    if epoch <= 1 {
        log.to_owned()
    } else {
        format!("{log}@{epoch}")
    }
}

#[cfg(test)]
mod tests;
