use super::{Conduct, Country, Declaration, Purpose};

#[test]
fn every_word_names_its_purpose_with_either_stroke() {
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::parse(purpose.word()), Ok(purpose));
        assert_eq!(
            Purpose::parse(&purpose.word().replace('-', "_")),
            Ok(purpose)
        );
    }
    for declaration in Declaration::ALL.iter().copied() {
        assert_eq!(
            Declaration::from_word(declaration.word()),
            Some(declaration)
        );
    }
}

#[test]
fn any_other_word_is_refused_with_the_list() {
    for text in ["", "training", "Rag", "rag ", "train_competing_model2"] {
        let refused = Purpose::parse(text).unwrap_err();
        assert_eq!(refused.given, text);
        assert!(refused.to_string().contains("train-competing-model"));
    }
    assert_eq!(Declaration::from_word("not_distributed"), None);
    assert_eq!(Conduct::from_word("suspicion"), None);
}

#[test]
fn a_country_is_two_letters() {
    assert_eq!(Country::parse("de").unwrap().to_string(), "DE");
    for text in ["", "D", "DEU", "D1", "ÄÖ", "  ", "XX", "xx"] {
        assert_eq!(Country::parse(text), None, "{text}");
    }
}
