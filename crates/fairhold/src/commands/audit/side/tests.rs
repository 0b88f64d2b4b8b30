use super::*;

#[test]
fn what_both_say_is_marked_in_both() {
    let (one, other) = both(
        "Here, Alice walks along the river bank today.",
        "Bob WALKS along the river, bank today!",
    );
    let marked = |pieces: &[Piece]| {
        let both = pieces.iter().filter(|p| p.both);
        both.map(|p| p.text.as_str()).collect::<String>()
    };
    assert_eq!(marked(&one), "walks along the river bank today.");
    assert_eq!(marked(&other), "WALKS along the river, bank today!");
    let whole: String = one.iter().map(|p| p.text.as_str()).collect();
    assert_eq!(whole, "Here, Alice walks along the river bank today.");
    assert_eq!(both("", "x").0, []);
}
