//! What a scan comes to: shares, accounts, and what else could explain it.

use std::collections::BTreeMap;

use provenance::{AccountFinding, AccountTally, CorpusTally, Rate, Share, rate_that_names};
use serde::Serialize;

use super::found::{self, Line};
use super::scan::Scanned;
use super::sought::Prepared;
use crate::failure::Failure;

/// What a finding says, and no more.
pub(crate) const WORDING: &str = "A finding says: derived from the named output or its family, or \
    from a common source. Desensitizing or paraphrasing does not change the terms that apply.";

/// All that is told of a corpus; the keys are stable (README).
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    /// Documents that were read.
    pub(crate) documents: u64,
    /// Bytes of their text.
    pub(crate) bytes: u64,
    /// Outputs that could be recognised.
    pub(crate) outputs: usize,
    /// Accounts that they are of: as many were asked.
    pub(crate) accounts_asked: usize,
    /// Documents with a finding.
    pub(crate) flagged: u64,
    /// The corpus by documents.
    pub(crate) share_of_documents: ShareTold,
    /// By bytes.
    pub(crate) share_of_bytes: ShareTold,
    /// By words.
    pub(crate) share_of_words: ShareTold,
    /// Whose outputs, the surest first: those that chance explains with at most 5 % (Holm).
    pub(crate) accounts: Vec<AccountTold>,
    /// Accounts with findings that chance explains well enough to name nobody.
    pub(crate) accounts_not_named: Vec<AccountTold>,
    /// What would name the first of them, where unrelated human text is what may explain it.
    pub(crate) to_name: Option<ToName>,
    /// Whether another source explains matches.
    pub(crate) common_source: CommonTold,
    /// Documents with a finding, by the channel that tells most.
    pub(crate) by_channel: BTreeMap<String, u64>,
    /// By how many bits, in steps of 20.
    pub(crate) by_bits: BTreeMap<u64, u64>,
    /// By file: documents with a finding.
    pub(crate) by_file: BTreeMap<String, u64>,
    /// Lines, members and files that could not be read.
    pub(crate) bad: u64,
    /// The first of them.
    pub(crate) faults: Vec<String>,
    /// Files of named folders and members of archives that were not read.
    pub(crate) skipped: u64,
    /// The first of them.
    pub(crate) skipped_names: Vec<String>,
    /// Version of the normaliser.
    pub(crate) normaliser: u16,
    /// Where the rates come from by which shares are corrected.
    pub(crate) rates: String,
    /// What a finding says.
    pub(crate) wording: &'static str,
}

/// A share and its interval.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct ShareTold {
    /// As flagged.
    pub(crate) flagged: f64,
    /// Corrected for what is missed and what is flagged in vain.
    pub(crate) share: f64,
    /// The interval of 95 %.
    pub(crate) lo: f64,
    /// Its upper end.
    pub(crate) hi: f64,
}

impl From<Share> for ShareTold {
    fn from(share: Share) -> Self {
        Self {
            flagged: share.flagged,
            share: share.share,
            lo: share.lo,
            hi: share.hi,
        }
    }
}

/// An account whose outputs were found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AccountTold {
    /// Whose.
    pub(crate) account: String,
    /// Documents.
    pub(crate) documents: u64,
    /// Bytes of them inside spans.
    pub(crate) bytes: u64,
    /// Bits together.
    pub(crate) bits: f64,
    /// log10 of the chance in unrelated human text.
    pub(crate) log10_p_unrelated: f64,
    /// log10 of the chance among independent answers, where there were twins.
    pub(crate) log10_p_independent: Option<f64>,
    /// After Holm over all accounts asked.
    pub(crate) log10_holm: f64,
    /// After Benjamini and Hochberg.
    pub(crate) log10_bh: f64,
}

/// More human texts are of no help: nobody has them.
const TEXTS_MAX: f64 = 1e8;

/// Why an account is not named, and what would help.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ToName {
    /// Whose outputs.
    pub(crate) account: String,
    /// The rate at which human documents may be flagged in vain, as far as it was measured.
    pub(crate) in_vain: f64,
    /// So many documents of this corpus.
    pub(crate) documents_in_vain: f64,
    /// The least human texts of which none is flagged that would show a rate low enough.
    pub(crate) human_texts: f64,
    /// In words.
    pub(crate) line: String,
}

impl ToName {
    fn of(
        others: &[AccountFinding],
        (in_vain, documents): (f64, u64),
        asked: usize,
    ) -> Option<Self> {
        // Where independent answers explain it, human texts say nothing.
        let open = |one: &&AccountFinding| {
            one.log10_p_independent
                .is_none_or(|independent| independent < one.log10_p_unrelated)
        };
        let first = others.iter().filter(open).max_by_key(|one| one.documents)?;
        let rate = rate_that_names(first.documents, documents, asked);
        let human_texts = Rate::least_without(rate);
        if human_texts > TEXTS_MAX {
            return None;
        }
        let expected = in_vain * count(documents);
        let account = first.account.to_string();
        let line = format!(
            "not named, for up to {:.2} % of human documents may be flagged in vain as far as that \
             was measured, {expected:.0} here; {human_texts:.0} human texts of this corpus's kind or \
             more, none of them flagged, would name {account} (`--human FILES`)",
            in_vain * 100.0
        );
        Some(Self {
            account,
            in_vain,
            documents_in_vain: expected,
            human_texts,
            line,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
fn count(documents: u64) -> f64 {
    documents as f64
}

/// The common-source check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CommonTold {
    /// Documents that could be compared with control twins.
    pub(crate) compared: u64,
    /// Of those, documents that resemble a twin as much.
    pub(crate) explained: u64,
    /// Documents that resemble outputs of several accounts alike.
    pub(crate) several_accounts: u64,
    /// In words.
    pub(crate) line: String,
}

impl Told {
    /// Of a scan that ended.
    pub(crate) fn of(scanned: &Scanned, prepared: &Prepared) -> Result<Self, Failure> {
        let mut corpus = CorpusTally::default();
        let mut accounts = AccountTally::default();
        let mut by_channel: BTreeMap<String, u64> = BTreeMap::new();
        let mut by_bits: BTreeMap<u64, u64> = BTreeMap::new();
        let mut by_file: BTreeMap<String, u64> = BTreeMap::new();
        found::each(&scanned.path, |line| match line {
            Line::Document(found) => {
                accounts.add(&found.verdict(), &prepared.registry);
                if let Some(one) = found.strongest() {
                    *by_channel.entry(one.channel.clone()).or_default() += 1;
                    *by_bits.entry(step(one.bits)).or_default() += 1;
                    *by_file.entry(found.file.clone()).or_default() += 1;
                }
            }
            Line::Batch(batch) => {
                corpus.merge(&CorpusTally::of_sums(batch.sums));
                for verdict in batch.verdicts() {
                    accounts.add(&verdict, &prepared.registry);
                }
            }
        })?;
        let shares = corpus.shares(&prepared.measured);
        let in_vain = 1.0 - prepared.measured.specificity.interval().0;
        let asked = prepared.accounts();
        let findings = accounts.findings(in_vain, asked);
        let (named, others): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(AccountFinding::named);
        let common = accounts.common_source();
        let totals = &scanned.totals;
        Ok(Self {
            documents: totals.documents,
            bytes: totals.text_bytes,
            outputs: prepared.registry.len(),
            accounts_asked: asked,
            flagged: corpus.flagged(),
            share_of_documents: shares.documents.into(),
            share_of_bytes: shares.bytes.into(),
            share_of_words: shares.tokens.into(),
            accounts: accounts_of(&named),
            accounts_not_named: accounts_of(&others),
            to_name: ToName::of(&others, (in_vain, totals.documents), asked),
            common_source: CommonTold {
                compared: common.compared,
                explained: common.explained,
                several_accounts: common.several_accounts,
                line: common_line(common.compared, common.explained, common.several_accounts),
            },
            by_channel,
            by_bits,
            by_file,
            bad: totals.bad,
            faults: totals.faults.iter().map(ToString::to_string).collect(),
            skipped: totals.skipped,
            skipped_names: totals.skipped_names.clone(),
            normaliser: provenance::NORMALISER_VERSION,
            rates: prepared.rates.clone(),
            wording: WORDING,
        })
    }
}

fn accounts_of(findings: &[AccountFinding]) -> Vec<AccountTold> {
    let told = |found: &AccountFinding| AccountTold {
        account: found.account.to_string(),
        documents: found.documents,
        bytes: found.bytes,
        bits: found.bits,
        log10_p_unrelated: found.log10_p_unrelated,
        log10_p_independent: found.log10_p_independent,
        log10_holm: found.log10_holm,
        log10_bh: found.log10_bh,
    };
    findings.iter().map(told).collect()
}

fn common_line(compared: u64, explained: u64, several: u64) -> String {
    if compared == 0 {
        return format!(
            "common source: not tested, no control twins for these prompts; {several} documents \
             resemble outputs of several accounts alike"
        );
    }
    format!(
        "common source: {explained} of {compared} documents that could be compared resemble an \
         independent answer as much; {several} resemble outputs of several accounts alike"
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bits are positive and few"
)]
fn step(bits: f64) -> u64 {
    (bits.clamp(0.0, 1e6) / 20.0) as u64 * 20
}

/// A chance by its logarithm, as people read it.
pub(crate) fn power(log10: f64) -> String {
    if log10 <= -300.0 {
        return "below 1e-300".to_owned();
    }
    if log10 < -3.0 {
        return format!("{:.1e}", 10f64.powf(log10));
    }
    format!("{:.4}", 10f64.powf(log10))
}

#[cfg(test)]
mod tests;
