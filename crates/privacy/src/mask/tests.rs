use proptest::prelude::*;

use super::*;

#[test]
fn a_person_leaves_and_comes_back() {
    let mut pseudonyms = Pseudonyms::default();
    let masked = pseudonyms.mask("ann@example.org wrote to bob@example.org, ann@example.org again");
    assert_eq!(masked, "<EMAIL_1> wrote to <EMAIL_2>, <EMAIL_1> again");
    assert_eq!(
        pseudonyms.restore("Dear <EMAIL_2>, <EMAIL_9> is unknown"),
        "Dear bob@example.org, <EMAIL_9> is unknown"
    );
    assert_eq!(format!("{pseudonyms:?}"), "Pseudonyms(2)");
}

/// A text that brings a placeholder of its own keeps it.
#[test]
fn a_placeholder_in_the_text_is_not_taken() {
    let mut pseudonyms = Pseudonyms::default();
    let text = "<EMAIL_1> is not ann@example.org";
    let masked = pseudonyms.mask(text);
    assert_eq!(masked, "<EMAIL_1> is not <EMAIL_2>");
    assert_eq!(pseudonyms.restore(&masked), text);
}

#[test]
fn what_one_kind_leaves_of_another_is_masked_too() {
    let mut pseudonyms = Pseudonyms::default();
    let text = "+10000000.0 4111 1111 1111 1111";
    let masked = pseudonyms.mask(text);
    assert_eq!(masked, "<PHONE_1>.<CARD_1>");
    assert_eq!(pseudonyms.restore(&masked), text);
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}@[a-z]{1,6}\\.org".boxed(),
        Just("4111 1111 1111 1111".to_owned()).boxed(),
        Just("DE89370400440532013000".to_owned()).boxed(),
        "<(EMAIL|CARD|IBAN|IP)_[1-3]>".boxed(),
        "\\PC{0,12}".boxed(),
        "[0-9+:. -]{0,24}".boxed(),
    ]
}

proptest! {
    #[test]
    fn masking_is_undone_and_leaves_nothing(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.join(" ");
        let mut pseudonyms = Pseudonyms::default();
        let masked = pseudonyms.mask(&text);
        prop_assert_eq!(pseudonyms.restore(&masked), text);
        prop_assert!(find(&masked).is_empty(), "{}", masked);
    }
}
