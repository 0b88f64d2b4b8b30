//! Checking proofs (RFC 9162, sections 2.1.3.2 and 2.1.4.2).

use std::fmt;

use super::{Hash, node_hash};

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofError {
    /// The index or the sizes are impossible.
    Range,
    /// Too few or too many nodes.
    Length,
    /// A root computed differs from the one claimed.
    Root,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Range => "the proof speaks of a place outside the tree",
            Self::Length => "the proof has too few or too many nodes",
            Self::Root => "the root computed from the proof differs from the checkpoint's",
        })
    }
}

impl std::error::Error for ProofError {}

/// Checks that `leaf` is at `index` in the tree of `size` leaves with `root`.
///
/// # Errors
/// [`ProofError`] unless it is proven with exactly the nodes needed.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for node in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(node, &hash);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, node);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Checks that the tree of `size` leaves with `root` continues the tree of
/// `earlier` leaves with `earlier_root`. The empty tree has nothing to be
/// consistent with: `earlier` of 0 is refused, as the published vectors do.
///
/// # Errors
/// [`ProofError`] unless it is proven with exactly the nodes needed.
pub fn verify_consistency(
    earlier: u64,
    earlier_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if earlier == 0 || earlier > size {
        return Err(ProofError::Range);
    }
    if earlier == size {
        return match (proof.is_empty(), earlier_root == root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let (mut place, mut last) = (earlier - 1, size - 1);
    while place & 1 == 1 {
        (place, last) = (place >> 1, last >> 1);
    }
    let (seed, rest) = if earlier.is_power_of_two() {
        (*earlier_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*first, rest)
    };
    let (mut old, mut new) = (seed, seed);
    for node in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            old = node_hash(node, &old);
            new = node_hash(node, &new);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            new = node_hash(&new, node);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old == *earlier_root && new == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
