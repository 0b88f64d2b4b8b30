//! Which outputs can be recognised, and where are their fingerprints kept?
//!
//! A folder: `key` (16 secret bytes, hexadecimal, mode 0600), `place.json` (how far the log was
//! read, and whether it is the store's own or that of logs) and, for each account, segments `<month>.<from>-<to>.seg`, written once and
//! changed only by an erasure. No text is in any of them. `tiers.rs` joins files.
//!
//! A segment is whole or not there (temporary file, rename, sync of the folder). The place is
//! written after the segments that it speaks of: what lies beyond it, because the process died in
//! between, is removed at the next opening and read again. Files that were merged are removed
//! after the merged one is there; should the process die in between, the next opening does it.

pub(crate) mod apart;
mod errors;
pub(crate) mod follow;
pub(crate) mod forget;
pub(crate) mod scribe;
pub(crate) mod tiers;
pub(crate) mod writer;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use facts::{AccountId, Exchange, ExchangeId, ModelName};
use provenance::{AuditKey, Month, OutputText, Role, Segment, SegmentBuilder, Skipped, Workspace};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::Passed;

use crate::keeper::answer_text;
pub(crate) use errors::RegistryError;

/// How long a process that has the right to write may take to end.
const ABOUT_TO_END: Duration = Duration::from_secs(5);
/// Longer names of accounts' folders are cut and end in a digest.
const NAME_MAX: usize = 100;
/// Whose control twins from files are, for all of them.
const TWINS: &str = "control-twins";
/// The name of a model that nobody told.
const UNKNOWN_MODEL: &str = "unknown";

/// What feeds a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The store's own log, by places.
    Store,
    /// Log files, or another registry.
    Logs,
}

/// The right to write a registry.
#[derive(Debug)]
pub(crate) struct Writing {
    _lock: File,
}

#[derive(Default, Serialize, Deserialize)]
struct Place {
    /// The record behind the last one that was read.
    next: u64,
    /// What feeds it; nobody knows of one that an older program wrote.
    #[serde(default)]
    of: Option<Kind>,
    /// Models whose outputs are control twins.
    #[serde(default)]
    twins: Vec<String>,
}

/// A registry's folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    key: AuditKey,
    secret: [u8; 16],
}

/// One file of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentFile {
    /// Whose, as the folder spells it, and of which month.
    pub(crate) of: (String, String),
    /// The records it speaks of.
    pub(crate) from: u64,
    /// The one behind them.
    pub(crate) to: u64,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Folder {
    /// Opens the folder, or makes it with a key of its own.
    pub(crate) fn open_or_make(path: &Path) -> Result<Self, RegistryError> {
        let fault = |e| RegistryError::File(path.to_path_buf(), e);
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path);
        made.map_err(fault)?;
        let place = path.join("key");
        if !place.exists() {
            let key = store::random::<16>().map_err(fault)?;
            // A link is made only where nothing is: of two processes one draws the key of both.
            let name = store::random::<8>().map_err(fault)?;
            let drawn = path.join(format!("key.{}", hex::encode(name)));
            store::write_atomically(&drawn, hex::encode(key).as_bytes(), 0o600).map_err(fault)?;
            let linked = std::fs::hard_link(&drawn, &place);
            std::fs::remove_file(&drawn).map_err(fault)?;
            match linked {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(fault(e)),
                Ok(()) | Err(_) => {}
            }
        }
        Self::open(path)
    }

    /// Opens a folder that is there.
    pub(crate) fn open(path: &Path) -> Result<Self, RegistryError> {
        let place = path.join("key");
        let text = match std::fs::read_to_string(&place) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(RegistryError::Missing(path.to_path_buf()));
            }
            read => read.map_err(|e| RegistryError::File(place.clone(), e))?,
        };
        let mut secret = [0; 16];
        hex::decode_to_slice(text.trim(), &mut secret).map_err(|_| RegistryError::Form(place))?;
        Ok(Self {
            path: path.to_path_buf(),
            key: AuditKey::new(secret),
            secret,
        })
    }

    /// A folder under a key that is known already.
    pub(crate) fn make_with(path: &Path, secret: &[u8; 16]) -> Result<Self, RegistryError> {
        let fault = |e| RegistryError::File(path.to_path_buf(), e);
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path);
        made.and_then(|()| {
            store::write_atomically(&path.join("key"), hex::encode(secret).as_bytes(), 0o600)
        })
        .map_err(fault)?;
        Self::open(path)
    }

    /// The same folder once more.
    pub(crate) fn again(&self) -> Result<Self, RegistryError> {
        Self::open(&self.path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What its key is known by; says nothing about the key.
    pub(crate) fn key_name(&self) -> String {
        format!("{:016x}", self.key.id())
    }

    /// Its key.
    pub(crate) fn key(&self) -> &AuditKey {
        &self.key
    }

    /// The secret bytes of its key.
    pub(crate) fn secret(&self) -> &[u8; 16] {
        &self.secret
    }

    /// The secret by which other parties are answered; made when it is asked for first.
    pub(crate) fn between_seed(&self) -> Result<[u8; 32], RegistryError> {
        let path = self.path.join("between.seed");
        let fault = |e| RegistryError::File(path.clone(), e);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let text = hex::encode(store::random::<32>().map_err(fault)?);
                store::write_atomically(&path, text.as_bytes(), 0o600).map_err(fault)?;
                text
            }
            Err(e) => return Err(fault(e)),
        };
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| RegistryError::Form(path))?;
        Ok(seed)
    }

    /// The right to write, for as long as the value lives: one process has it. One that is about to end
    /// is waited for.
    pub(crate) fn lock(&self) -> Result<Writing, RegistryError> {
        let path = self.path.join("lock");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| RegistryError::File(path.clone(), e))?;
        let locked = locked_within(file, ABOUT_TO_END);
        let locked = locked.map_err(|e| RegistryError::File(path.clone(), e))?;
        let lock = locked.ok_or(RegistryError::Busy(path))?;
        for file in self.all_files()?.1 {
            std::fs::remove_file(&file.path).map_err(|e| RegistryError::File(file.path, e))?;
        }
        Ok(Writing { _lock: lock })
    }

    /// Its segments by account and month.
    pub(crate) fn files(&self) -> Result<Vec<SegmentFile>, RegistryError> {
        Ok(self.all_files()?.0)
    }

    /// Its segments, and leftovers of processes that died.
    fn all_files(&self) -> Result<(Vec<SegmentFile>, Vec<SegmentFile>), RegistryError> {
        let next = self.place()?.next;
        let mut files = Vec::new();
        for account in self.listed(&self.path)? {
            if !account.is_dir() {
                continue;
            }
            for path in self.listed(&account)? {
                files.extend(named(&account, &path));
            }
        }
        let mut kept = Vec::with_capacity(files.len());
        let mut leftovers = Vec::new();
        for (file, covered) in covered(files) {
            if covered || file.to > next {
                leftovers.push(file);
            } else {
                kept.push(file);
            }
        }
        Ok((kept, leftovers))
    }

    fn listed(&self, folder: &Path) -> Result<Vec<PathBuf>, RegistryError> {
        let fault = |e| RegistryError::File(self.path.clone(), e);
        let entries = std::fs::read_dir(folder).map_err(fault)?;
        let mut paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(fault)?;
        paths.sort();
        Ok(paths)
    }

    /// A file as a segment.
    pub(crate) fn read(path: &Path) -> Result<Segment, RegistryError> {
        let bytes = std::fs::read(path).map_err(|e| RegistryError::File(path.to_path_buf(), e))?;
        Segment::from_bytes(&bytes).map_err(|e| RegistryError::Segment(path.to_path_buf(), e))
    }

    /// All of its segments. A running server may join files meanwhile: then they are listed anew.
    pub(crate) fn segments(&self) -> Result<Vec<Segment>, RegistryError> {
        const ATTEMPTS: u32 = 5;
        let mut attempt = 0;
        loop {
            let files = self.files()?;
            let read = files.iter().map(|file| Self::read(&file.path));
            match read.collect::<Result<Vec<_>, _>>() {
                Err(RegistryError::File(_, e))
                    if e.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Writes segments of a range of the log; gives the sizes of their files.
    pub(crate) fn write(
        &self,
        _right: &Writing,
        segments: Vec<Segment>,
        (from, to): (u64, u64),
    ) -> Result<Vec<u64>, RegistryError> {
        let mut sizes = Vec::with_capacity(segments.len());
        for segment in segments {
            let folder = self.path.join(folder_name(segment.account().as_str()));
            let fault = |e| RegistryError::File(folder.clone(), e);
            if !folder.is_dir() {
                let made = std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&folder);
                made.map_err(fault)?;
            }
            let name = format!("{}.{from}-{to}.seg", segment.month());
            let bytes = segment.to_bytes();
            store::write_atomically(&folder.join(name), &bytes, 0o600).map_err(fault)?;
            sizes.push(bytes.len() as u64);
        }
        Ok(sizes)
    }

    fn place(&self) -> Result<Place, RegistryError> {
        let path = self.path.join("place.json");
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| RegistryError::Form(path)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Place::default()),
            Err(e) => Err(RegistryError::File(path, e)),
        }
    }

    /// How far the log was read.
    pub(crate) fn next(&self) -> Result<u64, RegistryError> {
        Ok(self.place()?.next)
    }

    /// Says that the log was read up to `next`.
    pub(crate) fn advance(&self, right: &Writing, next: u64) -> Result<(), RegistryError> {
        let place = self.place()?;
        self.keep_place(right, &Place { next, ..place })
    }

    fn keep_place(&self, _right: &Writing, place: &Place) -> Result<(), RegistryError> {
        let path = self.path.join("place.json");
        let text = serde_json::to_vec(place).unwrap_or_default();
        store::write_atomically(&path, &text, 0o600).map_err(|e| RegistryError::File(path, e))
    }

    /// The models whose outputs are control twins.
    pub(crate) fn twins(&self) -> Result<Vec<String>, RegistryError> {
        Ok(self.place()?.twins)
    }

    /// What feeds it, where that is known.
    pub(crate) fn kind(&self) -> Result<Option<Kind>, RegistryError> {
        Ok(self.place()?.of)
    }

    /// Says what feeds it: the places of a log mean nothing in another one. Models whose outputs are
    /// control twins are kept, so that whoever follows the log later knows them too.
    pub(crate) fn claim(
        &self,
        right: &Writing,
        kind: Kind,
        twins: &[String],
    ) -> Result<Vec<String>, RegistryError> {
        let mut place = self.place()?;
        if let Some(known) = place.of.filter(|known| *known != kind) {
            return Err(RegistryError::Kind(self.path.clone(), known));
        }
        let others = !twins.is_empty() && place.twins != twins;
        if kind == Kind::Store && others {
            if place.next > 0 {
                return Err(RegistryError::Twins(self.path.clone()));
            }
            place.twins = twins.to_vec();
        }
        place.of = Some(kind);
        self.keep_place(right, &place)?;
        Ok(place.twins)
    }
}

/// The file, once nobody else has it locked; none when that takes longer.
fn locked_within(file: File, longest: Duration) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => return Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(e)) => return Err(e),
    }
    let (sender, locked) = std::sync::mpsc::channel();
    // Should it come too late, nobody receives it, and it is unlocked at once.
    std::thread::Builder::new().spawn(move || sender.send(file.lock().map(|()| file)))?;
    locked.recv_timeout(longest).ok().transpose()
}

/// Account ids may hold what a file name must not.
fn folder_name(account: &str) -> String {
    let mut name = String::from("a-");
    for byte in account.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02x}");
        }
    }
    if name.len() > NAME_MAX {
        // A file name may not be longer than 255 bytes; the beginning is for people.
        let digest = Sha256::digest(account.as_bytes());
        name.truncate(NAME_MAX);
        let _ = write!(name, ".{}", hex::encode(digest));
    }
    name
}

/// What was asked, as one text.
fn prompt_text(exchange: &Exchange) -> String {
    let texts: Vec<&str> = exchange.prompt.iter().map(|(_, t)| t.as_str()).collect();
    texts.join("\n")
}

/// Whether a model is one whose outputs are control twins.
pub(crate) fn role(twins: &[String], model: Option<&ModelName>) -> Role {
    let twin = model.is_some_and(|m| twins.iter().any(|g| terms::matches(g, m.as_str())));
    if twin { Role::Control } else { Role::Output }
}

fn named(account: &Path, path: &Path) -> Option<SegmentFile> {
    let name = path.file_name()?.to_str()?.strip_suffix(".seg")?;
    let (month, range) = name.split_once('.')?;
    let (from, to) = range.split_once('-')?;
    Some(SegmentFile {
        of: (account.file_name()?.to_str()?.to_owned(), month.to_owned()),
        from: from.parse().ok()?,
        to: to.parse().ok()?,
        path: path.to_path_buf(),
    })
}

/// The files in their order, and of each whether a larger file of the same account and month speaks of
/// the same records. One that speaks of no record of the log holds what was imported: nothing else
/// covers that.
fn covered(mut files: Vec<SegmentFile>) -> Vec<(SegmentFile, bool)> {
    // Larger ones first: whatever covers a file stands before it, the one that reaches furthest too.
    let largest_first =
        |file: &SegmentFile| (file.of.clone(), file.from, std::cmp::Reverse(file.to));
    files.sort_by_cached_key(largest_first);
    let mut told = Vec::with_capacity(files.len());
    let mut furthest = None;
    for file in files {
        let same = |(other, _): &(SegmentFile, bool)| other.of == file.of;
        if !told.last().is_some_and(same) {
            furthest = None;
        }
        let covered = file.from < file.to && furthest.is_some_and(|to| file.to <= to);
        furthest = furthest.max(Some(file.to));
        told.push((file, covered));
    }
    told.sort();
    told
}

/// Segments that are being made, one for each account and month.
pub(crate) struct Making {
    key: AuditKey,
    by: BTreeMap<(AccountId, Month), SegmentBuilder>,
    workspace: Workspace,
    /// Outputs that were taken.
    pub(crate) taken: u64,
    /// Outputs under 40 words, refusals, and those that only repeat their prompt.
    pub(crate) skipped: BTreeMap<Skipped, u64>,
}

impl Making {
    pub(crate) fn new(key: &AuditKey) -> Self {
        Self {
            key: key.clone(),
            by: BTreeMap::new(),
            workspace: Workspace::default(),
            taken: 0,
            skipped: BTreeMap::new(),
        }
    }

    /// Outputs that are held.
    pub(crate) fn len(&self) -> usize {
        self.by.values().map(SegmentBuilder::len).sum()
    }

    /// Takes the answer of an exchange, if it has one.
    pub(crate) fn take(&mut self, exchange: &Exchange, role: Role) {
        let Some(text) = &exchange.response else {
            return;
        };
        let model = exchange.model.clone();
        let Some(model) = model.or_else(|| ModelName::parse(UNKNOWN_MODEL).ok()) else {
            return;
        };
        self.take_text(&OutputText {
            id: exchange.id.clone(),
            account: exchange.account.clone(),
            prompt: &prompt_text(exchange),
            text,
            at: exchange.at,
            model,
            role,
        });
    }

    /// Takes the answer of an exchange that has just passed: what [`Self::take`] would take of it
    /// once it were read from the log.
    pub(crate) fn take_passed(&mut self, passed: &Passed, twins: &[String]) {
        let Some(text) = answer_text(passed.endpoint, &passed.answer) else {
            return;
        };
        self.take_text(&OutputText {
            id: passed.exchange.clone(),
            account: passed.account.clone(),
            prompt: &wire::prompt_text(passed.endpoint, &passed.request),
            text: &text,
            at: passed.at,
            model: passed.model.clone(),
            role: role(twins, Some(&passed.model)),
        });
    }

    fn take_text(&mut self, output: &OutputText<'_>) {
        let month = Month::of(output.at);
        let account = &output.account;
        let builder = self
            .by
            .entry((account.clone(), month))
            .or_insert_with(|| SegmentBuilder::new(&self.key, account.clone(), month));
        let before = builder.len();
        match builder.add_in(output, &mut self.workspace) {
            Ok(()) => self.taken += (builder.len() - before) as u64,
            Err(why) => *self.skipped.entry(why).or_default() += 1,
        }
    }

    /// Takes an independent answer from a file. Whose it is is nobody's business, and logs of several
    /// models call their answers alike: it gets a name by what it says.
    pub(crate) fn take_twin(&mut self, exchange: &Exchange) {
        let mut hash = Sha256::new();
        hash.update(exchange.model.as_ref().map_or("", ModelName::as_str));
        hash.update([0]);
        hash.update(exchange.response.as_deref().unwrap_or_default());
        hash.update([0]);
        hash.update(exchange.id.as_str());
        let name = format!("twin-{}", hex::encode(hash.finalize()));
        let (Ok(id), Ok(account)) = (ExchangeId::parse(&name), AccountId::parse(TWINS)) else {
            return;
        };
        let twin = Exchange {
            id,
            account,
            ..exchange.clone()
        };
        self.take(&twin, Role::Control);
    }

    /// Adds what another one counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.taken += other.taken;
        for (why, count) in &other.skipped {
            *self.skipped.entry(*why).or_default() += count;
        }
    }

    /// The finished segments; it then holds none.
    pub(crate) fn build(&mut self) -> Vec<Segment> {
        let made = std::mem::take(&mut self.by).into_values();
        made.filter(|builder| !builder.is_empty())
            .map(SegmentBuilder::build)
            .collect()
    }
}

#[cfg(test)]
mod tests;
