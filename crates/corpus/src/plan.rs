//! Which files, in which order, as which form?

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::document::Columns;

/// The longest line, and the longest document of any form, that is read: whatever is longer is
/// told, and what stands behind it is read on.
const DOCUMENT_BYTES_MAX: usize = 64 << 20;
/// Cut at this many bytes: large enough to decode fast, small enough that a queue of them is
/// nothing.
const BATCH_BYTES: usize = 1 << 20;
/// What is read off the disk at once.
pub(crate) const READ_BYTES: usize = 1 << 18;
/// Rows of a columnar file decoded at once, at most.
const ROWS: usize = 256;
/// What stands for standard input.
pub const STDIN: &str = "-";

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object a line.
    Lines,
    /// A document a file, or a paragraph.
    Text,
    /// `WebDataset`: members `.txt` and `.json`.
    Tar,
    /// Parquet.
    Parquet,
    /// Arrow IPC, the file or the stream form (HF `datasets`).
    Arrow,
}

/// How it is compressed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not.
    Plain,
    /// zstd.
    Zstd,
    /// gzip.
    Gzip,
}

/// One file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its name, as reports give it.
    pub name: String,
    /// Where it is; [`STDIN`] is standard input.
    pub path: PathBuf,
    /// Its path below the folder that was named; its own name when it was named itself.
    pub relative: PathBuf,
    /// Its form.
    pub form: Form,
    /// Its packing.
    pub packing: Packing,
    /// Its size and when it was changed (nanoseconds), where it is a plain file.
    pub stamp: Option<(u64, u128)>,
}

/// How rows are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The fields.
    pub columns: Columns,
    /// A document a paragraph of text files, not a file.
    pub paragraphs: bool,
    /// Longer documents are faults.
    pub document_bytes_max: usize,
    /// Batches are cut at this size.
    pub batch_bytes: usize,
    /// What is read off the disk at once, where a format is unpacked or decoded.
    pub read_bytes: usize,
    /// Rows of a columnar file that are decoded at once, at most.
    pub rows: usize,
}

impl Options {
    /// The usual bounds.
    pub fn new(columns: Columns) -> Self {
        Self {
            columns,
            paragraphs: false,
            document_bytes_max: DOCUMENT_BYTES_MAX,
            batch_bytes: BATCH_BYTES,
            read_bytes: READ_BYTES,
            rows: ROWS,
        }
    }
}

/// Why there is no corpus to read.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlanError {
    /// A path cannot be looked at.
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file's name says no form that is known.
    Form {
        /// Which.
        path: PathBuf,
    },
    /// The form needs a feature that this program was built without.
    Feature {
        /// Which file.
        path: PathBuf,
    },
    /// It is a URL, and this program was built without the feature that reads those.
    Remote {
        /// Which.
        path: PathBuf,
    },
    /// No file at all.
    Empty,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, .. } => write!(f, "read `{}`", path.display()),
            Self::Form { path } => write!(
                f,
                "read `{}`: its name ends in none of .jsonl, .json, .parquet, .arrow, .tar, .tgz, .txt, .md (and .zst or .gz behind it)",
                path.display()
            ),
            Self::Feature { path } => write!(
                f,
                "read `{}`: this program was built without the feature `parquet`",
                path.display()
            ),
            Self::Remote { path } => write!(
                f,
                "read `{}`: this program was built without the feature `object-store`; build it with `--features object-store`, or copy the files here",
                path.display()
            ),
            Self::Empty => {
                f.write_str("find a corpus: the paths hold no file of a form that is known")
            }
        }
    }
}

impl std::error::Error for PlanError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Path { source, .. } => Some(source),
            Self::Form { .. } | Self::Feature { .. } | Self::Remote { .. } | Self::Empty => None,
        }
    }
}

/// The files of a corpus in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The files.
    pub files: Vec<PlannedFile>,
    /// What lies in the named folders and is not read: files whose names say no form that is known,
    /// and folders that are links (they may lead round in a circle).
    pub skipped: Vec<String>,
}

impl Plan {
    /// The files at these paths: a file that is named, and of a folder every file of a known form,
    /// in the order of their names.
    ///
    /// # Errors
    /// [`PlanError`] for a path that cannot be looked at, or whose form is not known.
    pub fn of(paths: &[PathBuf]) -> Result<Self, PlanError> {
        let (mut files, mut skipped) = (Vec::new(), Vec::new());
        for path in paths {
            let fault = |source| PlanError::Path {
                path: path.clone(),
                source,
            };
            if path.as_os_str() == STDIN {
                files.push(stdin());
            } else if is_url(path) {
                by_url(path, &mut files, &mut skipped)?;
            } else if std::fs::metadata(path).map_err(fault)?.is_dir() {
                let mut below = Vec::new();
                walk(path, &mut below)?;
                below.sort();
                for below in below {
                    match planned(&below, path)? {
                        Some(file) => files.push(file),
                        None => skipped.push(below.display().to_string()),
                    }
                }
            } else {
                let form = || PlanError::Form { path: path.clone() };
                let folder = path.parent().unwrap_or(Path::new(""));
                files.push(planned(path, folder)?.ok_or_else(form)?);
            }
        }
        if files.is_empty() {
            return Err(PlanError::Empty);
        }
        Ok(Self { files, skipped })
    }

    /// A file that cannot be read a second time, standard input or a pipe, if there is one.
    pub fn unstamped(&self) -> Option<&PlannedFile> {
        self.files.iter().find(|file| file.stamp.is_none())
    }

    /// The bytes of all files whose size is known.
    pub fn bytes(&self) -> u64 {
        self.files
            .iter()
            .filter_map(|file| file.stamp.map(|(size, _)| size))
            .sum()
    }

    /// What a manifest is bound to: the files as they are, how they are read, and what is asked.
    pub(crate) fn digest(&self, options: &Options, asked: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{options:?}\0{asked}\0"));
        for file in &self.files {
            hash.update(format!("{file:?}\0"));
        }
        hash.update(format!("{:?}", self.skipped));
        hex::encode(hash.finalize())
    }
}

/// Whether a path names an object somewhere else.
pub(crate) fn is_url(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.contains("://"))
}

/// The object at a URL, or those below one that ends in `/`.
#[cfg(feature = "object-store")]
fn by_url(
    path: &Path,
    files: &mut Vec<PlannedFile>,
    skipped: &mut Vec<String>,
) -> Result<(), PlanError> {
    let url = path.to_str().unwrap_or_default();
    let fault = |source| PlanError::Path {
        path: path.to_path_buf(),
        source,
    };
    let named = !url.ends_with('/');
    if named && form(url).is_none() {
        return Err(PlanError::Form {
            path: path.to_path_buf(),
        });
    }
    for found in crate::remote::found(url).map_err(fault)? {
        let Some((form, packing)) = form(&found.url) else {
            skipped.push(found.url);
            continue;
        };
        let relative = if named {
            found.url.rsplit('/').next()
        } else {
            found.url.strip_prefix(url)
        };
        files.push(PlannedFile {
            relative: PathBuf::from(relative.unwrap_or(&found.url)),
            path: PathBuf::from(&found.url),
            name: found.url,
            form: decodable(form, path)?,
            packing,
            stamp: Some(found.stamp),
        });
    }
    Ok(())
}

#[cfg(not(feature = "object-store"))]
fn by_url(path: &Path, _: &mut [PlannedFile], _: &mut [String]) -> Result<(), PlanError> {
    Err(PlanError::Remote {
        path: path.to_path_buf(),
    })
}

/// The form, if this program can read it.
fn decodable(form: Form, path: &Path) -> Result<Form, PlanError> {
    if cfg!(not(feature = "parquet")) && matches!(form, Form::Parquet | Form::Arrow) {
        return Err(PlanError::Feature {
            path: path.to_path_buf(),
        });
    }
    Ok(form)
}

fn stdin() -> PlannedFile {
    PlannedFile {
        name: "standard input".to_owned(),
        path: PathBuf::from(STDIN),
        relative: PathBuf::from(STDIN),
        form: Form::Lines,
        packing: Packing::Plain,
        stamp: None,
    }
}

/// A folder that is a link is not entered but found, as what it is.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), PlanError> {
    let fault = |source| PlanError::Path {
        path: folder.to_path_buf(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.file_type().map_err(fault)?.is_dir() {
            walk(&entry.path(), found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// The file, when its name says its form.
fn planned(path: &Path, folder: &Path) -> Result<Option<PlannedFile>, PlanError> {
    let fault = |source| PlanError::Path {
        path: path.to_path_buf(),
        source,
    };
    let name = path.display().to_string();
    let Some((form, packing)) = form(&name) else {
        return Ok(None);
    };
    let form = decodable(form, path)?;
    let meta = std::fs::metadata(path).map_err(fault)?;
    if meta.is_dir() {
        return Ok(None);
    }
    let changed = meta.modified().ok();
    let changed = changed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let stamp = (meta.len(), changed.unwrap_or_default().as_nanos());
    Ok(Some(PlannedFile {
        name,
        path: path.to_path_buf(),
        relative: path.strip_prefix(folder).unwrap_or(path).to_path_buf(),
        form,
        packing,
        stamp: meta.is_file().then_some(stamp),
    }))
}

fn form(name: &str) -> Option<(Form, Packing)> {
    let name = name.to_ascii_lowercase();
    let ends = |name: &str, all: &[&str]| all.iter().any(|end| name.ends_with(end));
    if ends(&name, &[".tgz"]) {
        return Some((Form::Tar, Packing::Gzip));
    }
    let (inner, packing) = if let Some(inner) = name.strip_suffix(".zst") {
        (inner, Packing::Zstd)
    } else if let Some(inner) = name.strip_suffix(".gz") {
        (inner, Packing::Gzip)
    } else {
        (name.as_str(), Packing::Plain)
    };
    let form = if ends(inner, &[".jsonl", ".ndjson", ".json"]) {
        Form::Lines
    } else if ends(inner, &[".tar"]) {
        Form::Tar
    } else if ends(inner, &[".txt", ".md", ".text"]) {
        Form::Text
    } else if packing == Packing::Plain && ends(inner, &[".parquet"]) {
        Form::Parquet
    } else if packing == Packing::Plain && ends(inner, &[".arrow"]) {
        Form::Arrow
    } else {
        return None;
    };
    Some((form, packing))
}

/// Opens a file of the plan.
pub(crate) fn open(file: &PlannedFile) -> io::Result<Box<dyn io::Read + Send>> {
    if file.path.as_os_str() == STDIN {
        return Ok(Box::new(io::stdin()));
    }
    #[cfg(feature = "object-store")]
    if is_url(&file.path) {
        let url = file.path.to_str().unwrap_or_default();
        return Ok(Box::new(crate::remote::Remote::open(url)?));
    }
    Ok(Box::new(File::open(&file.path)?))
}

#[cfg(test)]
mod tests;
