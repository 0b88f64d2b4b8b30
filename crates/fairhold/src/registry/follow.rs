//! Fingerprints of outputs, written as exchanges pass: beside the gateway, never before it.
//!
//! Like the watch it follows the log from a place of its own, so that nothing is queued in memory
//! and nothing is lost with the process. What it has gathered is written when there is enough of
//! it or when some time has passed; only then is the place moved.

use std::sync::Arc;
use std::time::{Duration, Instant};

use facts::Exchange;
use provenance::{Role, Segment};
use tokio::sync::watch;

use super::forget::{Erased, Left, Outputs, REMAIN, Still};
use super::{FILES_MAX, Folder, Kind, Making, RegistryError, Writing, role};
use crate::failure::Failure;
use crate::house::House;
use crate::keeper::{Keeper, KeeperError};

/// Records read at once.
const PAGE: u64 = 500;
/// How long to wait when there is nothing more to read.
const PAUSE: Duration = Duration::from_millis(500);
/// When there is more, it rests this many times as long as it worked: at most one thirtieth of a
/// core is taken from a busy gateway, and what it does not read then it reads later.
const REST: u32 = 30;
/// And after a failure.
const PATIENCE: Duration = Duration::from_secs(5);
/// Outputs that are written together.
const OUTPUTS: usize = 4_096;
/// The longest that an output waits to be written.
const WAIT: Duration = Duration::from_secs(30);

/// So many records behind the log it is said.
const BEHIND: u64 = 100_000;
/// How often.
const TELL: Duration = Duration::from_secs(60);

/// How long to rest after so much work. A busy gateway's log always has something new, a full page
/// or not.
fn pause(worked: Duration) -> Duration {
    PAUSE.max(worked * REST)
}

/// Why records were not taken. They will be read again.
#[derive(Debug)]
pub(crate) enum FollowError {
    /// The log could not be read.
    Keeper(KeeperError),
    /// The registry could not be written.
    Registry(RegistryError),
    /// The computing was stopped.
    Stopped,
}

impl std::fmt::Display for FollowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keeper(error) => write!(f, "{error}"),
            Self::Registry(error) => write!(f, "{error}"),
            Self::Stopped => f.write_str("registry: the process is ending"),
        }
    }
}

/// Follows the log of one house.
pub(crate) struct Follow {
    keeper: Arc<Keeper>,
    folder: Arc<Folder>,
    right: Arc<Writing>,
    making: Making,
    /// From where the outputs that are held were read.
    from: u64,
    next: u64,
    since: Instant,
    /// Models whose outputs are control twins.
    twins: Vec<String>,
    /// When it was last said how far it is behind.
    told: Option<Instant>,
}

impl Follow {
    /// Goes on where the last one stopped.
    pub(crate) fn open(keeper: Arc<Keeper>, folder: Folder) -> Result<Self, RegistryError> {
        Self::with_twins(keeper, folder, &[])
    }

    /// The same; outputs of these models are control twins, from now on.
    pub(crate) fn with_twins(
        keeper: Arc<Keeper>,
        folder: Folder,
        twins: &[String],
    ) -> Result<Self, RegistryError> {
        let right = Arc::new(folder.lock()?);
        let twins = folder.claim(&right, Kind::Store, twins)?;
        let next = folder.next()?;
        Ok(Self {
            keeper,
            making: Making::new(folder.key()),
            folder: Arc::new(folder),
            right,
            from: next,
            next,
            since: Instant::now(),
            twins,
            told: None,
        })
    }

    /// Whether an exchange is an output or a control twin.
    pub(crate) fn role(&self, exchange: &Exchange) -> Role {
        role(&self.twins, exchange)
    }

    /// Takes the next records; says how long to rest then.
    async fn turn(&mut self) -> Duration {
        let started = Instant::now();
        match self.step().await {
            Ok(_) => pause(started.elapsed()),
            Err(error) => {
                tracing::error!(%error, "the registry reads again");
                self.again();
                PATIENCE
            }
        }
    }

    /// Takes outputs that were erased out of what is held in memory, and out of the files.
    pub(crate) async fn take_out(&mut self, erased: &Erased) -> Result<Left, FollowError> {
        let held = self.making.take_out(erased);
        let (folder, right) = (Arc::clone(&self.folder), Arc::clone(&self.right));
        let erased = erased.clone();
        let written = tokio::task::spawn_blocking(move || folder.take_out(&right, &erased));
        let written = written.await.map_err(|_| FollowError::Stopped)?;
        Ok(held.and(written.map_err(FollowError::Registry)?))
    }

    /// Keeps what stands before the log's first record.
    pub(crate) fn keep(&self, segments: Vec<Segment>) -> Result<(), RegistryError> {
        self.folder.write(&self.right, segments, (0, 0))
    }

    /// Reads all there is, and writes it; gives what was counted.
    pub(crate) async fn catch_up(&mut self) -> Result<Making, FollowError> {
        while self.step().await? > 0 {}
        self.write().await?;
        let merged = self.folder.merge(&self.right, 1);
        merged.map_err(FollowError::Registry)?;
        Ok(std::mem::replace(
            &mut self.making,
            Making::new(self.folder.key()),
        ))
    }

    fn again(&mut self) {
        self.making = Making::new(self.folder.key());
        match self.folder.next() {
            Ok(next) => (self.from, self.next) = (next, next),
            Err(error) => tracing::error!(%error, "the registry cannot read how far it came"),
        }
    }

    /// Takes the next records; says how many there were.
    pub(crate) async fn step(&mut self) -> Result<u64, FollowError> {
        let size = self.keeper.database().count().await;
        let size = size.map_err(|e| FollowError::Keeper(e.into()))?;
        let end = size.min(self.next.saturating_add(PAGE));
        let records = end.saturating_sub(self.next);
        if records > 0 {
            let answered = self.keeper.answered(self.next..end).await;
            let answered = answered.map_err(FollowError::Keeper)?;
            let fresh = Making::new(self.folder.key());
            let mut making = std::mem::replace(&mut self.making, fresh);
            let twins = self.twins.clone();
            let made = tokio::task::spawn_blocking(move || {
                for exchange in &answered {
                    making.take(exchange, role(&twins, exchange));
                }
                making
            });
            self.making = made.await.map_err(|_| FollowError::Stopped)?;
            self.next = end;
        }
        self.tell(size.saturating_sub(self.next));
        if self.making.len() >= OUTPUTS || self.since.elapsed() >= WAIT {
            self.write().await?;
        }
        Ok(records)
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

    /// Writes what is held, then how far that is.
    pub(crate) async fn write(&mut self) -> Result<(), FollowError> {
        self.since = Instant::now();
        if self.from == self.next {
            return Ok(());
        }
        let segments = self.making.build();
        let (folder, right) = (Arc::clone(&self.folder), Arc::clone(&self.right));
        let range = (self.from, self.next);
        let written = tokio::task::spawn_blocking(move || {
            let any = !segments.is_empty();
            folder.write(&right, segments, range)?;
            folder.advance(&right, range.1)?;
            if any {
                folder.merge(&right, FILES_MAX)?;
            }
            Ok(())
        });
        written
            .await
            .map_err(|_| FollowError::Stopped)?
            .map_err(FollowError::Registry)?;
        self.from = self.next;
        Ok(())
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
    loop {
        let Some(pause) = outputs.still().await.turn().await else {
            return;
        };
        tokio::select! {
            // An error means that the sender is gone: that is a stop too.
            _ = stop.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    let mut still = outputs.still().await;
    if let Some(mut follow) = still.follow().take()
        && let Err(error) = follow.write().await
    {
        tracing::error!(%error, "what the registry held is read again by the next process");
    }
}

/// Fingerprints of outputs, written beside the gateway.
pub(crate) struct Registering {
    outputs: Arc<Outputs>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Registering {
    /// Follows the log of a house into its registry.
    pub(crate) async fn start(house: &House) -> Result<Self, Failure> {
        let outputs = Arc::clone(&house.outputs);
        let folder = outputs.folder(house.keeper.database()).await;
        let folder = folder.map_err(|e| Failure::error(e.to_string()))?;
        let follow = Follow::open(Arc::clone(&house.keeper), folder);
        let follow = follow.map_err(|e| Failure::error(e.to_string()))?;
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
            self.outputs.still().await.follow().take();
        }
    }
}

#[cfg(test)]
mod tests;
