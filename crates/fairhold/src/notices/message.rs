//! What is said, and to whom: the accused of what concerns them, the house of
//! every step.

use cases::{Case, Deed, Language, Step as CaseStep};
use facts::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::{EndpointRow, OutboxRow, Sending};

/// The name under which statements are made.
const PLATFORM: &str = "Fairhold";

/// A step that was taken, as far as notices ask.
pub(crate) struct Told<'a> {
    /// The case after it.
    pub(crate) case: &'a Case,
    /// The step's number.
    pub(crate) n: usize,
    /// The step.
    pub(crate) step: &'a CaseStep,
    /// The events that it is, the last of which the accused is told.
    pub(crate) events: &'a [String],
    /// Whether the accused is to be told.
    pub(crate) informs: bool,
}

/// The same for every endpoint and every try, so that a receiver can drop what it has.
fn id_of(case: &str, n: usize, event: &str) -> String {
    let digest = Sha256::digest(format!("{case}\0{n}\0{event}"));
    let short: String = hex::encode(digest).chars().take(32).collect();
    format!("msg_{short}")
}

/// The notices of a step.
pub(crate) fn notices(told: &Told<'_>, endpoints: &[EndpointRow]) -> Vec<OutboxRow> {
    let mut rows = Vec::new();
    for endpoint in endpoints {
        let house = endpoint.account.is_empty();
        let accused = told.case.accounts().iter();
        let mut accused = accused.filter(|account| account.as_str() == endpoint.account);
        let events = match (house, told.informs && accused.next().is_some()) {
            (true, _) => told.events,
            (false, true) => told
                .events
                .last()
                .map(std::slice::from_ref)
                .unwrap_or_default(),
            (false, false) => &[],
        };
        for event in events {
            rows.push(row(told, endpoint, event));
        }
    }
    rows
}

fn row(told: &Told<'_>, endpoint: &EndpointRow, event: &str) -> OutboxRow {
    let case = told.case.id().to_string();
    let id = id_of(&case, told.n, event);
    let at = told.step.at;
    let payload = json!({
        "type": event,
        "timestamp": at.rfc3339(),
        "data": data(told, endpoint, &id),
    });
    queued(id, endpoint, (case, event, at), payload.to_string())
}

fn queued(
    id: String,
    endpoint: &EndpointRow,
    (case_id, event, at): (String, &str, Timestamp),
    payload: String,
) -> OutboxRow {
    OutboxRow {
        id,
        endpoint: endpoint.id.clone(),
        account: endpoint.account.clone(),
        case_id,
        event: event.to_owned(),
        at,
        not_before: at,
        attempts: 0,
        state: Sending::Queued,
        error: None,
        delivered_at: None,
        payload,
    }
}

/// The event of a bundle.
pub(crate) const SEALED: &str = "evidence.sealed";

/// The notices of a bundle of evidence: the house hears of it, and the accused once it was told of
/// the case at all.
pub(crate) fn sealed(
    case: &Case,
    endpoints: &[EndpointRow],
    sha256: &str,
    at: Timestamp,
) -> Vec<OutboxRow> {
    let steps = case.steps();
    let known = steps.iter().any(|step| {
        matches!(
            step.deed,
            Deed::Noticed(_) | Deed::Approved | Deed::Emergency(_)
        )
    });
    let id = id_of(case.id().as_str(), steps.len(), SEALED);
    let row = |endpoint: &EndpointRow| {
        let accounts: Vec<&str> = case
            .accounts()
            .iter()
            .map(facts::AccountId::as_str)
            .collect();
        let own = accounts.contains(&endpoint.account.as_str());
        let accounts = match (endpoint.account.is_empty(), own && known) {
            (true, _) => accounts,
            (false, true) => vec![endpoint.account.as_str()],
            (false, false) => return None,
        };
        let payload = json!({
            "type": SEALED,
            "timestamp": at.rfc3339(),
            "data": {
                "id": id, "case": case.id().as_str(), "accounts": accounts,
                "clause": case.clause().as_str(), "state": case.state(at).word(),
                "steps": steps.len(), "sha256": sha256,
                "comment": format!("A bundle of evidence was written; SHA-256 {sha256}."),
                "read_at": format!("/fairhold/v1/cases/{}", case.id()),
            },
        });
        let about = (case.id().to_string(), SEALED, at);
        Some(queued(id.clone(), endpoint, about, payload.to_string()))
    };
    endpoints.iter().filter_map(row).collect()
}

/// A trial, which tells of nothing.
pub(crate) fn trial(endpoint: &EndpointRow, at: Timestamp, random: [u8; 16]) -> OutboxRow {
    let id = format!("msg_{}", hex::encode(random));
    let payload = json!({
        "type": "endpoint.test",
        "timestamp": at.rfc3339(),
        "data": {"id": id, "comment": "a trial: nothing happened"},
    });
    queued(
        id,
        endpoint,
        (String::new(), "endpoint.test", at),
        payload.to_string(),
    )
}

fn data(told: &Told<'_>, endpoint: &EndpointRow, id: &str) -> Map<String, Value> {
    let (case, at) = (told.case, told.step.at);
    let house = endpoint.account.is_empty();
    let accounts: Vec<String> = if house {
        case.accounts().iter().map(ToString::to_string).collect()
    } else {
        vec![endpoint.account.clone()]
    };
    let mut data = Map::new();
    let mut say = |name: &str, value: Value| {
        data.insert(name.to_owned(), value);
    };
    say("id", json!(id));
    say("case", json!(case.id().as_str()));
    say("accounts", json!(accounts));
    say("clause", json!(case.clause().as_str()));
    say("step", json!(told.step.deed.word()));
    say("state", json!(case.state(at).word()));
    say("comment", json!(told.step.comment));
    say(
        "read_at",
        json!(format!("/fairhold/v1/cases/{}", case.id())),
    );
    if house {
        say("by", json!(told.step.by.person.as_str()));
        say("role", json!(told.step.by.role.word()));
    }
    if let Some(until) = case.appeal_until(at) {
        say("appeal_until", json!(until.rfc3339()));
    }
    let place = case.restrictions().iter().rposition(|r| r.from == at);
    let texts = |text: &dyn Fn(Language) -> Option<String>| {
        let each = Language::ALL.into_iter();
        let each = each.filter_map(|l| Some((l.code().to_owned(), json!(text(l)?))));
        Value::Object(each.collect())
    };
    match (&told.step.deed, place) {
        (Deed::Noticed(notice), _) => {
            say("answer_by", json!(notice.due.rfc3339()));
            say("statement", texts(&|language| case.notice_in(language)));
        }
        (Deed::Approved | Deed::Emergency(_), Some(place)) => {
            say(
                "statement",
                texts(&|language| case.statement_of(place, language)),
            );
            let dsa = case.statement_json(place, PLATFORM);
            say("dsa", serde_json::to_value(dsa).unwrap_or_default());
        }
        _ => {}
    }
    data
}
