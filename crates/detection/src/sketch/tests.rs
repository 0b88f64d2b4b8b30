use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn key() -> SketchKey {
    SketchKey::new(*b"only for testing")
}

/// Every run of five words as text: the plain meaning of a sketch.
fn naive(text: &str) -> BTreeSet<String> {
    let normal = text::normalised(text);
    let words: Vec<&str> = normal.split(' ').filter(|w| !w.is_empty()).collect();
    if words.is_empty() {
        BTreeSet::new()
    } else if words.len() < SHINGLE {
        BTreeSet::from([words.join(" ")])
    } else {
        words.windows(SHINGLE).map(|w| w.join(" ")).collect()
    }
}

fn sketch(text: &str) -> Vec<u64> {
    prompt_sketch(key(), &[("user".into(), text.into())])
}

proptest! {
    #[test]
    fn sketches_agree_with_sets_of_text(
        a in "[a-d]{1,2}( [a-d]{1,2}){0,60}",
        b in "[a-d]{1,2}( [a-d]{1,2}){0,60}",
    ) {
        let one = |s: &String| shingles(key(), s).first().copied().unwrap_or_default();
        let expect = |set: BTreeSet<String>| -> BTreeSet<u64> {
            set.iter().map(one).filter(|h| kept(*h)).collect()
        };
        let (left, right) = (naive(&a), naive(&b));
        let both: BTreeSet<String> = left.intersection(&right).cloned().collect();
        prop_assert_eq!(shared(&sketch(&a), &sketch(&b)), expect(both).len());
        prop_assert_eq!(sketch(&a), expect(left).into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_sketch_of_two_texts_is_the_union_of_theirs(
        a in "[a-z]{1,4}( [a-z]{1,4}){5,40}",
        b in "[a-z]{1,4}( [a-z]{1,4}){5,40}",
    ) {
        let both = sketch_of(key(), &[a.clone(), b.clone()]);
        let mut united: BTreeSet<u64> = sketch(&a).into_iter().collect();
        united.extend(sketch(&b));
        prop_assert_eq!(both, united.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn any_text_is_sketched(text in any::<String>()) {
        let made = sketch(&text);
        prop_assert!(made.windows(2).all(|w| w[0] < w[1]));
    }
}

#[test]
fn one_hash_in_three_is_kept() {
    let words: Vec<String> = (0..6000).map(|n: u32| format!("w{}", spelled(n))).collect();
    let all = shingles(key(), &words.join(" "));
    let share = all.iter().filter(|h| kept(**h)).count();
    // 5,996 shingles, a third expected: 1,999 with a standard deviation of 36.5.
    assert!((1816..=2182).contains(&share), "{share}");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

/// Digits are masked, so numbers are spelled in letters.
fn spelled(mut n: u32) -> String {
    let mut out = String::new();
    loop {
        out.push(char::from(b'a' + u8::try_from(n % 26).unwrap()));
        n /= 26;
        if n == 0 {
            return out;
        }
    }
}

#[test]
fn another_key_gives_another_sketch() {
    let other = SketchKey::new([7; 16]);
    let text = "the same ten words are hashed under two different keys here";
    let ours: BTreeSet<u64> = shingles(key(), text).into_iter().collect();
    assert!(shingles(other, text).iter().all(|h| !ours.contains(h)));
}

#[test]
fn the_hash_is_stable_across_releases() {
    assert_eq!(
        [
            key().hash(b""),
            key().hash(b"harvest"),
            key().hash(b"a longer word than eight bytes")
        ],
        STABLE
    );
}

const STABLE: [u64; 3] = [
    10_730_388_054_758_693_751,
    42_729_877_634_460_817,
    5_793_423_035_752_241_564,
];
