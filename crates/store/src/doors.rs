//! The doors to the clock, to randomness and to files.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use facts::Timestamp;

use crate::faults::{FileOp, Mutant, has, seen};

/// The real clock: the only place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The moment it is now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one door")]
    pub fn now(self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// `N` bytes from the operating system's generator.
///
/// # Errors
/// When the operating system gives none.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(bytes)
}

/// Replaces the file at `path` as a whole: whoever reads it, also after a power
/// cut, sees the old bytes or the new ones. Temporary file, fsync, rename,
/// fsync of the folder.
///
/// # Errors
/// Those of the file system; the old file is then still there.
pub fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", hex::encode(random::<8>()?)));
    let temporary = folder.join(temporary);
    let written = write_new(&temporary, bytes, mode)
        .and_then(|()| seen(FileOp::Rename(&temporary, path)))
        .and_then(|()| std::fs::rename(&temporary, path))
        .and_then(|()| sync_folder(folder));
    if written.is_err() {
        // The first error is the one to report; a leftover is harmless.
        std::fs::remove_file(&temporary).ok();
    }
    written
}

/// A name is durable once its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if has(Mutant::LostDirectorySync) {
        return Ok(());
    }
    seen(FileOp::SyncFolder(folder))?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    seen(FileOp::Write(path, bytes))?;
    file.write_all(bytes)?;
    sync_file(&file, path)
}

pub(crate) fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    if has(Mutant::NeverSync) {
        return Ok(());
    }
    seen(FileOp::Sync(path))?;
    file.sync_all()
}
