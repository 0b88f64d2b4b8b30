use super::*;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

/// The definition of RFC 6962, section 2.1, word for word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
        }
    }
}

fn at(place: u64) -> usize {
    usize::try_from(place).unwrap()
}

fn leaves(count: u32) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

#[test]
fn roots_and_proofs_agree_with_the_definition_at_every_size() {
    let all = leaves(130);
    let tree = Tree::from_hashes(all.iter().copied());
    for size in 0..=130_u64 {
        let root = tree.root(size).unwrap();
        assert_eq!(root, naive_root(&all[..at(size)]));
        for index in 0..size {
            let proof = tree.inclusion_proof(index, size).unwrap();
            verify_inclusion(&all[at(index)], index, size, &proof, &root).unwrap();
        }
        for earlier in 1..=size {
            let proof = tree.consistency_proof(earlier, size).unwrap();
            verify_consistency(earlier, &tree.root(earlier).unwrap(), size, &root, &proof).unwrap();
        }
    }
    assert_eq!(tree.root(131), None);
    assert_eq!(tree.inclusion_proof(5, 5), None);
    assert_eq!(tree.consistency_proof(6, 5), None);
}

proptest! {
    #[test]
    fn a_changed_proof_proves_nothing(size in 2_u32..200, index in any::<u32>(), node in any::<prop::sample::Index>(),
                                      bit in 0_usize..256, how in 0..4) {
        let all = leaves(size);
        let tree = Tree::from_hashes(all.iter().copied());
        let (index, size) = (u64::from(index % size), u64::from(size));
        let root = tree.root(size).unwrap();
        let mut proof = tree.inclusion_proof(index, size).unwrap();
        let mut leaf = all[at(index)];
        match how {
            0 => { let n = node.index(proof.len()); proof[n][bit / 8] ^= 1 << (bit % 8); }
            1 => { proof.pop(); }
            2 => proof.push([0; 32]),
            _ => leaf[bit / 8] ^= 1 << (bit % 8),
        }
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root).is_err());
    }

    #[test]
    fn a_rewritten_history_is_not_consistent(earlier in 1_u32..100, more in 1_u32..100, changed in any::<u32>()) {
        let mut all = leaves(earlier + more);
        let before = Tree::from_hashes(all.iter().copied());
        all[(changed % earlier) as usize] = [9; 32];
        let after = Tree::from_hashes(all);
        let (earlier, size) = (u64::from(earlier), u64::from(earlier + more));
        let proof = after.consistency_proof(earlier, size).unwrap();
        let old = before.root(earlier).unwrap();
        prop_assert!(verify_consistency(earlier, &old, size, &after.root(size).unwrap(), &proof).is_err());
    }
}
