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
