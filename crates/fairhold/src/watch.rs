//! Who is being watched, and what was seen? Profiles kept current beside the
//! gateway, each account judged once at each look.
//!
//! The watch follows the log from a place of its own that is kept in the
//! store with the profiles, in one transaction. So it waits for nobody and
//! nobody waits for it: nothing is queued in memory, nothing is lost when the
//! process dies, and what is read again is never counted twice.

pub(crate) mod book;
pub(crate) mod finding;
mod kept;
mod known;
pub(crate) mod model;
mod state;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use detection::{Detector, SketchKey};
use facts::AccountId;
use store::{FindingRow, StoreError, SystemClock};
use tokio::sync::watch;

use crate::campaigns::KnownCampaigns;
use crate::house::House;
use crate::keeper::{Keeper, KeeperError};
use book::{Book, Seen};
use known::Known;

/// Records read at once: some 250 exchanges, whose profiles are written in a few milliseconds, so
/// that the journal, which writes to the same database, never waits longer.
const PAGE: u64 = 500;
/// How long to wait when there is nothing more to read.
const PAUSE: Duration = Duration::from_millis(500);
/// When there is more, it rests this many times as long as it worked: a quarter of one core is
/// left to it while the gateway is busy, and what it does not read then it reads later.
const REST: u32 = 3;
/// And after a failure.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a deployment watches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Watching {
    /// A finding is made when an honest account would ever look like it with at most this chance.
    pub(crate) alpha: f64,
    /// Profiles held in memory at once; the others stay in the store.
    pub(crate) accounts_in_memory: usize,
}

impl Watching {
    /// Without a word in the configuration: one honest account in a hundred may be asked for a
    /// declaration; 50,000 profiles of some 4 kB are 200 MB.
    pub(crate) const USUAL: Self = Self {
        alpha: 0.01,
        accounts_in_memory: 50_000,
    };
}

/// Why a batch was not taken into account. It will be read again.
#[derive(Debug)]
pub(crate) enum WatchError {
    /// The log could not be read.
    Keeper(KeeperError),
    /// The profiles could not be read or kept.
    Store(StoreError),
    /// The detector cannot be kept beside what it says; in words.
    Detector(String),
    /// Another batch was kept since this one was read.
    Moved,
    /// The computing was stopped.
    Stopped,
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keeper(error) => write!(f, "{error}"),
            Self::Store(error) => write!(f, "{error}"),
            Self::Detector(why) => f.write_str(why),
            Self::Moved => f.write_str("watch: a batch that was given up was kept after all"),
            Self::Stopped => f.write_str("watch: the process is ending"),
        }
    }
}

impl std::error::Error for WatchError {}

impl From<KeeperError> for WatchError {
    fn from(error: KeeperError) -> Self {
        Self::Keeper(error)
    }
}

impl From<StoreError> for WatchError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Follows the log of one house.
#[derive(Debug)]
pub(crate) struct Watch {
    keeper: Arc<Keeper>,
    book: Book,
    sketches: SketchKey,
    folder: PathBuf,
    written: Option<SystemTime>,
    next: u64,
    page: u64,
    reader: Option<Box<detection::Reader>>,
    campaigns: Arc<KnownCampaigns>,
    known: Known,
}

impl Watch {
    /// Goes on where the last one stopped.
    pub(crate) async fn open(
        house: &House,
        detector: Detector,
        watching: Watching,
    ) -> Result<Self, WatchError> {
        let keeper = Arc::clone(&house.keeper);
        let next = keeper.database().watched().await?;
        let folder = house.folder.path().to_path_buf();
        Ok(Self {
            book: Book::new(detector, watching),
            keeper,
            sketches: house.sketches,
            written: model::written(&folder),
            folder,
            next,
            page: PAGE,
            reader: None,
            campaigns: Arc::clone(&house.campaigns),
            known: Known::default(),
        })
    }

    /// Why no account can be found suspicious at the level that was set, if none can.
    pub(crate) fn abstains(&self) -> Option<String> {
        self.book.abstains()
    }

    /// Follows the log until it is told to stop.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        if let Some(why) = self.abstains() {
            tracing::warn!("{why}");
        }
        loop {
            self.take_up();
            let started = Instant::now();
            let pause = match self.step().await {
                Ok(records) if records >= self.page => started.elapsed() * REST,
                Ok(_) => PAUSE,
                Err(error) => {
                    tracing::error!(%error, "the watch reads again");
                    self.again().await;
                    PATIENCE
                }
            };
            tokio::select! {
                // An error means that the sender is gone: that is a stop too.
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tests with the deployment's own detector as soon as `fairhold calibrate` has written it.
    fn take_up(&mut self) {
        let written = model::written(&self.folder);
        if written == self.written {
            return;
        }
        self.written = written;
        match model::load(&self.folder) {
            Ok(detector) => self.book.retest(detector),
            Err(error) => tracing::error!(%error, "the watch goes on with the detector it has"),
        }
    }

    /// After a failure nobody knows whether the batch was kept; the store does.
    async fn again(&mut self) {
        self.book.forget();
        // What was counted will be read, and counted, again.
        self.known = Known::default();
        match self.keeper.database().watched().await {
            Ok(next) => self.next = next,
            Err(error) => tracing::error!(%error, "the watch cannot read how far it came"),
        }
    }

    /// Takes the next records into account; says how many there were.
    ///
    /// # Errors
    /// [`WatchError`]; call [`Watch::again`] before the next.
    pub(crate) async fn step(&mut self) -> Result<u64, WatchError> {
        let size = self.keeper.database().count().await?;
        let end = size.min(self.next.saturating_add(self.page));
        let records = end.saturating_sub(self.next);
        if records == 0 {
            return Ok(0);
        }
        let seen = self.seen(self.next..end, None).await?;
        let matcher = self.campaigns.current(SystemClock.now());
        let standing = |account: &AccountId| book::Standing::of(&self.keeper, account);
        let known = self.known.findings(&matcher, &seen, standing);
        let states = self.states(&seen).await?;
        // Profiles that hold more than was read up to here would be judged by what is counted twice.
        if self.keeper.database().watched().await? != self.next {
            return Err(WatchError::Moved);
        }
        let worked = self.book.take(&self.keeper, seen, states).await?;
        let mut findings = Vec::with_capacity(worked.hits.len());
        for hit in &worked.hits {
            let relied_on = self.relied_on(hit).await?;
            let rank = finding::fleet(&self.keeper, hit).await?;
            let by = model::keep(&self.folder, &hit.detector).map_err(WatchError::Detector)?;
            findings.extend(finding::row(hit, &relied_on, rank, &by));
        }
        findings.extend(known);
        self.record(findings).await?;
        let range = self.next..end;
        let database = self.keeper.database();
        self.book.keep(database, worked, range).await?;
        self.next = end;
        Ok(records)
    }

    /// Findings with the records that name them, before the place in the log moves on: a batch that
    /// is read again finds those that are there, and leaves them as they are.
    async fn record(&self, findings: Vec<FindingRow>) -> Result<(), WatchError> {
        for row in findings {
            let there = self.keeper.database().findings(Some(&row.account)).await?;
            let by = finding::judged_by(&row);
            if let Some(by) = by.filter(|_| there.iter().all(|known| known.id != row.id)) {
                self.keeper.found(row, by).await?;
            }
        }
        Ok(())
    }

    /// What ended in a range of the log, read away from the threads that serve.
    async fn seen(
        &mut self,
        range: std::ops::Range<u64>,
        account: Option<&AccountId>,
    ) -> Result<Vec<Seen>, WatchError> {
        let ended = self.keeper.ended(range, account).await?;
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let keeper = Arc::clone(&self.keeper);
        let mut reader = self.reader.take().unwrap_or_default();
        let matcher = self.campaigns.current(SystemClock.now());
        let read = tokio::task::spawn_blocking(move || {
            let each = ended.iter().filter_map(|ended| {
                let exchange = keeper.reopened(&ended.request)?;
                Seen::of(exchange, ended.next, &mut reader, &matcher)
            });
            let seen: Vec<Seen> = each.collect();
            (seen, reader)
        });
        let (seen, reader) = read.await.map_err(|_| WatchError::Stopped)?;
        self.reader = Some(reader);
        Ok(seen)
    }

    /// The profiles of whoever was seen. One that cannot be read is made anew from the log.
    async fn states(&mut self, seen: &[Seen]) -> Result<book::States, WatchError> {
        let (mut states, spoilt) = self.book.states(self.keeper.database(), seen).await?;
        for account in spoilt {
            tracing::warn!(%account, "a profile cannot be read and is made anew");
            let all = self.seen(0..self.next, Some(&account)).await?;
            states.insert(account, book::made_anew(&all));
        }
        Ok(states)
    }

    /// The exchanges of the programme that a hit rests on.
    async fn relied_on(&mut self, hit: &book::Hit) -> Result<finding::ReliedOn, WatchError> {
        let ended = self.keeper.ended(0..hit.next, Some(&hit.account)).await?;
        let (keeper, frame) = (Arc::clone(&self.keeper), hit.judgement.intent.frame);
        let key = self.sketches;
        let read = tokio::task::spawn_blocking(move || {
            let exchanges = ended.iter().filter_map(|e| keeper.reopened(&e.request));
            finding::ReliedOn::of(exchanges, frame, key)
        });
        read.await.map_err(|_| WatchError::Stopped)
    }
}

#[cfg(test)]
pub(crate) mod tests;
