//! How far did it come?
//!
//! Two files lie side by side: what the job wrote, and the manifest, a JSON line for each place
//! up to which everything before is written. They are synced in that order. Whoever goes on cuts
//! the first back to the last place that the second knows, having checked its digest, and reads
//! on from there: the bytes at the end are those of a run that was never stopped.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fault::Fault;
use crate::plan::PlannedFile;

/// Faults that are kept one by one; beyond it they are counted.
const FAULTS_KEPT: usize = 1_000;

/// Skipped files and members that are kept one by one.
const SKIPPED_KEPT: usize = 1_000;

/// What was read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows, blank lines among them.
    pub rows: u64,
    /// Documents.
    pub documents: u64,
    /// The bytes of their text.
    pub text_bytes: u64,
    /// Lines, members and files that could not be read.
    pub bad: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
    /// SHA-256 and size of every file that was read to its end, by name.
    pub digests: Vec<(String, String, u64)>,
    /// Files of named folders, and members of archives, that were not read: what they hold was not
    /// looked at.
    #[serde(default)]
    pub skipped: u64,
    /// The first of them.
    #[serde(default)]
    pub skipped_names: Vec<String>,
}

impl Totals {
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.bad += 1;
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(fault);
        }
    }

    /// Counts what was not read: these, and so many more.
    pub(crate) fn skip(&mut self, names: &[String], more: u64) {
        self.skipped += names.len() as u64 + more;
        let room = SKIPPED_KEPT.saturating_sub(self.skipped_names.len());
        self.skipped_names.extend(names.iter().take(room).cloned());
    }
}

/// A place up to which everything is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The unit that is being read.
    pub(crate) unit: u64,
    /// Its batches that are written.
    pub(crate) batches: u64,
    /// The rows of its file that are written.
    pub(crate) file_rows: u64,
    /// Bytes that the job has written.
    pub(crate) written: u64,
    /// SHA-256 of them since the mark before.
    pub(crate) sha256: String,
    /// What was read since the mark before.
    pub(crate) since: Totals,
}

#[derive(Serialize, Deserialize)]
struct Head {
    fairhold_manifest: u32,
    corpus_sha256: String,
}

/// Why a manifest cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file system says no.
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is of another corpus, or of other options.
    Other(PathBuf),
    /// What the job wrote is not what the manifest says.
    Changed(PathBuf),
    /// It is no manifest.
    Form(PathBuf),
    /// There is one, and a part of the corpus cannot be read a second time.
    Unstamped(PathBuf, String),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "keep `{}`", path.display()),
            Self::Other(path) => write!(
                f,
                "resume from `{}`: the files, their dates or what is asked of them changed since; name a new manifest",
                path.display()
            ),
            Self::Changed(path) => write!(
                f,
                "resume: `{}` is not what was written; remove it with its manifest and begin anew",
                path.display()
            ),
            Self::Unstamped(path, file) => write!(
                f,
                "resume from `{}`: {file} cannot be told from what was read before; name a folder \
                 of its own for this run",
                path.display()
            ),
            Self::Form(path) => write!(
                f,
                "resume from `{}`: it is no manifest of ours; name another file",
                path.display()
            ),
        }
    }
}

impl std::error::Error for ManifestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Other(_) | Self::Changed(_) | Self::Form(_) | Self::Unstamped(_, _) => None,
        }
    }
}

/// The two files, open at the place where it goes on.
#[derive(Debug)]
pub struct Manifest {
    marks: File,
    written: File,
    written_path: PathBuf,
    pub(crate) mark: Mark,
    pub(crate) totals: Totals,
    hash: Sha256,
    /// Batches and units that were written since the last mark.
    pub(crate) unmarked: u64,
    /// Whether a run was found there.
    resumed: bool,
}

impl Manifest {
    /// Opens or begins the manifest at `marks` beside the job's file at `written`.
    ///
    /// # Errors
    /// [`ManifestError`]; nothing was changed then.
    pub fn open(marks: &Path, written: &Path) -> Result<Self, ManifestError> {
        let file = |path: &Path| {
            let path = path.to_path_buf();
            move |source| ManifestError::File { path, source }
        };
        let open = |path: &Path| {
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
        };
        Ok(Self {
            marks: open(marks).map_err(file(marks))?,
            written: open(written).map_err(file(written))?,
            written_path: written.to_path_buf(),
            mark: Mark::default(),
            totals: Totals::default(),
            hash: Sha256::new(),
            unmarked: 0,
            resumed: false,
        })
    }

    /// Whether it goes on with an earlier run; known once the run has begun.
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// Reads the marks; cuts the job's file back to the last of them. A run over a file that nobody
    /// can read again begins anew or not at all: what comes out of a pipe may be anything.
    pub(crate) fn begin(
        &mut self,
        marks: &Path,
        corpus: String,
        unstamped: Option<&PlannedFile>,
    ) -> Result<(), ManifestError> {
        let fault = |source| ManifestError::File {
            path: marks.to_path_buf(),
            source,
        };
        let mut lines = BufReader::new(&self.marks);
        let mut line = Vec::new();
        lines.read_until(b'\n', &mut line).map_err(fault)?;
        if let Some(file) = unstamped.filter(|_| !line.is_empty()) {
            let file = file.name.clone();
            return Err(ManifestError::Unstamped(marks.to_path_buf(), file));
        }
        if line.last() == Some(&b'\n') {
            let head: Head = serde_json::from_slice(&line)
                .map_err(|_| ManifestError::Form(marks.to_path_buf()))?;
            if head.corpus_sha256 != corpus || head.fairhold_manifest != 1 {
                return Err(ManifestError::Other(marks.to_path_buf()));
            }
            let mut good = line.len() as u64;
            let mut known = Vec::new();
            loop {
                line.clear();
                let read = lines.read_until(b'\n', &mut line).map_err(fault)?;
                // A line that was cut off by the end of a process counts for nothing.
                let Ok(mark) = serde_json::from_slice::<Mark>(&line) else {
                    break;
                };
                if read == 0 || line.last() != Some(&b'\n') {
                    break;
                }
                good += read as u64;
                known.push(mark);
            }
            self.check(&known)?;
            self.resumed = true;
            self.marks.set_len(good).map_err(fault)?;
        } else {
            if !line.is_empty() && serde_json::from_slice::<Head>(&line).is_err() {
                // The first line itself may have been cut off; anything else is not ours.
                let ours = b"{\"fairhold_manifest\":";
                if !line.starts_with(ours.get(..line.len().min(ours.len())).unwrap_or(ours)) {
                    return Err(ManifestError::Form(marks.to_path_buf()));
                }
            }
            self.marks.set_len(0).map_err(fault)?;
            self.marks.rewind().map_err(fault)?;
            let head = Head {
                fairhold_manifest: 1,
                corpus_sha256: corpus,
            };
            self.line(&head).map_err(fault)?;
        }
        self.marks.seek(SeekFrom::End(0)).map_err(fault)?;
        let cut = self.written.set_len(self.mark.written);
        let cut = cut.and_then(|()| self.written.seek(SeekFrom::End(0)));
        cut.map(drop).map_err(|source| ManifestError::File {
            path: self.written_path.clone(),
            source,
        })
    }

    /// The job's file must hold, mark for mark, what was digested.
    fn check(&mut self, known: &[Mark]) -> Result<(), ManifestError> {
        let changed = || ManifestError::Changed(self.written_path.clone());
        self.written.rewind().map_err(|_| changed())?;
        let mut source = BufReader::with_capacity(1 << 18, &self.written);
        for mark in known {
            let bytes = mark
                .written
                .checked_sub(self.mark.written)
                .ok_or_else(changed)?;
            let mut hash = Sha256::new();
            let mut part = (&mut source).take(bytes);
            let copied = io::copy(&mut part, &mut hash).map_err(|_| changed())?;
            if copied != bytes || hex::encode(hash.finalize()) != mark.sha256 {
                return Err(changed());
            }
            self.totals.add(&mark.since);
            self.mark = mark.clone();
        }
        self.mark.since = Totals::default();
        Ok(())
    }

    /// Writes what the job says of a batch.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written.write_all(bytes)?;
        self.hash.update(bytes);
        self.mark.written += bytes.len() as u64;
        Ok(())
    }

    /// Makes all that was written last.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.unmarked = 0;
        self.written.sync_data()?;
        self.mark.sha256 = hex::encode(std::mem::take(&mut self.hash).finalize());
        let mark = self.mark.clone();
        self.line(&mark)?;
        self.marks.sync_data()?;
        let since = std::mem::take(&mut self.mark.since);
        self.totals.add(&since);
        Ok(())
    }

    fn line<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.marks.write_all(&line)
    }
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.documents += other.documents;
        self.text_bytes += other.text_bytes;
        self.bad += other.bad;
        let room = FAULTS_KEPT.saturating_sub(self.faults.len());
        self.faults.extend(other.faults.iter().take(room).cloned());
        self.digests.extend(other.digests.iter().cloned());
        let more = other
            .skipped
            .saturating_sub(other.skipped_names.len() as u64);
        self.skip(&other.skipped_names, more);
    }
}
