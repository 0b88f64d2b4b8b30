use proptest::prelude::*;

use super::*;

#[test]
fn words_are_normalised() {
    assert_eq!(
        words("The ﬁrst, “quick” FOX\n42-b"),
        ["the", "first", "quick", "fox", "42", "b"]
    );
    assert_eq!(words("日本go"), ["日", "本", "go"]);
    assert!(words("… !").is_empty());
}

/// Words are separated before they are hashed: moving a boundary makes another gram.
#[test]
fn a_boundary_counts() {
    let key = FingerprintKey::new([1; 16]);
    assert_ne!(key.grams("ab c d e f g h i"), key.grams("a bc d e f g h i"));
}

proptest! {
    #[test]
    fn layout_does_not_count(words in prop::collection::vec("[a-z]{1,8}", 0..40)) {
        let key = FingerprintKey::new([7; 16]);
        let plain = key.grams(&words.join(" "));
        prop_assert_eq!(plain.len(), (words.len() + 1).saturating_sub(GRAM));
        prop_assert_eq!(&plain, &key.grams(&words.join(",\n  ").to_uppercase()));
        let other = FingerprintKey::new([8; 16]).grams(&words.join(" "));
        prop_assert!(plain.iter().zip(&other).all(|(a, b)| a != b));
    }
}
