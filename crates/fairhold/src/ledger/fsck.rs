//! Is what is kept what was signed? Every tree recomputed from the journal's
//! leaves, whatever tiles, states and hashes say.
//!
//! One pass: records in order, and beside them the root log's entries, each
//! compared where its round was sealed. So a record that was altered is named
//! by itself, and one that is missing by the first checkpoint that counted it.
//! In memory are the right edges of the ledgers, some hundred bytes each.

mod earlier;

use std::collections::{BTreeSet, HashMap, VecDeque};

use evidence::checkpoint::{Checkpoint, Verifier};
use evidence::ledger::{Edge, Finished, root_of};
use evidence::merkle::{Hash, leaf_hash};
use serde::{Deserialize, Serialize};
use store::{
    Database, EpochRow, HOUSE, ROOT, RootCheckpointRow, RootEntryRow, SealableRow, StoreError,
};
use verifier::tile::hashes;

use super::Ledger;
use super::mark::Mark;
use earlier::{Earlier, at_start, begins, said_of_end};

/// Rows read at once.
const PAGE: u64 = 5_000;
/// Findings that are kept word by word.
const NAMED: usize = 1_000;
/// Of them at most so many of missing bodies, which must not hide that a tree differs.
const MISSING_NAMED: u64 = 100;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Records read.
    pub(crate) records: u64,
    /// Of them under a checkpoint.
    pub(crate) sealed: u64,
    /// Ledgers whose trees were recomputed.
    pub(crate) ledgers: usize,
    /// Entries of the root log, of all epochs.
    pub(crate) entries: u64,
    /// Tiles compared.
    pub(crate) tiles: u64,
    /// Checkpoints whose root and signature were checked.
    pub(crate) checkpoints: u64,
    /// Sealed bodies that are there.
    pub(crate) bodies: u64,
    /// Bodies that are not, because they were erased or expired.
    pub(crate) let_go: u64,
    /// Bodies that are not, and nothing says why.
    pub(crate) missing: u64,
    /// What is as it should be and is worth knowing.
    pub(crate) notes: Vec<String>,
    /// How many things differ.
    pub(crate) faults: usize,
    /// The first of them.
    pub(crate) findings: Vec<String>,
}

impl Report {
    fn fault(&mut self, what: String) {
        self.faults += 1;
        if self.findings.len() < NAMED {
            self.findings.push(what);
        }
    }
}

/// What of a leaf is looked at.
#[derive(Deserialize)]
struct Leaf {
    seq: u64,
    at: i64,
    #[serde(default)]
    account: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    answer: Option<String>,
    #[serde(default)]
    before: Option<i64>,
}

/// What was let go on purpose.
#[derive(Default)]
struct LetGo {
    /// Bodies of records before this moment, in milliseconds.
    before: i64,
    /// Of an account, or a subject of it: bodies of records before this one.
    accounts: HashMap<String, u64>,
}

/// A ledger as it is recomputed.
#[derive(Default)]
struct Tree {
    edge: Edge,
    /// A fault of it was named: what follows from it is not told again.
    told: bool,
}

/// What a database is checked against.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Against<'a> {
    /// The log's key under its own name; without it no signature is checked.
    pub(crate) log: Option<&'a Verifier>,
    /// The high-water mark.
    pub(crate) mark: Option<&'a Mark>,
    /// Whether the bodies must be there that the records commit to.
    pub(crate) bodies: bool,
}

/// Checks a database.
///
/// # Errors
/// [`StoreError`] when it cannot be read at all.
pub(crate) async fn check(
    database: &Database,
    against: Against<'_>,
    progress: impl Fn(u64),
) -> Result<Report, StoreError> {
    let mark = against.mark;
    let mut report = Report::default();
    let epochs = database.epochs().await?;
    let Some((last, earlier)) = epochs.split_last() else {
        if let Some(mark) = mark.filter(|m| m.checkpoint.size > 0) {
            let size = mark.checkpoint.size;
            report.fault(format!(
                "`log.mark` says that {size} entries were signed, and the database has no epoch"
            ));
        }
        let mut check = Check::of(database, against, None, &mut report).await?;
        check.journal(u64::MAX, progress).await?;
        return Ok(report);
    };
    for (epoch, next) in epochs.iter().zip(epochs.iter().skip(1)) {
        let said = said_of_end(database, next).await?;
        let mut check = Check::of(database, against, Some(epoch), &mut report).await?;
        check.marked(mark);
        check.at_end = at_start(said.as_ref());
        check.said = said.clone();
        check.entries(u64::MAX).await?;
        check.end(mark);
        let at = check.at_end;
        begins(&mut report, (epoch, next), said.as_ref(), at);
    }
    let mut check = Check::of(database, against, Some(last), &mut report).await?;
    check.earlier = Earlier::of(earlier);
    check.marked(mark);
    check.journal(last.sealed, progress).await?;
    check.entries(u64::MAX).await?;
    check.earlier(u64::MAX).await?;
    check.states().await?;
    check.end(mark);
    Ok(report)
}

struct Check<'a> {
    database: &'a Database,
    epoch: Option<&'a EpochRow>,
    key: Option<Verifier>,
    bodies: bool,
    report: &'a mut Report,
    let_go: LetGo,
    ledgers: HashMap<String, Tree>,
    /// Whether ledgers are recomputed: those of earlier epochs are those of the last.
    whole: bool,
    root: Tree,
    entries: VecDeque<RootEntryRow>,
    checkpoints: VecDeque<RootCheckpointRow>,
    checkpoints_read: u64,
    /// The root that the mark states, once its size is reached.
    at_mark: Option<(u64, Option<Hash>)>,
    /// What the next epoch says that this one ended with, and the root at that size.
    said: Option<Checkpoint>,
    at_end: Option<Hash>,
    /// The epochs before the last one, while that is checked.
    earlier: Vec<Earlier<'a>>,
    /// Ledgers as they grow past what the last epoch sealed.
    beyond: HashMap<String, Edge>,
}

impl<'a> Check<'a> {
    async fn of(
        database: &'a Database,
        against: Against<'_>,
        epoch: Option<&'a EpochRow>,
        report: &'a mut Report,
    ) -> Result<Self, StoreError> {
        let key = match (against.log, epoch) {
            (Some(log), Some(epoch)) => log.under(&epoch.origin).ok(),
            _ => None,
        };
        Ok(Self {
            database,
            epoch,
            key,
            bodies: against.bodies,
            report,
            let_go: let_go(database).await?,
            ledgers: HashMap::new(),
            whole: false,
            root: Tree::default(),
            entries: VecDeque::new(),
            checkpoints: VecDeque::new(),
            checkpoints_read: 0,
            at_mark: None,
            said: None,
            at_end: None,
            earlier: Vec::new(),
            beyond: HashMap::new(),
        })
    }

    fn marked(&mut self, mark: Option<&Mark>) {
        let epoch = self.epoch.map(|e| e.epoch);
        self.at_mark = mark
            .filter(|m| Some(m.epoch) == epoch)
            .map(|m| (m.checkpoint.size, None));
        self.note_mark();
    }

    fn note_mark(&mut self) {
        if let Some((size, root)) = &mut self.at_mark
            && *size == self.root.edge.size()
        {
            *root = Some(self.root.edge.root());
        }
        if let Some(said) = &self.said
            && said.size == self.root.edge.size()
        {
            self.at_end = Some(self.root.edge.root());
        }
    }

    /// All records in order; the first `sealed` of them into their ledgers.
    async fn journal(&mut self, sealed: u64, progress: impl Fn(u64)) -> Result<(), StoreError> {
        self.whole = self.epoch.is_some();
        let most = u32::try_from(PAGE).unwrap_or(u32::MAX);
        let mut next = 0;
        loop {
            let page = self.database.sealable(next, most).await?;
            let Some(last) = page.last() else { break };
            let range = next..last.seq + 1;
            let bodies: BTreeSet<(u64, String)> =
                self.database.bodies_in(range).await?.into_iter().collect();
            self.report.bodies += bodies.len() as u64;
            for row in &page {
                if row.seq != next {
                    let to = row.seq - 1;
                    self.report
                        .fault(format!("records {next} to {to}: missing from the journal"));
                }
                self.entries(row.seq).await?;
                self.earlier(row.seq).await?;
                self.record(row, row.seq < sealed && self.whole, &bodies)
                    .await?;
                next = row.seq + 1;
            }
            self.report.records += page.len() as u64;
            progress(next);
        }
        if next < sealed && self.whole {
            self.report.fault(format!(
                "records {next} to {}: sealed, and missing at the journal's end",
                sealed - 1
            ));
        }
        self.report.sealed = self.epoch.map_or(0, |e| e.sealed);
        Ok(())
    }

    async fn record(
        &mut self,
        row: &SealableRow,
        sealed: bool,
        bodies: &BTreeSet<(u64, String)>,
    ) -> Result<(), StoreError> {
        let seq = row.seq;
        let hash = leaf_hash(&row.leaf);
        let mut told = false;
        let mut fault = |report: &mut Report, what: String| {
            report.fault(format!("record {seq}: {what}"));
            told = true;
        };
        if hash != row.leaf_hash {
            let what = "its leaf is not what was hashed: it was altered";
            fault(self.report, what.to_owned());
        }
        match serde_json::from_slice::<Leaf>(&row.leaf) {
            Err(e) => fault(self.report, format!("its leaf cannot be read: {e}")),
            Ok(leaf) => {
                if leaf.seq != seq {
                    let what = format!("it holds the leaf of record {}", leaf.seq);
                    fault(self.report, what);
                }
                if leaf.account.as_deref().unwrap_or(HOUSE) != row.ledger {
                    let what = format!("its leaf is not of the account `{}`", row.ledger);
                    fault(self.report, what);
                }
                self.body(&leaf, seq, bodies);
            }
        }
        if !sealed {
            self.unsealed(row, hash);
            return Ok(());
        }
        let tree = self.ledgers.entry(row.ledger.clone()).or_default();
        tree.told |= told;
        let mut finished = Vec::new();
        tree.edge.push(hash, |f| finished.push(f));
        if !tree.told {
            for f in finished {
                self.tile(&row.ledger, f).await?;
            }
        }
        Ok(())
    }

    /// The body that a record commits to is there, unless it was let go.
    fn body(&mut self, leaf: &Leaf, seq: u64, bodies: &BTreeSet<(u64, String)>) {
        let what = match leaf.kind.as_str() {
            "intent" => "request",
            "completion" if leaf.answer.is_some() => "answer",
            _ => return,
        };
        if !self.bodies || bodies.contains(&(seq, what.to_owned())) {
            return;
        }
        let account = leaf.account.as_deref().unwrap_or(HOUSE);
        let erased = self
            .let_go
            .accounts
            .get(account)
            .is_some_and(|at| *at > seq);
        if erased || leaf.at < self.let_go.before {
            self.report.let_go += 1;
        } else {
            self.report.missing += 1;
            if self.report.missing > MISSING_NAMED {
                self.report.faults += 1;
                return;
            }
            self.report.fault(format!(
                "record {seq}: its sealed {what} is missing, and no record says that it was erased or expired"
            ));
        }
    }

    /// The tiles that hold a subtree that was just completed.
    async fn tile(&mut self, ledger: &str, f: Finished) -> Result<(), StoreError> {
        let Some(epoch) = self.epoch else {
            return Ok(());
        };
        let mut wrong = None;
        if f.level == 1 {
            let path = format!("tile/0/{}", f.index);
            let kept = self.database.tile(epoch.epoch, ledger, 0, f.index).await?;
            match kept {
                None => wrong = Some(format!("`{path}` is missing")),
                Some(kept) if hashes(&kept.hashes, 256).map(|h| root_of(&h)) != Some(f.hash) => {
                    let place = self.first_difference(ledger, &kept).await?;
                    wrong = Some(format!("`{path}` differs from the journal{place}"));
                }
                Some(_) => {}
            }
            self.report.tiles += 1;
        }
        let (n, place) = (f.index / 256, usize::try_from(f.index % 256).unwrap_or(0));
        let above = self.database.tile(epoch.epoch, ledger, f.level, n).await?;
        let there = above.as_ref().and_then(|tile| {
            let hashes = tile.hashes.as_chunks::<32>().0;
            hashes.get(place).copied()
        });
        if there != Some(f.hash) {
            let level = f.level;
            wrong = wrong.or(Some(format!(
                "hash {place} of `tile/{level}/{n}` differs from the journal"
            )));
        }
        if let Some(what) = wrong {
            self.tell(ledger, &what);
        }
        Ok(())
    }

    /// Which record of a tile's is not the one that it holds.
    async fn first_difference(
        &self,
        ledger: &str,
        tile: &store::TileRow,
    ) -> Result<String, StoreError> {
        if ledger == ROOT {
            return Ok(String::new());
        }
        let rows = self.database.ledger_records(ledger, tile.first_seq, 256);
        let rows = rows.await?;
        let kept = tile.hashes.as_chunks::<32>().0;
        let odd = rows
            .iter()
            .zip(kept)
            .find(|(row, hash)| leaf_hash(&row.leaf) != **hash);
        Ok(odd.map_or_else(String::new, |(row, _)| format!(" at record {}", row.seq)))
    }

    fn tell(&mut self, ledger: &str, what: &str) {
        let tree = if ledger == ROOT {
            &mut self.root
        } else {
            self.ledgers.entry(ledger.to_owned()).or_default()
        };
        if !tree.told {
            tree.told = true;
            let name = super::round::told(ledger);
            self.report.fault(format!("{name}: {what}"));
        }
    }

    /// The entries of the root log that were sealed before record `seq`.
    async fn entries(&mut self, seq: u64) -> Result<(), StoreError> {
        let Some(epoch) = self.epoch else {
            return Ok(());
        };
        loop {
            if self.entries.is_empty() && self.root.edge.size() < epoch.size {
                let from = self.root.edge.size();
                let range = from..(from + PAGE).min(epoch.size);
                let read = self.database.root_entries(epoch.epoch, range).await?;
                let dense = (from..).zip(&read).all(|(n, e)| n == e.n);
                if read.is_empty() || !dense {
                    self.tell(ROOT, &format!("an entry from {from} on is missing"));
                    return Ok(());
                }
                self.entries = read.into();
            }
            match self.entries.front() {
                Some(entry) if entry.sealed <= seq => {}
                _ => return Ok(()),
            }
            if let Some(entry) = self.entries.pop_front() {
                self.entry(epoch, &entry).await?;
            }
        }
    }

    async fn entry(&mut self, epoch: &EpochRow, entry: &RootEntryRow) -> Result<(), StoreError> {
        self.report.entries += 1;
        if self.whole
            && let Some(name) = &entry.ledger
        {
            let tree = self.ledgers.entry(name.clone()).or_default();
            let expected = Checkpoint {
                origin: Ledger::origin_of(&epoch.origin, name),
                size: tree.edge.size(),
                root: tree.edge.root(),
            };
            if !tree.told && expected.body().as_bytes() != entry.body {
                let said = std::str::from_utf8(&entry.body).unwrap_or_default();
                let what = match Checkpoint::parse(said) {
                    Ok(said) if said.size != expected.size => format!(
                        "its checkpoint in entry {} counts {} records and the journal holds {} before record {}: some were dropped or added",
                        entry.n, said.size, expected.size, entry.sealed
                    ),
                    _ => format!(
                        "its records before {} are not those of its checkpoint in entry {}",
                        entry.sealed, entry.n
                    ),
                };
                self.tell(name, &what);
            }
        }
        let mut finished = Vec::new();
        let hash = leaf_hash(&entry.body);
        self.root.edge.push(hash, |f| finished.push(f));
        self.note_mark();
        for f in finished {
            if !self.root.told {
                self.tile(ROOT, f).await?;
            }
        }
        self.checkpoint(epoch).await
    }

    /// The checkpoint of the size that was just reached, if one is kept.
    async fn checkpoint(&mut self, epoch: &EpochRow) -> Result<(), StoreError> {
        let size = self.root.edge.size();
        while self.checkpoints.front().is_none_or(|c| c.size < size) {
            if self.checkpoints.pop_front().is_some() {
                continue;
            }
            if self.checkpoints_read == u64::MAX {
                return Ok(()); // all were read
            }
            let most = u32::try_from(PAGE).unwrap_or(u32::MAX);
            let above = self.checkpoints_read.max(size - 1);
            let read = self
                .database
                .root_checkpoints(epoch.epoch, above, most)
                .await?;
            let Some(last) = read.last() else {
                self.checkpoints_read = u64::MAX;
                return Ok(());
            };
            self.checkpoints_read = last.size;
            self.checkpoints = read.into();
        }
        if self.checkpoints.front().is_none_or(|c| c.size != size) {
            return Ok(());
        }
        let Some(kept) = self.checkpoints.pop_front() else {
            return Ok(());
        };
        self.report.checkpoints += 1;
        if kept.root != self.root.edge.root() {
            let what = format!("its checkpoint of {size} entries has another root");
            self.tell(ROOT, &what);
        }
        if let Some(key) = &self.key {
            let signed = key.open(&kept.note);
            let expected = Checkpoint {
                origin: epoch.origin.clone(),
                size,
                root: kept.root,
            };
            if signed.as_ref() != Ok(&expected) {
                let why = signed.map_or_else(|e| e.to_string(), |_| "it signs another tree".into());
                self.report
                    .fault(format!("the checkpoint of {size} entries: {why}"));
            }
        }
        Ok(())
    }

    /// The states that sealing goes on from; only while nobody seals.
    async fn states(&mut self) -> Result<(), StoreError> {
        let Some(epoch) = self.epoch else {
            return Ok(());
        };
        let mut after: Option<String> = None;
        loop {
            let page = self.database.ledgers(epoch.epoch, after.as_deref(), 1_000);
            let page = page.await?;
            let Some(last) = page.last() else { break };
            after = Some(last.ledger.clone());
            for row in page {
                let tree = self.ledgers.entry(row.ledger.clone()).or_default();
                // A larger one was sealed since the check began.
                let known = row.size <= tree.edge.size();
                let same = (row.size, row.root, &row.edge)
                    == (tree.edge.size(), tree.edge.root(), &tree.edge.to_bytes());
                let moved = self.database.latest_epoch().await?.as_ref() != Some(epoch);
                if !same && (known || !moved) {
                    self.tell(&row.ledger, "where it stands is not what its records give");
                }
            }
        }
        self.report.ledgers = self.ledgers.len();
        Ok(())
    }

    fn end(&mut self, mark: Option<&Mark>) {
        let Some(epoch) = self.epoch else {
            return;
        };
        let (size, root) = (self.root.edge.size(), self.root.edge.root());
        if (size, root) != (epoch.size, epoch.root) {
            let what = format!(
                "its {size} entries are not the tree of {} that it stands at",
                epoch.size
            );
            self.tell(ROOT, &what);
        }
        if let Some(mark) = mark.filter(|m| m.epoch == epoch.epoch)
            && self.at_mark.and_then(|(_, root)| root) != Some(mark.checkpoint.root)
        {
            let signed = mark.checkpoint.size;
            self.report.fault(format!(
                "the root log is not the one of {signed} entries that `log.mark` says was signed: the database was restored from an old copy or altered"
            ));
        }
    }
}

/// What the journal says was let go.
async fn let_go(database: &Database) -> Result<LetGo, StoreError> {
    let mut found = LetGo::default();
    for (seq, leaf) in database.leaves_of(&["erased", "expired"]).await? {
        let Ok(leaf) = serde_json::from_slice::<Leaf>(&leaf) else {
            continue; // told when the record itself is read
        };
        if let Some(before) = leaf.before {
            found.before = found.before.max(before);
        } else if let Some(account) = leaf.account {
            // Of one subject: which of the account's bodies were its own, only its key could tell.
            found.accounts.insert(account, seq);
        }
    }
    Ok(found)
}
