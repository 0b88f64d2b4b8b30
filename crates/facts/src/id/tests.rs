use super::AccountId;

#[test]
fn an_id_is_visible_ascii_of_bounded_length() {
    assert_eq!(AccountId::parse("acct_17").unwrap().as_str(), "acct_17");
    for bad in ["", " ", "a b", "a\"b", "é", "a\n", &"x".repeat(129)] {
        assert!(AccountId::parse(bad).is_err(), "{bad:?}");
    }
}
