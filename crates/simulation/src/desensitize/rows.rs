//! Texts by models and by people, as a folder of JSON lines has them.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Who wrote a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A person.
    Human,
    /// A model, of its own.
    Model,
    /// A model, from a text that was there: `polished`, `paraphrased` and so on.
    Rewritten(String),
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// Who wrote it.
    pub kind: Kind,
    /// Which model, or `human`.
    pub model: String,
    /// Where it is from.
    pub source: String,
    /// What was asked, where that is known.
    pub prompt: Option<String>,
    /// Equal for texts that belong together.
    pub pair: Option<String>,
    /// The text.
    pub text: String,
}

/// Why a folder could not be read.
#[derive(Debug)]
pub enum RowsError {
    /// The folder or a file could not be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// A line is no row.
    NotARow {
        /// Of which file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// Why.
        why: String,
    },
    /// No file of the folder ends in `.jsonl` or `.jsonl.zst`.
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

impl std::fmt::Display for RowsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable { path, why } => write!(f, "read `{}`: {why}", path.display()),
            Self::NotARow { path, line, why } => {
                write!(f, "read `{}:{line}`: {why}", path.display())
            }
            Self::Empty { path } => write!(
                f,
                "find texts in `{}`: give a folder with files that end in .jsonl or .jsonl.zst",
                path.display()
            ),
        }
    }
}

impl std::error::Error for RowsError {}

#[derive(Deserialize)]
struct Line {
    id: String,
    kind: String,
    #[serde(default)]
    model: String,
    text: String,
    #[serde(default)]
    source: String,
    prompt: Option<String>,
    pair_id: Option<String>,
}

/// Reads every `.jsonl` and `.jsonl.zst` file of a folder, in the order of their names.
///
/// # Errors
/// [`RowsError`] names the file and the line.
pub fn read(folder: &Path) -> Result<Vec<Row>, RowsError> {
    let unreadable = |path: &Path, why| RowsError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|why| unreadable(folder, why))? {
        let path = entry.map_err(|why| unreadable(folder, why))?.path();
        let name = path.to_string_lossy();
        if name.ends_with(".jsonl") || name.ends_with(".jsonl.zst") {
            files.push(path);
        }
    }
    files.sort();
    let mut rows = Vec::new();
    for path in files {
        let file = std::fs::File::open(&path).map_err(|why| unreadable(&path, why))?;
        let reader: Box<dyn Read> = if path.extension().is_some_and(|e| e == "zst") {
            Box::new(zstd::Decoder::new(file).map_err(|why| unreadable(&path, why))?)
        } else {
            Box::new(file)
        };
        for (n, line) in BufReader::new(reader).lines().enumerate() {
            let line = line.map_err(|why| unreadable(&path, why))?;
            if !line.trim().is_empty() {
                rows.push(row(&line).map_err(|why| RowsError::NotARow {
                    path: path.clone(),
                    line: n + 1,
                    why,
                })?);
            }
        }
    }
    if rows.is_empty() {
        return Err(RowsError::Empty {
            path: folder.to_owned(),
        });
    }
    Ok(rows)
}

fn row(line: &str) -> Result<Row, String> {
    let line: Line = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let kind = match line.kind.as_str() {
        "human" => Kind::Human,
        "llm" => Kind::Model,
        other => Kind::Rewritten(other.strip_prefix("llm_").unwrap_or(other).to_owned()),
    };
    Ok(Row {
        id: line.id,
        kind,
        model: line.model,
        source: line.source,
        prompt: line.prompt.filter(|p| !p.trim().is_empty()),
        pair: line.pair_id,
        text: line.text,
    })
}
