use super::*;

#[track_caller]
fn check(name: &str, text: &str, lines: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let bar = ProgressBar::hidden();
    let (source, changed) = source(&path, &bar).unwrap();
    let read: Vec<String> = BufReader::new(source).lines().map(Result::unwrap).collect();
    assert_eq!(read, lines);
    assert_eq!(bar.position(), text.len() as u64);
    assert!(changed > Timestamp(0));
}

#[test]
fn a_document_over_many_lines_is_one() {
    check("a.json", "[\n{\"a\":\n1}\n]\n", &["[ {\"a\": 1} ] "]);
}

#[test]
fn json_lines_stay_lines_whatever_the_name() {
    check(
        "a.json",
        "{\"a\":1}\n{\"a\":2}\n",
        &["{\"a\":1}", "{\"a\":2}"],
    );
    check("a.json", "broken\n{\"a\":2}\n", &["broken", "{\"a\":2}"]);
    check("a.jsonl", "[\n1]\n", &["[", "1]"]);
    check("a.json", "", &[]);
}
