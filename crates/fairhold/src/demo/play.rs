//! The acts of the demo: traffic, detection, two reviewers, the consequence.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use console::{
    CaseStep, CaseView, DetectionView, NewAccount, NewCase, NewLimits, NewMeasure, NewNotice,
    Office as _, Step,
};
use engine::Mode;
use gateway::{Recording, Recordings};
use serde_json::json;
use simulation::{Fleet, FleetExchange};

use super::drive::{Call, Outcome, drive};
use crate::commands::serve::Running;
use crate::failure::Failure;
use crate::house::{House, Plan};
use crate::office::LocalOffice;
use crate::out::Out;

/// Calls at once.
const AT_ONCE: usize = 32;
/// The clause that the demo's cases rely on.
const CLAUSE: &str = "demo-terms/no-competing-models";

pub(super) const CONFIG: &str = "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"replay\"\nkind = \"replay\"\nmodels = [\"replay-1\"]\n";

/// What happened.
pub(super) struct Played {
    pub(super) served: usize,
    pub(super) detection: DetectionView,
    pub(super) cases: Vec<String>,
    /// For each account, whether its call after the decision was refused.
    pub(super) refused: Vec<bool>,
    pub(super) millis: Vec<f64>,
    pub(super) bundle: Option<Vec<u8>>,
    pub(super) vkey: String,
}

/// Plays the story on loopback, in a fresh data folder.
pub(super) async fn play(fleet: &Fleet, data: &Path, out: Out) -> Result<Played, Failure> {
    let plan = Plan {
        mode: Mode::Enforced,
        ..Plan::at_rest()
    };
    let house = House::open(data, plan).await?;
    let config = gateway::Config::parse(CONFIG).map_err(|e| Failure::error(e.to_string()))?;
    let running = Running::start_with(&house, config, recordings(fleet)).await?;
    let office = LocalOffice::of(&house);
    let played = acts(fleet, &running, &office, out).await;
    drop(office);
    running.stop().await;
    house.close().await;
    played
}

pub(super) fn recordings(fleet: &Fleet) -> Recordings {
    let recording = |exchange: &FleetExchange| Recording {
        conversation: exchange.conversation.clone(),
        answer: exchange.answer.clone(),
    };
    fleet.exchanges.iter().map(recording).collect()
}

async fn acts(
    fleet: &Fleet,
    running: &Running,
    office: &LocalOffice,
    out: Out,
) -> Result<Played, Failure> {
    let keys = keys(fleet, office).await?;
    out.say(&format!(
        "1. {} accounts have keys; the gateway serves http://{}",
        keys.len(),
        running.gateway
    ));
    let calls = calls(fleet, &keys);
    let bar = out.progress(calls.len() as u64, "exchanges");
    let outcomes = drive(running.gateway, calls, AT_ONCE, || bar.inc(1)).await;
    bar.finish_and_clear();
    let served = outcomes.iter().filter(|o| o.served()).count();
    out.say(&format!(
        "2. {served} of {} exchanges were served and recorded",
        fleet.exchanges.len()
    ));
    if served < fleet.exchanges.len() {
        let odd = outcomes.iter().find(|o| !o.served());
        return Err(Failure::error(format!(
            "failed to serve every exchange: {odd:?}"
        )));
    }
    let detection = office.detect().await?;
    let sizes: Vec<usize> = detection.rings.iter().map(|r| r.members.len()).collect();
    out.say(&format!(
        "3. detection names {} rings, of {sizes:?} accounts",
        sizes.len()
    ));
    let cases = decide(&detection, office, out).await?;
    let after = drive(running.gateway, afterwards(fleet, &keys), AT_ONCE, || {}).await;
    let refused = refused(fleet.accounts.len(), &after)?;
    let count = refused.iter().filter(|r| **r).count();
    out.say(&format!(
        "5. afterwards {count} accounts are refused, {} are served",
        refused.len() - count
    ));
    let bundle = match cases.first() {
        Some(case) => Some(office.export(case).await?),
        None => None,
    };
    let vkey = office.checkpoint().await?.vkey;
    out.say("6. the evidence bundle is exported and checked offline");
    let millis = outcomes.iter().map(|o| o.millis).collect();
    Ok(Played {
        served,
        detection,
        cases,
        refused,
        millis,
        bundle,
        vkey,
    })
}

/// Opens every account and gives it a key; each is a customer of its own.
async fn keys(fleet: &Fleet, office: &LocalOffice) -> Result<Vec<Arc<str>>, Failure> {
    let mut keys = Vec::with_capacity(fleet.accounts.len());
    for account in &fleet.accounts {
        let new = NewAccount {
            account: account.name.to_string(),
            project: format!("{}-project", account.name),
            organisation: format!("{}-customer", account.name),
            ..NewAccount::default()
        };
        office.open_account(new).await?;
        keys.push(office.create_key(account.name.as_str()).await?.key.into());
    }
    Ok(keys)
}

fn call(exchange: &FleetExchange, keys: &[Arc<str>], stream: bool) -> Option<Call> {
    let messages: Vec<_> = exchange
        .conversation
        .iter()
        .map(|(role, text)| json!({"role": role, "content": text}))
        .collect();
    let body = json!({"model": exchange.model, "messages": messages, "stream": stream});
    let key = Arc::clone(keys.get(exchange.account)?);
    Some(Call {
        account: exchange.account,
        key,
        body: Bytes::from(body.to_string()),
    })
}

/// Every exchange once; each third one is streamed.
fn calls(fleet: &Fleet, keys: &[Arc<str>]) -> Vec<Call> {
    let all = fleet.exchanges.iter().enumerate();
    all.filter_map(|(n, exchange)| call(exchange, keys, n % 3 == 0))
        .collect()
}

/// One more call of each account.
fn afterwards(fleet: &Fleet, keys: &[Arc<str>]) -> Vec<Call> {
    let first = |n: usize| fleet.exchanges.iter().find(|e| e.account == n);
    (0..fleet.accounts.len())
        .filter_map(|n| call(first(n)?, keys, false))
        .collect()
}

/// For each ring: facts, notice, a throttle of four hours that one person may
/// take, and a suspension that takes two.
async fn decide(
    detection: &DetectionView,
    office: &LocalOffice,
    out: Out,
) -> Result<Vec<String>, Failure> {
    let mut cases = Vec::new();
    for ring in &detection.rings {
        let mut members = ring.members.iter().map(|m| m.account.clone());
        let Some(account) = members.next() else {
            continue;
        };
        let summary: String = ring.reasons.join(" ").chars().take(4_900).collect();
        let case = office
            .propose(NewCase {
                account,
                others: members.collect(),
                clause: CLAUSE.to_owned(),
                summary,
                by: "reviewer-1".to_owned(),
                exculpatory: "No declaration of purpose by any of these accounts was found."
                    .to_owned(),
                then: Some(CaseStep::Notice(NewNotice {
                    metric: "exchanges a day that fill in the frame named in the facts".to_owned(),
                    under: "20".to_owned(),
                    days: 14,
                    declaration: true,
                })),
                ..NewCase::default()
            })
            .await?;
        out.say(&format!(
            "4. {} gives notice to {} accounts",
            case.case,
            case.accounts.len()
        ));
        let case = suspend(office, &case.case).await?;
        out.say(&format!(
            "   throttled in an emergency by reviewer-1, then {} on reviewer-1's proposal and reviewer-2's approval",
            case.state
        ));
        cases.push(case.case);
    }
    Ok(cases)
}

async fn suspend(office: &LocalOffice, case: &str) -> Result<CaseView, Failure> {
    let left = NewLimits {
        requests_per_minute: Some(10),
        tokens_per_minute: None,
    };
    let measure = NewMeasure {
        measure: "suspend".to_owned(),
        reason: "The accounts divide one queue among them: a throttle on each only slows it."
            .to_owned(),
        ..NewMeasure::default()
    };
    let steps = [
        (
            CaseStep::Emergency(left),
            "reviewer-1",
            "The queue is being read out now.",
        ),
        (CaseStep::Propose(measure), "reviewer-1", ""),
        (
            CaseStep::Approve,
            "reviewer-2",
            "The programme and its division over the accounts are plain.",
        ),
    ];
    for (step, by, comment) in steps {
        let (by, comment) = (by.to_owned(), comment.to_owned());
        office
            .step(
                case,
                Step {
                    step,
                    by,
                    comment,
                    attachments: Vec::new(),
                },
            )
            .await?;
    }
    Ok(office.case(case).await?)
}

/// For each account whether it was refused as suspended; any other failure is an error.
fn refused(accounts: usize, outcomes: &[Outcome]) -> Result<Vec<bool>, Failure> {
    let mut refused = vec![false; accounts];
    for outcome in outcomes {
        let suspended =
            outcome.status == 403 && outcome.code.as_deref() == Some("account_suspended");
        if !suspended && !outcome.served() {
            return Err(Failure::error(format!(
                "failed to serve after the decision: {outcome:?}"
            )));
        }
        if let Some(place) = refused.get_mut(outcome.account) {
            *place = suspended;
        }
    }
    Ok(refused)
}
