//! Every document once, on every core, and what is said of them in the order of the corpus.
//!
//! Whoever is free takes the next unit and reads it; the batches it cuts go into a short queue
//! from which every core takes. When the queue is full the reader works on it too, so that one
//! core needs no other and one large file keeps all of them busy. What is finished waits until
//! its turn to be written; whoever is too far ahead helps the others first.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::document::Document;
use crate::fault::Fault;
use crate::manifest::{Manifest, ManifestError, Totals};
use crate::plan::{Options, Plan, PlannedFile};
use crate::read::{self, Batch, Ending};

/// Batches (some 64 MB of corpus) or small files between two marks of the manifest: each mark waits
/// for the disk twice.
const BATCHES_A_MARK: u64 = 64;
/// Batches that wait to be written, at most, before whoever is ahead helps the others.
const AHEAD_MAX: usize = 256;

/// What is asked of every document.
pub trait Job: Sync {
    /// What is said of the documents of one batch.
    type Said: Send;

    /// Nothing yet.
    fn nothing(&self) -> Self::Said;

    /// Looks at a document.
    fn look(&self, document: &Document<'_>, said: &mut Self::Said);

    /// Writes what was said, now that the place of its rows is known.
    fn write(&self, said: Self::Said, place: Place<'_>, to: &mut Vec<u8>);
}

/// Where the rows of a batch stand.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file's number in the plan.
    pub number: usize,
    /// Its name.
    pub file: &'a str,
    rows_before: u64,
}

impl Place<'_> {
    /// The row in the file, from 1, of a row in the batch.
    pub fn row(self, row: u64) -> u64 {
        self.rows_before + row + 1
    }
}

/// How a run is watched and stopped.
pub struct Control<'a> {
    /// Cores to use.
    pub threads: usize,
    /// Told of packed bytes as they are read.
    pub read: &'a (dyn Fn(u64) + Sync),
    /// Set it to stop at the next batch; the manifest then goes on from there.
    pub stop: &'a AtomicBool,
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control({} threads)", self.threads)
    }
}

/// Why a run did not come to its end. Damaged files do not stop it.
#[derive(Debug)]
pub enum RunError {
    /// The manifest cannot be used or written.
    Manifest(ManifestError),
    /// It was told to stop.
    Stopped,
    /// This file, or a document of it, took its reader down.
    GaveUp(String),
    /// Something was left over that nobody read.
    Unfinished,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(error) => write!(f, "{error}"),
            Self::Stopped => {
                f.write_str("finish: it was stopped; the same command goes on from here")
            }
            Self::GaveUp(file) => write!(
                f,
                "read `{file}` on: its reader gave up, which is an error of ours, please report it; \
                 leave the file out meanwhile"
            ),
            Self::Unfinished => f.write_str(
                "finish: a part of the corpus was not read; this is an error of ours, please \
                 report it",
            ),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Manifest(error) => error.source(),
            Self::Stopped | Self::GaveUp(_) | Self::Unfinished => None,
        }
    }
}

/// Runs the job over the corpus, from where the manifest at `marks` is. `asked` is what else the
/// answer depends on: a manifest of another question is refused.
///
/// # Errors
/// [`RunError`]; what was read is in the totals otherwise, damaged files among it.
pub fn run<J: Job>(
    (plan, options): (&Plan, &Options),
    job: &J,
    (mut manifest, marks, asked): (Manifest, &Path, &str),
    control: &Control<'_>,
) -> Result<Totals, RunError> {
    manifest
        .begin(marks, plan.digest(options, asked), plan.unstamped())
        .map_err(RunError::Manifest)?;
    let units: Vec<Unit> = plan.files.iter().enumerate().flat_map(units_of).collect();
    let hall = Hall {
        plan,
        options,
        job,
        control,
        units: &units,
        skip: (manifest.mark.unit, manifest.mark.batches),
        state: Mutex::new(State {
            next: usize::try_from(manifest.mark.unit).unwrap_or(usize::MAX),
            reading: 0,
            head: (manifest.mark.unit, manifest.mark.batches),
            queue: VecDeque::new(),
            working: 0,
            done: BTreeMap::new(),
            failed: None,
            gave_up: None,
        }),
        writer: Mutex::new(manifest),
        news: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 1..control.threads.max(1) {
            scope.spawn(|| hall.work());
        }
        hall.work();
    });
    let state = hall
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let mut manifest = hall
        .writer
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let kept = manifest.sync().map_err(|e| failed(marks, e));
    if let Some(error) = state.failed {
        return Err(RunError::Manifest(failed(marks, error)));
    }
    kept.map_err(RunError::Manifest)?;
    if let Some(file) = state.gave_up {
        return Err(RunError::GaveUp(file));
    }
    if control.stop.load(Ordering::Relaxed) {
        return Err(RunError::Stopped);
    }
    if state.head != (units.len() as u64, 0) {
        return Err(RunError::Unfinished);
    }
    manifest.totals.skip(&plan.skipped, 0);
    Ok(manifest.totals)
}

/// A unit of work.
#[derive(Debug, Clone, Copy)]
struct Unit {
    /// Of which file.
    file: usize,
    part: u32,
    /// Rows of the file that stand before it, whether they could be read or not.
    rows_before: u64,
}

fn units_of((number, file): (usize, &PlannedFile)) -> impl Iterator<Item = Unit> {
    (0..)
        .zip(read::units(file))
        .map(move |(part, rows_before)| Unit {
            file: number,
            part,
            rows_before,
        })
}

fn failed(path: &Path, source: std::io::Error) -> ManifestError {
    ManifestError::File {
        path: path.to_path_buf(),
        source,
    }
}

/// Which batch of which unit.
type Turn = (u64, u64);

/// What is finished and waits for its turn.
enum Done<S> {
    Batch {
        said: S,
        rows: u64,
        documents: u64,
        text_bytes: u64,
        bad: Vec<(u64, String)>,
    },
    Unit(Ending),
}

struct State<S> {
    /// The next unit that nobody reads.
    next: usize,
    reading: usize,
    /// Whose turn it is to be written.
    head: Turn,
    queue: VecDeque<(Turn, Batch)>,
    working: usize,
    done: BTreeMap<Turn, Done<S>>,
    failed: Option<std::io::Error>,
    /// The file that took its reader down.
    gave_up: Option<String>,
}

struct Hall<'a, J: Job> {
    plan: &'a Plan,
    options: &'a Options,
    job: &'a J,
    control: &'a Control<'a>,
    units: &'a [Unit],
    /// Batches of the first unit that an earlier run has written.
    skip: Turn,
    state: Mutex<State<J::Said>>,
    writer: Mutex<Manifest>,
    news: Condvar,
}

impl<J: Job> Hall<'_, J> {
    fn state(&self) -> MutexGuard<'_, State<J::Said>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.control.stop.load(Ordering::Relaxed)
    }

    /// Reads units while there are any, then helps until nobody reads.
    fn work(&self) {
        loop {
            if self.stopped() {
                self.news.notify_all();
                return;
            }
            let mut state = self.state();
            if state.done.len() < AHEAD_MAX
                && let Some(unit) = self.units.get(state.next)
            {
                let number = state.next as u64;
                state.next += 1;
                state.reading += 1;
                drop(state);
                if catch_unwind(AssertUnwindSafe(|| self.read(number, *unit))).is_err() {
                    self.gave_up(number);
                }
                self.state().reading -= 1;
                self.news.notify_all();
            } else if let Some((turn, batch)) = state.queue.pop_front() {
                state.working += 1;
                drop(state);
                self.look(turn, &batch);
            } else if state.reading == 0 && state.working == 0 && state.next >= self.units.len() {
                drop(state);
                self.news.notify_all();
                return;
            } else {
                let waited = self
                    .news
                    .wait_timeout(state, std::time::Duration::from_millis(50));
                drop(waited);
            }
        }
    }

    fn read(&self, number: u64, Unit { file, part, .. }: Unit) {
        let Some(planned) = self.plan.files.get(file) else {
            return;
        };
        let mut batches = 0;
        let mut take = |batch: Batch| {
            let turn = (number, batches);
            batches += 1;
            if self.stopped() {
                return ControlFlow::Break(());
            }
            if turn >= self.skip {
                self.queued(turn, batch);
            }
            ControlFlow::Continue(())
        };
        let ending = read::unit(planned, part, self.options, self.control.read, &mut take);
        if !self.stopped() {
            self.finished((number, batches), Done::Unit(ending));
        }
    }

    /// Queues a batch, and works off what is too much.
    fn queued(&self, turn: Turn, batch: Batch) {
        self.state().queue.push_back((turn, batch));
        self.news.notify_one();
        loop {
            let mut state = self.state();
            let full = state.queue.len() > self.control.threads.saturating_mul(2);
            let ahead = turn.0 > state.head.0 && state.done.len() >= AHEAD_MAX;
            if !full && !ahead || self.stopped() {
                return;
            }
            if let Some((turn, batch)) = state.queue.pop_front() {
                state.working += 1;
                drop(state);
                self.look(turn, &batch);
            } else {
                let waited = self
                    .news
                    .wait_timeout(state, std::time::Duration::from_millis(50));
                drop(waited);
            }
        }
    }

    fn unit(&self, unit: u64) -> Option<Unit> {
        let place = usize::try_from(unit).ok()?;
        self.units.get(place).copied()
    }

    fn file_of(&self, unit: u64) -> Option<&PlannedFile> {
        self.plan.files.get(self.unit(unit)?.file)
    }

    fn look(&self, turn: Turn, batch: &Batch) {
        let mut said = self.job.nothing();
        let (mut documents, mut text_bytes, mut bad) = (0, 0, Vec::new());
        let most = self.options.document_bytes_max;
        let take = |found: Result<Document<'_>, (u64, String)>| match found {
            Ok(document) => {
                documents += 1;
                text_bytes += document.text.len() as u64;
                self.job.look(&document, &mut said);
            }
            Err(why) => bad.push(why),
        };
        let each = || batch.each(&self.options.columns, take, most);
        if let Ok(rows) = catch_unwind(AssertUnwindSafe(each)) {
            self.finished(
                turn,
                Done::Batch {
                    said,
                    rows,
                    documents,
                    text_bytes,
                    bad,
                },
            );
        } else {
            self.gave_up(turn.0);
        }
        self.state().working -= 1;
        self.news.notify_all();
    }

    /// Ends the run over a unit that took its reader down: the others must not wait for what will
    /// never come.
    fn gave_up(&self, unit: u64) {
        let file = self.file_of(unit).map(|file| file.name.clone());
        self.state().gave_up.get_or_insert(file.unwrap_or_default());
        self.control.stop.store(true, Ordering::Relaxed);
        self.news.notify_all();
    }

    /// Puts something among what is finished, then writes whatever has its turn.
    fn finished(&self, turn: Turn, done: Done<J::Said>) {
        self.state().done.insert(turn, done);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut state = self.state();
            let head = state.head;
            let Some(done) = state.done.remove(&head) else {
                return;
            };
            drop(state);
            let write = || self.write(&mut writer, head, done);
            let Ok(written) = catch_unwind(AssertUnwindSafe(write)) else {
                self.gave_up(head.0);
                return;
            };
            let mut state = self.state();
            match written {
                Ok(next) => state.head = next,
                Err(error) => {
                    state.failed = Some(error);
                    self.control.stop.store(true, Ordering::Relaxed);
                    return;
                }
            }
            drop(state);
            self.news.notify_all();
        }
    }

    fn write(
        &self,
        writer: &mut Manifest,
        (unit, batch): Turn,
        done: Done<J::Said>,
    ) -> std::io::Result<Turn> {
        let number = self.unit(unit).map_or(0, |unit| unit.file);
        let name = self.file_of(unit).map_or("", |file| file.name.as_str());
        let next = match done {
            Done::Batch {
                said,
                rows,
                documents,
                text_bytes,
                bad,
            } => {
                let place = Place {
                    number,
                    file: name,
                    rows_before: writer.mark.file_rows,
                };
                let mut bytes = Vec::new();
                self.job.write(said, place, &mut bytes);
                writer.write(&bytes)?;
                let since = &mut writer.mark.since;
                since.rows += rows;
                since.documents += documents;
                since.text_bytes += text_bytes;
                for (row, why) in bad {
                    since.fault(Fault {
                        file: name.to_owned(),
                        row: Some(place.row(row)),
                        why,
                    });
                }
                writer.mark.file_rows += rows;
                (unit, batch + 1)
            }
            Done::Unit(ending) => {
                let since = &mut writer.mark.since;
                if let Some(why) = ending.fault {
                    since.fault(Fault {
                        file: name.to_owned(),
                        row: None,
                        why,
                    });
                }
                if let Some((sha256, bytes)) = ending.digest {
                    since.digests.push((name.to_owned(), sha256, bytes));
                }
                let names = ending.skipped.names.iter();
                let names: Vec<String> = names.map(|member| format!("{name}: {member}")).collect();
                let more = ending.skipped.count - names.len() as u64;
                since.skip(&names, more);
                // Rows keep their numbers behind a part that could not be read.
                writer.mark.file_rows = self.unit(unit + 1).map_or(0, |next| next.rows_before);
                (unit + 1, 0)
            }
        };
        (writer.mark.unit, writer.mark.batches) = next;
        writer.unmarked += 1;
        if writer.unmarked >= BATCHES_A_MARK {
            writer.sync()?;
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests;
