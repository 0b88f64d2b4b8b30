use std::collections::{BTreeSet, HashMap};

use facts::{AccountId, ExchangeId, ModelName, Timestamp};

use super::*;
use crate::{
    Calibration, Fusion, Guarantee, Judge, Month, OutputText, Registry, Role, Row, SegmentBuilder,
    Told,
};

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn text(&mut self, words: usize) -> String {
        let words = (0..words).map(|_| {
            let word: String = (0..4)
                .map(|_| char::from(b'a' + u8::try_from(self.next(26)).unwrap()))
                .collect();
            match self.next(9) {
                0 => format!("{}.", word.to_uppercase()),
                1 => "the".to_owned(),
                _ => word,
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn judge() -> Judge {
    Judge {
        fusion: Fusion::STANDARD,
        calibration: Calibration::new(vec![20.0; 999], vec![5.0; 999], vec![5.0; 999]),
        unrelated_max: 0.002,
        independent_max: 0.01,
        per_doubling: 2.0,
        texts: 16.0,
    }
}

/// Twelve outputs to six prompts, one in three a control twin.
fn registry(random: &mut Random, key: &AuditKey) -> (Registry, Vec<String>) {
    let account = AccountId::parse("a").unwrap();
    let mut builder = SegmentBuilder::new(key, account.clone(), Month::of(Timestamp(0)));
    let mut texts = Vec::new();
    for n in 0..12 {
        let text = random.text(60 + 10 * n);
        builder
            .add(&OutputText {
                id: ExchangeId::parse(&format!("x{n}")).unwrap(),
                account: account.clone(),
                prompt: &format!("the question of number {}", n / 2),
                text: &text,
                at: Timestamp(0),
                model: ModelName::parse("m").unwrap(),
                role: if n % 3 == 2 {
                    Role::Control
                } else {
                    Role::Output
                },
            })
            .unwrap();
        texts.push(text);
    }
    let segments = vec![builder.build()];
    (Registry::join(key.id(), segments, None).unwrap(), texts)
}

/// What a holder tells of the keys that were asked.
fn told(registry: &Registry, asked: &BTreeSet<u64>) -> Told {
    let rows: Vec<Row> = registry.rows().filter(|r| asked.contains(&r.key)).collect();
    let mut named: BTreeSet<u32> = rows.iter().map(|row| row.output).collect();
    for n in named.clone() {
        let output = &registry.outputs()[n as usize];
        if output.role == Role::Control {
            named.extend(
                registry
                    .output_to(output.prompt)
                    .map(|n| u32::try_from(n).unwrap()),
            );
        }
    }
    let places: HashMap<u32, u32> = named.iter().copied().zip(0..).collect();
    let outputs = named
        .iter()
        .map(|n| registry.outputs()[*n as usize].clone());
    let mut twins = HashMap::new();
    for output in registry.outputs() {
        twins.insert(output.prompt, registry.twins(output.prompt));
    }
    Told {
        outputs: outputs.collect(),
        texts: named
            .iter()
            .map(|n| registry.text_of(*n as usize))
            .collect(),
        rows: rows
            .iter()
            .map(|row| Row {
                output: places[&row.output],
                ..*row
            })
            .collect(),
        all: registry.outputs().len(),
        recognisable: registry.len(),
        twins,
    }
}

fn splice(random: &mut Random, texts: &[String]) -> String {
    let mut words: Vec<String> = Vec::new();
    for _ in 0..=random.next(4) {
        let strange = random.next(60);
        words.push(random.text(strange));
        let from = &texts[random.next(texts.len())];
        let all: Vec<&str> = from.split(' ').collect();
        let start = random.next(all.len());
        let length = random.next(70);
        words.extend(all.iter().skip(start).take(length).map(|w| (*w).to_owned()));
    }
    words.join(" ")
}

#[test]
fn what_was_asked_is_enough_for_the_same_verdicts() {
    let mut random = Random(7);
    let key = AuditKey::new([3; 16]);
    let (whole, texts) = registry(&mut random, &key);
    let mut documents: Vec<String> = (0..400).map(|_| splice(&mut random, &texts)).collect();
    // One that is read in pages.
    documents.push(format!(
        "{} {}",
        random.text(230_000),
        splice(&mut random, &texts)
    ));
    let mut derived = 0;
    for depth in [
        Depth::Copies(Guarantee::Words23),
        Depth::Copies(Guarantee::Words39),
        Depth::Paraphrases(Guarantee::Words23),
    ] {
        let mut asked = BTreeSet::new();
        for document in &documents {
            seeds(document, &key, depth, |k| _ = asked.insert(Row::kept(k)));
        }
        let seeded = Registry::of_told(key.id(), told(&whole, &asked)).unwrap();
        let scanner = Scanner::new(&seeded, &key, depth, judge());
        for document in &documents {
            scanner.opens(document, |k| _ = asked.insert(Row::kept(k)));
        }
        let part = Registry::of_told(key.id(), told(&whole, &asked)).unwrap();
        assert_eq!(part.len(), whole.len());
        let with_part = Scanner::new(&part, &key, depth, judge());
        let with_whole = Scanner::new(&whole, &key, depth, judge());
        for document in &documents {
            let (one, other) = (with_part.scan(document), with_whole.scan(document));
            let name = |registry: &Registry, output: usize| registry.outputs()[output].id.clone();
            let said = |verdict: &crate::Verdict, registry: &Registry| {
                let matches = verdict.matches.iter().map(|m| {
                    let family: Vec<_> = m.family.iter().map(|n| name(registry, *n)).collect();
                    format!(
                        "{} {family:?} {:?} {} {:?} {}",
                        name(registry, m.output),
                        m.spans,
                        m.bits,
                        m.independent,
                        m.derived
                    )
                });
                matches.collect::<Vec<_>>()
            };
            assert_eq!(said(&one, &part), said(&other, &whole));
            assert_eq!(one.bytes_derived, other.bytes_derived);
            derived += usize::from(other.derived());
        }
    }
    assert!(derived > 100, "{derived}");
}
