//! What is done to the files of a folder: kept in order, refused where told.
//!
//! The file system shim (`vfs.rs`) and the store's own file door both report
//! here before they act; a client's answers are kept in the same order, so
//! that every cut of the list knows what had been promised by then.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::thread::{self, ThreadId};

use fairhold::sealer::Sealed;
use store::faults::FileOp;

/// Something that a client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// This record is durable in this place.
    Recorded {
        /// Its sequence number.
        seq: u64,
        /// Its leaf.
        leaf: Vec<u8>,
    },
    /// The ledger published this checkpoint.
    Published(Sealed),
    /// This file of the data folder holds these bytes.
    Kept {
        /// Its name.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// One operation on one file of the folder, or something said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    Create(String),
    Write {
        name: String,
        at: u64,
        bytes: Vec<u8>,
    },
    Truncate {
        name: String,
        size: u64,
    },
    Sync(String),
    Delete(String),
    Rename {
        from: String,
        to: String,
    },
    SyncFolder,
    Said(Said),
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// The disk reports an error.
    Error,
    /// The disk is full; half of the bytes are written.
    Full,
}

/// From the `from`-th write or sync on, `lasting` of them fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    pub(crate) how: Failing,
    pub(crate) from: u64,
    pub(crate) lasting: u64,
}

/// A folder under watch.
#[derive(Debug)]
pub(crate) struct Watch {
    root: PathBuf,
    state: Mutex<State>,
    passed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ops: Vec<Op>,
    outage: Option<Outage>,
    counted: u64,
    struck: bool,
    /// Whose turn it is, if one thread alone may act.
    turn: Option<ThreadId>,
    /// The file that says how the disk fails as long as it is there.
    switch: Option<PathBuf>,
}

static WATCHED: RwLock<Vec<Weak<Watch>>> = RwLock::new(Vec::new());

impl Watch {
    /// Watches a folder from now on, for as long as the value lives.
    pub(crate) fn over(root: &Path, outage: Option<Outage>) -> Arc<Self> {
        let watch = Arc::new(Self {
            root: root.to_path_buf(),
            state: Mutex::new(State {
                outage,
                ..State::default()
            }),
            passed: Condvar::new(),
        });
        let mut watched = WATCHED.write().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|w| w.strong_count() > 0);
        watched.push(Arc::downgrade(&watch));
        watch
    }

    /// Watches a folder for as long as the process lives, and fails as the file `switch` says;
    /// nothing is kept.
    pub(crate) fn switched(root: &Path, switch: PathBuf) {
        let watch = Self::over(root, None);
        watch.state().switch = Some(switch);
        std::mem::forget(watch);
    }

    /// Who watches this path, and its name there.
    pub(crate) fn of(path: &Path) -> Option<(Arc<Self>, String)> {
        let watched = WATCHED.read().unwrap_or_else(PoisonError::into_inner);
        watched.iter().filter_map(Weak::upgrade).find_map(|watch| {
            let name = path.strip_prefix(&watch.root).ok()?.to_str()?.to_owned();
            Some((watch, name))
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on only this thread acts: what others ask of the folder waits.
    pub(crate) fn take_turn(&self) {
        self.state().turn = Some(thread::current().id());
    }

    /// Lets every thread act again.
    pub(crate) fn pass_turn(&self) {
        self.state().turn = None;
        self.passed.notify_all();
    }

    /// Takes an operation down, or says how it fails instead.
    pub(crate) fn take(&self, op: Op) -> Result<(), Failing> {
        let me = thread::current().id();
        let waits = |state: &mut State| state.turn.is_some_and(|turn| turn != me);
        let mut state = self
            .passed
            .wait_while(self.state(), waits)
            .unwrap_or_else(PoisonError::into_inner);
        if matches!(op, Op::Write { .. } | Op::Sync(_) | Op::Truncate { .. }) {
            if let Some(failing) = state.switch.as_deref().and_then(thrown) {
                return Err(failing);
            }
            state.counted += 1;
            let n = state.counted;
            let struck = state
                .outage
                .filter(|o| n >= o.from && n - o.from < o.lasting);
            if let Some(outage) = struck {
                state.struck = true;
                if let (
                    Failing::Full,
                    Op::Write {
                        name,
                        at,
                        mut bytes,
                    },
                ) = (outage.how, op)
                {
                    bytes.truncate(bytes.len() / 2);
                    state.ops.push(Op::Write { name, at, bytes });
                }
                return Err(outage.how);
            }
        }
        if state.switch.is_none() {
            state.ops.push(op);
        }
        Ok(())
    }

    /// Takes down what a client was told.
    pub(crate) fn say(&self, said: Said) {
        self.state().ops.push(Op::Said(said));
    }

    /// Whether the outage has struck.
    pub(crate) fn struck(&self) -> bool {
        self.state().struck
    }

    /// Everything so far.
    pub(crate) fn ops(&self) -> Vec<Op> {
        std::mem::take(&mut self.state().ops)
    }
}

/// How the disk fails by this switch.
fn thrown(switch: &Path) -> Option<Failing> {
    match std::fs::read(switch).ok()?.as_slice() {
        b"full" => Some(Failing::Full),
        _ => Some(Failing::Error),
    }
}

/// The store's own file door reports here.
pub(crate) fn file_op(op: FileOp<'_>) -> io::Result<()> {
    let (path, ops) = match op {
        FileOp::Write(path, bytes) => (
            path,
            vec![
                Op::Create(name(path)),
                Op::Write {
                    name: name(path),
                    at: 0,
                    bytes: bytes.to_vec(),
                },
            ],
        ),
        FileOp::Sync(path) => (path, vec![Op::Sync(name(path))]),
        FileOp::Rename(from, to) => (
            to,
            vec![Op::Rename {
                from: name(from),
                to: name(to),
            }],
        ),
        FileOp::SyncFolder(folder) => return folder_op(folder),
    };
    let Some((watch, _)) = Watch::of(path) else {
        return Ok(());
    };
    ops.into_iter()
        .try_for_each(|op| watch.take(op))
        .map_err(error)
}

fn folder_op(folder: &Path) -> io::Result<()> {
    match Watch::of(&folder.join("x")) {
        Some((watch, _)) => watch.take(Op::SyncFolder).map_err(error),
        None => Ok(()),
    }
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn error(failing: Failing) -> io::Error {
    match failing {
        Failing::Error => io::Error::other("the disk reports an error"),
        Failing::Full => io::ErrorKind::StorageFull.into(),
    }
}
