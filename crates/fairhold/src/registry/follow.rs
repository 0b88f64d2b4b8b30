//! Fingerprints of outputs, written as exchanges pass: beside the gateway, never before it.
//!
//! It follows the log from a place of its own, so that nothing is lost with the process. What the
//! journal's writer has just written it takes from its hand-over ([`store::HandOver`]), as it was before
//! it was sealed: to read it back costs more than its fingerprints. What is not there (of before
//! the process began, or more than the hand-over holds) it reads from the log. What it has
//! gathered is written when there is enough of it or when some time has passed; only then is the
//! place moved.

use std::sync::Arc;
use std::time::{Duration, Instant};

use store::Taken;
use tokio::sync::watch;

use super::forget::{Erased, Left, Outputs, REMAIN, Still};
use super::scribe::Scribe;
use super::writer::{Ask, Writer};
use super::{Folder, Making, RegistryError, apart};
use crate::failure::Failure;
use crate::house::House;
use crate::keeper::{Keeper, KeeperError};

/// Records read, or exchanges taken, at once: tens of milliseconds of computing.
const PAGE: u64 = 500;
/// How long to wait when there was nothing to take.
const PAUSE: Duration = Duration::from_millis(500);
/// And when there was something, but no more: what is taken soon is still in the processor's caches, and
/// the memory that it takes is used again.
const SOON: Duration = Duration::from_millis(100);
/// When there is more, it rests so many times as long as the writer worked: half a core at most, which
/// steps behind the gateway. That is enough for some 10,000 exchanges a second; taken less, they would
/// leave the hand-over, and to read them back is the gateway's work.
const REST: u32 = 1;
/// So that is a tenth of a core at most.
const REST_FROM_READING: u32 = 9;
/// And after a failure.
const PATIENCE: Duration = Duration::from_secs(5);
/// Outputs that are written together: some megabytes, in memory that was used before.
const OUTPUTS: usize = 1_024;
/// How long a writer may take to come to an end with what it does when all is to end.
const GRACE: Duration = Duration::from_secs(10);
/// The longest that an output waits to be written.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// So many records behind the log it is said.
const BEHIND: u64 = 100_000;
/// How often.
const TELL: Duration = Duration::from_secs(60);

/// How long to rest after so much work.
fn pause(worked: Duration, step: Step) -> Duration {
    let rest = worked * if step.read { REST_FROM_READING } else { REST };
    match step.records {
        0 => PAUSE.max(rest),
        1..PAGE => SOON.max(rest),
        _ => rest,
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// How many records there were.
    pub(crate) records: u64,
    /// They were read from the log.
    read: bool,
}

/// Why records were not taken. They will be read again.
#[derive(Debug)]
pub(crate) enum FollowError {
    /// The log could not be read.
    Keeper(KeeperError),
    /// The registry could not be written.
    Registry(RegistryError),
}

impl std::fmt::Display for FollowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keeper(error) => write!(f, "{error}"),
            Self::Registry(error) => write!(f, "{error}"),
        }
    }
}

impl From<RegistryError> for FollowError {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

/// Follows the log of one house.
pub(crate) struct Follow {
    keeper: Arc<Keeper>,
    scribe: Scribe,
    /// From where the outputs that are held were read.
    from: u64,
    next: u64,
    /// How many are held.
    held: usize,
    since: Instant,
    /// When it was last said how far it is behind.
    told: Option<Instant>,
}

impl Follow {
    /// Goes on where the last one stopped; the writer is in this process.
    pub(crate) fn here(keeper: Arc<Keeper>, writer: Writer) -> Result<Self, RegistryError> {
        let next = writer.folder().next()?;
        Ok(Self::from(keeper, Scribe::here(writer), next))
    }

    /// The same with a writer that may be elsewhere.
    pub(crate) async fn with(
        keeper: Arc<Keeper>,
        mut scribe: Scribe,
    ) -> Result<Self, RegistryError> {
        let next = scribe.open().await?;
        Ok(Self::from(keeper, scribe, next))
    }

    fn from(keeper: Arc<Keeper>, scribe: Scribe, next: u64) -> Self {
        Self {
            keeper,
            scribe,
            from: next,
            next,
            held: 0,
            since: Instant::now(),
            told: None,
        }
    }

    /// Takes the next records; says how long to rest then.
    async fn turn(&mut self) -> Duration {
        let started = Instant::now();
        match self.step().await {
            Ok(step) => pause(started.elapsed(), step),
            Err(error) => {
                tracing::error!(%error, "the registry reads again in some seconds");
                PATIENCE
            }
        }
    }

    /// Takes outputs that were erased out of what is held in memory, and out of the files.
    pub(crate) async fn take_out(&mut self, erased: &Erased) -> Result<Left, FollowError> {
        self.ready().await?;
        let done = self.scribe.ask(Ask::TakeOut(erased.clone())).await?;
        self.held = done.held;
        Ok(done.left)
    }

    /// Reads all there is, writes it and joins the files.
    pub(crate) async fn catch_up(&mut self) -> Result<(), FollowError> {
        while self.step().await?.records > 0 {}
        self.write().await?;
        self.scribe.ask(Ask::Join).await?;
        Ok(())
    }

    /// What a writer in this process has made so far; what one elsewhere made is not known.
    pub(crate) fn made(&self) -> Option<&Making> {
        self.scribe.writer().map(Writer::made)
    }

    /// Sees to it that there is a writer.
    async fn ready(&mut self) -> Result<(), FollowError> {
        if self.scribe.is_lost() {
            let next = self.scribe.open().await?;
            (self.from, self.next, self.held) = (next, next, 0);
        }
        Ok(())
    }

    /// Takes the next records.
    pub(crate) async fn step(&mut self) -> Result<Step, FollowError> {
        self.ready().await?;
        let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let before = self.next;
        let read = match self.keeper.handed().take(before, most) {
            Taken::Passed { to, passed } => {
                let some = !passed.is_empty();
                self.take(to, some.then_some(Ask::Passed(passed))).await?;
                false
            }
            Taken::InLog { to } => {
                self.read(to).await?;
                true
            }
        };
        let records = self.next.saturating_sub(before);
        if self.held >= OUTPUTS || self.since.elapsed() >= WAIT {
            self.write().await?;
        }
        Ok(Step { records, read })
    }

    /// Takes what ended before the record `to`, if anything did.
    async fn take(&mut self, to: u64, outputs: Option<Ask>) -> Result<(), FollowError> {
        if let Some(outputs) = outputs {
            self.held = self.scribe.ask(outputs).await?.held;
        }
        self.next = to;
        Ok(())
    }

    /// Reads the next records of the log, up to one that was handed over.
    async fn read(&mut self, to: Option<u64>) -> Result<(), FollowError> {
        let size = self.keeper.database().count().await;
        let size = size.map_err(|e| FollowError::Keeper(e.into()))?;
        let end = size.min(self.next.saturating_add(PAGE));
        let end = end.min(to.unwrap_or(u64::MAX));
        if end > self.next {
            let answered = self.keeper.answered(self.next..end).await;
            let answered = answered.map_err(FollowError::Keeper)?;
            let some = !answered.is_empty();
            self.take(end, some.then_some(Ask::Read(answered))).await?;
        }
        self.tell(size.saturating_sub(self.next));
        Ok(())
    }

    /// Says from time to time how far it is behind, when that is far.
    fn tell(&mut self, behind: u64) {
        if behind < BEHIND || self.told.is_some_and(|told| told.elapsed() < TELL) {
            return;
        }
        self.told = Some(Instant::now());
        tracing::warn!(
            records = behind,
            "the registry of outputs is behind the log; it reads on while the gateway is quiet"
        );
    }

    /// Writes what is held, then how far that is. A writer that was lost held nothing.
    pub(crate) async fn write(&mut self) -> Result<(), FollowError> {
        self.since = Instant::now();
        let (from, to) = (self.from, self.next);
        if from < to && !self.scribe.is_lost() {
            self.held = self.scribe.ask(Ask::Write { from, to }).await?.held;
            self.from = to;
        }
        Ok(())
    }

    /// Ends the writer; what is held is not written.
    async fn close(self) {
        self.scribe.close().await;
    }
}

impl Still<'_> {
    /// A turn of the writer, after what still has to leave its files; says how long to rest then.
    /// None: there is no writer.
    pub(crate) async fn turn(&mut self) -> Option<Duration> {
        let keeper = Arc::clone(&self.follow().as_ref()?.keeper);
        let due = self.take_out(keeper.database()).await;
        let rest = self.follow().as_mut()?.turn().await;
        Some(match due {
            Ok(_) => rest,
            Err(error) => {
                tracing::error!(%error, "{REMAIN}");
                rest.max(PATIENCE)
            }
        })
    }
}

/// Follows the log until it is told to stop; what is held is then written. Between two steps the
/// writer can be held still ([`Outputs::still`]).
async fn run(outputs: Arc<Outputs>, mut stop: watch::Receiver<bool>) {
    let mut late = stop.clone();
    tokio::select! {
        () = turns(&outputs, &mut stop) => {}
        // A writer that does not answer is killed; what it held is read again.
        () = told_long_ago(&mut late) => {
            tracing::error!("the registry was still busy when all was to end; what it held is read again");
            if let Some(follow) = outputs.still().await.follow().take() {
                follow.keeper.handed().follow(false);
            }
            return;
        }
    }
    if let Some(follow) = outputs.still().await.follow().take()
        && tokio::time::timeout(GRACE, ended(follow)).await.is_err()
    {
        tracing::error!("what the registry held is read again by the next process");
    }
}

async fn turns(outputs: &Outputs, stop: &mut watch::Receiver<bool>) {
    loop {
        let Some(pause) = outputs.still().await.turn().await else {
            return;
        };
        tokio::select! {
            () = told(stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone: that is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn told_long_ago(stop: &mut watch::Receiver<bool>) {
    told(stop).await;
    tokio::time::sleep(GRACE).await;
}

async fn ended(mut follow: Follow) {
    follow.keeper.handed().follow(false);
    if let Err(error) = follow.write().await {
        tracing::error!(%error, "what the registry held is read again by the next process");
    }
    follow.close().await;
}

/// Fingerprints of outputs, written beside the gateway.
pub(crate) struct Registering {
    outputs: Arc<Outputs>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Registering {
    /// Follows the log of a house into its registry; the writer is a process of its own.
    pub(crate) async fn start(house: &House) -> Result<Self, Failure> {
        Self::with(house, |folder| Scribe::apart(folder, apart::process)).await
    }

    /// The same with any writer.
    pub(crate) async fn with(
        house: &House,
        scribe: impl FnOnce(&Folder) -> Scribe,
    ) -> Result<Self, Failure> {
        let outputs = Arc::clone(&house.outputs);
        let folder = outputs.folder(house.keeper.database()).await;
        let folder = folder.map_err(|e| Failure::error(e.to_string()))?;
        let follow = Follow::with(Arc::clone(&house.keeper), scribe(&folder)).await;
        let follow = follow.map_err(|e| Failure::error(e.to_string()))?;
        house.keeper.handed().follow(true);
        *outputs.still().await.follow() = Some(follow);
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(run(Arc::clone(&outputs), stopping));
        Ok(Self {
            outputs,
            stop,
            task,
        })
    }

    /// What was not read yet is read by the next process.
    pub(crate) async fn stop(self) {
        // Without a receiver it has ended already.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the registry's writer died");
            // It would hold the house open.
            let follow = self.outputs.still().await.follow().take();
            if let Some(follow) = follow {
                follow.keeper.handed().follow(false);
            }
        }
    }
}

#[cfg(test)]
mod tests;
