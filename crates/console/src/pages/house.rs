//! The house itself: its rules and what a change would do, its ledger, its
//! numbers, its people and keys.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use verifier::note::{Note, Verifier};
use verifier::policy::Policy;
use verifier::proof::{TlogProof, TlogProofError};

use super::frame::{Frame, Pages, Posted, on, refused, shown, wrong};
use super::words;
use crate::caseroom::{Caseroom, NewShadow, RuleAsked, RulesView, StatisticsView};
use crate::door::Staff;
use crate::ledger::{LedgersView, Receipt, ReceiptView};
use crate::office::{CheckpointView, OfficeError};

#[derive(Template, Serialize)]
#[template(path = "rules.html")]
struct RulesPage {
    #[serde(skip)]
    frame: Frame,
    #[serde(flatten)]
    rules: RulesView,
    #[serde(skip)]
    asked: RuleAsked,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Trying {
    what: String,
    value: String,
    told: Option<String>,
}

pub(super) async fn rules<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Query(trying): Query<Trying>,
    headers: HeaderMap,
) -> Response {
    let mut frame = Frame::of(&staff, "rules", "Rules");
    frame.told = words::told(trying.told.as_deref());
    let asked = RuleAsked {
        what: trying.what,
        value: trying.value,
    };
    let tried = (!asked.what.is_empty()).then(|| asked.clone());
    match pages.office.rules(tried).await {
        Ok(rules) => shown(
            &headers,
            &RulesPage {
                frame,
                rules,
                asked,
            },
        ),
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Shadowing {
    what: String,
    value: String,
    days: u32,
    reason: String,
}

pub(super) async fn shadow<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(staff, given): Posted<Staff, Shadowing>,
) -> Response {
    let new = NewShadow {
        rule: RuleAsked {
            what: given.what,
            value: given.value,
        },
        days: given.days,
        by: staff.name.clone(),
        reason: given.reason,
    };
    let frame = Frame::of(&staff, "rules", "Rules");
    if !frame.works() && !frame.runs() {
        let why = "an auditor reads and changes nothing";
        return wrong(&headers, frame, http::StatusCode::FORBIDDEN, why);
    }
    match pages.office.shadow(new).await {
        Ok(()) => on("/rules?told=shadow"),
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    id: String,
}

pub(super) async fn end_shadow<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(staff, given): Posted<Staff, Named>,
) -> Response {
    let frame = Frame::of(&staff, "rules", "Rules");
    if !frame.works() && !frame.runs() {
        let why = "an auditor reads and changes nothing";
        return wrong(&headers, frame, http::StatusCode::FORBIDDEN, why);
    }
    match pages.office.end_shadow(&given.id, &staff.name).await {
        Ok(()) => on("/rules?told=done"),
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "ledger.html")]
struct LedgerPage {
    #[serde(skip)]
    frame: Frame,
    checkpoint: CheckpointView,
    /// What this server finds when it checks its own checkpoint as a stranger would.
    checked: Checked,
    ledgers: LedgersView,
    receipt: Option<Proven>,
    asked: String,
}

#[derive(Serialize)]
struct Checked {
    holds: bool,
    why: String,
    witnesses: Vec<WitnessLine>,
    enough: bool,
}

#[derive(Serialize)]
struct WitnessLine {
    name: String,
    signed: Option<u64>,
}

#[derive(Serialize)]
struct Proven {
    seq: u64,
    holds: bool,
    why: String,
    receipt: Option<Box<ReceiptView>>,
}

fn checked(checkpoint: &CheckpointView, policy: &str) -> Checked {
    let opened = Verifier::parse(&checkpoint.vkey).and_then(|key| key.open(&checkpoint.note));
    let (holds, why) = match opened {
        Ok(opened) => (
            opened.size == checkpoint.size,
            format!("signed by {} over {} entries", checkpoint.vkey, opened.size),
        ),
        Err(why) => (false, why.to_string()),
    };
    let seen = || {
        let policy = Policy::parse(policy.as_bytes()).ok()?;
        let seen = policy.seen(&Note::parse(&checkpoint.note).ok()?).ok()?;
        let lines = policy.witnesses().iter().map(|witness| WitnessLine {
            name: witness.name.clone(),
            signed: seen.iter().find(|s| s.name == witness.name).map(|s| s.time),
        });
        Some((lines.collect(), policy.is_enough(&seen)))
    };
    let (witnesses, enough) = seen().unwrap_or_default();
    Checked {
        holds,
        why,
        witnesses,
        enough,
    }
}

/// The record under its ledger's checkpoint, and that checkpoint under the root's.
pub(super) fn receipt_holds(receipt: &ReceiptView) -> Result<(), String> {
    let proven = || {
        let key = |vkey: &str| Verifier::parse(vkey).map_err(TlogProofError::Note);
        let proof = TlogProof::parse(&receipt.proof)?;
        let ledger = proof.verify(receipt.record.as_bytes(), &key(&receipt.ledger_vkey)?)?;
        let root = TlogProof::parse(&receipt.ledger_proof)?;
        root.verify(receipt.ledger.as_bytes(), &key(&receipt.vkey)?)?;
        Ok::<_, TlogProofError>(ledger.body() == receipt.ledger)
    };
    match proven() {
        Ok(true) => Ok(()),
        Ok(false) => Err("its ledger's checkpoint is not the one in the root log".to_owned()),
        Err(why) => Err(why.to_string()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    seq: String,
}

async fn proven<O: Caseroom>(pages: &Pages<O>, asked: &str) -> Result<Option<Proven>, OfficeError> {
    if asked.trim().is_empty() {
        return Ok(None);
    }
    let seq: u64 = asked.trim().parse().map_err(|_| {
        OfficeError::Invalid(format!(
            "`{asked}` is no record's number (`x-evidence-seq`)"
        ))
    })?;
    Ok(Some(match pages.office.receipt(None, seq).await? {
        Receipt::NotYet => Proven {
            seq,
            holds: false,
            why: "it is kept and not sealed yet; ask again in a second".to_owned(),
            receipt: None,
        },
        Receipt::Sealed(receipt) => match receipt_holds(&receipt) {
            Ok(()) => Proven {
                seq,
                holds: true,
                why: "it is in its account's ledger, and that ledger is in the root log".to_owned(),
                receipt: Some(receipt),
            },
            Err(why) => Proven {
                seq,
                holds: false,
                why,
                receipt: Some(receipt),
            },
        },
    }))
}

pub(super) async fn ledger<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let frame = Frame::of(&staff, "ledger", "Ledger");
    let read = async {
        let checkpoint = pages.office.checkpoint().await?;
        let ledgers = pages.office.ledgers().await?;
        let receipt = proven(&pages, &asked.seq).await?;
        Ok::<_, OfficeError>((checkpoint, ledgers, receipt))
    };
    match read.await {
        Ok((checkpoint, mut ledgers, receipt)) => {
            let checked = checked(&checkpoint, &ledgers.policy);
            // The page shows the largest; the JSON of the ledgers is at the admin API.
            ledgers.ledgers.sort_by_key(|l| std::cmp::Reverse(l.size));
            ledgers.ledgers.truncate(50);
            let page = LedgerPage {
                frame,
                checkpoint,
                checked,
                ledgers,
                receipt,
                asked: asked.seq,
            };
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "statistics.html")]
struct StatisticsPage {
    #[serde(skip)]
    frame: Frame,
    #[serde(flatten)]
    numbers: StatisticsView,
    #[serde(skip)]
    automated: f64,
    #[serde(skip)]
    overturned: f64,
}

fn share(part: u64, of: u64) -> f64 {
    let real = |n: u64| u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
    if of == 0 { 0.0 } else { real(part) / real(of) }
}

pub(super) async fn statistics<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    headers: HeaderMap,
) -> Response {
    let frame = Frame::of(&staff, "statistics", "Statistics");
    match pages.office.statistics().await {
        Ok(numbers) => {
            let page = StatisticsPage {
                frame,
                automated: share(numbers.automated, numbers.cases),
                overturned: share(numbers.overturned, numbers.decided),
                numbers,
            };
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "audit.html")]
struct AuditPage {
    #[serde(skip)]
    frame: Frame,
    #[serde(flatten)]
    page: crate::audit_log::AuditPage,
    #[serde(skip)]
    lines: Vec<AuditLine>,
}

struct AuditLine {
    at: String,
    what: String,
    who: String,
    about: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct After {
    after: Option<String>,
}

pub(super) async fn audit<O: Caseroom>(
    State(pages): State<Pages<O>>,
    staff: Staff,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Response {
    let frame = Frame::of(&staff, "audit", "Audit log");
    let asked = crate::audit_log::AuditAsked {
        after: after.after,
        ..Default::default()
    };
    match pages.office.audit_logs(asked).await {
        Ok(page) => {
            let lines = page.data.iter().map(AuditLine::of).collect();
            shown(&headers, &AuditPage { frame, page, lines })
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "help.html")]
struct HelpPage {
    #[serde(skip)]
    frame: Frame,
}

/// The keys, for whoever has no script.
pub(super) async fn help(staff: Staff, headers: HeaderMap) -> Response {
    let frame = Frame::of(&staff, "help", "Keys");
    shown(&headers, &HelpPage { frame })
}

pub(super) async fn home(_: Staff) -> Response {
    on("/queue")
}

impl AuditLine {
    fn of(event: &crate::audit_log::AuditEvent) -> Self {
        let actor = &event.actor;
        let who = actor
            .session
            .as_ref()
            .map(|s| s.user.id.clone())
            .or(actor.api_key.as_ref().map(|k| k.service_account.id.clone()));
        let details = event.details.get(&event.kind);
        let about = details.and_then(|d| d.as_object()).map(|d| {
            let parts = d.iter().filter(|(_, v)| !v.is_null());
            let parts = parts.map(|(k, v)| {
                let value = v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned);
                format!("{}: {value}", words::plain(k))
            });
            parts.collect::<Vec<_>>().join(", ")
        });
        Self {
            at: facts::Timestamp(event.effective_at.saturating_mul(1_000)).rfc3339(),
            what: event.kind.clone(),
            who: who.unwrap_or_default(),
            about: about.unwrap_or_default(),
        }
    }
}
