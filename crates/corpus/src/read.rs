//! From a file to batches of rows, and from a batch to documents.
//!
//! Reading a file cuts batches at places that only the bytes decide, so that a run that goes on
//! sees the same batches. Decoding a batch is where the work is: it is done on any core.

#[cfg(feature = "parquet")]
pub(crate) mod columnar;
#[cfg(feature = "parquet")]
pub(crate) mod held;
pub(crate) mod lines;
mod tape;
mod text;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::document::{Columns, Document};
use crate::json;
use crate::plan::{Form, Options, PlannedFile};
use crate::source::{Ticks, unpacked};

/// Rows that were read together.
#[derive(Debug)]
pub(crate) enum Batch {
    /// Whole lines; the last may lack its end.
    Lines(Vec<u8>),
    /// A line too long to be read.
    TooLong,
    /// Rows that are decoded already.
    Rows(Vec<Row>),
}

/// A row that is decoded already.
#[derive(Debug)]
pub(crate) enum Row {
    /// A text, with its columns.
    Text {
        /// Which member of an archive.
        member: Option<String>,
        /// The text.
        text: String,
        /// The columns.
        values: [Option<String>; 5],
    },
    /// A JSON object as an archive holds it.
    Json {
        /// Which member.
        member: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// One that cannot be read.
    Bad(String),
}

/// Takes the batches; `Break` when nobody wants more.
pub(crate) type Take<'a> = &'a mut dyn FnMut(Batch) -> ControlFlow<()>;

/// How reading one unit ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// SHA-256 of the file and its bytes; with the first unit of a file only.
    pub(crate) digest: Option<(String, u64)>,
    /// Why the rest could not be read.
    pub(crate) fault: Option<String>,
    /// Members of an archive that were not read.
    pub(crate) skipped: SkippedMembers,
}

/// Members that are named one by one; beyond it they are counted.
const MEMBERS_NAMED: usize = 100;

/// Members of an archive that were not read.
#[derive(Debug, Default)]
pub(crate) struct SkippedMembers {
    /// How many.
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) names: Vec<String>,
}

impl SkippedMembers {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < MEMBERS_NAMED {
            self.names.push(name.to_owned());
        }
    }
}

/// The units of work in a file, each with the rows before it: a Parquet row group, else the file.
pub(crate) fn units(file: &PlannedFile) -> Vec<u64> {
    #[cfg(feature = "parquet")]
    if file.form == Form::Parquet {
        let groups = quietly(|| Ok(columnar::row_groups(file))).unwrap_or_default();
        if !groups.is_empty() {
            return groups;
        }
    }
    let _ = file;
    vec![0]
}

/// Reads one unit, batch by batch.
pub(crate) fn unit(
    file: &PlannedFile,
    number: u32,
    options: &Options,
    ticks: Ticks<'_>,
    take: Take<'_>,
) -> Ending {
    #[cfg(feature = "parquet")]
    if matches!(file.form, Form::Parquet | Form::Arrow) {
        let first = number == 0;
        let digest = first
            .then(|| crate::source::digest(file, options.read_bytes, ticks).ok())
            .flatten();
        // The decoders are not ours: one that gives up on a damaged file must not take the others
        // with it.
        let read = quietly(|| match file.form {
            Form::Parquet => columnar::parquet(file, number, options, take),
            _ => columnar::arrow(file, options, take),
        });
        return Ending {
            digest,
            fault: read.err(),
            skipped: SkippedMembers::default(),
        };
    }
    let _ = number;
    let (source, meter) = match unpacked(file, options.read_bytes, ticks) {
        Ok(opened) => opened,
        Err(why) => {
            return Ending {
                digest: None,
                fault: Some(why.to_string()),
                skipped: SkippedMembers::default(),
            };
        }
    };
    let (mut source, mut skipped) = (source, SkippedMembers::default());
    let read = quietly(|| match file.form {
        Form::Tar => tape::read(&mut source, options, take, &mut skipped),
        Form::Text => text::read(&mut source, options, take),
        Form::Lines | Form::Parquet | Form::Arrow => lines::read(&mut source, options, take),
    });
    // What stands behind the last row, an archive's padding for example, belongs to the file as
    // well: to its digest, and its packing may turn out to be damaged there.
    let read = read.and_then(|()| {
        let rest = quietly(|| Ok(std::io::copy(&mut source, &mut std::io::sink())))?;
        rest.map(drop).map_err(|e| e.to_string())
    });
    drop(source);
    if meter.broken() {
        // No damage of the file's: whoever runs the units must tell it as our own error.
        resume_unwind(Box::new("a reader gave up"));
    }
    Ending {
        digest: Some(meter.told()),
        fault: read.err().map(explained),
        skipped,
    }
}

/// What zstd says of a window that would take more memory than it gives, with the way out.
fn explained(why: String) -> String {
    if why.contains("too much memory") {
        return format!("{why}: it was compressed with `--long`, compress it without");
    }
    why
}

/// The result, or that the decoder gave up.
fn quietly<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("the file is damaged: its decoder gave up".to_owned()))
}

impl Batch {
    /// Every document of the batch and every row that holds none; says how many rows there are.
    pub(crate) fn each(
        &self,
        columns: &Columns,
        mut take: impl FnMut(Result<Document<'_>, (u64, String)>),
        too_long: usize,
    ) -> u64 {
        match self {
            Self::Lines(bytes) => {
                let mut row = 0;
                for line in lines::split(bytes) {
                    if !line.trim_ascii().is_empty() {
                        let long = line.len() > too_long;
                        let document = if long {
                            Err(too_long_words(too_long))
                        } else {
                            json::document(line, columns, row)
                        };
                        take(document.map_err(|why| (row, why)));
                    }
                    row += 1;
                }
                row
            }
            Self::TooLong => {
                take(Err((0, too_long_words(too_long))));
                1
            }
            Self::Rows(rows) => {
                for (row, found) in (0..).zip(rows) {
                    take(found.document(row, columns).map_err(|why| (row, why)));
                }
                rows.len() as u64
            }
        }
    }
}

impl Row {
    fn document(&self, row: u64, columns: &Columns) -> Result<Document<'_>, String> {
        match self {
            Self::Text {
                member,
                text,
                values,
            } => {
                let mut document = Document::new(row, text.as_str().into());
                document.member = member.as_deref();
                document.values = values.each_ref().map(|v| v.as_deref().map(Into::into));
                Ok(document)
            }
            Self::Json { member, bytes } => {
                let mut document = json::document(bytes, columns, row)
                    .map_err(|why| format!("{member}: {why}"))?;
                document.member = Some(member);
                Ok(document)
            }
            Self::Bad(why) => Err(why.clone()),
        }
    }
}

/// What is said of a row that is too long.
pub(crate) fn too_long_words(most: usize) -> String {
    format!("longer than {most} bytes: split it; what follows is read on")
}

/// Gathers rows until there are enough bytes of them.
pub(crate) struct Gather<'t, 'a> {
    rows: Vec<Row>,
    bytes: usize,
    most: usize,
    take: &'t mut (dyn FnMut(Batch) -> ControlFlow<()> + 'a),
}

impl<'t, 'a> Gather<'t, 'a> {
    pub(crate) fn new(
        options: &Options,
        take: &'t mut (dyn FnMut(Batch) -> ControlFlow<()> + 'a),
    ) -> Self {
        Self {
            rows: Vec::new(),
            bytes: 0,
            most: options.batch_bytes,
            take,
        }
    }

    pub(crate) fn add(&mut self, row: Row) -> ControlFlow<()> {
        self.bytes += 64
            + match &row {
                Row::Text { text, .. } => text.len(),
                Row::Json { bytes, .. } => bytes.len(),
                Row::Bad(_) => 0,
            };
        self.rows.push(row);
        if self.bytes >= self.most {
            return self.hand_on();
        }
        ControlFlow::Continue(())
    }

    pub(crate) fn hand_on(&mut self) -> ControlFlow<()> {
        self.bytes = 0;
        if self.rows.is_empty() {
            return ControlFlow::Continue(());
        }
        (self.take)(Batch::Rows(std::mem::take(&mut self.rows)))
    }
}

#[cfg(test)]
mod tests;
