//! A child process appends and prints what was acknowledged; it is killed; what
//! was printed must be there.
//!
//! A missing sync it cannot see: the page cache outlives the process. The
//! harnesses of `crates/faults` do.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;
use crate::faults::{Mutant, choose};

const NAME: &str = "tests::durability::acknowledged_records_outlive_a_killed_process";
/// Kills of the real journal per engine.
const ROUNDS: usize = 6;
/// Kills within which a mutant must be noticed.
const MUTANT_ROUNDS: usize = 40;

#[test]
fn acknowledged_records_outlive_a_killed_process() {
    if let (Ok(url), Ok(policy)) = (std::env::var("STORE_URL"), std::env::var("STORE_POLICY")) {
        append_forever(&url, &policy);
    }
    testbed::on_both(|url| {
        for round in 0..ROUNDS {
            assert_eq!(lost(url, "durable", 50 + round * 37), 0, "{url}");
        }
    });
    testbed::on_both(|url| {
        let noticed = (0..MUTANT_ROUNDS).any(|n| lost(url, "ack_before_write", 50 + n * 7) > 0);
        assert!(noticed, "{url}: the mutant lived");
    });
}

fn append_forever(url: &str, policy: &str) -> ! {
    choose(match policy {
        "durable" => None,
        "ack_before_write" => Some(Mutant::AckBeforeWrite),
        other => panic!("no policy `{other}`"),
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = Database::open(url).await.unwrap();
        let (journal, task) = Journal::start(database, leaf, NOON, None).await.unwrap();
        for _ in 0..16 {
            let journal = journal.clone();
            tokio::spawn(async move {
                loop {
                    let name = hex::encode(crate::random::<8>().unwrap());
                    let seq = journal.append(intent(&name)).await.unwrap();
                    println!("acked {seq} {name}");
                }
            });
        }
        drop(journal);
        task.finished().await;
    });
    panic!("the appenders stopped");
}

/// Kills a child after `after` acknowledgements; how many of all it printed are
/// missing from the database.
fn lost(url: &str, policy: &str, after: usize) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
        .env("STORE_URL", url)
        .env("STORE_POLICY", policy)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut acked = Vec::new();
    for line in output.lines() {
        let line = line.unwrap();
        // The last line may be cut short; only whole ones were acknowledged.
        if let ["acked", seq, name] = line.split(' ').collect::<Vec<_>>()[..]
            && name.len() == 16
        {
            acked.push((seq.parse::<u64>().unwrap(), name.to_owned()));
        }
        if acked.len() == after {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acked.len() >= after, "the child died by itself");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = Database::open(url).await.unwrap();
        let stored = database.records(0..u64::MAX).await.unwrap();
        assert!(stored.iter().map(|r| r.seq).eq(0..stored.len() as u64));
        let missing = |(seq, name): &&(u64, String)| {
            let row = usize::try_from(*seq).ok().and_then(|n| stored.get(n));
            row.and_then(|r| r.exchange.as_ref())
                .is_none_or(|e| e.as_str() != name)
        };
        acked.iter().filter(missing).count()
    })
}

#[tokio::test]
async fn sqlite_syncs_at_each_commit() {
    let bed = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", bed.path().join("d").display());
    let database = Database::open(&url).await.unwrap();
    let row = database
        .session()
        .await
        .unwrap()
        .pragma("PRAGMA synchronous")
        .await;
    assert_eq!(row, "2", "FULL");
    let row = database
        .session()
        .await
        .unwrap()
        .pragma("PRAGMA journal_mode")
        .await;
    assert_eq!(row, "wal");
}

#[test]
fn a_postgres_that_does_not_sync_is_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = testbed::Postgres::forgetful();
    let refused = runtime.block_on(Database::open(&server.database()));
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("fsync = off"), "{refused}");
}

#[test]
fn a_postgres_that_answers_before_it_syncs_is_told_to_wait() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = testbed::databases().postgres;
    runtime.block_on(async {
        let database = Database::open(&url).await.unwrap();
        let careless = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$";
        database.tell(careless).await.unwrap();
        drop(database);
        let database = Database::open(&url).await.unwrap();
        let asked = "SELECT current_setting('synchronous_commit')";
        let read = database.rows(asked, Vec::new()).await.unwrap();
        assert_eq!(read[0].text(0).unwrap(), "off", "what others get");
        let mut session = database.session().await.unwrap();
        let written = session.rows(asked, Vec::new()).await.unwrap();
        assert_eq!(written[0].text(0).unwrap(), "on", "what the writer has");
    });
}
