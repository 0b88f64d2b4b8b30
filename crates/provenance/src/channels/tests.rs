use super::*;
use crate::AuditKey;
use crate::normaliser::read_words;

fn read(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    read_words(text, 0, AuditKey::new([3; 16]).secrets(), &mut words);
    words
}

fn keys(channel: Channel, text: &str) -> Vec<u64> {
    let key = AuditKey::new([3; 16]);
    let read = read(text);
    let mut found = Vec::new();
    let mut kept = Vec::new();
    match channel {
        Channel::Words => words(&read, key.secrets(), |k| found.push(k.key)),
        Channel::Skeleton => {
            skeleton_of(&read, &mut kept);
            skeleton(&read, &kept, key.secrets(), |k| found.push(k.key));
        }
        Channel::Triples => triples(&read, key.secrets(), Triples::Sampled, |k| {
            found.push(k.key);
        }),
    }
    found
}

#[test]
fn the_skeleton_forgets_names_numbers_and_placeholders() {
    let one = "On 3 April the clerk Anna Smith sent the old letter back to her uncle in Berlin within a week";
    let two = "On 17 June the clerk [NAME] sent the old letter back to her uncle in {{city}} within a week";
    assert!(!keys(Channel::Skeleton, one).is_empty());
    assert_eq!(keys(Channel::Skeleton, one), keys(Channel::Skeleton, two));
    assert_ne!(keys(Channel::Words, one), keys(Channel::Words, two));
}

#[test]
fn triples_know_no_order_and_no_endings() {
    let mut all = (0..200).map(|n| {
        let w: Vec<String> = (0..3)
            .map(|k| format!("word{}", char::from_u32(97 + (n * 3 + k) % 26).unwrap()).repeat(2))
            .collect();
        let a = keys(Channel::Triples, &format!("{} {} {}", w[0], w[1], w[2]));
        let b = keys(
            Channel::Triples,
            &format!("the {} of {} and {}s", w[2], w[0], w[1]),
        );
        (a, b)
    });
    assert!(all.by_ref().all(|(a, b)| a == b));
}

#[test]
fn one_triple_in_four_is_kept() {
    let words: Vec<String> = (0..4_000_u32)
        .map(|n| {
            let letter = |k: u32| {
                char::from_u32(97 + n.wrapping_mul(2_654_435_761).rotate_left(5 * k) % 26).unwrap()
            };
            (0..6).map(letter).collect()
        })
        .collect();
    let kept = keys(Channel::Triples, &words.join(" ")).len();
    assert!((2_500..3_500).contains(&kept), "{kept} of about 12,000");
}

#[test]
fn gathered_triples_are_the_triples() {
    let key = AuditKey::new([3; 16]);
    let text = "The clerk sent letters, the clerk's letters, to [NAME] in 3 old towns; 日本の古い町 größere Städte walked walking. ";
    let text = text.repeat(40)
        + &(0..900)
            .map(|n| format!("w{} ", char::from_u32(97 + n * 7 % 26).unwrap()).repeat(3))
            .collect::<String>();
    for wanted in [Triples::All, Triples::Sampled] {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let read = read(&text);
        triples(&read, key.secrets(), wanted, |k| one.push(k.key));
        triple_keys(&read, key.secrets(), wanted, &mut other);
        assert!(one.len() > 100, "{}", one.len());
        assert_eq!(one, other);
    }
}
