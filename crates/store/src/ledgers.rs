//! What the ledgers hold: tiles, states, the root log's entries and its checkpoints.
//!
//! Everything that one sealing changes is written in one transaction, and only
//! if the epoch still stands where the sealer read it.

use std::collections::HashMap;
use std::ops::Range;

use facts::{AccountId, Timestamp};

use crate::database::{Cell, Database, Row, Script, StoreError};
use crate::directory::id;

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
const LEDGER: &str = "SELECT epoch, ledger, origin, size, root, edge, tail_seq FROM ledgers";
const CHECKPOINT: &str = "SELECT epoch, size, root, at, note, cosignatures FROM root_checkpoints";
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
        let mut session = self.session().await?;
        session.begin().await?;
        let mut script = session.script();
        script.list(
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
        let done = match session.run(script).await {
            Ok(1) => {
                let mut script = session.script();
                entries(&mut script, new.epoch, first.into_iter().cloned().collect());
                match session.run(script).await {
                    Ok(_) => session.commit().await.map(|()| true),
                    Err(error) => Err(error),
                }
            }
            Ok(_) => {
                session.rollback().await;
                return Ok(false);
            }
            Err(error) => Err(error),
        };
        if done.is_err() {
            session.rollback().await;
        }
        Ok(done?)
    }

    /// Keeps a sealing if the epoch still stands where it was read; says whether it did.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of it was kept, unless the commit's outcome is unknown.
    pub async fn seal(&self, batch: SealBatch) -> Result<bool, StoreError> {
        let mut session = self.session().await?;
        let mut script = session.script();
        let (before, after) = (&batch.before, &batch.after);
        let swap = vec![
            Cell::count(after.sealed),
            Cell::count(after.size),
            Cell::Bytes(after.root.to_vec()),
            Cell::Bytes(after.edge.clone()),
            Cell::count(before.epoch),
            Cell::count(before.sealed),
            Cell::count(before.size),
            Cell::Bytes(before.root.to_vec()),
        ];
        let epoch = before.epoch;
        states(&mut script, batch.ledgers);
        tiles(&mut script, epoch, batch.tiles);
        entries(&mut script, epoch, batch.entries);
        checkpoint(&mut script, &batch.checkpoint);
        let old = batch.checkpoint.at.0.saturating_sub(CHECKPOINTS_KEPT_MS);
        let sql = "UPDATE epochs SET sealed = $1, size = $2, root = $3, edge = $4 WHERE epoch = $5 AND sealed = $6 AND size = $7 AND root = $8 AND NOT EXISTS (SELECT 1 FROM epochs e WHERE e.epoch > epochs.epoch)";
        session.begin().await?;
        let done = match session.execute(sql, swap).await {
            Ok(1) => match session.run(script).await {
                Ok(_) => {
                    let prune = "DELETE FROM root_checkpoints WHERE epoch = $1 AND at < $2 AND cosignatures = ''";
                    let cells = vec![Cell::count(epoch), Cell::int(old)];
                    match session.execute(prune, cells).await {
                        Ok(_) => session.commit().await.map(|()| true),
                        Err(error) => Err(error),
                    }
                }
                Err(error) => Err(error),
            },
            Ok(_) => {
                session.rollback().await;
                return Ok(false);
            }
            Err(error) => Err(error),
        };
        if done.is_err() {
            session.rollback().await;
        }
        Ok(done?)
    }

    /// The next records to seal, in order, at most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sealable(&self, from: u64, most: u32) -> Result<Vec<SealableRow>, StoreError> {
        let sql = format!(
            "SELECT seq, account, leaf, leaf_hash FROM journal WHERE seq >= $1 ORDER BY seq LIMIT {most}"
        );
        let rows = self.rows(&sql, vec![Cell::count(from)]).await?;
        let row = |row: &Row| {
            Ok(SealableRow {
                seq: row.count(0)?,
                ledger: row.text_or_none(1)?.unwrap_or_default(),
                leaf: row.bytes(2)?,
                leaf_hash: row.digest(3)?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Where some ledgers stand; those without a record are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger_states(
        &self,
        epoch: u64,
        ledgers: &[&str],
    ) -> Result<HashMap<String, LedgerRow>, StoreError> {
        const BATCH: usize = 500;
        let mut all = HashMap::with_capacity(ledgers.len());
        for chunk in ledgers.chunks(BATCH) {
            let places: Vec<String> = (2..chunk.len() + 2).map(|n| format!("${n}")).collect();
            let sql = format!(
                "{LEDGER} WHERE epoch = $1 AND ledger IN ({})",
                places.join(",")
            );
            let mut cells = vec![Cell::count(epoch)];
            cells.extend(chunk.iter().map(|ledger| Cell::text(*ledger)));
            for row in self.rows(&sql, cells).await? {
                let row = ledger(&row)?;
                all.insert(row.ledger.clone(), row);
            }
        }
        Ok(all)
    }

    /// Ledgers of an epoch by name, after `after`, at most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledgers(
        &self,
        epoch: u64,
        after: Option<&str>,
        most: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        // The first of all is '', so "after none" needs a condition of its own.
        let (whose, mut cells) = match after {
            None => ("", vec![]),
            Some(after) => (" AND ledger > $2", vec![Cell::text(after)]),
        };
        cells.insert(0, Cell::count(epoch));
        let sql = format!("{LEDGER} WHERE epoch = $1{whose} ORDER BY ledger LIMIT {most}");
        self.rows(&sql, cells).await?.iter().map(ledger).collect()
    }

    /// One tile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tile(
        &self,
        epoch: u64,
        ledger: &str,
        level: u8,
        n: u64,
    ) -> Result<Option<TileRow>, StoreError> {
        let sql = "SELECT level, n, first_seq, hashes FROM tiles WHERE epoch = $1 AND ledger = $2 AND level = $3 AND n = $4";
        let cells = vec![
            Cell::count(epoch),
            Cell::text(ledger),
            Cell::int(i64::from(level)),
            Cell::count(n),
        ];
        let rows = self.rows(sql, cells).await?;
        rows.first().map(tile).transpose()
    }

    /// The full level-0 tile in which a record lies, if it lies in one: the last that begins at
    /// it or before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tile_before(
        &self,
        epoch: u64,
        ledger: &str,
        seq: u64,
    ) -> Result<Option<TileRow>, StoreError> {
        let sql = "SELECT level, n, first_seq, hashes FROM tiles WHERE epoch = $1 AND ledger = $2 AND first_seq <= $3 AND level = 0 ORDER BY first_seq DESC LIMIT 1";
        let cells = vec![Cell::count(epoch), Cell::text(ledger), Cell::count(seq)];
        let rows = self.rows(sql, cells).await?;
        rows.first().map(tile).transpose()
    }

    /// How many records of a ledger the range of the journal holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records_between(
        &self,
        ledger: &str,
        range: Range<u64>,
    ) -> Result<u64, StoreError> {
        let mut cells = vec![Cell::count(range.start), Cell::count(range.end)];
        let whose = whose(ledger, &mut cells);
        let sql =
            format!("SELECT COUNT(*) FROM journal WHERE seq >= $1 AND seq < $2 AND account{whose}");
        let rows = self.rows(&sql, cells).await?;
        rows.first().map_or(Ok(0), |row| row.count(0))
    }

    /// Records of a ledger from a place in the journal on, at most `most`: leaves with hashes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger_records(
        &self,
        ledger: &str,
        from: u64,
        most: u32,
    ) -> Result<Vec<SealableRow>, StoreError> {
        let mut cells = vec![Cell::count(from)];
        let whose = whose(ledger, &mut cells);
        let sql = format!(
            "SELECT seq, leaf, leaf_hash FROM journal WHERE seq >= $1 AND account{whose} ORDER BY seq LIMIT {most}"
        );
        let row = |row: &Row| {
            Ok(SealableRow {
                seq: row.count(0)?,
                ledger: ledger.to_owned(),
                leaf: row.bytes(1)?,
                leaf_hash: row.digest(2)?,
            })
        };
        self.rows(&sql, cells).await?.iter().map(row).collect()
    }

    /// The leaf hashes of a ledger's records from a place in the journal on, at most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger_hashes(
        &self,
        ledger: &str,
        from: u64,
        most: u32,
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut cells = vec![Cell::count(from)];
        let whose = whose(ledger, &mut cells);
        let sql = format!(
            "SELECT leaf_hash FROM journal WHERE seq >= $1 AND account{whose} ORDER BY seq LIMIT {most}"
        );
        let rows = self.rows(&sql, cells).await?;
        rows.iter().map(|row| row.digest(0)).collect()
    }

    /// Entries of the root log, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn root_entries(
        &self,
        epoch: u64,
        range: Range<u64>,
    ) -> Result<Vec<RootEntryRow>, StoreError> {
        let sql = "SELECT n, ledger, size, sealed, body FROM root_entries WHERE epoch = $1 AND n >= $2 AND n < $3 ORDER BY n";
        let cells = vec![
            Cell::count(epoch),
            Cell::count(range.start),
            Cell::count(range.end),
        ];
        self.rows(sql, cells).await?.iter().map(entry).collect()
    }

    /// The latest entry about a ledger among the first `below`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_entry(
        &self,
        epoch: u64,
        ledger: &str,
        below: u64,
    ) -> Result<Option<RootEntryRow>, StoreError> {
        let sql = "SELECT n, ledger, size, sealed, body FROM root_entries WHERE epoch = $1 AND ledger = $2 AND n < $3 ORDER BY n DESC LIMIT 1";
        let cells = vec![Cell::count(epoch), Cell::text(ledger), Cell::count(below)];
        let rows = self.rows(sql, cells).await?;
        rows.first().map(entry).transpose()
    }

    /// The latest checkpoint of an epoch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_root_checkpoint(
        &self,
        epoch: u64,
    ) -> Result<Option<RootCheckpointRow>, StoreError> {
        let sql = format!("{CHECKPOINT} WHERE epoch = $1 ORDER BY size DESC LIMIT 1");
        let rows = self.rows(&sql, vec![Cell::count(epoch)]).await?;
        rows.first().map(checkpoint_row).transpose()
    }

    /// Checkpoints of an epoch over more than `above` entries, the smallest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn root_checkpoints(
        &self,
        epoch: u64,
        above: u64,
        most: u32,
    ) -> Result<Vec<RootCheckpointRow>, StoreError> {
        let sql = format!("{CHECKPOINT} WHERE epoch = $1 AND size > $2 ORDER BY size LIMIT {most}");
        let cells = vec![Cell::count(epoch), Cell::count(above)];
        let rows = self.rows(&sql, cells).await?;
        rows.iter().map(checkpoint_row).collect()
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
        let sql = "UPDATE root_checkpoints SET cosignatures = $1 WHERE epoch = $2 AND size = $3";
        let cells = vec![Cell::text(lines), Cell::count(epoch), Cell::count(size)];
        let mut session = self.session().await?;
        session.begin().await?;
        let done = match session.execute(sql, cells).await {
            Ok(_) => session.commit().await,
            Err(error) => Err(error),
        };
        if done.is_err() {
            session.rollback().await;
        }
        Ok(done?)
    }

    /// Bodies of a range of the journal: of which record, and which.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bodies_in(&self, range: Range<u64>) -> Result<Vec<(u64, String)>, StoreError> {
        let sql = "SELECT seq, what FROM bodies WHERE seq >= $1 AND seq < $2 ORDER BY seq, what";
        let cells = vec![Cell::count(range.start), Cell::count(range.end)];
        let rows = self.rows(sql, cells).await?;
        rows.iter()
            .map(|row| Ok((row.count(0)?, row.text(1)?)))
            .collect()
    }
}

/// ` = $n` with the account added, or ` IS NULL` for the house.
fn whose(ledger: &str, cells: &mut Vec<Cell>) -> String {
    if ledger == HOUSE {
        return " IS NULL".to_owned();
    }
    cells.push(Cell::text(ledger));
    format!(" = ${}", cells.len())
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

fn ledger(row: &Row) -> Result<LedgerRow, StoreError> {
    let name = row.text(1)?;
    if name != HOUSE {
        id(AccountId::parse, &name)?;
    }
    Ok(LedgerRow {
        epoch: row.count(0)?,
        ledger: name,
        origin: row.text(2)?,
        size: row.count(3)?,
        root: row.digest(4)?,
        edge: row.bytes(5)?,
        tail_seq: row.count(6)?,
    })
}

fn tile(row: &Row) -> Result<TileRow, StoreError> {
    let level = u8::try_from(row.int(0)?)
        .map_err(|_| StoreError::Corrupt("a tile's level is beyond 63".to_owned()))?;
    Ok(TileRow {
        level,
        n: row.count(1)?,
        first_seq: row.count(2)?,
        hashes: row.bytes(3)?,
    })
}

fn entry(row: &Row) -> Result<RootEntryRow, StoreError> {
    Ok(RootEntryRow {
        n: row.count(0)?,
        ledger: row.text_or_none(1)?,
        size: row.count(2)?,
        sealed: row.count(3)?,
        body: row.bytes(4)?,
    })
}

fn checkpoint_row(row: &Row) -> Result<RootCheckpointRow, StoreError> {
    Ok(RootCheckpointRow {
        epoch: row.count(0)?,
        size: row.count(1)?,
        root: row.digest(2)?,
        at: Timestamp(row.int(3)?),
        note: row.text(4)?,
        cosignatures: row.text(5)?,
    })
}
