use std::os::unix::fs::PermissionsExt;

use crate::{DataFolder, Database, StoreError, random, write_atomically};

#[test]
fn the_data_folder_has_one_owner_and_lasting_secrets() {
    let bed = tempfile::tempdir().unwrap();
    let path = bed.path().join("a/data");
    let folder = DataFolder::open(&path).unwrap();
    let second = DataFolder::open(&path);
    assert!(matches!(second, Err(StoreError::Locked(_))));
    let (master, seed) = (folder.keks().unwrap(), folder.log_seed().unwrap());
    assert_ne!(master.current, seed);
    folder.write_run("{\"port\":1}").unwrap();
    drop(folder);
    let folder = DataFolder::open(&path).unwrap();
    assert_eq!(folder.keks().unwrap(), master);
    assert_eq!(folder.log_seed().unwrap(), seed);
    for name in ["master.key", "log.seed", "run.json"] {
        let mode = std::fs::metadata(path.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let run = DataFolder::read_run(&path).unwrap();
    assert_eq!(run.as_deref(), Some("{\"port\":1}"));
    folder.clear_run().unwrap();
    assert_eq!(DataFolder::read_run(&path).unwrap(), None);
    std::fs::write(path.join("master.key"), b"short").unwrap();
    assert!(matches!(folder.keks(), Err(StoreError::BadSecret(_))));
}

#[test]
fn a_file_is_replaced_as_a_whole_and_nothing_is_left_over() {
    let bed = tempfile::tempdir().unwrap();
    let path = bed.path().join("f");
    write_atomically(&path, b"one", 0o644).unwrap();
    write_atomically(&path, b"two", 0o600).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"two");
    assert_eq!(std::fs::read_dir(bed.path()).unwrap().count(), 1);
    assert!(write_atomically(&bed.path().join("no/f"), b"x", 0o600).is_err());
}

#[test]
fn random_bytes_differ() {
    assert_ne!(random::<32>().unwrap(), random::<32>().unwrap());
}

#[tokio::test]
async fn an_unknown_url_is_refused() {
    for url in ["mysql://x", "sqlite:", ""] {
        let opened = Database::open(url).await;
        assert!(matches!(opened, Err(StoreError::Url(_))), "{url}");
    }
}
