use proptest::prelude::*;

use super::*;
use crate::document::Text;

fn options(batch: usize, longest: usize) -> Options {
    Options {
        batch_bytes: batch,
        document_bytes_max: longest,
        ..Options::new(Columns::text(Text::Usual))
    }
}

/// A reader that gives what it has in small pieces.
struct Pieces<'a>(&'a [u8], usize);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(room.len()).min(self.0.len());
        let (now, later) = self.0.split_at(n);
        room[..n].copy_from_slice(now);
        self.0 = later;
        Ok(n)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever is cut where: every line comes once, in order, or is too long.
    #[test]
    fn lines_are_cut_and_joined_without_loss(
        bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x'), any::<u8>()], 0..400),
        batch in 1_usize..50, piece in 1_usize..70, longest in 20_usize..200,
    ) {
        let options = options(batch, longest);
        let mut got: Vec<Option<Vec<u8>>> = Vec::new();
        let mut take = |batch: Batch| {
            match batch {
                Batch::Lines(bytes) => got.extend(lines::split(&bytes).map(|line| {
                    (line.len() <= longest).then(|| line.to_vec())
                })),
                Batch::TooLong => got.push(None),
                Batch::Rows(_) => unreachable!(),
            }
            ControlFlow::Continue(())
        };
        lines::read(&mut Pieces(&bytes, piece), &options, &mut take).unwrap();
        let mut whole: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
        if whole.last().is_some_and(|line| line.is_empty()) {
            whole.pop();
        }
        let expected: Vec<Option<Vec<u8>>> = whole
            .into_iter()
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .map(|line| (line.len() <= longest).then(|| line.to_vec()))
            .collect();
        prop_assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(&expected) {
            // A line within a few bytes of the bound may fall on either side of it (its end, `\r`).
            if let (Some(got), Some(expected)) = (got, expected) {
                prop_assert_eq!(got, expected);
            } else if let Some(line) = got.as_ref().or(expected.as_ref()) {
                prop_assert!(line.len() + 2 > longest);
            }
        }
    }

    /// No bytes take a reader down.
    #[test]
    fn hostile_bytes_are_faults(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.jsonl", "a.jsonl.zst", "a.jsonl.gz", "a.tar", "a.txt", "a.parquet", "a.arrow"] {
            if cfg!(not(feature = "parquet")) && (name.ends_with("parquet") || name.ends_with("arrow")) {
                continue;
            }
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let plan = crate::Plan::of(&[path]).unwrap();
            let columns = Columns::text(Text::Usual);
            let mut take = |batch: Batch| {
                batch.each(&columns, |_| {}, 1_000);
                ControlFlow::Continue(())
            };
            unit(&plan.files[0], 0, &options(100, 1_000), &|_| {}, &mut take);
        }
    }
}

#[test]
fn paragraphs_are_documents_when_asked() {
    let options = Options {
        paragraphs: true,
        ..options(10, 20)
    };
    let text = b"one\nstill one\n\n\n two \n\nthis one is far too long to be read at once\n\nlast";
    let mut got = Vec::new();
    let mut take = |batch: Batch| {
        let columns = Columns::text(Text::Usual);
        batch.each(
            &columns,
            |found| got.push(found.map(|d| d.text.trim().to_owned()).unwrap_or_default()),
            20,
        );
        ControlFlow::Continue(())
    };
    text::read(&mut Pieces(text, 3), &options, &mut take).unwrap();
    assert_eq!(got, ["one\nstill one", "two", "", "last"]);
}
