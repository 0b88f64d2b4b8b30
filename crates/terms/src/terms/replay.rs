//! What a stranger needs to decide a question again, with any Cedar engine.

use std::collections::BTreeMap;

use cedar_policy::{Context, EntityId, EntityTypeName, EntityUid, Request};
use facts::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{LoadError, Terms, load};
use crate::Purpose;
use crate::question::{Act, Question, Verdict};

/// Policies, schema, entities, request and decision, in the JSON that Cedar's
/// own tools read. `tests/wasm` decides them anew.
#[derive(Debug, Clone, Serialize)]
pub struct Replay {
    /// Digest of the policies, hexadecimal: those of equal digest are equal.
    pub policy_sha256: String,
    /// Each policy's text, by its id.
    pub policies: BTreeMap<String, String>,
    /// The schema's text.
    pub schema: String,
    /// The entities: none are needed.
    pub entities: Vec<Value>,
    /// `{"type": ..., "id": ...}` of the account.
    pub principal: Value,
    /// Of the action.
    pub action: Value,
    /// Of the model or the set of outputs.
    pub resource: Value,
    /// The context.
    pub context: Value,
    /// `allow` or `deny`.
    pub decision: &'static str,
    /// The ids of the policies that decided, in order.
    pub reason: Vec<String>,
}

/// The texts that a policy set was compiled of. Its digest is theirs, so whoever
/// has them can tell that they are the ones that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// The schema.
    pub schema: String,
    /// Name and text of each source, the house's own first.
    pub policies: Vec<(String, String)>,
}

/// A question as it was put to the policies, as [`Replay`] states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// `{"type": ..., "id": ...}` of the account.
    pub principal: Value,
    /// Of the action.
    pub action: Value,
    /// Of the model or the set of outputs.
    pub resource: Value,
    /// The context.
    pub context: Value,
}

/// A question that was ruled on, for whoever asks it again: all that the ruling rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The documents that bound, `provider/document`.
    pub documents: Vec<String>,
    /// The question as it was put to their policies.
    pub put: Put,
    /// SHA-256 of all of it: equal questions to equal policies have equal ones.
    pub sha256: [u8; 32],
}

/// What a question is answered once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Digest of the policies, hexadecimal, computed from their texts.
    pub policy_sha256: String,
    /// `allow` or `deny`.
    pub decision: String,
    /// The clauses that decided.
    pub clauses: Vec<String>,
    /// Errors of evaluation, on which nobody may rely.
    pub errors: Vec<String>,
}

impl Sources {
    /// Compiles the texts and puts the question to them.
    ///
    /// # Errors
    /// [`LoadError`] when the texts are no policies, or the question none of theirs.
    pub fn answer(&self, put: &Put) -> Result<Answer, LoadError> {
        let (epoch, schema) = load::alone(self)?;
        let fault = |detail: String| LoadError::Policy {
            file: "question".to_owned(),
            line: 0,
            detail,
        };
        let action = entity(&put.action).ok_or_else(|| fault("no action".to_owned()))?;
        let context = Context::from_json_value(put.context.clone(), Some((&schema, &action)))
            .map_err(|error| fault(error.to_string()))?;
        let request = Request::new(
            entity(&put.principal).ok_or_else(|| fault("no account".to_owned()))?,
            action,
            entity(&put.resource).ok_or_else(|| fault("no resource".to_owned()))?,
            context,
            Some(&schema),
        )
        .map_err(|error| fault(error.to_string()))?;
        let ruling = epoch.decide(&request);
        Ok(Answer {
            policy_sha256: ruling.policy_sha256,
            decision: match ruling.verdict {
                Verdict::Allow => "allow",
                Verdict::Deny => "deny",
            }
            .to_owned(),
            clauses: ruling.because.iter().map(ToString::to_string).collect(),
            errors: ruling.errors,
        })
    }
}

fn entity(value: &Value) -> Option<EntityUid> {
    let kind: EntityTypeName = value.get("type")?.as_str()?.parse().ok()?;
    let id = EntityId::new(value.get("id")?.as_str()?);
    Some(EntityUid::from_type_name_and_id(kind, id))
}

impl Terms {
    /// The texts of the policies in force at `at`; none where no version is.
    pub fn sources(&self, at: Timestamp) -> Option<Sources> {
        let epoch = self.epoch(at)?;
        let house = [("house".to_owned(), load::HOUSE.to_owned())].into_iter();
        let versions = epoch.versions.iter();
        let versions = versions.map(|v| (v.file().to_owned(), v.policies().to_owned()));
        Some(Sources {
            schema: load::SCHEMA.to_owned(),
            policies: house.chain(versions).collect(),
        })
    }

    /// The question with all that its ruling rests on; none where no policies were in force or
    /// the purpose is none, because then nobody was asked.
    pub fn asked(&self, question: &Question<'_>) -> Option<Asked> {
        let epoch = self.epoch(question.at)?;
        let purpose = question.purpose.map(Purpose::parse).transpose().ok()?;
        let put = self.put(question, purpose);
        let documents: Vec<String> = self.documents.iter().map(ToString::to_string).collect();
        let whole = json!([hex::encode(epoch.sha256), documents, put]);
        Some(Asked {
            sha256: Sha256::digest(whole.to_string()).into(),
            documents,
            put,
        })
    }

    fn put(&self, question: &Question<'_>, purpose: Option<Purpose>) -> Put {
        let facts = self.facts(question, purpose);
        let mut context = serde_json::Map::new();
        for (name, word) in facts.texts {
            context.insert(name.to_owned(), json!(word));
        }
        for (name, words) in facts.sets {
            context.insert(name.to_owned(), json!(words));
        }
        if let Some(transformed) = facts.transformed {
            context.insert("transformed".to_owned(), json!(transformed));
        }
        let entity = |kind: &str, id: &str| json!({"type": kind, "id": id});
        let (action, resource) = match question.act {
            Act::Infer { model, .. } => ("infer", entity("Model", model.as_str())),
            Act::Use { set, .. } => ("useOutput", entity("OutputSet", set)),
        };
        Put {
            principal: entity("Account", question.account.as_str()),
            action: entity("Action", action),
            resource,
            context: Value::Object(context),
        }
    }

    /// The question as a stranger can decide it; none where no policies were
    /// in force or the purpose is none, because then nobody was asked.
    pub fn replay(&self, question: &Question<'_>) -> Option<Replay> {
        let epoch = self.epoch(question.at)?;
        let purpose = question.purpose.map(Purpose::parse).transpose().ok()?;
        let request = self.request(question, purpose).ok()?;
        let (verdict, mut reason) = epoch.decided(&request);
        reason.sort();
        let put = self.put(question, purpose);
        let policies = epoch.policies.policies();
        Some(Replay {
            policy_sha256: hex::encode(epoch.sha256),
            policies: policies
                .map(|policy| (policy.id().to_string(), policy.to_string()))
                .collect(),
            schema: load::SCHEMA.to_owned(),
            entities: Vec::new(),
            principal: put.principal,
            action: put.action,
            resource: put.resource,
            context: put.context,
            decision: match verdict {
                Verdict::Allow => "allow",
                Verdict::Deny => "deny",
            },
            reason,
        })
    }
}
