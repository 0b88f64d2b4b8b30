use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use console::{ErasureView, NewAccount, NewErasure, NewHold, Office as _};
use engine::{Ask, Completion};
use facts::{AccountId, Ending, Endpoint, ExchangeId, ModelName, Span, Usage};
use gateway::Desk as _;
use tempfile::TempDir;

use super::*;
use crate::failure::Failure;
use crate::house::{House, Plan};
use crate::keeper::{KeeperError, Order};
use crate::office::LocalOffice;
use crate::office::custody::with_outputs;
use crate::registry::apart::tests::thread;
use crate::registry::follow::Registering;
use crate::registry::scribe::Scribe;
use crate::registry::writer::Writer;

/// A house whose process can die: with one account, and all that is recorded.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    url: String,
    house: Option<House>,
    key: String,
    asked: usize,
}

impl Bench {
    pub(crate) async fn open(url: &str) -> Self {
        let mut bench = Self {
            folder: tempfile::tempdir().unwrap(),
            url: url.to_owned(),
            house: None,
            key: String::new(),
            asked: 0,
        };
        bench.again().await;
        let new = NewAccount {
            account: "a".to_owned(),
            project: "p".to_owned(),
            organisation: "o".to_owned(),
            ..NewAccount::default()
        };
        bench.office().open_account(new).await.unwrap();
        bench.key = bench.office().create_key("a").await.unwrap().key;
        bench
    }

    /// The process ends wherever it was; another one starts.
    pub(crate) async fn again(&mut self) {
        if let Some(house) = self.house.take() {
            house.outputs.still().await.follow().take();
            house.close().await;
        }
        let plan = Plan {
            database_url: Some(self.url.clone()),
            ..Plan::at_rest()
        };
        let house = House::open(&self.folder.path().join("data"), plan).await;
        self.house = Some(house.unwrap());
    }

    pub(crate) fn house(&self) -> &House {
        self.house.as_ref().unwrap()
    }

    fn office(&self) -> LocalOffice {
        LocalOffice::of(self.house())
    }

    /// One exchange of a subject, ended so many days ago, with an answer that nobody else gets.
    pub(crate) async fn exchange(&mut self, subject: &str, days: i64) -> String {
        let words = self.words(60);
        let (id, ended) = self.admitted(subject, days).await;
        let answer = serde_json::json!({
            "choices": [{"message": {"role": "assistant", "content": words}}],
        });
        let answer = Bytes::from(answer.to_string());
        self.house().keeper.complete(ended, answer).await.unwrap();
        id
    }

    /// Words that nobody else says.
    pub(crate) fn words(&self, count: usize) -> String {
        let words = (0..count).map(|k| format!("w{}x{k}", self.asked + 1));
        words.collect::<Vec<_>>().join(" ")
    }

    /// An exchange that has no answer yet, and how it will end.
    pub(crate) async fn admitted(&mut self, subject: &str, days: i64) -> (String, Completion) {
        self.asked += 1;
        let id = format!("x{}", self.asked);
        let at = Timestamp(SystemClock.now().0 - Span::days(days).0);
        let ask = Ask {
            exchange: ExchangeId::parse(&id).unwrap(),
            at,
            secret: self.key.clone(),
            endpoint: Endpoint::ChatCompletions,
            model: ModelName::parse("m").unwrap(),
            subject: Some(subject.to_owned()),
            tokens_max: 1,
            purpose: None,
            country: None,
            body_sha256: [0; 32],
        };
        let body = r#"{"model":"m","messages":[{"role":"user","content":"why?"}]}"#;
        let keeper = &self.house().keeper;
        let admitted = keeper.admit(ask, Bytes::from(body)).await.unwrap().what;
        let ended = Completion {
            admitted,
            at,
            ending: Ending::Completed,
            status: 200,
            usage: Usage {
                input_tokens: 1,
                output_tokens: 1,
                estimated: false,
            },
            delivered_bytes: 2,
            answer_sha256: [0; 32],
        };
        (id, ended)
    }

    pub(crate) fn follow(&self) -> Follow {
        let folder = Folder::open_or_make(self.house().outputs.path()).unwrap();
        let writer = Writer::open(folder, &[]).unwrap();
        Follow::here(Arc::clone(&self.house().keeper), writer).unwrap()
    }

    /// The same with a writer that only frames reach, or one that is here.
    pub(crate) async fn follow_by(&self, apart: bool) -> Follow {
        if !apart {
            return self.follow();
        }
        let folder = Folder::open_or_make(self.house().outputs.path()).unwrap();
        let scribe = Scribe::apart(&folder, thread);
        let keeper = Arc::clone(&self.house().keeper);
        Follow::with(keeper, scribe).await.unwrap()
    }

    /// A server's part that registers what passes.
    pub(crate) async fn registering(&self) -> Result<Registering, Failure> {
        Registering::with(self.house(), |folder| Scribe::apart(folder, thread)).await
    }

    /// Every output is in the registry's files.
    pub(crate) async fn registered(&self) {
        self.follow().catch_up().await.unwrap();
    }

    /// The exchanges in the registry's files, as often as they are there.
    pub(crate) fn all_known(&self) -> Vec<String> {
        let folder = Folder::open(self.house().outputs.path()).unwrap();
        let segments = folder.segments().unwrap();
        let outputs = segments.iter().flat_map(provenance::Segment::outputs);
        let mut all: Vec<String> = outputs.map(|output| output.id.to_string()).collect();
        all.sort();
        all
    }

    /// The exchanges in the registry's files.
    pub(crate) fn known(&self) -> BTreeSet<String> {
        self.all_known().into_iter().collect()
    }

    pub(crate) async fn due(&self) -> bool {
        let database = self.house().keeper.database();
        let due = database.unfinished(FINGERPRINTS).await.unwrap();
        let list = database.outputs_to_forget().await.unwrap();
        assert!(due.is_some() || list.is_empty());
        due.is_some()
    }

    pub(crate) async fn erase(&self, subject: Option<&str>) -> ErasureView {
        let new = NewErasure {
            account: "a".to_owned(),
            subject: subject.map(str::to_owned),
            by: "dpo".to_owned(),
            reason: "asked".to_owned(),
        };
        self.office().erase(new).await.unwrap()
    }

    pub(crate) async fn close(mut self) {
        if let Some(house) = self.house.take() {
            house.outputs.still().await.follow().take();
            house.close().await;
        }
    }
}

fn order(subject: &str) -> Order {
    Order {
        account: AccountId::parse("a").unwrap(),
        subject: Some(subject.to_owned()),
        by: "dpo".to_owned(),
        reason: "asked".to_owned(),
    }
}

pub(crate) fn on_both<F: Future<Output = ()>>(check: impl Fn(String) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    testbed::on_both(|url| runtime.block_on(check(url.to_owned())));
}

pub(crate) fn set(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn a_subjects_outputs_leave_the_files_and_the_others_stay() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        for subject in ["ada", "bob", "ada"] {
            bench.exchange(subject, 0).await;
        }
        bench.registered().await;
        let late = bench.exchange("bob", 0).await;
        bench.registered().await;
        assert_eq!(bench.known(), set(&["x1", "x2", "x3", &late]));
        let erased = bench.erase(Some("ada")).await;
        assert_eq!((erased.outputs, erased.fingerprints_remain), (2, None));
        assert!(erased.fingerprints > 60, "{}", erased.fingerprints);
        assert_eq!(bench.known(), set(&["x2", &late]));
        assert!(!bench.due().await);
        assert_eq!(bench.erase(Some("ada")).await.outputs, 0);
        let all = bench.erase(None).await;
        assert_eq!((all.outputs, bench.known()), (2, set(&[])));
        let after = bench.exchange("bob", 0).await;
        bench.registered().await;
        assert_eq!(bench.known(), set(&[&after]), "who goes on is known again");
        bench.close().await;
    });
}

#[test]
fn what_a_running_server_holds_in_memory_goes_too() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        let outputs = Arc::clone(&bench.house().outputs);
        *outputs.still().await.follow() = Some(bench.follow());
        for subject in ["ada", "bob"] {
            bench.exchange(subject, 0).await;
        }
        let mut still = outputs.still().await;
        still.follow().as_mut().unwrap().step().await.unwrap();
        drop(still);
        assert_eq!(bench.known(), set(&[]), "nothing is written yet");
        let erased = bench.erase(Some("ada")).await;
        assert_eq!(erased.outputs, 1);
        let follow = outputs.still().await.follow().take();
        follow.unwrap().write().await.unwrap();
        assert_eq!(bench.known(), set(&["x2"]));
        bench.close().await;
    });
}

#[test]
fn the_writer_of_a_server_goes_on_after_an_erasure() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        bench.exchange("ada", 0).await;
        bench.registered().await;
        let registering = bench.registering().await.unwrap();
        assert_eq!(bench.erase(Some("ada")).await.outputs, 1);
        registering.stop().await;
        assert_eq!(bench.known(), set(&[]));
        bench.exchange("bob", 0).await;
        bench.registered().await;
        assert_eq!(bench.known(), set(&["x2"]));
        bench.close().await;
    });
}

#[test]
fn a_kill_between_the_record_and_the_files_is_made_good_at_the_next_start() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        for n in 0..6 {
            bench
                .exchange(["ada", "bob"][n % 2], 40 * i64::from(n > 3))
                .await;
        }
        bench.registered().await;
        // Killed once it was recorded.
        bench.house().keeper.erase(&order("ada")).await.unwrap();
        assert!(bench.due().await && bench.known().len() == 6);
        bench.again().await;
        assert!(!bench.due().await);
        assert_eq!(bench.known(), set(&["x2", "x4", "x6"]));

        // Killed while a file was written, and before the list was emptied.
        bench.house().keeper.erase(&order("bob")).await.unwrap();
        let folder = Folder::open(bench.house().outputs.path()).unwrap();
        let file = folder.files().unwrap().remove(0);
        let torn = file.path.with_file_name(".x.seg.00.tmp");
        std::fs::copy(&file.path, &torn).unwrap();
        std::fs::remove_file(&file.path).unwrap();
        bench.again().await;
        assert!(!bench.due().await);
        assert_eq!((bench.known(), torn.exists()), (set(&[]), false));
        bench.close().await;
    });
}

#[test]
fn answers_whose_time_is_over_are_still_known_by_their_subject() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        for (subject, days) in [("ada", 400), ("bob", 400), ("ada", 40), ("ada", 0)] {
            bench.exchange(subject, days).await;
        }
        bench.registered().await;
        let keeper = &bench.house().keeper;
        let let_go = keeper.retain(30, &BTreeSet::new(), &|_| ()).await.unwrap();
        assert_eq!(let_go.bodies, 6);
        assert!(let_go.keys >= 2, "keys of months that are over");
        assert_eq!(bench.known().len(), 4, "fingerprints outlive bodies");
        let erased = bench.erase(Some("ada")).await;
        assert_eq!((erased.outputs, erased.bodies), (3, 2));
        assert_eq!(bench.known(), set(&["x2"]));
        // Nothing of bob is left but the fingerprints.
        let erased = bench.erase(Some("bob")).await;
        assert!(erased.seq.is_some(), "it is recorded");
        assert_eq!((erased.outputs, erased.bodies), (1, 0));
        let again = bench.erase(Some("bob")).await;
        assert_eq!((again.seq, again.outputs), (None, 0));
        bench.close().await;
    });
}

#[test]
fn a_hold_keeps_fingerprints_as_it_keeps_bodies() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        bench.exchange("ada", 0).await;
        bench.registered().await;
        let new = NewHold {
            account: "a".to_owned(),
            subject: Some("ada".to_owned()),
            by: "counsel".to_owned(),
            reason: "suit".to_owned(),
            until: None,
        };
        let hold = bench.office().place_hold(new).await.unwrap();
        for subject in [Some("ada"), None] {
            let refused = bench.erase(subject).await;
            assert_eq!((refused.held.len(), refused.outputs), (1, 0));
        }
        assert!(!bench.due().await);
        bench.again().await;
        assert_eq!(bench.known(), set(&["x1"]));
        bench
            .office()
            .release_hold(&hold.hold, "judge")
            .await
            .unwrap();
        assert_eq!(bench.erase(Some("ada")).await.outputs, 1);
        bench.close().await;
    });
}

#[test]
fn a_registry_that_another_process_writes_stays_due_and_says_so() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        bench.exchange("ada", 0).await;
        bench.registered().await;
        let other = bench.follow();
        let erased = bench.erase(Some("ada")).await;
        let why = erased.fingerprints_remain.unwrap();
        assert!(why.contains("another process"), "{why}");
        assert!(bench.due().await);
        drop(other);
        let again = bench.erase(Some("ada")).await;
        assert_eq!((again.seq, again.outputs), (None, 1));
        assert_eq!(bench.known(), set(&[]));
        bench.close().await;
    });
}

#[test]
fn an_erasure_goes_on_when_whoever_asked_hangs_up() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        for subject in ["ada", "bob"] {
            bench.exchange(subject, 0).await;
        }
        bench.registered().await;
        let outputs = Arc::clone(&bench.house().outputs);
        let writing = outputs.still().await;
        let mut asked = Box::pin(bench.erase(Some("ada")));
        let begun = std::future::poll_fn(|context| {
            std::task::Poll::Ready(asked.as_mut().poll(context).is_pending())
        });
        assert!(begun.await, "it waits for the writer");
        drop(asked);
        drop(writing);
        drop(outputs);
        // This waits for everybody who holds the keeper.
        bench.house.take().unwrap().close().await;
        let folder = Folder::open(&bench.folder.path().join("data/registry")).unwrap();
        let segments = folder.segments().unwrap();
        let kept: Vec<&str> = segments
            .iter()
            .flat_map(provenance::Segment::outputs)
            .map(|output| output.id.as_str())
            .collect();
        assert_eq!(kept, ["x2"]);
        bench.again().await;
        assert!(!bench.due().await);
        bench.close().await;
    });
}

#[test]
fn outputs_leave_the_registry_though_the_stores_files_could_not_be_scrubbed() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        for subject in ["ada", "bob"] {
            bench.exchange(subject, 0).await;
        }
        bench.registered().await;
        let house = bench.house();
        let mut still = house.outputs.still().await;
        house.keeper.erase(&order("ada")).await.unwrap();
        let remains = StoreError::Remains("readers held the log".to_owned());
        let erased = Err(KeeperError::Store(remains));
        let (erased, taken) = with_outputs(&house.keeper, &mut still, erased).await;
        drop(still);
        let error = erased.err().unwrap();
        assert!(matches!(error, KeeperError::Store(StoreError::Remains(_))));
        assert_eq!(taken.unwrap().outputs, 1);
        assert!(!bench.due().await);
        assert_eq!(bench.known(), set(&["x2"]));
        bench.close().await;
    });
}

#[test]
fn a_running_writer_takes_out_what_is_still_due() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        for subject in ["ada", "bob"] {
            bench.exchange(subject, 0).await;
        }
        bench.registered().await;
        let outputs = Arc::clone(&bench.house().outputs);
        *outputs.still().await.follow() = Some(bench.follow());
        bench.house().keeper.erase(&order("ada")).await.unwrap();
        assert!(bench.due().await && bench.known().len() == 2);
        assert!(outputs.still().await.turn().await.is_some());
        assert!(!bench.due().await);
        assert_eq!(bench.known(), set(&["x2"]));
        bench.close().await;
    });
}

#[test]
fn a_registry_that_is_not_where_it_was_stays_due() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        for subject in ["ada", "bob", "eve"] {
            bench.exchange(subject, 0).await;
        }
        bench.registered().await;
        bench.again().await;
        let path = bench.house().outputs.path().to_path_buf();
        let away = path.with_file_name("unmounted");
        std::fs::rename(&path, &away).unwrap();
        let check = |erased: ErasureView| {
            let why = erased.fingerprints_remain.unwrap();
            assert!(why.contains("mount its disk"), "{why}");
        };
        check(bench.erase(Some("ada")).await);
        std::fs::create_dir(&path).unwrap();
        check(bench.erase(Some("bob")).await);
        bench.again().await;
        check(bench.erase(Some("bob")).await);
        assert!(bench.due().await);
        let started = bench.registering().await;
        let refused = started.err().unwrap().to_string();
        assert!(refused.contains("mount its disk"), "{refused}");
        let made = std::fs::read_dir(&path).unwrap().count();
        assert_eq!(made, 0, "no other one is made in its place");
        // Another one is there.
        Folder::open_or_make(&path).unwrap();
        check(bench.erase(Some("bob")).await);
        assert!(bench.registering().await.is_err());

        std::fs::remove_dir_all(&path).unwrap();
        std::fs::rename(&away, &path).unwrap();
        bench.again().await;
        assert!(!bench.due().await);
        assert_eq!(bench.known(), set(&["x3"]));
        bench.close().await;
    });
}

#[test]
fn a_disk_that_goes_from_under_the_writer_leaves_it_due() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        bench.exchange("ada", 0).await;
        bench.registered().await;
        let outputs = Arc::clone(&bench.house().outputs);
        *outputs.still().await.follow() = Some(bench.follow());
        let away = outputs.path().with_file_name("unmounted");
        std::fs::rename(outputs.path(), &away).unwrap();
        std::fs::create_dir(outputs.path()).unwrap();
        let erased = bench.erase(Some("ada")).await;
        let why = erased.fingerprints_remain.unwrap();
        assert!(why.contains("mount its disk"), "{why}");
        assert!(bench.due().await);
        std::fs::remove_dir_all(outputs.path()).unwrap();
        std::fs::rename(&away, outputs.path()).unwrap();
        outputs.still().await.turn().await.unwrap();
        assert!(!bench.due().await);
        assert_eq!(bench.known(), set(&[]));
        bench.close().await;
    });
}

#[test]
fn a_registry_that_is_gone_for_good_is_made_anew() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        for subject in ["ada", "bob"] {
            bench.exchange(subject, 0).await;
        }
        bench.registering().await.unwrap().stop().await;
        std::fs::remove_dir_all(bench.house().outputs.path()).unwrap();
        assert!(bench.erase(Some("ada")).await.fingerprints_remain.is_some());
        // As `fairhold registry build` does.
        let folder = Folder::open_or_make(bench.house().outputs.path()).unwrap();
        let outputs = Arc::clone(&bench.house().outputs);
        let database = bench.house().keeper.database();
        outputs.is_now(&folder, database).await.unwrap();
        bench.registered().await;
        outputs.catch_up(database).await;
        assert!(!bench.due().await);
        assert_eq!(bench.known(), set(&["x2"]));
        bench.registering().await.unwrap().stop().await;
        bench.close().await;
    });
}

#[test]
fn a_house_without_a_registry_has_nothing_to_forget() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        bench.exchange("ada", 0).await;
        let erased = bench.erase(Some("ada")).await;
        assert_eq!((erased.outputs, erased.fingerprints_remain), (0, None));
        assert!(!bench.due().await && !Path::new(bench.house().outputs.path()).exists());
        bench.close().await;
    });
}
