use facts::{Span, Timestamp};

use super::parse;

#[test]
fn every_day_of_eight_centuries_reads_back() {
    let mut at = parse("1600-01-01").unwrap();
    let end = parse("2400-03-01").unwrap();
    let mut days = 0;
    while at <= end {
        let text = at.rfc3339();
        let day = text.split('T').next().unwrap();
        assert_eq!(parse(day), Some(at), "{day}");
        at = at.plus(Span::days(1));
        days += 1;
    }
    assert_eq!(days, 2 * 146_097 + 61);
}

#[test]
fn known_days_and_no_others() {
    assert_eq!(parse("1970-01-01"), Some(Timestamp(0)));
    assert_eq!(parse("2026-01-01"), Some(Timestamp(1_767_225_600_000)));
    for text in [
        "2026-02-29",
        "2100-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-04-31",
        "2026-1-01",
        "+026-01-01",
        "2026-01-01T00",
        "2026-01",
        "",
        "2026-01-01-",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}
