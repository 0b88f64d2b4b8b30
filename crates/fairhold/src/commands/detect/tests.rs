use std::path::PathBuf;

use super::*;

fn typed(files: &[&str]) -> Detect {
    Detect {
        files: files.iter().map(PathBuf::from).collect(),
        account: None,
        why: None,
        all: false,
        html: None,
    }
}

#[test]
fn nothing_is_clean_and_a_line_is_a_finding() {
    let out = Out::new(true);
    let nothing = DetectionView::default();
    assert_eq!(show(&nothing, &typed(&[]), out).unwrap(), Exit::Clean);
    let view = table::tests::view();
    assert_eq!(show(&view, &typed(&[]), out).unwrap(), Exit::Finding);
    let lost = Detect {
        why: Some("nobody".to_owned()),
        ..typed(&[])
    };
    let why = show(&view, &lost, out).unwrap_err();
    assert!(why.message.contains("`nobody` is neither"), "{why}");
}

#[test]
fn a_page_that_cannot_be_written_is_an_error_that_names_it() {
    let what = Detect {
        html: Some(PathBuf::from("/nowhere/at/all.html")),
        ..typed(&[])
    };
    let why = show(&DetectionView::default(), &what, Out::new(true)).unwrap_err();
    assert!(why.message.contains("/nowhere/at/all.html"), "{why}");
}

#[test]
fn the_next_step_fits_what_may_follow() {
    let view = table::tests::view();
    let rows = Rows::of(&view, false);
    assert!(follow(&rows.listed[0]).starts_with("fairhold case propose member-0 --action notice"));
    assert!(follow(&rows.listed[1]).contains("ask asked-0"));
    assert_eq!(again(&typed(&["a", "b"])), "fairhold detect a b");
}
