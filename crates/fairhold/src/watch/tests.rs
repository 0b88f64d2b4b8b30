use std::collections::BTreeMap;

use console::{
    CaseStep, FindingView, NewAccount, NewCase, NewMeasure, NewNotice, Office as _, OfficeError,
};
use detection::{Account, LOOKS, Reader};
use engine::{Ask, Completion};
use facts::{Ending, Endpoint, ExchangeId, ModelName, Usage};
use gateway::Desk as _;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use sha2::{Digest as _, Sha256};
use store::SystemClock;
use tempfile::TempDir;

use super::state::State;
use super::*;
use crate::house::{House, Plan};
use crate::office::LocalOffice;

/// One account in twenty may be asked.
const ALPHA: f64 = 0.05;

const TOPICS: [&str; 8] = [
    "gardening on a balcony",
    "the history of bridges",
    "repairing bicycles",
    "reading a tax form",
    "planning a school trip",
    "bird migration",
    "chess endings",
    "bread with sourdough",
];

/// A generator of training data, in our own words.
pub(crate) fn harvest(n: usize) -> String {
    format!(
        "Generate {} diverse and challenging instructions that a user could give to a large language model assistant. \
         Each instruction must be realistic, self-contained and different from all others in wording and difficulty. \
         Do not repeat a verb. Make sure that the set of tasks is varied: open questions, dialogues, rewriting. \
         After each instruction, write the input and the ideal response of the assistant. Topic: {}. Return only the \
         list and nothing else.",
        10 + n % 7,
        TOPICS[n % TOPICS.len()]
    )
}

/// A person who asks for itself.
pub(crate) fn ordinary(n: usize) -> String {
    let topic = TOPICS[n % TOPICS.len()];
    match n % 4 {
        0 => {
            format!("Hi, can you tell me how I get started with {topic}? I have {n} hours, thanks!")
        }
        1 => format!("What should I read about {topic} for my daughter?"),
        2 => format!("I tried {topic} {n} times and my result was bad. Why is that?"),
        _ => format!("Where do we find a course on {topic} near us, please?"),
    }
}

pub(crate) struct Bench {
    pub(crate) house: House,
    pub(crate) office: LocalOffice,
    keys: BTreeMap<String, String>,
    asked: usize,
    _folder: TempDir,
}

impl Bench {
    async fn open(url: Option<&str>) -> Self {
        Self::with(Plan {
            database_url: url.map(str::to_owned),
            ..Plan::at_rest()
        })
        .await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = House::open(&folder.path().join("data"), plan)
            .await
            .unwrap();
        Self {
            office: LocalOffice::of(&house),
            house,
            keys: BTreeMap::new(),
            asked: 0,
            _folder: folder,
        }
    }

    pub(crate) async fn account(&mut self, name: &str, purposes: &[&str]) {
        let new = NewAccount {
            account: name.to_owned(),
            project: name.to_owned(),
            organisation: name.to_owned(),
            purposes: purposes.iter().map(|p| (*p).to_owned()).collect(),
            ..NewAccount::default()
        };
        self.office.open_account(new).await.unwrap();
        let key = self.office.create_key(name).await.unwrap();
        self.keys.insert(name.to_owned(), key.key);
    }

    /// One exchange, let upstream and ended.
    pub(crate) async fn exchange(&mut self, account: &str, text: &str) {
        self.exchange_of(account, None, text).await;
    }

    /// The same of one of the account's end users.
    pub(crate) async fn exchange_of(&mut self, account: &str, subject: Option<&str>, text: &str) {
        let body = serde_json::json!({"messages": [{"role": "user", "content": text}]});
        let endpoint = Endpoint::ChatCompletions;
        self.ask(account, subject, (endpoint, body)).await;
    }

    /// One that asks for embeddings.
    pub(crate) async fn embeddings(&mut self, account: &str, text: &str) {
        let body = serde_json::json!({"input": text});
        self.ask(account, None, (Endpoint::Embeddings, body)).await;
    }

    /// Makes unreadable what an end user of the account asked.
    pub(crate) async fn erase(&self, account: &str, subject: &str) {
        let order = crate::keeper::Order {
            account: AccountId::parse(account).unwrap(),
            subject: Some(subject.to_owned()),
            by: "dpo".to_owned(),
            reason: "asked to".to_owned(),
        };
        let erased = self.house.keeper.erase(&order).await.unwrap();
        assert!(erased.bodies > 0, "{subject} has asked nothing");
    }

    async fn ask(
        &mut self,
        account: &str,
        subject: Option<&str>,
        (endpoint, body): (Endpoint, serde_json::Value),
    ) {
        self.asked += 1;
        let keeper = &self.house.keeper;
        let ask = Ask {
            exchange: ExchangeId::parse(&format!("x{}", self.asked)).unwrap(),
            at: SystemClock.now(),
            secret: self.keys[account].clone(),
            endpoint,
            model: ModelName::parse("m").unwrap(),
            subject: subject.map(str::to_owned),
            tokens_max: 1,
            purpose: None,
            country: None,
            body_sha256: [0; 32],
        };
        let admitted = keeper
            .admit(ask, body.to_string().into())
            .await
            .unwrap()
            .what;
        let completion = Completion {
            at: SystemClock.now(),
            ending: Ending::Completed,
            status: 200,
            usage: Usage::default(),
            answer_sha256: [0; 32],
            delivered_bytes: 2,
            admitted,
        };
        keeper.complete(completion, "{}".into()).await.unwrap();
    }

    async fn watch(&self, accounts_in_memory: usize, page: u64) -> Watch {
        let watching = Watching {
            accounts_in_memory,
            alpha: ALPHA,
        };
        let detector = Detector::shipped().unwrap();
        let watch = Watch::open(&self.house, detector, watching);
        let mut watch = watch.await.unwrap();
        watch.page = page;
        watch
    }

    pub(crate) async fn caught_up(&self) {
        let mut watch = self.watch(10, 50).await;
        while watch.step().await.unwrap() > 0 {}
    }

    async fn state(&self, account: &str) -> State {
        let account = AccountId::parse(account).unwrap();
        let rows = self.house.keeper.database().profiles(&[&account]).await;
        State::from_bytes(&rows.unwrap().first().unwrap().state).unwrap()
    }

    pub(crate) async fn findings(&self, account: &str) -> Vec<FindingView> {
        self.office.findings(Some(account)).await.unwrap().findings
    }
}

/// What an account comes to that nobody interrupted: its sums, and its statistic at each look.
fn uninterrupted(prompts: &[String]) -> (Account, Vec<f64>) {
    let detector = Detector::shipped().unwrap();
    let (mut reader, mut account, mut looks) = (Reader::default(), Account::default(), Vec::new());
    for prompt in prompts {
        account.observe(reader.read(&[("user".to_owned(), prompt.clone())]));
        if LOOKS.contains(&account.seen()) {
            looks.push(detector.head.intent(&account).statistic);
        }
    }
    (account, looks)
}

fn on_both<F: Future<Output = ()>>(check: impl Fn(Option<String>) -> F) {
    testbed::on_both(|url| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let postgres = url.starts_with("postgres").then(|| url.to_owned());
        runtime.block_on(check(postgres));
    });
}

#[test]
fn whatever_interrupts_the_watch_each_exchange_is_counted_once() {
    on_both(|url| async move {
        let mut bench = Bench::open(url.as_deref()).await;
        let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in ["a", "b", "c", "d"] {
            bench.account(name, &[]).await;
        }
        let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        for n in 0..160 {
            let name = ["a", "b", "c", "d"][random.next_u32() as usize % 4];
            let text = if name == "a" { harvest(n) } else { ordinary(n) };
            bench.exchange(name, &text).await;
            asked.entry(name.to_owned()).or_default().push(text);
        }
        // Room for one profile only, and a death at any moment.
        let database = bench.house.keeper.database();
        let mut deaths = 0;
        loop {
            let mut watch = bench.watch(1, 7).await;
            let kept = watch.next;
            // A finding is a record too: the log grows while it is followed.
            if kept == database.count().await.unwrap() {
                break;
            }
            let task =
                tokio::spawn(async move { while watch.step().await.is_ok_and(|n| n > 0) {} });
            // After some batches, and then anywhere within one.
            let batches = u64::from(random.next_u32() % 4);
            while !task.is_finished() && database.watched().await.unwrap() < kept + 7 * batches {}
            for _ in 0..random.next_u32() % 2_000 {
                tokio::task::yield_now().await;
            }
            task.abort();
            deaths += u32::from(task.await.is_err());
        }
        assert!(deaths > 0, "the watch was never interrupted");
        for (name, prompts) in asked {
            let (account, looks) = uninterrupted(&prompts);
            let state = bench.state(&name).await;
            assert!(state.account == account, "sums of {name}");
            let seen: Vec<f64> = state.looks.iter().map(|l| l.statistic).collect();
            assert_eq!(seen, looks, "looks of {name}");
        }
        assert!(!bench.findings("a").await.is_empty());
    });
}

/// A writer that was given up may still commit; whoever read before that must read again.
#[test]
fn a_batch_that_is_kept_late_is_not_counted_twice() {
    on_both(|url| async move {
        let mut bench = Bench::open(url.as_deref()).await;
        bench.account("a", &[]).await;
        let prompts: Vec<String> = (0..12).map(ordinary).collect();
        for prompt in &prompts {
            bench.exchange("a", prompt).await;
        }
        let (mut late, mut early) = (bench.watch(10, 7).await, bench.watch(10, 7).await);
        assert!(early.step().await.unwrap() > 0);
        assert!(matches!(late.step().await, Err(WatchError::Moved)));
        late.again().await;
        while late.step().await.unwrap() > 0 {}
        assert!(bench.state("a").await.account == uninterrupted(&prompts).0);
    });
}

/// The record of a finding names its exact bytes, and what is read again writes none anew.
#[tokio::test]
async fn a_finding_is_named_by_one_record_with_its_digest() {
    let mut bench = Bench::open(None).await;
    bench.account("a", &[]).await;
    for n in 0..20 {
        bench.exchange("a", &harvest(n)).await;
    }
    bench.caught_up().await;
    let account = AccountId::parse("a").unwrap();
    let database = bench.house.keeper.database();
    let (_, detector) = model::text(&Detector::shipped().unwrap()).unwrap();
    let folder = bench.house.folder.path();
    assert!(model::kept(folder, &detector).is_some());
    // As if the process had died after the record and before the profile was kept.
    let anew = store::WatchBatch {
        profiles: vec![store::ProfileRow {
            account: account.clone(),
            state: State::default().to_bytes(),
        }],
        from: database.watched().await.unwrap(),
        ..store::WatchBatch::default()
    };
    assert!(database.keep_watch(anew).await.unwrap());
    bench.caught_up().await;
    let kept = database.findings(Some(&account)).await.unwrap();
    let end = database.count().await.unwrap();
    let rows = database.records_of_kind("judged", Some(&account), end);
    let rows = rows.await.unwrap();
    assert_eq!((kept.len(), rows.len()), (1, 1));
    assert!(rows[0].leaf.len() <= 400, "{} bytes", rows[0].leaf.len());
    let (_, record) = evidence::Record::parse(&rows[0].leaf).unwrap();
    let named = evidence::Event::Judged {
        detector,
        finding: Some(evidence::Kept {
            id: kept[0].id.clone(),
            digest: Sha256::digest(&kept[0].json).into(),
        }),
        case: None,
    };
    assert_eq!(record.event, named);
    // A file of that name that is not the detector is none.
    let name = format!("detectors/{}.json", hex::encode(detector));
    std::fs::write(folder.join(name), "{}").unwrap();
    assert!(model::kept(folder, &detector).is_none());
}

#[test]
fn a_profile_that_cannot_be_read_is_made_anew_from_the_log() {
    on_both(|url| async move {
        let mut bench = Bench::open(url.as_deref()).await;
        bench.account("a", &[]).await;
        let prompts: Vec<String> = (0..12).map(ordinary).collect();
        for prompt in &prompts[..8] {
            bench.exchange("a", prompt).await;
        }
        bench.caught_up().await;
        let database = bench.house.keeper.database();
        let watched = database.watched().await.unwrap();
        let spoilt = store::WatchBatch {
            profiles: vec![store::ProfileRow {
                account: AccountId::parse("a").unwrap(),
                state: vec![9, 9],
            }],
            from: watched,
            next: watched,
            ..store::WatchBatch::default()
        };
        assert!(database.keep_watch(spoilt).await.unwrap());
        for prompt in &prompts[8..] {
            bench.exchange("a", prompt).await;
        }
        bench.caught_up().await;
        assert!(bench.state("a").await.account == uninterrupted(&prompts).0);
    });
}

/// Two that harvest, one of them authorised now and one until long ago, and one that does not.
async fn licensed_and_expired() -> Bench {
    let mut bench = Bench::open(None).await;
    for name in ["licensed", "expired", "plain"] {
        bench.account(name, &[]).await;
    }
    for (name, until) in [("licensed", "2999-01-01"), ("expired", "2021-01-01")] {
        let agreement = serde_json::json!({"authorisation": [{"clause": "openai-services-2026-01-01/3.3(e)",
            "purpose": "train-competing-model", "from": "2020-01-01", "until": until}]});
        bench.office.agree(name, agreement).await.unwrap();
    }
    for n in 0..50 {
        bench.exchange("licensed", &harvest(n)).await;
        bench.exchange("expired", &harvest(n)).await;
        bench.exchange("plain", &ordinary(n)).await;
    }
    bench.caught_up().await;
    bench
}

#[tokio::test]
async fn who_is_authorised_is_noted_and_never_found() {
    let bench = licensed_and_expired().await;
    assert!(bench.findings("plain").await.is_empty());
    let noted = bench.findings("licensed").await;
    assert!(!noted.is_empty());
    for finding in &noted {
        assert_eq!(
            (finding.kind.as_str(), finding.may.as_str()),
            ("noted", "observe")
        );
        let given = finding.exculpatory.iter();
        assert!(
            given
                .filter(|f| f.found)
                .any(|f| f.looked_for == "authorisation")
        );
    }
    let found = bench.findings("expired").await;
    assert!(!found.is_empty());
    for finding in &found {
        let told = (finding.kind.as_str(), finding.may.as_str());
        assert_eq!(told, ("finding", "ask for a declaration"));
    }
}

#[tokio::test]
async fn a_finding_of_intent_supports_a_notice_and_nothing_more() {
    let bench = licensed_and_expired().await;
    let notice = || {
        CaseStep::Notice(NewNotice {
            metric: "exchanges a day".to_owned(),
            under: "20".to_owned(),
            days: 14,
            declaration: true,
        })
    };
    let suspend = CaseStep::Propose(NewMeasure {
        measure: "suspend".to_owned(),
        ..NewMeasure::default()
    });
    let case = |finding: &FindingView, then: CaseStep| NewCase {
        account: finding.account.clone(),
        clause: "terms/1".to_owned(),
        finding: Some(finding.id.clone()),
        by: "ann".to_owned(),
        then: Some(then),
        ..NewCase::default()
    };
    let found = bench.findings("expired").await.remove(0);
    let noted = bench.findings("licensed").await.remove(0);
    for refused in [case(&found, suspend), case(&noted, notice())] {
        let refused = bench.office.propose(refused).await;
        assert!(
            matches!(refused, Err(OfficeError::Conflict(_))),
            "{refused:?}"
        );
    }
    let proposed = bench.office.propose(case(&found, notice())).await.unwrap();
    assert!(
        proposed.statement.contains("form a programme"),
        "{}",
        proposed.statement
    );
}

#[tokio::test]
async fn a_finding_says_what_it_rests_on_and_what_was_looked_for() {
    let mut bench = Bench::open(None).await;
    bench.account("a", &["evaluation"]).await;
    bench.account("b", &[]).await;
    for n in 0..100 {
        bench.exchange("a", &harvest(n)).await;
        if n < 20 {
            bench.exchange("b", &ordinary(n)).await;
        }
    }
    bench.caught_up().await;
    let found = bench.findings("a").await;
    let last = found.last().unwrap();
    assert_eq!(found[0].peers, "evaluation");
    assert!(last.anytime_p <= last.alpha && last.reach <= last.anytime_p);
    assert!(last.relied_on.len() <= 50 && !last.relied_on.is_empty());
    let looked_for: Vec<&str> = last
        .exculpatory
        .iter()
        .map(|f| f.looked_for.as_str())
        .collect();
    assert_eq!(
        looked_for,
        [
            "declared purpose",
            "authorisation",
            "public harness",
            "own history",
            "all accounts here"
        ]
    );
    assert!(last.exculpatory[0].found && !last.exculpatory[2].found && !last.exculpatory[4].found);
}

#[tokio::test]
async fn a_level_below_the_floor_finds_nothing_and_says_so() {
    let mut bench = Bench::open(None).await;
    bench.account("a", &[]).await;
    for n in 0..20 {
        bench.exchange("a", &harvest(n)).await;
    }
    let watching = Watching {
        alpha: 0.0001,
        ..Watching::USUAL
    };
    let detector = Detector::shipped().unwrap();
    let watch = Watch::open(&bench.house, detector, watching).await;
    let mut watch = watch.unwrap();
    assert!(watch.abstains().unwrap().contains("abstains"));
    while watch.step().await.unwrap() > 0 {}
    assert!(bench.findings("a").await.is_empty());
    assert_eq!(bench.state("a").await.looks.len(), 1);
}

#[test]
fn a_deployment_calibrates_on_whom_nothing_is_held_against() {
    on_both(|url| async move {
        let mut bench = Bench::open(url.as_deref()).await;
        for name in ["found", "accused", "cleared", "plain", "small"] {
            bench.account(name, &[]).await;
            let exchanges = if name == "small" { 19 } else { 20 };
            for n in 0..exchanges {
                let text = if name == "found" {
                    harvest(n)
                } else {
                    ordinary(n)
                };
                bench.exchange(name, &text).await;
            }
        }
        bench.caught_up().await;
        for name in ["accused", "cleared"] {
            let case = NewCase {
                account: name.to_owned(),
                clause: "terms/1".to_owned(),
                summary: "facts".to_owned(),
                by: "ann".to_owned(),
                exculpatory: "none found".to_owned(),
                ..NewCase::default()
            };
            let case = bench.office.propose(case).await.unwrap();
            if name == "cleared" {
                let step = console::Step {
                    step: CaseStep::Dismiss,
                    by: "ben".to_owned(),
                    comment: String::new(),
                    attachments: Vec::new(),
                };
                bench.office.step(&case.case, step).await.unwrap();
            }
        }
        let made = bench.office.calibrate().await.unwrap();
        assert_eq!((made.programmes, made.sources, made.exchanges), (2, 2, 40));
        assert_eq!((made.accused, made.found, made.too_small), (1, 1, 1));
    });
}

#[tokio::test]
async fn the_deployments_own_detector_is_taken_up_while_it_watches() {
    let bench = Bench::open(None).await;
    let mut watch = bench.watch(10, 50).await;
    let mut own = Detector::shipped().unwrap();
    own.manifest.population = "our own".to_owned();
    let path = model::path(bench.house.folder.path());
    std::fs::write(&path, "{").unwrap();
    watch.take_up();
    assert!(watch.book.population() != "our own");
    std::fs::remove_file(&path).unwrap();
    watch.take_up();
    std::fs::write(&path, own.to_text().unwrap()).unwrap();
    watch.take_up();
    assert_eq!(watch.book.population(), "our own");
}
