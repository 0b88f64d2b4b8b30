//! The ledgers as others read them: checkpoints, tiles, entries, receipts.
//!
//! Everything is told as of what is published: a round that is committed but
//! not yet under a published checkpoint is not there.

use std::collections::BTreeMap;

use evidence::checkpoint::{Checkpoint, Verifier};
use evidence::ledger::{Question, root_of};
use evidence::merkle::{Hash, leaf_hash, verify_consistency};
use facts::AccountId;
use store::{HOUSE, JournalRow, ROOT, RootEntryRow};
use verifier::proof::{TlogProof, TlogProofError};
use verifier::tile::{Tile, TileKind, entry_bundle};

use super::refusal::LedgerError;
use super::{Ledger, Published, Standing};

/// Whose ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The root log.
    Root,
    /// That of records without an account.
    House,
    /// An account's.
    Account(AccountId),
}

impl Whose {
    /// Its name in the store.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Root => ROOT,
            Self::House => HOUSE,
            Self::Account(account) => account.as_str(),
        }
    }
}

/// A file of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Whether it will ever change.
    pub(crate) immutable: bool,
}

/// A record with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// Its sequence number in the journal.
    pub(crate) seq: u64,
    /// Its leaf.
    pub(crate) leaf: Vec<u8>,
    /// That it is in its ledger.
    pub(crate) record: TlogProof,
    /// The ledger's checkpoint, an entry of the root log.
    pub(crate) body: String,
    /// That this is in the root log.
    pub(crate) ledger: TlogProof,
    /// The ledger's name.
    pub(crate) ledger_origin: String,
    /// The root log's.
    pub(crate) root_origin: String,
}

/// The first records of a ledger, proven together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beginning {
    /// Their leaves, from the ledger's first on, none left out.
    pub(crate) leaves: Vec<Vec<u8>>,
    /// That the ledger continues the tree of these leaves alone.
    pub(crate) proof: Vec<Hash>,
    /// The ledger's checkpoint, signed.
    pub(crate) note: String,
    /// That this is in the root log.
    pub(crate) ledger: TlogProof,
}

/// Why there is no file or receipt.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// There is none.
    Absent,
    /// Not yet: it will be sealed within a second or two.
    NotYet,
    /// The ledger does not serve.
    Refused(LedgerError),
    /// What is kept does not add up; in words.
    Broken(String),
}

impl From<LedgerError> for ReadError {
    fn from(error: LedgerError) -> Self {
        Self::Refused(error)
    }
}

impl From<store::StoreError> for ReadError {
    fn from(error: store::StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// A ledger under a published root.
struct Shown {
    epoch: u64,
    name: String,
    /// Its own checkpoint, and the entry of the root log that states it; the root log has none.
    checkpoint: Checkpoint,
    entry: Option<RootEntryRow>,
}

impl Ledger {
    /// What is published now.
    ///
    /// # Errors
    /// [`ReadError`] before the first round and after a refusal.
    pub(crate) fn current(&self) -> Result<std::sync::Arc<Published>, ReadError> {
        match self.standing() {
            Standing::Starting => Err(ReadError::NotYet),
            Standing::Unconfirmed(why) => Err(ReadError::Refused(LedgerError::Unconfirmed(why))),
            Standing::Signed(published) => Ok(published),
            Standing::Refused(refusal) => Err(ReadError::Refused(refusal.into())),
        }
    }

    /// A file of a ledger by its C2SP path: `checkpoint`, `tile/...`, `tile/entries/...`; of the
    /// current epoch or of an earlier one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(crate) async fn file(
        &self,
        whose: &Whose,
        epoch: Option<u64>,
        path: &str,
    ) -> Result<File, ReadError> {
        let root = self.root_of(epoch).await?;
        let shown = self.shown(&root, whose.name()).await?;
        if path == "checkpoint" {
            let bytes = match whose {
                Whose::Root => root.note.clone().into_bytes(),
                Whose::House | Whose::Account(_) => self.note(&shown)?.into_bytes(),
            };
            return Ok(File {
                bytes,
                immutable: false,
            });
        }
        let tile = Tile::parse(path).ok_or(ReadError::Absent)?;
        let there = Tile::in_log(tile.kind(), tile.index(), shown.checkpoint.size);
        if there.is_none_or(|there| there.width() < tile.width()) {
            return Err(ReadError::Absent);
        }
        let bytes = match tile.kind() {
            TileKind::Entries => self.bundle(shown.epoch, &shown.name, tile).await?,
            TileKind::Hashes(_) => self.tile(shown.epoch, &shown.name, tile).await?,
        };
        Ok(File {
            bytes: bytes.ok_or_else(|| ReadError::Broken(format!("`{path}` is not kept whole")))?,
            immutable: true,
        })
    }

    /// The checkpoint of a ledger, its own or the root's, signed.
    ///
    /// # Errors
    /// [`ReadError`].
    fn note(&self, shown: &Shown) -> Result<String, ReadError> {
        let checkpoint = &shown.checkpoint;
        let signer = self.signer(&checkpoint.origin)?;
        Ok(signer.checkpoint(checkpoint.size, &checkpoint.root))
    }

    /// A record's receipt, if it is of that account (or of anybody) and sealed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(crate) async fn receipt(
        &self,
        account: Option<&AccountId>,
        seq: u64,
    ) -> Result<Receipt, ReadError> {
        let end = seq.checked_add(1).ok_or(ReadError::Absent)?;
        let rows = self.database.records(seq..end).await?;
        let row = rows.into_iter().next().ok_or(ReadError::Absent)?;
        if account.is_some() && row.account.as_ref() != account {
            return Err(ReadError::Absent);
        }
        let root = self.root_of(None).await?;
        self.receipt_under(&root, row).await
    }

    /// A record's receipt under what was published once.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(crate) async fn receipt_under(
        &self,
        root: &Published,
        row: JournalRow,
    ) -> Result<Receipt, ReadError> {
        let seq = row.seq;
        if seq >= root.sealed {
            return Err(ReadError::NotYet);
        }
        let whose = row.account.map_or(Whose::House, Whose::Account);
        let shown = self.shown(root, whose.name()).await?;
        let place = self.place(root.epoch, whose.name(), seq).await?;
        let record = self.proof(&shown, place, self.note(&shown)?).await?;
        let ledger = self.ledger_proof(root, &shown).await?;
        let receipt = Receipt {
            seq,
            leaf: row.leaf,
            record,
            body: shown.checkpoint.body(),
            ledger,
            ledger_origin: shown.checkpoint.origin,
            root_origin: root.checkpoint.origin.clone(),
        };
        self.holds(&receipt)?;
        Ok(receipt)
    }

    /// The first records of an account's ledger under what was published once: one proof for all.
    ///
    /// # Errors
    /// [`ReadError`]; also when the leaves are not those of the ledger.
    pub(crate) async fn beginning_under(
        &self,
        root: &Published,
        account: &AccountId,
        leaves: Vec<Vec<u8>>,
    ) -> Result<Beginning, ReadError> {
        let shown = self.shown(root, account.as_str()).await?;
        let (first, size) = (leaves.len() as u64, shown.checkpoint.size);
        let broken = |what: &str| ReadError::Broken(format!("the ledger of `{account}`: {what}"));
        let proof = self.answer(shown.epoch, &shown.name, Question::Consistency(first), size);
        let proof = proof.await?;
        let proof = proof.ok_or_else(|| broken("its tiles cannot be read"))?;
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        verify_consistency(
            first,
            &root_of(&hashes),
            size,
            &shown.checkpoint.root,
            &proof,
        )
        .map_err(|e| broken(&e.to_string()))?;
        Ok(Beginning {
            leaves,
            proof,
            note: self.note(&shown)?,
            ledger: self.ledger_proof(root, &shown).await?,
        })
    }

    /// That a ledger's checkpoint is an entry of the root log.
    async fn ledger_proof(&self, root: &Published, shown: &Shown) -> Result<TlogProof, ReadError> {
        let entry = shown.entry.as_ref().ok_or(ReadError::Absent)?;
        let whole = Shown {
            epoch: root.epoch,
            name: ROOT.to_owned(),
            checkpoint: root.checkpoint.clone(),
            entry: None,
        };
        self.proof(&whole, entry.n, root.note.clone()).await
    }

    /// Nothing leaves that does not verify: a damaged store is told here, not at the customer's.
    fn holds(&self, receipt: &Receipt) -> Result<(), ReadError> {
        let broken = |e: String| ReadError::Broken(format!("record {}: {e}", receipt.seq));
        let key = Verifier::parse(&self.log.vkey()).map_err(|e| broken(e.to_string()))?;
        let under = |name: &str| key.under(name).map_err(|e| broken(e.to_string()));
        receipt
            .record
            .verify(&receipt.leaf, &under(&receipt.ledger_origin)?)
            .and_then(|_| {
                let key = key
                    .under(&receipt.root_origin)
                    .map_err(TlogProofError::Note)?;
                receipt.ledger.verify(receipt.body.as_bytes(), &key)
            })
            .map(drop)
            .map_err(|e| broken(e.to_string()))
    }

    /// The published root of an epoch: the current one, or an earlier one at its end.
    pub(crate) async fn root_of(&self, epoch: Option<u64>) -> Result<Published, ReadError> {
        let current = self.current()?;
        if epoch.is_none_or(|epoch| epoch == current.epoch) {
            return Ok(Published::clone(&current));
        }
        let epochs = self.database.epochs().await?;
        let row = epochs.into_iter().find(|e| Some(e.epoch) == epoch);
        let row = row.ok_or(ReadError::Absent)?;
        let kept = self.database.latest_root_checkpoint(row.epoch).await?;
        let kept = kept.filter(|kept| kept.size == row.size);
        let note = match kept {
            Some(kept) => kept.note + &kept.cosignatures,
            None => self.signer(&row.origin)?.checkpoint(row.size, &row.root),
        };
        Ok(Published {
            epoch: row.epoch,
            cosigned: 0,
            note,
            sealed: row.sealed,
            checkpoint: Checkpoint {
                origin: row.origin,
                size: row.size,
                root: row.root,
            },
        })
    }

    async fn shown(&self, root: &Published, name: &str) -> Result<Shown, ReadError> {
        if name == ROOT {
            return Ok(Shown {
                epoch: root.epoch,
                name: ROOT.to_owned(),
                checkpoint: root.checkpoint.clone(),
                entry: None,
            });
        }
        let entry = self
            .database
            .latest_entry(root.epoch, name, root.checkpoint.size)
            .await?
            .ok_or(ReadError::Absent)?;
        let checkpoint = std::str::from_utf8(&entry.body)
            .ok()
            .and_then(|body| Checkpoint::parse(body).ok())
            .ok_or_else(|| ReadError::Broken(format!("root entry {} is no checkpoint", entry.n)))?;
        Ok(Shown {
            epoch: root.epoch,
            name: name.to_owned(),
            checkpoint,
            entry: Some(entry),
        })
    }

    async fn proof(
        &self,
        shown: &Shown,
        index: u64,
        checkpoint: String,
    ) -> Result<TlogProof, ReadError> {
        let question = Question::Inclusion(index);
        let hashes = self.answer(shown.epoch, &shown.name, question, shown.checkpoint.size);
        let hashes = hashes.await?.ok_or_else(|| {
            ReadError::Broken(format!("the proof of place {index} cannot be read"))
        })?;
        Ok(TlogProof {
            extra: None,
            index,
            hashes,
            checkpoint,
        })
    }

    /// The answer to a question about a ledger of that size; none when a tile is missing.
    pub(crate) async fn answer(
        &self,
        epoch: u64,
        name: &str,
        question: Question,
        size: u64,
    ) -> Result<Option<Vec<Hash>>, LedgerError> {
        let mut tiles = BTreeMap::new();
        for tile in question.tiles(size) {
            match self.tile(epoch, name, tile).await? {
                Some(bytes) => tiles.insert(tile, bytes),
                None => return Ok(None),
            };
        }
        Ok(question.answer(size, &tiles).ok())
    }

    /// Where a record lies in its ledger.
    async fn place(&self, epoch: u64, name: &str, seq: u64) -> Result<u64, ReadError> {
        // The states first: a tile that is full afterwards is kept by then.
        let states = self.database.ledger_states(epoch, &[name]).await?;
        let tile = self.database.tile_before(epoch, name, seq).await?;
        let tail = states.get(name).filter(|state| state.tail_seq <= seq);
        let (first, from) = match (tail, tile) {
            (Some(state), _) => (state.size - state.size % 256, state.tail_seq),
            (None, Some(tile)) => (tile.n * 256, tile.first_seq),
            (None, None) => return Err(ReadError::NotYet),
        };
        Ok(first + self.database.records_between(name, from..seq).await?)
    }

    /// The bytes of a tile of hashes; none when it is not kept.
    async fn tile(
        &self,
        epoch: u64,
        name: &str,
        tile: Tile,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        let TileKind::Hashes(level) = tile.kind() else {
            return Ok(None);
        };
        let width = usize::from(tile.width());
        let kept = self.database.tile(epoch, name, level, tile.index()).await?;
        if kept.is_some() || level > 0 {
            let bytes = kept.and_then(|kept| kept.hashes.get(..width * 32).map(<[u8]>::to_vec));
            return Ok(bytes);
        }
        let hashes = if name == ROOT {
            let entries = self.root_entries(epoch, tile).await?;
            entries.iter().map(|e| leaf_hash(&e.body)).collect()
        } else {
            match self.first_seq(epoch, name, tile.index()).await? {
                None => Vec::new(),
                Some(from) => {
                    let most = u32::from(tile.width());
                    self.database.ledger_hashes(name, from, most).await?
                }
            }
        };
        Ok((hashes.len() == width).then(|| hashes.concat()))
    }

    /// The bytes of a bundle of entries; none when not all of them are kept.
    async fn bundle(
        &self,
        epoch: u64,
        name: &str,
        tile: Tile,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        let leaves: Vec<Vec<u8>> = if name == ROOT {
            let entries = self.root_entries(epoch, tile).await?;
            entries.into_iter().map(|e| e.body).collect()
        } else {
            match self.first_seq(epoch, name, tile.index()).await? {
                None => Vec::new(),
                Some(from) => {
                    let most = u32::from(tile.width());
                    let rows = self.database.ledger_records(name, from, most).await?;
                    rows.into_iter().map(|row| row.leaf).collect()
                }
            }
        };
        if leaves.len() != usize::from(tile.width()) {
            return Ok(None);
        }
        Ok(entry_bundle(leaves.iter().map(Vec::as_slice)))
    }

    async fn root_entries(&self, epoch: u64, tile: Tile) -> Result<Vec<RootEntryRow>, LedgerError> {
        let from = tile.index() * 256;
        let range = from..from + u64::from(tile.width());
        Ok(self.database.root_entries(epoch, range).await?)
    }

    /// No record of the tile of leaves `n` comes before this one.
    async fn first_seq(&self, epoch: u64, name: &str, n: u64) -> Result<Option<u64>, LedgerError> {
        // The states first: a tile that is full afterwards is kept by then.
        let states = self.database.ledger_states(epoch, &[name]).await?;
        if let Some(tile) = self.database.tile(epoch, name, 0, n).await? {
            return Ok(Some(tile.first_seq));
        }
        let state = states.get(name).filter(|state| state.size / 256 == n);
        Ok(state.map(|state| state.tail_seq))
    }
}
