use proptest::prelude::*;

use super::*;

fn key() -> AuditKey {
    AuditKey::new(*b"segments' tests.")
}

/// `count` words that no other `salt` says.
fn text(salt: usize, count: usize) -> String {
    let word = |n| format!("w{salt}x{n}");
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

fn output<'a>(id: &str, prompt: &'a str, text: &'a str) -> OutputText<'a> {
    OutputText {
        id: ExchangeId::parse(id).unwrap(),
        account: AccountId::parse("a").unwrap(),
        prompt,
        text,
        at: Timestamp(0),
        model: ModelName::parse("m").unwrap(),
        role: Role::Output,
    }
}

fn builder() -> SegmentBuilder {
    let at = Timestamp(1_700_000_000_000);
    SegmentBuilder::new(&key(), AccountId::parse("a").unwrap(), Month::of(at))
}

#[test]
fn what_tells_nothing_is_not_registered() {
    let mut builder = builder();
    let long = text(1, 60);
    assert_eq!(
        builder.add(&output("1", "", &text(1, 39))),
        Err(Skipped::Short)
    );
    assert_eq!(
        builder.add(&output("1", &long, &long)),
        Err(Skipped::Repeats)
    );
    let refusal = format!("I’m sorry, but {}", text(2, 40));
    assert_eq!(
        builder.add(&output("1", "", &refusal)),
        Err(Skipped::Refusal)
    );
    assert!(builder.is_empty());
    assert_eq!(builder.add(&output("1", "", &long)), Ok(()));
    assert_eq!(builder.add(&output("1", "", &long)), Ok(()));
    assert_eq!(builder.len(), 1);
}

#[test]
fn a_segment_is_read_as_it_was_written_and_never_damaged() {
    let mut builder = builder();
    for n in 0..5 {
        let text = text(n, 50 + n);
        builder.add(&output(&n.to_string(), "why", &text)).unwrap();
    }
    let segment = builder.build();
    assert_eq!(segment.month().to_string(), "2023-11");
    let bytes = segment.to_bytes();
    assert_eq!(Segment::from_bytes(&bytes).unwrap(), segment);
    for cut in 0..bytes.len() {
        assert!(Segment::from_bytes(&bytes[..cut]).is_err());
    }
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        assert!(Segment::from_bytes(&damaged).is_err(), "byte {at}");
    }
}

#[test]
fn merging_is_registering_together() {
    let (mut all, mut left, mut right) = (builder(), builder(), builder());
    for n in 0..6 {
        let (id, text) = (n.to_string(), text(n, 60));
        all.add(&output(&id, "", &text)).unwrap();
        let half = if n < 3 { &mut left } else { &mut right };
        half.add(&output(&id, "", &text)).unwrap();
    }
    // What both hold counts once.
    right.add(&output("0", "", &text(0, 60))).unwrap();
    let right = right.build();
    assert_eq!(left.build().merge(&right).unwrap(), all.build());
    let at = Timestamp(0);
    let other = SegmentBuilder::new(&key(), AccountId::parse("b").unwrap(), Month::of(at)).build();
    assert_eq!(other.merge(&right), Err(SegmentError::Foreign));
}

proptest! {
    #[test]
    fn hostile_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = b"FHSEG\0\x01\0\x01\0".to_vec();
        framed.extend(&bytes);
        prop_assert!(Segment::from_bytes(&bytes).is_err());
        prop_assert!(Segment::from_bytes(&framed).is_err());
    }
}

#[test]
fn a_segment_without_some_outputs_is_the_one_that_never_held_them() {
    let texts: Vec<String> = (0..6).map(|n| text(n, 50 + n)).collect();
    let of = |numbers: &[usize]| {
        let mut builder = builder();
        for n in numbers {
            builder
                .add(&output(&n.to_string(), "why", &texts[*n]))
                .unwrap();
        }
        builder.build()
    };
    let gone = |output: &Output| ["0", "3", "5"].contains(&output.id.as_str());
    let mut segment = of(&[0, 1, 2, 3, 4, 5]);
    let all = segment.fingerprints();
    let rest = of(&[1, 2, 4]);
    assert_eq!(segment.forget(gone), (3, all - rest.fingerprints()));
    assert_eq!(segment, rest);
    assert_eq!(segment.forget(gone), (0, 0));
    let mut builder = builder();
    builder.add(&output("3", "why", &texts[3])).unwrap();
    assert!(builder.forget(gone).1 > 0 && builder.is_empty());
    assert_eq!(segment.forget(|_| true).0, 3);
    assert_eq!((segment.outputs().len(), segment.fingerprints()), (0, 0));
}
