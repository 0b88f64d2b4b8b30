//! Roots and proofs out of tiles, wherever these come from.

use std::collections::HashMap;
use std::fmt;

use super::{Tile, TileKind, WIDTH, hashes};
use crate::merkle::{self, Hash, Nodes, node_hash};

/// Tiles kept while one reader lives: enough for the path of any proof, 8 KiB each.
const KEPT: usize = 64;

/// Why nothing can be read out of the tiles.
#[derive(Debug)]
pub enum TileError<E> {
    /// The source could not give a tile.
    Source(E),
    /// What it gave is not the tile's width in hashes.
    Bytes(Tile),
    /// A place beyond the log was asked for.
    Beyond {
        /// The place.
        place: u64,
        /// Entries of the log.
        size: u64,
    },
}

impl<E: fmt::Display> fmt::Display for TileError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => write!(f, "read a tile: {error}"),
            Self::Bytes(tile) => {
                write!(f, "`{tile}` does not hold {} hashes", tile.width())
            }
            Self::Beyond { place, size } => {
                write!(f, "place {place} is beyond the log of {size} entries")
            }
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for TileError<E> {}

/// A log of one size, read through its tiles. Nothing that comes out is
/// trusted by itself: a root is compared with a checkpoint's, a proof checked
/// against one.
pub struct Tiles<F> {
    size: u64,
    source: F,
    kept: HashMap<Tile, Vec<Hash>>,
}

impl<F> fmt::Debug for Tiles<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tiles")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl<E, F: FnMut(Tile) -> Result<Vec<u8>, E>> Tiles<F> {
    /// The log of `size` entries whose tiles `source` gives. It is asked for a
    /// tile exactly as wide as the log has it, and may cut it from a wider one.
    pub fn new(size: u64, source: F) -> Self {
        Self {
            size,
            source,
            kept: HashMap::new(),
        }
    }

    /// Root of the tree.
    ///
    /// # Errors
    /// [`TileError`] when a tile is missing or damaged.
    pub fn root(&mut self) -> Result<Hash, TileError<E>> {
        let size = self.size;
        merkle::root(self, size)
    }

    /// Hash of an entry, as its tile states it.
    ///
    /// # Errors
    /// [`TileError`] when a tile is missing or damaged, or the entry is beyond.
    pub fn leaf(&mut self, index: u64) -> Result<Hash, TileError<E>> {
        self.node(0, index)
    }

    /// Proof that entry `index` is in the log.
    ///
    /// # Errors
    /// [`TileError`] when a tile is missing or damaged, or the entry is beyond.
    pub fn inclusion_proof(&mut self, index: u64) -> Result<Vec<Hash>, TileError<E>> {
        let size = self.size;
        self.within(index, index >= size)?;
        merkle::inclusion_proof(self, index, size)
    }

    /// Proof that the log continues that of `earlier` entries.
    ///
    /// # Errors
    /// [`TileError`] when a tile is missing or damaged, or `earlier` is beyond.
    pub fn consistency_proof(&mut self, earlier: u64) -> Result<Vec<Hash>, TileError<E>> {
        let size = self.size;
        self.within(earlier, earlier > size)?;
        merkle::consistency_proof(self, earlier, size)
    }

    fn within(&self, place: u64, beyond: bool) -> Result<(), TileError<E>> {
        let size = self.size;
        if beyond {
            return Err(TileError::Beyond { place, size });
        }
        Ok(())
    }

    fn tile(&mut self, tile: Tile) -> Result<&[Hash], TileError<E>> {
        if !self.kept.contains_key(&tile) {
            let bytes = (self.source)(tile).map_err(TileError::Source)?;
            let read = hashes(&bytes, tile.width()).ok_or(TileError::Bytes(tile))?;
            if self.kept.len() >= KEPT {
                self.kept.clear();
            }
            self.kept.insert(tile, read);
        }
        self.kept
            .get(&tile)
            .map(Vec::as_slice)
            .ok_or(TileError::Bytes(tile))
    }
}

impl<E, F: FnMut(Tile) -> Result<Vec<u8>, E>> Nodes for Tiles<F> {
    type Error = TileError<E>;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        let size = self.size;
        let beyond = || TileError::Beyond { place: index, size };
        let (row, above) = (level / 8, level % 8);
        let first = index.checked_shl(above).ok_or_else(beyond)?;
        let kind = TileKind::Hashes(u8::try_from(row).map_err(|_| beyond())?);
        let tile = Tile::in_log(kind, first / WIDTH, size).ok_or_else(beyond)?;
        let from = usize::try_from(first % WIDTH).map_err(|_| beyond())?;
        let hashes = self.tile(tile)?;
        let mut hashes = hashes
            .get(from..from + (1 << above))
            .ok_or_else(beyond)?
            .to_vec();
        while hashes.len() > 1 {
            let (pairs, _) = hashes.as_chunks::<2>();
            hashes = pairs.iter().map(|[a, b]| node_hash(a, b)).collect();
        }
        hashes.first().copied().ok_or_else(beyond)
    }
}
