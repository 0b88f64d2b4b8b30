//! The tree of RFC 6962 (and RFC 9162) over SHA-256.

use sha2::{Digest as _, Sha256};

mod proof;

pub use proof::{ProofError, verify_consistency, verify_inclusion};

/// A node of the tree.
pub type Hash = [u8; 32];

/// Hash of a leaf: SHA-256 of a zero byte and its bytes.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(leaf)
        .finalize()
        .into()
}

/// Hash of an inner node: SHA-256 of a one byte, left and right.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

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
        match size {
            0 => Some(Sha256::digest([]).into()),
            _ if size > self.size() => None,
            _ => self.range(0, size),
        }
    }

    /// Proof that leaf `index` is in the tree of `size` leaves.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let mut proof = Vec::new();
        let (mut low, mut count) = (0, size);
        while count > 1 {
            let left = split(count);
            if index - low < left {
                proof.push(self.range(low + left, count - left)?);
                count = left;
            } else {
                proof.push(self.range(low, left)?);
                (low, count) = (low + left, count - left);
            }
        }
        proof.reverse();
        Some(proof)
    }

    /// Proof that the tree of `size` leaves continues that of `earlier`.
    pub fn consistency_proof(&self, earlier: u64, size: u64) -> Option<Vec<Hash>> {
        if earlier > size || size > self.size() {
            return None;
        }
        if earlier == 0 || earlier == size {
            return Some(Vec::new());
        }
        let mut proof = Vec::new();
        let (mut low, mut count, mut known) = (0, size, true);
        loop {
            if earlier - low == count {
                if !known {
                    proof.push(self.range(low, count)?);
                }
                proof.reverse();
                return Some(proof);
            }
            let left = split(count);
            if earlier - low <= left {
                proof.push(self.range(low + left, count - left)?);
                count = left;
            } else {
                proof.push(self.range(low, left)?);
                (low, count, known) = (low + left, count - left, false);
            }
        }
    }

    /// Root of `count` leaves from `low`; `low` is a multiple of the power of two at or above `count`.
    fn range(&self, low: u64, count: u64) -> Option<Hash> {
        if count.is_power_of_two() {
            let row = self.levels.get(count.trailing_zeros() as usize)?;
            return row.get(usize::try_from(low / count).ok()?).copied();
        }
        let left = split(count);
        Some(node_hash(
            &self.range(low, left)?,
            &self.range(low + left, count - left)?,
        ))
    }
}

/// The largest power of two below `count` (`count` is at least 2).
fn split(count: u64) -> u64 {
    count.next_power_of_two() / 2
}

#[cfg(test)]
mod tests;
