//! Is what the accusation counted among the disclosed records?
//!
//! What a finding counted stands in its own text, whose digest the log names:
//! an account's exchanges up to a look, or exchanges by name. How much a case
//! without a finding counted is the operator's word, in `disclosure.json`; that
//! word and the records must agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::parts::counted;
use super::{Disclosed, Files};
use crate::bundle::{DISCLOSURE, EXCHANGES_MAX, RECORDS_MAX};

/// The operation that asks for no text: nothing that is judged was asked.
const EMBEDDINGS: &str = "/v1/embeddings";

/// What is disclosed of one account, in the journal's order.
struct Own<'a> {
    account: &'a str,
    all: Vec<&'a Disclosed>,
}

impl<'a> Own<'a> {
    fn of(account: &'a str, entries: &'a [Disclosed]) -> Self {
        let all = entries.iter().filter(|e| e.text("account") == account);
        Self {
            account,
            all: all.collect(),
        }
    }

    /// Its ledger's records from the first on, none left out.
    fn beginning(&self) -> impl Iterator<Item = &'a Disclosed> {
        let all = self.all.iter().zip(0_u64..);
        all.take_while(|(e, n)| e.index == *n).map(|(e, _)| *e)
    }

    fn endings(&self) -> usize {
        let all = self.all.iter();
        all.filter(|e| e.text("type") == "completion").count()
    }

    /// Endings of the first records, up to one of them, of exchanges that asked for text.
    fn read(&self, last: Option<u64>) -> usize {
        let (mut asked, mut ended) = (BTreeSet::new(), 0);
        let within = |e: &&Disclosed| last.is_none_or(|last| e.seq <= last);
        for entry in self.beginning().take_while(within) {
            if entry.text("type") == "intent" && entry.text("endpoint") != EMBEDDINGS {
                asked.insert(entry.seq);
            }
            let intent = entry.leaf.get("intent").and_then(Value::as_u64);
            let ends = entry.text("type") == "completion";
            ended += usize::from(ends && intent.is_some_and(|seq| asked.contains(&seq)));
        }
        ended
    }
}

/// How many findings the case rests on, what each of them counted being there.
///
/// # Errors
/// In words, what of one is not there.
pub(super) fn cited(
    files: &Files,
    (case, entries): (&str, &[Disclosed]),
    accused: &BTreeSet<String>,
) -> Result<usize, String> {
    let mut cited = BTreeSet::new();
    let judged = entries.iter().filter(|e| e.text("type") == "judged");
    for record in judged.filter(|e| e.text("case") == case && !e.text("finding").is_empty()) {
        let id = record.text("finding");
        counts(files, record, entries, accused)
            .map_err(|what| format!("`{id}`, on which the case rests: {what}"))?;
        cited.insert(id);
    }
    Ok(cited.len())
}

/// Whether what the finding counted that a record names is there.
fn counts(
    files: &Files,
    record: &Disclosed,
    entries: &[Disclosed],
    accused: &BTreeSet<String>,
) -> Result<(), String> {
    let named = |bytes: &&Vec<u8>| hex::encode(Sha256::digest(bytes)) == record.text("digest");
    let bytes = files.get(&format!("findings/{}.json", record.text("finding")));
    let bytes = bytes
        .filter(named)
        .ok_or("it is not there as the log names it")?;
    let finding: Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let account = finding.get("account").and_then(Value::as_str);
    let account = account.filter(|account| accused.contains(*account));
    let own = Own::of(
        account.ok_or("it is about nobody whom the case accuses")?,
        entries,
    );
    // A finding of intent has sums of the exchanges up to its look.
    if finding.pointer("/inputs/sums").is_some() {
        up_to_its_look(&finding, &own)
    } else {
        by_name(&finding, &own)
    }
}

/// As many exchanges as it counted, from the account's first on, and the last that it counted.
fn up_to_its_look(finding: &Value, own: &Own<'_>) -> Result<(), String> {
    let look = finding.get("look").and_then(Value::as_u64);
    let look = look.filter(|look| *look > 0);
    let look = usize::try_from(look.ok_or("it states no look")?).unwrap_or(usize::MAX);
    // Findings of earlier versions do not say which ending was the last.
    let last = finding.pointer("/inputs/last_ending");
    let last = last.map(|last| last.as_u64().ok_or("its last ending is no record"));
    let last = last.transpose()?;
    let there = own.read(last);
    if there < look.min(EXCHANGES_MAX) {
        return Err(format!(
            "it counted {look} exchanges of `{}`, of which {there} are disclosed from the first on",
            own.account
        ));
    }
    let ends = |e: &Disclosed| Some(e.seq) == last && e.text("type") == "completion";
    match last {
        Some(last) if look <= EXCHANGES_MAX && !own.beginning().any(ends) => Err(format!(
            "record {last}, with which the last exchange that it counted ended, is not disclosed"
        )),
        _ => Ok(()),
    }
}

/// Every exchange that it names, asked and ended.
fn by_name(finding: &Value, own: &Own<'_>) -> Result<(), String> {
    let named = finding.get("relied_on").and_then(Value::as_array);
    let named = named.filter(|named| !named.is_empty());
    for exchange in named
        .ok_or("it names no exchange")?
        .iter()
        .take(EXCHANGES_MAX)
    {
        let exchange = exchange.as_str().unwrap_or_default();
        let there = |kind: &str| {
            let mut all = own.all.iter();
            all.any(|e| e.text("type") == kind && e.text("exchange") == exchange)
        };
        if exchange.is_empty() || !there("intent") || !there("completion") {
            return Err(format!(
                "exchange `{exchange}` of `{}`, which it names, is not disclosed",
                own.account
            ));
        }
    }
    Ok(())
}

/// Whether of each accused account as much is there as `disclosure.json` says, and as much as the
/// case counted, up to the bounds.
///
/// # Errors
/// In words, of whom not.
pub(super) fn told(
    files: &Files,
    entries: &[Disclosed],
    accused: &BTreeSet<String>,
) -> Result<(), String> {
    let bytes = files.get(DISCLOSURE);
    let bytes = bytes
        .ok_or_else(|| format!("{DISCLOSURE} is absent: nothing says how much the case counted"))?;
    let told: Value = serde_json::from_slice(bytes).map_err(|e| format!("{DISCLOSURE}: {e}"))?;
    let each = told.get("accounts").and_then(Value::as_array);
    let each: BTreeMap<&str, &Value> = each
        .into_iter()
        .flatten()
        .filter_map(|of| Some((of.get("account")?.as_str()?, of)))
        .collect();
    for account in accused {
        let of = each.get(account.as_str());
        let of = of.ok_or_else(|| format!("{DISCLOSURE} does not tell of `{account}`"))?;
        as_told(of, &Own::of(account, entries))?;
    }
    Ok(())
}

fn as_told(told: &Value, own: &Own<'_>) -> Result<(), String> {
    let number = |name: &str| {
        let number = told.get(name).and_then(Value::as_u64);
        number.ok_or_else(|| format!("{DISCLOSURE} states no {name} of `{}`", own.account))
    };
    let (counted_then, disclosed) = (number("exchanges_counted")?, number("exchanges_disclosed")?);
    let there = own.endings() as u64;
    if there != disclosed {
        return Err(format!(
            "of `{}` {} disclosed, {disclosed} by {DISCLOSURE}",
            own.account,
            counted(own.endings(), "exchange is", "exchanges are")
        ));
    }
    // Many refusals, say, may fill the bundle before the exchanges do.
    let full = own.beginning().count() >= RECORDS_MAX;
    if there < counted_then.min(EXCHANGES_MAX as u64) && !full {
        return Err(format!(
            "the case counted {counted_then} exchanges of `{}`, of which {there} are disclosed",
            own.account
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
