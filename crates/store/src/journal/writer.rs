//! The task that writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use evidence::{Event, Record};
use facts::{AccountId, Ending, ExchangeId, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::handed::Brings;
use super::{Entry, JournalError, LeafOf, Request, Spend, State};
use crate::bodies;
use crate::check;
use crate::database::{Cell, Database, Script, Session, StoreError};
use crate::directory::{self, Change};
use crate::faults::{Mutant, has};
use crate::subject_keys::{self, SubjectKeyRow};

/// Records per transaction: 1,000 rows of 512 bytes took 9 ms on two cores
/// (113,073 records/s); more only lengthens the wait of the first.
const BATCH: usize = 1_000;

/// Room for 20,000 endings of 400 bytes.
const RESERVE_BYTES: usize = 8 << 20;

/// An open intent: its exchange and account.
type Open = (ExchangeId, Option<AccountId>);

pub(super) struct Writer {
    pub(super) database: Database,
    pub(super) leaf: LeafOf,
    pub(super) next: u64,
    open: BTreeMap<u64, Open>,
    reserve: Option<PathBuf>,
    full: bool,
    pub(super) state: Arc<State>,
    /// Keys destroyed since the start: what was sealed under one and waited is not kept.
    gone: BTreeSet<u64>,
}

/// Why a transaction failed.
pub(super) enum Failure {
    Refused(String),
    Full,
    Fatal(StoreError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error {
            let code = database.code().unwrap_or_default();
            // SQLITE_FULL, and PostgreSQL's disk_full.
            if code == "13" || code == "53100" {
                return Self::Full;
            }
            // SQLITE_CONSTRAINT with its extended codes, and SQLSTATE class 23.
            let sqlite = code
                .parse::<u32>()
                .is_ok_and(|c| code.len() < 5 && c & 0xff == 19);
            if sqlite || code.starts_with("23") && code.len() == 5 {
                return Self::Refused(database.message().to_owned());
            }
        }
        Self::Fatal(StoreError::Database(error))
    }
}

impl From<directory::ChangeError> for Failure {
    fn from(error: directory::ChangeError) -> Self {
        match error {
            directory::ChangeError::Unknown(what) => Self::Refused(what),
            directory::ChangeError::Database(error) => error.into(),
        }
    }
}

impl Writer {
    pub(super) async fn load(
        database: Database,
        leaf: LeafOf,
        reserve: Option<PathBuf>,
        state: Arc<State>,
    ) -> Result<Self, StoreError> {
        drop(database.session().await?);
        if let Some(path) = &reserve {
            lay_by(path).map_err(|e| StoreError::file(path, e))?;
        }
        let mut next = database.count().await?;
        if !has(Mutant::RecoveryIgnoresChecksum) {
            let tail = next.saturating_sub(check::TAIL)..next;
            database.check_records(tail).await?;
        }
        if has(Mutant::ReusedSequenceNumber) {
            next = next.saturating_sub(1);
        }
        let mut open = BTreeMap::new();
        for intent in database.open_intents().await? {
            open.insert(intent.seq, (intent.exchange, intent.account));
        }
        Ok(Self {
            database,
            leaf,
            next,
            open,
            reserve,
            full: false,
            state,
            gone: BTreeSet::new(),
        })
    }

    pub(super) async fn close_open_intents(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let open = self.open.clone();
        let entries: Vec<Entry> = open
            .into_iter()
            .map(|(seq, intent)| interrupted(seq, intent, now))
            .collect();
        let closed = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        for chunk in entries.chunks(BATCH) {
            let chunk: Vec<&Entry> = chunk.iter().collect();
            match self.write(&chunk).await {
                Ok(()) => self.remember(&chunk),
                Err(Failure::Fatal(error)) => return Err(error),
                Err(Failure::Refused(why)) => return Err(StoreError::Corrupt(why)),
                Err(Failure::Full) => {
                    return Err(StoreError::Corrupt("the disk is full".to_owned()));
                }
            }
        }
        Ok(closed)
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        while let Some(first) = queue.recv().await {
            let mut size = first.entries.len();
            let mut batch = vec![first];
            while size < BATCH {
                let Ok(request) = queue.try_recv() else { break };
                size += request.entries.len();
                batch.push(request);
            }
            // A change may be refused, and must then take no one else with it.
            let mut plain = Vec::new();
            for request in batch {
                if request.entries.iter().any(|e| e.change.is_some()) {
                    self.commit(std::mem::take(&mut plain)).await;
                    self.commit(vec![request]).await;
                } else {
                    plain.push(request);
                }
            }
            self.commit(plain).await;
        }
    }

    /// One transaction, and the answers to those who wait for it.
    async fn commit(&mut self, requests: Vec<Request>) {
        let requests = self.admissible(requests);
        if requests.is_empty() {
            return;
        }
        #[cfg(any(test, feature = "faults"))]
        let Some(requests) = self.mutated(requests).await else {
            return;
        };
        let entries: Vec<&Entry> = requests.iter().flat_map(|r| &r.entries).collect();
        if entries.iter().any(|entry| forgets(entry)) {
            // Before it begins: nothing that it erases is taken from here afterwards.
            self.state.handed.let_go();
        }
        match self.write(&entries).await {
            Ok(()) => self.acknowledge(requests),
            Err(Failure::Refused(why)) => refuse(requests, &JournalError::Refused(why)),
            Err(Failure::Fatal(error)) => {
                tracing::error!(?error, "a commit failed; the journal stops");
                self.state.stopped.store(true, Ordering::Release);
                refuse(requests, &JournalError::Stopped);
            }
            Err(Failure::Full) => self.commit_endings(requests).await,
        }
    }

    /// On a full disk the reserve is given up for those who only close.
    async fn commit_endings(&mut self, requests: Vec<Request>) {
        tracing::error!("the disk is full: new exchanges are refused");
        self.full = true;
        if let Some(path) = &self.reserve
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(%error, "no reserve left");
        }
        let (closing, others): (Vec<_>, Vec<_>) = requests.into_iter().partition(closes);
        refuse(others, &JournalError::Full);
        let entries: Vec<&Entry> = closing.iter().flat_map(|r| &r.entries).collect();
        if entries.is_empty() {
            return;
        }
        match self.write(&entries).await {
            Ok(()) => self.acknowledge(closing),
            Err(Failure::Full | Failure::Refused(_)) => refuse(closing, &JournalError::Full),
            Err(Failure::Fatal(error)) => {
                tracing::error!(?error, "a commit failed; the journal stops");
                self.state.stopped.store(true, Ordering::Release);
                refuse(closing, &JournalError::Stopped);
            }
        }
    }

    /// Turns away what cannot be written and keeps the rest, in order.
    fn admissible(&mut self, requests: Vec<Request>) -> Vec<Request> {
        if self.state.stopped.load(Ordering::Acquire) {
            refuse(requests, &JournalError::Stopped);
            return Vec::new();
        }
        if self.full {
            self.full = self.reserve.as_deref().is_some_and(|p| lay_by(p).is_err());
        }
        let mut closed = BTreeSet::new();
        let mut kept = Vec::with_capacity(requests.len());
        for request in requests {
            if self.full && !closes(&request) {
                refuse(vec![request], &JournalError::Full);
                continue;
            }
            let named: Vec<u64> = request
                .entries
                .iter()
                .filter_map(|e| closing(&e.record))
                .collect();
            let distinct: BTreeSet<u64> = named.iter().copied().collect();
            let wrong = named
                .iter()
                .find(|n| !self.open.contains_key(n) || closed.contains(*n));
            match wrong {
                Some(intent) => {
                    let error = JournalError::NotOpen { intent: *intent };
                    refuse(vec![request], &error);
                }
                None if distinct.len() < named.len() => {
                    let why = "two endings of one intent".to_owned();
                    refuse(vec![request], &JournalError::Refused(why));
                }
                None => {
                    closed.extend(distinct);
                    kept.push(request);
                }
            }
        }
        kept
    }

    /// Writes and commits; after an error nothing of it is there, except that
    /// a fatal one may leave the outcome of the commit unknown.
    pub(super) async fn write(&mut self, entries: &[&Entry]) -> Result<(), Failure> {
        let database = self.database.clone();
        let mut session = database.session().await.map_err(Failure::Fatal)?;
        let mut gone = BTreeSet::new();
        let done = if entries.iter().all(|e| e.change.is_none()) {
            let script = self.script(session.script(), entries);
            session.transaction(script).await.map_err(Failure::from)
        } else {
            let changed = self.change(&mut session, entries).await;
            changed.map(|keys| gone = keys)
        };
        if done.is_err() {
            session.rollback().await;
        } else {
            self.gone.extend(gone);
            self.state.commits.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    /// A transaction that changes the directory too; gives the keys that it destroyed.
    async fn change(
        &self,
        session: &mut Session,
        entries: &[&Entry],
    ) -> Result<BTreeSet<u64>, Failure> {
        session.begin().await?;
        let (mut said, mut gone) = (Vec::with_capacity(entries.len()), BTreeSet::new());
        for entry in entries {
            let mut entry = (*entry).clone();
            if let Some(Change::Forget(what)) = &entry.change {
                let forgotten = bodies::forget(session, what, entry.record.at).await?;
                entry.record.event = forgotten.said(entry.record.event);
                entry.change = None;
                gone.extend(forgotten.gone);
            }
            said.push(entry);
        }
        let said: Vec<&Entry> = said.iter().collect();
        let script = self.script(session.script(), &said);
        session.run(script).await?;
        for change in said.iter().filter_map(|e| e.change.as_ref()) {
            directory::write(session, change).await?;
        }
        session.commit().await?;
        Ok(gone)
    }

    /// What the entries add to each table, but for changes of the directory.
    fn script(&self, mut script: Script, entries: &[&Entry]) -> Script {
        let mut rows = Rows::default();
        for (seq, entry) in (self.next..).zip(entries) {
            rows.add(entry, seq, (self.leaf)(&entry.record, seq), &self.gone);
        }
        let mut journal =
            "INSERT INTO journal (seq, at, kind, account, exchange, leaf, leaf_hash) VALUES {}"
                .to_owned();
        if has(Mutant::ReusedSequenceNumber) {
            journal = journal.replace("INSERT", "INSERT OR REPLACE");
        }
        script.rows(&journal, rows.journal);
        script.rows(
            "INSERT INTO open_intents (seq, exchange, account) VALUES {}",
            rows.opened,
        );
        script.among("DELETE FROM open_intents WHERE seq IN {}", &rows.closed);
        let keys = rows.keys.into_values().map(|row| subject_keys::cells(&row));
        script.rows(subject_keys::INSERT, keys.collect());
        script.rows(
            "INSERT INTO bodies (seq, what, bytes, key_id) VALUES {}",
            rows.bodies,
        );
        let spent =
            rows.spent
                .into_iter()
                .map(|((account, key, day), [amount, tokens, requests])| {
                    vec![
                        Cell::text(account),
                        Cell::text(key),
                        Cell::int(day),
                        Cell::count(amount),
                        Cell::count(tokens),
                        Cell::count(requests),
                    ]
                });
        script.rows("INSERT INTO spend (account, key_id, day, micro_usd, tokens, requests) VALUES {} ON CONFLICT (account, key_id, day) DO UPDATE SET micro_usd = spend.micro_usd + excluded.micro_usd, tokens = spend.tokens + excluded.tokens, requests = spend.requests + excluded.requests", spent.collect());
        script
    }

    pub(super) fn acknowledge(&mut self, mut requests: Vec<Request>) {
        self.hand_over(&mut requests);
        for request in requests {
            let entries: Vec<&Entry> = request.entries.iter().collect();
            let first = self.next;
            self.remember(&entries);
            // Whoever no longer waits has no use for the number.
            request.reply.send(Ok((first..self.next).collect())).ok();
        }
    }

    /// Hands over what is durable now, from the next number on.
    fn hand_over(&self, requests: &mut [Request]) {
        let entries = requests.iter_mut().flat_map(|r| &mut r.entries);
        let records = (self.next..).zip(entries);
        let records = records.map(|(seq, entry)| (seq, brings(entry, &self.gone)));
        self.state.handed.add(records);
    }

    fn remember(&mut self, entries: &[&Entry]) {
        for entry in entries {
            if let Event::Intent { exchange, .. } = &entry.record.event {
                let intent = (exchange.clone(), entry.record.account.clone());
                self.open.insert(self.next, intent);
            }
            if let Some(intent) = closing(&entry.record) {
                self.open.remove(&intent);
            }
            self.next += 1;
        }
    }
}

/// The rows of one transaction, by table.
#[derive(Default)]
struct Rows {
    journal: Vec<Vec<Cell>>,
    opened: Vec<Vec<Cell>>,
    closed: Vec<u64>,
    bodies: Vec<Vec<Cell>>,
    /// In the order of their numbers: rows that are appended are never moved.
    keys: BTreeMap<u64, Arc<SubjectKeyRow>>,
    spent: BTreeMap<(String, String, i64), [u64; 3]>,
}

impl Rows {
    fn add(&mut self, entry: &Entry, seq: u64, leaf: Vec<u8>, gone: &BTreeSet<u64>) {
        let record = &entry.record;
        let account = || Cell::Text(record.account.as_ref().map(ToString::to_string));
        let (kind, exchange) = described(&record.event);
        let hash = leaf_hash(&leaf);
        self.journal.push(vec![
            Cell::count(seq),
            Cell::int(record.at.0),
            Cell::text(kind),
            account(),
            Cell::Text(exchange.map(ToString::to_string)),
            Cell::Bytes(leaf),
            Cell::Bytes(hash.to_vec()),
        ]);
        if let Event::Intent { exchange, .. } = &record.event {
            self.opened.push(vec![
                Cell::count(seq),
                Cell::text(exchange.as_str()),
                account(),
            ]);
        }
        self.closed.extend(closing(record));
        if let Some(key) = entry.key.as_ref().filter(|key| !gone.contains(&key.id)) {
            self.keys.insert(key.id, Arc::clone(key));
        }
        for body in entry.bodies.iter().filter(|body| !gone.contains(&body.key)) {
            self.bodies.push(vec![
                Cell::count(seq),
                Cell::text(body.what.as_str()),
                Cell::Bytes(body.bytes.clone()),
                Cell::count(body.key),
            ]);
        }
        if let Some(spend) = &entry.spend {
            self.settle(spend);
        }
    }

    fn settle(&mut self, spend: &Spend) {
        let day = spend.at.0.div_euclid(86_400_000);
        let key = (spend.account.to_string(), spend.key.to_string(), day);
        let [amount, tokens, requests] = self.spent.entry(key).or_default();
        *amount = amount.saturating_add(spend.amount.0);
        *tokens = tokens.saturating_add(spend.tokens);
        *requests = requests.saturating_add(spend.requests);
    }
}

/// RFC 6962, section 2.1: SHA-256 of 0x00 and the leaf.
pub(super) fn leaf_hash(leaf: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([0_u8]);
    hash.update(leaf);
    hash.finalize().into()
}

fn described(event: &Event) -> (&'static str, Option<&ExchangeId>) {
    match event {
        Event::Intent { exchange, .. } => ("intent", Some(exchange)),
        Event::Refusal { exchange, .. } => ("refusal", Some(exchange)),
        Event::Completion { exchange, .. } => ("completion", Some(exchange)),
        Event::Asked { .. } => ("asked", None),
        Event::Judged { .. } => ("judged", None),
        Event::CaseStep { .. } => ("case_step", None),
        Event::Directory { .. } => ("directory", None),
        Event::Erased { .. } => ("erased", None),
        Event::Expired { .. } => ("expired", None),
        Event::BodyRead { exchange, .. } => ("body_read", Some(exchange)),
    }
}

/// What a record that is durable brings to who follows the log.
fn brings(entry: &mut Entry, gone: &BTreeSet<u64>) -> Brings {
    let kept = |body: &super::SealedBody| !gone.contains(&body.key);
    if closing(&entry.record).is_none() || !entry.bodies.iter().any(kept) {
        return Brings::Nothing;
    }
    match entry.passed.take() {
        Some(passed) => Brings::All(*passed),
        None => Brings::Missing,
    }
}

fn forgets(entry: &Entry) -> bool {
    matches!(entry.change, Some(Change::Forget(_)))
}

fn closing(record: &Record) -> Option<u64> {
    match &record.event {
        Event::Completion { intent, .. } => Some(*intent),
        Event::Intent { .. }
        | Event::Asked { .. }
        | Event::Refusal { .. }
        | Event::Judged { .. }
        | Event::CaseStep { .. }
        | Event::Directory { .. }
        | Event::Erased { .. }
        | Event::Expired { .. }
        | Event::BodyRead { .. } => None,
    }
}

pub(super) fn closes(request: &Request) -> bool {
    request.entries.iter().all(|e| closing(&e.record).is_some())
}

fn interrupted(seq: u64, (exchange, account): Open, now: Timestamp) -> Entry {
    Entry::of(Record {
        at: now,
        account,
        event: Event::Completion {
            exchange,
            intent: seq,
            ending: Ending::Interrupted,
            status: 0,
            input_tokens: 0,
            output_tokens: 0,
            estimated: false,
            answer: None,
        },
    })
}

fn refuse(requests: Vec<Request>, error: &JournalError) {
    for request in requests {
        // Whoever no longer waits has no use for the error.
        request.reply.send(Err(error.clone())).ok();
    }
}

/// Takes room on the disk; zeros are written out, as a sparse file takes none.
fn lay_by(path: &Path) -> std::io::Result<()> {
    let there = std::fs::metadata(path).is_ok_and(|m| m.len() == RESERVE_BYTES as u64);
    if there {
        return Ok(());
    }
    let mut file = File::create(path)?;
    let laid = file
        .write_all(&vec![0_u8; RESERVE_BYTES])
        .and_then(|()| file.sync_all());
    if laid.is_err() {
        std::fs::remove_file(path).ok();
    }
    laid
}
