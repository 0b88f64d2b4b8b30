//! A tree kept as tiles: what must be remembered to go on with it, and which
//! tiles a root or a proof is made of.
//!
//! An [`Edge`] is all that appending needs: the roots of the complete subtrees,
//! one for each bit of the size. Everything else is in tiles of 256 hashes
//! (C2SP tlog-tiles), and a [`Plan`] says which of them to read. Nothing here
//! reads them: whoever keeps them does, and hands them in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::merkle::{Hash, node_hash};

/// Hashes of a full tile, and entries of a full bundle.
pub const WIDTH: u64 = 256;
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
            None => Sha256::digest([]).into(),
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

/// Root of a full or partial run of hashes that begins at a multiple of its size rounded up to a power of two.
pub fn root_of(hashes: &[Hash]) -> Hash {
    let mut edge = Edge::default();
    for hash in hashes {
        edge.push(*hash, |_| {});
    }
    edge.root()
}

/// A complete subtree: `2^height` leaves from `index * 2^height` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    height: u32,
    index: u64,
}

impl Node {
    /// The tile it is computed from, and which of its hashes.
    fn place(self) -> (u8, u64, std::ops::Range<usize>) {
        let within = self.height % HEIGHT;
        let first = self.index << within;
        let offset = usize::try_from(first % WIDTH).unwrap_or(0);
        let level = u8::try_from(self.height / HEIGHT).unwrap_or(u8::MAX);
        (level, first / WIDTH, offset..offset + (1 << within))
    }
}

/// The tiles that were read, by level and place.
pub type Tiles = BTreeMap<(u8, u64), Vec<Hash>>;

/// What a root or a proof is made of: for each of its hashes, the complete
/// subtrees that add up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    hashes: Vec<Vec<Node>>,
}

impl Plan {
    /// The root of the first `size` leaves, as the only hash. Size 0 needs no tile and has no hash.
    pub fn root(size: u64) -> Self {
        let mut plan = Self { hashes: Vec::new() };
        if size > 0 {
            plan.add(0, size);
        }
        plan
    }

    /// Proof that leaf `index` is in the tree of `size` leaves; none for an impossible place.
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut plan = Self { hashes: Vec::new() };
        let (mut low, mut count) = (0, size);
        while count > 1 {
            let left = split(count);
            if index - low < left {
                plan.add(low + left, count - left);
                count = left;
            } else {
                plan.add(low, left);
                (low, count) = (low + left, count - left);
            }
        }
        plan.hashes.reverse();
        Some(plan)
    }

    /// Proof that the tree of `size` leaves continues that of `earlier`; none when it is the larger.
    pub fn consistency(earlier: u64, size: u64) -> Option<Self> {
        if earlier > size {
            return None;
        }
        let mut plan = Self { hashes: Vec::new() };
        if earlier == 0 || earlier == size {
            return Some(plan);
        }
        let (mut low, mut count, mut known) = (0, size, true);
        while earlier - low != count {
            let left = split(count);
            if earlier - low <= left {
                plan.add(low + left, count - left);
                count = left;
            } else {
                plan.add(low, left);
                (low, count, known) = (low + left, count - left, false);
            }
        }
        if !known {
            plan.add(low, count);
        }
        plan.hashes.reverse();
        Some(plan)
    }

    /// The tiles to read: level and place.
    pub fn tiles(&self) -> BTreeSet<(u8, u64)> {
        let nodes = self.hashes.iter().flatten();
        nodes
            .map(|node| {
                let (level, n, _) = node.place();
                (level, n)
            })
            .collect()
    }

    /// The hashes, from tiles that hold at least what is needed; none when one is missing or short.
    pub fn resolve(&self, tiles: &Tiles) -> Option<Vec<Hash>> {
        let node = |node: &Node| {
            let (level, n, range) = node.place();
            tiles.get(&(level, n))?.get(range).map(root_of)
        };
        let hash = |nodes: &Vec<Node>| {
            let mut roots = nodes.iter().rev();
            let last = node(roots.next()?)?;
            roots.try_fold(last, |right, left| Some(node_hash(&node(left)?, &right)))
        };
        self.hashes.iter().map(hash).collect()
    }

    /// The subtrees that add up to `count` leaves from `low`.
    fn add(&mut self, low: u64, count: u64) {
        let (mut at, mut left) = (low, count);
        let mut nodes = Vec::new();
        while left > 0 {
            let height = left.ilog2();
            nodes.push(Node {
                height,
                index: at >> height,
            });
            at += 1 << height;
            left -= 1 << height;
        }
        self.hashes.push(nodes);
    }
}

/// The largest power of two below `count` (`count` is at least 2).
fn split(count: u64) -> u64 {
    count.next_power_of_two() / 2
}

/// Every tile of a tree: level, place and width, full or partial.
pub fn tiles_of(size: u64) -> impl Iterator<Item = (u8, u64, u16)> {
    (0..8_u8)
        .map(move |level| {
            (
                level,
                size.checked_shr(u32::from(level) * HEIGHT).unwrap_or(0),
            )
        })
        .take_while(|(_, hashes)| *hashes > 0)
        .flat_map(|(level, hashes)| {
            (0..hashes.div_ceil(WIDTH)).map(move |n| {
                let width = (hashes - n * WIDTH).min(WIDTH);
                (level, n, u16::try_from(width).unwrap_or(0))
            })
        })
}

/// The body of a checkpoint: what is signed, and what the root log's entries are.
pub fn body(origin: &str, size: u64, root: &Hash) -> String {
    use base64::Engine as _;
    let root = base64::engine::general_purpose::STANDARD.encode(root);
    format!("{origin}\n{size}\n{root}\n")
}

/// The root log's name in an epoch: the log's own, then `@2`, `@3` ...
pub fn root_origin(log: &str, epoch: u64) -> String {
    if epoch <= 1 {
        log.to_owned()
    } else {
        format!("{log}@{epoch}")
    }
}

/// The name of an account's ledger below the root log's: the first 16 bytes of HMAC-SHA256 of the
/// account under a key of this house. The root log is public, and an unkeyed digest of a name that
/// can be guessed would tell who is a customer. None is the ledger of records without an account.
pub fn ledger_origin(root_origin: &str, key: &[u8; 32], account: Option<&str>) -> String {
    let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).map(|mac| {
        let mac = match account {
            Some(account) => mac.chain_update(b"account\0").chain_update(account),
            None => mac.chain_update(b"house\0"),
        };
        mac.finalize().into_bytes()
    });
    let tag: String = mac
        .map(|bytes| bytes.iter().take(16).map(|b| format!("{b:02x}")).collect())
        .unwrap_or_default();
    format!("{root_origin}/{tag}")
}

/// Why an entry does not fit a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong(pub usize);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an entry of {} bytes exceeds 65,535", self.0)
    }
}

impl std::error::Error for TooLong {}

/// A bundle of entries: each after its length in two bytes.
///
/// # Errors
/// [`TooLong`] for an entry that two bytes cannot count.
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, TooLong> {
    let mut out = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TooLong(entry.len()))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
