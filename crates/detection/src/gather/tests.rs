use proptest::prelude::*;

use super::*;

const RULE: Rule = Rule {
    shared_min: 3,
    percent_min: 50,
};

#[track_caller]
fn check(items: &[&[u64]], expected: &[&[usize]]) {
    assert_eq!(gather(items, RULE), expected);
}

#[test]
fn shared_frames_gather_and_slots_do_not() {
    let slots: Vec<Vec<u64>> = (0..40).map(|n| vec![1, 2, 3, 4, 100 + n]).collect();
    let items: Vec<&[u64]> = slots.iter().map(Vec::as_slice).collect();
    assert_eq!(gather(&items, RULE), [(0..40).collect::<Vec<_>>()]);
    check(
        &[&[1, 2, 100, 101, 102, 103], &[1, 2, 104, 105, 106]],
        &[&[0], &[1]],
    );
}

#[test]
fn the_best_group_wins_and_ties_go_to_the_older() {
    check(
        &[&[1, 2, 3, 4], &[3, 4, 5, 6, 7, 8], &[4, 5, 6, 7]],
        &[&[0], &[1, 2]],
    );
    check(
        &[&[1, 2, 3], &[4, 5, 6], &[1, 2, 3, 4, 5, 6]],
        &[&[0, 2], &[1]],
    );
}

#[test]
fn short_sketches_stand_alone() {
    check(&[&[1, 2], &[1, 2], &[]], &[&[0], &[1], &[2]]);
}

proptest! {
    /// Leaving out hashes that come once saves memory and changes nothing.
    #[test]
    fn hashes_of_one_sketch_link_nobody(
        sketches in prop::collection::vec(prop::collection::btree_set(0_u64..60, 0..12), 0..40),
    ) {
        let sketches: Vec<Vec<u64>> =
            sketches.into_iter().map(|s| s.into_iter().collect()).collect();
        let items: Vec<&[u64]> = sketches.iter().map(Vec::as_slice).collect();
        let all = Repeated { twice: vec![u64::MAX], mask: 63 };
        prop_assert_eq!(gather(&items, RULE), gather_by(&items, RULE, all));
    }
}
