//! The data folder: database, keys and the note of the running process. `keks` holds what
//! concerns `master.key`.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::database::StoreError;
use crate::doors::{random, write_atomically};

/// A folder that one process writes; holds `fairhold.db`, `master.key`,
/// `log.seed`, `run.json` and `lock`.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Creates the folder where it is missing (mode 0700) and locks it for as
    /// long as the value lives. A dead process leaves no lock behind.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process holds it, else the file
    /// system's.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|e| StoreError::file(path, e))?;
        let lock = exclusive(&path.join("lock"))?;
        Ok(Self {
            path: path.to_path_buf(),
            _lock: lock,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// URL of the embedded database.
    pub fn database_url(&self) -> String {
        format!("sqlite:{}", self.path.join("fairhold.db").display())
    }

    /// Where the journal keeps room for closing records on a full disk.
    pub fn reserve(&self) -> PathBuf {
        self.path.join("reserve")
    }

    /// The seed of the log's signing key; made at random once, mode 0600.
    ///
    /// # Errors
    /// The file system's, or a file that does not hold 32 bytes.
    pub fn log_seed(&self) -> Result<[u8; 32], StoreError> {
        self.secret("log.seed")
    }

    /// The seed of a witness's signing key; made at random once, mode 0600.
    ///
    /// # Errors
    /// The file system's, or a file that does not hold 32 bytes.
    pub fn witness_seed(&self) -> Result<[u8; 32], StoreError> {
        self.secret("witness.seed")
    }

    /// Replaces `run.json`, which says how to reach the running process.
    ///
    /// # Errors
    /// The file system's.
    pub fn write_run(&self, json: &str) -> Result<(), StoreError> {
        let path = self.path.join("run.json");
        write_atomically(&path, json.as_bytes(), 0o600).map_err(|e| StoreError::file(&path, e))
    }

    /// What `run.json` in `folder` says, if it is there. Takes no lock.
    ///
    /// # Errors
    /// The file system's.
    pub fn read_run(folder: &Path) -> Result<Option<String>, StoreError> {
        let path = folder.join("run.json");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(StoreError::file(&path, e)),
        }
    }

    /// Removes `run.json`, if it is there.
    ///
    /// # Errors
    /// The file system's.
    pub fn clear_run(&self) -> Result<(), StoreError> {
        let path = self.path.join("run.json");
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::file(&path, e)),
            _ => Ok(()),
        }
    }

    fn secret(&self, name: &str) -> Result<[u8; 32], StoreError> {
        let path = self.path.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => bytes.try_into().map_err(|_| StoreError::BadSecret(path)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let made = random::<32>().map_err(|e| StoreError::file(&path, e))?;
                write_atomically(&path, &made, 0o600).map_err(|e| StoreError::file(&path, e))?;
                Ok(made)
            }
            Err(e) => Err(StoreError::file(&path, e)),
        }
    }
}

/// Opens and locks the file, or says who is in the way.
pub(crate) fn exclusive(path: &Path) -> Result<File, StoreError> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|e| StoreError::file(path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path.display().to_string())),
        Err(TryLockError::Error(e)) => Err(StoreError::file(path, e)),
    }
}
