//! The audit log in the shape of `OpenAI`'s `/v1/organization/audit_logs`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::admin::{answer, refusal};
use crate::api::{Told, told};
use crate::office::{Office, OfficeError};
use crate::pages::{ask_for_key, caller};

/// Which events are listed; the names of `OpenAI`'s parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditAsked {
    /// Events after this second (`effective_at[gt]`).
    pub after_second: Option<i64>,
    /// Events before this second (`effective_at[lt]`).
    pub before_second: Option<i64>,
    /// Of these projects (`project_ids[]`).
    pub project_ids: Vec<String>,
    /// Of these types (`event_types[]`).
    pub event_types: Vec<String>,
    /// By these actors (`actor_ids[]`).
    pub actor_ids: Vec<String>,
    /// At most so many, 1 to 100; 20 where nothing is said.
    pub limit: Option<u32>,
    /// Those that come after this id in the list, so earlier ones.
    pub after: Option<String>,
    /// Those that come before this id in the list, so later ones.
    pub before: Option<String>,
    /// Only what concerns this account, with whoever worked on it unnamed.
    pub account: Option<String>,
}

impl AuditAsked {
    /// The same as the query of a URL.
    pub fn query(&self) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        let second = |name, at: Option<i64>| at.map(|at| (name, at.to_string()));
        pairs.extend(second("effective_at[gt]", self.after_second));
        pairs.extend(second("effective_at[lt]", self.before_second));
        let many = |name, all: &[String]| -> Vec<(&'static str, String)> {
            all.iter().map(|one| (name, one.clone())).collect()
        };
        pairs.extend(many("project_ids[]", &self.project_ids));
        pairs.extend(many("event_types[]", &self.event_types));
        pairs.extend(many("actor_ids[]", &self.actor_ids));
        pairs.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        pairs.extend(self.after.clone().map(|id| ("after", id)));
        pairs.extend(self.before.clone().map(|id| ("before", id)));
        // Pairs of texts can always be written.
        serde_urlencoded::to_string(pairs).unwrap_or_default()
    }
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditPage {
    /// `list`.
    pub object: String,
    /// The events.
    pub data: Vec<AuditEvent>,
    /// The id of the first of them.
    pub first_id: Option<String>,
    /// The id of the last of them.
    pub last_id: Option<String>,
    /// Whether there are more in the direction that was asked for.
    pub has_more: bool,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditEvent {
    /// Its id.
    pub id: String,
    /// Its type, for example `enforcement.suspended`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, in seconds since 1970.
    pub effective_at: i64,
    /// The project concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<AuditProject>,
    /// Who.
    pub actor: AuditActor,
    /// The event's details, under its type.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

/// A project as events name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditProject {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Who did it: a person who signed in, or a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditActor {
    /// `session` or `api_key`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<AuditSession>,
    /// The key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<AuditKey>,
}

/// A person who signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditSession {
    /// Who.
    pub user: AuditUser,
}

/// A person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditUser {
    /// Under which colleagues know them; a customer sees their role instead.
    pub id: String,
}

/// A key, or what acts like one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditKey {
    /// `service_account`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose it is.
    pub service_account: AuditUser,
}

/// What the operation is.
pub(crate) fn told_of(summary: &'static str) -> Told {
    told::<AuditPage>(summary)
        .asks("effective_at[gt]", "after this second")
        .asks("effective_at[gte]", "at this second or after")
        .asks("effective_at[lt]", "before this second")
        .asks("effective_at[lte]", "at this second or before")
        .asks("project_ids[]", "of this project; repeat for more")
        .asks("event_types[]", "of this type; repeat for more")
        .asks("actor_ids[]", "by this actor; repeat for more")
        .asks("limit", "1 to 100; 20 where nothing is said")
        .asks("after", "an id: events that come after it in the list")
        .asks("before", "an id: events that come before it in the list")
}

/// Reads `OpenAI`'s parameters; one that is not known is refused, so that no filter is lost unseen.
fn asked(query: Option<&str>) -> Result<AuditAsked, OfficeError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.unwrap_or_default())
        .map_err(|e| OfficeError::Invalid(format!("failed to read the query: {e}")))?;
    let mut asked = AuditAsked::default();
    for (name, value) in pairs {
        let second = || {
            let read = value.parse::<i64>();
            read.map_err(|_| OfficeError::Invalid(format!("`{name}` is no number of seconds")))
        };
        match name.as_str() {
            "effective_at[gt]" => asked.after_second = Some(second()?),
            "effective_at[gte]" => asked.after_second = Some(second()?.saturating_sub(1)),
            "effective_at[lt]" => asked.before_second = Some(second()?),
            "effective_at[lte]" => asked.before_second = Some(second()?.saturating_add(1)),
            "project_ids[]" | "project_ids" => asked.project_ids.push(value),
            "event_types[]" | "event_types" => asked.event_types.push(value),
            "actor_ids[]" | "actor_ids" => asked.actor_ids.push(value),
            "after" => asked.after = Some(value),
            "before" => asked.before = Some(value),
            "limit" => {
                let limit = value.parse().ok().filter(|n| (1..=100).contains(n));
                let limit =
                    limit.ok_or_else(|| OfficeError::Invalid("`limit` is 1 to 100".to_owned()))?;
                asked.limit = Some(limit);
            }
            _ => {
                return Err(OfficeError::Invalid(format!(
                    "`{name}` is no parameter of the audit log here"
                )));
            }
        }
    }
    Ok(asked)
}

/// The whole log.
pub(crate) async fn all<O: Office>(
    State(office): State<Arc<O>>,
    RawQuery(query): RawQuery,
) -> Response {
    match asked(query.as_deref()) {
        Ok(asked) => answer(StatusCode::OK, office.audit_logs(asked).await),
        Err(refused) => refusal(&refused),
    }
}

/// What of it concerns the caller's account.
pub(crate) async fn own<O: Office>(
    State(office): State<Arc<O>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(account) = caller(&*office, &headers) else {
        return ask_for_key();
    };
    match asked(query.as_deref()) {
        Ok(asked) => {
            let account = Some(account);
            let own = AuditAsked { account, ..asked };
            answer(StatusCode::OK, office.audit_logs(own).await)
        }
        Err(refused) => refusal(&refused),
    }
}
