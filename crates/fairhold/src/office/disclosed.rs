//! Which records does a bundle disclose? The case's own, and of each accused
//! account those that the accusation rests on. Of nobody else any.

use std::collections::BTreeSet;

use cases::Case;
use console::OfficeError;
use evidence::{Event, Record};
use facts::{AccountId, ExchangeId};
use serde_json::{Value, json};
use store::{Database, FindingRow, JournalRow};

use super::ledger::failed;

/// Exchanges of one account that are disclosed at most: two records of some 320 bytes each, so
/// that a ring of twenty accounts takes 13 MB at most.
pub(super) const EXCHANGES_MAX: usize = 1_000;
/// Accounts whose records go into a bundle.
pub(super) const ACCOUNTS_MAX: usize = 100;
/// Records read at once.
const PAGE: u32 = 4_000;

/// What a bundle discloses.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Records of the case itself: its steps, and what it rests on.
    pub(super) house: Vec<JournalRow>,
    /// What is disclosed of each accused account.
    pub(super) accounts: Vec<OfAccount>,
}

/// Of one account.
#[derive(Debug)]
pub(super) struct OfAccount {
    /// Whose.
    pub(super) account: AccountId,
    /// The first records of its ledger, none left out.
    pub(super) beginning: Vec<JournalRow>,
    /// Further ones, each by itself.
    pub(super) singles: Vec<JournalRow>,
    /// Its findings.
    pub(super) findings: Vec<FindingRow>,
    /// Exchanges that the case counts as far as they were recorded before it.
    counted: usize,
    /// Exchanges that are disclosed.
    exchanges: usize,
}

impl Chosen {
    /// All of them.
    pub(super) fn records(&self) -> impl Iterator<Item = &JournalRow> {
        let accounts = self.accounts.iter();
        let further = accounts.flat_map(|of| of.beginning.iter().chain(&of.singles));
        self.house.iter().chain(further)
    }

    /// How much is disclosed and what bounds it, for whoever reads the bundle.
    pub(super) fn told(&self) -> Result<Vec<u8>, OfficeError> {
        let accounts: Vec<Value> = self
            .accounts
            .iter()
            .map(|of| {
                json!({
                    "account": of.account.as_str(),
                    "exchanges_counted": of.counted,
                    "exchanges_disclosed": of.exchanges,
                    "first_records": of.beginning.len(),
                    "further_records": of.singles.len(),
                })
            })
            .collect();
        let told = json!({
            "accounts": accounts,
            "accounts_max": ACCOUNTS_MAX,
            "exchanges_per_account_max": EXCHANGES_MAX,
        });
        serde_json::to_vec(&told).map_err(failed)
    }
}

/// What the bundle of a case discloses of the records before `sealed`.
pub(super) async fn of_case(
    database: &Database,
    case: &Case,
    sealed: u64,
) -> Result<Chosen, OfficeError> {
    let mut house = Vec::new();
    for kind in ["case_step", "judged"] {
        let rows = database.records_of_kind(kind, None, sealed).await;
        let rows = rows.map_err(failed)?.into_iter();
        house.extend(rows.filter(|row| is_of(row, case)));
    }
    house.sort_by_key(|row| row.seq);
    let before = house.first().map_or(sealed, |first| first.seq);
    let cited = house.iter().find_map(cited);
    let mut accounts = Vec::new();
    for account in case.accounts().iter().take(ACCOUNTS_MAX) {
        let findings = database.findings(Some(account)).await.map_err(failed)?;
        let basis = findings.iter().find(|row| Some(&row.id) == cited.as_ref());
        let basis = basis.map(Basis::of);
        let ends = (before, sealed);
        let mut of = of_account(database, account, basis.as_ref(), ends).await?;
        of.findings = findings;
        accounts.push(of);
    }
    Ok(Chosen { house, accounts })
}

fn is_of(row: &JournalRow, case: &Case) -> bool {
    let record = Record::parse(&row.leaf).map(|(_, record)| record.event);
    match record {
        Ok(Event::CaseStep { case: id, .. } | Event::Judged { case: Some(id), .. }) => {
            id == *case.id()
        }
        _ => false,
    }
}

/// The finding that the case names.
fn cited(row: &JournalRow) -> Option<String> {
    match Record::parse(&row.leaf).ok()?.1.event {
        Event::Judged { finding, .. } => Some(finding?.id),
        _ => None,
    }
}

/// What a finding counted: an account's first exchanges up to a look, or those that it names.
enum Basis {
    Look(usize),
    Named(Vec<ExchangeId>),
}

impl Basis {
    fn of(row: &FindingRow) -> Self {
        let view: Value = serde_json::from_str(&row.json).unwrap_or_default();
        // A finding of intent has sums of all exchanges up to its look.
        if view.pointer("/inputs/sums").is_some() {
            let look = view.get("look").and_then(Value::as_u64).unwrap_or_default();
            return Self::Look(usize::try_from(look).unwrap_or(usize::MAX));
        }
        let named = view.get("relied_on").and_then(Value::as_array);
        let named = named.into_iter().flatten().filter_map(Value::as_str);
        Self::Named(named.filter_map(|id| ExchangeId::parse(id).ok()).collect())
    }
}

async fn of_account(
    database: &Database,
    account: &AccountId,
    basis: Option<&Basis>,
    (before, sealed): (u64, u64),
) -> Result<OfAccount, OfficeError> {
    // Without a finding the case rests on all that was recorded before it.
    let (counted, named) = match basis {
        None => (None, &[][..]),
        Some(Basis::Look(look)) => (Some(*look), &[][..]),
        Some(Basis::Named(ids)) => (Some(0), ids.as_slice()),
    };
    let most = counted.unwrap_or(usize::MAX).min(EXCHANGES_MAX);
    let beginning = first_records(database, account, most, before).await?;
    let mut singles = Vec::new();
    for exchange in named.iter().take(EXCHANGES_MAX) {
        let rows = database.records_of_exchange(exchange).await;
        let own = rows.map_err(failed)?.into_iter();
        singles.extend(own.filter(|row| row.account.as_ref() == Some(account)));
    }
    let asked: BTreeSet<u64> = singles.iter().filter_map(asked).collect();
    for seq in asked {
        singles.extend(database.records(seq..seq + 1).await.map_err(failed)?);
    }
    let judged = database.records_of_kind("judged", Some(account), sealed);
    singles.extend(judged.await.map_err(failed)?);
    let last = beginning.last().map(|row| row.seq);
    singles.retain(|row| row.seq < sealed && last.is_none_or(|last| row.seq > last));
    singles.sort_by_key(|row| row.seq);
    singles.dedup_by_key(|row| row.seq);
    let all = beginning.iter().chain(&singles);
    let exchanges = all.filter(|row| row.kind == "completion").count();
    let counted = match (counted, named.len()) {
        (Some(look), 0) => look,
        (Some(_), named) => named,
        (None, _) => endings(database, account, before).await?,
    };
    Ok(OfAccount {
        account: account.clone(),
        beginning,
        singles,
        findings: Vec::new(),
        counted,
        exchanges,
    })
}

async fn endings(
    database: &Database,
    account: &AccountId,
    before: u64,
) -> Result<usize, OfficeError> {
    let rows = database.endings(0..before, Some(account), u32::MAX).await;
    Ok(rows.map_err(failed)?.len())
}

/// The account's records from its first on: up to the ending of the last exchange that counts, all
/// of them before the case where fewer were recorded.
async fn first_records(
    database: &Database,
    account: &AccountId,
    exchanges: usize,
    before: u64,
) -> Result<Vec<JournalRow>, OfficeError> {
    let (mut found, mut ended, mut after) = (Vec::new(), 0, None);
    while ended < exchanges {
        let page = database.records_of_account(account, after, PAGE).await;
        let page = page.map_err(failed)?;
        after = page.last().map(|row| row.seq);
        if page.is_empty() {
            break;
        }
        for row in page {
            if row.seq >= before || ended == exchanges {
                return Ok(found);
            }
            ended += usize::from(row.kind == "completion");
            found.push(row);
        }
    }
    Ok(found)
}

/// The record that says what was asked for an intent.
fn asked(row: &JournalRow) -> Option<u64> {
    match Record::parse(&row.leaf).ok()?.1.event {
        Event::Intent { asked, .. } => asked,
        _ => None,
    }
}

#[cfg(test)]
mod tests;
