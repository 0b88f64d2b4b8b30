use super::*;

fn words(text: &str) -> Vec<(&'static str, &str)> {
    let found = find(text);
    found
        .iter()
        .map(|f| (f.kind.word(), text.get(f.at.clone()).unwrap()))
        .collect()
}

/// Example numbers: ISO 13616's and ISO/IEC 7812's own, documentation addresses of RFC 5737 and
/// RFC 3849, telephone numbers reserved for fiction.
#[test]
fn what_has_a_form_is_found() {
    let text = "Write to ann.lee+x@mail.example.org or call +44 20 7946 0958; pay GB82 WEST 1234 5698 7654 32 \
                or 4111 1111 1111 1111 from 192.0.2.7 or 2001:db8::7.";
    assert_eq!(
        words(text),
        [
            ("EMAIL", "ann.lee+x@mail.example.org"),
            ("PHONE", "+44 20 7946 0958"),
            ("IBAN", "GB82 WEST 1234 5698 7654 32"),
            ("CARD", "4111 1111 1111 1111"),
            ("IP", "192.0.2.7"),
            ("IP", "2001:db8::7"),
        ]
    );
    assert_eq!(
        words("DE89370400440532013000"),
        [("IBAN", "DE89370400440532013000")]
    );
}

/// One digit changed, and it is somebody's order number.
#[test]
fn what_fails_its_check_stays() {
    for text in [
        "GB82 WEST 1234 5698 7654 33",
        "4111 1111 1111 1112",
        "999.0.2.7",
        "build 2026-11-24, version 1.2.3",
        "a @ b, user@localhost",
        "+1 23",
    ] {
        assert_eq!(words(text), [], "{text}");
    }
}

/// Every single-digit change of a card or IBAN is caught by its check.
#[test]
fn checks_catch_every_single_digit() {
    for (good, check) in [
        ("5555555555554444", luhn as fn(&str) -> bool),
        ("DE89370400440532013000", iban as fn(&str) -> bool),
    ] {
        assert!(check(good));
        for (n, c) in good.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            for other in ('0'..='9').filter(|d| *d != c) {
                let mut bad = good.to_owned();
                bad.replace_range(n..=n, &other.to_string());
                assert!(!check(&bad), "{bad}");
            }
        }
    }
}
