//! Which records does a bundle disclose? The case's own, and of each accused
//! account those that the accusation rests on. Of nobody else any.

use std::collections::BTreeSet;

use cases::Case;
use console::OfficeError;
use evidence::{Event, Record};
use facts::{AccountId, ExchangeId};
use serde::Serialize;
use serde_json::{Value, json};
use store::{Database, FindingRow, JournalRow};
use verifier::bundle::{EXCHANGES_MAX, RECORDS_MAX};

use super::ledger::failed;
use crate::keeper::watched::{asks_for_text, intent_of};

/// Accounts whose records go into a bundle.
pub(super) const ACCOUNTS_MAX: usize = 100;
/// Records of some 320 bytes that a bundle may hold where few are accused: 6.4 MB, so that a
/// thousand exchanges are reached although nine of ten asked for embeddings.
const RECORDS_OF_FEW: usize = 20_000;
/// Records read at once.
const PAGE: u32 = 1_000;

/// What a bundle discloses.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Records of the case itself: its steps, and what it rests on.
    pub(super) house: Vec<JournalRow>,
    /// What is disclosed of each accused account.
    pub(super) accounts: Vec<OfAccount>,
    records_max: usize,
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
    told: Told,
}

/// How much that is, as `disclosure.json` says it.
#[derive(Debug, Serialize)]
struct Told {
    account: String,
    /// The finding that the case rests on.
    finding: Option<String>,
    /// The record with which the last exchange that it counted ended.
    last_ending: Option<u64>,
    /// Exchanges that had ended by then; before the case, where no finding says.
    exchanges_recorded: u64,
    /// Those that the case counts.
    exchanges_counted: u64,
    /// Those that are disclosed, in three parts.
    exchanges_disclosed: usize,
    /// Their requests can be read still.
    exchanges_read: usize,
    /// Their requests are gone: erased, or their time was over.
    exchanges_unread: usize,
    /// They asked for embeddings, which nobody judges.
    exchanges_embeddings: usize,
    first_records: usize,
    further_records: usize,
    /// What kept the first records from reaching all that counts.
    cut: Option<Cut>,
}

/// A bound that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Cut {
    /// [`EXCHANGES_MAX`].
    Exchanges,
    /// The bundle's records of one account.
    Records,
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
        let accounts: Vec<&Told> = self.accounts.iter().map(|of| &of.told).collect();
        let told = json!({
            "accounts": accounts,
            "accounts_max": ACCOUNTS_MAX,
            "exchanges_per_account_max": EXCHANGES_MAX,
            "records_per_account_max": self.records_max,
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
    let cited = house.iter().find_map(named);
    let accused = case.accounts().iter().take(ACCOUNTS_MAX);
    let log = Log {
        database,
        before,
        sealed,
        records_max: RECORDS_MAX.max(RECORDS_OF_FEW / accused.len().max(1)),
    };
    let mut accounts = Vec::new();
    for account in accused {
        accounts.push(log.of_account(account, cited.as_deref()).await?);
    }
    Ok(Chosen {
        house,
        accounts,
        records_max: log.records_max,
    })
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

/// The finding that a record names.
fn named(row: &JournalRow) -> Option<String> {
    match Record::parse(&row.leaf).ok()?.1.event {
        Event::Judged { finding, .. } => Some(finding?.id),
        _ => None,
    }
}

/// What the case rests on, of one account.
enum Basis {
    /// All that was recorded before it.
    All,
    /// A finding: so many exchanges from the account's first on, the last of which ended with this
    /// record, as findings of earlier versions do not say.
    Look { look: u64, last: Option<u64> },
    /// A finding that names its exchanges.
    Named(Vec<ExchangeId>),
}

impl Basis {
    fn of(row: &FindingRow) -> Self {
        let view: Value = serde_json::from_str(&row.json).unwrap_or_default();
        // A finding of intent has sums of all exchanges up to its look.
        if view.pointer("/inputs/sums").is_some() {
            return Self::Look {
                look: view.get("look").and_then(Value::as_u64).unwrap_or_default(),
                last: view.pointer("/inputs/last_ending").and_then(Value::as_u64),
            };
        }
        let named = view.get("relied_on").and_then(Value::as_array);
        let named = named.into_iter().flatten().filter_map(Value::as_str);
        Self::Named(named.filter_map(|id| ExchangeId::parse(id).ok()).collect())
    }

    fn last(&self) -> Option<u64> {
        match self {
            Self::Look { last, .. } => *last,
            Self::All | Self::Named(_) => None,
        }
    }

    /// How far the first records go.
    fn reach(&self, before: u64, records: usize) -> Reach {
        let (end, exchanges, of_text) = match self {
            Self::All => (before, EXCHANGES_MAX, false),
            Self::Named(_) => (before, 0, true),
            Self::Look { look, last } => {
                let look = usize::try_from(*look).unwrap_or(usize::MAX);
                let most = match last {
                    // Whatever lies before the last one, be it gone when the watch came, is there.
                    Some(_) if look <= EXCHANGES_MAX => usize::MAX,
                    _ => look.min(EXCHANGES_MAX),
                };
                (last.map_or(before, |last| last + 1), most, true)
            }
        };
        Reach {
            end,
            exchanges,
            of_text,
            records,
        }
    }
}

/// How far an account's first records are disclosed: to whatever comes first.
struct Reach {
    /// Only records before this one.
    end: u64,
    /// So many exchanges.
    exchanges: usize,
    /// Whether only those that asked for text count among them.
    of_text: bool,
    /// So many records.
    records: usize,
}

/// The log up to what is signed.
struct Log<'a> {
    database: &'a Database,
    /// The case's first record.
    before: u64,
    sealed: u64,
    records_max: usize,
}

impl Log<'_> {
    async fn of_account(
        &self,
        account: &AccountId,
        cited: Option<&str>,
    ) -> Result<OfAccount, OfficeError> {
        let (findings, judged) = self.findings(account).await?;
        let cited = findings.iter().find(|row| Some(row.id.as_str()) == cited);
        let basis = cited.map_or(Basis::All, Basis::of);
        let reach = basis.reach(self.before, self.records_max);
        let (beginning, full) = first_records(self.database, account, &reach).await?;
        let mut singles = Vec::new();
        if let Basis::Named(ids) = &basis {
            singles = self.named(account, ids).await?;
        }
        singles.extend(judged);
        let last = beginning.last().map(|row| row.seq);
        singles.retain(|row| row.seq < self.sealed && last.is_none_or(|last| row.seq > last));
        singles.sort_by_key(|row| row.seq);
        singles.dedup_by_key(|row| row.seq);
        let mut of = OfAccount {
            account: account.clone(),
            told: Told {
                account: account.to_string(),
                finding: cited.map(|row| row.id.clone()),
                last_ending: basis.last(),
                first_records: beginning.len(),
                further_records: singles.len(),
                exchanges_recorded: 0,
                exchanges_counted: 0,
                exchanges_disclosed: 0,
                exchanges_read: 0,
                exchanges_unread: 0,
                exchanges_embeddings: 0,
                cut: None,
            },
            beginning,
            singles,
            findings,
        };
        self.count(&mut of, &basis, full).await?;
        Ok(of)
    }

    /// The findings of an account, but for those that are recorded after what is signed, and the
    /// records that name them.
    async fn findings(
        &self,
        account: &AccountId,
    ) -> Result<(Vec<FindingRow>, Vec<JournalRow>), OfficeError> {
        let mut findings = self
            .database
            .findings(Some(account))
            .await
            .map_err(failed)?;
        let all = i64::MAX.unsigned_abs();
        let judged = self.database.records_of_kind("judged", Some(account), all);
        let mut judged = judged.await.map_err(failed)?;
        let signed = |row: &JournalRow| row.seq < self.sealed;
        let later: BTreeSet<String> = judged
            .iter()
            .filter(|row| !signed(row))
            .filter_map(named)
            .collect();
        findings.retain(|row| !later.contains(&row.id));
        judged.retain(signed);
        Ok((findings, judged))
    }

    /// The records of exchanges, with what the policies were asked about them.
    async fn named(
        &self,
        account: &AccountId,
        exchanges: &[ExchangeId],
    ) -> Result<Vec<JournalRow>, OfficeError> {
        let mut found = Vec::new();
        for exchange in exchanges.iter().take(EXCHANGES_MAX) {
            let rows = self.database.records_of_exchange(exchange).await;
            let own = rows.map_err(failed)?.into_iter();
            found.extend(own.filter(|row| row.account.as_ref() == Some(account)));
        }
        let asked: BTreeSet<u64> = found.iter().filter_map(asked).collect();
        for seq in asked {
            let rows = self.database.records(seq..seq + 1).await;
            found.extend(rows.map_err(failed)?);
        }
        Ok(found)
    }

    /// Says how much is disclosed of how much.
    async fn count(
        &self,
        of: &mut OfAccount,
        basis: &Basis,
        full: bool,
    ) -> Result<(), OfficeError> {
        let all = || of.beginning.iter().chain(&of.singles);
        let intents = all().filter(|row| row.kind == "intent" && asks_for_text(&row.leaf));
        let of_text: BTreeSet<u64> = intents.map(|row| row.seq).collect();
        let ended: Vec<u64> = all()
            .filter(|row| row.kind == "completion")
            .filter_map(|row| Some(intent_of(&row.leaf)?.1))
            .collect();
        let asked: Vec<u64> = ended
            .iter()
            .copied()
            .filter(|intent| of_text.contains(intent))
            .collect();
        let held = self.database.held_requests(&asked).await.map_err(failed)?;
        let end = basis.last().map_or(self.before, |last| last + 1);
        let recorded = self.database.ending_count(0..end, &of.account).await;
        let recorded = recorded.map_err(failed)?;
        let counted = match basis {
            Basis::All => recorded,
            Basis::Look { look, .. } => *look,
            Basis::Named(ids) => ids.len() as u64,
        };
        let told = &mut of.told;
        told.exchanges_recorded = recorded;
        told.exchanges_counted = counted;
        told.exchanges_disclosed = ended.len();
        told.exchanges_read = held.len();
        told.exchanges_unread = asked.len() - held.len();
        told.exchanges_embeddings = ended.len() - asked.len();
        told.cut = if full {
            Some(Cut::Records)
        } else {
            (counted > EXCHANGES_MAX as u64).then_some(Cut::Exchanges)
        };
        Ok(())
    }
}

/// The account's records from its first on, as far as they reach; whether the bound of records
/// cut them off.
async fn first_records(
    database: &Database,
    account: &AccountId,
    reach: &Reach,
) -> Result<(Vec<JournalRow>, bool), OfficeError> {
    let (mut found, mut ended, mut after) = (Vec::new(), 0, None);
    let mut asked = BTreeSet::new();
    while ended < reach.exchanges {
        let page = database.records_of_account(account, after, PAGE).await;
        let page = page.map_err(failed)?;
        after = page.last().map(|row| row.seq);
        if page.is_empty() {
            break;
        }
        for row in page {
            if row.seq >= reach.end || ended == reach.exchanges {
                return Ok((found, false));
            }
            if found.len() == reach.records {
                return Ok((found, true));
            }
            if row.kind == "intent" && (!reach.of_text || asks_for_text(&row.leaf)) {
                asked.insert(row.seq);
            }
            if row.kind == "completion" {
                let intent = intent_of(&row.leaf).map(|(_, intent)| intent);
                ended += usize::from(intent.is_some_and(|intent| asked.contains(&intent)));
            }
            found.push(row);
        }
    }
    Ok((found, false))
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
