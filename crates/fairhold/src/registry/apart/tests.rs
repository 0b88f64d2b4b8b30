use super::*;

/// A writer on a thread of this process, at the other end of a socket.
pub(crate) fn thread(registry: &Path, key: &str) -> io::Result<Started> {
    let (ours, theirs) = Blocking::pair()?;
    let (registry, key) = (registry.to_path_buf(), key.to_owned());
    std::thread::spawn(move || serve(theirs, &registry, &key));
    Ok(Started {
        stream: ours,
        child: None,
    })
}

/// A writer that opens at the log's beginning and answers nothing then.
pub(crate) fn silent(_: &Path, _: &str) -> io::Result<Started> {
    let (ours, mut theirs) = Blocking::pair()?;
    std::thread::spawn(move || {
        let opens = frames::read(&mut theirs).unwrap();
        assert!(matches!(opens, Some(Read::Open)));
        frames::answer(&mut theirs, &Answer::Opened { next: 0 }).unwrap();
        while frames::read(&mut theirs).unwrap().is_some() {}
    });
    Ok(Started {
        stream: ours,
        child: None,
    })
}

fn folder() -> (tempfile::TempDir, crate::registry::Folder) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = crate::registry::Folder::open_or_make(&temporary.path().join("registry"));
    (temporary, folder.unwrap())
}

#[tokio::test]
async fn one_writer_has_the_registry_until_it_is_closed() {
    let (_temporary, folder) = folder();
    let (line, next) = Line::open(thread, folder.path(), &folder.key_name())
        .await
        .unwrap();
    assert_eq!(next, 0);
    assert!(matches!(folder.lock(), Err(RegistryError::Busy(_))));
    line.close().await;
    folder.lock().unwrap();
}

#[tokio::test]
async fn a_writer_waits_for_the_one_before_it() {
    let (_temporary, folder) = folder();
    let right = folder.lock().unwrap();
    let (path, name) = (folder.path().to_path_buf(), folder.key_name());
    let opening = tokio::spawn(async move { Line::open(thread, &path, &name).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!opening.is_finished());
    drop(right);
    opening.await.unwrap().unwrap();
}

#[tokio::test]
async fn another_registry_in_its_place_is_not_written() {
    let (_temporary, folder) = folder();
    let opened = Line::open(thread, folder.path(), "0123456789abcdef").await;
    let why = opened.err().unwrap().to_string();
    assert!(why.contains("mount its disk"), "{why}");
}

#[tokio::test]
async fn a_failure_is_told_in_the_words_of_the_writer() {
    let (_temporary, folder) = folder();
    let (mut line, _) = Line::open(thread, folder.path(), &folder.key_name())
        .await
        .unwrap();
    std::fs::remove_dir_all(folder.path()).unwrap();
    let asked = line.ask(&Ask::Join).await;
    let why = asked.err().unwrap().to_string();
    assert!(why.starts_with("failed to keep `"), "{why}");
}

#[tokio::test]
async fn a_writer_that_ends_is_an_error_and_not_an_answer() {
    fn deaf(_: &Path, _: &str) -> io::Result<Started> {
        let (ours, _theirs) = Blocking::pair()?;
        Ok(Started {
            stream: ours,
            child: None,
        })
    }
    let opened = Line::open(deaf, Path::new("/nowhere"), "").await;
    assert!(matches!(opened, Err(RegistryError::Lost)));
}

#[tokio::test]
async fn whoever_does_not_wait_for_an_answer_loses_the_writer() {
    let (_temporary, folder) = folder();
    let mut scribe = scribe::Scribe::apart(&folder, silent);
    assert_eq!(scribe.open().await.unwrap(), 0);
    let waited = tokio::time::timeout(Duration::from_millis(50), scribe.ask(Ask::Join)).await;
    assert!(waited.is_err());
    // An answer to an earlier ask is never taken for one to a later.
    assert!(scribe.is_lost());
    let asked = scribe.ask(Ask::Join).await;
    assert!(matches!(asked, Err(RegistryError::Lost)));
}
