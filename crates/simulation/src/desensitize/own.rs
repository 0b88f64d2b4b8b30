//! A small corpus of our own: words that no language has, so that it runs anywhere. Its figures say
//! that everything works, and nothing about real texts.

use super::rows::{Kind, Row};
use crate::random::Random;

const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
    "we", "xi", "yo", "zu", "bra", "cle", "dri", "sto",
];
const SMALL: [&str; 16] = [
    "the", "of", "and", "to", "in", "is", "that", "for", "with", "as", "on", "are", "by", "this",
    "from", "which",
];
const NAMES: [&str; 12] = [
    "Marlow",
    "Tessin",
    "Okabe",
    "Lindqvist",
    "Porto",
    "Graz",
    "Anselm",
    "Brigid",
    "Cormac",
    "Dunya",
    "Esteban",
    "Farid",
];

/// The rows: outputs, people's texts, answers of three models to one prompt, polished texts.
pub fn rows(seed: u64) -> Vec<Row> {
    let mut random = Random::new(seed);
    let mut rows = Vec::new();
    for n in 0..900 {
        let topic = topic(&mut random);
        let prompt = format!("Write about {}", topic.join(" and "));
        let text = text(&topic, &mut random);
        rows.push(row(
            ("own-model", n),
            Kind::Model,
            "model-a",
            Some(prompt),
            text,
        ));
    }
    for n in 0..900 {
        let topic = topic(&mut random);
        let prompt = format!("Explain {} and mind {n}", topic.join(" and "));
        for model in ["model-a", "model-b", "model-c"] {
            let text = text(&topic, &mut random);
            rows.push(row(
                ("own-same", n),
                Kind::Model,
                model,
                Some(prompt.clone()),
                text,
            ));
        }
    }
    for n in 0..3_000 {
        let topic = topic(&mut random);
        let text = text(&topic, &mut random);
        rows.push(row(("own-human", n), Kind::Human, "human", None, text));
    }
    for n in 0..300 {
        let topic = topic(&mut random);
        let text = text(&topic, &mut random);
        let polished = polished(&text, &mut random);
        for (kind, model, text) in [
            (Kind::Human, "human", text),
            (Kind::Rewritten("polished".to_owned()), "model-b", polished),
        ] {
            let mut row = row(("own-polished", n), kind, model, None, text);
            row.pair = Some(format!("polished-{n}"));
            rows.push(row);
        }
    }
    rows
}

fn row(
    (what, n): (&str, usize),
    kind: Kind,
    model: &str,
    prompt: Option<String>,
    text: String,
) -> Row {
    Row {
        id: format!("{what}-{n}-{model}"),
        kind,
        model: model.to_owned(),
        source: "own".to_owned(),
        prompt,
        pair: None,
        text,
    }
}

fn word(n: usize) -> String {
    let syllable = |n: usize| SYLLABLES.get(n % 24).copied().unwrap_or_default();
    format!(
        "{}{}{}",
        syllable(n),
        syllable(n / 24),
        syllable(n / 576 + 7)
    )
}

/// Frequent words are frequent.
fn common(random: &mut Random) -> String {
    let (a, b) = (random.below(90), random.below(90));
    word(a * b)
}

fn topic(random: &mut Random) -> Vec<String> {
    (0..6).map(|_| word(random.below(8_000))).collect()
}

fn text(topic: &[String], random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..6 + random.below(10) {
        let length = 8 + random.below(14);
        for n in 0..length {
            let word = match random.below(12) {
                0..=4 => random.pick(&SMALL).to_owned(),
                5 if n > 0 => random.pick(&NAMES).to_owned(),
                6 if n > 0 && random.below(3) == 0 => random.below(2_000).to_string(),
                7 => topic
                    .get(random.below(topic.len()))
                    .cloned()
                    .unwrap_or_default(),
                _ => common(random),
            };
            if n == 0 {
                let mut letters = word.chars();
                text.extend(letters.next().map(|c| c.to_ascii_uppercase()));
                text.push_str(letters.as_str());
            } else {
                text.push(' ');
                text.push_str(&word);
            }
        }
        text.push_str(". ");
    }
    text
}

/// One word in eight becomes another, one sentence in eight is cut.
fn polished(text: &str, random: &mut Random) -> String {
    let mut new = String::new();
    for sentence in super::sentences(text) {
        if random.below(8) == 0 {
            continue;
        }
        let changed = sentence.split_whitespace().map(|word| {
            if random.below(8) == 0 {
                common(random)
            } else {
                word.to_owned()
            }
        });
        let changed: Vec<String> = changed.collect();
        new.push_str(&changed.join(" "));
        new.push_str(". ");
    }
    new
}
