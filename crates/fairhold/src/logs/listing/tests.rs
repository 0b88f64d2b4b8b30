use super::*;

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "12345").unwrap();
    }
    folder
}

#[test]
fn a_folder_gives_its_logs_by_name_however_deep() {
    let files = [
        "b.jsonl",
        "2026/01/a.json",
        "a.jsonl.zst",
        "notes.txt",
        "c.jsonl.gz",
    ];
    let folder = folder(&files);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("round")).unwrap();
    let listing = Listing::of(&[folder.path().to_path_buf()]).unwrap();
    let name = |path: &PathBuf| {
        let inner = path.strip_prefix(folder.path()).unwrap();
        inner.display().to_string()
    };
    let read: Vec<String> = listing.files.iter().map(name).collect();
    assert_eq!(read, ["2026/01/a.json", "a.jsonl.zst", "b.jsonl"]);
    assert_eq!(listing.bytes, 15);
    let skipped: Vec<String> = listing.skipped.iter().map(|(path, _)| name(path)).collect();
    assert_eq!(skipped, ["c.jsonl.gz", "notes.txt", "round"]);
}

#[test]
fn a_file_that_is_named_is_read_whatever_its_ending() {
    let folder = folder(&["log.txt"]);
    let listing = Listing::of(&[folder.path().join("log.txt")]).unwrap();
    assert_eq!((listing.files.len(), listing.skipped.len()), (1, 0));
}

#[test]
fn a_folder_without_logs_is_an_error_that_says_what_a_log_is() {
    let folder = folder(&["log.txt"]);
    let why = Listing::of(&[folder.path().to_path_buf()]).unwrap_err();
    assert!(why.message.contains(".jsonl"), "{}", why.message);
}
