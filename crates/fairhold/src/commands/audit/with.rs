//! A corpus against a registry that another party holds: asked blinded, scanned here.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use corpus::{Document, Job, Place, Plan};
use provenance::{AuditKey, Depth, Judge, Registry, Row, Scanner};

use super::scan::{Where, read};
use super::sought::OtherParty;
use crate::args::provenance::{CorpusFiles, Other as Asked};
use crate::between::BetweenError;
use crate::between::client::{Learned, Other};
use crate::failure::Failure;
use crate::out::Out;

/// Fingerprints that are held at once, at most: some 800 MB.
const KEYS_MAX: usize = 16_000_000;

/// What the other party told.
pub(super) struct Heard {
    pub(super) registry: Registry,
    pub(super) key: AuditKey,
    /// SHA-256 of its table.
    pub(super) sha256: String,
    /// Whom was asked about what.
    pub(super) other: OtherParty,
}

/// Asks the other party.
pub(super) fn heard(
    url: &str,
    asked: &Asked,
    files: &CorpusFiles,
    (depth, judge): (Depth, Judge),
    out: Out,
) -> Result<Heard, Failure> {
    let plan = Plan::of(&files.paths).map_err(|e| Failure::chain(&e))?;
    if let Some(pipe) = plan.unstamped() {
        return Err(Failure::error(format!(
            "a corpus is read three times for `--with`, and `{}` can be read once: name files",
            pipe.name
        )));
    }
    let token = asked.with_token.as_deref().ok_or_else(|| {
        Failure::error(
            "the holder's token is missing: set FAIRHOLD_AUDIT_TOKEN to what `fairhold registry \
             serve` said",
        )
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|e| Failure::error(format!("failed to begin: {e}")))?;
    // A runtime of its own, made and let go on a thread of its own: commands are called from inside
    // another one.
    let asking = move || {
        let pinned = asked.server_key.as_deref();
        let other = runtime
            .block_on(Other::meet(url, token, pinned))
            .map_err(said)?;
        if pinned.is_none() {
            out.say(&format!(
                "the holder's key is {0}: compare it over another channel, and say `--server-key \
                 {0}` from now on",
                other.server_key()
            ));
        }
        let mut learned = Learned::default();
        let ask = |keys: &BTreeSet<u64>, learned: &mut Learned| {
            let bar = out.progress(keys.len() as u64, "asking");
            let asked = runtime.block_on(other.ask(keys, learned, &|n| bar.inc(n)));
            bar.finish_and_clear();
            asked.map_err(said)
        };
        let seeds = Seeds {
            key: other.key(),
            depth,
            keys: Mutex::default(),
        };
        let digests = pass(files, &seeds, out)?;
        ask(&keys(seeds.keys)?, &mut learned)?;
        let part = other.registry(&learned).map_err(said)?;
        let opened = Opened {
            scanner: Scanner::new(&part, other.key(), depth, judge),
            keys: Mutex::default(),
        };
        pass(files, &opened, out)?;
        ask(&keys(opened.keys)?, &mut learned)?;
        Ok(Heard {
            registry: other.registry(&learned).map_err(said)?,
            key: other.key().clone(),
            sha256: other.table_sha256().to_owned(),
            other: OtherParty {
                accounts: other.accounts(),
                digests,
            },
        })
    };
    std::thread::scope(|scope| scope.spawn(asking).join())
        .unwrap_or_else(|_| Err(Failure::error("asking the other party broke off")))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands on"
)]
fn said(error: BetweenError) -> Failure {
    Failure::chain(&error)
}

fn keys(held: Mutex<BTreeSet<u64>>) -> Result<BTreeSet<u64>, Failure> {
    let keys = held.into_inner().unwrap_or_else(PoisonError::into_inner);
    if keys.len() > KEYS_MAX {
        return Err(Failure::error(format!(
            "the corpus has more than {KEYS_MAX} fingerprints to ask: audit it in parts"
        )));
    }
    Ok(keys)
}

/// Reads the corpus once; gives the digests of its files.
fn pass(
    files: &CorpusFiles,
    job: &impl Job,
    out: Out,
) -> Result<Vec<(String, String, u64)>, Failure> {
    let place = Where::of(None, None)?;
    Ok(read(files, job, (&place, "between"), None, out)?
        .totals
        .digests)
}

fn add(keys: &Mutex<BTreeSet<u64>>, said: Vec<u64>) {
    let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
    if keys.len() <= KEYS_MAX {
        keys.extend(said);
    }
}

/// What decides which documents are opened.
struct Seeds<'k> {
    key: &'k AuditKey,
    depth: Depth,
    keys: Mutex<BTreeSet<u64>>,
}

impl Job for Seeds<'_> {
    type Said = Vec<u64>;

    fn nothing(&self) -> Vec<u64> {
        Vec::new()
    }

    fn look(&self, document: &Document<'_>, said: &mut Vec<u64>) {
        provenance::seeds(&document.text, self.key, self.depth, |key| {
            said.push(Row::kept(key));
        });
    }

    fn write(&self, said: Vec<u64>, _: Place<'_>, _: &mut Vec<u8>) {
        add(&self.keys, said);
    }
}

/// Every key of documents that are opened.
struct Opened<'r> {
    scanner: Scanner<'r>,
    keys: Mutex<BTreeSet<u64>>,
}

impl Job for Opened<'_> {
    type Said = Vec<u64>;

    fn nothing(&self) -> Vec<u64> {
        Vec::new()
    }

    fn look(&self, document: &Document<'_>, said: &mut Vec<u64>) {
        self.scanner
            .opens(&document.text, |key| said.push(Row::kept(key)));
    }

    fn write(&self, said: Vec<u64>, _: Place<'_>, _: &mut Vec<u8>) {
        add(&self.keys, said);
    }
}
