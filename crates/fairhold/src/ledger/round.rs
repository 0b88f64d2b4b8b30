//! One page of the journal, appended to its ledgers and sealed.

use std::collections::{BTreeMap, HashMap};

use evidence::checkpoint::Checkpoint;
use evidence::ledger::{Edge, Finished, root_of};
use evidence::merkle::{Hash, leaf_hash};
use store::{
    EpochRow, LedgerRow, ROOT, RootCheckpointRow, RootEntryRow, SealBatch, SealableRow, TileRow,
};

use super::refusal::{LedgerError, Refusal};
use super::{Ledger, Timestamp};

/// Records sealed at once. The journal writes to the same database and waits for the transaction:
/// some ten milliseconds when every record is of another account.
const PAGE: u32 = 2_000;
/// Hashes of a full tile.
const WIDTH: usize = 256;

/// Seals the next page; the epoch as it stands then.
pub(super) async fn seal_page(ledger: &Ledger, before: EpochRow) -> Result<EpochRow, LedgerError> {
    let rows = ledger.database.sealable(before.sealed, PAGE).await?;
    let sealed = checked(&rows, before.sealed)?;
    let mut growing = grown(ledger, &before, &rows).await?;
    let mut after = EpochRow {
        sealed,
        ..before.clone()
    };
    let entries = entries(&mut growing, &after);
    let mut root = Growing::root(&before)?;
    let hashes = entries.iter().map(|e| (e.sealed, leaf_hash(&e.body)));
    root.grow(ledger, hashes.collect()).await?;
    after.size = root.edge.size();
    after.root = root.edge.root();
    after.edge = root.edge.to_bytes();
    let at = Ledger::now();
    let checkpoint = checkpoint(ledger, &after, at)?;
    growing.push(root);
    let mut batch = SealBatch {
        before,
        after: after.clone(),
        ledgers: Vec::new(),
        tiles: Vec::new(),
        entries,
        checkpoint,
    };
    for one in growing {
        let tiles = one.tiles.into_values();
        batch
            .tiles
            .extend(tiles.map(|tile| (one.name.clone(), tile)));
        if one.name != ROOT {
            batch.ledgers.push(LedgerRow {
                epoch: batch.before.epoch,
                ledger: one.name,
                origin: one.origin,
                size: one.edge.size(),
                root: one.edge.root(),
                edge: one.edge.to_bytes(),
                tail_seq: one.tail_seq,
            });
        }
    }
    let (left, found) = (batch.before.size, after.size);
    if ledger.database.seal(batch).await? {
        Ok(after)
    } else {
        Err(Refusal::Moved { left, found }.into())
    }
}

fn checkpoint(
    ledger: &Ledger,
    after: &EpochRow,
    at: Timestamp,
) -> Result<RootCheckpointRow, LedgerError> {
    Ok(RootCheckpointRow {
        epoch: after.epoch,
        size: after.size,
        root: after.root,
        at,
        note: ledger
            .signer(&after.origin)?
            .checkpoint(after.size, &after.root),
        cosignatures: String::new(),
    })
}

/// The first record after these, if they follow one another and each leaf is what was hashed.
fn checked(rows: &[SealableRow], from: u64) -> Result<u64, LedgerError> {
    let mut next = from;
    for row in rows {
        if row.seq != next || leaf_hash(&row.leaf) != row.leaf_hash {
            return Err(Refusal::Record { seq: next }.into());
        }
        next += 1;
    }
    if next == from {
        return Err(Refusal::Record { seq: next }.into());
    }
    Ok(next)
}

/// The ledgers of these records, grown by them.
async fn grown(
    ledger: &Ledger,
    epoch: &EpochRow,
    rows: &[SealableRow],
) -> Result<Vec<Growing>, LedgerError> {
    let mut news: BTreeMap<&str, Vec<(u64, Hash)>> = BTreeMap::new();
    for row in rows {
        let of = news.entry(row.ledger.as_str()).or_default();
        of.push((row.seq, row.leaf_hash));
    }
    let names: Vec<&str> = news.keys().copied().collect();
    let mut states = ledger.database.ledger_states(epoch.epoch, &names).await?;
    let mut all = Vec::with_capacity(news.len());
    for (name, hashes) in news {
        let mut one = Growing::of(epoch, name, &mut states)?;
        one.grow(ledger, hashes).await?;
        all.push(one);
    }
    Ok(all)
}

/// The checkpoints of these ledgers, as entries of the root log.
fn entries(growing: &mut [Growing], epoch: &EpochRow) -> Vec<RootEntryRow> {
    let numbered = (epoch.size..).zip(growing);
    let entry = |(n, one): (u64, &mut Growing)| RootEntryRow {
        n,
        ledger: Some(one.name.clone()),
        size: one.edge.size(),
        sealed: epoch.sealed,
        body: Checkpoint {
            origin: one.origin.clone(),
            size: one.edge.size(),
            root: one.edge.root(),
        }
        .body()
        .into_bytes(),
    };
    numbered.map(entry).collect()
}

/// A ledger, or the root log, while it grows.
struct Growing {
    name: String,
    origin: String,
    epoch: u64,
    edge: Edge,
    tail_seq: u64,
    tiles: BTreeMap<(u8, u64), TileRow>,
}

impl Growing {
    fn of(
        epoch: &EpochRow,
        name: &str,
        states: &mut HashMap<String, LedgerRow>,
    ) -> Result<Self, LedgerError> {
        let (origin, edge, tail_seq) = match states.remove(name) {
            None => {
                let origin = Ledger::origin_of(&epoch.origin, name);
                (origin, Edge::default(), 0)
            }
            Some(row) => {
                let edge = edge(name, row.size, &row.edge, row.root)?;
                (row.origin, edge, row.tail_seq)
            }
        };
        Ok(Self {
            name: name.to_owned(),
            origin,
            epoch: epoch.epoch,
            edge,
            tail_seq,
            tiles: BTreeMap::new(),
        })
    }

    fn root(epoch: &EpochRow) -> Result<Self, LedgerError> {
        Ok(Self {
            name: ROOT.to_owned(),
            origin: epoch.origin.clone(),
            epoch: epoch.epoch,
            edge: edge(ROOT, epoch.size, &epoch.edge, epoch.root)?,
            tail_seq: 0,
            tiles: BTreeMap::new(),
        })
    }

    /// Appends hashes, each with the sequence number of its record, and makes the tiles that are full then.
    async fn grow(&mut self, ledger: &Ledger, news: Vec<(u64, Hash)>) -> Result<(), LedgerError> {
        let in_tail = usize::try_from(self.edge.size() % WIDTH as u64).unwrap_or(0);
        let mut tail = Vec::with_capacity(WIDTH);
        if in_tail + news.len() >= WIDTH {
            tail = self.tail(ledger, in_tail).await?;
        }
        let mut finished = Vec::new();
        for (seq, hash) in news {
            tail.push(hash);
            self.edge.push(hash, |f| finished.push(f));
            for f in std::mem::take(&mut finished) {
                if f.level == 1 {
                    self.leaves(f, &std::mem::take(&mut tail), seq)?;
                }
                self.above(ledger, f).await?;
            }
        }
        Ok(())
    }

    /// The hashes of the partial tile that is about to be full.
    async fn tail(&self, ledger: &Ledger, count: usize) -> Result<Vec<Hash>, LedgerError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let count = count as u64;
        if self.name == ROOT {
            let range = self.edge.size() - count..self.edge.size();
            let entries = ledger.database.root_entries(self.epoch, range).await?;
            return Ok(entries.iter().map(|e| leaf_hash(&e.body)).collect());
        }
        let most = u32::try_from(count).unwrap_or(u32::MAX);
        let hashes = ledger
            .database
            .ledger_hashes(&self.name, self.tail_seq, most);
        Ok(hashes.await?)
    }

    /// A tile of leaves is full; the record `last` is its last.
    fn leaves(&mut self, f: Finished, hashes: &[Hash], last: u64) -> Result<(), LedgerError> {
        if hashes.len() != WIDTH || root_of(hashes) != f.hash {
            return Err(self.contradiction());
        }
        let tile = TileRow {
            level: 0,
            n: f.index,
            first_seq: self.tail_seq,
            hashes: hashes.concat(),
        };
        self.tail_seq = last + 1;
        self.tiles.insert((0, f.index), tile);
        Ok(())
    }

    /// A tile above the leaves gets one more hash.
    async fn above(&mut self, ledger: &Ledger, f: Finished) -> Result<(), LedgerError> {
        let (n, place) = (f.index / WIDTH as u64, f.index % WIDTH as u64);
        let key = (f.level, n);
        if place > 0 && !self.tiles.contains_key(&key) {
            let kept = ledger.database.tile(self.epoch, &self.name, f.level, n);
            let kept = kept.await?.ok_or_else(|| self.contradiction())?;
            self.tiles.insert(key, kept);
        }
        let tail_seq = self.tail_seq;
        let tile = self.tiles.entry(key).or_insert_with(|| TileRow {
            level: f.level,
            n,
            first_seq: tail_seq,
            hashes: Vec::new(),
        });
        if tile.hashes.len() as u64 != place * 32 {
            return Err(self.contradiction());
        }
        tile.hashes.extend_from_slice(&f.hash);
        Ok(())
    }

    fn contradiction(&self) -> LedgerError {
        Refusal::Edge {
            ledger: told(&self.name),
            size: self.edge.size(),
        }
        .into()
    }
}

fn edge(name: &str, size: u64, bytes: &[u8], root: Hash) -> Result<Edge, LedgerError> {
    match Edge::from_bytes(size, bytes) {
        Ok(edge) if edge.root() == root => Ok(edge),
        _ => Err(Refusal::Edge {
            ledger: told(name),
            size,
        }
        .into()),
    }
}

/// A ledger, for people.
pub(super) fn told(name: &str) -> String {
    match name {
        ROOT => "the root log".to_owned(),
        store::HOUSE => "the house".to_owned(),
        account => format!("account `{account}`"),
    }
}
