//! What a bundle carries so that a stranger can make rulings and scores again:
//! the texts of the policies, each question as it was put, the detector and
//! the sums of each accused account at its looks. No prompt is in any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use console::OfficeError;
use detection::{Account, Detector, LOOKS, Peers, Reader};
use evidence::{Event, Record};
use facts::{AccountId, ModelName, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use terms::{Act, Agreement, Put, Standing};

use crate::judge::Documents;
use crate::keeper::Keeper;
use crate::watch::{book, model};

/// Files of a bundle, by name.
pub(crate) type Parts = BTreeMap<String, Vec<u8>>;

fn failed(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to gather the evidence: {error}"))
}

/// One text for one value: `serde_json` keeps an object's names in order.
fn written(value: &Value) -> Result<Vec<u8>, OfficeError> {
    serde_json::to_vec(value).map_err(failed)
}

/// The exact text of a number: what is made again must match to the digit.
pub(crate) fn digits(number: f64) -> String {
    format!("{number:?}")
}

/// The questions behind the disclosed intents, where the terms of today's
/// agreement give the policies and clauses that were recorded. Where they do
/// not, because the agreement changed since, nothing is said: the ruling then
/// reads as unproven.
pub(crate) fn rulings(
    keeper: &Keeper,
    documents: Option<&Documents>,
    leaves: &[Vec<u8>],
) -> Result<Parts, OfficeError> {
    let mut parts = Parts::new();
    for leaf in leaves {
        let Ok((seq, record)) = Record::parse(leaf) else {
            continue;
        };
        let Some(account) = &record.account else {
            continue;
        };
        let agreement = keeper.ask(|engine| agreement(engine.directory(), account));
        let Some(asked) = Asked::of(&record, account, &agreement) else {
            continue;
        };
        if let Some(ruling) = asked.ruling(documents, &mut parts)? {
            parts.insert(format!("rulings/{seq}.json"), written(&ruling)?);
        }
    }
    Ok(parts)
}

fn agreement(directory: &engine::Directory, account: &AccountId) -> Agreement {
    let known = directory.account(account);
    known.map_or_else(Agreement::default, |known| (*known.agreement).clone())
}

/// A recorded request and what its account agreed to.
struct Asked<'a> {
    account: &'a AccountId,
    agreement: &'a Agreement,
    at: Timestamp,
    model: &'a ModelName,
    endpoint: facts::Endpoint,
    purpose: Option<&'a str>,
    policy: &'a str,
    clauses: BTreeSet<String>,
}

impl<'a> Asked<'a> {
    fn of(record: &'a Record, account: &'a AccountId, agreement: &'a Agreement) -> Option<Self> {
        let Event::Intent {
            endpoint,
            model,
            policy,
            clauses,
            purpose,
            ..
        } = &record.event
        else {
            return None;
        };
        Some(Self {
            account,
            agreement,
            at: record.at,
            model,
            endpoint: *endpoint,
            purpose: purpose.as_deref(),
            policy,
            clauses: clauses.iter().map(ToString::to_string).collect(),
        })
    }

    /// The question with its answer, once it is the one recorded; the policies'
    /// texts are added to `parts` once for each set.
    fn ruling(
        &self,
        documents: Option<&Documents>,
        parts: &mut Parts,
    ) -> Result<Option<Value>, OfficeError> {
        let bound = documents.map(|d| d.binding(self.agreement, Some(self.model)));
        let bound: Vec<_> = bound.into_iter().flatten().map(|(id, _)| id).collect();
        let (Some(documents), false) = (documents, bound.is_empty()) else {
            // No terms bind: the digest of the empty policy set stands in the record.
            let none = hex::encode(Sha256::digest(b""));
            return Ok((self.policy == none && self.clauses.is_empty())
                .then(|| json!({"policy_sha256": none, "decision": "allow", "clauses": []})));
        };
        let terms = documents.library().bound(&bound).map_err(failed)?;
        let question = terms::Question {
            account: self.account,
            act: Act::Infer {
                model: self.model,
                endpoint: self.endpoint,
            },
            purpose: self.purpose,
            declared: &self.agreement.declared,
            conduct: &self.agreement.conduct,
            authorisations: &self.agreement.authorisations,
            country: None,
            exceeded: terms::Exceeded::default(),
            standing: Standing::Active,
            at: self.at,
        };
        let (Some(replay), Some(sources)) = (terms.replay(&question), terms.sources(self.at))
        else {
            return Ok(None);
        };
        let put = Put {
            principal: replay.principal,
            action: replay.action,
            resource: replay.resource,
            context: replay.context,
        };
        let answer = sources.answer(&put).map_err(failed)?;
        let clauses: BTreeSet<String> = answer.clauses.iter().cloned().collect();
        if answer.policy_sha256 != self.policy || clauses != self.clauses {
            return Ok(None);
        }
        policies(&answer.policy_sha256, &sources, parts);
        let in_force = terms.in_force(self.at).unwrap_or_default();
        let texts: Vec<Value> = in_force.iter().map(document).collect();
        parts.insert(
            format!("terms/{}.json", answer.policy_sha256),
            written(&json!({"documents": texts}))?,
        );
        let mut ruling = serde_json::to_value(&put).map_err(failed)?;
        let told = serde_json::to_value(&answer).map_err(failed)?;
        if let (Value::Object(ruling), Value::Object(told)) = (&mut ruling, told) {
            ruling.extend(told);
            ruling.insert("entities".to_owned(), json!(replay.entities));
        }
        Ok(Some(ruling))
    }
}

/// A document in force, with where and what it was read from.
fn document(version: &terms::Version) -> Value {
    let source = version.source();
    json!({
        "document": version.document().to_string(),
        "version": version.slug(),
        "title": version.title(),
        "reference": source.reference,
        "archive_commit": source.archive_commit,
        "text_sha256": source.text_sha256,
    })
}

/// `policy/<digest>/schema.cedarschema`, then each source in the order of the digest.
fn policies(digest: &str, sources: &terms::Sources, parts: &mut Parts) {
    let folder = format!("policy/{digest}");
    parts.insert(
        format!("{folder}/schema.cedarschema"),
        sources.schema.clone().into_bytes(),
    );
    for (n, (name, text)) in sources.policies.iter().enumerate() {
        parts.insert(
            format!("{folder}/{n:02}/{name}.cedar"),
            text.clone().into_bytes(),
        );
    }
}

/// The detector, and for each accused account its sums and scores at every look
/// that it reached and now.
pub(crate) async fn detector(
    keeper: &Keeper,
    folder: &Path,
    accused: &[AccountId],
) -> Result<Parts, OfficeError> {
    let text = model::load(folder).map_err(|e| OfficeError::Unavailable(e.message))?;
    let text = text.to_text().map_err(failed)?;
    let detector = Detector::parse(&text).map_err(failed)?;
    let digest = hex::encode(Sha256::digest(&text));
    let mut parts = Parts::new();
    for (n, account) in accused.iter().enumerate() {
        let declared = book::declared(keeper, account);
        let findings = keeper.database().findings(Some(account)).await;
        let findings: Vec<Value> = findings
            .map_err(failed)?
            .iter()
            .filter_map(|row| serde_json::from_str(&row.json).ok())
            .collect();
        let (looks, unread) = looks(keeper, &detector, account, declared).await?;
        if looks.is_empty() {
            continue;
        }
        let inputs = json!({
            "account": account.as_str(),
            "detector_sha256": digest,
            "detector": env!("CARGO_PKG_VERSION"),
            "population": detector.manifest.population,
            "declared": declared.map(Peers::word),
            "unread": unread,
            "looks": looks,
            "findings": findings,
        });
        parts.insert(format!("detector/accounts/{n}.json"), written(&inputs)?);
    }
    if !parts.is_empty() {
        parts.insert("detector/detector.json".to_owned(), text.into_bytes());
    }
    Ok(parts)
}

/// Sums and scores at each look, in the order in which the watch sees them; the
/// last is now. Also how many requests could not be read any more.
async fn looks(
    keeper: &Keeper,
    detector: &Detector,
    account: &AccountId,
    declared: Option<Peers>,
) -> Result<(Vec<Value>, usize), OfficeError> {
    let most = LOOKS.last().copied().unwrap_or_default();
    let ended = keeper.first_ended(account, most).await.map_err(failed)?;
    let (mut sums, mut reader) = (Account::default(), Reader::default());
    let (mut looks, mut unread, mut least) = (Vec::new(), 0, None);
    for one in &ended {
        let Some(exchange) = keeper.reopened(&one.request) else {
            unread += 1;
            continue;
        };
        if exchange.prompt.is_empty() {
            continue;
        }
        sums.observe(reader.read(&exchange.prompt));
        if LOOKS.contains(&sums.seen()) {
            looks.push(look(detector, &sums, declared, &mut least));
        }
    }
    if sums.seen() > 0 && !LOOKS.contains(&sums.seen()) {
        looks.push(look(detector, &sums, declared, &mut least));
    }
    Ok((looks, unread))
}

/// The sums with what the detector says of them.
pub(crate) fn look(
    detector: &Detector,
    sums: &Account,
    declared: Option<Peers>,
    least: &mut Option<f64>,
) -> Value {
    let statistic = digits(detector.head.intent(sums).statistic);
    let bytes = STANDARD.encode(sums.to_bytes());
    match detector.judge(sums, declared, *least) {
        None => json!({"seen": sums.seen(), "sums": bytes, "statistic": statistic}),
        Some(judged) => {
            *least = Some(judged.least);
            json!({
                "seen": sums.seen(),
                "sums": bytes,
                "statistic": statistic,
                "look": judged.look,
                "p": digits(judged.rank.p),
                "anytime_p": digits(judged.anytime.p),
            })
        }
    }
}
