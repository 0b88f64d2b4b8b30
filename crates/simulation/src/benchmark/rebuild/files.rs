//! Files of repositories as an outsider laid them: `OWNER/NAME`, a checkout or
//! a bare one, read with `git` at the manifest's commit and checked by digest.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::RebuildError;
use super::manifest::{FileEntry, Manifest};

/// A file larger than this is no file of the pool (the largest has 5 MB).
const BYTES_MAX: u64 = 256 << 20;

/// The text of a file, checked.
pub(super) fn read(
    manifest: &Manifest,
    repositories: &Path,
    file: &FileEntry,
) -> Result<String, RebuildError> {
    let commit = manifest.commit(&file.repository).unwrap_or_default();
    let bytes = show(repositories, commit, file)?;
    let found = hex(&Sha256::digest(&bytes));
    if found != file.sha256 {
        return Err(RebuildError::Digest {
            file: name(file),
            expected: file.sha256.clone(),
            found,
        });
    }
    let bytes = if file.gunzip {
        gunzip(file, &bytes)?
    } else {
        bytes
    };
    match String::from_utf8(bytes) {
        Ok(text) if file.crlf => Ok(text.replace("\r\n", "\n")),
        Ok(text) => Ok(text),
        Err(e) if file.lossy => Ok(String::from_utf8_lossy(e.as_bytes()).into_owned()),
        Err(e) => {
            let good = e.as_bytes().iter().take(e.utf8_error().valid_up_to());
            Err(RebuildError::Malformed {
                file: name(file),
                place: format!("line {}", good.filter(|b| **b == b'\n').count() + 1),
                why: "it is no UTF-8".to_owned(),
            })
        }
    }
}

/// How a file is called in errors.
pub(super) fn name(file: &FileEntry) -> String {
    format!("{}/{}", file.repository, file.path)
}

fn show(repositories: &Path, commit: &str, file: &FileEntry) -> Result<Vec<u8>, RebuildError> {
    let folder = repositories.join(&file.repository);
    if !folder.is_dir() {
        return Err(RebuildError::Absent {
            repository: file.repository.clone(),
            folder,
        });
    }
    let object = file
        .blob
        .clone()
        .unwrap_or_else(|| format!("{commit}:{}", file.path));
    let output = Command::new("git")
        .arg("-C")
        .arg(&folder)
        .args(["cat-file", "blob", &object])
        // A folder that is no repository must not be taken for one around it.
        .env(
            "GIT_CEILING_DIRECTORIES",
            folder.parent().unwrap_or(repositories),
        )
        .output()
        .map_err(|e| RebuildError::Io(format!("run `git`: {e}")))?;
    if !output.status.success() {
        return Err(RebuildError::NoFile {
            file: name(file),
            commit: commit.to_owned(),
            folder,
            git: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    Ok(output.stdout)
}

fn gunzip(file: &FileEntry, bytes: &[u8]) -> Result<Vec<u8>, RebuildError> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(BYTES_MAX)
        .read_to_end(&mut plain)
        .map_err(|e| RebuildError::Malformed {
            file: name(file),
            place: "line 1".to_owned(),
            why: format!("it is no gzip: {e}"),
        })?;
    Ok(plain)
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
