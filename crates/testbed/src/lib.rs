//! On which databases is it tested? `SQLite` and a fresh `PostgreSQL`; never shipped.
#![forbid(unsafe_code)]
#![expect(
    clippy::panic,
    reason = "a test bed that cannot stand fails the test at once"
)]

pub mod socket;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// A fresh cluster that listens on a socket in its own temporary folder.
///
/// A guard process holds the end of a pipe from us: when the value is dropped,
/// or this process dies in whatever way, it stops the cluster and removes the
/// folder. `fsync` is on: the product refuses a server that does not sync.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    guard: Child,
    made: AtomicU32,
}

impl Postgres {
    /// Starts one.
    ///
    /// # Panics
    /// When `PostgreSQL` is not installed or does not start.
    pub fn start() -> Self {
        Self::with(&std::env::temp_dir(), "-c fsync=on").unwrap_or_else(|e| panic!("{e}"))
    }

    /// Starts one that does not sync, to show that the product refuses it.
    ///
    /// # Panics
    /// When `PostgreSQL` is not installed or does not start.
    pub fn forgetful() -> Self {
        Self::with(&std::env::temp_dir(), "-c fsync=off").unwrap_or_else(|e| panic!("{e}"))
    }

    /// Starts one that removes files of its write-ahead log once they are not needed, where others
    /// use them again as they are.
    ///
    /// # Panics
    /// When `PostgreSQL` is not installed or does not start.
    pub fn tidy() -> Self {
        let options = "-c fsync=on -c wal_recycle=off";
        Self::with(&std::env::temp_dir(), options).unwrap_or_else(|e| panic!("{e}"))
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has it write all pages to their files, begin a new file of its write-ahead log, and let go of
    /// those before.
    ///
    /// # Panics
    /// When the server does not do it.
    pub fn checkpoint(&self) {
        for sql in ["CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"] {
            run(Command::new(self.programs.join("psql"))
                .arg("-h")
                .arg(&self.folder)
                .args(["-U", "postgres", "-X", "-q", "-c", sql]))
            .unwrap_or_else(|e| panic!("{e}"));
        }
    }

    /// Starts one in `folder` that syncs each commit, for measurements; its
    /// memory and log are sized as an operator would for a gateway of its own.
    ///
    /// # Errors
    /// When `PostgreSQL` is not installed or does not start, in words.
    pub fn durable(folder: &Path) -> Result<Self, String> {
        let options = "-c fsync=on -c synchronous_commit=on -c shared_buffers=512MB -c max_wal_size=8GB -c wal_buffers=64MB -c checkpoint_timeout=30min";
        Self::with(folder, options)
    }

    fn with(parent: &Path, more: &str) -> Result<Self, String> {
        let programs = programs()?;
        let folder = TempDir::with_prefix_in("fairhold-postgres-", parent)
            .map_err(|e| format!("failed to make a temporary folder: {e}"))?
            .keep();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder))?;
        }
        let data = folder.join("data");
        let mut make = as_postgres(&programs.join("initdb"));
        make.args(["--no-sync", "-A", "trust", "-U", "postgres"])
            .args(["-E", "UTF8", "--locale=C", "-D"])
            .arg(&data);
        run(&mut make)?;
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=200 {more}",
            folder.display()
        );
        run(as_postgres(&programs.join("pg_ctl"))
            .args(["start", "-w", "-D"])
            .arg(&data)
            .arg("-o")
            .arg(options)
            .arg("-l")
            .arg(folder.join("log")))?;
        let guard = guard(&programs, &folder)?;
        Ok(Self {
            folder,
            programs,
            guard,
            made: AtomicU32::new(0),
        })
    }

    /// Makes a fresh database and gives its URL.
    ///
    /// # Panics
    /// When the server does not make it.
    pub fn database(&self) -> String {
        let name = format!("t{}", self.made.fetch_add(1, Ordering::Relaxed));
        run(Command::new(self.programs.join("createdb"))
            .arg("-h")
            .arg(&self.folder)
            .args(["-U", "postgres", &name]))
        .unwrap_or_else(|e| panic!("{e}"));
        format!(
            "postgres://postgres@localhost/{name}?host={}",
            self.folder.display()
        )
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // The guard's own failure leaves a folder behind, no wrong test result.
        self.guard.wait().ok();
    }
}

/// Fresh databases of both engines.
#[derive(Debug)]
pub struct Databases {
    /// `sqlite:PATH`; the file does not exist yet.
    pub sqlite: String,
    /// `postgres://...`
    pub postgres: String,
    folder: TempDir,
}

impl Databases {
    /// A temporary folder that lives as long as the value.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Fresh databases of both engines; one cluster serves the whole process.
///
/// # Panics
/// When `PostgreSQL` is not installed or does not start.
pub fn databases() -> Databases {
    static CLUSTER: OnceLock<Postgres> = OnceLock::new();
    let folder = TempDir::with_prefix("fairhold-store-")
        .unwrap_or_else(|e| panic!("failed to make a temporary folder: {e}"));
    Databases {
        sqlite: format!("sqlite:{}", folder.path().join("fairhold.db").display()),
        postgres: CLUSTER.get_or_init(Postgres::start).database(),
        folder,
    }
}

/// Runs the check on a fresh database of each engine.
///
/// # Panics
/// When the check does, or when `PostgreSQL` does not start.
pub fn on_both(check: impl Fn(&str)) {
    let databases = databases();
    check(&databases.sqlite);
    check(&databases.postgres);
}

/// The newest installed version's programs.
fn programs() -> Result<PathBuf, String> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs
                .join("initdb")
                .exists()
                .then_some((version, programs))
        })
        .collect();
    found.sort();
    let newest = found.pop().map(|(_, programs)| programs);
    newest
        .ok_or_else(|| "PostgreSQL is missing: install the Debian package `postgresql`".to_owned())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|o| o.stdout.trim_ascii() == b"0")
}

/// `PostgreSQL` refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command.current_dir("/");
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|e| format!("failed to run {command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("failed to run {command:?}: {said}"))
}

fn guard(programs: &Path, folder: &Path) -> Result<Child, String> {
    // Signals to our process group (Ctrl-C) must not end the guard first.
    let script = "trap '' INT TERM HUP; cat >/dev/null; \"$1\" stop -m immediate -D \"$2/data\"; rm -rf \"$2\"";
    as_postgres(Path::new("sh"))
        .args(["-c", script, "guard"])
        .arg(programs.join("pg_ctl"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("failed to start the cluster's guard: {e}"))
}
