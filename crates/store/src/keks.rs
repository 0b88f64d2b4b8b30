//! The files of the key that wraps all others, and their replacement.
//!
//! `master.key` holds it. A rotation makes `master.key.next`; once no key is
//! wrapped under the old one, the old file is set aside as `master.key.old`,
//! the next takes its place, and the old bytes are overwritten and removed. At
//! every moment in between, whoever opens the folder finds all the keys that
//! anything may be wrapped under.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::database::StoreError;
use crate::doors::{random, write_atomically};
use crate::folder::DataFolder;

const CURRENT: &str = "master.key";
const NEXT: &str = "master.key.next";
const OLD: &str = "master.key.old";

/// The keys that the folder holds.
#[derive(Clone, PartialEq, Eq)]
pub struct KekFiles {
    /// What new keys are wrapped under.
    pub current: [u8; 32],
    /// Others that keys may still be wrapped under: a rotation was cut short.
    pub others: Vec<[u8; 32]>,
}

impl std::fmt::Debug for KekFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KekFiles(..)")
    }
}

/// A point at which a replacement of the key's file can be cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapStep {
    /// The old file is set aside.
    SetAside,
    /// The next one took its place.
    Replaced,
    /// The old bytes are overwritten.
    Overwritten,
}

/// Reads a key of 32 bytes: as they are, in hexadecimal or in base64.
pub fn read_key(bytes: &[u8]) -> Option<[u8; 32]> {
    if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
        return Some(raw);
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let decoded = hex::decode(text).ok().or_else(|| {
        let ways = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
        ways.iter().find_map(|way| way.decode(text).ok())
    })?;
    decoded.try_into().ok()
}

/// The key in a file that someone else keeps.
///
/// # Errors
/// [`StoreError`] when it cannot be read or holds no key.
pub fn read_key_file(path: &Path) -> Result<[u8; 32], StoreError> {
    let bytes = std::fs::read(path).map_err(|e| StoreError::file(path, e))?;
    read_key(&bytes).ok_or_else(|| StoreError::BadSecret(path.to_path_buf()))
}

impl DataFolder {
    /// The keys that the folder holds; the first one is made at random, mode 0600.
    ///
    /// # Errors
    /// The file system's, or a file that holds no key.
    pub fn keks(&self) -> Result<KekFiles, StoreError> {
        match self.keks_there()? {
            Some(there) => Ok(there),
            None => Ok(KekFiles {
                current: self.made(CURRENT)?,
                others: Vec::new(),
            }),
        }
    }

    /// The same; none is made.
    ///
    /// # Errors
    /// The file system's, or a file that holds no key.
    pub fn keks_there(&self) -> Result<Option<KekFiles>, StoreError> {
        let next = self.optional(NEXT)?;
        // Its bytes may be half overwritten: then they are a key that nothing is wrapped under.
        let old = match std::fs::read(self.path().join(OLD)) {
            Ok(bytes) => read_key(&bytes),
            Err(_) => None,
        };
        let Some(current) = self.optional(CURRENT)?.or(next) else {
            // With the file set aside and no next one, the key is kept elsewhere now.
            return Ok(old.map(|current| KekFiles {
                current,
                others: Vec::new(),
            }));
        };
        let others = next.into_iter().chain(old);
        Ok(Some(KekFiles {
            current,
            others: others.filter(|key| *key != current).collect(),
        }))
    }

    /// The key that is to replace the current one; made at random unless a rotation that was
    /// cut short made it.
    ///
    /// # Errors
    /// The file system's, or a file that holds no key.
    pub fn next_kek(&self) -> Result<[u8; 32], StoreError> {
        match self.optional(NEXT)? {
            Some(next) => Ok(next),
            None => self.made(NEXT),
        }
    }

    /// Whether a rotation of the key's file was begun and not finished.
    pub fn kek_swap_due(&self) -> bool {
        [NEXT, OLD]
            .iter()
            .any(|name| self.path().join(name).exists())
    }

    /// Puts the next key into the place of the current one, if there is a next one, overwrites
    /// the old bytes and removes them. Nothing may be wrapped under the old key any more.
    /// `reached` is told how far it came; what it refuses stops the replacement there.
    ///
    /// # Errors
    /// The file system's, or that of `reached`; called again, it goes on from there.
    pub fn swap_kek(
        &self,
        mut reached: impl FnMut(SwapStep) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let at = |name: &str| self.path().join(name);
        let (current, next, old) = (at(CURRENT), at(NEXT), at(OLD));
        let failed = |path: &PathBuf| {
            let path = path.clone();
            move |e| StoreError::file(&path, e)
        };
        if next.exists() {
            if current.exists() {
                std::fs::rename(&current, &old).map_err(failed(&old))?;
            }
            self.sync().map_err(failed(&old))?;
            reached(SwapStep::SetAside).map_err(failed(&old))?;
            std::fs::rename(&next, &current).map_err(failed(&next))?;
            self.sync().map_err(failed(&next))?;
        }
        reached(SwapStep::Replaced).map_err(failed(&current))?;
        if old.exists() {
            overwrite(&old).map_err(failed(&old))?;
            reached(SwapStep::Overwritten).map_err(failed(&old))?;
            std::fs::remove_file(&old).map_err(failed(&old))?;
            self.sync().map_err(failed(&old))?;
        }
        Ok(())
    }

    /// Overwrites and removes the key's file: keys are wrapped under one that is kept elsewhere.
    ///
    /// # Errors
    /// The file system's; called again, it goes on from there.
    pub fn retire_kek(&self) -> Result<(), StoreError> {
        let (current, old) = (self.path().join(CURRENT), self.path().join(OLD));
        if current.exists() {
            std::fs::rename(&current, &old).map_err(|e| StoreError::file(&old, e))?;
            self.sync().map_err(|e| StoreError::file(&old, e))?;
        }
        self.swap_kek(|_| Ok(()))
    }

    fn optional(&self, name: &str) -> Result<Option<[u8; 32]>, StoreError> {
        match read_key_file(&self.path().join(name)) {
            Ok(key) => Ok(Some(key)),
            Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn made(&self, name: &str) -> Result<[u8; 32], StoreError> {
        let path = self.path().join(name);
        let made = random::<32>().map_err(|e| StoreError::file(&path, e))?;
        write_atomically(&path, &made, 0o600).map_err(|e| StoreError::file(&path, e))?;
        Ok(made)
    }

    fn sync(&self) -> io::Result<()> {
        File::open(self.path())?.sync_all()
    }
}

/// In place: on a disk that writes elsewhere (flash, copy on write) the old bytes live on until
/// it reuses them, which no program can hasten.
fn overwrite(path: &Path) -> io::Result<()> {
    let length = usize::try_from(std::fs::metadata(path)?.len()).unwrap_or(0);
    let mut file = File::options().write(true).open(path)?;
    let noise = random::<32>()?;
    let bytes: Vec<u8> = noise.iter().copied().cycle().take(length).collect();
    file.write_all(&bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
