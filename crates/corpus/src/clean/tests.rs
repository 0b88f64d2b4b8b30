use std::fs;

use super::*;
use crate::Plan;

fn cleaned(name: &str, bytes: &[u8], rows: &[u64]) -> (Vec<u8>, Cleaned) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let plan = Plan::of(&[path]).unwrap();
    let to = folder.path().join(format!("clean-{name}"));
    let rows = rows.iter().copied().collect();
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(bytes));
    let cleaned = clean(&plan.files[0], &rows, Some(&sha256), &to).unwrap();
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
    clean(&plan.files[0], &BTreeSet::new(), None, &to).unwrap_err();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let path = folder.path().join("y.jsonl");
    fs::write(&path, "a\n").unwrap();
    fs::write(&to, "mine").unwrap();
    let plan = Plan::of(&[path]).unwrap();
    let why = clean(&plan.files[0], &BTreeSet::new(), None, &to).unwrap_err();
    assert!(why.to_string().contains("exists"), "{why}");
    assert_eq!(fs::read(to).unwrap(), b"mine");
}

#[test]
fn a_file_that_was_changed_since_it_was_looked_at_is_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, "a\nb\n").unwrap();
    let plan = Plan::of(std::slice::from_ref(&path)).unwrap();
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(b"a\nb\n"));
    fs::write(&path, "c\nb\n").unwrap();
    let to = folder.path().join("out");
    let why = clean(&plan.files[0], &BTreeSet::new(), Some(&sha256), &to).unwrap_err();
    assert!(why.to_string().contains("was changed"), "{why}");
    assert!(!to.exists());
}

#[test]
fn a_sample_that_says_it_is_huge_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tar");
    let mut header = tar::Header::new_gnu();
    header.set_path("1.txt").unwrap();
    header.set_mode(0o644);
    header.set_size(1 << 40);
    header.set_cksum();
    fs::write(&path, header.as_bytes()).unwrap();
    let plan = Plan::of(&[path]).unwrap();
    let to = folder.path().join("out");
    let why = clean(&plan.files[0], &BTreeSet::new(), None, &to).unwrap_err();
    assert!(why.to_string().contains("larger than"), "{why}");
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
        for (number, _) in (0..).zip(units(&plan.files[0])) {
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

    /// A table of one column, as a Parquet file and as an Arrow file.
    fn one_column(
        name: &str,
        column: Arc<dyn arrow_array::Array>,
        more: &[(&str, Arc<dyn arrow_array::Array>)],
    ) -> Vec<(&'static str, Vec<u8>)> {
        let columns = std::iter::once((name, column)).chain(more.iter().cloned());
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.map(|(name, column)| (name, column, true)),
        )
        .unwrap();
        let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        file.write(&batch).unwrap();
        file.finish().unwrap();
        let mut files = vec![("x.arrow", file.into_inner().unwrap())];
        let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        // Parquet does not know every type of Arrow.
        if parquet.write(&batch).is_ok() {
            files.push(("x.parquet", parquet.into_inner().unwrap()));
        }
        files
    }

    /// Rows read under the usual options: texts, rows that are faults, and faults of the file.
    fn usual(name: &str, bytes: &[u8]) -> (Vec<String>, usize, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let plan = Plan::of(&[path]).unwrap();
        let columns = Columns::text(Text::Usual);
        let (mut texts, mut bad) = (Vec::new(), 0);
        let mut take = |batch: Batch| {
            let each = |found: Result<crate::Document<'_>, _>| match found {
                Ok(found) => texts.push(found.text.into_owned()),
                Err(_) => bad += 1,
            };
            batch.each(&columns, each, 1 << 20);
            std::ops::ControlFlow::Continue(())
        };
        let options = Options::new(columns.clone());
        let ending = unit(&plan.files[0], 0, &options, &|_| {}, &mut take);
        (texts, bad, ending.fault.into_iter().collect())
    }

    #[test]
    fn text_of_every_type_is_read() {
        use arrow_array::builder::{
            FixedSizeListBuilder, ListBuilder, ListViewBuilder, MapBuilder, StringBuilder,
        };
        use arrow_array::{BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray};

        const SAID: &str = "stolen words";
        let mut fixed = FixedSizeListBuilder::new(StringBuilder::new(), 1);
        fixed.values().append_value(SAID);
        fixed.append(true);
        let mut list = ListBuilder::new(StringBuilder::new());
        list.values().append_value(SAID);
        list.append(true);
        let mut view = ListViewBuilder::new(StringBuilder::new());
        view.values().append_value(SAID);
        view.append(true);
        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        map.keys().append_value("k");
        map.values().append_value(SAID);
        map.append(true).unwrap();
        let columns: [Arc<dyn arrow_array::Array>; 8] = [
            Arc::new(BinaryArray::from_vec(vec![SAID.as_bytes()])),
            Arc::new(LargeBinaryArray::from_vec(vec![SAID.as_bytes()])),
            Arc::new(BinaryViewArray::from_iter_values([SAID.as_bytes()])),
            Arc::new(
                FixedSizeBinaryArray::try_from_iter(std::iter::once(SAID.as_bytes())).unwrap(),
            ),
            Arc::new(fixed.finish()),
            Arc::new(list.finish()),
            Arc::new(view.finish()),
            Arc::new(map.finish()),
        ];
        for name in ["text", "body"] {
            for column in &columns {
                for (file, bytes) in one_column(name, Arc::clone(column), &[]) {
                    let (texts, bad, faults) = usual(file, &bytes);
                    let kind = column.data_type();
                    assert_eq!((bad, faults.len()), (0, 0), "{file} {kind} {faults:?}");
                    assert!(texts[0].contains(SAID), "{file} {kind} {texts:?}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_read_as_text_is_a_fault_and_not_an_empty_document() {
        use arrow_array::types::Int32Type;
        use arrow_array::{BinaryArray, RunArray};

        let numbers: Arc<dyn arrow_array::Array> = Arc::new(Int64Array::from(vec![1]));
        for (file, bytes) in one_column("text", numbers, &[]) {
            let (texts, _, faults) = usual(file, &bytes);
            assert!(texts.is_empty() && faults[0].contains("holds no text"));
        }
        let runs: RunArray<Int32Type> = ["stolen"].into_iter().collect();
        for (file, bytes) in one_column("text", Arc::new(runs), &[]) {
            let (texts, _, faults) = usual(file, &bytes);
            // Parquet keeps them as plain strings.
            let read = texts == ["stolen"];
            assert!(read || !faults.is_empty(), "{file} {texts:?}");
        }
        let noise: Arc<dyn arrow_array::Array> =
            Arc::new(BinaryArray::from_vec(vec![&b"\xff\xfe"[..]]));
        for (file, bytes) in one_column("text", noise, &[]) {
            let (texts, bad, _) = usual(file, &bytes);
            assert_eq!((texts.len(), bad), (0, 1), "{file}");
        }
        let none: Arc<dyn arrow_array::Array> = Arc::new(StringArray::from(vec![None::<&str>]));
        let said: Arc<dyn arrow_array::Array> = Arc::new(StringArray::from(vec!["stolen"]));
        for (file, bytes) in one_column("text", none, &[("output", said)]) {
            let (texts, bad, _) = usual(file, &bytes);
            assert_eq!((texts.len(), bad), (0, 1), "{file}");
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
