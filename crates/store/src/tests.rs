//! Every test runs on `SQLite` and on `PostgreSQL`.

mod bodies;
mod campaigns;
mod directory;
mod doors;
mod durability;
mod journal;
mod links;
mod outbox;
mod profiles;
mod tables;

use std::sync::Arc;

use evidence::seal::{Format, KekId, SubjectDigest};
use evidence::{Commitment, Event, Record};
use facts::{AccountId, Ending, Endpoint, ExchangeId, KeyId, ModelName, Timestamp};

use crate::{Database, Entry, Journal, JournalTask, SubjectKeyRow};

/// The store takes leaves as they come; these name their record and place.
pub(crate) fn leaf(record: &Record, seq: u64) -> Vec<u8> {
    format!("{seq}:{record:?}").into_bytes()
}

pub(crate) const NOON: Timestamp = Timestamp(1_790_000_000_000);

/// Runs the check on a fresh database of each engine.
#[track_caller]
pub(crate) fn on_both<F: Future<Output = ()>>(check: impl Fn(String) -> F) {
    testbed::on_both(|url| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
            .block_on(check(url.to_owned()));
    });
}

pub(crate) async fn started(url: &str) -> (Database, Journal, JournalTask) {
    let database = Database::open(url).await.unwrap();
    let (journal, task) = Journal::start(database.clone(), leaf, NOON, None)
        .await
        .unwrap();
    (database, journal, task)
}

pub(crate) fn account(name: &str) -> AccountId {
    AccountId::parse(name).unwrap()
}

pub(crate) fn exchange(name: &str) -> ExchangeId {
    ExchangeId::parse(name).unwrap()
}

pub(crate) fn intent(name: &str) -> Entry {
    Entry::of(Record {
        at: NOON,
        account: Some(account("acme")),
        event: Event::Intent {
            exchange: exchange(name),
            key: KeyId::parse("k1").unwrap(),
            endpoint: Endpoint::ChatCompletions,
            model: ModelName::parse("m").unwrap(),
            request: Commitment([7; 32]),
            policy: "00".to_owned(),
            clauses: Vec::new(),
            purpose: None,
            asked: None,
        },
    })
}

pub(crate) fn completion(name: &str, intent: u64) -> Entry {
    Entry::of(Record {
        at: NOON,
        account: Some(account("acme")),
        event: Event::Completion {
            exchange: exchange(name),
            intent,
            ending: Ending::Completed,
            status: 200,
            input_tokens: 3,
            output_tokens: 4,
            estimated: false,
            answer: Some(Commitment([8; 32])),
        },
    })
}

/// A kept key; what is wrapped differs from key to key.
pub(crate) fn key(id: u64, account: &str, subject: u8) -> Arc<SubjectKeyRow> {
    let byte = |n: u64| u8::try_from(n % 251).unwrap();
    Arc::new(SubjectKeyRow {
        id,
        account: account.to_owned(),
        month: "2026-09".to_owned(),
        format: Format::Subject,
        subject: SubjectDigest([subject; 32]),
        kek: KekId([6; 32]),
        wrapped: (0..60).map(|n| byte(id * 97 + n * n * 31 + 17)).collect(),
    })
}

pub(crate) fn directory(change: &str) -> Entry {
    Entry::of(Record {
        at: NOON,
        account: None,
        event: Event::Directory {
            change: change.to_owned(),
            subject: "s".to_owned(),
        },
    })
}
