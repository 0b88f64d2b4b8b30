use super::*;

fn spread(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn no_key_is_forgotten_and_few_strangers_pass() {
    let keys = 200_000;
    let mut filter = Filter::with_room_for(keys);
    (0..keys as u64).for_each(|n| filter.insert(spread(n)));
    assert!((0..keys as u64).all(|n| filter.holds(spread(n))));
    let strangers = 1_000_000;
    let passed = (0..strangers)
        .filter(|n| filter.holds(spread(n + (1 << 40))))
        .count();
    assert!(passed < 2_000, "{passed} of {strangers}");
    assert_eq!(filter.bytes(), keys * 2);
}

#[test]
fn an_empty_filter_knows_nobody() {
    let filter = Filter::with_room_for(0);
    assert!((0..1_000).all(|n| !filter.holds(spread(n))));
}
