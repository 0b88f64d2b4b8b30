//! What a bundle carries so that a stranger can make rulings and scores again:
//! the texts of the policies, each question as it was put, the detector and
//! the sums of each accused account at its looks. No prompt is in any of it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cases::Case;
use console::OfficeError;
use detection::{Account, Detector, LOOKS, Peers, Reader};
use evidence::{Event, Record};
use facts::{AccountId, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::JournalRow;
use terms::{DocumentId, Put};

use super::disclosed::Chosen;
use crate::judge::Documents;
use crate::keeper::{Keeper, Left};
use crate::watch::finding::{digits, judged_by};
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

/// The questions that the disclosed intents were ruled on, as they were recorded, each in the JSON
/// that Cedar's own tools read, with the policies of the digest recorded: found by the documents
/// that bound then, whatever binds today. Where the catalogue no longer has them, the question
/// goes without, and its rulings read as unproven.
pub(super) fn rulings<'a>(
    documents: Option<&Documents>,
    records: impl Iterator<Item = &'a JournalRow>,
) -> Result<Parts, OfficeError> {
    let mut parts = Parts::new();
    for row in records.filter(|row| row.kind == "asked") {
        let Ok((seq, record)) = Record::parse(&row.leaf) else {
            continue;
        };
        if let Some(question) = Question::of(&record) {
            let ruling = question.ruling(documents, &mut parts)?;
            parts.insert(format!("rulings/{seq}.json"), written(&ruling)?);
        }
    }
    Ok(parts)
}

/// A question as the log records it.
struct Question<'a> {
    policy: &'a str,
    documents: &'a [String],
    at: Timestamp,
    put: Put,
}

impl<'a> Question<'a> {
    fn of(record: &'a Record) -> Option<Self> {
        let Event::Asked {
            model,
            policy,
            documents,
            context,
        } = &record.event
        else {
            return None;
        };
        let entity = |kind: &str, id: &str| json!({"type": kind, "id": id});
        Some(Self {
            policy,
            documents,
            at: record.at,
            put: Put {
                principal: entity("Account", record.account.as_ref()?.as_str()),
                action: entity("Action", "infer"),
                resource: entity("Model", model.as_str()),
                context: Value::Object(context.clone()),
            },
        })
    }

    /// The question with its answer; the policies' texts are added to `parts` once for each set.
    fn ruling(
        &self,
        documents: Option<&Documents>,
        parts: &mut Parts,
    ) -> Result<Value, OfficeError> {
        let put = serde_json::to_value(&self.put).map_err(failed)?;
        let mut ruling = put.as_object().cloned().unwrap_or_default();
        ruling.insert("policy_sha256".to_owned(), json!(self.policy));
        ruling.insert("entities".to_owned(), json!([]));
        let bound: Option<Vec<DocumentId>> = self
            .documents
            .iter()
            .map(|name| DocumentId::parse(name))
            .collect();
        let terms = documents
            .zip(bound)
            .and_then(|(documents, bound)| documents.library().bound(&bound).ok());
        let Some((terms, sources)) = terms.and_then(|t| t.sources(self.at).map(|s| (t, s))) else {
            return Ok(Value::Object(ruling));
        };
        let answer = sources.answer(&self.put).map_err(failed)?;
        if answer.policy_sha256 != self.policy {
            return Ok(Value::Object(ruling));
        }
        policies(self.policy, &sources, parts);
        let in_force = terms.in_force(self.at).unwrap_or_default();
        let texts: Vec<Value> = in_force.iter().map(document).collect();
        parts.insert(
            format!("terms/{}.json", self.policy),
            written(&json!({"documents": texts}))?,
        );
        ruling.insert("decision".to_owned(), json!(answer.decision));
        ruling.insert("clauses".to_owned(), json!(answer.clauses));
        Ok(Value::Object(ruling))
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

/// What judged: the findings of the accused accounts as they are kept, the detectors that made
/// them, the one that the case names, and for each account its sums and scores by that one at
/// every look that it reached and now.
pub(super) async fn detector(
    keeper: &Keeper,
    folder: &Path,
    case: &Case,
    chosen: &Chosen,
) -> Result<Parts, OfficeError> {
    let text = of_case(folder, case, chosen)?;
    let detector = Detector::parse(&text).map_err(failed)?;
    let digest = hex::encode(Sha256::digest(&text));
    let mut parts = Parts::new();
    for (n, of) in chosen.accounts.iter().enumerate() {
        for row in &of.findings {
            let name = format!("findings/{}.json", row.id);
            parts.insert(name, row.json.clone().into_bytes());
            let by = judged_by(row);
            if let Some(kept) = by.and_then(|by| model::kept(folder, &by).zip(Some(by))) {
                let name = format!("detector/{}.json", hex::encode(kept.1));
                parts.insert(name, kept.0.into_bytes());
            }
        }
        let declared = book::declared(keeper, &of.account);
        let summed = Summed::of(keeper, &detector, &of.account, declared).await?;
        if summed.looks.is_empty() {
            continue;
        }
        let inputs = json!({
            "account": of.account.as_str(),
            "detector_sha256": digest,
            "detector": env!("CARGO_PKG_VERSION"),
            "population": detector.manifest.population,
            "declared": declared.map(Peers::word),
            "endings": summed.endings,
            "unread": summed.unread,
            "looks": summed.looks,
        });
        parts.insert(format!("detector/accounts/{n}.json"), written(&inputs)?);
    }
    parts.insert(format!("detector/{digest}.json"), text.into_bytes());
    Ok(parts)
}

/// The detector that the log names for a case; today's for older cases, and where what was kept is
/// gone: nothing then says that it is the one.
fn of_case(folder: &Path, case: &Case, chosen: &Chosen) -> Result<String, OfficeError> {
    let named = chosen.house.iter().find_map(|row| {
        let (_, record) = Record::parse(&row.leaf).ok()?;
        match record.event {
            Event::Judged {
                detector,
                case: Some(id),
                ..
            } if id == *case.id() => model::kept(folder, &detector),
            _ => None,
        }
    });
    if let Some(text) = named {
        return Ok(text);
    }
    let today = model::load(folder).map_err(|e| OfficeError::Unavailable(e.message))?;
    Ok(model::text(&today).map_err(OfficeError::Unavailable)?.0)
}

/// Endings gone through at most for an account's sums, whatever they ended.
const ENDINGS_MAX: u64 = 20_000;
/// Those read at once, with their requests.
const PAGE: u32 = 500;

/// An account's exchanges, summed as the watch sums them.
#[derive(Default)]
struct Summed {
    /// Sums and scores at each look; the last is now.
    looks: Vec<Value>,
    /// Exchanges gone through, up to the last look there is.
    endings: u64,
    /// Those that would have been read, had their requests not been forgotten since.
    unread: u64,
}

impl Summed {
    async fn of(
        keeper: &Keeper,
        detector: &Detector,
        account: &AccountId,
        declared: Option<Peers>,
    ) -> Result<Self, OfficeError> {
        let most = LOOKS.last().copied().unwrap_or_default();
        let (mut sums, mut reader) = (Account::default(), Reader::default());
        let (mut summed, mut least, mut from) = (Self::default(), None, 0);
        while summed.endings < ENDINGS_MAX && sums.seen() < most {
            let page = keeper.past(account, from, PAGE).await.map_err(failed)?;
            let Some(end) = page.last() else { break };
            from = end.next;
            for past in page {
                if sums.seen() == most {
                    break;
                }
                summed.endings += 1;
                let exchange = match &past.request {
                    Left::NoText => continue,
                    Left::Forgotten => None,
                    Left::Sealed(request) => keeper.reopened(request),
                };
                let Some(exchange) = exchange else {
                    summed.unread += 1;
                    continue;
                };
                if exchange.prompt.is_empty() {
                    continue;
                }
                sums.observe(reader.read(&exchange.prompt));
                if LOOKS.contains(&sums.seen()) {
                    let looked = look(detector, &sums, declared, &mut least);
                    summed.looks.push(looked);
                }
            }
        }
        if sums.seen() > 0 && !LOOKS.contains(&sums.seen()) {
            let looked = look(detector, &sums, declared, &mut least);
            summed.looks.push(looked);
        }
        Ok(summed)
    }
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
