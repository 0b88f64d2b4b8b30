//! The tree of RFC 6962 (and RFC 9162) over SHA-256, as a log grows it.

use verifier::merkle::{self, Nodes};
pub use verifier::merkle::{
    Hash, ProofError, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
use verifier::tile::{Tile, TileKind};

/// A growing tree that keeps the hash of every complete subtree: about 64
/// bytes per leaf. Roots and proofs at any earlier size cost O(log n) hashes
/// times the depth.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// `levels[k][i]` is the root of leaves `i * 2^k .. (i + 1) * 2^k`.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree over leaf hashes in order.
    pub fn from_hashes(hashes: impl IntoIterator<Item = Hash>) -> Self {
        let mut tree = Self::default();
        for hash in hashes {
            tree.push(hash);
        }
        tree
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends a leaf's hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(level) else {
                return;
            };
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => hash = node_hash(left, right),
                _ => return,
            }
        }
    }

    /// Root of the first `size` leaves; none beyond the tree's size. The root of
    /// no leaves is SHA-256 of nothing.
    pub fn root(&self, size: u64) -> Option<Hash> {
        if size > self.size() {
            return None;
        }
        merkle::root(&mut &*self, size).ok()
    }

    /// Proof that leaf `index` is in the tree of `size` leaves.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        merkle::inclusion_proof(&mut &*self, index, size).ok()
    }

    /// Proof that the tree of `size` leaves continues that of `earlier`.
    pub fn consistency_proof(&self, earlier: u64, size: u64) -> Option<Vec<Hash>> {
        if earlier > size || size > self.size() {
            return None;
        }
        merkle::consistency_proof(&mut &*self, earlier, size).ok()
    }

    /// The bytes of a tile of hashes; none when the tree does not reach it.
    pub fn tile(&self, tile: Tile) -> Option<Vec<u8>> {
        let TileKind::Hashes(level) = tile.kind() else {
            return None;
        };
        let row = self.levels.get(8 * usize::from(level))?;
        let from = usize::try_from(tile.index().checked_mul(256)?).ok()?;
        let hashes = row.get(from..from.checked_add(usize::from(tile.width()))?)?;
        Some(hashes.concat())
    }
}

/// A node that is not there; nobody learns more.
#[derive(Debug)]
pub struct Missing;

impl Nodes for &Tree {
    type Error = Missing;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Missing> {
        let row = self.levels.get(level as usize);
        let index = usize::try_from(index).map_err(|_| Missing)?;
        row.and_then(|row| row.get(index)).copied().ok_or(Missing)
    }
}

#[cfg(test)]
mod tests;
