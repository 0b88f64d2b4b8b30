use super::*;
use proptest::prelude::*;

fn bytes() -> impl Strategy<Value = [u8; RANDOM_BYTES]> {
    proptest::collection::vec(any::<u8>(), RANDOM_BYTES).prop_map(|v| v.try_into().unwrap())
}

#[test]
fn the_extremes_mint_keys_of_the_same_shape() {
    for random in [[0u8; RANDOM_BYTES], [0xff; RANDOM_BYTES]] {
        let key = Key::mint(&random);
        assert_eq!(key.expose().len(), 8 + 11 + 1 + 44 + 6);
        assert_eq!(Key::parse(key.expose()).unwrap().id(), key.id());
    }
}

#[test]
fn debug_shows_no_secret() {
    let key = Key::mint(&[7; RANDOM_BYTES]);
    let shown = format!("{key:?} {:?}", key.digest());
    assert!(!shown.contains(key.expose().get(20..).unwrap()));
}

proptest! {
    #[test]
    fn what_was_minted_parses(random in bytes()) {
        let key = Key::mint(&random);
        let parsed = Key::parse(key.expose()).unwrap();
        prop_assert_eq!(parsed.digest(), key.digest());
        prop_assert_eq!(parsed.id(), key.id());
    }

    #[test]
    fn every_single_typo_is_caught(random in bytes(), at in 8usize..70, with in 0usize..62) {
        let key = Key::mint(&random);
        let mut text = key.expose().as_bytes().to_vec();
        prop_assume!(text[at] != DIGITS[with]);
        text[at] = DIGITS[with];
        prop_assert!(Key::parse(std::str::from_utf8(&text).unwrap()).is_err());
    }

    #[test]
    fn any_text_is_answered_without_a_panic(text in "\\PC{0,100}") {
        let _ = Key::parse(&text);
        let _ = Key::parse(&format!("{PREFIX}{text}"));
    }

    #[test]
    fn other_secrets_have_other_digests(a in bytes(), b in bytes()) {
        prop_assume!(a != b);
        prop_assert_ne!(Key::mint(&a).digest(), Key::mint(&b).digest());
    }
}
