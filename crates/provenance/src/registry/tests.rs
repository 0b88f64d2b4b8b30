use super::*;
use crate::{AuditKey, BackgroundBuilder, Month, OutputText, SegmentBuilder};
use facts::{AccountId, ExchangeId, ModelName, Timestamp};

fn segment(key: &AuditKey, texts: &[String]) -> Segment {
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
    builder.build()
}

fn text(salt: usize, count: usize) -> String {
    let word = |n| format!("w{salt}x{n}");
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_fingerprint_is_found_where_it_was_put() {
    let key = AuditKey::new([5; 16]);
    let segment = segment(&key, &(0..40).map(|n| text(n, 60)).collect::<Vec<_>>());
    let entries = segment.entries.clone();
    let registry = Registry::join(key.id(), vec![segment], None).unwrap();
    for entry in entries {
        assert!(registry.filter().holds(widened(entry.packed)));
        let (places, _) = registry.find(entry.packed, true).unwrap();
        assert!(places.contains(&entry));
    }
    assert!(registry.find(0x1234_5678_9abc_def0, true).is_none());
}

/// Nine outputs that begin alike: what they begin with is boilerplate, and what the public says twice
/// is nobody's.
#[test]
fn what_everybody_says_is_not_found() {
    let key = AuditKey::new([6; 16]);
    let alike = |n: usize| format!("{} {}", text(99, 40), text(n, 40));
    let eight: Vec<String> = (0..8).map(alike).collect();
    let nine: Vec<String> = (0..9).map(alike).collect();
    let mut words = Vec::new();
    crate::normaliser::read_words(&text(99, 40), 0, key.secrets(), &mut words);
    let mut first = None;
    crate::channels::words(&words, key.secrets(), |k| {
        first.get_or_insert(k.key);
    });
    let first = first.unwrap();
    let found = |texts: &[String], background: Option<Background>| {
        let segment = segment(&key, texts);
        let registry = Registry::join(key.id(), vec![segment], background).unwrap();
        registry.find(first, true).map(|(places, _)| places.len())
    };
    assert_eq!(found(&eight, None), Some(8));
    assert_eq!(found(&nine, None), None);
    let mut public = BackgroundBuilder::new(&key);
    public.add(&text(99, 40));
    public.add(&format!("{} too", text(99, 40)));
    assert_eq!(found(&eight, Some(public.build())), None);
}

#[test]
fn keys_are_never_mixed() {
    let (one, two) = (AuditKey::new([1; 16]), AuditKey::new([2; 16]));
    let segment = segment(&one, &[text(1, 60)]);
    assert_eq!(
        Registry::join(two.id(), vec![segment], None).unwrap_err(),
        JoinError::Foreign
    );
}

#[test]
fn an_exchange_that_comes_twice_counts_once() {
    let key = AuditKey::new([5; 16]);
    let texts: Vec<String> = (0..4).map(|n| text(n, 60)).collect();
    let once = Registry::join(key.id(), vec![segment(&key, &texts)], None).unwrap();
    let twice = vec![segment(&key, &texts[..2]), segment(&key, &texts)];
    let twice = Registry::join(key.id(), twice, None).unwrap();
    assert_eq!(twice.len(), 4);
    assert_eq!(twice.fingerprints(), once.fingerprints());
}

/// An output that was served nine or a hundred times, on one day or on many, to one prompt or to many,
/// is found as well as one that was served once.
#[test]
fn what_is_served_often_is_still_found() {
    let key = AuditKey::new([7; 16]);
    let account = AccountId::parse("a").unwrap();
    let answer = text(7, 60);
    for (count, day, prompts) in [(9, 0, 1), (9, 0, 9), (9, 1, 1), (100, 0, 100), (100, 1, 1)] {
        let mut builder = SegmentBuilder::new(&key, account.clone(), Month::of(Timestamp(0)));
        for n in 0..count {
            let output = OutputText {
                id: ExchangeId::parse(&n.to_string()).unwrap(),
                account: account.clone(),
                prompt: &format!("what was asked {}", n % prompts),
                text: &answer,
                at: Timestamp(n * day * 86_400_000),
                model: ModelName::parse("m").unwrap(),
                role: Role::Output,
            };
            builder.add(&output).unwrap();
        }
        let registry = Registry::join(key.id(), vec![builder.build()], None).unwrap();
        let scanner = crate::Scanner::new(
            &registry,
            &key,
            crate::Depth::Copies(crate::Guarantee::Words23),
            crate::verdict::tests::judge(),
        );
        let verdict = scanner.scan(&format!("Before it {answer} after it."));
        assert!(verdict.derived(), "{count} {day} {prompts}");
        let found = &verdict.matches[0];
        // Every one of them is named, as a match or in its family.
        let mut named: Vec<usize> = verdict.matches.iter().map(|m| m.output).collect();
        named.extend(
            verdict
                .matches
                .iter()
                .flat_map(|m| m.family.iter().copied()),
        );
        named.sort_unstable();
        named.dedup();
        assert_eq!(named.len(), usize::try_from(count).unwrap());
        assert!(found.bits > 80.0, "{}", found.bits);
    }
}
