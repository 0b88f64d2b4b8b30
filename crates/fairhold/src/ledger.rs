//! What was recorded, and who signs for it? One ledger per account, a root log
//! of their checkpoints, and the one signature that counts: the root's.
//!
//! The journal comes first and waits for nobody. A round of sealing reads what
//! it holds since the last one, appends the leaves to their ledgers, writes
//! tiles, states, the root log's entries and its checkpoint in one transaction
//! that only succeeds where the last round was read, then the high-water mark,
//! and only then publishes. An account's checkpoint is an entry of the root log
//! before anybody sees it, and its signature is made when it is asked for: the
//! same bytes each time.

pub(crate) mod fsck;
mod mark;
mod read;
mod refusal;
mod round;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use evidence::checkpoint::{Checkpoint, LogKey, Note};
use evidence::ledger::{Edge, ledger_origin, root_origin};
use evidence::merkle::{Hash, leaf_hash};
use facts::Timestamp;
use store::{Database, EpochRow, RootEntryRow, SystemClock};
use tokio::sync::{Mutex, watch};

use crate::witness::Witnesses;
use mark::{Mark, MarkFile};
pub(crate) use read::{ReadError, Whose};
pub(crate) use refusal::{LedgerError, Refusal};

/// How often the journal is looked at. A receipt is promised within two seconds.
const PAUSE: Duration = Duration::from_secs(1);
/// How long it rests at least: the journal writes to the same database.
const REST: Duration = Duration::from_millis(100);
/// A round that takes long publishes what it has as often as this.
const INTERIM: Duration = Duration::from_millis(500);
/// After a failure of the store.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long before a witness that did not sign is asked again for the same checkpoint.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a checkpoint waits for its witnesses before it is published without them; what they
/// say later is added.
const WITNESSES: Duration = Duration::from_millis(600);

/// What the high-water mark of a data folder says.
///
/// # Errors
/// In words, when it cannot be read.
pub(crate) fn mark_of(folder: &Path) -> Result<Option<Mark>, String> {
    MarkFile::of(folder).read()
}

/// The mark's text once an epoch was sealed so far.
pub(crate) fn mark_text(epoch: &EpochRow) -> String {
    Mark::of(epoch.epoch, &epoch.origin, epoch.size, epoch.root).text()
}

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// The epoch.
    pub(crate) epoch: u64,
    /// The root log's checkpoint.
    pub(crate) checkpoint: Checkpoint,
    /// Signed and cosigned.
    pub(crate) note: String,
    /// How many witnesses cosigned it.
    pub(crate) cosigned: usize,
    /// The records before this one are in it.
    pub(crate) sealed: u64,
}

/// How the ledger stands.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// Nothing was looked at yet.
    Starting,
    /// Nothing is signed before a witness has said what it knows; in words.
    Unconfirmed(String),
    /// This is signed.
    Signed(Arc<Published>),
    /// Nothing is signed or served any more, until a restart or a rotation; recording goes on.
    Refused(Refusal),
}

/// What the sealer remembers from round to round.
#[derive(Debug, Default)]
struct Sealing {
    /// The epoch as it was left; none before the first look.
    last: Option<EpochRow>,
    /// The mark as it was written.
    mark: Option<Mark>,
    /// When witnesses were asked last.
    asked: Option<Instant>,
}

/// The ledgers of one house.
pub(crate) struct Ledger {
    database: Database,
    log: LogKey,
    mark: MarkFile,
    witnesses: Arc<Witnesses>,
    sealing: Mutex<Sealing>,
    standing: watch::Sender<Standing>,
    /// Whether [`Ledger::run`] seals: others need not, then.
    running: AtomicBool,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Ledger {
    /// The ledgers in a database. `log` signs, under the log's own name; `folder` holds the mark.
    pub(crate) fn new(
        database: Database,
        log: LogKey,
        folder: &Path,
        witnesses: Witnesses,
    ) -> Self {
        Self {
            database,
            log,
            mark: MarkFile::of(folder),
            witnesses: Arc::new(witnesses),
            sealing: Mutex::default(),
            standing: watch::Sender::new(Standing::Starting),
            running: AtomicBool::new(false),
        }
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// The key that signs it, under the log's own name.
    pub(crate) fn key(&self) -> &LogKey {
        &self.log
    }

    /// Those who are asked for cosignatures.
    pub(crate) fn witnesses(&self) -> &Witnesses {
        &self.witnesses
    }

    /// Seals every second until it is told to stop, and once more then.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        self.running.store(true, Ordering::Release);
        loop {
            let began = Instant::now();
            let pause = self.round().await.saturating_sub(began.elapsed());
            let pause = pause.max(REST);
            let stopped = tokio::select! {
                // An error means that the sender is gone: that is a stop too.
                _ = stop.wait_for(|stop| *stop) => true,
                () = tokio::time::sleep(pause) => false,
            };
            if stopped {
                self.round().await;
                self.running.store(false, Ordering::Release);
                return;
            }
        }
    }

    async fn round(self: &Arc<Self>) -> Duration {
        match self.seal().await {
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::error!(%error, "the ledger is not sealed");
                PATIENCE
            }
        }
    }

    /// Seals what the journal holds now, signs and publishes it.
    ///
    /// # Errors
    /// [`LedgerError`]: when the ledger refuses, nothing is signed or served from then on.
    pub(crate) async fn seal(self: &Arc<Self>) -> Result<Arc<Published>, LedgerError> {
        let ledger = Arc::clone(self);
        to_the_end(async move {
            let mut sealing = ledger.sealing.lock().await;
            ledger.seal_under(&mut sealing).await
        })
        .await
    }

    /// The same, where nobody else does: a command without a server. A server has its own rounds, and
    /// whoever reads from it must not be able to ask for more of them.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) async fn seal_first(self: &Arc<Self>) -> Result<(), LedgerError> {
        let unsigned = |s: Standing| matches!(s, Standing::Starting | Standing::Unconfirmed(_));
        if self.running.load(Ordering::Acquire) || !unsigned(self.standing()) {
            return Ok(());
        }
        let ledger = Arc::clone(self);
        to_the_end(async move {
            let mut sealing = ledger.sealing.lock().await;
            // Somebody else may have sealed while this waited.
            if unsigned(ledger.standing()) {
                ledger.seal_under(&mut sealing).await?;
            }
            Ok(())
        })
        .await
    }

    async fn seal_under(&self, sealing: &mut Sealing) -> Result<Arc<Published>, LedgerError> {
        // Whoever refused goes on refusing: what made it do so may look mended and not be.
        if let Standing::Refused(refusal) = self.standing() {
            return Err(refusal.into());
        }
        let sealed = self.seal_all(sealing).await;
        match &sealed {
            Ok(published) => self.publish(Standing::Signed(Arc::clone(published))),
            Err(LedgerError::Refused(refusal)) => {
                sealing.last = None;
                self.publish(Standing::Refused(refusal.clone()));
            }
            Err(LedgerError::Unconfirmed(why)) => {
                sealing.last = None;
                self.publish(Standing::Unconfirmed(why.clone()));
            }
            Err(LedgerError::Store(_) | LedgerError::Mark(_)) => sealing.last = None,
        }
        sealed
    }

    fn publish(&self, standing: Standing) {
        self.standing.send_if_modified(|now| {
            let news = match (&*now, &standing) {
                (Standing::Signed(old), Standing::Signed(new)) => old != new,
                (Standing::Refused(old), Standing::Refused(new)) => old != new,
                _ => true,
            };
            if news {
                *now = standing;
            }
            news
        });
    }

    async fn seal_all(&self, sealing: &mut Sealing) -> Result<Arc<Published>, LedgerError> {
        let mut epoch = self.checked(sealing).await?;
        let goal = self.database.count().await?;
        if goal < epoch.sealed {
            return Err(Refusal::Journal {
                records: goal,
                sealed: epoch.sealed,
            }
            .into());
        }
        let mut told = Instant::now();
        while epoch.sealed < goal {
            epoch = round::seal_page(self, epoch).await?;
            sealing.last = Some(epoch.clone());
            if epoch.sealed < goal && told.elapsed() >= INTERIM {
                let published = self.marked(sealing, epoch.clone()).await?;
                self.publish(Standing::Signed(published));
                told = Instant::now();
            }
        }
        self.marked(sealing, epoch).await
    }

    /// What is published of an epoch, once the mark says that it was signed.
    async fn marked(
        &self,
        sealing: &mut Sealing,
        epoch: EpochRow,
    ) -> Result<Arc<Published>, LedgerError> {
        let mark = Mark::of(epoch.epoch, &epoch.origin, epoch.size, epoch.root);
        if sealing.mark.as_ref() != Some(&mark) {
            self.mark.write(&mark).await.map_err(LedgerError::Mark)?;
            sealing.mark = Some(mark);
        }
        self.published(sealing, epoch).await
    }

    /// What is published of an epoch that was sealed: with the cosignatures that come in time.
    async fn published(
        &self,
        sealing: &mut Sealing,
        epoch: EpochRow,
    ) -> Result<Arc<Published>, LedgerError> {
        let kept = match self.standing() {
            Standing::Signed(now)
                if now.checkpoint.origin == epoch.origin && now.checkpoint.size == epoch.size =>
            {
                let whole = now.cosigned >= self.witnesses.len();
                let lately = sealing.asked.is_some_and(|at| at.elapsed() < AGAIN);
                if whole || lately {
                    return Ok(now);
                }
                now.note.clone()
            }
            _ => {
                let kept = self.database.latest_root_checkpoint(epoch.epoch).await?;
                let kept = kept.filter(|kept| kept.size == epoch.size);
                let lines = kept.map(|kept| kept.cosignatures).unwrap_or_default();
                self.note_of(&epoch)? + &lines
            }
        };
        let note = self.cosigned(sealing, &epoch, kept).await?;
        let lines = Note::parse(&note).map(|note| note.signatures.len());
        Ok(Arc::new(Published {
            epoch: epoch.epoch,
            cosigned: lines.map_or(0, |lines| lines.saturating_sub(1)),
            note,
            sealed: epoch.sealed,
            checkpoint: Checkpoint {
                origin: epoch.origin,
                size: epoch.size,
                root: epoch.root,
            },
        }))
    }

    /// A note with what witnesses add to it now; kept with the checkpoint.
    async fn cosigned(
        &self,
        sealing: &mut Sealing,
        epoch: &EpochRow,
        note: String,
    ) -> Result<String, LedgerError> {
        if self.witnesses.is_empty() || epoch.size == 0 {
            return Ok(note);
        }
        sealing.asked = Some(Instant::now());
        let told = self.witnesses.ask(self, epoch, &note, WITNESSES).await?;
        let lines = told.lines;
        if lines.is_empty() {
            return Ok(note);
        }
        let all = note + &lines;
        let kept = all.strip_prefix(&self.note_of(epoch)?).unwrap_or(&lines);
        let keep = self
            .database
            .keep_cosignatures(epoch.epoch, epoch.size, kept);
        keep.await?;
        Ok(all)
    }

    /// The latest epoch, once nothing speaks against signing on; the first one is begun here.
    async fn checked(&self, sealing: &mut Sealing) -> Result<EpochRow, LedgerError> {
        let mark = self.mark.read().map_err(LedgerError::Mark)?;
        let Some(epoch) = self.database.latest_epoch().await? else {
            if let Some(mark) = mark.filter(|m| m.checkpoint.size > 0) {
                return Err(Refusal::older(&mark, None).into());
            }
            let first = self.first_epoch().await?;
            self.witnesses.confirm(self, &first).await?;
            sealing.last = Some(first.clone());
            return Ok(first);
        };
        if let Some(last) = &sealing.last
            && (last.epoch, last.size, last.root) != (epoch.epoch, epoch.size, epoch.root)
        {
            return Err(Refusal::Moved {
                left: last.size,
                found: epoch.size,
            }
            .into());
        }
        if let Some(mark) = &mark
            && sealing.mark.as_ref() != Some(mark)
        {
            self.agrees(mark, &epoch).await?;
        }
        let edge = Edge::from_bytes(epoch.size, &epoch.edge);
        if edge.ok().map(|edge| edge.root()) != Some(epoch.root) {
            return Err(Refusal::Edge {
                ledger: "the root log".to_owned(),
                size: epoch.size,
            }
            .into());
        }
        if sealing.last.is_none() {
            self.witnesses.confirm(self, &epoch).await?;
            sealing.last = Some(epoch.clone());
        }
        Ok(epoch)
    }

    /// Whether the database holds what the mark says was signed.
    async fn agrees(&self, mark: &Mark, epoch: &EpochRow) -> Result<(), LedgerError> {
        if mark.epoch < epoch.epoch {
            return Ok(()); // the process died between a rotation and its mark
        }
        if mark.epoch > epoch.epoch || mark.checkpoint.size > epoch.size {
            return Err(Refusal::older(mark, Some(epoch)).into());
        }
        let size = mark.checkpoint.size;
        let root = self.root_at(epoch.epoch, size).await?;
        if root == Some(mark.checkpoint.root) {
            Ok(())
        } else {
            Err(Refusal::Changed { size }.into())
        }
    }

    /// The first epoch; the second where one tree over all accounts was signed before.
    async fn first_epoch(&self) -> Result<EpochRow, LedgerError> {
        let before = self.database.latest_checkpoint().await?;
        let before = before.filter(|c| c.size > 0).map(|old| Checkpoint {
            origin: self.log.name().to_owned(),
            size: old.size,
            root: old.root,
        });
        let (number, reason) = match before {
            None => (1, "the log begins"),
            Some(_) => (2, "one tree of all accounts became a ledger for each"),
        };
        self.begin(number, before, reason).await
    }

    async fn begin(
        &self,
        number: u64,
        before: Option<Checkpoint>,
        reason: &str,
    ) -> Result<EpochRow, LedgerError> {
        let mut edge = Edge::default();
        let first = before.map(|checkpoint| {
            let body = checkpoint.body().into_bytes();
            edge.push(leaf_hash(&body), |_| {});
            RootEntryRow {
                n: 0,
                ledger: None,
                size: checkpoint.size,
                sealed: 0,
                body,
            }
        });
        let epoch = EpochRow {
            epoch: number,
            origin: root_origin(self.log.name(), number),
            began_at: Self::now(),
            reason: reason.to_owned(),
            sealed: 0,
            size: edge.size(),
            root: edge.root(),
            edge: edge.to_bytes(),
        };
        if self.database.begin_epoch(&epoch, first.as_ref()).await? {
            Ok(epoch)
        } else {
            Err(Refusal::Begun { epoch: number }.into())
        }
    }

    /// Begins a new epoch whose first entry is the last checkpoint of the one before, as far as it is known
    /// here: the mark's where the database is older. The whole journal is sealed into it anew: each
    /// ledger then continues the one of the epoch before, leaf by leaf, unless something was lost.
    ///
    /// # Errors
    /// [`LedgerError`]; the old epoch stands then.
    pub(crate) async fn rotate(
        self: &Arc<Self>,
        reason: &str,
    ) -> Result<Arc<Published>, LedgerError> {
        let (ledger, reason) = (Arc::clone(self), reason.to_owned());
        to_the_end(async move {
            let mut sealing = ledger.sealing.lock().await;
            ledger.rotate_under(&mut sealing, &reason).await?;
            ledger.seal_under(&mut sealing).await
        })
        .await
    }

    async fn rotate_under(&self, sealing: &mut Sealing, reason: &str) -> Result<(), LedgerError> {
        let mark = self.mark.read().map_err(LedgerError::Mark)?;
        let last = self.database.latest_epoch().await?;
        let before = self.signed_last(mark, last.as_ref()).await?;
        let number = before.as_ref().map_or(1, |m| m.epoch + 1);
        let before = before.map(|m| m.checkpoint).filter(|c| c.size > 0);
        let epoch = self.begin(number, before, reason).await?;
        *sealing = Sealing::default();
        let mark = Mark::of(epoch.epoch, &epoch.origin, 0, Edge::default().root());
        self.mark.write(&mark).await.map_err(LedgerError::Mark)?;
        self.publish(Standing::Starting);
        Ok(())
    }

    /// What was signed last: what the database holds if that continues the mark, else the mark's. A
    /// longer tree that is not a continuation of what was signed was never signed itself.
    async fn signed_last(
        &self,
        mark: Option<Mark>,
        held: Option<&EpochRow>,
    ) -> Result<Option<Mark>, LedgerError> {
        let Some(epoch) = held else {
            return Ok(mark);
        };
        if let Some(mark) = mark {
            match self.agrees(&mark, epoch).await {
                Ok(()) => {}
                Err(LedgerError::Refused(_)) => return Ok(Some(mark)),
                Err(error) => return Err(error),
            }
        }
        let held = Mark::of(epoch.epoch, &epoch.origin, epoch.size, epoch.root);
        Ok(Some(held))
    }

    fn now() -> Timestamp {
        SystemClock.now()
    }

    /// The signed checkpoint of an epoch as it was sealed.
    pub(crate) fn note_of(&self, epoch: &EpochRow) -> Result<String, LedgerError> {
        Ok(self
            .signer(&epoch.origin)?
            .checkpoint(epoch.size, &epoch.root))
    }

    /// The verifier key of a ledger of this log.
    pub(crate) fn vkey_of(&self, origin: &str) -> String {
        self.signer(origin)
            .map_or_else(|e| e.to_string(), |key| key.vkey())
    }

    fn signer(&self, origin: &str) -> Result<LogKey, LedgerError> {
        self.log
            .under(origin)
            .map_err(|e| LedgerError::Mark(e.to_string()))
    }

    fn origin_of(root: &str, ledger: &str) -> String {
        let account = Some(ledger).filter(|ledger| *ledger != store::HOUSE);
        ledger_origin(root, account)
    }

    /// Root of the root log at an earlier size.
    pub(crate) async fn root_at(&self, epoch: u64, size: u64) -> Result<Option<Hash>, LedgerError> {
        if size == 0 {
            return Ok(Some(Edge::default().root()));
        }
        let question = evidence::ledger::Question::Root;
        let answer = self.answer(epoch, store::ROOT, question, size).await?;
        Ok(answer.and_then(|hashes| hashes.first().copied()))
    }
}

/// Runs a round to its end, whoever waits for it: one that is dropped while the database commits
/// would leave this process with an older state than the database's, which looks like another sealer.
async fn to_the_end<T: Send + 'static>(
    round: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
) -> Result<T, LedgerError> {
    match tokio::spawn(round).await {
        Ok(done) => done,
        Err(error) => Err(LedgerError::Mark(format!(
            "the round was cut short: {error}"
        ))),
    }
}
