//! Who decides, and who records? The real desk: the engine behind one lock,
//! the journal behind it, bodies sealed in between.
//!
//! The lock is held for a decision (microseconds), never across a wait.

mod answered;
mod asked;
mod bodies;
mod campaigns;
mod exchanges;
mod files;
mod keys;
mod rotation;
mod rows;
mod usage;
pub(crate) mod watched;

pub(crate) use answered::answer_text;
pub use bodies::{Erased, LetGo, Order, ReadBody};
pub use keys::Keks;
pub use rotation::Rotated;
pub use watched::{Ended, Left, Past};

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asked::AskedRecords;
use bytes::Bytes;
use engine::{
    Admitted, Ask, CaseStep, Command, CommandError, Completion, Config, Denial, Effect, Engine,
    Refusal, Row, Scope,
};
use evidence::seal::Body;
use evidence::{Event, Kept, Record};
use facts::{AccountId, Exchange, ExchangeId, MicroUsd, Timestamp};
use gateway::{Desk, NotRecorded, Recorded};
pub(crate) use keys::InUse;
use keys::KeyRing;
use sha2::{Digest as _, Sha256};
use store::{
    Change, Database, Entry, FindingRow, HandOver, HoldRow, Journal, JournalError, JournalTask,
    LinkRow, StepTaken, StoreError, SystemClock,
};

/// What a keeper is opened with.
#[derive(Debug)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://...`.
    pub url: String,
    /// A file that keeps room on the disk for endings.
    pub reserve: Option<PathBuf>,
    /// The keys that wrap those of the bodies.
    pub keks: Keks,
    /// How the engine decides.
    pub engine: Config,
}

/// Why a keeper cannot open, or a command was not carried out.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeeperError {
    /// The database.
    Store(StoreError),
    /// The journal; nothing was changed.
    Journal(JournalError),
    /// The engine refused the command; nothing was changed.
    Refused(CommandError),
    /// A stored row cannot be read.
    Row(String),
    /// A key cannot be made or opened.
    Key(String),
    /// A legal hold stands in the way; nothing was changed.
    Held(Box<HoldRow>),
    /// What was named is not there; nothing was changed.
    Unknown(String),
}

impl fmt::Display for KeeperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "read or write the store: {error}"),
            Self::Journal(error) => write!(f, "{error}"),
            Self::Refused(error) => write!(f, "{error}"),
            Self::Row(what) => write!(f, "read the directory: {what}"),
            Self::Key(what) => write!(f, "open the keys of the bodies: {what}"),
            Self::Held(hold) => write!(
                f,
                "forget: {} of {} binds it{}; `fairhold hold release {}` ends it",
                hold.id,
                hold.placed_by,
                hold.until
                    .map_or(String::new(), |at| format!(" until {}", at.rfc3339())),
                hold.id
            ),
            Self::Unknown(what) => write!(f, "find it: {what}"),
        }
    }
}

impl std::error::Error for KeeperError {}

impl From<StoreError> for KeeperError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<JournalError> for KeeperError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

struct State {
    engine: Engine,
    /// The intents still open.
    intents: HashMap<ExchangeId, Intent>,
}

/// An intent that is durable and has no ending yet.
struct Intent {
    seq: u64,
    key: Arc<InUse>,
    /// What was asked, where somebody follows the log: it goes on with its answer.
    request: Option<Bytes>,
}

/// Decides and records; one per process.
pub struct Keeper {
    state: Mutex<State>,
    /// Changes are planned, recorded and enacted one at a time.
    commands: tokio::sync::Mutex<()>,
    journal: Journal,
    database: Database,
    keys: KeyRing,
    asked: AskedRecords,
    clock: SystemClock,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

/// Gives the reservation back unless the intent became durable: also when the
/// client left while it was being written.
struct Reservation<'a> {
    keeper: &'a Keeper,
    exchange: Option<ExchangeId>,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            let now = self.keeper.clock.now();
            self.keeper.state().engine.release(&exchange, now);
        }
    }
}

/// What is recorded with a command beside its own effects.
#[derive(Default)]
struct Beside<'a> {
    further: Vec<Entry>,
    /// The key of what came with it.
    key: Option<&'a InUse>,
}

impl Keeper {
    /// Opens the store, loads who is who and what was spent, and starts the
    /// journal (which gives intents left open the ending `interrupted`).
    ///
    /// # Errors
    /// [`KeeperError`] when the store cannot be opened or read.
    pub async fn open(options: Options) -> Result<(Self, JournalTask), KeeperError> {
        let clock = SystemClock;
        let database = Database::open(&options.url).await?;
        let mut engine = Engine::new(options.engine);
        for row in rows::read(database.directory().await?).map_err(KeeperError::Row)? {
            engine.load(row);
        }
        restore(&mut engine, &database).await?;
        usage::restore(&mut engine, &database, clock.now()).await?;
        let keys = KeyRing::open(&database, options.keks).await?;
        if database.scrub_due().await?.is_some() {
            database.scrub(Vec::new(), false).await?;
        }
        let (journal, task) =
            Journal::start(database.clone(), leaf, clock.now(), options.reserve).await?;
        let keeper = Self {
            state: Mutex::new(State {
                engine,
                intents: HashMap::new(),
            }),
            commands: tokio::sync::Mutex::new(()),
            journal,
            database,
            keys,
            asked: AskedRecords::default(),
            clock,
        };
        Ok((keeper, task))
    }

    /// Carries out a change of the directory: planned, recorded, then enacted.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing was changed.
    pub async fn command(&self, command: Command) -> Result<(), KeeperError> {
        self.carry_out(command, Vec::new(), Beside::default()).await
    }

    /// Carries out steps of cases with what they leave their accounts, and records what they rest
    /// on: all of it or none.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing was changed.
    pub async fn steps(
        &self,
        steps: Vec<(CaseStep, StepTaken)>,
        rests_on: Vec<Record>,
    ) -> Result<(), KeeperError> {
        self.steps_with(steps, rests_on, None).await
    }

    /// The same; what came with them is sealed under this key.
    pub(crate) async fn steps_with(
        &self,
        steps: Vec<(CaseStep, StepTaken)>,
        rests_on: Vec<Record>,
        key: Option<&InUse>,
    ) -> Result<(), KeeperError> {
        let (steps, taken): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        let kept = taken.into_iter().map(Box::new).map(Change::CaseStep);
        let kept = kept.collect();
        let further = rests_on.into_iter().map(Entry::of).collect();
        self.carry_out(Command::CaseSteps(steps), kept, Beside { further, key })
            .await
    }

    /// Keeps a finding with the record that names its digest and the detector's.
    ///
    /// # Errors
    /// [`KeeperError::Journal`]; nothing was kept, also when one of its id is there.
    pub(crate) async fn found(
        &self,
        row: FindingRow,
        detector: [u8; 32],
    ) -> Result<u64, KeeperError> {
        let mut entry = Entry::of(Record {
            at: self.clock.now(),
            account: Some(row.account.clone()),
            event: Event::Judged {
                detector,
                finding: Some(Kept {
                    id: row.id.clone(),
                    digest: Sha256::digest(&row.json).into(),
                }),
                case: None,
            },
        });
        entry.change = Some(Change::Finding(row));
        Ok(self.journal.append(entry).await?)
    }

    /// Records tokens that may link accounts, all of them or none.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing was recorded.
    pub async fn link(&self, rows: Vec<LinkRow>) -> Result<(), KeeperError> {
        if rows.is_empty() {
            return Ok(());
        }
        let _one_at_a_time = self.commands.lock().await;
        let entries = crate::office::links::entries(rows, self.clock.now());
        self.journal.append_all(entries).await?;
        Ok(())
    }

    /// Records a change that is kept nowhere else, for example that the ledger was rotated.
    ///
    /// # Errors
    /// [`KeeperError::Journal`]; nothing was recorded.
    pub async fn note(&self, change: &str, subject: &str) -> Result<u64, KeeperError> {
        let entry = Entry::of(Record {
            at: self.clock.now(),
            account: None,
            event: Event::Directory {
                change: change.to_owned(),
                subject: subject.to_owned(),
            },
        });
        Ok(self.journal.append(entry).await?)
    }

    /// Asks the engine something about who is who or what was spent.
    pub fn ask<T>(&self, question: impl FnOnce(&Engine) -> T) -> T {
        question(&self.state().engine)
    }

    /// The requests among these records that were let upstream, opened, in order of the log.
    ///
    /// # Errors
    /// [`KeeperError`] when a record cannot be read. Bodies that were forgotten
    /// (their key is gone) are left out.
    pub async fn exchanges_in(&self, records: Range<u64>) -> Result<Vec<Exchange>, KeeperError> {
        let mut all = Vec::new();
        for row in self.database.records(records).await? {
            if row.kind == "intent"
                && let Ok((_, record)) = Record::parse(&row.leaf)
                && let Some(exchange) = self.opened(record).await?
            {
                all.push(exchange);
            }
        }
        Ok(all)
    }

    async fn opened(&self, record: Record) -> Result<Option<Exchange>, KeeperError> {
        let Event::Intent { exchange, .. } = &record.event else {
            return Ok(None);
        };
        let bodies = self.database.bodies_of_exchange(exchange).await?;
        let sealed = bodies.iter().find(|b| b.what == Body::Request.word());
        let key = sealed.and_then(|sealed| self.keys.open_key(&sealed.key));
        Ok(sealed
            .zip(key)
            .and_then(|(sealed, key)| watched::opened(&key, record, &sealed.bytes)))
    }

    /// The store, for reading.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// What was written, for who follows the log.
    pub(crate) fn handed(&self) -> &HandOver {
        self.journal.handed()
    }

    /// Lets expired reservations go.
    pub fn wake(&self) {
        let now = self.clock.now();
        self.state().engine.wake(now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry_out(
        &self,
        command: Command,
        kept: Vec<Change>,
        beside: Beside<'_>,
    ) -> Result<(), KeeperError> {
        let _one_at_a_time = self.commands.lock().await;
        let now = self.clock.now();
        let (effects, entries) = {
            let state = self.state();
            let effects = state
                .engine
                .apply(command, now)
                .map_err(KeeperError::Refused)?;
            let mut entries = rows::entries(state.engine.directory(), &effects, kept, now)
                .map_err(KeeperError::Row)?;
            entries.extend(beside.further);
            if let (Some(first), Some(key)) = (entries.first_mut(), beside.key) {
                first.key = key.unkept();
            }
            (effects, entries)
        };
        self.journal.append_all(entries).await?;
        if let Some(key) = beside.key {
            key.now_kept();
        }
        for effect in &effects {
            self.state().engine.enact(effect);
            // A volume agreed within a month is held against all of it.
            if let Effect::Put(Row::Account(account)) = effect {
                for (purpose, asked) in usage::of(&self.database, account, now).await? {
                    let mut state = self.state();
                    state.engine.restore_usage(&account.id, purpose, now, asked);
                }
            }
        }
        Ok(())
    }
}

impl Desk for Keeper {
    async fn admit(&self, ask: Ask, body: Bytes) -> Result<Recorded<Admitted>, Recorded<Refusal>> {
        const UNRECORDED: Recorded<Refusal> = Recorded {
            what: Refusal::Recording,
            seq: None,
        };
        let decision = self.state().engine.admit(&ask);
        let (admitted, effects) = match decision {
            Ok(decision) => decision,
            Err((refusal, effects)) => {
                let entries = noted(&effects, ask.at);
                let written = self.journal.append_all(entries).await;
                return Err(written.map_or(UNRECORDED, |numbers| Recorded {
                    what: refusal,
                    seq: numbers.last().copied(),
                }));
            }
        };
        let mut reservation = Reservation {
            keeper: self,
            exchange: Some(admitted.exchange.clone()),
        };
        let mut entries = noted(&effects, ask.at);
        let asked = self.asked_of(&admitted).await.map_err(|_| UNRECORDED)?;
        let key = self
            .keys
            .of(
                &self.database,
                &admitted.account,
                ask.subject.as_deref(),
                admitted.at,
            )
            .await
            .map_err(|error| {
                tracing::error!(%error, "no key for a request");
                UNRECORDED
            })?;
        let intent = Self::intent(&admitted, asked, &body, &key).ok_or(UNRECORDED)?;
        let request = self.journal.handed().followed();
        let request = request.then(|| exchanges::apart(&body));
        entries.push(intent);
        let numbers = self.journal.append_all(entries).await;
        let seq = numbers
            .ok()
            .and_then(|numbers| numbers.last().copied())
            .ok_or(UNRECORDED)?;
        reservation.exchange = None;
        key.now_kept();
        let open = Intent { seq, key, request };
        self.state().intents.insert(admitted.exchange.clone(), open);
        Ok(Recorded {
            what: admitted,
            seq: Some(seq),
        })
    }

    async fn complete(&self, completion: Completion, answer: Bytes) -> Result<u64, NotRecorded> {
        let intent = self
            .state()
            .intents
            .remove(&completion.admitted.exchange)
            .ok_or(NotRecorded)?;
        let entry = self.ending(&completion, intent, &answer);
        let written = match entry {
            Some(entry) => self.journal.append(entry).await.map_err(|error| {
                tracing::error!(%error, "an ending was not recorded");
                NotRecorded
            }),
            None => Err(NotRecorded),
        };
        // What was consumed is charged even when its ending could not be kept.
        for effect in self.state().engine.settle(&completion) {
            if let Effect::Alert(alert) = effect {
                tracing::warn!(?alert, "settled");
            }
        }
        written
    }

    fn identify(&self, secret: &str) -> Result<AccountId, Refusal> {
        let state = self.state();
        state.engine.identify(secret).map(|row| row.account.clone())
    }

    fn still_welcome(&self, admitted: &Admitted) -> bool {
        let now = self.clock.now();
        self.state().engine.still_welcome(admitted, now)
    }
}

/// The records of refusals, real ones and those that shadow mode did not carry
/// out; alerts go to the log.
fn noted(effects: &[Effect], at: Timestamp) -> Vec<Entry> {
    let refusal = |denial: &Denial, code: String| {
        Entry::of(Record {
            at,
            account: Some(denial.account.clone()),
            event: Event::Refusal {
                exchange: denial.exchange.clone(),
                code,
                clauses: denial.clauses.clone(),
                policy: denial.policy_sha256.as_ref().map(ToString::to_string),
                purpose: denial.purpose.clone(),
            },
        })
    };
    let mut entries = Vec::new();
    for effect in effects {
        match effect {
            Effect::Record(engine::Entry::Refusal(denial)) => {
                entries.push(refusal(denial, denial.code.to_owned()));
            }
            Effect::Record(engine::Entry::Shadow(denial)) => {
                entries.push(refusal(denial, format!("would_refuse:{}", denial.code)));
            }
            Effect::Alert(alert) => tracing::error!(?alert, "the engine asks for attention"),
            Effect::Record(_) | Effect::Forward(_) | Effect::Put(_) | Effect::Charge(_) => {}
        }
    }
    entries
}

/// A record too long for a leaf cannot be made from what the gateway accepts;
/// should one exist, its leaf is empty and the auditor will say so.
pub(crate) fn leaf(record: &Record, seq: u64) -> Vec<u8> {
    record.leaf(seq).unwrap_or_else(|error| {
        tracing::error!(%error, seq, "a record has no leaf");
        Vec::new()
    })
}

async fn restore(engine: &mut Engine, database: &Database) -> Result<(), KeeperError> {
    let mut totals: HashMap<Scope, MicroUsd> = HashMap::new();
    for row in database.spend(0).await? {
        let mut scopes = vec![Scope::Key(row.key), Scope::Account(row.account.clone())];
        let directory = engine.directory();
        let project = directory
            .account(&row.account)
            .and_then(|account| directory.project(&account.project));
        if let Some(project) = project {
            scopes.push(Scope::Project(project.id.clone()));
            scopes.push(Scope::Organisation(project.organisation.clone()));
        }
        for scope in scopes {
            let total = totals.entry(scope).or_insert(MicroUsd::ZERO);
            *total = total.saturating_add(row.amount);
        }
    }
    for (scope, spent) in totals {
        engine.restore(scope, spent);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
