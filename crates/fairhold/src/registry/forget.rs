//! How do the fingerprints of what was erased leave the registry?
//!
//! The store's list says which outputs must go; it was made in the transaction that erased, and
//! is emptied only when all files are written. What a running server holds in memory goes first,
//! so that it cannot be written behind our back; then each file that holds one of the outputs is
//! replaced by one without them (temporary file, sync, rename, sync of the folder). A process that
//! dies in between leaves whole files and the list: the next start goes through it again, and so
//! does the writer of a running server before each of its turns. A registry that is not where it was
//! counts for one that holds the outputs: the store knows its key by name.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facts::Timestamp;
use provenance::Output;
use store::{Database, FINGERPRINTS, OutputsOf, StoreError, SystemClock, ToForget};
use tokio::sync::{Mutex, MutexGuard};

use super::follow::{Follow, FollowError};
use super::{Folder, Kind, Making, RegistryError, SegmentFile, Writing, folder_name};

/// What left the registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Outputs.
    pub(crate) outputs: u64,
    /// Fingerprints of them.
    pub(crate) fingerprints: u64,
}

impl Left {
    fn add(&mut self, (outputs, fingerprints): (usize, usize)) {
        self.outputs += outputs as u64;
        self.fingerprints += fingerprints as u64;
    }

    /// Both together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.outputs += other.outputs;
        self.fingerprints += other.fingerprints;
        self
    }
}

/// Why fingerprints did not leave the registry; they stay due.
#[derive(Debug)]
pub(crate) enum ForgetError {
    /// The list could not be read or emptied.
    Store(StoreError),
    /// The registry's files could not be written.
    Registry(RegistryError),
    /// The computing was stopped.
    Stopped,
}

impl std::fmt::Display for ForgetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => write!(f, "{error}"),
            Self::Registry(error) => write!(f, "{error}"),
            Self::Stopped => f.write_str("registry: the process is ending"),
        }
    }
}

/// The list, and the moment at which it is gone through.
#[derive(Debug, Clone)]
pub(crate) struct Erased {
    list: Arc<Vec<ToForget>>,
    now: Timestamp,
}

impl Erased {
    /// Of a list.
    pub(crate) fn new(list: Vec<ToForget>, now: Timestamp) -> Self {
        Self {
            list: Arc::new(list),
            now,
        }
    }

    /// The list.
    pub(super) fn list(&self) -> &[ToForget] {
        &self.list
    }

    /// The moment.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    fn accounts(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|of| of.account.as_str())
    }

    fn holds(&self, output: &Output) -> bool {
        self.list.iter().any(|of| {
            of.account == output.account
                && match &of.outputs {
                    OutputsOf::Exchanges(exchanges) => exchanges.contains(&output.id),
                    // Only an import can be dated to a time that has not come.
                    OutputsOf::Until(until) => output.at <= *until || output.at > self.now,
                }
        })
    }
}

impl Folder {
    /// The registry that follows a store, which knows its key by this name. None: there never was
    /// one.
    pub(crate) fn of_store(
        path: &Path,
        known: Option<&str>,
    ) -> Result<Option<Self>, RegistryError> {
        let gone = || RegistryError::Gone(path.to_path_buf());
        match (Self::open(path), known) {
            (Ok(folder), Some(name)) if folder.key_name() != name => Err(gone()),
            (Ok(folder), _) => Ok(Some(folder)),
            (Err(RegistryError::Missing(_)), Some(_)) => Err(gone()),
            // An empty folder may be a place where a disk is to be mounted.
            (Err(RegistryError::Missing(_)), None) if is_nothing(path)? => Ok(None),
            (Err(error), _) => Err(error),
        }
    }

    /// Takes these outputs out of every segment.
    ///
    /// # Errors
    /// [`RegistryError::Gone`] where its disk went from under it.
    pub(crate) fn take_out(
        &self,
        _right: &Writing,
        erased: &Erased,
    ) -> Result<Left, RegistryError> {
        Self::of_store(&self.path, Some(&self.key_name()))?;
        let (files, leftovers) = self.all_files()?;
        for file in leftovers {
            removed(&file.path)?;
        }
        let mut left = Left::default();
        for account in erased.accounts() {
            let folder = self.path.join(folder_name(account));
            if is_nothing(&folder)? {
                continue;
            }
            for path in self.listed(&folder)? {
                // Whoever has the right to write is the only one: nobody writes this any more.
                if unfinished(&path) {
                    removed(&path)?;
                }
            }
            for file in files.iter().filter(|file| file.path.starts_with(&folder)) {
                left.add(rewritten(file, erased)?);
            }
            let synced = File::open(&folder).and_then(|folder| folder.sync_all());
            synced.map_err(|e| RegistryError::File(folder, e))?;
        }
        Ok(left)
    }

    /// Removes every segment of an account; says how many files went. The log's place stays: what was
    /// read is not read again.
    pub(crate) fn forget(&self, _right: &Writing, account: &str) -> Result<usize, RegistryError> {
        let mut gone = 0;
        for file in self.files()? {
            // The name of a folder may be cut; whose it is stands in the segment.
            if Self::read(&file.path)?.account().as_str() == account {
                removed(&file.path)?;
                gone += 1;
            }
        }
        Ok(gone)
    }
}

/// A segment's file without what was erased.
fn rewritten(file: &SegmentFile, erased: &Erased) -> Result<(usize, usize), RegistryError> {
    if is_nothing(&file.path)? {
        // An account may be on the list twice.
        return Ok((0, 0));
    }
    let mut segment = Folder::read(&file.path)?;
    let gone = segment.forget(|output| erased.holds(output));
    if gone.0 == 0 {
        return Ok(gone);
    }
    if segment.outputs().is_empty() {
        removed(&file.path)?;
    } else {
        store::write_atomically(&file.path, &segment.to_bytes(), 0o600)
            .map_err(|e| RegistryError::File(file.path.clone(), e))?;
    }
    Ok(gone)
}

/// Whether nothing is there; that it cannot be seen is an error.
fn is_nothing(path: &Path) -> Result<bool, RegistryError> {
    match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        seen => seen
            .map(|_| false)
            .map_err(|e| RegistryError::File(path.to_path_buf(), e)),
    }
}

fn removed(path: &Path) -> Result<(), RegistryError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(RegistryError::File(path.to_path_buf(), e))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether it is a file that a process was writing when it died.
fn unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with('.') && name.as_bytes().ends_with(b".tmp"))
}

impl Making {
    /// Takes these outputs out of what is held.
    pub(crate) fn take_out(&mut self, erased: &Erased) -> Left {
        let mut left = Left::default();
        for builder in self.by.values_mut() {
            left.add(builder.forget(|output| erased.holds(output)));
        }
        left
    }
}

/// The registry of a house: its folder, and who writes it while a server runs.
pub(crate) struct Outputs {
    path: PathBuf,
    follow: Mutex<Option<Follow>>,
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Outputs").field(&self.path).finish()
    }
}

impl Outputs {
    /// Of a data folder; nothing need be there.
    pub(crate) fn of(data: &Path) -> Self {
        Self {
            path: data.join("registry"),
            follow: Mutex::default(),
        }
    }

    /// Where it is.
    #[cfg(test)]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Holds the writer still: nothing is read or written by it for as long as the value lives.
    pub(crate) async fn still(&self) -> Still<'_> {
        Still {
            path: &self.path,
            follow: self.follow.lock().await,
        }
    }

    /// The registry, of which the store is told; it is made where there never was one.
    ///
    /// # Errors
    /// [`ForgetError`]; [`RegistryError::Gone`] where there was one.
    pub(crate) async fn folder(&self, database: &Database) -> Result<Folder, ForgetError> {
        let known = database.registry_key().await.map_err(ForgetError::Store)?;
        let folder = match &known {
            None => Folder::open_or_make(&self.path),
            Some(name) => Folder::of_store(&self.path, Some(name))
                .and_then(|there| there.ok_or_else(|| RegistryError::Gone(self.path.clone()))),
        };
        let folder = folder.map_err(ForgetError::Registry)?;
        self.is_now(&folder, database).await?;
        Ok(folder)
    }

    /// Tells the store that this is its registry, if it is in its place.
    pub(crate) async fn is_now(
        &self,
        folder: &Folder,
        database: &Database,
    ) -> Result<(), ForgetError> {
        let here = Folder::open(&self.path).is_ok_and(|here| here.secret() == folder.secret());
        if !here {
            return Ok(());
        }
        let name = folder.key_name();
        let told = database.registry_is(&name, SystemClock.now()).await;
        told.map_err(ForgetError::Store)
    }

    /// Tells the store of a registry that a program made which did not.
    async fn noted(&self, database: &Database) -> Result<(), ForgetError> {
        let known = database.registry_key().await.map_err(ForgetError::Store)?;
        if known.is_some() {
            return Ok(());
        }
        match Folder::of_store(&self.path, None).map_err(ForgetError::Registry)? {
            Some(folder) if folder.kind().map_err(ForgetError::Registry)? == Some(Kind::Store) => {
                self.is_now(&folder, database).await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Goes through the list if a process died before it had done so.
    pub(crate) async fn catch_up(&self, database: &Database) {
        if let Err(error) = self.noted(database).await {
            tracing::error!(%error, "whether there is a registry is not known");
        }
        match self.still().await.take_out(database).await {
            Ok(left) if left != Left::default() => tracing::warn!(
                outputs = left.outputs,
                "an erasure that was cut short is completed in the registry"
            ),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "{REMAIN}"),
        }
    }
}

/// What is said until it is done.
pub(crate) const REMAIN: &str =
    "fingerprints of what was erased are still in the registry; it is tried again";

/// A registry whose writer stands still.
pub(crate) struct Still<'a> {
    path: &'a Path,
    follow: MutexGuard<'a, Option<Follow>>,
}

impl Still<'_> {
    /// The writer, if one is running.
    pub(crate) fn follow(&mut self) -> &mut Option<Follow> {
        &mut self.follow
    }

    /// Takes out of the registry what the store's list names, and empties the list. Nothing may be
    /// erased meanwhile but by whoever holds the writer still.
    ///
    /// # Errors
    /// [`ForgetError`]; it stays due.
    pub(crate) async fn take_out(&mut self, database: &Database) -> Result<Left, ForgetError> {
        let due = database.unfinished(FINGERPRINTS).await;
        if due.map_err(ForgetError::Store)?.is_none() {
            return Ok(Left::default());
        }
        let list = database.outputs_to_forget().await;
        let erased = Erased::new(list.map_err(ForgetError::Store)?, SystemClock.now());
        let left = if let Some(follow) = self.follow.as_mut() {
            follow.take_out(&erased).await?
        } else {
            let known = database.registry_key().await.map_err(ForgetError::Store)?;
            at_rest(self.path.to_path_buf(), known, erased).await?
        };
        let done = database.outputs_forgotten().await;
        done.map_err(ForgetError::Store)?;
        Ok(left)
    }
}

/// The same where no writer runs.
async fn at_rest(
    path: PathBuf,
    known: Option<String>,
    erased: Erased,
) -> Result<Left, ForgetError> {
    let done = tokio::task::spawn_blocking(move || {
        let Some(folder) = Folder::of_store(&path, known.as_deref())? else {
            return Ok(Left::default());
        };
        let right = folder.lock()?;
        folder.take_out(&right, &erased)
    });
    let done = done.await.map_err(|_| ForgetError::Stopped)?;
    done.map_err(ForgetError::Registry)
}

impl From<FollowError> for ForgetError {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Registry(error) => Self::Registry(error),
            FollowError::Keeper(_) => Self::Stopped,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
