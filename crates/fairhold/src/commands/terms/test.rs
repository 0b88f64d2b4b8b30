//! `fairhold terms test DIR`: what would a proposed text have done?
//!
//! Every recorded exchange is put to the terms that were in force at its
//! moment, and to the proposal as if it had been. Accounts are told apart by
//! what their cases found.

mod recorded;
mod tally;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use facts::{AccountId, Endpoint, ModelName, Timestamp};
use serde_json::json;
use terms::{
    Act, Agreement, Countries, DocumentId, Library, Purpose, Question, RulingKey, Terms, Verdict,
};

use super::{builtin, folder, moment};
use crate::args::terms::Test;
use crate::failure::{Exit, Failure};
use crate::judge::documents;
use crate::out::Out;
use tally::{Label, Tally};

/// One exchange, as far as terms see it.
#[derive(Debug)]
struct Seen {
    account: AccountId,
    at: Timestamp,
    model: ModelName,
    endpoint: Endpoint,
    purpose: Option<String>,
    /// The terms refused it: it never went upstream.
    refused: bool,
}

/// Who is who among the accounts.
#[derive(Debug, Default)]
struct Known {
    labels: BTreeMap<AccountId, Label>,
    agreements: BTreeMap<AccountId, Agreement>,
    purposes: BTreeMap<AccountId, String>,
}

/// Runs the command.
pub(crate) async fn run(data: &Path, what: &Test, out: Out) -> Result<Exit, Failure> {
    let proposed = folder::catalogue(&what.dir)?;
    let set: Vec<DocumentId> = if what.document.is_empty() {
        proposed.documents()
    } else {
        documents(&what.document)?
    };
    let since = what
        .since
        .as_deref()
        .map(|day| moment(Some(day)))
        .transpose()?;
    let purpose = what.purpose.as_deref().map(Purpose::parse).transpose();
    let purpose = purpose.map_err(|e| Failure::error(e.to_string()))?;
    let current = builtin()?;
    let mut replay = Replay {
        after: Side::of(current.with_proposed(&proposed), &set)?,
        before: Side::of(current, &set)?,
        since,
        purpose,
        known: Known::default(),
        tally: Tally::default(),
    };
    if what.logs.is_empty() {
        recorded::in_store(data, what, &mut replay, out).await?;
    } else {
        recorded::in_logs(what, &mut replay, out)?;
    }
    replay.told(out)
}

/// One set of terms, with the rulings made so far.
struct Side {
    terms: std::sync::Arc<Terms>,
    kept: HashMap<RulingKey, (Verdict, Vec<String>)>,
}

impl Side {
    fn of(catalogue: terms::Catalogue, set: &[DocumentId]) -> Result<Self, Failure> {
        let library = Library::new(catalogue, Countries::new());
        let terms = library
            .bound(set)
            .map_err(|e| Failure::error(e.to_string()))?;
        Ok(Self {
            terms,
            kept: HashMap::new(),
        })
    }

    /// The verdict; none when no text was in force.
    fn ruled(&mut self, question: &Question<'_>) -> Option<(Verdict, Vec<String>)> {
        self.terms.in_force(question.at)?;
        let Some(key) = self.terms.key(question) else {
            return Some(answered(&self.terms, question));
        };
        let terms = &self.terms;
        let kept = self.kept.entry(key);
        Some(kept.or_insert_with(|| answered(terms, question)).clone())
    }
}

fn answered(terms: &Terms, question: &Question<'_>) -> (Verdict, Vec<String>) {
    let ruling = terms.rule(question);
    let because = ruling.because.iter().map(ToString::to_string);
    (
        ruling.verdict,
        because.chain(ruling.errors.clone()).collect(),
    )
}

/// A replay under way.
struct Replay {
    before: Side,
    after: Side,
    since: Option<Timestamp>,
    purpose: Option<Purpose>,
    known: Known,
    tally: Tally,
}

impl Replay {
    fn see(&mut self, seen: &Seen) {
        if self.since.is_some_and(|since| seen.at < since) {
            return;
        }
        let none = Agreement::default();
        let agreement = self.known.agreements.get(&seen.account).unwrap_or(&none);
        let declared = seen.purpose.as_deref();
        let project = self.known.purposes.get(&seen.account).map(String::as_str);
        let assumed = self.purpose.map(Purpose::word);
        let question = Question {
            purpose: declared.or(project).or(assumed),
            declared: &agreement.declared,
            conduct: &agreement.conduct,
            authorisations: &agreement.authorisations,
            ..Question::new(
                &seen.account,
                Act::Infer {
                    model: &seen.model,
                    endpoint: seen.endpoint,
                },
                seen.at,
            )
        };
        let (Some(before), Some(after)) =
            (self.before.ruled(&question), self.after.ruled(&question))
        else {
            self.tally.unjudged += 1;
            return;
        };
        // What was refused and would be let pass by what a replay sees was
        // refused for its country or its volume, which the log does not keep.
        if seen.refused && before.0 == Verdict::Allow {
            self.tally.unjudged += 1;
            return;
        }
        let label = self.known.labels.get(&seen.account).copied();
        self.tally
            .count(&seen.account, label.unwrap_or_default(), before, after);
    }

    fn told(&self, out: Out) -> Result<Exit, Failure> {
        let tally = &self.tally;
        out.data(&json!({
            "exchanges": tally.exchanges,
            "unjudged": tally.unjudged,
            "accounts": tally.accounts.len(),
            "newly_denied": tally.denied(),
            "newly_allowed": tally.allowed(),
            "confirmed_abusers_hit": tally.hit(Label::Confirmed),
            "cleared_accounts_hit": tally.hit(Label::Cleared),
            "unknown_hit": tally.hit(Label::Unknown),
            "by_account": tally.changed(),
        }))?;
        let changed = tally.changed();
        if !changed.is_empty() {
            out.line(&format!(
                "{:<32} {:<10} {:>9} {:>12} {:>13}  clauses",
                "account", "label", "exchanges", "newly denied", "newly allowed"
            ));
        }
        for row in &changed {
            out.line(&format!(
                "{:<32} {:<10} {:>9} {:>12} {:>13}  {}",
                row.account,
                row.label,
                row.exchanges,
                row.newly_denied,
                row.newly_allowed,
                row.clauses.join(", ")
            ));
        }
        out.line(&format!(
            "{} exchanges of {} accounts: {} newly denied, {} newly allowed",
            tally.exchanges,
            tally.accounts.len(),
            tally.denied(),
            tally.allowed()
        ));
        out.line(&format!(
            "accounts hit: {} confirmed abusers, {} cleared, {} unknown",
            tally.hit(Label::Confirmed),
            tally.hit(Label::Cleared),
            tally.hit(Label::Unknown)
        ));
        if tally.unjudged > 0 {
            out.say(&format!(
                "{} exchanges were not judged: no text of these documents is known for their day, or they were refused for a country or a volume",
                tally.unjudged
            ));
        }
        if tally.exchanges == 0 {
            return Err(Failure::error(
                "no exchange was replayed: record or import some, give `--logs`, or choose an earlier `--since`"
                    .to_owned(),
            ));
        }
        Ok(Exit::Clean)
    }
}
