use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use super::*;
use crate::document::{Column, Columns, Text};

/// Says of every document where it is, how long, and who asked.
struct Names;

impl Job for Names {
    type Said = Vec<(u64, String)>;

    fn nothing(&self) -> Self::Said {
        Vec::new()
    }

    fn look(&self, document: &Document<'_>, said: &mut Self::Said) {
        let who = document.column(Column::Account).unwrap_or("-");
        let member = document.member.unwrap_or("");
        said.push((document.row, format!("{member} {who} {:?}", document.text)));
    }

    fn write(&self, said: Self::Said, place: Place<'_>, to: &mut Vec<u8>) {
        for (row, text) in said {
            writeln!(to, "{}:{} {text}", place.number, place.row(row)).unwrap();
        }
    }
}

fn options(batch: usize) -> Options {
    let columns = Columns::text(Text::Usual).with(Column::Account, Some("user"));
    Options {
        batch_bytes: batch,
        document_bytes_max: 10_000,
        ..Options::new(columns)
    }
}

struct Ran {
    written: Vec<u8>,
    result: Result<Totals, RunError>,
}

fn run_at(folder: &Path, plan: &Plan, batch: usize, threads: usize, stop_at: u64) -> Ran {
    let (marks, written) = (folder.join("marks"), folder.join("said"));
    let stop = AtomicBool::new(false);
    let seen = AtomicU64::new(0);
    let read = |bytes: u64| {
        if seen.fetch_add(bytes, Ordering::Relaxed) + bytes >= stop_at {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let control = Control {
        threads,
        read: &read,
        stop: &stop,
    };
    let result = Manifest::open(&marks, &written)
        .map_err(RunError::Manifest)
        .and_then(|m| run((plan, &options(batch)), &Names, (m, &marks, "q"), &control));
    Ran {
        written: fs::read(written).unwrap(),
        result,
    }
}

fn line(n: usize) -> String {
    let text = "wörd ".repeat(n % 37);
    format!("{{\"user\":\"u{}\",\"text\":\"{text}\\n{n}\"}}\n", n % 3)
}

fn write(path: PathBuf, bytes: &[u8]) -> PathBuf {
    fs::write(&path, bytes).unwrap();
    path
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn corpus(folder: &Path) -> Plan {
    let lines: String = (0..400).map(line).collect();
    let mut tar = tar::Builder::new(Vec::new());
    for n in 0..40 {
        let mut header = tar::Header::new_gnu();
        let text = format!("tar text {n}");
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header.clone(), format!("{n}.txt"), text.as_bytes())
            .unwrap();
        tar.append_data(&mut header, format!("{n}.png"), text.as_bytes())
            .unwrap();
    }
    let tar = tar.into_inner().unwrap();
    Plan::of(&[
        write(folder.join("a.jsonl"), lines.as_bytes()),
        write(
            folder.join("b.jsonl.zst"),
            &zstd::encode_all(lines.as_bytes(), 1).unwrap(),
        ),
        write(folder.join("c.jsonl.gz"), &gz(lines.as_bytes())),
        write(folder.join("d.txt"), b"one text\n\nof two paragraphs"),
        write(folder.join("e.tar"), &tar),
        write(folder.join("f.tgz"), &gz(&tar)),
        write(folder.join("g.jsonl"), b""),
        write(
            folder.join("h.jsonl"),
            b"\n{\"text\":\"last\"}\r\n\n{\"text\":\"no end\"}",
        ),
    ])
    .unwrap()
}

/// What must come out, by the obvious way.
fn expected() -> String {
    let mut all = Vec::new();
    let mut say = |file: usize, row: usize, member: &str, who: &str, text: &str| {
        writeln!(all, "{file}:{row} {member} {who} {text:?}").unwrap();
    };
    for file in 0..3 {
        for n in 0..400 {
            let value: serde_json::Value = serde_json::from_str(&line(n)).unwrap();
            let (who, text) = (value["user"].as_str(), value["text"].as_str());
            say(file, n + 1, "", who.unwrap(), text.unwrap());
        }
    }
    say(3, 1, "", "-", "one text\n\nof two paragraphs");
    for file in [4, 5] {
        for n in 0..40 {
            say(
                file,
                n + 1,
                &format!("{n}.txt"),
                "-",
                &format!("tar text {n}"),
            );
        }
    }
    say(7, 2, "", "-", "last");
    say(7, 4, "", "-", "no end");
    String::from_utf8(all).unwrap()
}

#[test]
fn every_form_batch_and_number_of_cores_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let plan = corpus(folder.path());
    for (batch, threads) in [(1, 1), (7, 3), (64, 2), (1_000, 4), (1 << 20, 1)] {
        let at = tempfile::tempdir().unwrap();
        let ran = run_at(at.path(), &plan, batch, threads, u64::MAX);
        let totals = ran.result.unwrap();
        assert_eq!(
            String::from_utf8(ran.written).unwrap(),
            expected(),
            "{batch} {threads}"
        );
        assert_eq!((totals.documents, totals.bad), (1_283, 0));
        assert_eq!(totals.digests.len(), 8);
        let first = &totals.digests[0];
        let sha = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(
            fs::read(folder.path().join("a.jsonl")).unwrap(),
        ));
        assert_eq!((first.0.ends_with("a.jsonl"), &first.1), (true, &sha));
    }
}

#[test]
fn a_stopped_run_goes_on_and_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let plan = corpus(folder.path());
    for stop_at in [1, 20_000, 50_000] {
        let at = tempfile::tempdir().unwrap();
        let ran = run_at(at.path(), &plan, 100, 2, stop_at);
        assert!(matches!(ran.result, Err(RunError::Stopped)));
        // What a killed process leaves: bytes behind the last mark, half a mark.
        let add = |name: &str, bytes: &[u8]| {
            let mut file = fs::File::options()
                .append(true)
                .open(at.path().join(name))
                .unwrap();
            file.write_all(bytes).unwrap();
        };
        add("said", b"half a li");
        add("marks", b"{\"unit\":3,\"bat");
        let ran = run_at(at.path(), &plan, 100, 3, u64::MAX);
        assert_eq!(ran.result.unwrap().documents, 1_283);
        assert_eq!(
            String::from_utf8(ran.written).unwrap(),
            expected(),
            "{stop_at}"
        );
    }
}

#[test]
fn another_corpus_or_changed_hits_are_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let plan = corpus(folder.path());
    let at = tempfile::tempdir().unwrap();
    run_at(at.path(), &plan, 100, 1, u64::MAX).result.unwrap();
    let mut other = plan.clone();
    other.files.pop();
    let refused = run_at(at.path(), &other, 100, 1, u64::MAX).result;
    assert!(matches!(
        refused,
        Err(RunError::Manifest(ManifestError::Other(_)))
    ));
    let mut said = fs::read(at.path().join("said")).unwrap();
    said[10] ^= 1;
    fs::write(at.path().join("said"), said).unwrap();
    let refused = run_at(at.path(), &plan, 100, 1, u64::MAX).result;
    assert!(matches!(
        refused,
        Err(RunError::Manifest(ManifestError::Changed(_)))
    ));
    fs::write(at.path().join("marks"), "{\"mine\":1}\n").unwrap();
    let refused = run_at(at.path(), &plan, 100, 1, u64::MAX).result;
    assert!(matches!(
        refused,
        Err(RunError::Manifest(ManifestError::Form(_)))
    ));
}

#[test]
fn damaged_files_are_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let lines: String = (0..400).map(line).collect();
    let mut zst = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    zst.truncate(zst.len() / 2);
    let mut cut = gz(lines.as_bytes());
    cut.truncate(cut.len() / 2);
    let long = format!("{{\"text\":\"{}\"}}\n", "x".repeat(50_000));
    let middle = format!("{}{}{}not json\n{}", line(1), line(2), long, line(3));
    let plan = Plan::of(&[
        write(at("a.jsonl.zst"), &zst),
        write(at("b.jsonl.gz"), &cut),
        write(at("c.jsonl"), middle.as_bytes()),
        write(at("d.tar"), &[7; 2_000]),
        write(at("e.txt"), &vec![b'x'; 20_000]),
        write(at("f.jsonl"), line(5).as_bytes()),
        write(at("g.jsonl"), b"[1,2]\n"),
    ])
    .unwrap();
    for batch in [100, 1_000, 1 << 20] {
        let at = tempfile::tempdir().unwrap();
        let totals = run_at(at.path(), &plan, batch, 2, u64::MAX).result.unwrap();
        let told: Vec<String> = totals.faults.iter().map(ToString::to_string).collect();
        let told = told.join("\n");
        for expected in [
            "a.jsonl.zst: ",
            "b.jsonl.gz: ",
            "c.jsonl:3: longer than 10000 bytes",
            "c.jsonl:4: no JSON",
            "d.tar: a damaged tar file",
            "e.txt:1: longer than",
            "g.jsonl:1: no JSON object",
        ] {
            assert!(told.contains(expected), "{batch}: {expected} in\n{told}");
        }
        assert_eq!(totals.bad, 7, "{told}");
        let said = fs::read_to_string(at.path().join("said")).unwrap();
        assert!(said.contains("2:5 ") && said.contains("5:1 "), "{batch}");
    }
}

#[test]
fn what_cannot_be_read_again_is_never_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path().join("a.jsonl"), line(1).as_bytes());
    let mut plan = Plan::of(&[path]).unwrap();
    plan.files[0].stamp = None;
    let at = tempfile::tempdir().unwrap();
    let ran = run_at(at.path(), &plan, 100, 1, u64::MAX);
    assert_eq!(ran.result.unwrap().documents, 1);
    let again = run_at(at.path(), &plan, 100, 1, u64::MAX);
    assert!(matches!(
        again.result,
        Err(RunError::Manifest(ManifestError::Unstamped(_, _)))
    ));
    assert_eq!(again.written, ran.written);
}

#[test]
fn members_and_files_that_are_not_read_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    write(folder.path().join("words.csv"), b"stolen");
    let plan = Plan::of(&[folder.path().to_path_buf()]).unwrap();
    let at = tempfile::tempdir().unwrap();
    let first = run_at(at.path(), &plan, 100, 2, u64::MAX).result.unwrap();
    assert_eq!(first.skipped, 81);
    let named = |end: &str| first.skipped_names.iter().any(|name| name.ends_with(end));
    assert!(named("words.csv") && named("e.tar: 7.png"));
    // A finished run that is asked again says the same.
    let again = run_at(at.path(), &plan, 100, 2, u64::MAX).result.unwrap();
    assert_eq!(again, first);
}

/// A job that a certain document takes down.
struct Fragile;

impl Job for Fragile {
    type Said = ();

    fn nothing(&self) {}

    fn look(&self, document: &Document<'_>, (): &mut ()) {
        assert!(!document.text.contains("last"));
    }

    fn write(&self, (): (), _: Place<'_>, _: &mut Vec<u8>) {}
}

#[test]
fn a_document_that_takes_its_reader_down_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let plan = corpus(folder.path());
    let at = tempfile::tempdir().unwrap();
    let (marks, written) = (at.path().join("marks"), at.path().join("said"));
    let stop = AtomicBool::new(false);
    let control = Control {
        threads: 3,
        read: &|_| {},
        stop: &stop,
    };
    let manifest = Manifest::open(&marks, &written).unwrap();
    let ran = run(
        (&plan, &options(100)),
        &Fragile,
        (manifest, &marks, "q"),
        &control,
    );
    let Err(RunError::GaveUp(file)) = ran else {
        panic!("{ran:?}");
    };
    assert!(file.ends_with("h.jsonl"), "{file}");
}

#[cfg(feature = "parquet")]
#[test]
fn rows_keep_their_numbers_behind_a_damaged_row_group() {
    use arrow_array::{RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    let texts: Vec<String> = (0..30).map(|n| format!("text {n}")).collect();
    let texts: std::sync::Arc<dyn arrow_array::Array> =
        std::sync::Arc::new(StringArray::from(texts));
    let batch = RecordBatch::try_from_iter([("text", texts)]).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(10))
        .set_dictionary_enabled(false)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    let mut bytes = writer.into_inner().unwrap();
    // The header of the first group's page: nothing of that group can be read.
    for byte in bytes.iter_mut().skip(4).take(30) {
        *byte = 0xff;
    }
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::of(&[write(folder.path().join("a.parquet"), &bytes)]).unwrap();
    let at = tempfile::tempdir().unwrap();
    let ran = run_at(at.path(), &plan, 1 << 20, 2, u64::MAX);
    assert_eq!(ran.result.unwrap().bad, 1);
    let written = String::from_utf8(ran.written).unwrap();
    assert!(written.starts_with("0:11  - \"text 10\"\n"), "{written}");
    assert!(written.ends_with("0:30  - \"text 29\"\n"), "{written}");
}

/// A job whose words about the third file cannot be written.
struct Mute;

impl Job for Mute {
    type Said = ();

    fn nothing(&self) {}

    fn look(&self, _: &Document<'_>, (): &mut ()) {}

    fn write(&self, (): (), place: Place<'_>, _: &mut Vec<u8>) {
        assert!(place.number != 2);
    }
}

/// Runs until something gives up; says which file that was.
fn given_up(plan: &Plan, job: &impl Job, threads: usize, read: &(dyn Fn(u64) + Sync)) -> String {
    let at = tempfile::tempdir().unwrap();
    let (marks, written) = (at.path().join("marks"), at.path().join("said"));
    let stop = AtomicBool::new(false);
    let control = Control {
        threads,
        read,
        stop: &stop,
    };
    let options = Options {
        read_bytes: 64,
        ..options(100)
    };
    let manifest = Manifest::open(&marks, &written).unwrap();
    match run((plan, &options), job, (manifest, &marks, "q"), &control) {
        Err(RunError::GaveUp(file)) => file,
        other => panic!("{other:?}"),
    }
}

#[test]
fn words_that_cannot_be_written_end_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let plan = corpus(folder.path());
    for threads in [1, 3] {
        let file = given_up(&plan, &Mute, threads, &|_| {});
        assert!(file.ends_with("c.jsonl.gz"), "{file}");
    }
}

/// Whatever the form: a `Read` that panics ends the run, and nobody waits for its unit.
#[test]
fn a_reader_that_gives_up_ends_the_run_and_names_its_file() {
    let folder = tempfile::tempdir().unwrap();
    #[cfg_attr(not(feature = "parquet"), expect(unused_mut))]
    let mut files = corpus(folder.path()).files;
    #[cfg(feature = "parquet")]
    for (name, bytes) in [
        (
            "i.parquet",
            splices::parquet(&[String::from("one text"), String::from("two")], 1),
        ),
        ("j.arrow", splices::arrow(&[String::from("one text")], true)),
        (
            "k.arrow",
            splices::arrow(&[String::from("one text")], false),
        ),
    ] {
        let path = write(folder.path().join(name), &bytes);
        files.extend(Plan::of(&[path]).unwrap().files);
    }
    for file in files {
        let size = file.stamp.unwrap().0;
        let name = file.name.clone();
        let plan = Plan {
            files: vec![file],
            skipped: Vec::new(),
        };
        for (threads, at) in [(1, 1), (3, size / 2), (3, size)] {
            let seen = AtomicU64::new(0);
            let read = |bytes: u64| {
                assert!(seen.fetch_add(bytes, Ordering::Relaxed) + bytes < at);
            };
            // An empty file has nothing to give up at.
            if size > 0 {
                assert_eq!(given_up(&plan, &Names, threads, &read), name);
            }
        }
    }
}

#[cfg(feature = "parquet")]
mod splices;
