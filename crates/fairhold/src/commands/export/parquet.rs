//! `fairhold export parquet DIR`: the log as tables, beside a running server or
//! without one.
//!
//! A ledger after the other, in pages, so that a log of any length takes little
//! memory. The root log's checkpoint and entries go along (`_ledgers/`, which
//! table readers pass over), so that a reader can hold the tables against them.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use facts::{AccountId, ExchangeId};
use indicatif::ProgressBar;
use serde_json::json;
use store::{Database, JournalRow, StoreError};

use crate::args::export::Parquet;
use crate::failure::{Exit, Failure};
use crate::house::{House, Plan};
use crate::keeper::{Keeper, KeeperError};
use crate::out::Out;
use crate::tables::{Opened, Row, Tables};

/// Records read at once.
const PAGE: u32 = 5_000;
/// Root entries read at once.
const ENTRIES: u64 = 10_000;

/// Runs the command.
pub(crate) async fn run(data: &Path, what: &Parquet, out: Out) -> Result<Exit, Failure> {
    let folder = &what.folder;
    let taken = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(Failure::error(format!(
            "failed to export into `{}`: it is not empty; name a new folder",
            folder.display()
        )));
    }
    if !what.bodies {
        let own = || format!("sqlite:{}", data.join("fairhold.db").display());
        let url = what.database.clone().unwrap_or_else(own);
        let database = Database::open_to_read(&url).await.map_err(store)?;
        return write(&database, None, what, out).await;
    }
    // Who reads bodies is recorded, so the house must be ours meanwhile.
    let house = House::open(data, Plan::at_rest()).await?;
    let reader = Reader {
        keeper: &house.keeper,
        by: what.by.as_deref().unwrap_or_default(),
        reason: what.reason.as_deref().unwrap_or_default(),
        answers: HashMap::new(),
    };
    let database = house.keeper.database().clone();
    let written = write(&database, Some(reader), what, out).await;
    drop(database);
    house.close().await;
    written
}

async fn write(
    database: &Database,
    bodies: Option<Reader<'_>>,
    what: &Parquet,
    out: Out,
) -> Result<Exit, Failure> {
    let folder = &what.folder;
    std::fs::create_dir_all(folder).map_err(|e| file(folder, &e))?;
    // What is signed first: the records that it covers are there by then.
    let signed = ledgers(database, &folder.join("_ledgers")).await?;
    let end = database.count().await.map_err(store)?;
    let mut export = Export {
        end,
        bodies,
        tables: Tables::new(folder, what.bodies),
        bar: out.progress(end, "records"),
        what,
    };
    for account in whose(database, what).await? {
        export.ledger(database, account.as_ref()).await?;
    }
    export.bar.finish_and_clear();
    let (records, files) = (export.tables.rows, export.tables.files);
    let manifest = json!({
        "format": "fairhold-parquet-1",
        "records": records,
        "files": files,
        "account": what.account,
        "complete": what.since.is_none() && what.until.is_none(),
        "root_entries": signed,
    });
    let path = folder.join("_ledgers/manifest.json");
    std::fs::write(&path, format!("{manifest}\n")).map_err(|e| file(&path, &e))?;
    out.data(&manifest)?;
    out.line(&format!(
        "{}: {records} records in {files} files",
        folder.display()
    ));
    out.next(&format!(
        "duckdb -c \"SELECT type, count(*) FROM read_parquet('{}/account=*/*/*.parquet', hive_partitioning=true) GROUP BY type\"",
        folder.display()
    ));
    Ok(Exit::Clean)
}

/// The ledgers to export; none: that of records without an account.
async fn whose(database: &Database, what: &Parquet) -> Result<Vec<Option<AccountId>>, Failure> {
    let known = database.recorded_accounts().await.map_err(store)?;
    let Some(named) = &what.account else {
        return Ok(std::iter::once(None)
            .chain(known.into_iter().map(Some))
            .collect());
    };
    match known.into_iter().find(|account| account.as_str() == named) {
        Some(account) => Ok(vec![Some(account)]),
        None => Err(Failure::error(format!(
            "failed to export account `{named}`: the log has no record of it; `fairhold account list` shows who is known"
        ))),
    }
}

/// Opens bodies, an exchange at a time; each reading is recorded.
struct Reader<'a> {
    keeper: &'a Keeper,
    by: &'a str,
    reason: &'a str,
    /// Answers whose completion comes later.
    answers: HashMap<ExchangeId, Opened>,
}

impl Reader<'_> {
    /// The body of a record, if it has one that can still be opened.
    async fn of(&mut self, record: &JournalRow) -> Result<Option<Opened>, Failure> {
        let Some(exchange) = &record.exchange else {
            return Ok(None);
        };
        if record.kind == "completion" && self.answers.contains_key(exchange) {
            return Ok(self.answers.remove(exchange));
        }
        if record.kind != "intent" && record.kind != "completion" {
            return Ok(None);
        }
        let read = self.keeper.read_bodies(exchange, self.by, self.reason);
        let bodies = match read.await {
            Ok(bodies) => bodies,
            Err(KeeperError::Unknown(_)) => return Ok(None),
            Err(error) => return Err(Failure::chain(&error)),
        };
        let mut own = None;
        for body in bodies {
            let opened = Opened {
                plaintext: body.plaintext,
                salt: body.salt,
            };
            match (body.what.as_str(), record.kind.as_str()) {
                ("request", "intent") | ("answer", "completion") => own = Some(opened),
                ("answer", _) => {
                    self.answers.insert(exchange.clone(), opened);
                }
                _ => {}
            }
        }
        Ok(own)
    }
}

struct Export<'a> {
    /// What comes later is left for the next export.
    end: u64,
    bodies: Option<Reader<'a>>,
    tables: Tables,
    bar: ProgressBar,
    what: &'a Parquet,
}

impl Export<'_> {
    /// One ledger, from its first record on: places are counted.
    async fn ledger(
        &mut self,
        database: &Database,
        account: Option<&AccountId>,
    ) -> Result<(), Failure> {
        let name = account.map(AccountId::as_str);
        let (mut after, mut place) = (None, 0);
        loop {
            let page = match account {
                Some(account) => database.records_of_account(account, after, PAGE).await,
                None => database.records_of_nobody(after, PAGE).await,
            };
            let page = page.map_err(store)?;
            let Some(last) = page.last() else { break };
            after = Some(last.seq);
            let done = last.seq >= self.end;
            self.bar.inc(page.len() as u64);
            for record in page {
                if record.seq >= self.end {
                    break;
                }
                self.take(name, record, place).await?;
                place += 1;
            }
            if done {
                break;
            }
        }
        self.tables.finish(name).map_err(failed)
    }

    async fn take(
        &mut self,
        account: Option<&str>,
        record: JournalRow,
        place: u64,
    ) -> Result<(), Failure> {
        let early = self.what.since.is_some_and(|since| record.at < since);
        let late = self.what.until.is_some_and(|until| record.at >= until);
        if early || late {
            return Ok(());
        }
        let body = match &mut self.bodies {
            Some(reader) => reader.of(&record).await?,
            None => None,
        };
        self.tables
            .add(account, Row::of(record, place, body))
            .map_err(failed)
    }
}

/// The latest root checkpoint of every epoch and the entries under it; how many entries.
async fn ledgers(database: &Database, folder: &Path) -> Result<u64, Failure> {
    std::fs::create_dir_all(folder).map_err(|e| file(folder, &e))?;
    let mut all = 0;
    for epoch in database.epochs().await.map_err(store)? {
        let epoch = epoch.epoch;
        let latest = database.latest_root_checkpoint(epoch).await;
        let Some(latest) = latest.map_err(store)? else {
            continue;
        };
        let note = folder.join(format!("{epoch}.checkpoint"));
        std::fs::write(&note, latest.note + &latest.cosignatures).map_err(|e| file(&note, &e))?;
        let path = folder.join(format!("{epoch}.entries.jsonl"));
        let made = std::fs::File::create(&path).map_err(|e| file(&path, &e))?;
        let mut lines = std::io::BufWriter::new(made);
        let mut next = 0;
        while next < latest.size {
            let until = latest.size.min(next + ENTRIES);
            let entries = database.root_entries(epoch, next..until).await;
            for entry in entries.map_err(store)? {
                let line = json!({
                    "n": entry.n,
                    "ledger": entry.ledger,
                    "size": entry.size,
                    "body": String::from_utf8_lossy(&entry.body),
                });
                writeln!(lines, "{line}").map_err(|e| file(&path, &e))?;
            }
            next = until;
        }
        lines.flush().map_err(|e| file(&path, &e))?;
        all += latest.size;
    }
    Ok(all)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn store(error: StoreError) -> Failure {
    Failure::chain(&error)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn failed(what: String) -> Failure {
    Failure::error(format!("failed to {what}"))
}

fn file(path: &Path, error: &std::io::Error) -> Failure {
    Failure::error(format!("failed to write `{}`: {error}", path.display()))
}
