//! The queue: what awaits somebody, what is due soonest first.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use store::SystemClock;

use super::frame::{Carries as _, Frame, Pages, Worker, on, refused, shown, wrong};
use super::words;
use crate::caseroom::Caseroom;
use crate::cases::{CaseStep, Step};
use crate::casework::{CaseLine, CasesAsked, CasesView};
use crate::door::{Staff, same};

#[derive(Template, Serialize)]
#[template(path = "queue.html")]
struct QueuePage {
    #[serde(skip)]
    frame: Frame,
    #[serde(flatten)]
    view: CasesView,
    #[serde(skip)]
    lines: Vec<Line>,
    #[serde(skip)]
    picks: Vec<Pick>,
    #[serde(skip)]
    next: Option<String>,
    #[serde(skip)]
    account: String,
    #[serde(skip)]
    state: String,
    #[serde(skip)]
    awaits: String,
}

/// A choice of what is shown.
struct Pick {
    word: String,
    said: &'static str,
    count: u64,
    here: bool,
}

/// A line of a table of cases.
pub(super) struct Line {
    pub(super) case: CaseLine,
    /// How urgent: `overdue`, `soon` or nothing.
    pub(super) urgency: &'static str,
    /// What happens when its day is over.
    pub(super) timeout: &'static str,
}

impl Line {
    pub(super) fn of(case: CaseLine, now: &str, soon: &str) -> Self {
        // RFC 3339 in UTC sorts as text.
        let urgency = match &case.due {
            Some(due) if due.as_str() < now => "overdue",
            Some(due) if due.as_str() < soon => "soon",
            _ => "",
        };
        let at = case.due.as_ref();
        let named = case.deadlines.iter().find(|d| Some(&d.at) == at);
        let timeout = named.or(case.deadlines.first());
        let timeout = timeout.map_or("nothing", |d| words::at_timeout(&d.what));
        Self {
            case,
            urgency,
            timeout,
        }
    }

    pub(super) fn all(cases: &[CaseLine]) -> Vec<Self> {
        let now = SystemClock.now();
        let soon = now.plus(facts::Span::days(2)).rfc3339();
        let now = now.rfc3339();
        let each = cases.iter().cloned();
        each.map(|case| Self::of(case, &now, &soon)).collect()
    }
}

/// A query string of what is asked for.
fn query(parts: &[(&str, &str)]) -> String {
    let given: Vec<_> = parts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    serde_urlencoded::to_string(given).unwrap_or_default()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    awaits: String,
    state: String,
    account: String,
    closed: Option<bool>,
    after: String,
    limit: Option<u32>,
    told: Option<String>,
}

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) async fn page<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let mut frame = Frame::of(&staff, "queue", "Queue");
    frame.told = words::told(asked.told.as_deref());
    let open = asked.state.is_empty() && asked.account.is_empty();
    let wanted = CasesAsked {
        awaits: some(&asked.awaits),
        state: some(&asked.state),
        account: some(&asked.account),
        // What is over is shown where it is asked for.
        closed: asked.closed.or(open.then_some(false)),
        limit: asked.limit,
        after: some(&asked.after),
    };
    let view = match pages.office.cases(wanted).await {
        Ok(view) => view,
        Err(why) => return refused(&headers, frame, &why),
    };
    let next = view.next.as_deref().map(|after| {
        query(&[
            ("awaits", &asked.awaits),
            ("state", &asked.state),
            ("account", &asked.account),
            ("after", after),
        ])
    });
    let page = QueuePage {
        frame,
        lines: Line::all(&view.cases),
        picks: picks(&view.counts, &asked.awaits),
        next,
        view,
        account: asked.account,
        state: asked.state,
        awaits: asked.awaits,
    };
    shown(&headers, &page)
}

fn picks(counts: &BTreeMap<String, u64>, here: &str) -> Vec<Pick> {
    const ORDER: [&str; 8] = [
        "appeal",
        "review",
        "approval",
        "answer",
        "undertaking",
        "check",
        "notice",
        "reply",
    ];
    let mut picks = vec![Pick {
        word: String::new(),
        said: "all",
        count: counts
            .iter()
            .filter(|(k, _)| *k != "nothing")
            .map(|(_, n)| n)
            .sum(),
        here: here.is_empty(),
    }];
    for word in ORDER {
        let count = counts.get(word).copied().unwrap_or_default();
        if count > 0 || here == word {
            picks.push(Pick {
                word: word.to_owned(),
                said: words::awaited(word),
                count,
                here: here == word,
            });
        }
    }
    picks
}

#[derive(Template, Serialize)]
#[template(path = "bulk.html")]
struct BulkPage {
    #[serde(skip)]
    frame: Frame,
    cases: Vec<String>,
    accounts: u64,
    act: String,
}

/// What a form with many cases holds.
#[derive(Default)]
struct Bulk {
    cases: Vec<String>,
    act: String,
    reason: String,
    sure: bool,
}

fn bulk(staff: &Staff, body: &[u8]) -> Option<Bulk> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).ok()?;
    let mut read = Bulk::default();
    let mut own = false;
    for (name, value) in pairs {
        match name.as_str() {
            "case" => read.cases.push(value),
            "act" => read.act = value,
            "reason" => read.reason = value,
            "sure" => read.sure = true,
            "csrf" => own = same(&value, staff.csrf()),
            _ => {}
        }
    }
    own.then_some(read)
}

/// Acts on many cases: first says on how many, then does it, each by itself and each to be undone.
pub(super) async fn many<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Worker(staff): Worker,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let frame = Frame::of(&staff, "queue", "Many cases");
    let Some(bulk) = bulk(&staff, &body) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    if bulk.cases.is_empty() {
        let why = "choose at least one case";
        return wrong(&headers, frame, StatusCode::BAD_REQUEST, why);
    }
    if !bulk.sure {
        let mut accounts = 0_u64;
        for case in &bulk.cases {
            match pages.office.case(case).await {
                Ok(case) => accounts += u64::try_from(case.accounts.len()).unwrap_or(0),
                Err(why) => return refused(&headers, frame, &why),
            }
        }
        let page = BulkPage {
            frame,
            cases: bulk.cases,
            accounts,
            act: bulk.act,
        };
        return shown(&headers, &page);
    }
    let mut refusals = Vec::new();
    for case in &bulk.cases {
        let done = match bulk.act.as_str() {
            "claim" => pages.office.claim(case, &staff.name).await.map(drop),
            "dismiss" => {
                let step = Step {
                    step: CaseStep::Dismiss,
                    by: staff.name.clone(),
                    comment: bulk.reason.clone(),
                    attachments: Vec::new(),
                };
                pages.office.hold_step(case, step).await.map(drop)
            }
            other => {
                let why = format!("`{other}` cannot be done with many cases at once");
                return wrong(&headers, frame, StatusCode::BAD_REQUEST, &why);
            }
        };
        if let Err(why) = done {
            refusals.push(format!("{case}: {why}"));
        }
    }
    if refusals.is_empty() {
        return on(if bulk.act == "claim" {
            "/queue?told=claimed"
        } else {
            "/held?told=held"
        });
    }
    let done = bulk.cases.len() - refusals.len();
    let why = format!("done with {done} cases; refused: {}", refusals.join("; "));
    wrong(&headers, frame, StatusCode::CONFLICT, &why)
}
