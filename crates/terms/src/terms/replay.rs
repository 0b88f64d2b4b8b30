//! What a stranger needs to decide a question again, with any Cedar engine.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Terms, load};
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

impl Terms {
    /// The question as a stranger can decide it; none where no policies were
    /// in force or the purpose is none, because then nobody was asked.
    pub fn replay(&self, question: &Question<'_>) -> Option<Replay> {
        let epoch = self.epoch(question.at)?;
        let purpose = question.purpose.map(Purpose::parse).transpose().ok()?;
        let request = self.request(question, purpose).ok()?;
        let (verdict, mut reason) = epoch.decided(&request);
        reason.sort();
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
        let policies = epoch.policies.policies();
        Some(Replay {
            policy_sha256: hex::encode(epoch.sha256),
            policies: policies
                .map(|policy| (policy.id().to_string(), policy.to_string()))
                .collect(),
            schema: load::SCHEMA.to_owned(),
            entities: Vec::new(),
            principal: entity("Account", question.account.as_str()),
            action: entity("Action", action),
            resource,
            context: Value::Object(context),
            decision: match verdict {
                Verdict::Allow => "allow",
                Verdict::Deny => "deny",
            },
            reason,
        })
    }
}
