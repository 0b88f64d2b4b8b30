use proptest::prelude::*;

use super::*;

fn said(text: &str) -> Vec<(String, String)> {
    vec![("user".to_owned(), text.to_owned())]
}

proptest! {
    #[test]
    fn a_reused_reader_reads_as_a_fresh_one(texts in proptest::collection::vec(".{0,200}", 1..6)) {
        let mut reused = Reader::default();
        for text in texts {
            let once = reused.read(&said(&text)).clone();
            let mut fresh = Reader::default();
            prop_assert_eq!(&once, fresh.read(&said(&text)));
        }
    }

    #[test]
    fn the_fast_way_for_ascii_is_the_slow_one(text in "[ -~\n]{0,200}") {
        // A letter outside ASCII at the end sends the same text down the slow way.
        let slow = text::normalised(&format!("{text} é"));
        let fast = text::normalised(&text);
        prop_assert_eq!(slow.strip_suffix('é').map(str::trim_end), Some(fast.as_str()));
    }

    #[test]
    fn bins_are_bins(text in ".{0,300}") {
        let mut reader = Reader::default();
        let reading = reader.read(&said(&text));
        prop_assert!(reading.bins.iter().all(|b| usize::try_from(*b).unwrap() < BINS));
    }
}

#[test]
fn a_repetition_has_the_same_id_and_another_prompt_another() {
    let mut reader = Reader::default();
    let id = |reader: &mut Reader, text: &str| reader.read(&said(text)).duplicate_id();
    let first = id(&mut reader, "Tell me about ferries, No. 5");
    assert_eq!(
        first,
        id(&mut reader, "tell me about FERRIES no 17"),
        "numbers are masked"
    );
    assert_ne!(first, id(&mut reader, "tell me about barges, No. 5"));
}

#[test]
fn frames_are_openings_requests_and_endings() {
    let mut reader = Reader::default();
    let mut of = |system: &str, user: &str| {
        let prompt = vec![
            ("system".to_owned(), system.to_owned()),
            ("user".to_owned(), user.to_owned()),
        ];
        let reading = reader.read(&prompt);
        (reading.opening, reading.request, reading.ending)
    };
    let one = of(
        "You sort the mail of Ada.",
        "Sort this letter from the bank. Thanks a lot",
    );
    let two = of(
        "You sort the mail of Ada.",
        "Where is the parcel? Thanks a lot",
    );
    assert_eq!((one.0, one.2), (two.0, two.2));
    assert_ne!(one.1, two.1);
}

#[test]
fn an_empty_prompt_is_read() {
    let mut reader = Reader::default();
    assert_eq!(reader.read(&[]).length(), 0);
    assert_eq!(reader.read(&said("")).length(), 0);
}
