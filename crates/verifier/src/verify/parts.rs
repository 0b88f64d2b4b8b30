//! What each part of a bundle proves, and to whom.

use std::collections::BTreeSet;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::entries::{number, stem};
use super::{
    CHAIN, Disclosed, Files, Finding, POLICY, Part, TIMESTAMP, Trust, coverage, inputs, text,
};
use crate::checkpoint::Note;
use crate::policy::Policy;
use crate::timestamp::TimestampError;

/// What a part is judged by.
pub(super) struct Given<'a> {
    pub(super) trust: &'a Trust<'a>,
    pub(super) policy: Option<&'a Policy>,
    pub(super) files: &'a Files,
    pub(super) note: &'a Note,
}

impl Given<'_> {
    pub(super) fn key_was_given(&self) -> bool {
        self.trust.key.is_some() || self.policy.is_some_and(|p| !p.logs().is_empty())
    }

    pub(super) fn asks(&self, part: Part) -> bool {
        let ask = self.trust.ask;
        ask.map_or(matches!(part, Part::Rulings | Part::Detector), |ask| {
            ask.contains(&part)
        })
    }
}

/// Every part.
pub(super) fn all(
    given: &Given<'_>,
    (case, entries): (&str, &[Disclosed]),
    ledgers: usize,
    accused: &BTreeSet<String>,
) -> Result<Vec<Finding>, String> {
    let whole = Finding {
        part: Part::Statement,
        proven: true,
        asked: true,
        what: "the log's key signed it, and it names every file".to_owned(),
    };
    Ok(vec![
        key(given),
        whole,
        records(given, (case, entries), ledgers, accused),
        witnesses(given)?,
        timestamp(given)?,
        inputs::rulings(given, entries, accused),
        inputs::detector(given, (case, entries), accused),
        bodies(given, entries)?,
    ])
}

/// The records hold, or nothing comes here; whether they are enough is asked of the findings.
fn records(
    given: &Given<'_>,
    (case, entries): (&str, &[Disclosed]),
    ledgers: usize,
    accused: &BTreeSet<String>,
) -> Finding {
    let held = format!(
        "{} in {} under the checkpoint",
        counted(entries.len(), "record", "records"),
        counted(ledgers.max(1), "ledger", "ledgers")
    );
    let (proven, what) = match coverage::cited(given.files, (case, entries), accused) {
        Ok(0) => (true, held),
        Ok(_) => (
            true,
            format!("{held}, the exchanges among them that the case's finding counted"),
        ),
        Err(what) => (false, format!("{held}; {what}")),
    };
    Finding {
        part: Part::Entries,
        proven,
        asked: true,
        what,
    }
}

pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn key(given: &Given<'_>) -> Finding {
    let (proven, what) = match (given.key_was_given(), given.trust.bundle_key) {
        (true, _) => (true, "the log's key is the one given"),
        (false, true) => (
            true,
            "the bundle's own key, taken on its word: the bundle is whole, not shown to be anyone's",
        ),
        (false, false) => (
            false,
            "no key was given: the bundle is whole under its own key, which shows not whose it is",
        ),
    };
    Finding {
        part: Part::Key,
        proven,
        asked: true,
        what: what.to_owned(),
    }
}

/// Proven by the caller's policy only: whoever the bundle names as a witness
/// may be the log itself. A bundle whose own policy is not even met is unproven,
/// since the log's operator promised it.
fn witnesses(given: &Given<'_>) -> Result<Finding, String> {
    let own = match given.files.get(POLICY) {
        Some(bytes) => Some(Policy::parse(bytes).map_err(|e| format!("{POLICY}: {e}"))?),
        None => None,
    };
    let (policy, whose) = match (given.policy, &own) {
        (Some(policy), _) => (policy, "the trust policy given"),
        (None, Some(policy)) => (policy, "the bundle's own trust policy"),
        (None, None) => {
            return Ok(Finding {
                part: Part::Witnesses,
                proven: false,
                asked: given.asks(Part::Witnesses),
                what: "no trust policy names any: nobody else is known to have seen the checkpoint"
                    .to_owned(),
            });
        }
    };
    let (names, enough) = witnessed(policy, given)?;
    let names = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    let (asks, known) = (policy.asks_witnesses(), given.policy.is_some());
    let promised = asks && (known || !enough);
    Ok(Finding {
        part: Part::Witnesses,
        proven: asks && enough && known,
        asked: promised || given.asks(Part::Witnesses),
        what: match (asks, enough, known) {
            (false, _, _) => format!("{whose} asks for none; seen by: {names}"),
            (true, true, true) => format!("enough for {whose}: seen by {names}"),
            (true, true, false) => {
                format!("seen by {names}, whom only the bundle names; name them with --policy")
            }
            (true, false, _) => format!("not enough for {whose}: seen by {names}"),
        },
    })
}

/// Who saw the checkpoint, and whether they are enough.
fn witnessed(policy: &Policy, given: &Given<'_>) -> Result<(Vec<String>, bool), String> {
    let seen = policy.seen(given.note).map_err(|e| e.to_string())?;
    let enough = policy.is_enough(&seen);
    Ok((seen.into_iter().map(|seen| seen.name).collect(), enough))
}

fn timestamp(given: &Given<'_>) -> Result<Finding, String> {
    let asked = given.asks(Part::Timestamp) || given.trust.authorities.is_some();
    let finding = |proven, asked, what: String| Finding {
        part: Part::Timestamp,
        proven,
        asked,
        what,
    };
    let Some(token) = given.files.get(TIMESTAMP) else {
        let what = "there is none: when the checkpoint was made is the log's word only";
        return Ok(finding(false, asked, what.to_owned()));
    };
    let note = text(given.files, super::CHECKPOINT)?;
    let chain = given
        .files
        .get(CHAIN)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let authorities = given.trust.authorities.unwrap_or(chain);
    let stamped = match crate::timestamp::verify(token, note.as_bytes(), authorities, chain) {
        // Nothing is wrong with it: the caller does not know who made it.
        Err(TimestampError::Untrusted) => {
            return Ok(finding(false, asked, TimestampError::Untrusted.to_string()));
        }
        held => held.map_err(|e| format!("{TIMESTAMP}: {e}"))?,
    };
    Ok(if given.trust.authorities.is_some() {
        let what = format!("the checkpoint existed at {}", stamped.time);
        finding(true, asked, what)
    } else {
        let what = format!(
            "the checkpoint existed at {}, by an authority that only the bundle names; name one with its certificate",
            stamped.time
        );
        finding(false, asked, what)
    })
}

/// Each body with its salt is what its record commits to.
fn bodies(given: &Given<'_>, entries: &[Disclosed]) -> Result<Finding, String> {
    let mut opened = 0;
    for (name, body) in given.files.iter().filter(|(n, _)| n.starts_with("bodies/")) {
        if stem(name, "bodies/", ".salt").is_some() {
            continue;
        }
        let wrong = |what: &str| format!("{name}: {what}");
        let seq = stem(name, "bodies/", ".body")
            .and_then(number)
            .ok_or_else(|| wrong("nothing of this name belongs there"))?;
        let entry = entries
            .iter()
            .find(|e| e.seq == seq)
            .ok_or_else(|| wrong("the record that commits to it is not disclosed"))?;
        let salt = text(given.files, &format!("bodies/{seq}.salt"))?;
        let salt =
            hex::decode(salt.trim_end()).map_err(|_| wrong("its salt is not hexadecimal"))?;
        let committed = match entry.text("type") {
            "completion" => entry.text("answer"),
            _ => entry.text("request"),
        };
        if committed != commitment(&salt, body) {
            return Err(wrong("it is not what the record commits to"));
        }
        opened += 1;
    }
    Ok(Finding {
        part: Part::Bodies,
        proven: opened > 0,
        asked: given.asks(Part::Bodies),
        what: match opened {
            0 => "none are disclosed: the records hold commitments only".to_owned(),
            n => format!(
                "{} as their records commit to",
                counted(n, "body is", "bodies are")
            ),
        },
    })
}

/// HMAC-SHA256 of the body under its salt, hexadecimal.
fn commitment(salt: &[u8], body: &[u8]) -> String {
    Hmac::<Sha256>::new_from_slice(salt).map_or_else(
        |_| String::new(),
        |mac| hex::encode(mac.chain_update(body).finalize().into_bytes()),
    )
}
