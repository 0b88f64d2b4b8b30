use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::verdict::tests::judge;
use crate::{GRAM, Month, OutputText, Role, SegmentBuilder, normal_words};
use facts::{AccountId, ExchangeId, ModelName, Timestamp};

fn registry(key: &AuditKey, texts: &[String]) -> Registry {
    let account = AccountId::parse("a").unwrap();
    let mut builder = SegmentBuilder::new(key, account.clone(), Month::of(Timestamp(0)));
    for (n, text) in texts.iter().enumerate() {
        let output = OutputText {
            id: ExchangeId::parse(&n.to_string()).unwrap(),
            account: account.clone(),
            prompt: "",
            text,
            at: Timestamp(0),
            model: ModelName::parse("m").unwrap(),
            role: Role::Output,
        };
        builder.add(&output).unwrap();
    }
    Registry::join(key.id(), vec![builder.build()], None).unwrap()
}

/// The naive twin: every run of eight normalised words of the outputs, as words, in a set.
struct Naive(HashSet<Vec<String>>);

impl Naive {
    fn of(texts: &[String]) -> Self {
        let runs = texts.iter().flat_map(|text| {
            let words = normal_words(text);
            words
                .windows(GRAM)
                .map(<[String]>::to_vec)
                .collect::<Vec<_>>()
        });
        Self(runs.collect())
    }

    /// Whether a gram that begins at a multiple of `step` words is an output's.
    fn probes(&self, document: &str, step: usize) -> bool {
        let words = normal_words(document);
        let mut probes = words.windows(GRAM).step_by(step);
        probes.any(|gram| self.0.contains(gram))
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    /// Words that differ in length, script and what parts them.
    fn words(&mut self, salt: char, count: usize) -> Vec<String> {
        const FORMS: [&str; 8] = [
            "a",
            "word",
            "größe",
            "déjà",
            "слово",
            "averyverylongwordindeed",
            "x9",
            "Ab",
        ];
        (0..count)
            .map(|_| format!("{salt}{}{}", FORMS[self.below(8)], self.below(1 << 30)))
            .collect()
    }

    fn joined(&mut self, words: &[String]) -> String {
        const BETWEEN: [&str; 8] = [" ", ", ", "\n", " — ", ". ", "  ", "'", "\u{200b} "];
        let mut text = String::new();
        for word in words {
            text.push_str(word);
            text.push_str(BETWEEN[self.below(8)]);
        }
        text
    }
}

/// A run of `run` words of an output, at a random place of a document of strange words.
fn spliced(dice: &mut Dice, output: &[String], run: usize) -> String {
    let from = dice.below(output.len() - run + 1);
    let (before, after) = (dice.below(60), dice.below(60));
    let mut words = dice.words('q', before);
    words.extend_from_slice(&output[from..from + run]);
    words.extend(dice.words('q', after));
    dice.joined(&words)
}

/// Every run of K + M - 1 words is found; of a shorter one exactly those are that the naive twin's
/// probes meet. 100,000 splices over both guarantees.
#[test]
fn every_promised_run_is_found_and_no_other_promised() {
    let key = AuditKey::new([3; 16]);
    let mut dice = Dice(11);
    let outputs: Vec<Vec<String>> = (0..20).map(|_| dice.words('z', 120)).collect();
    let texts: Vec<String> = outputs.iter().map(|o| o.join(" ")).collect();
    let registry = registry(&key, &texts);
    let naive = Naive::of(&texts);
    let mut keys = Vec::new();
    let (mut promised, mut missed) = (0, 0);
    for n in 0..100_000 {
        let guarantee = if n % 2 == 0 {
            Guarantee::Words23
        } else {
            Guarantee::Words39
        };
        let scanner = Scanner::new(&registry, &key, Depth::Copies(guarantee), judge());
        let run = 1 + dice.below(guarantee.words() + 4);
        let output = &outputs[dice.below(20)];
        let document = spliced(&mut dice, output, run);
        keys.clear();
        let count = probes::of_words(&document, guarantee, key.secrets(), &mut keys);
        let found = scanner.any_ordered(&keys);
        assert_eq!(
            found,
            naive.probes(&document, guarantee.step()),
            "{document}"
        );
        assert_eq!(count, normal_words(&document).len());
        if run >= guarantee.words() {
            promised += 1;
            assert!(found, "{document}");
        } else {
            missed += usize::from(!found && run == guarantee.words() - 1);
        }
    }
    assert!(promised > 10_000 && missed > 0, "{promised} {missed}");
}

/// One walk finds the keys that reading and then looking finds.
#[test]
fn one_walk_has_the_keys_of_many() {
    let key = AuditKey::new([8; 16]);
    let secrets = key.secrets();
    let mut dice = Dice(3);
    for _ in 0..300 {
        let count = dice.below(400);
        let mut words = dice.words('q', count);
        for word in &mut words {
            match dice.below(9) {
                0 => *word = "The".to_owned(),
                1 => *word = format!("[{word}]"),
                2 => *word = "Name".to_owned(),
                3 => *word = "漢字".to_owned(),
                4 => *word = "reading".to_owned(),
                _ => {}
            }
        }
        let text = dice.joined(&words);
        let near = probes::near(&text, secrets);
        let mut read = Vec::new();
        read_words(&text, 0, secrets, &mut read);
        let (mut plain, mut skeleton, mut triples) = (Vec::new(), Vec::new(), Vec::new());
        probes::of_read(&read, 8, secrets, &mut plain);
        probes::of_skeleton(&read, &mut Vec::new(), 8, (secrets, &mut skeleton));
        channels::triples(&read, secrets, Triples::Sampled, |k| triples.push(k.key));
        assert_eq!(near.words, read.len());
        assert_eq!(
            (near.plain, near.skeleton, near.triples),
            (plain, skeleton, triples)
        );
    }
}

fn told(verdict: &Verdict) -> Vec<(usize, String, Vec<crate::Span>)> {
    let told = |m: &crate::Match| (m.output, format!("{:.9}", m.bits), m.spans.clone());
    verdict.matches.iter().map(told).collect()
}

/// A document in pieces gives the verdict of the whole, wherever it is cut; so does one of many pages.
#[test]
fn pieces_are_judged_as_the_whole() {
    let key = AuditKey::new([4; 16]);
    let mut dice = Dice(5);
    let outputs: Vec<Vec<String>> = (0..6).map(|_| dice.words('z', 80)).collect();
    let texts: Vec<String> = outputs.iter().map(|o| o.join(" ")).collect();
    let registry = registry(&key, &texts);
    for (round, filler) in [(0, 50), (1, 400), (2, 60_000), (3, 200_000)] {
        let mut words = dice.words('q', filler);
        for output in &outputs[round..] {
            words.extend_from_slice(&output[10..70]);
            words.extend(dice.words('q', filler / 3));
        }
        let document = dice.joined(&words);
        for depth in [
            Depth::Copies(Guarantee::Words23),
            Depth::Paraphrases(Guarantee::Words39),
        ] {
            let scanner = Scanner::new(&registry, &key, depth, judge());
            let whole = scanner.scan(&document);
            assert_eq!(whole.matches.len(), outputs.len() - round);
            for size in [1_000, 65_536, 3_000_017] {
                let mut stream = scanner.stream();
                let mut rest = document.as_str();
                while !rest.is_empty() {
                    let mut cut = (1 + dice.below(size)).min(rest.len());
                    while !rest.is_char_boundary(cut) {
                        cut += 1;
                    }
                    let (head, tail) = rest.split_at(cut);
                    stream.push(head);
                    rest = tail;
                }
                let pieces = stream.finish();
                assert_eq!(told(&pieces), told(&whole));
                assert_eq!((pieces.words, pieces.bytes), (whole.words, whole.bytes));
            }
        }
    }
}

/// Spans are places of the document, and a twin that is as near takes the finding away.
#[test]
fn spans_lie_in_the_document_and_twins_explain() {
    let key = AuditKey::new([5; 16]);
    let mut dice = Dice(9);
    let words = dice.words('z', 80);
    let text = words.join(" ");
    let document = format!("Before it. {text} After it.");
    let account = AccountId::parse("a").unwrap();
    let mut builder = SegmentBuilder::new(&key, account.clone(), Month::of(Timestamp(0)));
    let mut add = |id: &str, text: &str, role| {
        let output = OutputText {
            id: ExchangeId::parse(id).unwrap(),
            account: account.clone(),
            prompt: "what was asked",
            text,
            at: Timestamp(0),
            model: ModelName::parse("m").unwrap(),
            role,
        };
        builder.add(&output).unwrap();
    };
    add("1", &text, Role::Output);
    add("2", &text, Role::Control);
    let twinned = builder.build();
    let mut other = SegmentBuilder::new(&key, account.clone(), Month::of(Timestamp(0)));
    let far = dice.words('y', 80).join(" ");
    for (id, text, role) in [("1", &text, Role::Output), ("3", &far, Role::Control)] {
        let output = OutputText {
            id: ExchangeId::parse(id).unwrap(),
            account: account.clone(),
            prompt: "what was asked",
            text,
            at: Timestamp(0),
            model: ModelName::parse("m").unwrap(),
            role,
        };
        other.add(&output).unwrap();
    }
    let told_apart = Registry::join(key.id(), vec![other.build()], None).unwrap();
    let registry = Registry::join(key.id(), vec![twinned], None).unwrap();
    let depth = Depth::Copies(Guarantee::Words23);
    let verdict = Scanner::new(&registry, &key, depth, judge()).scan(&document);
    let found = &verdict.matches[0];
    let span = found.spans[0];
    assert_eq!(document.get(span.start..span.end), Some(text.as_str()));
    let independent = found.independent.unwrap();
    assert_eq!((independent.twins, independent.as_near), (1, 1));
    assert!(found.resembles && !found.derived && !verdict.derived());
    assert_eq!(verdict.bytes_derived, 0);
    // The same document is a finding where the twin says something else: it is the twin that cleared it.
    let apart = Scanner::new(&told_apart, &key, depth, judge()).scan(&document);
    let independent = apart.matches[0].independent.unwrap();
    assert_eq!((independent.twins, independent.as_near), (1, 0));
    assert!(apart.derived() && apart.bytes_derived == text.len());
}

proptest! {
    #[test]
    fn no_text_breaks_the_scanner(text in "\\PC{0,200}", other in "[a-zA-Z0-9 \\[\\]{}<>.,-]{0,400}") {
        let key = AuditKey::new([6; 16]);
        let registry = registry(&key, &["word ".repeat(3) + &Dice(1).words('z', 60).join(" ")]);
        let scanner = Scanner::new(&registry, &key, Depth::Paraphrases(Guarantee::Words23), judge());
        for text in [&text, &other] {
            prop_assert_eq!(scanner.scan(text).words, normal_words(text).len());
        }
    }
}
