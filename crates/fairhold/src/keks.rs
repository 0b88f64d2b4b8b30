//! Where does the key that wraps all others come from?
//!
//! The environment (`FAIRHOLD_KEK`, or a file that `FAIRHOLD_KEK_FILE` or the
//! configuration names), else `master.key` of the data folder. During a
//! rotation there are two: `FAIRHOLD_KEK_NEW` or `master.key.next` is the other.

use std::path::{Path, PathBuf};

use evidence::seal::Kek;
use store::{DataFolder, KekFiles, read_key, read_key_file};

use crate::failure::Failure;
use crate::keeper::Keks;

const GIVEN: &str = "FAIRHOLD_KEK";
const GIVEN_FILE: &str = "FAIRHOLD_KEK_FILE";
const GIVEN_NEW: &str = "FAIRHOLD_KEK_NEW";

/// The KEKs to open a house with, and what becomes of the folder's own afterwards.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// What the keeper gets.
    pub(crate) keks: Keks,
    /// Whether the KEK is kept outside the data folder.
    pub(crate) outside: bool,
}

/// The KEKs to go on with.
pub(crate) fn to_use(folder: &DataFolder, file: Option<&Path>) -> Result<Chosen, Failure> {
    let Some(given) = given(file)? else {
        let files = folder.keks().map_err(|e| Failure::chain(&e))?;
        return Ok(Chosen {
            keks: Keks {
                version_one: Kek::new(files.current),
                others: files.others.iter().copied().map(Kek::new).collect(),
                current: Kek::new(files.current),
            },
            outside: false,
        });
    };
    outside(folder, given, from_environment(GIVEN_NEW)?)
}

/// The KEKs with which keys are rewrapped: the new one first.
pub(crate) fn to_rotate(folder: &DataFolder, file: Option<&Path>) -> Result<Chosen, Failure> {
    if let Some(given) = given(file)? {
        let Some(new) = from_environment(GIVEN_NEW)? else {
            let there = folder.keks_there().map_err(|e| Failure::chain(&e))?;
            if there.is_some() {
                // From the folder's own file to a key that is kept outside.
                return outside(folder, given, None);
            }
            return Err(Failure::error(format!(
                "failed to rotate: the KEK is given by the environment or a file; give the new one as {GIVEN_NEW} (`head -c 32 /dev/urandom | base64` makes one)"
            )));
        };
        return outside(folder, new, Some(given));
    }
    let files = folder.keks().map_err(|e| Failure::chain(&e))?;
    let next = folder.next_kek().map_err(|e| Failure::chain(&e))?;
    let others = std::iter::once(files.current).chain(files.others);
    Ok(Chosen {
        keks: Keks {
            current: Kek::new(next),
            others: others.filter(|key| *key != next).map(Kek::new).collect(),
            version_one: Kek::new(files.current),
        },
        outside: false,
    })
}

fn outside(
    folder: &DataFolder,
    current: [u8; 32],
    other: Option<[u8; 32]>,
) -> Result<Chosen, Failure> {
    let there = folder.keks_there().map_err(|e| Failure::chain(&e))?;
    let version_one = there
        .as_ref()
        .map_or(other.unwrap_or(current), |f| f.current);
    let files = there.into_iter().flat_map(|KekFiles { current, others }| {
        std::iter::once(current).chain(others).collect::<Vec<_>>()
    });
    let others = other.into_iter().chain(files);
    Ok(Chosen {
        keks: Keks {
            current: Kek::new(current),
            others: others.filter(|key| *key != current).map(Kek::new).collect(),
            version_one: Kek::new(version_one),
        },
        outside: true,
    })
}

/// The key that is kept outside the data folder, if one is.
fn given(file: Option<&Path>) -> Result<Option<[u8; 32]>, Failure> {
    if let Some(key) = from_environment(GIVEN)? {
        return Ok(Some(key));
    }
    let named = std::env::var_os(GIVEN_FILE).map(PathBuf::from);
    match named.as_deref().or(file) {
        Some(path) => {
            let key = read_key_file(path).map_err(|e| Failure::chain(&e))?;
            Ok(Some(key))
        }
        None => Ok(None),
    }
}

fn from_environment(name: &str) -> Result<Option<[u8; 32]>, Failure> {
    let Some(text) = std::env::var_os(name) else {
        return Ok(None);
    };
    let key = text
        .to_str()
        .and_then(|text| read_key(text.trim().as_bytes()));
    key.map(Some).ok_or_else(|| {
        Failure::error(format!(
            "failed to use {name}: it must be 32 bytes in hexadecimal or base64 (`head -c 32 /dev/urandom | base64` makes one)"
        ))
    })
}
