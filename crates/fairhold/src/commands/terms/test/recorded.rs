//! The exchanges to replay: the store's intents, what its terms refused, and
//! imports; or logs.

use std::collections::BTreeMap;
use std::path::Path;

use cases::{Case, Outcome, Step};
use evidence::{Event, Record};
use facts::{AccountId, CaseId, Endpoint, Exchange, ModelName};
use store::{CaseStepRow, Database, DirectoryRows, ImportedAfter};
use terms::Agreement;

use super::tally::Label;
use super::{Known, Replay, Seen};
use crate::args::terms::Test;
use crate::failure::Failure;
use crate::logs::Reader;
use crate::out::Out;

/// Rows read at a time.
const PAGE: u32 = 5_000;

fn broken(what: impl std::fmt::Display) -> Failure {
    Failure::error(format!("failed to read the store: {what}"))
}

/// Where the store is: where it was said to be, or in the data folder.
fn url(data: &Path, given: Option<&str>) -> Result<String, Failure> {
    if let Some(url) = given {
        return Ok(url.to_owned());
    }
    let file = data.join("fairhold.db");
    if !file.exists() {
        return Err(Failure::error(format!(
            "`{}` holds no store: name the folder with `--data`, the server's PostgreSQL with `--store`, or give `--logs`",
            data.display()
        )));
    }
    Ok(format!("sqlite:{}", file.display()))
}

/// Replays what the store holds; a running server is not disturbed.
pub(super) async fn in_store(
    data: &Path,
    what: &Test,
    replay: &mut Replay,
    out: Out,
) -> Result<(), Failure> {
    let url = url(data, what.store.as_deref())?;
    let database = Database::open_to_read(&url).await.map_err(broken)?;
    let steps = database.case_steps().await.map_err(broken)?;
    replay.known = known(&database.directory().await.map_err(broken)?, &steps)?;
    let records = database.count().await.map_err(broken)?;
    let imported = database.imported_count().await.map_err(broken)?;
    let bar = out.progress(records + imported, "exchanges");
    let mut from = 0;
    while from < records {
        for row in database
            .records(from..from + u64::from(PAGE))
            .await
            .map_err(broken)?
        {
            if ["intent", "refusal"].contains(&row.kind.as_str())
                && let Ok((_, record)) = Record::parse(&row.leaf)
                && let Some(seen) = seen(record)?
            {
                replay.see(&seen);
            }
            bar.inc(1);
        }
        from += u64::from(PAGE);
    }
    let mut after: Option<ImportedAfter> = None;
    loop {
        let page = database
            .imported(None, after.as_ref(), PAGE)
            .await
            .map_err(broken)?;
        let Some(last) = page.last() else { break };
        after = Some(ImportedAfter {
            at: last.at,
            exchange: last.id.clone(),
        });
        for exchange in page {
            replay.see(&of_log(exchange)?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Replays logs; every account is unknown.
pub(super) fn in_logs(what: &Test, replay: &mut Replay, out: Out) -> Result<(), Failure> {
    let account = what.account.as_deref().map(AccountId::parse).transpose();
    let mut reader = Reader::new(account.map_err(|e| Failure::error(e.to_string()))?);
    let bar = out.progress(what.logs.len() as u64, "files");
    for path in &what.logs {
        let mut lines = Reader::open(path)?;
        loop {
            let batch = reader.next_batch(&mut lines)?;
            if batch.is_empty() {
                break;
            }
            for exchange in batch {
                replay.see(&of_log(exchange)?);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (rest, tally) = reader.finish();
    for exchange in rest {
        replay.see(&of_log(exchange)?);
    }
    tally.tell(out);
    Ok(())
}

/// What the terms let pass, or refused. What shadow mode let pass in spite of
/// them has an intent as well, and its refusal another code.
fn seen(record: Record) -> Result<Option<Seen>, Failure> {
    let Some(account) = record.account else {
        return Ok(None);
    };
    let seen = match record.event {
        Event::Intent {
            endpoint,
            model,
            purpose,
            ..
        } => Seen {
            account,
            at: record.at,
            model,
            endpoint,
            purpose,
            refused: false,
        },
        // A refusal without a policy is the house's: the purpose was never declared.
        Event::Refusal {
            code,
            policy: Some(policy),
            purpose,
            ..
        } if code == "terms_forbid" && !policy.is_empty() => Seen {
            account,
            at: record.at,
            model: unknown()?,
            endpoint: Endpoint::ChatCompletions,
            purpose,
            refused: true,
        },
        Event::Refusal { .. }
        | Event::Asked { .. }
        | Event::Completion { .. }
        | Event::Judged { .. }
        | Event::CaseStep { .. }
        | Event::Directory { .. }
        | Event::Erased { .. }
        | Event::Expired { .. }
        | Event::BodyRead { .. } => return Ok(None),
    };
    Ok(Some(seen))
}

/// The model of exchanges whose record names none.
fn unknown() -> Result<ModelName, Failure> {
    ModelName::parse("unknown").map_err(|e| Failure::error(e.to_string()))
}

/// Logs tell no purpose, and not always a model.
fn of_log(exchange: Exchange) -> Result<Seen, Failure> {
    Ok(Seen {
        account: exchange.account,
        at: exchange.at,
        model: exchange.model.map_or_else(unknown, Ok)?,
        endpoint: Endpoint::ChatCompletions,
        purpose: None,
        refused: false,
    })
}

fn known(directory: &DirectoryRows, steps: &[CaseStepRow]) -> Result<Known, Failure> {
    let mut agreements = BTreeMap::new();
    for (account, json) in &directory.agreements {
        let agreement = Agreement::from_json(json).map_err(broken)?;
        agreements.insert(account.clone(), agreement);
    }
    let mut purposes = BTreeMap::new();
    for account in &directory.accounts {
        let project = directory.projects.iter().find(|p| p.id == account.project);
        let declared = project.and_then(|project| project.purpose.as_deref());
        let declared: Vec<String> = declared
            .map_or_else(|| Ok(Vec::new()), serde_json::from_str)
            .map_err(broken)?;
        purposes.extend(
            declared
                .into_iter()
                .next()
                .map(|first| (account.id.clone(), first)),
        );
    }
    Ok(Known {
        labels: labels(steps)?,
        agreements,
        purposes,
    })
}

fn labels(steps: &[CaseStepRow]) -> Result<BTreeMap<AccountId, Label>, Failure> {
    let mut labels = BTreeMap::new();
    for rows in steps.chunk_by(|a, b| a.case_id == b.case_id) {
        let id = rows
            .first()
            .map(|row| row.case_id.as_str())
            .unwrap_or_default();
        let id = CaseId::parse(id).map_err(broken)?;
        let steps: Result<Vec<Step>, _> = rows.iter().map(|row| Step::parse(&row.json)).collect();
        let case = Case::replay(id, steps.map_err(broken)?).map_err(broken)?;
        let label = match case.outcome() {
            Outcome::Confirmed => Label::Confirmed,
            Outcome::Cleared => Label::Cleared,
            Outcome::Open => Label::Unknown,
        };
        for account in case.accounts() {
            let known = labels.entry(account.clone()).or_insert(label);
            // What is in force weighs more than what was closed.
            if label == Label::Confirmed || *known == Label::Unknown {
                *known = label;
            }
        }
    }
    Ok(labels)
}
