mod altered;
mod witnessed;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;

use evidence::checkpoint::Verifier;
use evidence::{Event, Record};
use facts::AccountId;
use store::{Entry, Journal, JournalTask};
use verifier::tile::{Tile, TileKind, Tiles, entries, new_tiles};

use super::fsck::{Against, Report, check};
use super::*;
use crate::witness::Witnesses;

/// Runs the check with fresh databases of each engine: today's, and one to restore.
#[track_caller]
fn on_both<F: Future<Output = ()>>(check: impl Fn(String, String) -> F) {
    let (today, copy) = (testbed::databases(), testbed::databases());
    for (url, old) in [
        (&today.sqlite, &copy.sqlite),
        (&today.postgres, &copy.postgres),
    ] {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
            .block_on(check(url.clone(), old.clone()));
    }
}

fn leaf(record: &Record, seq: u64) -> Vec<u8> {
    record.leaf(seq).unwrap()
}

/// Something about an account, or about nobody.
fn note(account: Option<&str>, subject: &str) -> Entry {
    Entry::of(Record {
        at: Timestamp(1_790_000_000_000),
        account: account.map(|a| AccountId::parse(a).unwrap()),
        event: Event::Directory {
            change: "account_opened".to_owned(),
            subject: subject.to_owned(),
        },
    })
}

struct Bench {
    database: Database,
    journal: Journal,
    ledger: Arc<Ledger>,
    task: JournalTask,
}

impl Bench {
    async fn open(url: &str, folder: &Path) -> Self {
        Self::witnessed(url, folder, Witnesses::default()).await
    }

    async fn witnessed(url: &str, folder: &Path, witnesses: Witnesses) -> Self {
        let database = Database::open(url).await.unwrap();
        let (journal, task) = Journal::start(database.clone(), leaf, Timestamp(0), None)
            .await
            .unwrap();
        Self {
            ledger: Arc::new(Ledger::new(database.clone(), key(), folder, witnesses)),
            database,
            journal,
            task,
        }
    }

    /// Records `n` of each of these accounts in turn, named from `from` on.
    async fn record(&self, accounts: &[Option<&str>], n: usize, from: usize) {
        let all = (from..from + n).flat_map(|n| {
            let each = accounts.iter();
            each.map(move |account| note(*account, &format!("s{n}")))
        });
        self.journal.append_all(all.collect()).await.unwrap();
    }

    async fn close(self) {
        drop((self.journal, self.ledger, self.database));
        self.task.finished().await;
    }

    async fn fsck(&self) -> Report {
        let mark = self.ledger.mark.read().unwrap();
        let (log, mark) = (vkey(), mark.as_ref());
        let against = Against {
            log: Some(&log),
            mark,
            bodies: true,
        };
        check(&self.database, against, |_| {}).await.unwrap()
    }
}

fn key() -> LogKey {
    LogKey::from_seed(&[7; 32], "example.org/log").unwrap()
}

fn vkey() -> Verifier {
    Verifier::parse(&key().vkey()).unwrap()
}

fn acme() -> Whose {
    Whose::Account(AccountId::parse("acme").unwrap())
}

/// Everything that a stranger can read of a ledger, checked as a stranger would.
async fn audited(ledger: &Ledger, whose: &Whose) -> u64 {
    let note = ledger.file(whose, None, "checkpoint").await.unwrap();
    let note = String::from_utf8(note.bytes).unwrap();
    let origin = note.lines().next().unwrap();
    let checkpoint = vkey().under(origin).unwrap().open(&note).unwrap();
    let mut files = BTreeMap::new();
    for tile in new_tiles(0, checkpoint.size) {
        let file = ledger.file(whose, None, &tile.to_string()).await.unwrap();
        assert!(file.immutable);
        files.insert(tile, file.bytes);
    }
    let mut tiles = Tiles::new(checkpoint.size, |tile| files.get(&tile).cloned().ok_or(()));
    assert_eq!(tiles.root().unwrap(), checkpoint.root, "{whose:?}");
    for (tile, bytes) in files.iter().filter(|(t, _)| t.kind() == TileKind::Entries) {
        let hashes = Tile::new(TileKind::Hashes(0), tile.index(), tile.width()).unwrap();
        let found = entries(bytes, tile.width()).unwrap();
        let found: Vec<_> = found.into_iter().map(leaf_hash).collect();
        assert_eq!(found.concat(), files[&hashes], "{tile}");
    }
    checkpoint.size
}

#[test]
fn every_record_is_in_its_ledger_and_every_ledger_in_the_root() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&url, folder.path()).await;
        let many: Vec<String> = (0..300).map(|n| format!("a{n}")).collect();
        let many: Vec<Option<&str>> = many.iter().map(|a| Some(a.as_str())).collect();
        bench.record(&[Some("acme"), None], 100, 0).await;
        bench.ledger.seal().await.unwrap();
        bench
            .record(&[Some("acme"), None, Some("b")], 200, 100)
            .await;
        bench.record(&many, 2, 0).await;
        let published = bench.ledger.seal().await.unwrap();
        bench.record(&[Some("acme")], 300, 300).await;
        let last = bench.ledger.seal().await.unwrap();
        assert_eq!((published.sealed, last.sealed), (1_400, 1_700));
        // Two rounds of pages of 2,000: two ledgers, then 303, then one.
        assert_eq!(last.checkpoint.size, 2 + 303 + 1);

        assert_eq!(audited(&bench.ledger, &acme()).await, 600);
        assert_eq!(audited(&bench.ledger, &Whose::House).await, 300);
        assert_eq!(audited(&bench.ledger, &Whose::Root).await, 306);
        for seq in (0..1_700).step_by(61).chain([0, 199, 200, 1_399, 1_699]) {
            let receipt = bench.ledger.receipt(None, seq).await.unwrap();
            assert_eq!(Record::parse(&receipt.leaf).unwrap().0, seq);
        }
        assert!(matches!(
            bench.ledger.receipt(None, 1_700).await,
            Err(ReadError::Absent)
        ));
        let other = AccountId::parse("b").unwrap();
        assert!(matches!(
            bench.ledger.receipt(Some(&other), 0).await,
            Err(ReadError::Absent)
        ));
        bench.record(&[Some("acme")], 1, 600).await;
        assert!(matches!(
            bench.ledger.receipt(None, 1_700).await,
            Err(ReadError::NotYet)
        ));
        for path in [
            "tile/0/003",
            "tile/0/002.p/89",
            "tile/1/000",
            "tile/0/2",
            "x",
        ] {
            let file = bench.ledger.file(&acme(), None, path).await;
            assert!(matches!(file, Err(ReadError::Absent)), "{path}");
        }
        let report = bench.fsck().await;
        assert_eq!(report.findings, Vec::<String>::new());
        assert_eq!(
            (report.records, report.sealed, report.ledgers),
            (1_701, 1_700, 303)
        );
        bench.close().await;
    });
}

#[test]
fn sealing_goes_on_where_another_process_stopped() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..4 {
            let bench = Bench::open(&url, folder.path()).await;
            bench.record(&[Some("acme"), None], 170, n * 170).await;
            bench.ledger.seal().await.unwrap();
            bench.close().await;
        }
        let bench = Bench::open(&url, folder.path()).await;
        bench.ledger.seal().await.unwrap();
        assert_eq!(audited(&bench.ledger, &acme()).await, 680);
        assert_eq!(bench.fsck().await.faults, 0);
        bench.close().await;
    });
}

/// Nothing is signed or served, and recording goes on.
async fn refuses(bench: &Bench, words: &str) {
    let error = bench.ledger.seal().await.unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
    assert!(error.contains("fairhold"), "it says what to do: {error}");
    let before = bench.database.count().await.unwrap();
    bench.record(&[Some("acme")], 1, 9_000).await;
    assert_eq!(bench.database.count().await.unwrap(), before + 1);
    for whose in [Whose::Root, acme()] {
        let file = bench.ledger.file(&whose, None, "checkpoint").await;
        assert!(matches!(file, Err(ReadError::Refused(_))), "{file:?}");
    }
    let receipt = bench.ledger.receipt(None, 0).await;
    assert!(matches!(receipt, Err(ReadError::Refused(_))));
    let again = bench.ledger.seal().await.unwrap_err().to_string();
    assert!(
        again.contains(words),
        "it does not change its mind: {again}"
    );
}

#[test]
fn yesterdays_database_is_not_signed_until_an_epoch_says_so() {
    on_both(|url, old| async move {
        let folder = tempfile::tempdir().unwrap();
        let today = Bench::open(&url, folder.path()).await;
        let yesterday = tempfile::tempdir().unwrap();
        let copy = Bench::open(&old, yesterday.path()).await;
        for bench in [&today, &copy] {
            bench.record(&[Some("acme"), None], 300, 0).await;
            bench.ledger.seal().await.unwrap();
        }
        today.record(&[Some("acme")], 10, 300).await;
        let signed = today.ledger.seal().await.unwrap();
        today.close().await;
        copy.close().await;

        // The mark is today's, the database yesterday's; the journal has moved on since.
        let bench = Bench::open(&old, folder.path()).await;
        refuses(&bench, "restored from an old copy").await;
        let report = bench.fsck().await;
        assert!(report.findings[0].contains("log.mark"), "{report:?}");

        let rotated = bench.ledger.rotate("the disk of 2026-11-24 failed").await;
        let rotated = rotated.unwrap();
        assert_eq!((rotated.epoch, rotated.sealed), (2, 601));
        assert_eq!(rotated.checkpoint.origin, "example.org/log@2");
        let first = bench
            .ledger
            .file(&Whose::Root, None, "tile/entries/000.p/1");
        let first = first.await.unwrap().bytes;
        assert_eq!(&first[2..], signed.checkpoint.body().as_bytes());
        assert_eq!(audited(&bench.ledger, &acme()).await, 301);
        let epochs = bench.database.epochs().await.unwrap();
        assert_eq!(epochs[1].reason, "the disk of 2026-11-24 failed");
        // What the old epoch signed can still be read.
        let old_root = bench.ledger.file(&Whose::Root, Some(1), "checkpoint").await;
        let old_root = String::from_utf8(old_root.unwrap().bytes).unwrap();
        assert_eq!(vkey().open(&old_root).unwrap().size, 2);
        let report = bench.fsck().await;
        assert_eq!(report.findings, Vec::<String>::new());
        assert!(report.notes[0].contains("of which 2 are held here"));
        bench.close().await;
    });
}

#[test]
fn another_history_of_the_same_length_is_not_signed() {
    on_both(|url, old| async move {
        let folder = tempfile::tempdir().unwrap();
        let today = Bench::open(&url, folder.path()).await;
        let elsewhere = tempfile::tempdir().unwrap();
        let other = Bench::open(&old, elsewhere.path()).await;
        today.record(&[Some("acme")], 5, 0).await;
        other.record(&[Some("acme")], 5, 77).await;
        other.record(&[Some("acme")], 5, 0).await;
        let signed = today.ledger.seal().await.unwrap();
        other.ledger.seal().await.unwrap();
        today.close().await;
        other.close().await;
        let bench = Bench::open(&old, folder.path()).await;
        refuses(&bench, "not those that were signed").await;
        // What was signed last is the mark's tree, not the one that is held.
        let rotated = bench.ledger.rotate("restored").await.unwrap();
        assert_eq!(rotated.checkpoint.origin, "example.org/log@2");
        let first = Whose::Root;
        let first = bench.ledger.file(&first, None, "tile/entries/000.p/1");
        let first = first.await.unwrap().bytes;
        assert_eq!(&first[2..], signed.checkpoint.body().as_bytes());
        let report = bench.fsck().await;
        assert!(
            report.findings[0].contains("epoch 2 begins after another tree of 1 entries"),
            "{report:?}"
        );
        bench.close().await;
    });
}

#[test]
fn an_empty_database_under_a_later_mark_is_not_signed() {
    on_both(|url, old| async move {
        let folder = tempfile::tempdir().unwrap();
        let today = Bench::open(&url, folder.path()).await;
        today.record(&[Some("acme")], 5, 0).await;
        today.ledger.seal().await.unwrap();
        today.close().await;
        let bench = Bench::open(&old, folder.path()).await;
        refuses(&bench, "restored from an old copy").await;
        bench.close().await;
    });
}

#[test]
fn who_begins_an_epoch_second_is_told_so() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&url, folder.path()).await;
        bench.ledger.begin(1, None, "first").await.unwrap();
        let second = bench.ledger.begin(1, None, "second").await.unwrap_err();
        let words = second.to_string();
        assert!(words.contains("another process began epoch 1"), "{words}");
        assert!(words.contains("fairhold ledger list"), "{words}");
        bench.close().await;
    });
}

#[test]
fn of_two_sealers_one_stops() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&url, folder.path()).await;
        bench.record(&[Some("acme")], 5, 0).await;
        bench.ledger.seal().await.unwrap();
        let (database, none) = (bench.database.clone(), Witnesses::default());
        let second = Arc::new(Ledger::new(database, key(), folder.path(), none));
        bench.record(&[Some("acme")], 5, 5).await;
        assert_eq!(second.seal().await.unwrap().sealed, 10);
        refuses(&bench, "not by its doing").await;
        bench.close().await;
    });
}

/// Polls a future that often, then drops it.
async fn dropped_after(polls: usize, future: impl Future) {
    let (mut future, mut left) = (Box::pin(future), polls);
    std::future::poll_fn(|ctx| {
        if left == 0 {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        future.as_mut().poll(ctx).map(drop)
    })
    .await;
}

#[test]
fn whoever_stops_waiting_does_not_stop_the_ledger() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&url, folder.path()).await;
        for polls in 1..60 {
            bench.record(&[Some("acme")], 1, polls).await;
            dropped_after(polls, bench.ledger.seal()).await;
            let published = bench.ledger.seal().await.unwrap();
            assert_eq!(published.sealed, polls as u64, "dropped after {polls}");
        }
        for polls in 1..10 {
            dropped_after(polls, bench.ledger.rotate("again")).await;
            bench.ledger.seal().await.unwrap();
        }
        assert_eq!(bench.fsck().await.findings, Vec::<String>::new());
        bench.close().await;
    });
}

#[test]
fn readers_of_a_server_ask_for_no_round() {
    on_both(|url, _| async move {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&url, folder.path()).await;
        bench.record(&[Some("acme")], 1, 0).await;
        bench.ledger.running.store(true, Ordering::Release);
        bench.ledger.seal_first().await.unwrap();
        let file = bench.ledger.file(&Whose::Root, None, "checkpoint").await;
        assert!(matches!(file, Err(ReadError::NotYet)), "{file:?}");
        // A command without a server: of many that wait, one seals.
        bench.ledger.running.store(false, Ordering::Release);
        let mut sealing = bench.ledger.sealing.lock().await;
        let waits = tokio::spawn({
            let ledger = Arc::clone(&bench.ledger);
            async move { ledger.seal_first().await }
        });
        for _ in 0..100 {
            tokio::task::yield_now().await; // it waits for the lock by now
        }
        bench.ledger.seal_under(&mut sealing).await.unwrap();
        bench.record(&[Some("acme")], 1, 1).await;
        drop(sealing);
        waits.await.unwrap().unwrap();
        bench.ledger.seal_first().await.unwrap();
        assert_eq!(bench.ledger.current().unwrap().sealed, 1);
        bench.close().await;
    });
}
