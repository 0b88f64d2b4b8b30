use std::fs;

use super::*;
use crate::Plan;

fn cleaned(name: &str, bytes: &[u8], rows: &[u64]) -> (Vec<u8>, Cleaned) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let plan = Plan::of(&[path]).unwrap();
    let to = folder.path().join(format!("clean-{name}"));
    let cleaned = clean(&plan.files[0], &rows.iter().copied().collect(), &to).unwrap();
    (fs::read(to).unwrap(), cleaned)
}

#[test]
fn lines_stay_as_they_were_in_their_packing() {
    let lines = b"a\n\nb\r\nc";
    let (out, told) = cleaned("x.jsonl", lines, &[3]);
    assert_eq!(
        (out.as_slice(), told.kept, told.left_out),
        (&b"a\n\nc"[..], 3, 1)
    );
    let (out, _) = cleaned(
        "x.jsonl.zst",
        &zstd::encode_all(&lines[..], 1).unwrap(),
        &[1],
    );
    assert_eq!(zstd::decode_all(out.as_slice()).unwrap(), b"\nb\r\nc");
}

#[test]
fn a_sample_of_a_tar_file_goes_with_all_its_members() {
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["k/1.jpg", "k/1.txt", "k/2.jpg", "k/2.txt"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &b"abc"[..]).unwrap();
    }
    let (out, told) = cleaned("x.tar", &tar.into_inner().unwrap(), &[1]);
    let mut archive = tar::Archive::new(out.as_slice());
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|e| String::from_utf8(e.unwrap().path_bytes().to_vec()).unwrap())
        .collect();
    assert_eq!(names, ["k/2.jpg", "k/2.txt"]);
    assert_eq!((told.kept, told.left_out), (1, 1));
}

#[test]
fn a_damaged_file_is_not_copied_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jsonl.zst");
    let mut bytes = zstd::encode_all(&b"a\nb\n"[..], 1).unwrap();
    bytes.truncate(bytes.len() - 3);
    fs::write(&path, bytes).unwrap();
    let plan = Plan::of(&[path]).unwrap();
    let to = folder.path().join("out");
    clean(&plan.files[0], &BTreeSet::new(), &to).unwrap_err();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let path = folder.path().join("y.jsonl");
    fs::write(&path, "a\n").unwrap();
    fs::write(&to, "mine").unwrap();
    let plan = Plan::of(&[path]).unwrap();
    let why = clean(&plan.files[0], &BTreeSet::new(), &to).unwrap_err();
    assert!(why.to_string().contains("exists"), "{why}");
    assert_eq!(fs::read(to).unwrap(), b"mine");
}

#[cfg(feature = "parquet")]
mod tables {
    use std::sync::Arc;

    use arrow_array::{Int64Array, RecordBatch, StringArray};
    use arrow_ipc::writer::{FileWriter, StreamWriter};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    use super::*;
    use crate::read::{Batch, unit, units};
    use crate::{Column, Columns, Options, Text};

    fn table(from: i64) -> RecordBatch {
        let texts: Vec<Option<String>> = (from..from + 10)
            .map(|n| (n % 4 != 0).then(|| format!("text {n}")))
            .collect();
        let texts: Arc<dyn arrow_array::Array> = Arc::new(StringArray::from(texts));
        let ids: Arc<dyn arrow_array::Array> =
            Arc::new(Int64Array::from((from..from + 10).collect::<Vec<_>>()));
        RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("body", texts, true)])
            .unwrap()
    }

    /// The file in each form, 30 rows in three batches or row groups.
    fn files() -> [(&'static str, Vec<u8>); 3] {
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(10))
            .build();
        let schema = table(0).schema();
        let mut parquet =
            ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties)).unwrap();
        let mut stream = StreamWriter::try_new(Vec::new(), &schema).unwrap();
        let mut file = FileWriter::try_new(Vec::new(), &schema).unwrap();
        for from in [0, 10, 20] {
            parquet.write(&table(from)).unwrap();
            stream.write(&table(from)).unwrap();
            file.write(&table(from)).unwrap();
        }
        stream.finish().unwrap();
        file.finish().unwrap();
        [
            ("x.parquet", parquet.into_inner().unwrap()),
            ("stream.arrow", stream.into_inner().unwrap()),
            ("file.arrow", file.into_inner().unwrap()),
        ]
    }

    fn read(name: &str, bytes: &[u8], text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let plan = Plan::of(&[path]).unwrap();
        let columns = Columns::text(Text::Named(text.to_owned())).with(Column::Id, Some("id"));
        let options = Options::new(columns.clone());
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        for number in 0..units(&plan.files[0]) {
            let ending = unit(
                &plan.files[0],
                number,
                &options,
                &|_| {},
                &mut |batch: Batch| {
                    batch.each(
                        &columns,
                        |found| {
                            let found = found.unwrap();
                            let id = found.column(Column::Id).unwrap_or_default().to_owned();
                            rows.push((id, found.text.into_owned()));
                        },
                        1 << 20,
                    );
                    std::ops::ControlFlow::Continue(())
                },
            );
            faults.extend(ending.fault);
        }
        (rows, faults)
    }

    #[test]
    fn tables_of_every_form_give_their_rows_and_lose_those_named() {
        for (name, bytes) in files() {
            let (rows, faults) = read(name, &bytes, "body");
            assert_eq!((rows.len(), faults.len()), (30, 0), "{name}");
            assert_eq!(rows[13], ("13".to_owned(), "text 13".to_owned()));
            assert_eq!(rows[16].1, "");
            let (out, told) = cleaned(name, &bytes, &[14, 30]);
            assert_eq!((told.kept, told.left_out), (28, 2));
            let (rows, _) = read(name, &out, "body");
            let ids: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
            assert_eq!(ids.len(), 28);
            assert!(!ids.contains(&"13") && !ids.contains(&"29") && ids.contains(&"14"));
        }
    }

    #[test]
    fn a_table_without_the_column_says_what_it_has() {
        for (name, bytes) in files() {
            let (_, faults) = read(name, &bytes, "words");
            assert!(faults[0].contains("`id`, `body`"), "{name} {faults:?}");
        }
    }

    #[test]
    fn a_table_with_any_byte_changed_takes_nobody_down() {
        for (name, bytes) in files() {
            for at in (0..bytes.len()).step_by(7) {
                let mut damaged = bytes.clone();
                damaged[at] ^= 0x55;
                read(name, &damaged, "body");
            }
            for length in (0..bytes.len()).step_by(97) {
                read(name, &bytes[..length], "body");
            }
        }
    }
}
