//! Whose outputs does a corpus hold, and could chance have named them?
//!
//! Two nulls for each account, and the greater p counts: unrelated human text flags documents at a
//! known rate (a binomial tail), and an independent answer beats all of k control twins once in
//! k + 1 (a Poisson-binomial tail). Holm or Benjamini-Hochberg over all accounts asked.

use std::collections::BTreeMap;

use facts::AccountId;

use crate::registry::Registry;
use crate::verdict::{Match, Verdict, covered};

/// What the documents say of one account.
#[derive(Debug, Clone, PartialEq, Default)]
struct Found {
    /// Documents with a finding of its outputs.
    documents: u64,
    /// Bytes of those documents inside spans.
    bytes: u64,
    bits: f64,
    /// For matches with twins: the chance 1 / (twins + 1), and whether the output came first.
    ranked: Vec<(f64, bool)>,
}

/// Findings by account.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountTally {
    documents: u64,
    found: BTreeMap<AccountId, Found>,
    common: CommonSource,
}

/// Whether another source than the outputs explains matches: its own line in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommonSource {
    /// Documents whose match could be compared with control twins.
    pub compared: u64,
    /// Of those, documents that resemble a twin as much: the common source is the better reading.
    pub explained: u64,
    /// Documents that resemble outputs of several accounts alike.
    pub several_accounts: u64,
}

/// What a corpus says of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountFinding {
    /// Whose outputs.
    pub account: AccountId,
    /// Documents derived from its outputs or their family, or from a common source.
    pub documents: u64,
    /// Bytes of them inside aligned spans.
    pub bytes: u64,
    /// Their bits together.
    pub bits: f64,
    /// log10 of the chance of so many documents in unrelated human text.
    pub log10_p_unrelated: f64,
    /// log10 of the chance that independent answers came first so often; none without twins.
    pub log10_p_independent: Option<f64>,
    /// The greater of both.
    pub log10_p: f64,
    /// After Holm over all accounts asked.
    pub log10_holm: f64,
    /// After Benjamini-Hochberg.
    pub log10_bh: f64,
}

/// The chance, after Holm over all accounts asked, at which an account is named.
const NAMED: f64 = 0.05;

impl AccountFinding {
    /// Whether chance is a poor enough explanation to name the account: Holm's p of at most 5 %.
    pub fn named(&self) -> bool {
        self.log10_holm <= NAMED.log10()
    }
}

/// The highest rate of documents flagged in vain at which so many documents of a corpus would still
/// name an account, of `asked` accounts in all.
pub fn rate_that_names(documents: u64, of: u64, asked: usize) -> f64 {
    const HALVINGS: u32 = 60;
    let highest = NAMED.log10() - real(asked.max(1)).log10();
    // At as high a rate as the documents' own chance explains them.
    let (mut names, mut not) = (0.0, count(documents) / count(of.max(1)));
    for _ in 0..HALVINGS {
        let rate = f64::midpoint(names, not);
        if log10_binomial_tail(documents, of, rate) <= highest {
            names = rate;
        } else {
            not = rate;
        }
    }
    names
}

impl AccountTally {
    /// Counts a document.
    pub fn add(&mut self, verdict: &Verdict, registry: &Registry) {
        self.documents += 1;
        let account = |output: usize| {
            let known = registry.outputs().get(output);
            known.map(|o| o.account.clone())
        };
        if let Some((first, independent)) = verdict.compared() {
            let came_first = independent.as_near == 0;
            self.common.compared += 1;
            self.common.explained += u64::from(!came_first);
            #[expect(clippy::cast_precision_loss, reason = "a handful")]
            let chance = 1.0 / (independent.twins as f64 + 1.0);
            if let Some(account) = account(first.output) {
                let found = self.found.entry(account).or_default();
                found.ranked.push((chance, came_first));
            }
        }
        let mut credited: BTreeMap<AccountId, Vec<&Match>> = BTreeMap::new();
        let derived = || verdict.matches.iter().filter(|m| m.derived);
        for one in derived() {
            let Some(whose) = account(one.output) else {
                continue;
            };
            // What another account's output explains better is that one's.
            let better = |other: &&Match| {
                let families = other.family.contains(&one.output);
                other.bits > one.bits && families && account(other.output).as_ref() != Some(&whose)
            };
            if !derived().any(|other| better(&other)) {
                credited.entry(whose).or_default().push(one);
            }
        }
        let several = derived().any(|one| {
            let whose = account(one.output);
            one.family.iter().any(|n| account(*n) != whose)
        });
        self.common.several_accounts += u64::from(several);
        for (account, matches) in credited {
            let found = self.found.entry(account).or_default();
            let spans = matches.iter().flat_map(|m| &m.spans);
            found.documents += 1;
            found.bytes += covered(spans.map(|s| (s.start, s.end))) as u64;
            found.bits += matches.iter().map(|m| m.bits).fold(0.0, f64::max);
        }
    }

    /// Counts what another tally counted.
    pub fn merge(&mut self, other: Self) {
        self.documents += other.documents;
        self.common.compared += other.common.compared;
        self.common.explained += other.common.explained;
        self.common.several_accounts += other.common.several_accounts;
        for (account, theirs) in other.found {
            let found = self.found.entry(account).or_default();
            found.documents += theirs.documents;
            found.bytes += theirs.bytes;
            found.bits += theirs.bits;
            found.ranked.extend(theirs.ranked);
        }
    }

    /// The common-source check.
    pub fn common_source(&self) -> CommonSource {
        self.common
    }

    /// What is said of each account with a finding, the surest first. `flagged_in_vain` is the rate
    /// at which human documents are flagged (its upper bound), `asked` how many accounts the
    /// registry holds.
    pub fn findings(&self, flagged_in_vain: f64, asked: usize) -> Vec<AccountFinding> {
        let mut found: Vec<AccountFinding> = self
            .found
            .iter()
            .filter(|(_, f)| f.documents > 0)
            .map(|(account, f)| {
                let unrelated = log10_binomial_tail(f.documents, self.documents, flagged_in_vain);
                let independent = (!f.ranked.is_empty()).then(|| log10_first_tail(&f.ranked));
                AccountFinding {
                    account: account.clone(),
                    documents: f.documents,
                    bytes: f.bytes,
                    bits: f.bits,
                    log10_p_unrelated: unrelated,
                    log10_p_independent: independent,
                    log10_p: independent.map_or(unrelated, |i| i.max(unrelated)),
                    log10_holm: 0.0,
                    log10_bh: 0.0,
                }
            })
            .collect();
        found.sort_by(|a, b| a.log10_p.total_cmp(&b.log10_p));
        let p: Vec<f64> = found.iter().map(|f| f.log10_p).collect();
        let (holm, bh) = (holm(&p, asked), benjamini_hochberg(&p, asked));
        for (one, (holm, bh)) in found.iter_mut().zip(holm.into_iter().zip(bh)) {
            one.log10_holm = holm;
            one.log10_bh = bh;
        }
        found
    }
}

/// Holm's adjusted p of ascending log10 p, of `asked` tests in all.
pub fn holm(log10_p: &[f64], asked: usize) -> Vec<f64> {
    let mut highest = f64::NEG_INFINITY;
    let adjust = |(n, p): (usize, &f64)| {
        let left = asked.max(log10_p.len()).saturating_sub(n).max(1);
        highest = highest.max(p + real(left).log10()).min(0.0);
        highest
    };
    log10_p.iter().enumerate().map(adjust).collect()
}

/// Benjamini and Hochberg's adjusted p of ascending log10 p, of `asked` tests in all.
pub fn benjamini_hochberg(log10_p: &[f64], asked: usize) -> Vec<f64> {
    let all = real(asked.max(log10_p.len()).max(1));
    let mut lowest = 0.0_f64;
    let adjust = |(n, p): (usize, &f64)| {
        lowest = lowest.min(p + (all / real(n + 1)).log10());
        lowest
    };
    let mut adjusted: Vec<f64> = log10_p.iter().enumerate().rev().map(adjust).collect();
    adjusted.reverse();
    adjusted
}

/// log10 P(Binomial(n, p) >= k), by terms in logarithms.
fn log10_binomial_tail(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 || p >= 1.0 {
        return 0.0;
    }
    if p <= 0.0 || k > n {
        return f64::NEG_INFINITY;
    }
    // The term at k, then each next by its ratio; beyond the mode they fall geometrically.
    let mut term = ln_choose(n, k) + count(k) * p.ln() + count(n - k) * (-p).ln_1p();
    let mut terms = vec![term];
    for i in k..n {
        term += ((count(n - i) / count(i + 1)).ln()) + p.ln() - (-p).ln_1p();
        terms.push(term);
        if terms.first().is_some_and(|first| term < first - 60.0) {
            break;
        }
    }
    (ln_sum(&terms) / std::f64::consts::LN_10).min(0.0)
}

/// log10 of the chance of as many firsts or more, each with its own chance. Exact, by adding one
/// trial after another; beyond 4,096 by Chernoff's bound, which is no smaller.
fn log10_first_tail(ranked: &[(f64, bool)]) -> f64 {
    const EXACT: usize = 4_096;
    let firsts = ranked.iter().filter(|(_, first)| *first).count();
    if firsts == 0 {
        return 0.0;
    }
    if ranked.len() > EXACT {
        return log10_chernoff(ranked, real(firsts));
    }
    let mut chances = vec![0.0_f64; firsts + 1];
    if let Some(none) = chances.first_mut() {
        *none = 1.0;
    }
    let mut reached = 0.0;
    for (p, _) in ranked {
        let mut below = 0.0;
        for (n, chance) in chances.iter_mut().enumerate() {
            let here = *chance;
            *chance = if n == firsts {
                here + below * p
            } else {
                here * (1.0 - p) + below * p
            };
            below = here;
        }
        reached = chances.last().copied().unwrap_or(0.0);
    }
    if reached > 0.0 {
        reached.log10().min(0.0)
    } else {
        log10_chernoff(ranked, real(firsts))
    }
}

fn log10_chernoff(ranked: &[(f64, bool)], firsts: f64) -> f64 {
    let bound = |t: f64| {
        let mut sum = -t * firsts;
        for (p, _) in ranked {
            sum += (p * t.exp_m1()).ln_1p();
        }
        sum
    };
    let best = (1..200).map(|n| bound(real(n) * 0.05)).fold(0.0, f64::min);
    best / std::f64::consts::LN_10
}

fn ln_choose(n: u64, k: u64) -> f64 {
    let k = k.min(n - k);
    let mut sum = 0.0;
    for i in 0..k {
        sum += (count(n - i) / count(i + 1)).ln();
    }
    sum
}

fn ln_sum(terms: &[f64]) -> f64 {
    let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for term in terms {
        sum += (term - most).exp();
    }
    most + sum.ln()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn count(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn real(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
