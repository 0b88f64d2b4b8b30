//! The manifest's form: which files of which repositories, and how an item of
//! them becomes a row. It holds no text of a campaign, only where to cut it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::RebuildError;
use super::template::Template;

/// What is rebuilt, from where and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form's version; 1 is known.
    version: u32,
    /// Commit by `OWNER/NAME`.
    pub(super) repositories: BTreeMap<String, String>,
    /// Lineages to keep on one side of a split.
    #[serde(default)]
    pub(super) families: BTreeMap<String, Vec<String>>,
    /// Sources of near-identical text and opposite purpose.
    #[serde(default)]
    pub(super) twins: Vec<(String, String)>,
    /// The sources, in the order of the pool's row digests.
    #[serde(rename = "source")]
    sources: Vec<SourceEntry>,
}

/// One source of the pool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// The name, that of its file in the pool.
    pub name: String,
    /// `harvest`, `human` or `app`.
    pub kind: String,
    /// The licence, as the pool's index states it.
    pub licence: String,
    /// Repositories and paths it was made of, as the pool's index states them.
    pub origin: String,
    /// Rows the pool holds.
    pub rows: usize,
    /// Why it cannot be rebuilt; nothing when there is a recipe.
    pub reason: Option<String>,
    /// What the recipe does not reach, in words.
    pub short: Option<String>,
    /// At most so many rows where no digests say which.
    pub(super) rows_max: Option<usize>,
    /// Seed of that choice.
    #[serde(default)]
    pub(super) seed: u64,
    #[serde(default, rename = "file")]
    pub(super) files: Vec<FileEntry>,
    #[serde(default)]
    pub(super) text: BTreeMap<String, CutEntry>,
    #[serde(default, rename = "part")]
    pub(super) parts: Vec<Part>,
}

/// One file of a repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    /// The name other entries use.
    pub(super) id: String,
    pub(super) repository: String,
    /// Its path at the repository's commit.
    pub(super) path: String,
    /// The object itself, where the commit no longer has the path.
    pub(super) blob: Option<String>,
    pub(super) sha256: String,
    #[serde(default)]
    pub(super) gunzip: bool,
    /// CRLF is read as LF, as Python reads its sources.
    #[serde(default)]
    pub(super) crlf: bool,
    /// Bytes that are no UTF-8 are replaced instead of refused.
    #[serde(default)]
    pub(super) lossy: bool,
}

/// A text cut out of a file: lines, then what lies between two marks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CutEntry {
    pub(super) file: String,
    /// First and last line, from 1.
    pub(super) lines: Option<(usize, usize)>,
    /// What lies between the first of the one and the next of the other.
    pub(super) between: Option<(String, String)>,
    /// Every line as JSON through a template, one after another.
    pub(super) per_line: Option<Template>,
    /// Passed through a template with `{text}`.
    pub(super) through: Option<Template>,
}

/// How the items of some files become rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) files: Vec<String>,
    pub(super) format: Format,
    /// Where the items are in a JSON value: keys, places, `*` for all.
    #[serde(default)]
    pub(super) each: String,
    /// With `format = "regex"`: one item a match, its named groups the fields.
    pub(super) pattern: Option<String>,
    /// With `format = "csv"`: the columns where the file has no header.
    pub(super) columns: Option<Vec<String>>,
    /// With `format = "csv"`: what divides the fields.
    #[serde(default = "comma")]
    pub(super) divider: char,
    /// Files read in step, line by line; each adds a field.
    #[serde(default)]
    pub(super) beside: BTreeMap<String, String>,
    /// Files of which every line makes a row of each item.
    #[serde(default)]
    pub(super) cross: BTreeMap<String, String>,
    /// Lines that are no JSON are passed over, as the pool's builder did.
    #[serde(default)]
    pub(super) skip_broken: bool,
    /// All must hold for an item to become a row.
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    pub(super) campaign: Template,
    pub(super) realness: String,
    pub(super) group: Option<Template>,
    pub(super) model: Option<Template>,
    #[serde(default)]
    pub(super) prompt: Vec<MessageEntry>,
    pub(super) turns: Option<Turns>,
    pub(super) response: Option<Template>,
}

/// What a field must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) text: Template,
    pub(super) is: Option<String>,
    pub(super) not: Option<String>,
}

/// One message of a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageEntry {
    #[serde(default)]
    pub(super) role: String,
    #[serde(default)]
    pub(super) text: Template,
    /// Instead of both: messages of a named text, JSON objects one a line.
    pub(super) list: Option<Template>,
    /// The field whose own fields are slots of the text.
    pub(super) fill_from: Option<Template>,
    /// Slots of the text, and what goes into them.
    #[serde(default)]
    pub(super) fill: BTreeMap<String, Template>,
    /// What goes into each `{}` of the text in turn, as Python's `format` does.
    #[serde(default)]
    pub(super) format: Vec<Template>,
    /// Left out when its text is empty.
    #[serde(default)]
    pub(super) optional: bool,
}

/// A conversation inside an item: a row for each answer in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turns {
    /// Where the turns are in the item; an item may also be a tree of them.
    #[serde(default)]
    pub(super) each: String,
    /// The field that holds the replies to a turn.
    pub(super) replies: Option<String>,
    /// With it: the conversation is one text, and these marks begin the turns.
    pub(super) transcript: Option<Template>,
    pub(super) role: Option<Template>,
    pub(super) text: Option<Template>,
    /// Roles (or marks) of the one who asks.
    pub(super) user: Vec<String>,
    /// Roles (or marks) of the one who answers.
    pub(super) assistant: Vec<String>,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Json,
    Jsonl,
    Csv,
    Lines,
    Text,
    Regex,
}

fn comma() -> char {
    ','
}

impl Manifest {
    /// The manifest of that text.
    ///
    /// # Errors
    /// [`RebuildError::Manifest`] with the line, when it is no manifest or
    /// names a repository, a file or a commit that it does not describe.
    pub fn parse(text: &str) -> Result<Self, RebuildError> {
        let manifest: Self =
            toml::from_str(text).map_err(|e| RebuildError::Manifest(e.to_string()))?;
        manifest.check().map_err(RebuildError::Manifest)?;
        Ok(manifest)
    }

    /// The sources, in order.
    pub fn sources(&self) -> &[SourceEntry] {
        &self.sources
    }

    /// The commit of a repository.
    pub fn commit(&self, repository: &str) -> Option<&str> {
        self.repositories.get(repository).map(String::as_str)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!("version {} is not known; 1 is", self.version));
        }
        for (repository, commit) in &self.repositories {
            if !is_hex(commit, 40) || !is_repository(repository) {
                return Err(format!(
                    "`{repository}` at `{commit}` is no OWNER/NAME at a commit"
                ));
            }
        }
        let mut names = std::collections::BTreeSet::new();
        for source in &self.sources {
            if !is_plain(&source.name) || !names.insert(&source.name) {
                return Err(format!("`{}` is no name, or is there twice", source.name));
            }
            source
                .check(&self.repositories)
                .map_err(|e| format!("source `{}`: {e}", source.name))?;
        }
        Ok(())
    }
}

impl SourceEntry {
    /// The repositories it is made of, in order, each once.
    pub fn repositories(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.files.iter().map(|f| f.repository.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn check(&self, repositories: &BTreeMap<String, String>) -> Result<(), String> {
        if self.reason.is_some() != self.parts.is_empty() {
            return Err("it needs either parts or a reason why not".to_owned());
        }
        for file in &self.files {
            if !repositories.contains_key(&file.repository) {
                return Err(format!(
                    "`{}` is in no list of repositories",
                    file.repository
                ));
            }
            let blob = file.blob.as_ref().is_none_or(|b| is_hex(b, 40));
            if !is_hex(&file.sha256, 64) || !blob {
                return Err(format!("`{}` has no SHA-256 of 64 digits", file.path));
            }
        }
        let known = |id: &String| self.files.iter().any(|f| f.id == *id);
        let parts = self.parts.iter().flat_map(|p| {
            p.files
                .iter()
                .chain(p.beside.values())
                .chain(p.cross.values())
        });
        match parts
            .chain(self.text.values().map(|c| &c.file))
            .find(|id| !known(id))
        {
            Some(id) => Err(format!("no file has the id `{id}`")),
            None => Ok(()),
        }
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A name that is one plain part of a path.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['.', '-'])
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn is_repository(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(owner, name)| is_plain(owner) && is_plain(name))
}
