//! Records as canonical JSON, and back.

use std::fmt;

use facts::{
    AccountId, CaseId, ClauseId, Ending, Endpoint, ExchangeId, IdError, KeyId, ModelName, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Commitment, Event, Kept, Record};

/// The largest whole number that every JSON reader keeps exactly (2^53 - 1).
const LARGEST: u64 = (1 << 53) - 1;

/// Why bytes are not a leaf of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError(String);

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a record of this log: {}", self.0)
    }
}

impl std::error::Error for RecordError {}

impl From<IdError> for RecordError {
    fn from(error: IdError) -> Self {
        Self(error.to_string())
    }
}

#[derive(Serialize, Deserialize)]
struct Leaf {
    v: u8,
    seq: u64,
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    account: Option<String>,
    #[serde(flatten)]
    event: Shape,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Shape {
    Intent {
        exchange: String,
        key: String,
        endpoint: String,
        model: String,
        request: String,
        policy: String,
        clauses: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        purpose: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        asked: Option<u64>,
    },
    Asked {
        model: String,
        policy: String,
        documents: Vec<String>,
        context: serde_json::Map<String, serde_json::Value>,
    },
    Refusal {
        exchange: String,
        code: String,
        clauses: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        policy: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        purpose: Option<String>,
    },
    Completion {
        exchange: String,
        intent: u64,
        ending: String,
        status: u16,
        input_tokens: u64,
        output_tokens: u64,
        #[serde(skip_serializing_if = "is_false", default)]
        estimated: bool,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        answer: Option<String>,
    },
    CaseStep {
        case: String,
        step: String,
        digest: String,
    },
    Judged {
        detector: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        finding: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        digest: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        case: Option<String>,
    },
    Directory {
        change: String,
        subject: String,
    },
    Erased {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        subject: Option<String>,
        keys: u64,
        bodies: u64,
        #[serde(skip_serializing_if = "is_zero", default)]
        imported: u64,
        by: String,
        reason: String,
    },
    Expired {
        before: i64,
        keys: u64,
        bodies: u64,
    },
    BodyRead {
        exchange: String,
        by: String,
        reason: String,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn texts(clauses: &[ClauseId]) -> Vec<String> {
    clauses.iter().map(ToString::to_string).collect()
}

fn clauses(texts: &[String]) -> Result<Vec<ClauseId>, IdError> {
    texts.iter().map(|t| ClauseId::parse(t)).collect()
}

fn digest(text: &str) -> Result<[u8; 32], RecordError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| RecordError(format!("`{text}` is not a SHA-256 digest in hexadecimal")))?;
    Ok(bytes)
}

fn kept(id: Option<String>, sha256: Option<&str>) -> Result<Option<Kept>, RecordError> {
    match (id, sha256) {
        (None, None) => Ok(None),
        (Some(id), Some(sha256)) => Ok(Some(Kept {
            id,
            digest: digest(sha256)?,
        })),
        _ => Err(RecordError(
            "a finding is named with its digest, or not at all".to_owned(),
        )),
    }
}

fn shape(event: &Event) -> Shape {
    match event {
        Event::Intent {
            exchange,
            key,
            endpoint,
            model,
            request,
            policy,
            clauses,
            purpose,
            asked,
        } => Shape::Intent {
            exchange: exchange.to_string(),
            key: key.to_string(),
            endpoint: endpoint.path().to_owned(),
            model: model.to_string(),
            request: hex::encode(request.0),
            policy: policy.clone(),
            clauses: texts(clauses),
            purpose: purpose.clone(),
            asked: *asked,
        },
        Event::Refusal {
            exchange,
            code,
            clauses,
            policy,
            purpose,
        } => Shape::Refusal {
            exchange: exchange.to_string(),
            code: code.clone(),
            clauses: texts(clauses),
            policy: policy.clone(),
            purpose: purpose.clone(),
        },
        Event::Completion {
            exchange,
            intent,
            ending,
            status,
            input_tokens,
            output_tokens,
            estimated,
            answer,
        } => Shape::Completion {
            exchange: exchange.to_string(),
            intent: *intent,
            ending: ending.word().to_owned(),
            status: *status,
            input_tokens: (*input_tokens).min(LARGEST),
            output_tokens: (*output_tokens).min(LARGEST),
            estimated: *estimated,
            answer: answer.map(|a| hex::encode(a.0)),
        },
        Event::Asked { .. }
        | Event::CaseStep { .. }
        | Event::Judged { .. }
        | Event::Directory { .. }
        | Event::Erased { .. }
        | Event::Expired { .. }
        | Event::BodyRead { .. } => shape_of_deed(event),
    }
}

/// Of what people or the house did.
fn shape_of_deed(event: &Event) -> Shape {
    match event {
        Event::Asked {
            model,
            policy,
            documents,
            context,
        } => Shape::Asked {
            model: model.to_string(),
            policy: policy.clone(),
            documents: documents.clone(),
            context: context.clone(),
        },
        Event::CaseStep { case, step, digest } => Shape::CaseStep {
            case: case.to_string(),
            step: step.clone(),
            digest: hex::encode(digest),
        },
        Event::Judged {
            detector,
            finding,
            case,
        } => Shape::Judged {
            detector: hex::encode(detector),
            finding: finding.as_ref().map(|f| f.id.clone()),
            digest: finding.as_ref().map(|f| hex::encode(f.digest)),
            case: case.as_ref().map(ToString::to_string),
        },
        Event::Directory { change, subject } => Shape::Directory {
            change: change.clone(),
            subject: subject.clone(),
        },
        Event::Erased {
            subject,
            keys,
            bodies,
            imported,
            by,
            reason,
        } => Shape::Erased {
            subject: subject.map(hex::encode),
            keys: (*keys).min(LARGEST),
            bodies: (*bodies).min(LARGEST),
            imported: (*imported).min(LARGEST),
            by: by.clone(),
            reason: hex::encode(reason),
        },
        Event::Expired {
            before,
            keys,
            bodies,
        } => Shape::Expired {
            before: before.0,
            keys: (*keys).min(LARGEST),
            bodies: (*bodies).min(LARGEST),
        },
        Event::BodyRead {
            exchange,
            by,
            reason,
        } => Shape::BodyRead {
            exchange: exchange.to_string(),
            by: by.clone(),
            reason: hex::encode(reason),
        },
        // Those of exchanges are shaped there.
        Event::Intent { .. } | Event::Refusal { .. } | Event::Completion { .. } => shape(event),
    }
}

fn event(shape: Shape) -> Result<Event, RecordError> {
    Ok(match shape {
        Shape::Intent {
            exchange,
            key,
            endpoint,
            model,
            request,
            policy,
            clauses: c,
            purpose,
            asked,
        } => Event::Intent {
            exchange: ExchangeId::parse(&exchange)?,
            key: KeyId::parse(&key)?,
            endpoint: Endpoint::from_path(&endpoint)
                .ok_or_else(|| RecordError(format!("`{endpoint}` is no operation")))?,
            model: ModelName::parse(&model)?,
            request: Commitment(digest(&request)?),
            policy,
            clauses: clauses(&c)?,
            purpose,
            asked,
        },
        Shape::Refusal {
            exchange,
            code,
            clauses: c,
            policy,
            purpose,
        } => Event::Refusal {
            exchange: ExchangeId::parse(&exchange)?,
            code,
            clauses: clauses(&c)?,
            policy,
            purpose,
        },
        Shape::Completion {
            exchange,
            intent,
            ending,
            status,
            input_tokens,
            output_tokens,
            estimated,
            answer,
        } => Event::Completion {
            exchange: ExchangeId::parse(&exchange)?,
            intent,
            ending: Ending::from_word(&ending)
                .ok_or_else(|| RecordError(format!("`{ending}` is no ending")))?,
            status,
            input_tokens,
            output_tokens,
            estimated,
            answer: answer.map(|a| digest(&a).map(Commitment)).transpose()?,
        },
        Shape::Asked { .. }
        | Shape::CaseStep { .. }
        | Shape::Judged { .. }
        | Shape::Directory { .. }
        | Shape::Erased { .. }
        | Shape::Expired { .. }
        | Shape::BodyRead { .. } => deed(shape)?,
    })
}

/// What people or the house did.
fn deed(shape: Shape) -> Result<Event, RecordError> {
    Ok(match shape {
        Shape::Asked {
            model,
            policy,
            documents,
            context,
        } => Event::Asked {
            model: ModelName::parse(&model)?,
            policy,
            documents,
            context,
        },
        Shape::CaseStep {
            case,
            step,
            digest: d,
        } => Event::CaseStep {
            case: CaseId::parse(&case)?,
            step,
            digest: digest(&d)?,
        },
        Shape::Judged {
            detector,
            finding,
            digest: d,
            case,
        } => Event::Judged {
            detector: digest(&detector)?,
            finding: kept(finding, d.as_deref())?,
            case: case.as_deref().map(CaseId::parse).transpose()?,
        },
        Shape::Directory { change, subject } => Event::Directory { change, subject },
        Shape::Erased {
            subject,
            keys,
            bodies,
            imported,
            by,
            reason,
        } => Event::Erased {
            subject: subject.as_deref().map(digest).transpose()?,
            keys,
            bodies,
            imported,
            by,
            reason: digest(&reason)?,
        },
        Shape::Expired {
            before,
            keys,
            bodies,
        } => Event::Expired {
            before: Timestamp(before),
            keys,
            bodies,
        },
        Shape::BodyRead {
            exchange,
            by,
            reason,
        } => Event::BodyRead {
            exchange: ExchangeId::parse(&exchange)?,
            by,
            reason: digest(&reason)?,
        },
        // Those of exchanges are read there.
        Shape::Intent { .. } | Shape::Refusal { .. } | Shape::Completion { .. } => event(shape)?,
    })
}

impl Record {
    /// The leaf at place `seq`: RFC 8785 canonical JSON, digests in lower-case
    /// hexadecimal, token counts stopped at 2^53 - 1.
    ///
    /// # Errors
    /// [`RecordError`] when a number is beyond what JSON keeps exactly or the
    /// leaf exceeds 65,535 bytes.
    pub fn leaf(&self, seq: u64) -> Result<Vec<u8>, RecordError> {
        if seq > LARGEST || self.at.0.unsigned_abs() > LARGEST {
            return Err(RecordError("a number is beyond 2^53 - 1".to_owned()));
        }
        let leaf = Leaf {
            v: 1,
            seq,
            at: self.at.0,
            account: self.account.as_ref().map(ToString::to_string),
            event: shape(&self.event),
        };
        let bytes =
            serde_json_canonicalizer::to_vec(&leaf).map_err(|e| RecordError(e.to_string()))?;
        if bytes.len() > 65_535 {
            return Err(RecordError(format!("{} bytes exceed 65,535", bytes.len())));
        }
        Ok(bytes)
    }

    /// Reads a leaf: its place and its record. Strict: bytes that are not
    /// exactly what [`Record::leaf`] writes are refused.
    ///
    /// # Errors
    /// [`RecordError`] saying what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<(u64, Self), RecordError> {
        let leaf: Leaf = serde_json::from_slice(bytes).map_err(|e| RecordError(e.to_string()))?;
        if leaf.v != 1 {
            return Err(RecordError(format!("version {} is unknown", leaf.v)));
        }
        let account = leaf.account.as_deref().map(AccountId::parse).transpose()?;
        let record = Self {
            at: Timestamp(leaf.at),
            account,
            event: event(leaf.event)?,
        };
        if record.leaf(leaf.seq)? != bytes {
            return Err(RecordError("it is not in canonical form".to_owned()));
        }
        Ok((leaf.seq, record))
    }
}
