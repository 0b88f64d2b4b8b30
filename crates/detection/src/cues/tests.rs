use super::*;
use crate::reading::Reader;

thread_local! {
    static READER: std::cell::RefCell<Reader> = std::cell::RefCell::default();
}

fn count(text: &str, cue: Cue) -> u16 {
    READER.with_borrow_mut(|reader| count_with(reader, text, cue))
}

fn count_with(reader: &mut Reader, text: &str, cue: Cue) -> u16 {
    reader.read(&[("user".to_owned(), text.to_owned())]).counts[cue.place()]
}

#[test]
fn every_cue_has_one_place_one_name_and_words() {
    let names: std::collections::BTreeSet<&str> = Cue::ALL.iter().map(|c| c.name()).collect();
    assert_eq!(names.len(), CUES);
    for (n, cue) in Cue::ALL.into_iter().enumerate() {
        assert_eq!(cue.place(), n);
        assert!(!cue.words().is_empty());
    }
}

#[test]
fn every_phrase_of_the_lexicon_is_found_as_its_cue_or_a_longer_one() {
    let mut lost = Vec::new();
    let mut known: HashMap<String, Cue> = HashMap::new();
    for (cue, phrases) in LEXICON {
        for phrase in phrases.split(',') {
            known.insert(text::normalised(phrase), *cue);
        }
    }
    for (phrase, cue) in known {
        assert!(
            phrase.split(' ').count() <= PHRASE_MAX,
            "`{phrase}` is longer than is looked for"
        );
        if count(&phrase, cue) == 0 {
            lost.push(phrase);
        }
    }
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn the_longest_phrase_wins() {
    assert_eq!(count("create table orders", Cue::Generate), 0);
    assert_eq!(count("create a rhyme", Cue::Generate), 1);
}

#[test]
fn two_parts_make_a_cue_only_when_they_are_close() {
    assert_eq!(count("generate several hard questions", Cue::MakesData), 1);
    assert_eq!(
        count("questions are asked and we generate", Cue::MakesData),
        0
    );
    let far = "generate one two three four five six seven eight nine ten eleven twelve questions";
    assert_eq!(count(far, Cue::MakesData), 0);
    assert_eq!(count("生成十个问题", Cue::MakesData), 1);
    assert_eq!(count("score the response", Cue::GradesAnswer), 1);
}

#[test]
fn shapes_are_counted() {
    assert_eq!(count("1. one\n2) two\n3 three", Cue::NumberedLines), 2);
    assert_eq!(count("Input: a\nOutput: b: c", Cue::LabelLines), 2);
    assert_eq!(count("ends in a slot:", Cue::OpenEnd), 1);
    assert_eq!(count("ends in a number 9.", Cue::OpenEnd), 1);
    assert_eq!(count("ends in a stop.", Cue::OpenEnd), 0);
    assert_eq!(count("- a\n* b", Cue::BulletLines), 2);
    assert_eq!(count("why? 为什么？", Cue::QuestionMarks), 2);
}

#[test]
fn counts_never_overflow() {
    let flood = "generate questions ".repeat(1_000);
    assert!(count(&flood, Cue::Generate) > 0);
}
