use proptest::prelude::*;

use super::*;
use crate::merkle::{Tree, leaf_hash, verify_consistency, verify_inclusion};

fn leaf(n: u64) -> Hash {
    leaf_hash(&n.to_be_bytes())
}

/// A tree kept as the store keeps it: full tiles of leaves, and all tiles above.
fn kept(size: u64) -> (Edge, Kept) {
    let mut edge = Edge::default();
    let mut tiles = Kept::new();
    for n in 0..size {
        tiles.entry((0, n / WIDTH)).or_default().push(leaf(n));
        edge.push(leaf(n), |f| {
            let tile = tiles.entry((f.level, f.index / WIDTH)).or_default();
            assert_eq!(tile.len() as u64, f.index % WIDTH, "in order");
            tile.push(f.hash);
        });
    }
    (edge, tiles)
}

type Kept = BTreeMap<(u8, u64), Vec<Hash>>;

/// Reads what the question needs, cut to the width that is asked for.
fn answer(question: Question, size: u64, kept: &Kept) -> Vec<Hash> {
    let read = question.tiles(size).into_iter().map(|tile| {
        let TileKind::Hashes(level) = tile.kind() else {
            panic!("a proof needs no entries");
        };
        let hashes = &kept[&(level, tile.index())][..usize::from(tile.width())];
        (tile, hashes.concat())
    });
    question.answer(size, &read.collect()).unwrap()
}

#[test]
fn tiles_and_edge_say_what_the_tree_says() {
    // 66,000 reaches the second level of tiles above the leaves.
    let (edge, kept) = kept(66_000);
    let tree = Tree::from_hashes((0..66_000).map(leaf));
    assert_eq!(Some(edge.root()), tree.root(66_000));
    for size in [
        1, 2, 255, 256, 257, 511, 512, 4_095, 65_535, 65_536, 65_537, 66_000,
    ] {
        let root = answer(Question::Root, size, &kept);
        assert_eq!(root.first().copied(), tree.root(size), "root of {size}");
        for index in [0, 1, size / 3, size / 2, size - 1].map(|i| i.min(size - 1)) {
            let proof = answer(Question::Inclusion(index), size, &kept);
            let expected = tree.inclusion_proof(index, size);
            assert_eq!(Some(proof), expected, "{index} in {size}");
        }
        for earlier in [0, 1, size / 2, size.saturating_sub(1), size] {
            let proof = answer(Question::Consistency(earlier), size, &kept);
            let expected = tree.consistency_proof(earlier, size);
            assert_eq!(Some(proof), expected, "{earlier} to {size}");
        }
    }
}

#[test]
fn a_question_without_its_tiles_has_no_answer() {
    let none = BTreeMap::new();
    assert_eq!(Question::Root.answer(5, &none), Err(Missing));
    assert_eq!(Question::Inclusion(5).answer(5, &none), Err(Missing));
    assert_eq!(Question::Consistency(6).answer(5, &none), Err(Missing));
    assert_eq!(Question::Consistency(0).answer(5, &none), Ok(Vec::new()));
}

#[test]
fn an_edge_of_another_size_is_refused() {
    let (edge, _) = kept(5);
    let bytes = edge.to_bytes();
    assert_eq!(Edge::from_bytes(5, &bytes), Ok(edge));
    for (size, bytes) in [
        (4, &bytes[..]),
        (7, &bytes[..]),
        (5, &bytes[1..]),
        (0, &bytes[..32]),
    ] {
        assert!(Edge::from_bytes(size, bytes).is_err(), "{size}");
    }
    assert_eq!(
        Edge::from_bytes(0, &[]).unwrap().root(),
        Tree::default().root(0).unwrap()
    );
}

#[test]
fn a_ledgers_name_is_its_accounts_digest() {
    let acme = ledger_origin("log", Some("acme"));
    // printf 'fairhold account\0acme' | sha256sum
    assert_eq!(acme, "log/5c7ebc9d67306b58e2efcaaff166489f");
    let others = [
        ledger_origin("log", Some("acme2")),
        ledger_origin("log", Some("house")),
        ledger_origin("log", None),
        ledger_origin(&root_origin("log", 2), Some("acme")),
    ];
    assert!(others.iter().all(|o| *o != acme));
    assert_eq!(
        (
            root_origin("log", 1).as_str(),
            root_origin("log", 2).as_str()
        ),
        ("log", "log@2")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn proofs_from_tiles_hold(size in 1_u64..3_000, a in any::<u64>(), b in any::<u64>()) {
        let (edge, tiles) = kept(size);
        let index = a % size;
        let proof = answer(Question::Inclusion(index), size, &tiles);
        prop_assert!(verify_inclusion(&leaf(index), index, size, &proof, &edge.root()).is_ok());
        let earlier = 1 + b % size;
        let before = kept(earlier).0.root();
        let proof = answer(Question::Consistency(earlier), size, &tiles);
        prop_assert!(verify_consistency(earlier, &before, size, &edge.root(), &proof).is_ok());
    }

    #[test]
    fn an_edge_goes_on_where_it_was_kept(first in 0_u64..600, then in 0_u64..600) {
        let mut edge = kept(first).0;
        edge = Edge::from_bytes(first, &edge.to_bytes()).unwrap();
        for n in first..first + then {
            edge.push(leaf(n), |_| {});
        }
        prop_assert_eq!(edge.root(), kept(first + then).0.root());
    }
}
