//! Harness `ext4`: a real file system on a loop device loses its memory.
//!
//! The process is killed first, then the file system is shut down without
//! flushing its journal (`EXT4_IOC_SHUTDOWN`, Linux `fs/ext4/ioctl.c`): what
//! was in the page cache is gone, as after a power cut. Needs root and loop
//! devices; where they are missing the harness says so and does not run.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::chance::Chance;
use crate::child::killed_after;
use crate::crash::{runtime, scratch};
use crate::mutant::Mutant;
use crate::recover::judge;
use crate::tally::Tally;

/// `_IOR('X', 125, __u32)`.
const SHUTDOWN: libc::c_ulong = 0x8004_587d;
/// `EXT4_GOING_FLAGS_NOLOGFLUSH`.
const NO_LOG_FLUSH: u32 = 2;
const IMAGE_BYTES: u64 = 96 << 20;

/// A file system in a file, mounted while the value lives.
pub(crate) struct Loop {
    _folder: TempDir,
    image: PathBuf,
    mount: PathBuf,
    mounted: bool,
}

impl Loop {
    /// Makes and mounts one, or says what is missing.
    pub(crate) fn new() -> Result<Self, String> {
        // Below the loop device the image may lie in memory: what counts is what reaches it.
        let folder = scratch()?;
        let (image, mount) = (folder.path().join("image"), folder.path().join("mount"));
        std::fs::create_dir(&mount).map_err(|e| e.to_string())?;
        File::create(&image)
            .and_then(|file| file.set_len(IMAGE_BYTES))
            .map_err(|e| e.to_string())?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))?;
        let mut made = Self {
            _folder: folder,
            image,
            mount,
            mounted: false,
        };
        made.mount()?;
        Ok(made)
    }

    fn mount(&mut self) -> Result<(), String> {
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(&self.image)
            .arg(&self.mount))?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> Result<(), String> {
        run(Command::new("umount").arg(&self.mount))?;
        self.mounted = false;
        Ok(())
    }

    /// The power fails and comes back.
    fn power_cut(&mut self) -> Result<(), String> {
        shut_down(&self.mount)?;
        self.unmount()?;
        self.mount()
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if self.mounted {
            // A leftover mount is told of by the system, and harms no result.
            self.unmount().ok();
        }
    }
}

#[expect(unsafe_code, reason = "the call has no safe face")]
fn shut_down(mount: &Path) -> Result<(), String> {
    let root = File::open(mount).map_err(|e| e.to_string())?;
    let flags = NO_LOG_FLUSH;
    // SAFETY: the descriptor is open, and the kernel reads one u32 that lives on.
    let done = unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &raw const flags) };
    if done == 0 {
        Ok(())
    } else {
        Err(format!(
            "the file system did not shut down: {}",
            std::io::Error::last_os_error()
        ))
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.output().map_err(|e| format!("{name}: {e}"))?;
    if out.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&out.stderr);
    Err(format!("{name}: {}", why.trim()))
}

/// Cuts the power `runs` times.
pub(crate) fn all(
    disk: &mut Loop,
    runs: u64,
    mutant: Option<Mutant>,
    tally: &Tally,
) -> Result<(), String> {
    for n in 0..runs {
        let lines = usize::try_from(40 + Chance::of(n).below(300)).unwrap_or(100);
        let folder = disk.mount.join("data");
        let life = killed_after(lines, &folder, mutant)?;
        disk.power_cut()?;
        let judged = match std::fs::create_dir_all(&folder) {
            Ok(()) => runtime()?.block_on(judge(&folder, &life.said)),
            Err(error) => Err(error.to_string()),
        };
        tally.count(n, life.whole().and(judged));
        std::fs::remove_dir_all(&folder).map_err(|e| e.to_string())?;
    }
    Ok(())
}
