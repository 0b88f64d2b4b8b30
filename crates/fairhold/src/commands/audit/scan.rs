//! Every document of a corpus against the registry.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use corpus::{
    Column, Columns, Control, Document, Job, Manifest, Options, Place, Plan, RunError, Text, Totals,
};
use provenance::{CorpusTally, Registry, Scanner, Verdict};
use sha2::{Digest as _, Sha256};

use super::found::{Batch, Excerpt, Found, Line, Resembled};
use super::sought::Prepared;
use crate::args::provenance::CorpusFiles;
use crate::failure::Failure;
use crate::out::Out;

/// Documents of a batch of which a piece is kept, for the report.
const EXCERPTS: usize = 2;
/// How long a piece is.
const EXCERPT_BYTES: usize = 1_500;

/// Where a scan keeps what it found, and how far it came.
#[derive(Debug)]
pub(crate) struct Where {
    marks: PathBuf,
    found: PathBuf,
    /// Removed with the value, when nobody asked to keep it.
    temporary: Option<PathBuf>,
}

impl Where {
    /// In the folder; in a temporary one without.
    pub(crate) fn of(folder: Option<&Path>, marks: Option<&Path>) -> Result<Self, Failure> {
        let fault = |path: &Path, e: std::io::Error| {
            Failure::error(format!("failed to make `{}`: {e}", path.display()))
        };
        let (folder, temporary) = if let Some(folder) = folder {
            (folder.to_path_buf(), None)
        } else {
            let name = store::random::<8>().map_err(|e| fault(Path::new("a name"), e))?;
            let path = std::env::temp_dir().join(format!("fairhold-audit-{}", hex::encode(name)));
            // Pieces of the corpus will lie there: nobody else may read them.
            let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
            made.map_err(|e| fault(&path, e))?;
            (path.clone(), Some(path))
        };
        std::fs::create_dir_all(&folder).map_err(|e| fault(&folder, e))?;
        let usual = || folder.join("manifest.jsonl");
        Ok(Self {
            marks: marks.map_or_else(usual, Path::to_path_buf),
            found: folder.join("scan.jsonl"),
            temporary,
        })
    }
}

impl Drop for Where {
    fn drop(&mut self) {
        if let Some(folder) = &self.temporary {
            // A leftover in the system's temporary folder is harmless.
            std::fs::remove_dir_all(folder).ok();
        }
    }
}

/// A corpus that was scanned.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// What was found.
    pub(crate) path: PathBuf,
    /// What was read.
    pub(crate) totals: Totals,
    /// The files.
    pub(crate) plan: Plan,
    /// How rows were read.
    pub(crate) read_as: ReadAs,
}

/// Which text of a row was looked at, as a statement names it.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct ReadAs {
    /// The field; without a name `text`, else every string of a row.
    text_field: Option<String>,
    /// Whether each paragraph of a text file was a document.
    paragraphs: bool,
}

/// Scans the corpus, or goes on with it.
pub(crate) fn scan(
    files: &CorpusFiles,
    prepared: &Prepared,
    place: &Where,
    threads: Option<usize>,
    out: Out,
) -> Result<Scanned, Failure> {
    let look = Look {
        scanner: Scanner::new(
            &prepared.registry,
            &prepared.key,
            prepared.depth,
            prepared.judge.clone(),
        ),
        registry: &prepared.registry,
    };
    let scanned = read(files, &look, (place, &prepared.asked()), threads, out)?;
    if let Some(other) = &prepared.other
        && other.digests != scanned.totals.digests
    {
        return Err(Failure::error(
            "the corpus changed while the registry's holder was asked about it: run the command \
             again while nobody writes there",
        ));
    }
    Ok(scanned)
}

/// Reads every document of the corpus, or goes on with it.
pub(super) fn read(
    files: &CorpusFiles,
    job: &impl Job,
    (place, asked): (&Where, &str),
    threads: Option<usize>,
    out: Out,
) -> Result<Scanned, Failure> {
    let plan = Plan::of(&files.paths).map_err(|e| Failure::chain(&e))?;
    let text = files.text_field.clone().map_or(Text::Usual, Text::Named);
    let columns = Columns::text(text).with(Column::Id, files.id_field.as_deref());
    let options = Options {
        paragraphs: files.paragraphs,
        ..Options::new(columns)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let bar = out.bytes(plan.bytes(), "reading");
    let stop = AtomicBool::new(false);
    let control = Control {
        threads: threads.unwrap_or(cores).max(1),
        read: &|bytes| bar.inc(bytes),
        stop: &stop,
    };
    let manifest = Manifest::open(&place.marks, &place.found).map_err(|e| Failure::chain(&e))?;
    let ran = corpus::run(
        (&plan, &options),
        job,
        (manifest, &place.marks, asked),
        &control,
    );
    bar.finish_and_clear();
    Ok(Scanned {
        path: place.found.clone(),
        totals: ran.map_err(|e: RunError| Failure::chain(&e))?,
        plan,
        read_as: ReadAs {
            text_field: files.text_field.clone(),
            paragraphs: files.paragraphs,
        },
    })
}

/// The job.
struct Look<'r> {
    scanner: Scanner<'r>,
    registry: &'r Registry,
}

/// What is said of a batch.
#[derive(Default)]
struct Said {
    tally: CorpusTally,
    compared: Vec<(usize, usize, usize, bool)>,
    found: Vec<(u64, Found)>,
    near: Vec<(u64, Found)>,
}

impl Job for Look<'_> {
    type Said = Said;

    fn nothing(&self) -> Said {
        Said::default()
    }

    fn look(&self, document: &Document<'_>, said: &mut Said) {
        let verdict = self.scanner.scan(&document.text);
        let derived = verdict.derived();
        let sizes = (verdict.bytes as u64, verdict.words as u64);
        said.tally.add(sizes.0, sizes.1, derived);
        if derived {
            let with_excerpt = said.found.len() < EXCERPTS;
            let found = found(document, &verdict, self.registry, with_excerpt);
            said.found.push((document.row, found));
            return;
        }
        if let Some((top, twins)) = verdict.compared() {
            let one = (top.output, twins.twins, twins.as_near, top.resembles);
            said.compared.push(one);
        }
        if verdict.matches.iter().any(|one| one.resembles) {
            let near = found(document, &verdict, self.registry, false);
            said.near.push((document.row, near));
        }
    }

    fn write(&self, said: Said, place: Place<'_>, to: &mut Vec<u8>) {
        let mut line = |line: &Line| {
            // A line of numbers and texts always has a JSON form.
            if serde_json::to_writer(&mut *to, line).is_ok() {
                to.push(b'\n');
            }
        };
        let placed = |(row, mut found): (u64, Found)| {
            found.row = place.row(row);
            place.file.clone_into(&mut found.file);
            found.number = place.number;
            found
        };
        for found in said.found {
            line(&Line::Document(Box::new(placed(found))));
        }
        line(&Line::Batch(Box::new(Batch {
            sums: said.tally.sums(),
            compared: said.compared,
            near: said.near.into_iter().map(placed).collect(),
        })));
    }
}

fn found(
    document: &Document<'_>,
    verdict: &Verdict,
    registry: &Registry,
    with_excerpt: bool,
) -> Found {
    let matches: Vec<Resembled> = verdict
        .matches
        .iter()
        .filter_map(|one| Resembled::of(one, registry))
        .collect();
    let excerpt = with_excerpt.then(|| excerpt(&document.text, &matches));
    Found {
        file: String::new(),
        number: 0,
        row: 0,
        member: document.member.map(str::to_owned),
        id: document.column(Column::Id).map(str::to_owned),
        bytes: verdict.bytes,
        words: verdict.words,
        bytes_derived: verdict.bytes_derived,
        sha256: hex::encode(Sha256::digest(document.text.as_bytes())),
        matches,
        excerpt,
    }
}

/// The piece around the first span of the strongest finding.
fn excerpt(text: &str, matches: &[Resembled]) -> Excerpt {
    let spans = matches.iter().find(|one| one.derived).map(|one| &one.spans);
    let first = spans.and_then(|spans| spans.iter().map(|span| span.0).min());
    let mut from = first.unwrap_or(0).saturating_sub(120).min(text.len());
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    let mut to = (from + EXCERPT_BYTES).min(text.len());
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    Excerpt {
        from,
        text: text.get(from..to).unwrap_or_default().to_owned(),
    }
}
