//! How does an outsider get the pool? The manifest names public repositories
//! at fixed commits and how their files become rows; this reads them with
//! `git`, checks every digest, and writes a folder laid out like the pool's.
//! None of the campaigns' text is in the project.

mod digests;
mod files;
mod items;
mod manifest;
mod rows;
mod template;
mod turns;

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use digests::{PoolDigests, row_digest};
use digests::{choose, digest, prompts_of, sample};
pub use manifest::{Manifest, SourceEntry};
use rows::{Message, Row, Texts};

/// The manifest of the pool that the project's figures were measured on.
pub const POOL_MANIFEST: &str = include_str!("../../manifest/pool.toml");
/// The digests of its rows.
pub const POOL_ROWS: &[u8] = include_bytes!("../../manifest/pool.rows");

/// Why a source, or the pool, cannot be rebuilt.
#[derive(Debug)]
#[non_exhaustive]
pub enum RebuildError {
    /// The manifest is not one.
    Manifest(String),
    /// A repository is not there.
    Absent {
        /// Its `OWNER/NAME`.
        repository: String,
        /// Where it should be.
        folder: PathBuf,
    },
    /// A repository lacks a file at the commit.
    NoFile {
        /// Repository and path.
        file: String,
        /// The commit.
        commit: String,
        /// Where the repository is.
        folder: PathBuf,
        /// What `git` said.
        git: String,
    },
    /// A file is another one than the manifest's.
    Digest {
        /// Repository and path.
        file: String,
        /// The manifest's SHA-256.
        expected: String,
        /// The file's.
        found: String,
    },
    /// A file is not of the form that the recipe says.
    Malformed {
        /// Repository and path.
        file: String,
        /// Line or item.
        place: String,
        /// What is wrong there.
        why: String,
    },
    /// Something could not be read or written.
    Io(String),
}

impl fmt::Display for RebuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rebuild the pool: ")?;
        match self {
            Self::Manifest(why) => write!(f, "the manifest: {why}"),
            Self::Absent { repository, folder } => write!(
                f,
                "`{repository}` is missing; type `git clone https://github.com/{repository} {}`",
                folder.display()
            ),
            Self::NoFile {
                file,
                commit,
                folder,
                git,
            } => write!(
                f,
                "`{file}` is not at {commit} ({git}); type `git -C {} fetch origin {commit}`",
                folder.display()
            ),
            Self::Digest {
                file,
                expected,
                found,
            } => write!(
                f,
                "`{file}` has SHA-256 {found}, the manifest says {expected}: it is another file"
            ),
            Self::Malformed { file, place, why } => write!(f, "{file}: {place}: {why}"),
            Self::Io(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for RebuildError {}

/// What became of one source.
#[derive(Debug, Clone, Serialize)]
pub struct Rebuilt {
    /// Its name.
    pub source: String,
    /// Rows of the pool.
    pub pool_rows: usize,
    /// Rows written.
    pub rows: usize,
    /// Rows of the pool whose prompt the recipe makes exactly.
    pub prompts: usize,
    /// Rows of the pool whose response it makes exactly too.
    pub with_response: usize,
    /// All rows that the recipe makes.
    pub made: usize,
    /// Why it was not rebuilt.
    pub why_not: Option<String>,
    /// Whether that is the manifest's own word, not an error here.
    pub no_recipe: bool,
}

/// Rebuilds every source that can be from `repositories` (`OWNER/NAME` each)
/// into `out`: `<source>.jsonl.zst` and `FAMILIES.json`. A source that fails
/// keeps none of the others back. `told` hears of each source when it is done.
///
/// # Errors
/// [`RebuildError::Io`] when `out` cannot be written.
pub fn rebuild(
    manifest: &Manifest,
    digests: &PoolDigests,
    repositories: &Path,
    out: &Path,
    told: &mut dyn FnMut(&Rebuilt),
) -> Result<Vec<Rebuilt>, RebuildError> {
    std::fs::create_dir_all(out).map_err(|e| io(out, &e))?;
    let mut all = Vec::new();
    for source in manifest.sources() {
        let mut done = Rebuilt {
            source: source.name.clone(),
            pool_rows: source.rows,
            rows: 0,
            prompts: 0,
            with_response: 0,
            made: 0,
            why_not: source.reason.clone(),
            no_recipe: source.reason.is_some(),
        };
        if !done.no_recipe
            && let Err(e) = one(manifest, digests, source, (repositories, out), &mut done)
        {
            if matches!(e, RebuildError::Io(_)) {
                return Err(e);
            }
            done.why_not = Some(e.to_string());
        }
        told(&done);
        all.push(done);
    }
    families(manifest, &all, out)?;
    Ok(all)
}

fn one(
    manifest: &Manifest,
    digests: &PoolDigests,
    source: &SourceEntry,
    (repositories, out): (&Path, &Path),
    done: &mut Rebuilt,
) -> Result<(), RebuildError> {
    let mut texts = Texts::new();
    for file in &source.files {
        let text = files::read(manifest, repositories, file)?;
        texts.insert(file.id.clone(), (files::name(file), text));
    }
    let wanted = digests.of(&source.name);
    let prompts = wanted.map(prompts_of);
    let keep = |prompt: &[Message]| {
        prompts
            .as_ref()
            .is_none_or(|all| all.contains(&digest(prompt)))
    };
    let made = rows::of(source, &texts, &keep)?;
    done.made = made.count;
    let rows = match wanted {
        Some(wanted) => {
            let chosen = choose(&made.rows, wanted);
            done.prompts = chosen.prompts;
            done.with_response = chosen.with_response;
            chosen.rows
        }
        None => sample(
            made.rows,
            source.rows_max.unwrap_or(source.rows),
            source.seed,
        ),
    };
    done.rows = rows.len();
    write(
        source,
        &rows,
        &out.join(format!("{}.jsonl.zst", source.name)),
    )
}

/// A row as the pool's files have it.
#[derive(Serialize)]
struct Written<'a> {
    source: &'a str,
    kind: &'a str,
    campaign: &'a str,
    prompt: &'a [Message],
    response: Option<&'a str>,
    model: Option<&'a str>,
    license: &'a str,
    origin: &'a str,
    realness: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
}

fn write(source: &SourceEntry, rows: &[Row], path: &Path) -> Result<(), RebuildError> {
    let failed = |e: std::io::Error| io(path, &e);
    let file = std::fs::File::create(path).map_err(failed)?;
    let mut out = zstd::Encoder::new(file, 12).map_err(failed)?;
    for row in rows {
        let written = Written {
            source: &source.name,
            kind: &source.kind,
            campaign: &row.campaign,
            prompt: &row.prompt,
            response: row.response.as_deref(),
            model: row.model.as_deref(),
            license: &source.licence,
            origin: &source.origin,
            realness: &row.realness,
            group: row.group.as_deref(),
        };
        let line = serde_json::to_string(&written).map_err(|e| failed(e.into()))?;
        writeln!(out, "{line}").map_err(failed)?;
    }
    out.finish().map_err(failed)?.sync_all().map_err(failed)
}

fn families(manifest: &Manifest, all: &[Rebuilt], out: &Path) -> Result<(), RebuildError> {
    let here = |name: &String| all.iter().any(|r| r.source == *name && r.rows > 0);
    let families: std::collections::BTreeMap<&String, Vec<&String>> = manifest
        .families
        .iter()
        .map(|(family, members)| (family, members.iter().filter(|m| here(m)).collect()))
        .filter(|(_, members): &(_, Vec<_>)| !members.is_empty())
        .collect();
    let twins: Vec<_> = manifest
        .twins
        .iter()
        .filter(|(a, b)| here(a) && here(b))
        .collect();
    let path = out.join("FAMILIES.json");
    let value = serde_json::json!({ "families": families, "twins": twins });
    std::fs::write(&path, format!("{value:#}\n")).map_err(|e| io(&path, &e))
}

fn io(path: &Path, e: &std::io::Error) -> RebuildError {
    RebuildError::Io(format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests;
