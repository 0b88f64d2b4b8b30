use std::collections::HashSet;

use facts::{AccountId, ExchangeId, ModelName, Timestamp};
use proptest::prelude::*;

use super::super::*;
use super::*;

/// As the channels say it, with sets and without a thought of cost.
fn plainly(key: &AuditKey, prompt: &str, text: &str) -> Option<(Vec<u64>, [u32; 3])> {
    let read = |text: &str| {
        let mut words = Vec::new();
        read_words(text, 0, key.secrets(), &mut words);
        words
    };
    let (asked, said) = (read(prompt), read(text));
    let wanted = if said.len() < WORDS_FEW {
        Triples::All
    } else {
        Triples::Sampled
    };
    let mut known = HashSet::new();
    every_key(&asked, key, Triples::All, |_, keyed| {
        known.insert(keyed.key & FINGERPRINT);
    });
    let (mut entries, mut own) = (Vec::new(), [0; 3]);
    every_key(&said, key, wanted, |channel, keyed| {
        if known.insert(keyed.key & FINGERPRINT) {
            entries.push(Entry::new(keyed.key, keyed.position, 0).packed);
            own[channel as usize] += 1;
        }
    });
    (!entries.is_empty()).then_some((entries, own))
}

fn check(workspace: &mut Workspace, prompt: &str, text: &str) {
    let key = AuditKey::new(*b"own fingerprints");
    let account = AccountId::parse("a").unwrap();
    let mut builder = SegmentBuilder::new(&key, account.clone(), Month::of(Timestamp(0)));
    let output = OutputText {
        id: ExchangeId::parse("x").unwrap(),
        account,
        prompt,
        text,
        at: Timestamp(0),
        model: ModelName::parse("m").unwrap(),
        role: Role::Output,
    };
    let added = builder.add_in(&output, workspace);
    let segment = builder.build();
    let got: Vec<u64> = segment.entries.iter().map(|entry| entry.packed).collect();
    match added {
        Err(Skipped::Short | Skipped::Refusal) => {}
        Err(Skipped::Repeats) => {
            assert_eq!((plainly(&key, prompt, text), got), (None, Vec::new()));
        }
        Ok(()) => {
            let expected = plainly(&key, prompt, text).unwrap();
            assert_eq!((got, segment.outputs[0].own), expected);
            assert_eq!(segment.outputs[0].prompt, group(&key, prompt));
        }
    }
}

/// A prompt's number as its definition says it.
fn group(key: &AuditKey, prompt: &str) -> u64 {
    if crate::normal_words(prompt).is_empty() {
        0
    } else {
        key.prompt_group(prompt)
    }
}

const PIECES: [&str; 24] = [
    "the",
    "Clerk",
    "sent",
    "letters",
    "to",
    "her",
    "uncle",
    "in",
    "Berlin",
    "and",
    "walked",
    "walking",
    "17",
    "[NAME]",
    "{{city}}",
    "größere",
    "日本の町",
    "unquestionableness",
    "of",
    "internationalisation",
    "ﬁne",
    "e\u{301}t\u{e9}",
    "old",
    "towns",
];

/// Texts of few words: prompts and answers say much of each other.
fn text(words: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES.to_vec());
    let word = prop_oneof![4 => piece.prop_map(str::to_owned), 1 => "[a-c]{1,3}"];
    prop::collection::vec(word, words).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn own_fingerprints_are_those_that_the_prompt_lacks(
        asked in text(0..120), said in text(30..220), from in 0_usize..400, length in 0_usize..600,
    ) {
        let mut workspace = Workspace::default();
        check(&mut workspace, &asked, &said);
        // A prompt that holds a part of its answer, and one that is held by it.
        let part: String = said.chars().skip(from).take(length).collect();
        check(&mut workspace, &format!("{asked} {part}"), &said);
        check(&mut workspace, &said, &format!("{asked} {said}"));
        check(&mut workspace, &said, &said);
    }
}
