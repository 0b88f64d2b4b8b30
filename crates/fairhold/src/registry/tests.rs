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
    folder.merge(&right).unwrap();
    assert_eq!(outputs(&folder), 8);
    folder.write(&right, made(&folder, 0..4), (0, 0)).unwrap();
    folder.merge(&right).unwrap();
    assert_eq!(outputs(&folder), 8);
}

#[test]
fn a_merge_that_was_cut_off_behind_imports_counts_nothing_twice() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    folder.write(&right, made(&folder, 0..4), (0, 0)).unwrap();
    folder.write(&right, made(&folder, 4..8), (0, 16)).unwrap();
    folder.advance(&right, 16).unwrap();
    let imports: Vec<(PathBuf, Vec<u8>)> = folder
        .files()
        .unwrap()
        .into_iter()
        .filter(|file| file.to == 0)
        .map(|file| (file.path.clone(), std::fs::read(&file.path).unwrap()))
        .collect();
    folder.merge(&right).unwrap();
    for (path, bytes) in imports {
        std::fs::write(path, bytes).unwrap();
    }
    assert_eq!(outputs(&folder), 8);
}

#[test]
fn a_registry_of_logs_does_not_follow_a_store() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    folder.claim(&right, Kind::Logs, &[]).unwrap();
    folder.advance(&right, 7).unwrap();
    let refused = folder.claim(&right, Kind::Store, &[]);
    assert!(matches!(refused, Err(RegistryError::Kind(_, Kind::Logs))));
    assert_eq!(folder.next().unwrap(), 7);
}

#[test]
fn twin_models_are_known_to_whoever_follows_the_log_later() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    let twins = ["open-*".to_owned()];
    folder.claim(&right, Kind::Store, &twins).unwrap();
    folder.advance(&right, 7).unwrap();
    assert_eq!(folder.claim(&right, Kind::Store, &[]).unwrap(), twins);
    let mut asked = exchange(1, "a");
    asked.model = ModelName::parse("open-7b").ok();
    assert_eq!(role(&twins, asked.model.as_ref()), Role::Control);
    assert_eq!(role(&[], asked.model.as_ref()), Role::Output);
    let late = folder.claim(&right, Kind::Store, &["other".to_owned()]);
    assert!(matches!(late, Err(RegistryError::Twins(_))));
}

#[test]
fn two_that_make_a_registry_at_once_have_one_key() {
    let temporary = tempfile::tempdir().unwrap();
    for n in 0..20 {
        let path = temporary.path().join(n.to_string());
        let keys: Vec<String> = std::thread::scope(|scope| {
            let open = || Folder::open_or_make(&path).unwrap().key_name();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
    }
}

#[test]
fn the_longest_account_has_a_folder_of_its_own() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    let mut making = Making::new(folder.key());
    for (n, end) in [(1, "x"), (2, "y")] {
        let account = format!("{}{end}", "@".repeat(127));
        making.take(&exchange(n, &account), Role::Output);
    }
    folder.write(&right, making.build(), (0, 0)).unwrap();
    assert_eq!(outputs(&folder), 2);
}

#[test]
fn twins_of_several_models_count_each_though_their_logs_number_alike() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let mut making = Making::new(folder.key());
    making.take(&exchange(1, "a"), Role::Output);
    making.take(&exchange(1, "a"), Role::Output);
    assert_eq!(making.taken, 1);
    for model in ["one", "other"] {
        let mut twin = exchange(1, "a");
        twin.model = ModelName::parse(model).ok();
        twin.response = twin.response.map(|text| text.replace("word", model));
        making.take_twin(&twin);
    }
    assert_eq!((making.taken, making.len()), (3, 3));
}

#[test]
fn a_forgotten_account_is_not_recognised_and_the_others_are() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    folder.write(&right, made(&folder, 0..4), (0, 0)).unwrap();
    folder.write(&right, made(&folder, 4..8), (0, 16)).unwrap();
    folder.advance(&right, 16).unwrap();
    assert_eq!(folder.forget(&right, "odd").unwrap(), 2);
    assert_eq!(outputs(&folder), 4);
    assert_eq!(folder.next().unwrap(), 16);
    assert_eq!(folder.forget(&right, "nobody").unwrap(), 0);
}
