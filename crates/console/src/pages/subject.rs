//! An account: what it uses, what it said it is for, what binds it, where it
//! stands. And what it sent, to be read for a reason only.

use std::collections::{BTreeSet, HashMap};

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::frame::{Frame, Pages, Posted, Worker, on, refused, shown};
use super::queue::Line;
use super::sign_in::Told;
use super::{picture, words};
use crate::caseroom::{Caseroom, HubView, SignalView};
use crate::cases::NewCase;
use crate::custody::Reading;
use crate::door::Staff;
use crate::office::{AccountView, OfficeError};
use crate::overview::{ClusterLine, ClusterView, LimitView, OverviewView};
use crate::terms::TermsView;

/// A limit with its picture.
pub(super) struct Used {
    pub(super) limit: LimitView,
    pub(super) meter: Option<String>,
}

impl Used {
    pub(super) fn all(limits: &[LimitView]) -> Vec<Self> {
        let each = limits.iter().map(|limit| Self {
            meter: limit.used.map(|used| picture::meter(used, limit.limit)),
            limit: limit.clone(),
        });
        each.collect()
    }
}

/// Days as a chart reads them.
pub(super) fn chart(view: &OverviewView) -> String {
    let of = |day: &str| -> Option<i64> { super::work::midnight(day) };
    let days: Vec<i64> = view.days.iter().filter_map(|d| of(&d.day)).collect();
    let values: Vec<u64> = view.days.iter().map(|d| d.requests).collect();
    serde_json::json!({"label": "requests", "days": days, "values": values}).to_string()
}

#[derive(Template, Serialize)]
#[template(path = "account.html")]
struct AccountPage {
    #[serde(skip)]
    frame: Frame,
    account: OverviewView,
    terms: TermsView,
    signal: Option<SignalView>,
    #[serde(skip)]
    pictures: Option<(String, String)>,
    #[serde(skip)]
    limits: Vec<Used>,
    #[serde(skip)]
    days: String,
    #[serde(skip)]
    chart: String,
    #[serde(skip)]
    lines: Vec<Line>,
    #[serde(skip)]
    requests: Vec<crate::overview::ExchangeLine>,
}

pub(super) async fn page<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let frame = Frame::of(&staff, "accounts", format!("Account {id}"));
    let read = async {
        let account = pages.office.overview(&id).await?;
        let terms = pages.office.terms(&id).await?;
        let signal = pages.office.signal(&id).await?;
        Ok::<_, OfficeError>((account, terms, signal))
    };
    match read.await {
        Ok((account, terms, signal)) => {
            let page = AccountPage {
                frame,
                pictures: signal
                    .as_ref()
                    .map(|s| (picture::population(s), picture::interval(s))),
                limits: Used::all(&account.limits),
                days: picture::days(&account.days),
                chart: chart(&account),
                lines: Line::all(&account.cases),
                requests: requests(&account),
                account,
                terms,
                signal,
            };
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

/// What was asked and what was refused; how each ended is in the log.
fn requests(account: &OverviewView) -> Vec<crate::overview::ExchangeLine> {
    let all = account.recent.iter();
    all.filter(|line| line.kind != "completion")
        .cloned()
        .collect()
}

#[derive(Template, Serialize)]
#[template(path = "accounts.html")]
struct AccountsPage {
    #[serde(skip)]
    frame: Frame,
    accounts: Vec<AccountView>,
    #[serde(skip)]
    asked: Search,
    of: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    q: String,
    standing: String,
}

/// Accounts on one page.
const ACCOUNTS: usize = 200;

pub(super) async fn list<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Query(asked): Query<Search>,
    headers: HeaderMap,
) -> Response {
    let frame = Frame::of(&staff, "accounts", "Accounts");
    let mut accounts = match pages.office.accounts().await {
        Ok(accounts) => accounts,
        Err(why) => return refused(&headers, frame, &why),
    };
    let q = asked.q.trim().to_lowercase();
    accounts.retain(|a| {
        let named = [&a.account, &a.project, &a.organisation];
        let fits = q.is_empty() || named.iter().any(|text| text.to_lowercase().contains(&q));
        fits && (asked.standing.is_empty() || a.standing == asked.standing)
    });
    let of = accounts.len();
    accounts.truncate(ACCOUNTS);
    let page = AccountsPage {
        frame,
        accounts,
        asked,
        of,
    };
    shown(&headers, &page)
}

#[derive(Deserialize)]
pub(super) struct Reason {
    reason: String,
    #[serde(default)]
    back: String,
}

#[derive(Template, Serialize)]
#[template(path = "text.html")]
struct TextPage {
    #[serde(skip)]
    frame: Frame,
    exchange: String,
    reason: String,
    parts: Vec<TextPart>,
    #[serde(skip)]
    back: String,
}

#[derive(Serialize)]
struct TextPart {
    what: String,
    text: String,
    commitment: String,
}

/// Opens what was sent and answered: that it was read, by whom and that there was a reason is in
/// the log before anything is shown.
pub(super) async fn read<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Posted(Worker(staff), given): Posted<Worker, Reason>,
) -> Response {
    let frame = Frame::of(&staff, "accounts", format!("Text of {id}"));
    let reading = Reading {
        by: staff.name.clone(),
        reason: given.reason.clone(),
    };
    match pages.office.read_bodies(&id, reading).await {
        Ok(bodies) => {
            let parts = bodies.into_iter().map(|body| {
                let bytes = STANDARD.decode(&body.plaintext).unwrap_or_default();
                TextPart {
                    what: body.what,
                    text: String::from_utf8_lossy(&bytes).into_owned(),
                    commitment: body.commitment,
                }
            });
            // A way back to a page of ours, nowhere else.
            let own = given.back.starts_with('/') && !given.back.starts_with("//");
            let page = TextPage {
                frame,
                exchange: id,
                reason: given.reason,
                parts: parts.collect(),
                back: if own { given.back } else { "/queue".to_owned() },
            };
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "clusters.html")]
struct ClustersPage {
    #[serde(skip)]
    frame: Frame,
    clusters: Vec<ClusterLine>,
}

pub(super) async fn clusters<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Query(told): Query<Told>,
    headers: HeaderMap,
) -> Response {
    let mut frame = Frame::of(&staff, "clusters", "Clusters");
    frame.told = words::told(told.told.as_deref());
    match pages.office.clusters().await {
        Ok(clusters) => shown(&headers, &ClustersPage { frame, clusters }),
        Err(why) => refused(&headers, frame, &why),
    }
}

/// Looks again at everything that is recorded.
pub(super) async fn look<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(Worker(staff), super::sign_in::Nothing {}): Posted<Worker, super::sign_in::Nothing>,
) -> Response {
    match pages.office.detect().await {
        Ok(_) => on("/clusters"),
        Err(why) => refused(&headers, Frame::of(&staff, "clusters", "Clusters"), &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "cluster.html")]
struct ClusterPage {
    #[serde(skip)]
    frame: Frame,
    cluster: Option<ClusterView>,
    case: Option<String>,
    accounts: Vec<String>,
    hubs: Vec<HubView>,
    #[serde(skip)]
    members: Vec<Member>,
    #[serde(skip)]
    graph: String,
    #[serde(skip)]
    chosen: Option<usize>,
    #[serde(skip)]
    here: String,
    #[serde(skip)]
    reasons: String,
}

/// A member with what ties it.
struct Member {
    account: String,
    standing: String,
    exchanges: u64,
    hubs: Vec<usize>,
    shown: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    hub: Option<usize>,
}

pub(super) async fn cluster<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Path(id): Path<String>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let frame = Frame::of(&staff, "clusters", "What links them");
    let read = async {
        let cluster = pages.office.cluster(&id).await?;
        let members = cluster.ring.members.iter();
        let accounts: Vec<String> = members.map(|m| m.account.clone()).collect();
        let hubs = pages.office.hubs(&accounts).await?;
        Ok::<_, OfficeError>((cluster, accounts, hubs))
    };
    match read.await {
        Ok((cluster, accounts, hubs)) => {
            let here = format!("/clusters/{}", words::id(&id));
            let page = linked(
                frame,
                (Some(cluster), None),
                (accounts, hubs),
                (chosen.hub, here),
            );
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

/// What links the accounts of a case.
pub(super) async fn of_case<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Path(id): Path<String>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let frame = Frame::of(&staff, "queue", "What links them");
    let read = async {
        let case = pages.office.case(&id).await?;
        let hubs = pages.office.hubs(&case.accounts).await?;
        let all = pages.office.accounts().await?;
        let all: HashMap<&str, &str> = all
            .iter()
            .map(|a| (a.account.as_str(), a.standing.as_str()))
            .collect();
        let of = |account: &String| all.get(account.as_str()).copied().unwrap_or_default();
        let standings: Vec<String> = case.accounts.iter().map(|a| of(a).to_owned()).collect();
        Ok::<_, OfficeError>(((case.accounts, hubs), standings))
    };
    match read.await {
        Ok((linked_by, standings)) => {
            let here = format!("/cases/{}/cluster", words::id(&id));
            let mut page = linked(frame, (None, Some(id)), linked_by, (chosen.hub, here));
            for (member, standing) in page.members.iter_mut().zip(standings) {
                member.standing = standing;
            }
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

fn linked(
    frame: Frame,
    (cluster, case): (Option<ClusterView>, Option<String>),
    (accounts, hubs): (Vec<String>, Vec<HubView>),
    (chosen, here): (Option<usize>, String),
) -> ClusterPage {
    let sets: Vec<BTreeSet<&str>> = hubs
        .iter()
        .map(|hub| hub.accounts.iter().map(String::as_str).collect())
        .collect();
    let chosen = chosen
        .and_then(|n| n.checked_sub(1))
        .filter(|n| *n < hubs.len());
    let member = |(n, account): (usize, &String)| {
        let has = |hub: usize| {
            sets.get(hub)
                .is_some_and(|set| set.contains(account.as_str()))
        };
        let of = cluster.as_ref();
        Member {
            account: account.clone(),
            standing: of
                .and_then(|c| c.standings.get(n))
                .cloned()
                .unwrap_or_default(),
            exchanges: of
                .and_then(|c| c.ring.members.get(n))
                .map_or(0, |m| m.exchanges),
            hubs: (0..sets.len())
                .filter(|hub| has(*hub))
                .map(|hub| hub + 1)
                .collect(),
            shown: chosen.is_none_or(has),
        }
    };
    let members = accounts.iter().enumerate().map(member).collect();
    let reasons = cluster
        .as_ref()
        .map_or_else(String::new, |c| c.ring.reasons.join(" "));
    ClusterPage {
        frame,
        graph: picture::graph(&accounts, &hubs, chosen),
        members,
        chosen,
        here,
        reasons: reasons.chars().take(4_900).collect(),
        cluster,
        case,
        accounts,
        hubs,
    }
}

/// A case to open, as a form sends it.
#[derive(Debug, Deserialize)]
pub(super) struct Opening {
    accounts: String,
    clause: String,
    facts: String,
    exculpatory: String,
    #[serde(default)]
    finding: String,
    #[serde(default)]
    by_hand: String,
    #[serde(default)]
    rests_on: String,
}

/// Opens a case; nobody is told by that.
pub(super) async fn open<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(Worker(staff), given): Posted<Worker, Opening>,
) -> Response {
    let mut names = given.accounts.split_whitespace().map(ToOwned::to_owned);
    let new = NewCase {
        account: names.next().unwrap_or_default(),
        others: names.collect(),
        clause: given.clause.trim().to_owned(),
        summary: given.facts,
        exculpatory: given.exculpatory,
        finding: (!given.finding.is_empty()).then_some(given.finding),
        rests_on: given
            .rests_on
            .split_whitespace()
            .map(ToOwned::to_owned)
            .collect(),
        by: staff.name.clone(),
        by_hand: !given.by_hand.is_empty(),
        ..NewCase::default()
    };
    match pages.office.propose(new).await {
        Ok(case) => on(&format!("/cases/{}?told=done", words::id(&case.case))),
        Err(why) => refused(&headers, Frame::of(&staff, "queue", "Open a case"), &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "findings.html")]
struct FindingsPage {
    #[serde(skip)]
    frame: Frame,
    view: crate::findings::FindingsView,
}

/// What the watch has found.
pub(super) async fn findings<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    headers: HeaderMap,
) -> Response {
    let frame = Frame::of(&staff, "findings", "Findings");
    match pages.office.findings(None).await {
        Ok(mut view) => {
            view.findings.reverse();
            shown(&headers, &FindingsPage { frame, view })
        }
        Err(why) => refused(&headers, frame, &why),
    }
}
