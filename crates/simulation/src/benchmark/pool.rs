//! The pool: recorded exchanges of labelled sources, read once.

use std::collections::{BTreeMap, HashSet};
use std::io::BufRead as _;
use std::path::Path;

use detection::{Account, CUES, Frame, Reader, frames_of, levels};
use serde::Deserialize;

use crate::pool::{PoolError, flat, sources};

/// One exchange, as the benchmark keeps it.
#[derive(Debug, Clone)]
pub struct Item {
    /// Levels of its cues.
    pub levels: [u32; CUES],
    /// Its frames.
    pub frames: [Frame; 3],
    /// Bins of its words and pairs, for the baseline of hashed words.
    pub bins: Box<[u32]>,
    /// Characters of its prompt, for the baseline of message lengths.
    pub characters: u32,
    /// Whether the request itself was logged, not rebuilt.
    pub logged: bool,
    /// Whether its answer was recorded; the detector never reads it.
    pub answered: bool,
    /// Its programme's place in [`Source::programmes`].
    pub programme: usize,
    /// What was asked: (role, text); kept where fleets are made of it.
    pub prompt: Vec<(String, String)>,
}

impl Item {
    /// Adds it to an account.
    pub fn observed(&self, account: &mut Account) {
        account.observe_parts(&self.levels, &self.frames);
    }
}

/// One source of the pool.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Sources of one lineage stay on one side of every split.
    pub lineage: String,
    /// Whether it is a harvest.
    pub harvest: bool,
    /// Names of its programmes: campaign and group.
    pub programmes: Vec<String>,
    /// Its exchanges, each once.
    pub items: Vec<Item>,
    /// Rows that repeated another.
    pub repeated: usize,
}

/// The sources of a folder, in the order of names.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    /// They.
    pub sources: Vec<Source>,
    /// Pairs of sources with near-identical text and opposite purpose.
    pub twins: Vec<(String, String)>,
    /// Seconds that reading the prompts took, by the caller's clock, on one core.
    pub exchanges: usize,
}

#[derive(Deserialize)]
struct Row {
    kind: String,
    campaign: Option<String>,
    group: Option<String>,
    realness: Option<String>,
    #[serde(default)]
    response: Option<serde::de::IgnoredAny>,
    prompt: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: serde_json::Value,
}

#[derive(Deserialize, Default)]
struct Families {
    #[serde(default)]
    families: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    twins: Vec<(String, String)>,
}

impl Pool {
    /// Reads a folder laid out like the project's own: `<source>.jsonl.zst` each with `kind`,
    /// `campaign`, `group`, `realness` and `prompt`, and `FAMILIES.json`. `seen` is told of each
    /// source that was read.
    ///
    /// # Errors
    /// [`PoolError`] naming the file and what is wrong with it.
    pub fn read(dir: &Path, mut seen: impl FnMut(&str)) -> Result<Self, PoolError> {
        let families = families(dir)?;
        let lineage: BTreeMap<&str, &str> = families
            .families
            .iter()
            .flat_map(|(family, of)| of.iter().map(move |s| (s.as_str(), family.as_str())))
            .collect();
        let mut pool = Self {
            twins: families.twins.clone(),
            ..Self::default()
        };
        let mut reader = Reader::default();
        for (name, path) in sources(dir)? {
            let family = lineage.get(name.as_str()).copied().unwrap_or(&name);
            let source = source(&name, family, &path, &mut reader)?;
            pool.exchanges += source.items.len();
            pool.sources.push(source);
            seen(&name);
        }
        if pool.sources.is_empty() {
            return Err(PoolError::new(format!(
                "{} holds no `<source>.jsonl.zst`",
                dir.display()
            )));
        }
        Ok(pool)
    }

    /// Whether a source has a twin: text alone cannot tell the two apart.
    pub fn is_twin(&self, name: &str) -> bool {
        self.twins.iter().any(|(a, b)| a == name || b == name)
    }
}

fn families(dir: &Path) -> Result<Families, PoolError> {
    let path = dir.join("FAMILIES.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|e| PoolError::new(format!("{}: {e}", path.display()))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Families::default()),
        Err(e) => Err(PoolError::new(format!("{}: {e}", path.display()))),
    }
}

fn source(
    name: &str,
    lineage: &str,
    path: &Path,
    reader: &mut Reader,
) -> Result<Source, PoolError> {
    let failed = |e: &dyn std::fmt::Display| PoolError::new(format!("{}: {e}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| failed(&e))?;
    let lines = std::io::BufReader::new(zstd::Decoder::new(file).map_err(|e| failed(&e))?).lines();
    let mut made = Source {
        name: name.to_owned(),
        lineage: lineage.to_owned(),
        harvest: false,
        programmes: Vec::new(),
        items: Vec::new(),
        repeated: 0,
    };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut known: HashSet<u64> = HashSet::new();
    for (n, line) in lines.enumerate() {
        let line = line.map_err(|e| failed(&e))?;
        let row: Row =
            serde_json::from_str(&line).map_err(|e| failed(&format!("line {}: {e}", n + 1)))?;
        let harvest = match row.kind.as_str() {
            "harvest" => true,
            "human" | "app" => false,
            other => {
                let why = format!(
                    "line {}: kind `{other}` is neither harvest, human nor app",
                    n + 1
                );
                return Err(failed(&why));
            }
        };
        if !made.programmes.is_empty() && harvest != made.harvest {
            return Err(failed(&format!("line {}: a source is of one kind", n + 1)));
        }
        made.harvest = harvest;
        let programme = format!(
            "{}/{}",
            row.campaign.as_deref().unwrap_or(name),
            row.group.as_deref().unwrap_or("-")
        );
        let next = places.len();
        let place = *places.entry(programme.clone()).or_insert(next);
        if place == next {
            made.programmes.push(programme);
        }
        let logged = matches!(
            row.realness.as_deref(),
            None | Some("both" | "pair" | "prompt")
        );
        let prompt: Vec<(String, String)> = row
            .prompt
            .into_iter()
            .map(|m| (m.role, flat(m.content)))
            .collect();
        let Some(item) = item(reader, prompt, &mut known) else {
            made.repeated += 1;
            continue;
        };
        made.items.push(Item {
            logged,
            answered: row.response.is_some(),
            programme: place,
            ..item
        });
    }
    Ok(made)
}

/// One exchange, read; none when its prompt is known already.
pub(super) fn item(
    reader: &mut Reader,
    prompt: Vec<(String, String)>,
    known: &mut HashSet<u64>,
) -> Option<Item> {
    let reading = reader.read(&prompt);
    known.insert(reading.duplicate_id()).then(|| Item {
        levels: levels(reading),
        frames: frames_of(reading),
        bins: reading.bins.clone().into(),
        characters: prompt
            .iter()
            .map(|(_, text)| u32::try_from(text.chars().count()).unwrap_or(u32::MAX))
            .fold(0, u32::saturating_add),
        logged: true,
        answered: false,
        programme: 0,
        prompt,
    })
}
