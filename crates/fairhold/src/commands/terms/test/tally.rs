//! What changed, by account.

use std::collections::{BTreeMap, BTreeSet};

use facts::AccountId;
use serde::Serialize;
use terms::Verdict;

/// What the cases of an account found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Label {
    /// A measure is in force, or its appeal was heard and failed.
    Confirmed,
    /// A case was closed or a measure lifted, and nothing is in force.
    Cleared,
    /// No case was decided.
    #[default]
    Unknown,
}

impl Label {
    fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Cleared => "cleared",
            Self::Unknown => "unknown",
        }
    }
}

/// What changed for one account.
#[derive(Debug, Default)]
pub(super) struct Changed {
    label: Label,
    exchanges: u64,
    denied: u64,
    allowed: u64,
    clauses: BTreeSet<String>,
}

/// One account whose verdicts change, as printed.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) account: String,
    pub(super) label: &'static str,
    pub(super) exchanges: u64,
    pub(super) newly_denied: u64,
    pub(super) newly_allowed: u64,
    pub(super) clauses: Vec<String>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Exchanges judged by both texts.
    pub(super) exchanges: u64,
    /// Exchanges of moments for which a text is not known, and those refused
    /// for what the log does not keep.
    pub(super) unjudged: u64,
    /// By account.
    pub(super) accounts: BTreeMap<AccountId, Changed>,
}

impl Tally {
    /// Takes one exchange with both verdicts.
    pub(super) fn count(
        &mut self,
        account: &AccountId,
        label: Label,
        before: (Verdict, Vec<String>),
        after: (Verdict, Vec<String>),
    ) {
        self.exchanges += 1;
        let changed = self.accounts.entry(account.clone()).or_default();
        changed.label = label;
        changed.exchanges += 1;
        match (before.0, after.0) {
            (Verdict::Allow, Verdict::Deny) => {
                changed.denied += 1;
                changed.clauses.extend(after.1);
            }
            (Verdict::Deny, Verdict::Allow) => {
                changed.allowed += 1;
                changed.clauses.extend(before.1);
            }
            (Verdict::Allow, Verdict::Allow) | (Verdict::Deny, Verdict::Deny) => {}
        }
    }

    /// Exchanges newly denied.
    pub(super) fn denied(&self) -> u64 {
        self.accounts.values().map(|changed| changed.denied).sum()
    }

    /// Exchanges newly allowed.
    pub(super) fn allowed(&self) -> u64 {
        self.accounts.values().map(|changed| changed.allowed).sum()
    }

    /// Accounts of this label with an exchange newly denied.
    pub(super) fn hit(&self, label: Label) -> usize {
        let hit = |changed: &&Changed| changed.denied > 0 && changed.label == label;
        self.accounts.values().filter(hit).count()
    }

    /// The accounts whose verdicts change, most denied first.
    pub(super) fn changed(&self) -> Vec<Row> {
        let changed = self.accounts.iter();
        let mut rows: Vec<Row> = changed
            .filter(|(_, changed)| changed.denied + changed.allowed > 0)
            .map(|(account, changed)| Row {
                account: account.to_string(),
                label: changed.label.word(),
                exchanges: changed.exchanges,
                newly_denied: changed.denied,
                newly_allowed: changed.allowed,
                clauses: changed.clauses.iter().cloned().collect(),
            })
            .collect();
        rows.sort_by(|a, b| (b.newly_denied, &a.account).cmp(&(a.newly_denied, &b.account)));
        rows
    }
}
