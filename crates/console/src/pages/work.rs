//! One case, one page: who and what left, why in the middle, what happened
//! right; and the steps that may follow.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use cases::Role;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::frame::{Frame, Pages, Posted, Worker, on, refused, shown, works};
use super::sign_in::{Nothing, Told};
use super::{picture, words};
use crate::caseroom::{BriefView, Caseroom, SignalView};
use crate::cases::CaseView;
use crate::casework::{CasesAsked, ClaimView, HeldView};
use crate::door::Staff;
use crate::office::OfficeError;
use crate::overview::{ExchangeLine, OverviewView};

/// Accounts whose figures are on the page; the others are linked.
const SHOWN: usize = 3;

#[derive(Template, Serialize)]
#[template(path = "case.html")]
struct CasePage {
    #[serde(skip)]
    frame: Frame,
    case: CaseView,
    brief: BriefView,
    claim: Option<ClaimView>,
    #[serde(skip)]
    mine: bool,
    held: Vec<HeldView>,
    #[serde(skip)]
    holds: Vec<Held>,
    accused: Vec<OverviewView>,
    signal: Option<SignalView>,
    #[serde(skip)]
    pictures: Option<(String, String)>,
    exchanges: Vec<ExchangeLine>,
    acts: Vec<&'static str>,
}

/// A decision that may be undone, as the page counts it down.
struct Held {
    id: String,
    said: String,
    by: String,
    mine: bool,
    until: String,
    refused: Option<String>,
}

fn word(step: &crate::cases::CaseStep) -> String {
    use crate::cases::CaseStep as S;
    match step {
        S::Notice(_) => "notice",
        S::Declare => "declaration",
        S::Undertake(_) => "undertaking",
        S::Accept => "taking up the undertaking",
        S::Check { .. } => "check of a condition",
        S::Propose(new) => return format!("proposal to {}", new.measure),
        S::Approve => "approval",
        S::Return => "return of the proposal",
        S::Emergency(_) => "emergency throttle",
        S::Appeal => "appeal",
        S::Evidence => "evidence",
        S::Uphold => "upholding",
        S::Overturn => "overturning",
        S::Reinstate => "lifting of all measures",
        S::Dismiss => "dismissal",
    }
    .to_owned()
}

/// Milliseconds since 1970 of a moment in UTC, as `facts` writes it.
fn millis(at: &str) -> Option<i64> {
    let number = |from: usize, to: usize| at.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let milli = number(20, 23).unwrap_or(0);
    // Days from the civil calendar (Howard Hinnant, 2013): years begin in March.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let of_era = year - era * 400;
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + milli)
}

/// Seconds since 1970 of the beginning of a day, `YYYY-MM-DD`.
pub(super) fn midnight(day: &str) -> Option<i64> {
    millis(&format!("{day}T00:00:00Z")).map(|at| at / 1_000)
}

impl Held {
    fn of(held: &HeldView, me: &str) -> Self {
        Self {
            id: held.id.clone(),
            said: word(&held.step),
            by: held.by.clone(),
            mine: held.by == me,
            until: millis(&held.not_before).map_or(String::new(), |at| at.to_string()),
            refused: held.refused.clone(),
        }
    }
}

/// The steps that may follow now, as far as the page can tell; the case itself decides.
fn acts(case: &CaseView, role: Role) -> Vec<&'static str> {
    let mut acts = Vec::new();
    let closed = matches!(
        case.state.as_str(),
        "dismissed" | "overturned" | "reinstated"
    );
    let contested = matches!(case.state.as_str(), "appealed" | "reopened");
    let approves = role == Role::Approver;
    if contested && approves {
        acts.extend(["uphold", "overturn"]);
    }
    if closed {
        return acts;
    }
    if case.pending.is_some() {
        if approves {
            acts.push("approve");
        }
        if works(role) {
            acts.push("return");
        }
    }
    if works(role) {
        if case.notice.is_none() {
            acts.push("notice");
        }
        if case.undertaking.iter().any(|c| !c.accepted) {
            acts.push("accept");
        }
        if case
            .undertaking
            .iter()
            .any(|c| c.accepted && c.met.is_none())
        {
            acts.push("check");
        }
        if case.pending.is_none() && case.state != "reopened" {
            acts.push("propose");
        }
    }
    let stopped = case.timeline.iter().any(|step| step.step == "emergency");
    if !stopped && (works(role) || role == Role::Administrator) {
        acts.push("emergency");
    }
    if works(role) {
        acts.push(if case.in_force.is_empty() {
            "dismiss"
        } else {
            "reinstate"
        });
    }
    acts
}

async fn gathered<O: Caseroom>(
    pages: &Pages<O>,
    staff: &Staff,
    id: &str,
) -> Result<CasePage, OfficeError> {
    let office = &*pages.office;
    let case = office.case(id).await?;
    let brief = office.brief(id).await?;
    let asked = CasesAsked {
        account: Some(case.account.clone()),
        limit: Some(500),
        ..CasesAsked::default()
    };
    let lines = office.cases(asked).await?.cases;
    let claim = lines
        .into_iter()
        .find(|l| l.case == id)
        .and_then(|l| l.claim);
    let held = office.held_steps().await?.into_iter();
    let held: Vec<HeldView> = held.filter(|held| held.case == id).collect();
    let mut accused = Vec::new();
    let mut signal = None;
    for account in case.accounts.iter().take(SHOWN) {
        accused.push(office.overview(account).await?);
        if signal.is_none() {
            signal = office.signal(account).await?;
        }
    }
    let exchanges: Vec<ExchangeLine> = accused
        .iter()
        .flat_map(|account| account.recent.iter())
        .filter(|line| line.kind == "intent")
        .take(12)
        .cloned()
        .collect();
    let pictures = signal
        .as_ref()
        .map(|s| (picture::population(s), picture::interval(s)));
    Ok(CasePage {
        frame: Frame::of(staff, "queue", format!("Case {id}")),
        mine: claim.as_ref().is_some_and(|claim| claim.by == staff.name),
        claim,
        holds: held.iter().map(|h| Held::of(h, &staff.name)).collect(),
        held,
        acts: acts(&case, staff.role),
        case,
        brief,
        accused,
        signal,
        pictures,
        exchanges,
    })
}

pub(super) async fn page<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Path(id): Path<String>,
    Query(told): Query<Told>,
    headers: HeaderMap,
) -> Response {
    match gathered(&pages, &staff, &id).await {
        Ok(mut page) => {
            page.frame.told = words::told(told.told.as_deref());
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, Frame::of(&staff, "queue", "Case"), &why),
    }
}

/// The page again, with what was refused.
pub(super) async fn again<O: Caseroom>(
    pages: &Pages<O>,
    staff: &Staff,
    id: &str,
    (headers, why): (&HeaderMap, &OfficeError),
) -> Response {
    if super::frame::wants_data(headers) {
        return refused(headers, Frame::of(staff, "queue", "Case"), why);
    }
    match gathered(pages, staff, id).await {
        Ok(mut page) => {
            page.frame.wrong = why.to_string();
            let mut response = shown(headers, &page);
            if let Ok(status) = http::StatusCode::from_u16(why.status()) {
                *response.status_mut() = status;
            }
            response
        }
        Err(why) => refused(headers, Frame::of(staff, "queue", "Case"), &why),
    }
}

pub(super) async fn claim<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Posted(Worker(staff), Nothing {}): Posted<Worker, Nothing>,
) -> Response {
    match pages.office.claim(&id, &staff.name).await {
        Ok(_) => on(&format!("/cases/{}?told=claimed", words::id(&id))),
        Err(why) => again(&pages, &staff, &id, (&headers, &why)).await,
    }
}

pub(super) async fn unclaim<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Posted(Worker(staff), Nothing {}): Posted<Worker, Nothing>,
) -> Response {
    match pages.office.unclaim(&id, &staff.name).await {
        Ok(_) => on(&format!("/cases/{}?told=released", words::id(&id))),
        Err(why) => again(&pages, &staff, &id, (&headers, &why)).await,
    }
}

/// The bundle of a case.
pub(super) async fn bundle<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match pages.office.export(&id).await {
        Ok(bytes) => download(bytes, "application/zip", &format!("{id}.evidence.zip")),
        Err(why) => refused(&headers, Frame::of(&staff, "queue", "Evidence"), &why),
    }
}

/// A file to keep, not to show: nothing of it runs here.
pub(super) fn download(bytes: Vec<u8>, kind: &str, name: &str) -> Response {
    let fits = |c: &char| c.is_ascii_alphanumeric() || "-_. ".contains(*c);
    let name: String = name.chars().filter(fits).collect();
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// A file that the accused attached.
pub(super) async fn attached<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Path((id, sha256)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match pages.office.attachment(&id, &sha256).await {
        Ok(file) => download(file.bytes, &file.view.kind, &file.view.name),
        Err(why) => refused(&headers, Frame::of(&staff, "queue", "File"), &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "held.html")]
struct HeldPage {
    #[serde(skip)]
    frame: Frame,
    held: Vec<HeldView>,
    #[serde(skip)]
    holds: Vec<(String, Held)>,
}

/// Every decision that may still be undone.
pub(super) async fn held<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Query(told): Query<Told>,
    headers: HeaderMap,
) -> Response {
    let mut frame = Frame::of(&staff, "queue", "Decided, not yet taken");
    frame.told = words::told(told.told.as_deref());
    match pages.office.held_steps().await {
        Ok(held) => {
            let each = held.iter();
            let holds = each
                .map(|h| (h.case.clone(), Held::of(h, &staff.name)))
                .collect();
            shown(&headers, &HeldPage { frame, held, holds })
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Deserialize)]
pub(super) struct Undo {
    #[serde(default)]
    case: String,
}

/// Takes a decision back.
pub(super) async fn undo<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Posted(Worker(staff), undo): Posted<Worker, Undo>,
) -> Response {
    match pages.office.take_back(&id, &staff.name).await {
        Ok(_) if undo.case.is_empty() => on("/held?told=undone"),
        Ok(_) => on(&format!("/cases/{}?told=undone", words::id(&undo.case))),
        Err(why) => refused(&headers, Frame::of(&staff, "queue", "Undo"), &why),
    }
}

#[cfg(test)]
mod tests;
