use super::*;

const TEXT: &str = "On 12 May the clerk told Anna Karlsson about it. She wrote to Berlin at once! Was it too late? Nobody knew.";

#[test]
fn sentences_add_up_to_the_text() {
    assert_eq!(sentences(TEXT).len(), 4);
    assert_eq!(sentences(TEXT).concat(), TEXT);
    assert_eq!(sentences("一。二！三").len(), 3);
}

#[test]
fn names_and_numbers_go_and_the_rest_stays() {
    let mut random = Random::new(1);
    let swapped = Transform::NamesSwapped.apply(TEXT, "", &mut random);
    for gone in ["12", "Anna", "Karlsson", "Berlin"] {
        assert!(!swapped.contains(gone), "{swapped}");
    }
    assert!(swapped.contains("She wrote to"));
    let masked = names::masked(TEXT);
    assert!(
        masked.contains("told [NAME] [NAME] about") && masked.contains("On [NUMBER]"),
        "{masked}"
    );
}

#[test]
fn half_of_the_sentences_stay() {
    let cut = Transform::PlaceholdersHalfCut.apply(TEXT, "", &mut Random::new(2));
    assert_eq!(sentences(&cut).len(), 2);
}

#[test]
fn a_disguise_changes_bytes_and_no_words() {
    for seed in 0..8 {
        let new = Transform::Tricks.apply(TEXT, "", &mut Random::new(seed));
        assert_ne!(new, TEXT);
        assert_eq!(
            provenance::normal_words(&new),
            provenance::normal_words(TEXT),
            "{new}"
        );
    }
}

#[test]
fn what_is_pasted_stands_in_the_page() {
    let page = "First the page. Then its end.";
    let new = Transform::HalfPasted.apply(TEXT, page, &mut Random::new(3));
    assert!(new.contains("She wrote to Berlin") && new.contains("First the page."));
}
