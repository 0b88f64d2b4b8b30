//! The files of the act: corpora that hold outputs, and one that holds none.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use simulation::Random;

use super::prose::{Asked, disguised, human};
use crate::failure::Failure;

/// Outputs of the permissive model in the gate's corpus.
const PERMISSIVE: usize = 40;
/// Documents of the honest customer.
const HONEST: usize = 600;

/// Where everything is.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The data folder.
    pub(super) data: PathBuf,
    /// The registry.
    pub(super) registry: PathBuf,
    /// The corpus in which outputs are hidden.
    pub(super) corpus: PathBuf,
    /// The honest customer's.
    pub(super) honest: PathBuf,
    /// One with outputs of both models, for the gate.
    pub(super) mixed: PathBuf,
    /// Where its cleaned copy goes.
    pub(super) cleaned: PathBuf,
    /// The reports.
    pub(super) report: PathBuf,
    /// The honest customer's.
    pub(super) report_honest: PathBuf,
}

impl Files {
    /// In a folder of the act's own inside `folder`, which is made anew.
    pub(super) fn prepare(folder: &Path) -> Result<Self, Failure> {
        let own = folder.join("provenance");
        let fault = |e| Failure::error(format!("failed to prepare `{}`: {e}", own.display()));
        match std::fs::remove_dir_all(&own) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(fault(e)),
            _ => {}
        }
        std::fs::create_dir_all(&own).map_err(fault)?;
        Ok(Self {
            data: own.join("data"),
            registry: own.join("data").join("registry"),
            corpus: own.join("corpus.jsonl.zst"),
            honest: own.join("honest.jsonl"),
            mixed: own.join("mixed.jsonl"),
            cleaned: own.join("cleaned"),
            report: own.join("report"),
            report_honest: own.join("report-honest"),
        })
    }
}

/// Writes the corpora; gives the rows of the gate's corpus that the terms restrict.
pub(super) fn corpora(
    files: &Files,
    harvest: &[Asked],
    (many, hidden): (usize, usize),
    random: &mut Random,
) -> Result<Vec<u64>, Failure> {
    let of = |account: &'static str| harvest.iter().filter(move |asked| asked.name == account);
    let disguise = |asked: &Asked, random: &mut Random| disguised(&asked.answer, random);
    let mut rows: Vec<(bool, String)> = Vec::new();
    rows.extend((0..many).map(|_| (false, human(random))));
    for asked in of("harvester").take(hidden) {
        rows.push((true, disguise(asked, random)));
    }
    random.shuffle(&mut rows);
    let packed = zstd::encode_all(lines(&rows).as_slice(), 3)
        .map_err(|e| Failure::error(format!("failed to pack the corpus: {e}")))?;
    keep(&files.corpus, &packed)?;

    let honest: Vec<(bool, String)> = (0..HONEST).map(|_| (false, human(random))).collect();
    keep(&files.honest, &lines(&honest))?;

    let mut mixed: Vec<(bool, String)> = (0..HONEST).map(|_| (false, human(random))).collect();
    for asked in of("harvester").take(hidden / 2) {
        mixed.push((true, disguise(asked, random)));
    }
    for asked in of("builder").take(PERMISSIVE) {
        mixed.push((false, asked.answer.clone()));
    }
    random.shuffle(&mut mixed);
    keep(&files.mixed, &lines(&mixed))?;
    let restricted = (1..).zip(&mixed).filter(|(_, (restricted, _))| *restricted);
    Ok(restricted.map(|(row, _)| row).collect())
}

fn lines(rows: &[(bool, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (n, (_, text)) in rows.iter().enumerate() {
        // Writing into memory does not fail.
        let _ = writeln!(bytes, "{}", json!({"id": format!("doc-{n}"), "text": text}));
    }
    bytes
}

fn keep(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes)
        .map_err(|e| Failure::error(format!("failed to write `{}`: {e}", path.display())))
}
