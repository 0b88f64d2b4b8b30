//! Our tree, our tiles and our proofs against somebody else's (`tlog_tiles`,
//! a port of Go's `sumdb/tlog`) and against the definition itself.

use evidence::merkle::{Hash, Tree, leaf_hash, node_hash, verify_consistency, verify_inclusion};
use proptest::prelude::*;
use sha2::Digest as _;
use tlog_tiles::{HashReader, TileHashReader, TileReader, prove_record, prove_tree, tree_hash};
use verifier::tile::{Tile, TileKind, Tiles, entries, entry_bundle, new_tiles};

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

/// RFC 6962, section 2.1, word for word.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha2::Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&naive(&leaves[..k]), &naive(&leaves[k..]))
        }
    }
}

/// Their store of hashes.
struct Theirs(Vec<tlog_tiles::Hash>);

impl HashReader for Theirs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let at = |n: &u64| self.0[usize::try_from(*n).unwrap()];
        Ok(indexes.iter().map(at).collect())
    }
}

fn theirs(size: u64) -> Theirs {
    let mut all = Theirs(Vec::new());
    for n in 0..size {
        let more = tlog_tiles::stored_hashes(n, &entry(n), &all).unwrap();
        all.0.extend(more);
    }
    all
}

fn ours(size: u64) -> Tree {
    Tree::from_hashes((0..size).map(|n| leaf_hash(&entry(n))))
}

fn bare(proof: &[tlog_tiles::Hash]) -> Vec<Hash> {
    proof.iter().map(|hash| hash.0).collect()
}

/// Their reader of tiles, reading ours. Their tiles have a height, 8.
struct OurTiles<'a>(&'a Tree);

impl TileReader for OurTiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &tlog_tiles::Tile| {
            let path = tile.path();
            let ours = Tile::parse(&path.replacen("tile/8/", "tile/", 1)).expect("their path");
            self.0.tile(ours).expect("a tile of the tree")
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn roots_and_proofs_are_theirs(size in 1_u64..1200, index in any::<u64>(), earlier in any::<u64>()) {
        let (index, earlier) = (index % size, 1 + earlier % size);
        let (tree, other) = (ours(size), theirs(size));
        let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&entry(n))).collect();
        let root = tree.root(size).unwrap();
        prop_assert_eq!(root, tree_hash(size, &other).unwrap().0);
        prop_assert_eq!(root, naive(&leaves));
        let inclusion = tree.inclusion_proof(index, size).unwrap();
        prop_assert_eq!(&inclusion, &bare(&prove_record(size, index, &other).unwrap()));
        let consistency = tree.consistency_proof(earlier, size).unwrap();
        prop_assert_eq!(&consistency, &bare(&prove_tree(size, earlier, &other).unwrap()));
        let old = tree.root(earlier).unwrap();
        verify_inclusion(&leaf_hash(&entry(index)), index, size, &inclusion, &root).unwrap();
        verify_consistency(earlier, &old, size, &root, &consistency).unwrap();

        // The same out of tiles, by our reader and by theirs.
        let mut tiles = Tiles::new(size, |tile| tree.tile(tile).ok_or("no such tile"));
        prop_assert_eq!(tiles.root().unwrap(), root);
        prop_assert_eq!(tiles.inclusion_proof(index).unwrap(), inclusion.clone());
        prop_assert_eq!(tiles.consistency_proof(earlier).unwrap(), consistency);
        prop_assert_eq!(tiles.leaf(index).unwrap(), leaf_hash(&entry(index)));
        prop_assert!(tiles.inclusion_proof(size).is_err());
        let source = OurTiles(&tree);
        let reader = TileHashReader::new(size, tlog_tiles::Hash(root), &source);
        prop_assert_eq!(bare(&prove_record(size, index, &reader).unwrap()), inclusion);
    }

    #[test]
    fn new_tiles_are_theirs(earlier in 0_u64..200_000, more in 0_u64..200_000) {
        let size = earlier + more;
        let mut all: Vec<String> = new_tiles(earlier, size)
            .into_iter()
            .filter(|tile| tile.kind() != TileKind::Entries)
            .map(|tile| tile.to_string())
            .collect();
        let mut other: Vec<String> = tlog_tiles::Tile::new_tiles(8, earlier, size)
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        all.sort();
        other.sort();
        prop_assert_eq!(all, other);
    }

    #[test]
    fn paths_are_theirs_and_read_back(level in 0_u8..64, index in any::<u64>(), shift in 0_u32..64, width in 1_u16..=256) {
        let index = index >> shift;
        let tile = Tile::new(TileKind::Hashes(level), index, width).unwrap();
        let other = tlog_tiles::Tile::new(8, level, index, u32::from(width), false);
        prop_assert_eq!(tile.to_string(), other.path().replacen("tile/8/", "tile/", 1));
        prop_assert_eq!(Tile::parse(&tile.to_string()), Some(tile));
        let data = Tile::new(TileKind::Entries, index, width).unwrap();
        prop_assert_eq!(Tile::parse(&data.to_string()), Some(data));
    }

    #[test]
    fn entry_bundles_are_read_back(all in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..256), cut in any::<prop::sample::Index>()) {
        let bytes = entry_bundle(all.iter().map(Vec::as_slice)).unwrap();
        let width = u16::try_from(all.len()).unwrap();
        prop_assert_eq!(entries(&bytes, width).unwrap(), all.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let cut = cut.index(bytes.len());
        prop_assert_eq!(entries(&bytes[..cut], width), None);
    }

    #[test]
    fn no_path_is_read_that_is_not_written_so(path in "tile/[0-9ex]{1,3}/(x?[0-9]{2,4}/){0,2}[0-9]{2,4}(\\.p/[0-9]{1,3})?") {
        if let Some(tile) = Tile::parse(&path) {
            prop_assert_eq!(tile.to_string(), path);
        }
    }
}

/// A tile with one bit changed gives another root.
#[test]
fn a_changed_tile_gives_another_root() {
    let size = 70_001;
    let tree = ours(size);
    let root = tree.root(size).unwrap();
    for (kind, index) in [
        (TileKind::Hashes(0), 273),
        (TileKind::Hashes(1), 1),
        (TileKind::Hashes(2), 0),
    ] {
        let changed = Tile::in_log(kind, index, size).unwrap();
        let mut tiles = Tiles::new(size, |tile| {
            let mut bytes = tree.tile(tile).ok_or("no such tile")?;
            if tile == changed {
                bytes[7] ^= 4;
            }
            Ok::<_, &str>(bytes)
        });
        assert_ne!(tiles.root().unwrap(), root, "{changed}");
    }
    let mut short = Tiles::new(size, |tile| {
        tree.tile(tile).map(|b| b[1..].to_vec()).ok_or("")
    });
    assert!(short.root().is_err());
}
