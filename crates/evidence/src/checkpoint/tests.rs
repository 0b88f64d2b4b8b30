use super::*;
use proptest::prelude::*;

fn key() -> LogKey {
    LogKey::from_seed(&[7; 32], "fairhold/ledger").unwrap()
}

#[test]
fn notes_open_under_their_key_only() {
    let note = key().checkpoint(42, &[9; 32]);
    let verifier = Verifier::parse(&key().vkey()).unwrap();
    let checkpoint = verifier.open(&note).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (42, [9; 32]));
    let other = LogKey::from_seed(&[8; 32], "fairhold/ledger").unwrap();
    assert!(Verifier::parse(&other.vkey()).unwrap().open(&note).is_err());
    assert!(verifier.open(&other.checkpoint(42, &[9; 32])).is_err());
    assert!(LogKey::from_seed(&[7; 32], "two words").is_err());
    assert!(!format!("{:?}", key()).contains('7'));
}

#[test]
fn vkeys_are_read_strictly() {
    let vkey = key().vkey();
    for wrong in [
        String::new(),
        vkey.replacen('+', "-", 1),
        format!("x{vkey}"),
        vkey.trim_end_matches('=').to_owned() + "AAAA",
        vkey.replace("AQ", "Ag"),
    ] {
        assert!(wrong == vkey || Verifier::parse(&wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_other_note_opens(place in any::<prop::sample::Index>(), byte in any::<char>(), junk in ".{0,200}") {
        let note = key().checkpoint(42, &[9; 32]);
        let verifier = Verifier::parse(&key().vkey()).unwrap();
        let mut chars: Vec<char> = note.chars().collect();
        let place = place.index(chars.len());
        prop_assume!(chars[place] != byte);
        chars[place] = byte;
        let changed: String = chars.into_iter().collect();
        prop_assert!(verifier.open(&changed).is_err());
        prop_assert!(verifier.open(&junk).is_err());
        let _ = Verifier::parse(&junk);
    }
}

/// Below the text stand well-formed signatures only; ours once, others as they come.
#[test]
fn signature_lines_are_read_strictly() {
    let note = key().checkpoint(42, &[9; 32]);
    let verifier = Verifier::parse(&key().vkey()).unwrap();
    let ours = note.split("\n\n").nth(1).unwrap();
    for wrong in [
        format!("{note}junk\n"),
        note.trim_end().to_owned() + "\r\n",
        note.trim_end().to_owned(),
        format!("{note}{ours}"),
        format!("{note}\u{2014} x\n"),
        format!("{note}\n"),
        note.replace("\n\n", "\n\njunk\n"),
    ] {
        assert!(verifier.open(&wrong).is_err(), "{wrong}");
    }
    let witness = LogKey::from_seed(&[8; 32], "witness").unwrap();
    let other = witness.checkpoint(42, &[9; 32]);
    let cosigned = format!("{note}{}", other.split("\n\n").nth(1).unwrap());
    assert!(verifier.open(&cosigned).is_ok());
}
