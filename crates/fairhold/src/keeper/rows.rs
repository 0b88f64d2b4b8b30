//! The directory as the store keeps it: limits and standings are JSON there.

mod standing;

use std::collections::HashMap;
use std::sync::Arc;

use engine::directory::{Account, KeyRow, Organisation, Project};
use engine::key::KeyDigest;
use engine::quota::Limits;
use engine::{Directory, Effect, Row};
use evidence::{Event, Record};
use facts::{AccountId, MicroUsd, Timestamp};
use serde::{Deserialize, Serialize};
use store::{
    AccountRow, Change, DirectoryRows, Entry, LimitScope, LimitsRow, OrganisationRow, ProjectRow,
};
use terms::Agreement;

use standing::{read_standing, standing_json};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptLimits {
    requests_per_minute: Option<u64>,
    tokens_per_minute: Option<u64>,
    requests_per_day: Option<u64>,
    tokens_per_day: Option<u64>,
    budget_micro_usd: Option<u64>,
}

fn limits_json(limits: Limits) -> Result<String, String> {
    json(&KeptLimits {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        requests_per_day: limits.requests_per_day,
        tokens_per_day: limits.tokens_per_day,
        budget_micro_usd: limits.budget.map(|b| b.0),
    })
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|e| e.to_string())
}

fn read_limits(text: &str) -> Result<Limits, String> {
    let kept: KeptLimits = serde_json::from_str(text).map_err(|e| e.to_string())?;
    Ok(Limits {
        requests_per_minute: kept.requests_per_minute,
        tokens_per_minute: kept.tokens_per_minute,
        requests_per_day: kept.requests_per_day,
        tokens_per_day: kept.tokens_per_day,
        budget: kept.budget_micro_usd.map(MicroUsd),
    })
}

/// The stored rows, owners first.
pub(super) fn read(kept: DirectoryRows) -> Result<Vec<Row>, String> {
    let mut limits: HashMap<(LimitWord, String), Limits> = HashMap::new();
    for row in &kept.limits {
        limits.insert((word(row.scope), row.id.clone()), read_limits(&row.json)?);
    }
    let of = |scope, id: &str| {
        limits
            .get(&(word(scope), id.to_owned()))
            .copied()
            .unwrap_or(Limits::UNLIMITED)
    };
    let mut agreements: HashMap<AccountId, Arc<Agreement>> = HashMap::new();
    for (account, json) in &kept.agreements {
        let agreement = Agreement::from_json(json).map_err(|e| e.to_string())?;
        agreements.insert(account.clone(), Arc::new(agreement));
    }
    let mut rows = Vec::new();
    for row in kept.organisations {
        rows.push(Row::Organisation(Organisation {
            id: row.id,
            name: row.name,
            limits: Limits::UNLIMITED,
        }));
    }
    for row in kept.projects {
        rows.push(Row::Project(Project {
            limits: of(LimitScope::Project, row.id.as_str()),
            id: row.id,
            organisation: row.organisation,
            purposes: row
                .purpose
                .map(|text| serde_json::from_str(&text).map_err(|e| e.to_string()))
                .transpose()?
                .unwrap_or_default(),
        }));
    }
    for row in kept.accounts {
        rows.push(Row::Account(Account {
            limits: of(LimitScope::Account, row.id.as_str()),
            standing: read_standing(&row.standing)?,
            agreement: agreements.remove(&row.id).unwrap_or_default(),
            id: row.id,
            project: row.project,
        }));
    }
    for row in kept.keys {
        rows.push(Row::Key(KeyRow {
            limits: of(LimitScope::Key, row.id.as_str()),
            id: row.id,
            account: row.account,
            digest: KeyDigest(row.secret_sha256),
            revoked: row.revoked_at,
        }));
    }
    Ok(rows)
}

type LimitWord = u8;

fn word(scope: LimitScope) -> LimitWord {
    match scope {
        LimitScope::Key => 0,
        LimitScope::Account => 1,
        LimitScope::Project => 2,
    }
}

/// The journal's entries for planned effects: each change of the store goes
/// with a record that says it. What is `kept` of a case's step goes with the
/// first record of that step.
pub(super) fn entries(
    directory: &Directory,
    effects: &[Effect],
    kept: Vec<Change>,
    at: Timestamp,
) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut kept = kept.into_iter().peekable();
    for effect in effects {
        match effect {
            Effect::Record(engine::Entry::Event(record)) => {
                let mut entry = Entry::of(record.clone());
                entry.change = kept.next_if(|change| is_of(change, record));
                entries.push(entry);
            }
            Effect::Put(row) => {
                for (said, change) in changes(directory, row, at)? {
                    match entries.last_mut() {
                        Some(last) if last.change.is_none() => last.change = Some(change),
                        _ => {
                            let mut entry = Entry::of(Record {
                                at,
                                account: None,
                                event: Event::Directory {
                                    change: said.to_owned(),
                                    subject: format!("{}:{}", row.kind(), row.id()),
                                },
                            });
                            entry.change = Some(change);
                            entries.push(entry);
                        }
                    }
                }
            }
            Effect::Record(_) | Effect::Forward(_) | Effect::Charge(_) | Effect::Alert(_) => {}
        }
    }
    Ok(entries)
}

/// Whether the change is the step that the record tells of.
fn is_of(change: &Change, record: &Record) -> bool {
    match (change, &record.event) {
        (Change::CaseStep(taken), Event::CaseStep { case, digest, .. }) => {
            taken.row.case_id == case.as_str() && taken.row.digest == *digest
        }
        _ => false,
    }
}

type Said = (&'static str, Change);

/// What differs between `row` and the one it replaces.
fn changes(directory: &Directory, row: &Row, at: Timestamp) -> Result<Vec<Said>, String> {
    let (own, scope, limits, before) = match row {
        Row::Organisation(row) => {
            if row.limits != Limits::UNLIMITED {
                return Err(
                    "limits of an organisation cannot be kept yet; set them on its projects"
                        .to_owned(),
                );
            }
            let known = directory.organisation(&row.id).is_some();
            return Ok((!known)
                .then(|| ("opened", organisation(row, at)))
                .into_iter()
                .collect());
        }
        Row::Project(row) => {
            let before = directory.project(&row.id);
            let own = project(before, row, at)?;
            (
                own,
                LimitScope::Project,
                row.limits,
                before.map(|b| b.limits),
            )
        }
        Row::Account(row) => {
            let before = directory.account(&row.id);
            let own = account(before, row, at)?;
            (
                own,
                LimitScope::Account,
                row.limits,
                before.map(|b| b.limits),
            )
        }
        Row::Key(row) => {
            let before = directory.key(&row.id);
            let own = key(before, row, at);
            (own, LimitScope::Key, row.limits, before.map(|b| b.limits))
        }
    };
    let mut all: Vec<Said> = own.into_iter().collect();
    if before.unwrap_or(Limits::UNLIMITED) != limits {
        let kept = LimitsRow {
            scope,
            id: row.id().to_owned(),
            json: limits_json(limits)?,
        };
        all.push(("limits_set", Change::Limits(kept)));
    }
    Ok(all)
}

fn organisation(row: &Organisation, at: Timestamp) -> Change {
    Change::Organisation(OrganisationRow {
        id: row.id.clone(),
        name: row.name.clone(),
        created_at: at,
    })
}

fn project(before: Option<&Project>, row: &Project, at: Timestamp) -> Result<Option<Said>, String> {
    match before {
        None => Ok(Some((
            "opened",
            Change::Project(ProjectRow {
                id: row.id.clone(),
                organisation: row.organisation.clone(),
                name: row.id.to_string(),
                purpose: Some(json(&row.purposes)?),
                created_at: at,
            }),
        ))),
        Some(before) if before.purposes != row.purposes => Ok(Some((
            "purposes_declared",
            Change::Purposes {
                project: row.id.clone(),
                json: json(&row.purposes)?,
            },
        ))),
        Some(_) => Ok(None),
    }
}

fn account(before: Option<&Account>, row: &Account, at: Timestamp) -> Result<Option<Said>, String> {
    let standing = standing_json(&row.standing)?;
    Ok(match before {
        None => Some((
            "opened",
            Change::Account(AccountRow {
                id: row.id.clone(),
                project: row.project.clone(),
                name: row.id.to_string(),
                standing,
                created_at: at,
            }),
        )),
        Some(before) if before.standing != row.standing => Some((
            "standing_set",
            Change::Standing {
                account: row.id.clone(),
                json: standing,
            },
        )),
        Some(before) if before.agreement != row.agreement => Some((
            "agreement_set",
            Change::Agreement {
                account: row.id.clone(),
                json: json(&row.agreement.json())?,
            },
        )),
        Some(_) => None,
    })
}

fn key(before: Option<&KeyRow>, row: &KeyRow, at: Timestamp) -> Option<Said> {
    match (before, row.revoked) {
        (None, revoked_at) => Some((
            "issued",
            Change::Key(store::KeyRow {
                id: row.id.clone(),
                account: row.account.clone(),
                secret_sha256: row.digest.0,
                created_at: at,
                revoked_at,
            }),
        )),
        (Some(before), Some(at)) if before.revoked.is_none() => Some((
            "revoked",
            Change::RevokeKey {
                key: row.id.clone(),
                at,
            },
        )),
        (Some(_), _) => None,
    }
}
