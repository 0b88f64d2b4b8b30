use proptest::prelude::*;

use super::*;
use crate::reading::Reader;

fn prompt(words: &[u8]) -> Vec<(String, String)> {
    const WORDS: [&str; 12] = [
        "generate",
        "diverse",
        "questions",
        "my",
        "table",
        "please",
        "the harbour",
        "rewrite",
        "prompt",
        "0",
        "score",
        "answer:",
    ];
    let text: Vec<&str> = words
        .iter()
        .map(|w| WORDS[usize::from(*w) % WORDS.len()])
        .collect();
    vec![("user".to_owned(), text.join(" "))]
}

fn account(prompts: &[Vec<u8>]) -> Account {
    let mut reader = Reader::default();
    let mut account = Account::default();
    for words in prompts {
        account.observe(reader.read(&prompt(words)));
    }
    account
}

/// What [`level`] says, by its definition and in floats.
fn naive_level(count: u16, words: usize) -> f64 {
    let length = f64::from(u32::try_from(words.clamp(30, 100_000)).unwrap()) / 60.0;
    (1.0 + f64::from(count) / length.sqrt()).log2() * 256.0
}

proptest! {
    #[test]
    fn two_parts_in_any_order_add_up_to_the_whole(
        prompts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(prompts.len());
        let (one, other) = prompts.split_at(cut);
        let mut forth = account(one);
        forth.merge(&account(other));
        let mut back = account(other);
        back.merge(&account(one));
        let whole = account(&prompts);
        prop_assert_eq!(&forth, &whole);
        prop_assert_eq!(&back, &whole);
        let mut reversed = prompts.clone();
        reversed.reverse();
        prop_assert_eq!(account(&reversed), whole);
    }

    #[test]
    fn what_is_stored_is_read_back_and_nothing_else_is(
        prompts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = account(&prompts);
        let bytes = whole.to_bytes();
        prop_assert_eq!(Account::from_bytes(&bytes), Ok(whole));
        prop_assert_eq!(Account::from_bytes(&bytes[..cut.index(bytes.len())]), Err(Unreadable));
        let mut longer = bytes;
        longer.push(0);
        prop_assert_eq!(Account::from_bytes(&longer), Err(Unreadable));
    }

    #[test]
    fn hostile_bytes_are_refused_or_read_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(read) = Account::from_bytes(&bytes) {
            prop_assert!(read.frames().all(|(frame, _)| frame.number < FRAMES));
        }
    }

    #[test]
    fn levels_are_logarithms_within_a_twentieth(count in 0_u16..2_000, words in 0_usize..5_000) {
        let off = (f64::from(level(count, words)) - naive_level(count, words)).abs();
        prop_assert!(off <= 256.0 / 10.0, "{} words, {} times: {off}", words, count);
    }

    #[test]
    fn more_of_a_cue_is_no_lower_level(count in 0_u16..60_000, words in 0_usize..5_000) {
        prop_assert!(level(count + 1, words) >= level(count, words));
        prop_assert!(level(count, words + 1) <= level(count, words));
    }
}

#[test]
fn the_stored_form_stays() {
    let bytes = account(&[vec![0, 1, 2], vec![0, 1, 2]]).to_bytes();
    let begins = [1, 2, 234, 4, 0, 234, 4, 0, 234, 4, 0];
    assert_eq!(
        bytes[..11],
        begins,
        "version, exchanges, levels of the cues"
    );
    assert_eq!(bytes.len(), 280);
}

#[test]
fn an_account_of_many_programmes_takes_a_few_kilobytes() {
    let prompts: Vec<Vec<u8>> = (0..=255_u8)
        .map(|n| vec![n, n / 12, n / 7, n / 3, 9, n])
        .collect();
    let bytes = account(&prompts).to_bytes();
    assert!(bytes.len() < 12_000, "{}", bytes.len());
}
