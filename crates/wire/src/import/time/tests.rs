use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: Option<i64>) {
    assert_eq!(parse_rfc3339(text).map(|t| t.0), expected, "{text}");
}

#[test]
fn rfc_3339_examples_are_read() {
    check("1970-01-01T00:00:00Z", Some(0));
    // Section 5.8.
    check("1985-04-12T23:20:50.52Z", Some(482_196_050_520));
    check("1996-12-19T16:39:57-08:00", Some(851_042_397_000));
    check("1990-12-31T23:59:60Z", Some(662_688_000_000));
    check("1937-01-01T12:00:27.87+00:20", Some(-1_041_337_172_130));
    check("2024-02-29 00:00:00.1234567z", Some(1_709_164_800_123));
}

#[test]
fn what_is_no_moment_is_refused() {
    for text in [
        "",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+0100",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00Zx",
        "+024-01-01T00:00:00Z",
        "2024-01-01T00:00:0éZ",
    ] {
        check(text, None);
    }
}

#[test]
fn numbers_are_seconds_or_milliseconds() {
    for (number, ms) in [
        (1_700_000_000.0, Some(1_700_000_000_000)),
        (1_700_000_000.25, Some(1_700_000_000_250)),
        (1_700_000_000_250.0, Some(1_700_000_000_250)),
        (-1.0, None),
        (f64::NAN, None),
        (1e300, None),
    ] {
        assert_eq!(timestamp_of_number(number).map(|t| t.0), ms, "{number}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(ms in -62_135_596_800_000_i64..253_402_300_799_999) {
        prop_assert_eq!(parse_rfc3339(&Timestamp(ms).rfc3339()), Some(Timestamp(ms)));
    }

    #[test]
    fn random_text_never_panics(text in "\\PC{0,30}|[0-9TZ:.+-]{0,30}") {
        let _ = parse_rfc3339(&text);
    }
}
