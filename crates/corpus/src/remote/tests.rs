use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Mutex;

use super::*;
use crate::{Columns, Control, Document, Job, Manifest, Options, Place, Plan, Text};

fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|n| u8::try_from(n * 7 % 251).unwrap())
        .collect()
}

/// A loopback server of one object; it answers ranges, and keeps what was asked.
fn served(object: Vec<u8>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/corpus/object.jsonl",
        listener.local_addr().unwrap()
    );
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (object, kept) = (object.clone(), Arc::clone(&kept));
            std::thread::spawn(move || answer(&mut stream.unwrap(), &object, &kept));
        }
    });
    (url, asked)
}

fn answer(stream: &mut std::net::TcpStream, object: &[u8], kept: &Mutex<Vec<String>>) {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        while let Some(end) = received.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8(received.drain(..end + 4).collect()).unwrap();
            kept.lock().unwrap().push(head.clone());
            let lower = head.to_ascii_lowercase();
            let range = lower.split("range: bytes=").nth(1).map(|rest| {
                let (from, rest) = rest.split_once('-').unwrap();
                let to = rest.lines().next().unwrap();
                (
                    from.parse::<usize>().unwrap(),
                    to.trim().parse::<usize>().unwrap(),
                )
            });
            let common = "last-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\netag: \"one\"\r\n";
            let (line, body) = match range {
                _ if !head.contains("/corpus/object") => ("404 Not Found\r\n".to_owned(), &[][..]),
                Some((from, to)) => {
                    let range = format!("content-range: bytes {from}-{to}/{}\r\n", object.len());
                    (
                        format!("206 Partial Content\r\n{common}{range}"),
                        &object[from..=to],
                    )
                }
                None => (format!("200 OK\r\n{common}"), object),
            };
            let length = format!("HTTP/1.1 {line}content-length: {}\r\n\r\n", body.len());
            stream.write_all(length.as_bytes()).unwrap();
            if !head.starts_with("HEAD") {
                stream.write_all(body).unwrap();
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(n) => received.extend_from_slice(&buffer[..n]),
        }
    }
}

#[test]
fn an_object_is_read_by_ranges() {
    let object = bytes(usize::try_from(RANGE).unwrap() * 2 + 1_000);
    let (url, asked) = served(object.clone());
    let mut read = Vec::new();
    let mut remote = Remote::open(&url).unwrap();
    remote.read_to_end(&mut read).unwrap();
    assert_eq!(read, object);
    let ranges = asked
        .lock()
        .unwrap()
        .iter()
        .filter(|head| head.starts_with("GET"))
        .count();
    assert_eq!(ranges, 3);
    let under = asked
        .lock()
        .unwrap()
        .iter()
        .filter(|head| head.contains("if-match: \"one\""))
        .count();
    assert_eq!(under, 3);
    remote.seek(SeekFrom::End(-10)).unwrap();
    read.clear();
    remote.read_to_end(&mut read).unwrap();
    assert_eq!(read, object[object.len() - 10..]);
    assert_eq!(remote.range(5, 7).unwrap(), object[5..12]);
    assert!(remote.range(object.len() as u64 - 2, 7).is_err());
    let missing = url.replace("/corpus/object", "/corpus/nothing");
    assert!(Remote::open(&missing).is_err());
}

#[test]
fn a_folder_of_objects_is_listed_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.jsonl", "a.txt", "deep/c.jsonl.zst", "unknown.bin"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let url = format!("file://{}/", folder.path().display());
    let plan = Plan::of(&[PathBuf::from(&url)]).unwrap();
    let names: Vec<&str> = plan.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        ["a.txt", "b.jsonl", "deep/c.jsonl.zst"].map(|name| format!("{url}{name}"))
    );
    assert_eq!(plan.bytes(), 7 + 5 + 16);
    assert_eq!(plan.skipped, [format!("{url}unknown.bin")]);
    assert_eq!(plan.files[2].relative, PathBuf::from("deep/c.jsonl.zst"));
    let none = Plan::of(&[PathBuf::from(format!("{url}none.jsonl"))]);
    assert!(none.unwrap_err().to_string().contains("none.jsonl"));
    let form = Plan::of(&[PathBuf::from(format!("{url}unknown.bin"))]);
    assert!(
        form.unwrap_err()
            .to_string()
            .contains("its name ends in none of")
    );
    let scheme = Plan::of(&[PathBuf::from("ftp://host/a.jsonl")]);
    assert!(scheme.is_err());
}

struct Texts;

impl Job for Texts {
    type Said = Vec<(u64, String)>;

    fn nothing(&self) -> Self::Said {
        Vec::new()
    }

    fn look(&self, document: &Document<'_>, said: &mut Self::Said) {
        said.push((document.row, document.text.to_string()));
    }

    fn write(&self, said: Self::Said, place: Place<'_>, to: &mut Vec<u8>) {
        for (row, text) in said {
            writeln!(to, "{}:{text}", place.row(row)).unwrap();
        }
    }
}

fn ran(path: &str) -> (Vec<u8>, crate::Totals) {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::of(&[PathBuf::from(path)]).unwrap();
    let options = Options::new(Columns::text(Text::Usual));
    let (marks, written) = (folder.path().join("marks"), folder.path().join("written"));
    let manifest = Manifest::open(&marks, &written).unwrap();
    let control = Control {
        threads: 2,
        read: &|_| {},
        stop: &std::sync::atomic::AtomicBool::new(false),
    };
    let totals = crate::run((&plan, &options), &Texts, (manifest, &marks, ""), &control).unwrap();
    (fs::read(written).unwrap(), totals)
}

#[test]
fn a_corpus_by_url_is_the_corpus_by_path() {
    let folder = tempfile::tempdir().unwrap();
    let row = |n| format!("{{\"text\": \"row {n} of a corpus that is longer than one range\"}}\n");
    let rows: Vec<String> = (0..120_000).map(row).collect();
    let rows = rows.concat();
    assert!(rows.len() as u64 > RANGE);
    let path = folder.path().join("rows.jsonl");
    fs::write(&path, &rows).unwrap();
    let (written, totals) = ran(&path.display().to_string());
    assert_eq!(totals.documents, 120_000);
    for url in [
        format!("file://{}", path.display()),
        served(rows.into_bytes()).0,
    ] {
        let (same, of) = ran(&url);
        assert!(same == written, "{url}");
        assert_eq!((of.documents, of.bad), (totals.documents, 0));
        // The digest is the file's own.
        assert_eq!(of.digests[0].1, totals.digests[0].1);
        assert_eq!(of.digests[0].0, url);
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_and_arrow_by_url() {
    use arrow_array::{RecordBatch, StringArray};
    let folder = tempfile::tempdir().unwrap();
    let schema = arrow_schema::Schema::new(vec![arrow_schema::Field::new(
        "text",
        arrow_schema::DataType::Utf8,
        false,
    )]);
    let texts = StringArray::from_iter_values((0..500).map(|n| format!("text {n}")));
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(texts)]).unwrap();
    let parquet = folder.path().join("rows.parquet");
    let file = fs::File::create(&parquet).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.flush().unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let arrow = folder.path().join("rows.arrow");
    let file = fs::File::create(&arrow).unwrap();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(file, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    for (path, rows) in [(parquet, 1_000), (arrow, 500)] {
        let (written, totals) = ran(&path.display().to_string());
        assert_eq!((totals.documents, totals.bad), (rows, 0));
        let (same, of) = ran(&format!("file://{}", path.display()));
        assert!(same == written);
        assert_eq!(of.digests[0].1, totals.digests[0].1);
    }
}
