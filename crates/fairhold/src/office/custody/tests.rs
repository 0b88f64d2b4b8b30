use super::*;

#[test]
fn a_day_is_read_as_it_is_written() {
    for (text, at) in [
        ("1970-01-01", Some(0)),
        ("2027-01-31", Some(1_801_353_600_000)),
        ("2028-02-29", Some(1_835_395_200_000)),
        ("2027-02-29", None),
        ("2027-13-01", None),
        ("2027-1-31", None),
        ("2027-01-31T00:00:00Z", None),
        ("tomorrow", None),
    ] {
        assert_eq!(midnight(text).map(|t| t.0), at, "{text}");
    }
}
