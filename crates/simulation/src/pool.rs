//! Real recorded traffic: one file per source, one source as the ring.

mod known;

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use facts::{AccountId, Timestamp};
use serde::Deserialize;

use crate::fleet::{Fleet, FleetAccount, FleetExchange};
use crate::random::Random;

pub use known::{HONEST, KnownReport, KnownRow, KnownSettings, known_campaigns};

/// Why a pool cannot be loaded.
#[derive(Debug)]
pub struct PoolError(String);

impl PoolError {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "load recorded traffic: {}", self.0)
    }
}

impl std::error::Error for PoolError {}

#[derive(Deserialize)]
struct Row {
    kind: String,
    prompt: Vec<Message>,
    response: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: serde_json::Value,
}

#[derive(Deserialize)]
struct Families {
    families: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    twins: Vec<(String, String)>,
}

impl Fleet {
    /// One account for each honest source (at most `each` exchanges), and
    /// `accounts` ring accounts that divide the rows of `ring` among them.
    /// Sources of the ring's own lineage (`FAMILIES.json`) are left out: their
    /// text is the ring's.
    ///
    /// # Errors
    /// [`PoolError`] naming the file and what is wrong with it.
    pub fn from_pool(
        dir: &Path,
        ring: &str,
        accounts: usize,
        each: usize,
        seed: u64,
    ) -> Result<Self, PoolError> {
        let mut random = Random::new(seed);
        let kin = kin(dir, ring)?;
        let mut fleet = Self::default();
        let mut found = false;
        for (source, path) in sources(dir)? {
            let its_own = source == ring;
            if !its_own && kin.contains(&source) {
                continue;
            }
            let mut rows = rows(&path)?;
            random.shuffle(&mut rows);
            if its_own {
                found = true;
                fleet.spread(&source, rows, accounts, each)?;
            } else {
                let kind = rows.first().map(|r| r.kind.clone()).unwrap_or_default();
                fleet.add(&source, &kind, false, rows.into_iter().take(each))?;
            }
        }
        if !found {
            return Err(PoolError(format!(
                "{} holds no source `{ring}`",
                dir.display()
            )));
        }
        fleet.mix(&mut random);
        Ok(fleet)
    }

    fn spread(
        &mut self,
        source: &str,
        rows: Vec<Row>,
        accounts: usize,
        each: usize,
    ) -> Result<(), PoolError> {
        if rows.len() < accounts * each {
            return Err(PoolError(format!(
                "`{source}` has {} rows; {accounts} accounts with {each} each need {}",
                rows.len(),
                accounts * each
            )));
        }
        let mut rows = rows.into_iter();
        for n in 0..accounts {
            self.add(
                &format!("{source}-{n:03}"),
                "ring",
                true,
                rows.by_ref().take(each),
            )?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        name: &str,
        kind: &str,
        ring: bool,
        rows: impl Iterator<Item = Row>,
    ) -> Result<(), PoolError> {
        let name = AccountId::parse(name).map_err(|e| PoolError(e.to_string()))?;
        let account = self.accounts.len();
        self.accounts.push(FleetAccount {
            name,
            kind: kind.to_owned(),
            ring,
        });
        for row in rows {
            self.exchanges.push(FleetExchange {
                account,
                conversation: row
                    .prompt
                    .into_iter()
                    .map(|m| (m.role, flat(m.content)))
                    .collect(),
                answer: row.response.unwrap_or_default(),
                model: "replay-1".to_owned(),
                at: Timestamp(0),
            });
        }
        Ok(())
    }
}

pub(crate) fn flat(content: serde_json::Value) -> String {
    match content {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The files of a pool by source, in the order of names.
pub(crate) fn sources(dir: &Path) -> Result<BTreeMap<String, PathBuf>, PoolError> {
    let unreadable = |e: std::io::Error| PoolError(format!("{}: {e}", dir.display()));
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        if let Some(source) = name.strip_suffix(".jsonl.zst") {
            all.insert(source.to_owned(), path);
        }
    }
    Ok(all)
}

/// Sources of the same lineage, and twins of near-identical text.
fn kin(dir: &Path, ring: &str) -> Result<Vec<String>, PoolError> {
    let path = dir.join("FAMILIES.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Ok(Vec::new());
    };
    let families: Families =
        serde_json::from_str(&text).map_err(|e| PoolError(format!("{}: {e}", path.display())))?;
    let own = families
        .families
        .into_values()
        .filter(|f| f.iter().any(|s| s == ring))
        .flatten();
    let twins = families
        .twins
        .into_iter()
        .filter(|(a, b)| a == ring || b == ring);
    Ok(own.chain(twins.flat_map(|(a, b)| [a, b])).collect())
}

fn rows(path: &Path) -> Result<Vec<Row>, PoolError> {
    let failed = |e: &dyn fmt::Display| PoolError(format!("{}: {e}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| failed(&e))?;
    let lines = std::io::BufReader::new(zstd::Decoder::new(file).map_err(|e| failed(&e))?).lines();
    lines
        .enumerate()
        .map(|(n, line)| {
            let line = line.map_err(|e| failed(&e))?;
            serde_json::from_str(&line).map_err(|e| failed(&format!("line {}: {e}", n + 1)))
        })
        .collect()
}

#[cfg(test)]
mod tests;
