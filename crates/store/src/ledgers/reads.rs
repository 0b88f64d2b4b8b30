//! Reading ledgers: what is to be sealed, where each stands, tiles, entries.

use std::collections::HashMap;
use std::ops::Range;

use facts::{AccountId, Timestamp};

use super::{HOUSE, LedgerRow, RootCheckpointRow, RootEntryRow, SealableRow, TileRow};
use crate::database::{Cell, Database, Row, StoreError};
use crate::directory::id;

const LEDGER: &str = "SELECT epoch, ledger, origin, size, root, edge, tail_seq FROM ledgers";
const CHECKPOINT: &str = "SELECT epoch, size, root, at, note, cosignatures FROM root_checkpoints";

impl Database {
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

    /// The leaves of all records of some kinds, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leaves_of(&self, kinds: &[&str]) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let places: Vec<String> = (1..=kinds.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT seq, leaf FROM journal WHERE kind IN ({}) ORDER BY seq",
            places.join(",")
        );
        let cells = kinds.iter().map(|kind| Cell::text(*kind)).collect();
        let rows = self.rows(&sql, cells).await?;
        rows.iter()
            .map(|row| Ok((row.count(0)?, row.bytes(1)?)))
            .collect()
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
