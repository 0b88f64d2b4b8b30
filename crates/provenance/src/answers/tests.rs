use proptest::prelude::*;

use super::*;

fn key() -> FingerprintKey {
    FingerprintKey::new(*b"registry's tests")
}

fn id(n: usize) -> ExchangeId {
    ExchangeId::parse(&format!("e{n}")).unwrap()
}

/// `count` words that no other `salt` says.
fn text(salt: usize, count: usize) -> String {
    let word = |n| format!("w{salt}x{n}");
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_answer_inside_a_longer_page_is_held_whole() {
    let mut registry = Registry::new(key());
    registry.register(id(1), "why?", &text(1, 100)).unwrap();
    registry.register(id(2), "why?", &text(2, 100)).unwrap();
    let page = format!("{} {} {}", text(3, 500), text(1, 100), text(4, 500));
    let held = registry.held(&page, 0.1);
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].exchange, id(1));
    assert!((held[0].share - 1.0).abs() < 1e-12);
    assert_eq!((held[0].grams, held[0].run), (93, 93));
}

#[test]
fn half_an_answer_is_half_held() {
    let mut registry = Registry::new(key());
    registry.register(id(1), "", &text(1, 107)).unwrap();
    let half = text(1, 57);
    let held = registry.held(&half, 0.0);
    assert_eq!((held[0].grams, held[0].share), (50, 0.5));
    assert!(registry.held(&half, 0.51).is_empty());
}

#[test]
fn what_tells_nothing_is_not_registered() {
    let mut registry = Registry::new(key());
    assert_eq!(
        registry.register(id(1), "", &text(1, 39)),
        Err(Skipped::Short)
    );
    let long = text(1, 60);
    assert_eq!(
        registry.register(id(1), &long, &long),
        Err(Skipped::Repeats)
    );
    assert!(registry.is_empty());
}

/// What nine answers say alike accuses nobody; what eight say still counts.
#[test]
fn boilerplate_does_not_count() {
    let mut registry = Registry::new(key());
    for n in 0..9 {
        let answer = format!("{} {}", text(99, 40), text(n, 40));
        registry.register(id(n), "", &answer).unwrap();
        let held = registry.held(&text(99, 40), 0.0);
        assert_eq!(held.len(), if n < 8 { n + 1 } else { 0 });
    }
}

proptest! {
    /// Against the plain definition: the share of an answer's distinct grams (of eight words, not
    /// in the prompt) that stand in the text.
    #[test]
    fn shares_are_those_of_the_definition(
        answer in prop::collection::vec(0_u8..4, 40..80),
        prompt in prop::collection::vec(0_u8..4, 0..20),
        page in prop::collection::vec(0_u8..4, 0..300),
    ) {
        let said = |words: &[u8]| words.iter().map(|w| format!("w{w}")).collect::<Vec<_>>().join(" ");
        let windows = |words: &[u8]| words.windows(8).map(<[u8]>::to_vec).collect::<HashSet<_>>();
        let own: HashSet<_> = windows(&answer).difference(&windows(&prompt)).cloned().collect();
        let common = own.intersection(&windows(&page)).count();
        let mut registry = Registry::new(key());
        if let Err(why) = registry.register(id(1), &said(&prompt), &said(&answer)) {
            prop_assert!(why == Skipped::Repeats && own.is_empty());
        } else {
            let held = registry.held(&said(&page), 0.0);
            prop_assert_eq!(held.first().map_or(0, |h| h.grams), common);
        }
    }
}
