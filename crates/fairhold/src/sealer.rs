//! Does the ledger go on with what it signed? A door for programs that look for
//! lost records: the product's own sealing, one round at a time.

use std::path::Path;
use std::sync::Arc;

use evidence::checkpoint::LogKey;
use store::{Database, EpochRow};

use crate::ledger::{self, Ledger};
use crate::witness::Witnesses;

/// A checkpoint as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The root log's epoch.
    pub epoch: u64,
    /// Its entries.
    pub size: u64,
    /// Their root.
    pub root: [u8; 32],
    /// The records before this one are under it.
    pub records: u64,
}

/// The ledgers of a store.
#[derive(Debug)]
pub struct Sealer(Arc<Ledger>);

impl Sealer {
    /// The ledgers in `database`, signed with the key of this seed; `folder` holds the mark.
    ///
    /// # Errors
    /// In words, when the seed makes no key.
    pub fn new(database: Database, seed: &[u8; 32], folder: &Path) -> Result<Self, String> {
        let key = LogKey::from_seed(seed, crate::house::LOG).map_err(|e| e.to_string())?;
        Ok(Self(Arc::new(Ledger::new(
            database,
            key,
            folder,
            Witnesses::default(),
        ))))
    }

    /// A round of sealing, as the server makes one every second.
    ///
    /// # Errors
    /// In words, when the ledger refuses or could not be written.
    pub async fn seal(&self) -> Result<Sealed, String> {
        let published = self.0.seal().await.map_err(|e| e.to_string())?;
        Ok(Sealed {
            epoch: published.epoch,
            size: published.checkpoint.size,
            root: published.checkpoint.root,
            records: published.sealed,
        })
    }

    /// Whether an earlier checkpoint is one of this ledger's.
    ///
    /// # Errors
    /// In words, when the store cannot be read.
    pub async fn continues(&self, earlier: &Sealed) -> Result<bool, String> {
        let root = self.0.root_at(earlier.epoch, earlier.size).await;
        Ok(root.map_err(|e| e.to_string())? == Some(earlier.root))
    }
}

/// What the mark's file holds once this was signed.
pub fn mark(signed: &EpochRow) -> Vec<u8> {
    ledger::mark_text(signed).into_bytes()
}
