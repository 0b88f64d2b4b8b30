//! The other processes of a benchmark, and what they cost.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A server started from this same binary; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The first line that it printed: where it listens and what it needs told.
    pub(crate) greeting: String,
}

impl Server {
    /// Starts `binary args...` and waits for its first line.
    ///
    /// # Errors
    /// When it cannot be started or ends before it greets.
    pub(crate) async fn start(binary: &Path, args: &[&str]) -> std::io::Result<Self> {
        let mut child = Command::new(binary)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || std::io::Error::other("the server's output is not readable");
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        let ended = || std::io::Error::other("the server ended before it listened");
        let greeting = lines.next_line().await?.ok_or_else(ended)?;
        Ok(Self { child, greeting })
    }

    /// User and system CPU time so far, in microseconds (to a hundredth of a second).
    ///
    /// # Errors
    /// When the process is gone or this is not Linux.
    pub(crate) fn cpu_us(&self) -> std::io::Result<u64> {
        cpu_us(&self.proc("stat")?)
    }

    /// The same of the processes that it has started and that are there, by their numbers.
    ///
    /// # Errors
    /// When the process is gone or this is not Linux.
    pub(crate) fn children_cpu_us(&self) -> std::io::Result<BTreeMap<u32, u64>> {
        let parent = self.child.id().ok_or_else(gone)?;
        let mut all = BTreeMap::new();
        for entry in std::fs::read_dir("/proc")? {
            let entry = entry?;
            let number = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            // A process may end while its neighbours are listed.
            let stat = std::fs::read_to_string(entry.path().join("stat"));
            let (Some(number), Ok(stat)) = (number, stat) else {
                continue;
            };
            if parent_of(&stat) == Some(parent) {
                all.insert(number, cpu_us(&stat)?);
            }
        }
        Ok(all)
    }

    /// Resident memory in megabytes.
    ///
    /// # Errors
    /// When the process is gone or this is not Linux.
    pub(crate) fn rss_mb(&self) -> std::io::Result<f64> {
        let status = self.proc("status")?;
        resident_kb(&status)
            .map(|kb| f64::from(kb) / 1024.0)
            .ok_or_else(|| std::io::Error::other("the process status is not in the known form"))
    }

    fn proc(&self, file: &str) -> std::io::Result<String> {
        let pid = self.child.id().ok_or_else(gone)?;
        std::fs::read_to_string(format!("/proc/{pid}/{file}"))
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(mut self) -> std::io::Result<()> {
        self.child.kill().await
    }
}

fn gone() -> std::io::Error {
    std::io::Error::other("the server has ended")
}

/// User and system CPU time of this process so far, in microseconds (to a hundredth of a second).
///
/// # Errors
/// When this is not Linux.
pub(crate) fn own_cpu_us() -> std::io::Result<u64> {
    cpu_us(&std::fs::read_to_string("/proc/self/stat")?)
}

fn cpu_us(stat: &str) -> std::io::Result<u64> {
    let unknown = "the process statistics are not in the known form";
    let ticks = cpu_ticks(stat).ok_or_else(|| std::io::Error::other(unknown))?;
    Ok(ticks * 10_000)
}

/// Fields 14 and 15 of `/proc/<pid>/stat`, counted after the name in parentheses.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Field 4.
fn parent_of(stat: &str) -> Option<u32> {
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(1)?.parse().ok()
}

fn resident_kb(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
