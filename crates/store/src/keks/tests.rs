use super::*;

fn folder() -> (tempfile::TempDir, DataFolder) {
    let place = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(&place.path().join("data")).unwrap();
    (place, folder)
}

#[test]
fn a_key_is_read_as_bytes_hexadecimal_or_base64() {
    let key: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 7 % 256).unwrap() | 0x81);
    assert_eq!(read_key(&key), Some(key));
    for text in [
        hex::encode(key),
        format!("{}\n", hex::encode(key).to_uppercase()),
        STANDARD.encode(key),
        STANDARD_NO_PAD.encode(key),
        URL_SAFE.encode(key) + "\n",
    ] {
        assert_eq!(read_key(text.as_bytes()), Some(key), "{text}");
    }
    for wrong in ["", "short", &"0".repeat(63), &STANDARD.encode([1; 31])] {
        assert_eq!(read_key(wrong.as_bytes()), None, "{wrong}");
    }
}

#[test]
fn wherever_a_replacement_is_cut_short_both_keys_are_found_and_it_goes_on() {
    let steps = [
        None,
        Some(SwapStep::SetAside),
        Some(SwapStep::Replaced),
        Some(SwapStep::Overwritten),
    ];
    for cut in steps {
        let (place, folder) = folder();
        let old = folder.keks().unwrap().current;
        let next = folder.next_kek().unwrap();
        assert_eq!(folder.next_kek().unwrap(), next, "it is made once");
        assert_ne!(old, next);
        let stop = |step| {
            if Some(step) == cut {
                Err(io::Error::other("cut short"))
            } else {
                Ok(())
            }
        };
        assert_eq!(folder.swap_kek(stop).is_err(), cut.is_some());
        let held = folder.keks().unwrap();
        let all: Vec<_> = [held.current].into_iter().chain(held.others).collect();
        assert!(all.contains(&next), "{cut:?}");
        // The old key goes only once it was replaced for good.
        let gone = matches!(cut, None | Some(SwapStep::Overwritten));
        assert_eq!(all.contains(&old), !gone, "{cut:?}");
        assert_eq!(folder.kek_swap_due(), cut.is_some());
        folder.swap_kek(|_| Ok(())).unwrap();
        let held = folder.keks().unwrap();
        assert_eq!((held.current, held.others), (next, Vec::new()));
        assert!(!folder.kek_swap_due());
        let names = std::fs::read_dir(place.path().join("data")).unwrap();
        let names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "the lock and the key: {names:?}");
    }
}
