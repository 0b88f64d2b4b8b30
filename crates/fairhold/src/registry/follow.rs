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

use facts::Exchange;
use provenance::{Role, Segment};
use store::{Passed, Taken};
use tokio::sync::watch;

use super::forget::{Erased, Left, Outputs, REMAIN, Still};
use super::tiers::Small;
use super::{Folder, Kind, Making, RegistryError, Writing, role};
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
/// When there is more, it rests so many times as long as it worked: a tenth of a core at most. That
/// is enough for some 2,000 exchanges a second, more than a core serves; taken less, they would leave
/// the hand-over and cost several times as much to read back, for the same gateway.
const REST: u32 = 9;
/// And after a failure.
const PATIENCE: Duration = Duration::from_secs(5);
/// Outputs that are written together: some megabytes, in memory that was used before.
const OUTPUTS: usize = 1_024;
/// The longest that an output waits to be written.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// So many records behind the log it is said.
const BEHIND: u64 = 100_000;
/// How often.
const TELL: Duration = Duration::from_secs(60);

/// How long to rest after so much work.
fn pause(worked: Duration, records: u64) -> Duration {
    let rest = worked * REST;
    match records {
        0 => PAUSE.max(rest),
        1..PAGE => SOON.max(rest),
        _ => rest,
    }
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
    /// Its small files; none: they are not known (any more).
    small: Option<Small>,
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
            small: None,
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
        role(&self.twins, exchange.model.as_ref())
    }

    /// Takes the next records; says how long to rest then.
    async fn turn(&mut self) -> Duration {
        let started = Instant::now();
        match self.step().await {
            Ok(records) => pause(started.elapsed(), records),
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
        // Files become smaller, and some go.
        self.small = None;
        let (folder, right) = (Arc::clone(&self.folder), Arc::clone(&self.right));
        let erased = erased.clone();
        let written = tokio::task::spawn_blocking(move || folder.take_out(&right, &erased));
        let written = written.await.map_err(|_| FollowError::Stopped)?;
        Ok(held.and(written.map_err(FollowError::Registry)?))
    }

    /// Keeps what stands before the log's first record.
    pub(crate) fn keep(&self, segments: Vec<Segment>) -> Result<(), RegistryError> {
        self.folder.write(&self.right, segments, (0, 0))?;
        Ok(())
    }

    /// Reads all there is, and writes it; gives what was counted.
    pub(crate) async fn catch_up(&mut self) -> Result<Making, FollowError> {
        while self.step().await? > 0 {}
        self.write().await?;
        self.small = None;
        let merged = self.folder.merge(&self.right);
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
        let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let records = match self.keeper.handed().take(self.next, most) {
            Taken::Passed { to, passed } => self.take_passed(to, passed).await?,
            Taken::InLog { to } => self.read(to).await?,
        };
        if self.making.len() >= OUTPUTS || self.since.elapsed() >= WAIT {
            self.write().await?;
        }
        Ok(records)
    }

    /// Takes what was handed over, up to a record.
    async fn take_passed(&mut self, to: u64, passed: Vec<Passed>) -> Result<u64, FollowError> {
        let twins = self.twins.clone();
        if !passed.is_empty() {
            self.make(move |making| {
                for passed in &passed {
                    making.take_passed(passed, &twins);
                }
            })
            .await?;
        }
        let records = to.saturating_sub(self.next);
        self.next = to;
        Ok(records)
    }

    /// Reads the next records of the log, up to one that was handed over.
    async fn read(&mut self, to: Option<u64>) -> Result<u64, FollowError> {
        let size = self.keeper.database().count().await;
        let size = size.map_err(|e| FollowError::Keeper(e.into()))?;
        let end = size.min(self.next.saturating_add(PAGE));
        let end = end.min(to.unwrap_or(u64::MAX));
        let records = end.saturating_sub(self.next);
        if records > 0 {
            let answered = self.keeper.answered(self.next..end).await;
            let answered = answered.map_err(FollowError::Keeper)?;
            let twins = self.twins.clone();
            self.make(move |making| {
                for exchange in &answered {
                    making.take(exchange, role(&twins, exchange.model.as_ref()));
                }
            })
            .await?;
            self.next = end;
        }
        self.tell(size.saturating_sub(self.next));
        Ok(records)
    }

    /// Computes on a thread that may be blocked.
    async fn make(
        &mut self,
        work: impl FnOnce(&mut Making) + Send + 'static,
    ) -> Result<(), FollowError> {
        let fresh = Making::new(self.folder.key());
        let mut making = std::mem::replace(&mut self.making, fresh);
        let made = tokio::task::spawn_blocking(move || {
            work(&mut making);
            making
        });
        self.making = made.await.map_err(|_| FollowError::Stopped)?;
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

    /// Writes what is held, then how far that is.
    pub(crate) async fn write(&mut self) -> Result<(), FollowError> {
        self.since = Instant::now();
        if self.from == self.next {
            return Ok(());
        }
        let segments = self.making.build();
        let (folder, right) = (Arc::clone(&self.folder), Arc::clone(&self.right));
        let range = (self.from, self.next);
        let mut small = self.small.take();
        let written = tokio::task::spawn_blocking(move || {
            folder.write_on(&right, segments, range, &mut small)?;
            Ok(small)
        });
        self.small = written
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
    if let Some(mut follow) = still.follow().take() {
        follow.keeper.handed().follow(false);
        if let Err(error) = follow.write().await {
            tracing::error!(%error, "what the registry held is read again by the next process");
        }
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
