//! The load: the real journal under many clients, as a seed decides.
//!
//! On a runtime of one thread what is asked, and in which order, depends on
//! the seed alone: clients run until all of them wait, and only the writer's
//! answers wake them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use evidence::{Commitment, Event, Record};
use facts::{
    AccountId, Ending, Endpoint, ExchangeId, KeyId, MicroUsd, ModelName, OrganisationId, Timestamp,
};
use fairhold::sealer::{Sealed, Sealer, mark};
use store::{
    Change, DataFolder, Database, Entry, EpochRow, Journal, JournalError, JournalTask,
    OrganisationRow, SealedBody, Spend,
};

use crate::chance::Chance;
use crate::watch::Said;

/// Where clients' answers go.
pub(crate) type Hears = Arc<dyn Fn(Said) + Send + Sync>;

/// The start of the load's own time.
pub(crate) const BEGIN: Timestamp = Timestamp(1_790_000_000_000);

/// How long a sealer rests under load.
const PAUSE: Duration = Duration::from_millis(10);

/// The file that names the largest published tree.
pub(crate) const MARK: &str = "log.mark";

/// The leaf of a record, as the product writes it.
pub(crate) fn leaf(record: &Record, seq: u64) -> Vec<u8> {
    // Every record here is small and its numbers are exact.
    record.leaf(seq).unwrap_or_default()
}

/// A store, open.
pub(crate) struct Open {
    pub(crate) database: Database,
    pub(crate) journal: Journal,
    pub(crate) task: JournalTask,
    /// The product's own ledgers.
    pub(crate) sealer: Arc<Sealer>,
    mark: PathBuf,
    /// Locked for as long as it lives.
    pub(crate) _folder: DataFolder,
}

impl Open {
    /// Opens the data folder as the product does.
    pub(crate) async fn at(path: &Path, hears: &Hears, reserve: bool) -> Result<Self, String> {
        let folder = DataFolder::open(path).map_err(said)?;
        let seed = folder.log_seed().map_err(said)?;
        let (name, bytes) = ("log.seed".to_owned(), seed.to_vec());
        hears(Said::Kept { name, bytes });
        let database = Database::open(&folder.database_url()).await.map_err(said)?;
        // Small, so that the log is moved into the database and begun anew several times.
        database
            .tell("PRAGMA wal_autocheckpoint = 60")
            .await
            .map_err(said)?;
        let reserve = reserve.then(|| folder.reserve());
        let (journal, task) = Journal::start(database.clone(), leaf, BEGIN, reserve)
            .await
            .map_err(said)?;
        let sealer = Arc::new(Sealer::new(database.clone(), &seed, path)?);
        Ok(Self {
            database,
            journal,
            task,
            sealer,
            mark: path.join(MARK),
            _folder: folder,
        })
    }

    /// A round of the product's sealing; hands on what it published.
    pub(crate) async fn seal(&self, hears: &Hears) -> Result<(), String> {
        seal(&self.sealer, &self.mark, hears).await
    }

    /// Seals again and again until it fails.
    pub(crate) fn seal_forever(&self, hears: &Hears) {
        let (sealer, mark) = (Arc::clone(&self.sealer), self.mark.clone());
        let hears = Arc::clone(hears);
        tokio::spawn(async move {
            while seal(&sealer, &mark, &hears).await.is_ok() {
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Ends it as the product does.
    pub(crate) async fn close(self) {
        drop(self.journal);
        self.task.finished().await;
    }
}

async fn seal(sealer: &Sealer, mark: &Path, hears: &Hears) -> Result<(), String> {
    let published = sealer.seal().await?;
    let bytes = std::fs::read(mark).map_err(said)?;
    let name = MARK.to_owned();
    hears(Said::Kept { name, bytes });
    hears(Said::Published(published));
    Ok(())
}

fn said(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// One client of the journal.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) journal: Journal,
    pub(crate) hears: Hears,
}

impl Client {
    /// Appends and hands the answer on.
    pub(crate) async fn append(&self, entries: Vec<Entry>) -> Result<Vec<u64>, JournalError> {
        let records: Vec<Record> = entries.iter().map(|e| e.record.clone()).collect();
        let numbers = self.journal.append_all(entries).await?;
        for (seq, record) in numbers.iter().zip(&records) {
            (self.hears)(Said::Recorded {
                seq: *seq,
                leaf: leaf(record, *seq),
            });
        }
        Ok(numbers)
    }

    /// One exchange from its intent to its end, or half of it.
    pub(crate) async fn exchange(
        self,
        name: String,
        mut chance: Chance,
    ) -> Result<(), JournalError> {
        let mut first = entry(intent(&name));
        if chance.percent(70) {
            let size = chance.below(1_500);
            first.bodies.push(body("request", chance.bytes(size)));
        }
        let seq = match self.append(vec![first]).await?.first() {
            Some(seq) => *seq,
            None => return Ok(()),
        };
        if chance.percent(15) {
            return Ok(());
        }
        let mut last = entry(completion(&name, seq));
        last.spend = Some(Spend {
            account: account(),
            key: key(),
            at: BEGIN,
            amount: MicroUsd(3),
            tokens: 7,
            requests: 1,
        });
        let size = chance.below(3_000);
        last.bodies.push(body("answer", chance.bytes(size)));
        self.append(vec![last]).await.map(drop)
    }

    /// A change of the directory with its record.
    pub(crate) async fn change(self, name: String) -> Result<(), JournalError> {
        let Ok(id) = OrganisationId::parse(&name) else {
            return Ok(());
        };
        let mut changed = entry(Record {
            at: BEGIN,
            account: None,
            event: Event::Directory {
                change: "organisation_created".to_owned(),
                subject: name.clone(),
            },
        });
        changed.change = Some(Change::Organisation(OrganisationRow {
            id,
            name,
            created_at: BEGIN,
        }));
        self.append(vec![changed]).await.map(drop)
    }
}

/// A round: clients that all ask at once; how many were refused.
pub(crate) async fn round(client: &Client, seed: u64, round: u64) -> usize {
    let mut chance = Chance::of(seed.wrapping_mul(1_000_003).wrapping_add(round));
    let mut asking = tokio::task::JoinSet::new();
    for n in 0..=chance.below(14) {
        let client = client.clone();
        let name = format!("e{seed}-{round}-{n}");
        if chance.percent(8) {
            asking.spawn(client.change(name));
        } else {
            asking.spawn(client.exchange(name, Chance::of(chance.next())));
        }
    }
    let mut refused = 0;
    while let Some(done) = asking.join_next().await {
        if !matches!(done, Ok(Ok(()))) {
            refused += 1;
        }
    }
    refused
}

/// Publishes before anything of it is durable: the mark, then the checkpoint.
pub(crate) fn publish_early(signed: &EpochRow, folder: &Path, hears: &Hears) {
    let bytes = mark(signed);
    // A mark that cannot be written leaves the checkpoint unpublished, as in the product.
    if store::write_atomically(&folder.join(MARK), &bytes, 0o600).is_ok() {
        let name = MARK.to_owned();
        hears(Said::Kept { name, bytes });
        hears(Said::Published(Sealed {
            epoch: signed.epoch,
            size: signed.size,
            root: signed.root,
            records: signed.sealed,
        }));
    }
}

pub(crate) fn entry(record: Record) -> Entry {
    Entry::of(record)
}

fn body(what: &str, bytes: Vec<u8>) -> SealedBody {
    SealedBody {
        what: what.to_owned(),
        bytes,
        key: 1,
    }
}

#[expect(clippy::expect_used, reason = "constants that parse")]
pub(crate) fn account() -> AccountId {
    AccountId::parse("acme").expect("an account's id")
}

#[expect(clippy::expect_used, reason = "constants that parse")]
fn key() -> KeyId {
    KeyId::parse("k1").expect("a key's id")
}

#[expect(clippy::expect_used, reason = "names made here, all of which parse")]
pub(crate) fn intent(name: &str) -> Record {
    Record {
        at: BEGIN,
        account: Some(account()),
        event: Event::Intent {
            exchange: ExchangeId::parse(name).expect("an exchange's id"),
            key: key(),
            endpoint: Endpoint::ChatCompletions,
            model: ModelName::parse("m").expect("a model's name"),
            request: Commitment([7; 32]),
            policy: "00".to_owned(),
            clauses: Vec::new(),
            purpose: None,
            asked: None,
        },
    }
}

#[expect(clippy::expect_used, reason = "names made here, all of which parse")]
fn completion(name: &str, intent: u64) -> Record {
    Record {
        at: BEGIN,
        account: Some(account()),
        event: Event::Completion {
            exchange: ExchangeId::parse(name).expect("an exchange's id"),
            intent,
            ending: Ending::Completed,
            status: 200,
            input_tokens: 3,
            output_tokens: 4,
            estimated: false,
            answer: Some(Commitment([8; 32])),
        },
    }
}
