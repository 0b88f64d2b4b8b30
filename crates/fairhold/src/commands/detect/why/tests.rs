use super::super::table::tests::view;
use super::*;

#[track_caller]
fn check(asked: &str, begins: &str) {
    let view = view();
    let rows = Rows::of(&view, false);
    let lines = open(&view, &rows, asked).unwrap();
    assert!(lines[0].starts_with(begins), "{asked}: {lines:?}");
}

#[test]
fn a_line_opens_by_its_number_or_by_an_account() {
    check("1", "ring of 20 accounts: 1,000 exchanges, p < 0.000001");
    check("2", "asked-0: 1,234 exchanges, p 0.0120 (1 in 83)");
    check("asked-1", "asked-1: ");
    check("qui", "quiet: 1,234 exchanges, p 0.4000");
    check("member-7", "ring of 20 accounts");
    check("member-3", "member-3: ");
}

#[test]
fn a_ring_opens_to_its_reasons_and_members() {
    let view = view();
    let lines = open(&view, &Rows::of(&view, false), "1")
        .unwrap()
        .join("\n");
    assert!(lines.contains("- 20 accounts send one frame."), "{lines}");
    assert!(lines.contains("too small to be judged by itself"));
    assert!(lines.contains("by itself p 0.0110 (1 in 90)"), "{lines}");
}

#[test]
fn what_cannot_be_opened_is_told() {
    let view = view();
    let rows = Rows::of(&view, false);
    for (asked, said) in [
        ("99", "neither a line (1 to 21)"),
        ("0", "neither a line"),
        ("asked-", "is the beginning of 25 accounts"),
    ] {
        let why = open(&view, &rows, asked).unwrap_err();
        assert!(why.contains(said), "{why}");
    }
}
