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
        for format in 1..=2 {
            let mut framed = vec![b'F', b'H', b'S', b'E', b'G', 0, format, 0, 1, 0];
            framed.extend(&bytes);
            prop_assert!(Segment::from_bytes(&bytes).is_err());
            prop_assert!(Segment::from_bytes(&framed).is_err());
        }
    }

    #[test]
    fn a_month_is_that_of_the_calendar(at in -70_000_000_000_000_i64..260_000_000_000_000) {
        let told = Timestamp(at.clamp(-62_167_219_200_000, 253_402_300_799_999)).rfc3339();
        let month = Month::of(Timestamp(at)).to_string();
        prop_assert_eq!(Some(month.as_str()), told.get(..7));
    }
}

/// A segment of two outputs as earlier builds wrote it: entries by key, with their outputs.
const FORMAT_1: &str = include_str!("vectors/format-1.hex");
/// The same in the format of today.
const FORMAT_2: &str = include_str!("vectors/format-2.hex");

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn both_formats_are_read_and_the_newer_one_is_written() {
    let mut builder = builder();
    for n in 0..2 {
        let text = text(n, 40 + n);
        builder.add(&output(&n.to_string(), "why", &text)).unwrap();
    }
    let segment = builder.build();
    let old = bytes_of(FORMAT_1);
    let told = Segment::from_bytes(&old).unwrap();
    // Within an output the old format knows no order of channels.
    let sorted = |mut segment: Segment| {
        segment
            .entries
            .sort_unstable_by_key(|e| (e.output, e.packed));
        segment
    };
    assert_eq!(sorted(told.clone()), sorted(segment.clone()));
    assert_eq!(segment.to_bytes(), bytes_of(FORMAT_2));
    assert_eq!(Segment::from_bytes(&told.to_bytes()).unwrap(), told);
    assert_eq!(old.len() - told.to_bytes().len(), 4 * told.fingerprints());
    for cut in 0..old.len() {
        assert!(Segment::from_bytes(&old[..cut]).is_err());
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
