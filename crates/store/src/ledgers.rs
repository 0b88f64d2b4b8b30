//! What the ledgers hold: tiles, states, the root log's entries and its checkpoints.
//!
//! Everything that one sealing changes is written in one transaction, and only
//! if the epoch still stands where the sealer read it.

mod reads;

use facts::Timestamp;

use crate::database::{Cell, Database, Row, Script, StoreError};
use crate::faults::{Mutant, early, has};

/// The ledger of records without an account.
pub const HOUSE: &str = "";
/// The root log among tiles: a space is no account id.
pub const ROOT: &str = " ";

/// An epoch of the root log, as far as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRow {
    /// Its number, from 1.
    pub epoch: u64,
    /// The root log's name in it.
    pub origin: String,
    /// When it began.
    pub began_at: Timestamp,
    /// Why it was begun.
    pub reason: String,
    /// The first journal record that its ledgers do not hold yet.
    pub sealed: u64,
    /// Entries of the root log.
    pub size: u64,
    /// Their root.
    pub root: [u8; 32],
    /// Roots of the complete subtrees, the largest first.
    pub edge: Vec<u8>,
}

/// Where a ledger stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The epoch.
    pub epoch: u64,
    /// The account, or [`HOUSE`].
    pub ledger: String,
    /// Its name.
    pub origin: String,
    /// Records in it.
    pub size: u64,
    /// Their root.
    pub root: [u8; 32],
    /// Roots of the complete subtrees, the largest first.
    pub edge: Vec<u8>,
    /// No record of its last, partial tile comes before this one.
    pub tail_seq: u64,
}

/// A tile of hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileRow {
    /// Its level.
    pub level: u8,
    /// Its place in the level.
    pub n: u64,
    /// No record under it comes before this one.
    pub first_seq: u64,
    /// The hashes, one after the other.
    pub hashes: Vec<u8>,
}

/// An entry of the root log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootEntryRow {
    /// Its place.
    pub n: u64,
    /// Whose checkpoint it is; none: that of the epoch before.
    pub ledger: Option<String>,
    /// The size that it states.
    pub size: u64,
    /// The records before this one were sealed with it.
    pub sealed: u64,
    /// The checkpoint's body.
    pub body: Vec<u8>,
}

/// A signed checkpoint of the root log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCheckpointRow {
    /// The epoch.
    pub epoch: u64,
    /// Entries under it.
    pub size: u64,
    /// Their root.
    pub root: [u8; 32],
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note, without cosignatures.
    pub note: String,
    /// Signature lines of witnesses.
    pub cosignatures: String,
}

/// A record as the sealer reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealableRow {
    /// Its sequence number.
    pub seq: u64,
    /// Whose ledger: the account, or [`HOUSE`].
    pub ledger: String,
    /// The leaf.
    pub leaf: Vec<u8>,
    /// The hash kept with it.
    pub leaf_hash: [u8; 32],
}

/// What one sealing changes.
#[derive(Debug, Clone)]
pub struct SealBatch {
    /// The epoch as it was read.
    pub before: EpochRow,
    /// The epoch as it will stand.
    pub after: EpochRow,
    /// Ledgers that changed, each once.
    pub ledgers: Vec<LedgerRow>,
    /// Tiles with their ledgers, each once.
    pub tiles: Vec<(String, TileRow)>,
    /// Entries of the root log.
    pub entries: Vec<RootEntryRow>,
    /// The checkpoint over all of it.
    pub checkpoint: RootCheckpointRow,
}

const EPOCH: &str = "SELECT epoch, origin, began_at, reason, sealed, size, root, edge FROM epochs";
/// How long a checkpoint that no witness signed is kept: a day. Older sizes stay provable, since
/// tiles and entries are all kept; only their signatures go.
const CHECKPOINTS_KEPT_MS: i64 = 86_400_000;

impl Database {
    /// Every epoch, the latest last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn epochs(&self) -> Result<Vec<EpochRow>, StoreError> {
        let rows = self
            .rows(&format!("{EPOCH} ORDER BY epoch"), Vec::new())
            .await?;
        rows.iter().map(epoch).collect()
    }

    /// The latest epoch, if one was begun.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_epoch(&self) -> Result<Option<EpochRow>, StoreError> {
        let sql = format!("{EPOCH} ORDER BY epoch DESC LIMIT 1");
        let rows = self.rows(&sql, Vec::new()).await?;
        rows.first().map(epoch).transpose()
    }

    /// Begins an epoch, with its first entry and the tree over it if it has one; false when
    /// somebody else began it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_epoch(
        &self,
        new: &EpochRow,
        first: Option<&RootEntryRow>,
    ) -> Result<bool, StoreError> {
        let mut guard = self.script();
        guard.list(
            "INSERT INTO epochs (epoch, origin, began_at, reason, sealed, size, root, edge) VALUES {} ON CONFLICT (epoch) DO NOTHING",
            vec![
                Cell::count(new.epoch),
                Cell::text(new.origin.as_str()),
                Cell::int(new.began_at.0),
                Cell::text(new.reason.as_str()),
                Cell::count(new.sealed),
                Cell::count(new.size),
                Cell::Bytes(new.root.to_vec()),
                Cell::Bytes(new.edge.clone()),
            ],
        );
        let mut script = self.script();
        entries(&mut script, new.epoch, first.into_iter().cloned().collect());
        self.in_transaction_if(guard, script).await
    }

    /// Keeps a sealing if the epoch still stands where it was read; says whether it did.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of it was kept, unless the commit's outcome is unknown.
    pub async fn seal(&self, batch: SealBatch) -> Result<bool, StoreError> {
        let (before, after) = (&batch.before, &batch.after);
        let epoch = before.epoch;
        if has(Mutant::CheckpointBeforeJournal) {
            early(after);
        }
        let mut guard = self.script();
        guard.one(
            "UPDATE epochs SET sealed = ?, size = ?, root = ?, edge = ? WHERE epoch = ? AND sealed = ? AND size = ? AND root = ? AND NOT EXISTS (SELECT 1 FROM epochs e WHERE e.epoch > epochs.epoch)",
            vec![
                Cell::count(after.sealed),
                Cell::count(after.size),
                Cell::Bytes(after.root.to_vec()),
                Cell::Bytes(after.edge.clone()),
                Cell::count(epoch),
                Cell::count(before.sealed),
                Cell::count(before.size),
                Cell::Bytes(before.root.to_vec()),
            ],
        );
        let mut script = self.script();
        states(&mut script, batch.ledgers);
        tiles(&mut script, epoch, batch.tiles);
        entries(&mut script, epoch, batch.entries);
        checkpoint(&mut script, &batch.checkpoint);
        let old = batch.checkpoint.at.0.saturating_sub(CHECKPOINTS_KEPT_MS);
        script.one(
            "DELETE FROM root_checkpoints WHERE epoch = ? AND at < ? AND cosignatures = ''",
            vec![Cell::count(epoch), Cell::int(old)],
        );
        self.in_transaction_if(guard, script).await
    }

    /// Keeps the cosignatures of a checkpoint.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_cosignatures(
        &self,
        epoch: u64,
        size: u64,
        lines: &str,
    ) -> Result<(), StoreError> {
        let mut script = self.script();
        script.one(
            "UPDATE root_checkpoints SET cosignatures = ? WHERE epoch = ? AND size = ?",
            vec![Cell::text(lines), Cell::count(epoch), Cell::count(size)],
        );
        self.in_transaction(script).await.map(drop)
    }
}

fn states(script: &mut Script, ledgers: Vec<LedgerRow>) {
    let rows = ledgers.into_iter().map(|ledger| {
        vec![
            Cell::count(ledger.epoch),
            Cell::text(ledger.ledger),
            Cell::text(ledger.origin),
            Cell::count(ledger.size),
            Cell::Bytes(ledger.root.to_vec()),
            Cell::Bytes(ledger.edge),
            Cell::count(ledger.tail_seq),
        ]
    });
    script.rows(
        "INSERT INTO ledgers (epoch, ledger, origin, size, root, edge, tail_seq) VALUES {} ON CONFLICT (epoch, ledger) DO UPDATE SET size = excluded.size, root = excluded.root, edge = excluded.edge, tail_seq = excluded.tail_seq",
        rows.collect(),
    );
}

fn tiles(script: &mut Script, epoch: u64, tiles: Vec<(String, TileRow)>) {
    let rows = tiles.into_iter().map(|(ledger, tile)| {
        vec![
            Cell::count(epoch),
            Cell::text(ledger),
            Cell::int(i64::from(tile.level)),
            Cell::count(tile.n),
            Cell::count(tile.first_seq),
            Cell::Bytes(tile.hashes),
        ]
    });
    script.rows(
        "INSERT INTO tiles (epoch, ledger, level, n, first_seq, hashes) VALUES {} ON CONFLICT (epoch, ledger, level, n) DO UPDATE SET hashes = excluded.hashes",
        rows.collect(),
    );
}

fn entries(script: &mut Script, epoch: u64, entries: Vec<RootEntryRow>) {
    let rows = entries.into_iter().map(|entry| {
        vec![
            Cell::count(epoch),
            Cell::count(entry.n),
            Cell::Text(entry.ledger),
            Cell::count(entry.size),
            Cell::count(entry.sealed),
            Cell::Bytes(entry.body),
        ]
    });
    script.rows(
        "INSERT INTO root_entries (epoch, n, ledger, size, sealed, body) VALUES {}",
        rows.collect(),
    );
}

fn checkpoint(script: &mut Script, checkpoint: &RootCheckpointRow) {
    let cells = vec![
        Cell::count(checkpoint.epoch),
        Cell::count(checkpoint.size),
        Cell::Bytes(checkpoint.root.to_vec()),
        Cell::int(checkpoint.at.0),
        Cell::text(checkpoint.note.as_str()),
        Cell::text(checkpoint.cosignatures.as_str()),
    ];
    script.list(
        "INSERT INTO root_checkpoints (epoch, size, root, at, note, cosignatures) VALUES {}",
        cells,
    );
}

fn epoch(row: &Row) -> Result<EpochRow, StoreError> {
    Ok(EpochRow {
        epoch: row.count(0)?,
        origin: row.text(1)?,
        began_at: Timestamp(row.int(2)?),
        reason: row.text(3)?,
        sealed: row.count(4)?,
        size: row.count(5)?,
        root: row.digest(6)?,
        edge: row.bytes(7)?,
    })
}
