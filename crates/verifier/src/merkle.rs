//! The tree of RFC 6962 (and RFC 9162) over SHA-256: its hashes, and the walk
//! that finds roots and proofs in whatever keeps the nodes.

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

/// Root of no leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Whatever keeps the nodes of a tree, complete subtrees only.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// Root of the leaves `index * 2^level .. (index + 1) * 2^level`.
    ///
    /// # Errors
    /// When the node is not kept or cannot be read.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Root of the first `size` leaves.
///
/// # Errors
/// Those of the nodes.
pub fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    match size {
        0 => Ok(empty_root()),
        _ => range(nodes, 0, size),
    }
}

/// Proof that leaf `index` is in the tree of `size` leaves, from the leaf's
/// sibling up. Nothing is proven about a leaf beyond the tree: empty then.
///
/// # Errors
/// Those of the nodes.
pub fn inclusion_proof<N: Nodes>(
    nodes: &mut N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if index >= size {
        return Ok(proof);
    }
    let (mut low, mut count) = (0, size);
    while count > 1 {
        let left = split(count);
        if index - low < left {
            proof.push(range(nodes, low + left, count - left)?);
            count = left;
        } else {
            proof.push(range(nodes, low, left)?);
            (low, count) = (low + left, count - left);
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Proof that the tree of `size` leaves continues that of `earlier`; empty
/// when there is nothing to prove.
///
/// # Errors
/// Those of the nodes.
pub fn consistency_proof<N: Nodes>(
    nodes: &mut N,
    earlier: u64,
    size: u64,
) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if earlier == 0 || earlier >= size {
        return Ok(proof);
    }
    let (mut low, mut count, mut known) = (0, size, true);
    while earlier - low != count {
        let left = split(count);
        if earlier - low <= left {
            proof.push(range(nodes, low + left, count - left)?);
            count = left;
        } else {
            proof.push(range(nodes, low, left)?);
            (low, count, known) = (low + left, count - left, false);
        }
    }
    if !known {
        proof.push(range(nodes, low, count)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Root of the tree of these leaves' hashes.
pub fn tree_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let left = usize::try_from(split(many.len() as u64)).unwrap_or(1);
            let (left, right) = many.split_at(left.min(many.len()));
            node_hash(&tree_root(left), &tree_root(right))
        }
    }
}

/// Root of `count` leaves from `low`; `low` is a multiple of the power of two
/// at or above `count`.
fn range<N: Nodes>(nodes: &mut N, low: u64, count: u64) -> Result<Hash, N::Error> {
    if count.is_power_of_two() {
        return nodes.node(count.trailing_zeros(), low / count);
    }
    let left = split(count);
    let (a, b) = (
        range(nodes, low, left)?,
        range(nodes, low + left, count - left)?,
    );
    Ok(node_hash(&a, &b))
}

/// The largest power of two below `count` (`count` is at least 2). Written so
/// that it holds up to the largest size that a checkpoint can state.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}
