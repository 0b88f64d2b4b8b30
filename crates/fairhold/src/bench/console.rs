//! `fairhold bench console`: how long does the server take over what the
//! console shows?
//!
//! A store is filled through the real office and the real journal; then the
//! pages that people use are asked for by somebody who is signed in, and the
//! data of the same pages by an administrator, without a socket in between. The
//! time until the whole answer is there counts.

mod keys;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use console::{
    CaseStep, CasesAsked, Door, EdgeView, MemberView, NewAccount, NewCase, NewInvite, NewNotice,
    Office as _, Origin, RingView,
};
use facts::Timestamp;
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use serde::Serialize;
use store::{ClusterRow, DataFolder, Database, Entry, Journal, SystemClock};
use tower::ServiceExt as _;

use super::Scratch;
use super::figures::quantile_ms;
use super::record::Ids;
use crate::args::bench::ConsoleBench;
use crate::failure::{Exit, Failure};
use crate::house::{House, Plan};
use crate::keeper::leaf;
use crate::office::LocalOffice;
use crate::out::Out;

/// The account with the many exchanges.
const BUSY: &str = "busy";
/// Accounts of the gathering.
const MEMBERS: usize = 500;
/// Exchanges that are appended together.
const TOGETHER: u64 = 500;
/// How often each page is asked for.
const TIMES: usize = 200;
const TOKEN: &str = "bench";
/// Where the console says it is.
const ORIGIN: &str = "http://localhost:8788";

/// Server time in milliseconds, p95.
#[derive(Debug, Serialize)]
struct Report {
    /// Pages.
    queue_10k_ms: f64,
    account_1m_ms: f64,
    cluster_500_ms: f64,
    case_ms: f64,
    queue_by_state_ms: f64,
    statistics_ms: f64,
    rules_ms: f64,
    /// What the pages are made of, as JSON.
    data_ms: Data,
    /// Whether the time of a refusal tells who has a key.
    keys: keys::Keys,
    cases: u32,
    exchanges: u64,
    cluster_accounts: usize,
    asked_each: usize,
    filled_seconds: f64,
    debug_build: bool,
}

#[derive(Debug, Serialize)]
struct Data {
    queue_10k: f64,
    account_1m: f64,
    cluster_500: f64,
    audit_log: f64,
}

/// Somebody who asks: the routes, and what each request carries.
struct Asking {
    router: Router,
    carries: (header::HeaderName, String),
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::error(format!("failed to run the benchmark: {error}"))
}

/// Runs the command.
pub(super) async fn run(what: &ConsoleBench, out: Out) -> Result<Exit, Failure> {
    let scratch = Scratch::new().map_err(failed)?;
    let began = Instant::now();
    let folder = scratch.0.as_path();
    people(folder, what, out).await?;
    exchanges(folder, what, out).await?;
    let filled_seconds = began.elapsed().as_secs_f64();
    let house = House::open(folder, Plan::at_rest()).await?;
    let office = Arc::new(LocalOffice::of(&house));
    let report = measured(&house, office, what, filled_seconds).await?;
    house.close().await;
    out.data(&report)?;
    out.line(&format!(
        "p95 over {TIMES}: queue of {} cases {:.1} ms, account with {} exchanges {:.1} ms, cluster of {MEMBERS} {:.1} ms (aim: under 100 ms each)",
        report.cases, report.queue_10k_ms, report.exchanges, report.account_1m_ms, report.cluster_500_ms
    ));
    out.line(&format!(
        "one case {:.1} ms, statistics {:.1} ms, rules {:.1} ms",
        report.case_ms, report.statistics_ms, report.rules_ms
    ));
    out.line(&report.keys.words());
    Ok(Exit::Clean)
}

async fn measured(
    house: &House,
    office: Arc<LocalOffice>,
    what: &ConsoleBench,
    filled_seconds: f64,
) -> Result<Report, Failure> {
    let people = signed_in(house, Arc::clone(&office)).await?;
    let data = Asking {
        router: console::admin(Arc::clone(&office), TOKEN),
        carries: (header::AUTHORIZATION, format!("Bearer {TOKEN}")),
    };
    let some = CasesAsked {
        limit: Some(1),
        ..CasesAsked::default()
    };
    let some = office.cases(some).await?.cases;
    let case = some.first().map(|line| format!("/cases/{}", line.case));
    let case = case.ok_or_else(|| failed("there is no case"))?;
    Ok(Report {
        queue_10k_ms: people.p95("/queue").await?,
        account_1m_ms: people.p95("/accounts/busy").await?,
        cluster_500_ms: people.p95("/clusters/ring").await?,
        case_ms: people.p95(&case).await?,
        queue_by_state_ms: people.p95("/queue?state=noticed").await?,
        statistics_ms: people.p95("/statistics").await?,
        rules_ms: people.p95("/rules").await?,
        data_ms: Data {
            queue_10k: data.p95("/admin/cases?closed=false&limit=50").await?,
            account_1m: data.p95("/admin/accounts/busy").await?,
            cluster_500: data.p95("/admin/clusters/ring").await?,
            audit_log: data.p95("/v1/organization/audit_logs?limit=100").await?,
        },
        keys: keys::tried(&house.keeper).await?,
        cases: what.cases,
        exchanges: what.exchanges,
        cluster_accounts: MEMBERS,
        asked_each: TIMES,
        filled_seconds,
        debug_build: cfg!(debug_assertions),
    })
}

/// A reviewer who was invited and came in.
async fn signed_in(house: &House, office: Arc<LocalOffice>) -> Result<Asking, Failure> {
    let new = NewInvite {
        name: Some("ann".to_owned()),
        role: Some("reviewer".to_owned()),
        by: "bench".to_owned(),
        ..NewInvite::default()
    };
    let invited = office.invite(new).await?;
    let origin = Origin::parse(ORIGIN).map_err(failed)?;
    let door = Door::new(house.keeper.database().clone(), origin);
    let router = console::console(office, Arc::new(door));
    let request = Request::post(invited.path)
        .header(header::HOST, "localhost:8788")
        .body(Body::empty())
        .map_err(failed)?;
    let answer = answered(&router, request).await;
    let cookie = answer.headers().get(header::SET_COOKIE);
    let cookie = cookie.and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next());
    let cookie = cookie.ok_or_else(|| failed(format!("sign-in answered {}", answer.status())))?;
    Ok(Asking {
        carries: (header::COOKIE, cookie.to_owned()),
        router,
    })
}

async fn answered(router: &Router, request: Request<Body>) -> Response<Body> {
    match router.clone().oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

impl Asking {
    async fn p95(&self, path: &str) -> Result<f64, Failure> {
        let mut micros = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let (name, value) = &self.carries;
            let request = Request::get(path)
                .header(header::HOST, "localhost:8788")
                .header(name, value)
                .body(Body::empty())
                .map_err(failed)?;
            let began = Instant::now();
            let answer = answered(&self.router, request).await;
            let status = answer.status();
            answer.into_body().collect().await.map_err(failed)?;
            micros.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
            if !status.is_success() {
                return Err(failed(format!("{path} answered {status}")));
            }
        }
        Ok(quantile_ms(&micros, 0.95))
    }
}

/// Accounts, cases and a gathering.
async fn people(folder: &Path, what: &ConsoleBench, out: Out) -> Result<(), Failure> {
    let house = House::open(folder, Plan::at_rest()).await?;
    let office = LocalOffice::of(&house);
    let mut members = Vec::with_capacity(MEMBERS);
    for n in 0..=MEMBERS {
        let account = if n == 0 {
            BUSY.to_owned()
        } else {
            format!("member-{n}")
        };
        let new = NewAccount {
            account: account.clone(),
            project: "bench".to_owned(),
            organisation: "bench".to_owned(),
            ..NewAccount::default()
        };
        office.open_account(new).await?;
        if n > 0 {
            members.push(MemberView {
                account,
                score: 0.9,
                exchanges: 200,
            });
        }
    }
    let bar = out.progress(u64::from(what.cases), "cases");
    for n in 0..what.cases {
        office.propose(a_case(n)).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let row = ClusterRow {
        id: "ring".to_owned(),
        at: SystemClock.now(),
        json: serde_json::to_string(&ring(members)).map_err(failed)?,
    };
    let kept = house.keeper.database().keep_clusters(&[row]).await;
    kept.map_err(failed)?;
    drop(office);
    house.close().await;
    Ok(())
}

fn a_case(n: u32) -> NewCase {
    NewCase {
        account: format!("member-{}", n as usize % MEMBERS + 1),
        clause: "openai-services/restrictions-e".to_owned(),
        summary: "prompts that fill a training set, from accounts that share a payment token"
            .repeat(5),
        exculpatory: "none found".to_owned(),
        by: "ann".to_owned(),
        then: (!n.is_multiple_of(3)).then(|| {
            CaseStep::Notice(NewNotice {
                metric: "exchanges a day".to_owned(),
                under: "20".to_owned(),
                days: 3 + n % 30,
                declaration: true,
            })
        }),
        ..NewCase::default()
    }
}

fn ring(members: Vec<MemberView>) -> RingView {
    let edge = |n: usize| EdgeView {
        kind: "payment".to_owned(),
        known: true,
        p: 0.001,
        said: format!("{n} pairs of accounts share a payment token"),
    };
    RingView {
        score: 42.0,
        reasons: (0..10)
            .map(|n| format!("reason {n}: openings and endings agree"))
            .collect(),
        members,
        programme: "ring".to_owned(),
        edges: (0..20).map(edge).collect(),
        ..RingView::default()
    }
}

/// The busy account's exchanges, through the journal.
async fn exchanges(folder: &Path, what: &ConsoleBench, out: Out) -> Result<(), Failure> {
    let url = DataFolder::open(folder).map_err(failed)?.database_url();
    let database = Database::open(&url).await.map_err(failed)?;
    let now: Timestamp = SystemClock.now();
    let started = Journal::start(database.clone(), leaf, now, None).await;
    let (journal, task) = started.map_err(failed)?;
    let bar = out.progress(what.exchanges, "exchanges");
    let mut done = 0;
    while done < what.exchanges {
        let end = what.exchanges.min(done + TOGETHER);
        let ids: Vec<Ids> = (done..end)
            .map(|n| Ids::with_account(BUSY, &format!("b{n}")))
            .collect::<Result<_, _>>()?;
        let intents: Vec<Entry> = ids.iter().map(|ids| ids.intent(&[])).collect();
        let numbers = journal.append_all(intents).await.map_err(failed)?;
        let endings = ids.iter().zip(numbers);
        let endings: Vec<Entry> = endings.map(|(ids, seq)| ids.completion(seq, &[])).collect();
        journal.append_all(endings).await.map_err(failed)?;
        done = end;
        bar.set_position(done);
    }
    bar.finish_and_clear();
    drop(journal);
    task.finished().await;
    Ok(())
}
