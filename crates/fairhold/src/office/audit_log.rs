//! The audit log: what records say, as events in `OpenAI`'s shape.
//!
//! Nothing is kept for it: an event is a record, and its id is the record's
//! number, so that its receipt proves it.

use std::collections::HashMap;

use cases::{Role, Step as CaseStep};
use console::{
    AuditActor, AuditAsked, AuditEvent, AuditKey, AuditPage, AuditProject, AuditSession, AuditUser,
    OfficeError,
};
use evidence::{Event, Record};
use facts::{AccountId, ProjectId};
use serde_json::{Map, Value, json};
use store::JournalRow;

use crate::keeper::Keeper;
use crate::notices::message::SEALED;

/// Events of a page where nothing is said, as `OpenAI` has it.
const USUAL: u32 = 20;
/// Records that are read at once.
const PAGE: u32 = 500;
/// What an id begins with.
const PREFIX: &str = "audit_log-";

fn broken(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the audit log: {error}"))
}

fn place(id: &str) -> Result<u64, OfficeError> {
    let number = id.strip_prefix(PREFIX).and_then(|n| n.parse().ok());
    number.ok_or_else(|| OfficeError::Invalid(format!("`{id}` is no id of the audit log")))
}

/// The steps of cases that a page names, by case and digest.
#[derive(Default)]
struct Steps {
    cases: HashMap<String, HashMap<[u8; 32], CaseStep>>,
    accounts: HashMap<String, Vec<AccountId>>,
}

impl Steps {
    async fn of(&mut self, keeper: &Keeper, case: &str) -> Result<(), OfficeError> {
        if self.cases.contains_key(case) {
            return Ok(());
        }
        let mut steps = HashMap::new();
        for row in keeper.database().steps_of(case).await.map_err(broken)? {
            // One of another version has an event all the same, without its details.
            if let Ok(step) = CaseStep::parse(&row.json) {
                if let cases::Deed::Observed(observation) = &step.deed {
                    let accounts = observation.accounts.clone();
                    self.accounts.insert(case.to_owned(), accounts);
                }
                steps.insert(row.digest, step);
            }
        }
        self.cases.insert(case.to_owned(), steps);
        Ok(())
    }
}

fn service(id: &str) -> AuditActor {
    AuditActor {
        kind: "api_key".to_owned(),
        session: None,
        api_key: Some(AuditKey {
            kind: "service_account".to_owned(),
            service_account: AuditUser { id: id.to_owned() },
        }),
    }
}

fn person(id: &str) -> AuditActor {
    AuditActor {
        kind: "session".to_owned(),
        session: Some(AuditSession {
            user: AuditUser { id: id.to_owned() },
        }),
        api_key: None,
    }
}

/// Whoever took a step; to customers, those who work here are their role.
fn actor(step: &CaseStep, unnamed: bool) -> AuditActor {
    match step.by.role {
        Role::Customer | Role::System => service(step.by.person.as_str()),
        Role::Reviewer | Role::Approver | Role::Administrator | Role::Auditor => {
            let role = step.by.role.word();
            person(if unnamed {
                role
            } else {
                step.by.person.as_str()
            })
        }
    }
}

/// `OpenAI`'s name for a change of the directory, where it has one.
fn directory(change: &str, subject: &str) -> String {
    let kind = subject.split(':').next().unwrap_or_default();
    let what = change
        .strip_prefix(kind)
        .and_then(|rest| rest.strip_prefix('_'));
    match (kind, what.unwrap_or(change)) {
        ("key", "issued") => "api_key.created".to_owned(),
        ("key", "revoked") => "api_key.deleted".to_owned(),
        ("project", "opened") => "project.created".to_owned(),
        ("project", _) => "project.updated".to_owned(),
        ("account", "opened") => "service_account.created".to_owned(),
        ("account", "limits_set") => "rate_limit.updated".to_owned(),
        ("account", _) => "service_account.updated".to_owned(),
        _ => format!("directory.{change}"),
    }
}

/// The case and the digest of a bundle, where the record is of one.
fn sealed(event: &Event) -> Option<(&str, &str)> {
    match event {
        Event::Directory { change, subject } if change == "evidence_sealed" => {
            subject.strip_prefix("evidence:")?.rsplit_once(':')
        }
        _ => None,
    }
}

struct Found {
    kind: String,
    actor: AuditActor,
    accounts: Vec<AccountId>,
    details: Map<String, Value>,
}

fn found(record: &Record, steps: &Steps, unnamed: bool) -> Option<Found> {
    if let Some((case, sha256)) = sealed(&record.event) {
        let said = json!({"id": case, "sha256": sha256});
        return Some(Found {
            kind: SEALED.to_owned(),
            actor: service("fairhold"),
            accounts: steps.accounts.get(case).cloned().unwrap_or_default(),
            details: said.as_object().cloned().unwrap_or_default(),
        });
    }
    let own = || record.account.iter().cloned().collect();
    let mut details = Map::new();
    let mut say = |name: &str, value: Value| {
        details.insert(name.to_owned(), value);
    };
    let (kind, actor, accounts): (String, AuditActor, Vec<AccountId>) = match &record.event {
        Event::CaseStep { case, step, digest } => {
            say("id", json!(case.as_str()));
            say("step_sha256", json!(hex::encode(digest)));
            let taken = steps
                .cases
                .get(case.as_str())
                .and_then(|all| all.get(digest));
            if let Some(taken) = taken {
                say("step", json!(taken.deed.word()));
                say("comment", json!(taken.comment));
            }
            let by = taken.map_or_else(|| service("fairhold"), |taken| actor(taken, unnamed));
            let accused = steps.accounts.get(case.as_str());
            (step.clone(), by, accused.cloned().unwrap_or_default())
        }
        Event::Directory { change, subject } => {
            say("id", json!(subject));
            say("change", json!(change));
            let account = subject.strip_prefix("account:");
            let account = account.and_then(|name| AccountId::parse(name).ok());
            let kind = directory(change, subject);
            (kind, service("fairhold"), account.into_iter().collect())
        }
        Event::Erased {
            by, keys, bodies, ..
        } => {
            say("keys", json!(keys));
            say("bodies", json!(bodies));
            ("data.erased".to_owned(), person(by), own())
        }
        Event::Expired { keys, bodies, .. } => {
            say("keys", json!(keys));
            say("bodies", json!(bodies));
            ("data.expired".to_owned(), service("fairhold"), own())
        }
        Event::BodyRead { exchange, by, .. } => {
            say("id", json!(exchange.as_str()));
            let by = if unnamed { "staff" } else { by };
            ("data.read".to_owned(), person(by), own())
        }
        Event::Intent { .. }
        | Event::Asked { .. }
        | Event::Refusal { .. }
        | Event::Judged { .. }
        | Event::Completion { .. } => return None,
    };
    Some(Found {
        kind,
        actor,
        accounts,
        details,
    })
}

fn project(keeper: &Keeper, accounts: &[AccountId]) -> Option<ProjectId> {
    let first = accounts.first()?;
    keeper.ask(|engine| {
        let row = engine.directory().account(first)?;
        Some(row.project.clone())
    })
}

fn actor_id(actor: &AuditActor) -> &str {
    let key = actor.api_key.as_ref().map(|key| &key.service_account);
    let user = actor.session.as_ref().map(|session| &session.user);
    key.or(user)
        .map(|user| user.id.as_str())
        .unwrap_or_default()
}

fn fits(asked: &AuditAsked, event: &AuditEvent) -> bool {
    let among = |all: &[String], one: &str| all.is_empty() || all.iter().any(|a| a == one);
    let project = event.project.as_ref().map(|p| p.id.as_str());
    among(&asked.event_types, &event.kind)
        && among(&asked.actor_ids, actor_id(&event.actor))
        && among(&asked.project_ids, project.unwrap_or_default())
        && asked
            .after_second
            .is_none_or(|second| second < event.effective_at)
        && asked
            .before_second
            .is_none_or(|second| event.effective_at < second)
}

/// The event of a record, if it is asked for.
fn event(
    keeper: &Keeper,
    asked: &AuditAsked,
    row: &JournalRow,
    steps: &Steps,
) -> Option<AuditEvent> {
    let (seq, record) = Record::parse(&row.leaf).ok()?;
    let found = found(&record, steps, asked.account.is_some())?;
    if let Some(own) = &asked.account
        && !found.accounts.iter().any(|account| account.as_str() == own)
    {
        return None;
    }
    let project = project(keeper, &found.accounts).map(|id| AuditProject {
        id: id.to_string(),
        name: id.to_string(),
    });
    let mut details = Map::new();
    details.insert(found.kind.clone(), Value::Object(found.details));
    let event = AuditEvent {
        id: format!("{PREFIX}{seq}"),
        kind: found.kind,
        effective_at: record.at.0.div_euclid(1_000),
        project,
        actor: found.actor,
        details,
    };
    fits(asked, &event).then_some(event)
}

/// A page.
pub(super) async fn page(keeper: &Keeper, asked: &AuditAsked) -> Result<AuditPage, OfficeError> {
    let wanted = asked.limit.unwrap_or(USUAL);
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let (mut after, before) = (
        asked.after.as_deref().map(place).transpose()?,
        asked.before.as_deref().map(place).transpose()?,
    );
    if after.is_some() && before.is_some() {
        return Err(OfficeError::Invalid(
            "give `after` or `before`, not both".to_owned(),
        ));
    }
    // `before` reads towards now, and is turned round at the end.
    let mut from = before;
    let (mut data, mut steps) = (Vec::new(), Steps::default());
    loop {
        let rows = match from {
            Some(from) => keeper.database().audited_after(from, PAGE).await,
            None => keeper.database().audited_before(after, PAGE).await,
        };
        let rows = rows.map_err(broken)?;
        for row in &rows {
            if let Ok((_, record)) = Record::parse(&row.leaf) {
                let sealed = sealed(&record.event).map(|(case, _)| case);
                let case = match &record.event {
                    Event::CaseStep { case, .. } => Some(case.as_str()),
                    _ => sealed,
                };
                if let Some(case) = case {
                    steps.of(keeper, case).await?;
                }
            }
            data.extend(event(keeper, asked, row, &steps));
            if data.len() > wanted {
                break;
            }
        }
        match rows.last() {
            Some(last) if data.len() <= wanted && rows.len() == PAGE as usize => {
                from = from.map(|_| last.seq);
                after = Some(last.seq);
            }
            _ => break,
        }
    }
    let has_more = data.len() > wanted;
    data.truncate(wanted);
    if before.is_some() {
        data.reverse();
    }
    Ok(AuditPage {
        object: "list".to_owned(),
        first_id: data.first().map(|event| event.id.clone()),
        last_id: data.last().map(|event| event.id.clone()),
        data,
        has_more,
    })
}
