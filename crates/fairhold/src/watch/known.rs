//! Known campaigns, matched as exchanges pass: a finding the first time that
//! an account sends enough prompts of one.
//!
//! What is remembered of an account are its recent matches, in memory only:
//! nearly nobody has any, and after a restart three more prompts say it again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use console::{FactView, FindingView};
use detection::campaign::{Campaign, CampaignId, Hit, Matcher, Tally};
use detection::{BackTested, Notice, SketchMatch, Subject};
use facts::AccountId;
use sha2::{Digest as _, Sha256};
use store::FindingRow;

use super::book::Seen;

/// Accounts whose recent matches are remembered at once; beyond it those of one are forgotten.
const TALLIES_MAX: usize = 100_000;

/// Accounts of which one finding of a campaign is enough, remembered until they are so many.
const TOLD_MAX: usize = 100_000;

/// The largest share of honest accounts that a campaign's back-test may leave possible.
const FIRES_MAX: f64 = 0.05;

/// Who sent what is known lately.
#[derive(Debug, Default)]
pub(super) struct Known {
    tallies: HashMap<AccountId, (Tally, Vec<String>)>,
    told: BTreeSet<(AccountId, CampaignId)>,
}

impl Known {
    /// The findings of a batch, in its order.
    pub(super) fn findings(&mut self, matcher: &Arc<Matcher>, seen: &[Seen]) -> Vec<FindingRow> {
        let mut rows = Vec::new();
        for one in seen {
            if one.known.is_empty() && !self.tallies.contains_key(&one.account) {
                continue;
            }
            let (tally, ids) = self.tallies.entry(one.account.clone()).or_default();
            if !one.known.is_empty() {
                ids.push(one.exchange.to_string());
            }
            let hits = matcher.count(tally, &one.known);
            let ids = ids.clone();
            if tally.is_idle() {
                self.tallies.remove(&one.account);
            }
            for hit in hits {
                if self.told.insert((one.account.clone(), hit.campaign)) {
                    rows.extend(
                        matcher
                            .campaign(hit.campaign)
                            .and_then(|campaign| row(one, campaign, &hit, &ids)),
                    );
                }
            }
        }
        self.forget();
        rows
    }

    fn forget(&mut self) {
        while self.tallies.len() > TALLIES_MAX {
            let Some(any) = self.tallies.keys().next().cloned() else {
                return;
            };
            self.tallies.remove(&any);
        }
        while self.told.len() > TOLD_MAX {
            self.told.pop_first();
        }
    }
}

/// The same for the same account and campaign, so that it is written once.
fn id(account: &AccountId, campaign: CampaignId) -> String {
    let digest = Sha256::new()
        .chain_update(account.as_str())
        .chain_update(campaign.0.to_be_bytes())
        .finalize();
    let hex: String = hex::encode(digest).chars().take(12).collect();
    format!("finding-{hex}")
}

fn row(seen: &Seen, campaign: &Campaign, hit: &Hit, ids: &[String]) -> Option<FindingRow> {
    let view = view(seen, campaign, hit, ids)?;
    Some(FindingRow {
        json: serde_json::to_string(&view).ok()?,
        id: view.id,
        account: seen.account.clone(),
        at: seen.at,
    })
}

/// None where the campaign was never tried on cleared accounts: it may say nothing then.
fn view(seen: &Seen, campaign: &Campaign, hit: &Hit, ids: &[String]) -> Option<FindingView> {
    let test = campaign.parts().back_test?;
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let tested = BackTested::on(count(test.accounts), count(test.fired), FIRES_MAX).ok()?;
    let bound = tested.bound();
    let subject = Subject::of([seen.account.clone()])?;
    let matched = usize::try_from(hit.matched).unwrap_or(0);
    let least = usize::try_from(campaign.parts().rule.prompts_min).unwrap_or(1);
    let found = SketchMatch::of(subject, tested, matched, least).ok()?;
    let notice = Notice::of_sketch(found);
    Some(FindingView {
        id: id(&seen.account, hit.campaign),
        account: seen.account.to_string(),
        at: seen.at.rfc3339(),
        kind: "finding".to_owned(),
        may: "a notice, proposed by a person and approved by a second".to_owned(),
        look: hit.within,
        statistic: f64::from(hit.matched),
        p: bound,
        anytime_p: bound,
        alpha: FIRES_MAX,
        programmes: count(test.accounts),
        sources: count(test.accounts),
        floor: bound,
        reach: bound,
        population: "accounts that this house cleared".to_owned(),
        peers: "all".to_owned(),
        programme_exchanges: hit.matched,
        carried_by: Vec::new(),
        relied_on: ids.to_vec(),
        exculpatory: vec![FactView {
            looked_for: "the same wording among cleared accounts".to_owned(),
            found: test.fired > 0,
            words: format!(
                "The campaign was tried on {} cleared accounts before it was activated and fired on {}.",
                test.accounts, test.fired
            ),
        }],
        summary: format!("{} {}", campaign.explain(hit), notice.reasons().join(" ")),
    })
}

#[cfg(test)]
mod tests;
