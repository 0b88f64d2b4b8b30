use facts::{ExchangeId, Timestamp};

use super::*;

fn exchange(n: u64, account: &str) -> Exchange {
    let words: Vec<String> = (0..60).map(|k| format!("word{}", n * 1000 + k)).collect();
    Exchange {
        id: ExchangeId::parse(&format!("e{n}")).unwrap(),
        account: AccountId::parse(account).unwrap(),
        at: Timestamp(1_780_000_000_000),
        model: None,
        prompt: vec![("user".to_owned(), format!("question {n}"))],
        response: Some(words.join(" ")),
        usage: None,
    }
}

fn made(folder: &Folder, numbers: std::ops::Range<u64>) -> Vec<Segment> {
    let mut making = Making::new(folder.key());
    for n in numbers {
        let account = if n % 2 == 0 { "a.b" } else { "odd" };
        making.take(&exchange(n, account), Role::Output);
    }
    making.build()
}

fn outputs(folder: &Folder) -> usize {
    let segments = folder.segments().unwrap();
    provenance::Registry::join(folder.key().id(), segments, None)
        .unwrap()
        .len()
}

#[test]
fn a_registry_is_what_was_written_and_holds_no_text() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    folder.write(&right, made(&folder, 0..10), (0, 20)).unwrap();
    folder.advance(&right, 20).unwrap();
    assert_eq!(outputs(&folder), 10);
    for file in folder.files().unwrap() {
        let bytes = std::fs::read(&file.path).unwrap();
        assert!(memchr::memmem::find(&bytes, b"word").is_none());
    }
    assert!(matches!(
        folder.again().unwrap().lock(),
        Err(RegistryError::Busy(_))
    ));
}

#[test]
fn what_the_place_does_not_speak_of_is_made_again() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    folder.write(&right, made(&folder, 0..4), (0, 8)).unwrap();
    folder.advance(&right, 8).unwrap();
    // The process dies between the segments and the place.
    folder.write(&right, made(&folder, 4..8), (8, 16)).unwrap();
    drop(right);
    assert_eq!(outputs(&folder), 4);
    let right = folder.lock().unwrap();
    assert_eq!(
        std::fs::read_dir(temporary.path().join("a-odd"))
            .unwrap()
            .count(),
        1
    );
    folder.write(&right, made(&folder, 4..10), (8, 20)).unwrap();
    folder.advance(&right, 20).unwrap();
    assert_eq!(outputs(&folder), 10);
}

#[test]
fn what_was_imported_stays_beside_the_log_and_counts_once() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    folder.write(&right, made(&folder, 0..4), (0, 0)).unwrap();
    folder.write(&right, made(&folder, 4..8), (0, 16)).unwrap();
    folder.advance(&right, 16).unwrap();
    assert_eq!(outputs(&folder), 8);
    folder.merge(&right, 1).unwrap();
    assert_eq!(outputs(&folder), 8);
    folder.write(&right, made(&folder, 0..4), (0, 0)).unwrap();
    folder.merge(&right, 1).unwrap();
    assert_eq!(outputs(&folder), 8);
}

#[test]
fn merged_files_hold_the_same_and_a_torn_merge_is_finished() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    for n in 0..10 {
        folder
            .write(&right, made(&folder, n..n + 2), (n, n + 1))
            .unwrap();
    }
    folder.advance(&right, 10).unwrap();
    let kept = folder.files().unwrap().first().unwrap().path.clone();
    let copy = std::fs::read(&kept).unwrap();
    assert!(folder.merge(&right, FILES_MAX).unwrap() > 0);
    assert_eq!(folder.files().unwrap().len(), 2);
    assert_eq!(outputs(&folder), 11);
    std::fs::write(&kept, copy).unwrap();
    assert_eq!(outputs(&folder), 11);
    drop(right);
    folder.lock().unwrap();
    assert!(!kept.exists());
}
