//! The inputs of rulings and scores: there, and those that the log's records name.
//!
//! Deciding and scoring again is `fairhold replay`; here each input is tied to
//! the record or the case that it is of, so that none can be exchanged or left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::entries::{number, stem};
use super::parts::{Given, counted};
use super::{Disclosed, Files, Finding, Part, coverage};

/// What a digest of policies begins with.
const POLICIES: &[u8] = b"fairhold terms 1\n";

/// Requests that were let upstream, as many as are said to be there, and those of them whose ruling
/// can be made again.
pub(super) fn rulings(
    given: &Given<'_>,
    entries: &[Disclosed],
    accused: &BTreeSet<String>,
) -> Finding {
    let (mut all, mut untied) = (0, 0);
    let mut first: Option<String> = None;
    let mut known: BTreeMap<u64, Result<(), &'static str>> = BTreeMap::new();
    for intent in entries.iter().filter(|e| e.text("type") == "intent") {
        all += 1;
        let held = tied(intent, entries, |asked| {
            *known
                .entry(asked.seq)
                .or_insert_with(|| question(given.files, asked))
        });
        if let Err(what) = held {
            untied += 1;
            first.get_or_insert_with(|| format!("record {}: {what}", intent.seq));
        }
    }
    let told = coverage::told(given.files, entries, accused);
    Finding {
        part: Part::Rulings,
        proven: all > 0 && untied == 0 && told.is_ok(),
        asked: given.asks(Part::Rulings),
        what: match (all, first, told) {
            (0, _, _) => "no request is disclosed: no ruling can be made again".to_owned(),
            (_, Some(first), _) => format!("{untied} of {all} cannot be made again; {first}"),
            (_, None, Err(what)) => what,
            (_, None, Ok(())) => format!(
                "the inputs of {} are those that the log records; `fairhold replay` makes them again",
                counted(all, "ruling", "rulings")
            ),
        },
    }
}

/// The record that says what was asked for an intent, of its own account and under its policies;
/// `question` says whether that record's inputs are there.
fn tied(
    intent: &Disclosed,
    entries: &[Disclosed],
    question: impl FnOnce(&Disclosed) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let stated = intent.text("policy");
    if stated == hex::encode(Sha256::digest(b"")) {
        return Ok(()); // no terms bound the account: nothing was asked
    }
    let named = intent.leaf.get("asked").and_then(Value::as_u64);
    let named = named.ok_or("it does not say what the policies were asked, as older records do")?;
    let place = entries.binary_search_by_key(&named, |entry| entry.seq).ok();
    let asked = place.and_then(|place| entries.get(place));
    let asked = asked.filter(|entry| entry.text("type") == "asked");
    let asked = asked.ok_or("the record of what was asked is not disclosed")?;
    if asked.text("account") != intent.text("account")
        || asked.text("model") != intent.text("model")
    {
        return Err("the record of what was asked is of another request");
    }
    if asked.text("policy") != stated {
        return Err("other policies were asked than the record states");
    }
    question(asked)
}

/// The question in Cedar's own form is the one recorded, and the policies are those of the
/// digest recorded.
fn question(files: &Files, asked: &Disclosed) -> Result<(), &'static str> {
    let bytes = files.get(&format!("rulings/{}.json", asked.seq));
    let bytes = bytes.ok_or("its inputs are absent")?;
    let ruling: Value = serde_json::from_slice(bytes).map_err(|_| "its inputs cannot be read")?;
    let text = |path: &str| ruling.pointer(path).and_then(Value::as_str);
    let stated = asked.text("policy");
    if text("/policy_sha256") != Some(stated) {
        return Err("its inputs are of other policies than the record states");
    }
    let same = text("/principal/id") == Some(asked.text("account"))
        && text("/resource/id") == Some(asked.text("model"))
        && ruling.get("context") == asked.leaf.get("context");
    if !same {
        return Err("its inputs are not what was asked");
    }
    match policies(files, stated) {
        None => Err("the texts of its policies are absent"),
        // Which documents the policies are of, and where these were read.
        Some(digest)
            if digest == stated && !files.contains_key(&format!("terms/{stated}.json")) =>
        {
            Err("the documents that its policies are of are absent")
        }
        Some(digest) if digest == stated => Ok(()),
        Some(_) => Err("the texts of its policies are not those that the record states"),
    }
}

/// The digest of the texts in a policy set's folder, in their order.
fn policies(files: &Files, named: &str) -> Option<String> {
    let folder = format!("policy/{named}/");
    let schema = files.get(&format!("{folder}schema.cedarschema"))?;
    let mut sources: Vec<(u64, &[u8])> = Vec::new();
    for (name, text) in files {
        if let Some(source) = stem(name, &folder, ".cedar") {
            sources.push((source.split_once('/')?.0.parse().ok()?, text));
        }
    }
    sources.sort_by_key(|(n, _)| *n);
    let mut digest = Sha256::new();
    digest.update(POLICIES);
    digest.update(Sha256::digest(schema));
    for (_, text) in sources {
        digest.update(Sha256::digest(text));
    }
    Some(hex::encode(digest.finalize()))
}

/// The detectors that the log names, for every accused account the sums that one of them scored,
/// and every finding as the log names it.
pub(super) fn detector(
    given: &Given<'_>,
    (case, entries): (&str, &[Disclosed]),
    accused: &BTreeSet<String>,
) -> Finding {
    let judged: Vec<&Disclosed> = entries
        .iter()
        .filter(|e| e.text("type") == "judged")
        .collect();
    let held = scored(given.files, case, &judged)
        .and_then(|scored| findings(given.files, &judged).map(|findings| (scored, findings)));
    let (proven, what) = match held {
        Err(what) => (false, what),
        Ok((scored, found)) => match accused.iter().find(|a| !scored.accounts.contains(*a)) {
            Some(_) if scored.accounts.is_empty() => (
                false,
                "its inputs are absent: no score can be made again".to_owned(),
            ),
            Some(account) => (false, format!("the inputs for `{account}` are absent")),
            None if accused.is_empty() => (false, "the case names no account".to_owned()),
            None => (
                true,
                format!(
                    "the detector that the log names, its inputs for {} and {} are there{}; `fairhold replay` scores them again",
                    counted(accused.len(), "account", "accounts"),
                    counted(found, "finding", "findings"),
                    scored.gone()
                ),
            ),
        },
    };
    Finding {
        part: Part::Detector,
        proven,
        asked: given.asks(Part::Detector),
        what,
    }
}

/// Whose sums are there.
#[derive(Debug, Default, PartialEq)]
struct Scored {
    accounts: BTreeSet<String>,
    /// Exchanges that are in no sum, their requests having been forgotten before the export.
    unread: u64,
}

impl Scored {
    fn gone(&self) -> String {
        match self.unread {
            0 => String::new(),
            1 => ", without 1 exchange whose request is gone".to_owned(),
            n => format!(", without {n} exchanges whose requests are gone"),
        }
    }
}

/// Accounts whose sums are there, as a detector scored them that a record of the case names.
fn scored(files: &Files, case: &str, judged: &[&Disclosed]) -> Result<Scored, String> {
    let mut scored = Scored::default();
    for (name, bytes) in files {
        let Some(place) = stem(name, "detector/accounts/", ".json") else {
            continue;
        };
        let inputs: Option<Value> = serde_json::from_slice(bytes).ok();
        let text = |field: &str| inputs.as_ref()?.get(field)?.as_str();
        let digest = text("detector_sha256").unwrap_or_default();
        let looks = inputs.as_ref().and_then(|i| i.get("looks")?.as_array());
        let summed = |look: &Value| {
            let sums = look.get("sums").and_then(Value::as_str);
            sums.is_some_and(|sums| !sums.is_empty())
        };
        if !looks.is_some_and(|looks| !looks.is_empty() && looks.iter().all(summed)) {
            return Err(format!("{name}: it holds no sums that could be scored"));
        }
        let unread = inputs.as_ref().and_then(|i| i.get("unread")?.as_u64());
        let unread = unread
            .ok_or_else(|| format!("{name}: it does not say how many exchanges it leaves out"))?;
        scored.unread = scored.unread.saturating_add(unread);
        if number(place).is_none() || !is_detector(files, digest) {
            return Err(format!("{name}: the detector that it names is not there"));
        }
        let of_case = |e: &&Disclosed| e.text("case") == case && e.text("detector") == digest;
        if !judged.iter().any(of_case) {
            return Err(
                "no record of the log names the detector for this case, as of older cases"
                    .to_owned(),
            );
        }
        let account = text("account").map(str::to_owned);
        scored.accounts.extend(account);
    }
    Ok(scored)
}

/// Whether the detector of this digest is there as it was.
fn is_detector(files: &Files, digest: &str) -> bool {
    let file = files.get(&format!("detector/{digest}.json"));
    file.is_some_and(|bytes| hex::encode(Sha256::digest(bytes)) == digest)
}

/// How many findings there are; each as a record of the log names it, and none that one names left
/// out.
fn findings(files: &Files, judged: &[&Disclosed]) -> Result<usize, String> {
    let mut named: BTreeMap<String, &str> = BTreeMap::new();
    for record in judged.iter().filter(|e| !e.text("finding").is_empty()) {
        let name = format!("findings/{}.json", record.text("finding"));
        let digest = record.text("digest");
        if named
            .insert(name, digest)
            .is_some_and(|other| other != digest)
        {
            return Err(format!(
                "record {} names another finding of one name",
                record.seq
            ));
        }
    }
    for (name, digest) in &named {
        match files.get(name) {
            None => return Err(format!("{name} is absent")),
            Some(bytes) if hex::encode(Sha256::digest(bytes)) == **digest => {}
            Some(_) => return Err(format!("{name}: it is not as the log names it")),
        }
    }
    let there = files.keys().filter(|name| name.starts_with("findings/"));
    match there.clone().find(|name| !named.contains_key(*name)) {
        Some(name) => Err(format!("{name}: no record of the log names it")),
        None => Ok(there.count()),
    }
}

#[cfg(test)]
mod tests;
