//! `fairhold bench record`: how fast is what the log keeps made durable?
//!
//! Many clients append to the real journal: an exchange is its intent with a
//! sealed body of 1 KiB and its completion with another, and each is counted
//! when it was acknowledged as durable. The disk's own sync is timed beside,
//! in the same folder.

use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use evidence::{Commitment, Event, Record};
use facts::{AccountId, Ending, Endpoint, ExchangeId, KeyId, MicroUsd, ModelName};
use serde::Serialize;
use store::{Database, Entry, Journal, SealedBody, Spend, SystemClock};
use tokio::task::JoinSet;

use super::Scratch;
use super::figures::quantile_ms;
use crate::args::bench::RecordBench;
use crate::failure::{Exit, Failure};
use crate::keeper::leaf;
use crate::out::Out;

/// Bytes of each body.
const BODY: usize = 1024;
/// Syncs that are timed.
const SYNCS: u64 = 200;
/// Bytes written before each, a page of either engine's log.
const PAGE: usize = 8192;

/// One engine's figures; the keys are stable (README).
#[derive(Debug, Clone, Serialize)]
struct Figures {
    /// Records acknowledged as durable, per second.
    records_per_second: f64,
    /// From asking to the acknowledgement, median.
    ack_p50_ms: f64,
    /// The same, 99th percentile.
    ack_p99_ms: f64,
    /// The disk's own `fdatasync` of 8 KiB, median.
    sync_p50_ms: f64,
    /// Records that one transaction made durable, on average.
    records_per_commit: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    sqlite: Figures,
    postgres: Option<Figures>,
    in_flight: u32,
    seconds: u64,
    body_bytes: usize,
    cores: usize,
    version: &'static str,
}

/// Runs the command.
pub(super) async fn run(what: &RecordBench, out: Out) -> Result<Exit, Failure> {
    let broken = |e: std::io::Error| Failure::error(format!("failed to run the benchmark: {e}"));
    let scratch = match &what.folder {
        Some(folder) => Scratch::in_folder(folder),
        None => Scratch::new(),
    }
    .map_err(broken)?;
    out.say("1/2 SQLite");
    let url = format!("sqlite:{}", scratch.0.join("record.db").display());
    let sqlite = measure(&url, &scratch.0, what).await?;
    let postgres = if what.sqlite_only {
        None
    } else {
        out.say("2/2 PostgreSQL, its own server with fsync on");
        Some(on_postgres(&scratch.0, what).await?)
    };
    let report = Report {
        sqlite,
        postgres,
        in_flight: what.in_flight,
        seconds: what.seconds,
        body_bytes: BODY,
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        version: env!("CARGO_PKG_VERSION"),
    };
    out.data(&report)?;
    table(&report, out);
    Ok(Exit::Clean)
}

async fn on_postgres(folder: &Path, what: &RecordBench) -> Result<Figures, Failure> {
    if let Some(url) = &what.postgres {
        return measure(url, folder, what).await;
    }
    let server = testbed::Postgres::durable(folder).map_err(|e| {
        Failure::error(format!(
            "failed to measure PostgreSQL: {e}; name a server with --postgres or leave it out with --sqlite-only"
        ))
    })?;
    measure(&server.database(), folder, what).await
}

/// What clients saw.
#[derive(Debug, Default)]
struct Seen {
    micros: Vec<u32>,
}

async fn measure(url: &str, folder: &Path, what: &RecordBench) -> Result<Figures, Failure> {
    let failed = |e: store::StoreError| Failure::chain(&e);
    let sync_p50_ms = sync(folder)
        .map_err(|e| Failure::error(format!("failed to time a sync in the folder: {e}")))?;
    let database = Database::open(url).await.map_err(failed)?;
    let (journal, task) = Journal::start(database.clone(), leaf, SystemClock.now(), None)
        .await
        .map_err(failed)?;
    load(&journal, what.in_flight, Duration::from_secs(1), "warm").await?;
    let commits = journal.commits();
    let began = Instant::now();
    let lasting = Duration::from_secs(what.seconds);
    let seen = load(&journal, what.in_flight, lasting, "load").await?;
    let seconds = began.elapsed().as_secs_f64();
    let commits = journal.commits().saturating_sub(commits);
    drop(journal);
    task.finished().await;
    Ok(Figures {
        records_per_second: count(seen.micros.len()) / seconds,
        ack_p50_ms: quantile_ms(&seen.micros, 0.5),
        ack_p99_ms: quantile_ms(&seen.micros, 0.99),
        sync_p50_ms,
        records_per_commit: count(seen.micros.len())
            / count(usize::try_from(commits).unwrap_or(usize::MAX)).max(1.0),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}

/// `in_flight` clients, each with one append at a time, until the time is over.
async fn load(
    journal: &Journal,
    in_flight: u32,
    lasting: Duration,
    name: &'static str,
) -> Result<Seen, Failure> {
    let body = Arc::new(noise().map_err(|e| Failure::error(e.to_string()))?);
    let until = Instant::now() + lasting;
    let mut clients = JoinSet::new();
    for n in 0..in_flight {
        let (journal, body) = (journal.clone(), Arc::clone(&body));
        clients.spawn(async move { client(&journal, &format!("{name}-{n}"), until, &body).await });
    }
    let mut seen = Seen::default();
    while let Some(done) = clients.join_next().await {
        let part = done.map_err(|e| Failure::error(format!("a client died: {e}")))?;
        seen.micros.extend(part?.micros);
    }
    Ok(seen)
}

async fn client(
    journal: &Journal,
    name: &str,
    until: Instant,
    body: &[u8],
) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    for k in 0_u64.. {
        if Instant::now() >= until {
            break;
        }
        let ids = Ids::of(&format!("{name}-{k}"))?;
        let seq = timed(journal, ids.intent(body), &mut seen).await?;
        timed(journal, ids.completion(seq, body), &mut seen).await?;
    }
    Ok(seen)
}

async fn timed(journal: &Journal, entry: Entry, seen: &mut Seen) -> Result<u64, Failure> {
    let asked = Instant::now();
    let seq = journal.append(entry).await;
    let micros = u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX);
    seen.micros.push(micros);
    seq.map_err(|e| Failure::error(format!("failed to {e}")))
}

/// Who asks what, in a benchmark's records.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    account: AccountId,
    key: KeyId,
    model: ModelName,
    exchange: ExchangeId,
}

impl Ids {
    /// One account's exchange of this name.
    pub(super) fn of(exchange: &str) -> Result<Self, Failure> {
        Self::with_account("bench", exchange)
    }

    /// An exchange of this account.
    pub(super) fn with_account(account: &str, exchange: &str) -> Result<Self, Failure> {
        let wrong = |e: facts::IdError| Failure::error(e.to_string());
        Ok(Self {
            account: AccountId::parse(account).map_err(wrong)?,
            key: KeyId::parse("bench-key").map_err(wrong)?,
            model: ModelName::parse("mock-1").map_err(wrong)?,
            exchange: ExchangeId::parse(exchange).map_err(wrong)?,
        })
    }

    /// Its intent, with a body unless that is empty.
    pub(super) fn intent(&self, body: &[u8]) -> Entry {
        self.entry(
            Event::Intent {
                exchange: self.exchange.clone(),
                key: self.key.clone(),
                endpoint: Endpoint::ChatCompletions,
                model: self.model.clone(),
                request: Commitment([7; 32]),
                policy: "00".repeat(32),
                clauses: Vec::new(),
                purpose: None,
                asked: None,
            },
            "request",
            body,
        )
    }

    /// Its end, with a body unless that is empty, and what it settles.
    pub(super) fn completion(&self, intent: u64, body: &[u8]) -> Entry {
        let event = Event::Completion {
            exchange: self.exchange.clone(),
            intent,
            ending: Ending::Completed,
            status: 200,
            input_tokens: 250,
            output_tokens: 250,
            estimated: false,
            answer: Some(Commitment([8; 32])),
        };
        let spend = Spend {
            account: self.account.clone(),
            key: self.key.clone(),
            at: SystemClock.now(),
            amount: MicroUsd(100),
            tokens: 500,
            requests: 1,
        };
        Entry {
            spend: Some(spend),
            ..self.entry(event, "answer", body)
        }
    }

    fn entry(&self, event: Event, what: &str, body: &[u8]) -> Entry {
        let mut entry = Entry::of(Record {
            at: SystemClock.now(),
            account: Some(self.account.clone()),
            event,
        });
        if !body.is_empty() {
            entry.bodies.push(SealedBody {
                what: what.to_owned(),
                bytes: body.to_vec(),
                key: 1,
            });
        }
        entry
    }
}

/// A sealed body looks like noise.
pub(super) fn noise() -> std::io::Result<Vec<u8>> {
    Ok(store::random::<BODY>()?.to_vec())
}

/// Median of the disk's own sync, in milliseconds.
fn sync(folder: &Path) -> std::io::Result<f64> {
    let path = folder.join("sync");
    let mut file = std::fs::File::create(&path)?;
    let page = [7_u8; PAGE];
    file.write_all(&page)?;
    let mut micros = Vec::new();
    for n in 0..SYNCS {
        file.write_all_at(&page, n * page.len() as u64)?;
        let began = Instant::now();
        file.sync_data()?;
        micros.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    std::fs::remove_file(&path)?;
    Ok(quantile_ms(&micros, 0.5))
}

fn table(report: &Report, out: Out) {
    type Column = fn(&Figures) -> f64;
    out.line(&format!("{:<20} {:>12} {:>12}", "", "SQLite", "PostgreSQL"));
    let rows: [(&str, Column); 5] = [
        ("records_per_second", |f| f.records_per_second),
        ("ack_p50_ms", |f| f.ack_p50_ms),
        ("ack_p99_ms", |f| f.ack_p99_ms),
        ("sync_p50_ms", |f| f.sync_p50_ms),
        ("records_per_commit", |f| f.records_per_commit),
    ];
    for (name, of) in rows {
        let sqlite = of(&report.sqlite);
        let postgres = report.postgres.as_ref();
        let postgres = postgres.map_or("-".to_owned(), |f| format!("{:.2}", of(f)));
        out.line(&format!("{name:<20} {sqlite:>12.2} {postgres:>12}"));
    }
}
