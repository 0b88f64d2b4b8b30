//! Known campaigns, matched as exchanges pass: a finding the first time that
//! an account sends enough prompts of one.
//!
//! What is remembered of an account are its recent matches, in memory only:
//! nearly nobody has any, and after a restart three more prompts say it again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use console::{FactView, FindingView};
use detection::campaign::{BackTest, Campaign, CampaignId, Hit, Matcher, Tally};
use detection::{BackTested, Notice, SketchMatch, Subject};
use facts::AccountId;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::FindingRow;

use super::book::{Seen, Standing};
use super::finding::with_inputs;

/// Accounts whose recent matches are remembered at once; beyond it those of one are forgotten.
const TALLIES_MAX: usize = 100_000;

/// Accounts of which one finding of a campaign is enough, remembered until they are so many.
const TOLD_MAX: usize = 100_000;

/// The largest share of honest accounts that a campaign's back-test may leave possible.
const FIRES_MAX: f64 = 0.05;

/// Who sent what is known lately.
#[derive(Debug, Default)]
pub(super) struct Known {
    tallies: HashMap<AccountId, Recent>,
    told: BTreeSet<(AccountId, CampaignId)>,
}

/// One account's recent matches, and which exchanges they were.
#[derive(Debug, Default)]
struct Recent {
    tally: Tally,
    exchanges: Vec<(CampaignId, String)>,
}

impl Known {
    /// The findings of a batch, in its order. `standing` says who an account is.
    pub(super) fn findings(
        &mut self,
        matcher: &Arc<Matcher>,
        seen: &[Seen],
        standing: impl Fn(&AccountId) -> Standing,
    ) -> Vec<FindingRow> {
        let mut rows = Vec::new();
        for one in seen {
            if one.known.is_empty() && !self.tallies.contains_key(&one.account) {
                continue;
            }
            let recent = self.tallies.entry(one.account.clone()).or_default();
            for found in &one.known {
                let exchange = one.exchange.to_string();
                recent.exchanges.push((found.campaign, exchange));
            }
            let hits = matcher.count(&mut recent.tally, &one.known);
            for hit in hits {
                if self.told.insert((one.account.clone(), hit.campaign)) {
                    let campaign = matcher.campaign(hit.campaign);
                    let ids = recent.of(&hit);
                    rows.extend(
                        campaign.and_then(|c| row(one, c, &hit, ids, &standing(&one.account))),
                    );
                }
            }
            recent.trim();
            if recent.tally.is_idle() {
                self.tallies.remove(&one.account);
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

/// Matches of which the exchanges are remembered.
const EXCHANGES_MAX: usize = 64;

impl Recent {
    /// The exchanges that a hit counts, the latest of its campaign.
    fn of(&self, hit: &Hit) -> Vec<String> {
        let own = self.exchanges.iter().filter(|(c, _)| *c == hit.campaign);
        let own: Vec<String> = own.map(|(_, id)| id.clone()).collect();
        let counted = usize::try_from(hit.matched).unwrap_or(0);
        let earlier = own.len().saturating_sub(counted);
        own.into_iter().skip(earlier).collect()
    }

    fn trim(&mut self) {
        let earlier = self.exchanges.len().saturating_sub(EXCHANGES_MAX);
        self.exchanges.drain(..earlier);
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

fn row(
    seen: &Seen,
    campaign: &Campaign,
    hit: &Hit,
    ids: Vec<String>,
    standing: &Standing,
) -> Option<FindingRow> {
    let view = view(seen, campaign, hit, ids, standing)?;
    let judged_by = Sha256::digest(campaign.canonical().ok()?);
    let inputs = json!({"judged_by": hex::encode(judged_by)});
    Some(FindingRow {
        json: with_inputs(&view, &inputs)?,
        id: view.id,
        account: seen.account.clone(),
        at: seen.at,
    })
}

/// None where the campaign was never tried on cleared accounts: it may say nothing then.
fn view(
    seen: &Seen,
    campaign: &Campaign,
    hit: &Hit,
    ids: Vec<String>,
    standing: &Standing,
) -> Option<FindingView> {
    let test = campaign.parts().back_test?;
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let tested = BackTested::on(count(test.accounts), count(test.fired), FIRES_MAX).ok()?;
    let bound = tested.bound();
    let subject = Subject::of([seen.account.clone()])?;
    let matched = usize::try_from(hit.matched).unwrap_or(0);
    let least = usize::try_from(campaign.parts().rule.prompts_min).unwrap_or(1);
    let found = SketchMatch::of(subject, tested, matched, least).ok()?;
    let notice = Notice::of_sketch(found);
    let covered = standing.covering(seen.model.as_ref(), seen.at).is_some();
    Some(FindingView {
        id: id(&seen.account, hit.campaign),
        account: seen.account.to_string(),
        at: seen.at.rfc3339(),
        kind: if covered { "noted" } else { "finding" }.to_owned(),
        may: if covered {
            "observe"
        } else {
            "a notice, proposed by a person and approved by a second"
        }
        .to_owned(),
        look: hit.within,
        statistic: f64::from(hit.matched),
        p: bound,
        anytime_p: bound,
        alpha: FIRES_MAX,
        programmes: count(test.accounts),
        sources: 0,
        floor: bound,
        reach: bound,
        population: "accounts that this house cleared; p is the upper end of the share of them that the campaign may fire on".to_owned(),
        peers: "all".to_owned(),
        programme_exchanges: hit.matched,
        carried_by: Vec::new(),
        relied_on: ids,
        exculpatory: exculpatory(campaign, test, standing, covered),
        summary: format!("{} {}", campaign.explain(hit), notice.reasons().join(" ")),
    })
}

/// What speaks for the account, looked for and told also where nothing was found.
fn exculpatory(
    campaign: &Campaign,
    test: BackTest,
    standing: &Standing,
    covered: bool,
) -> Vec<FactView> {
    let fact = |looked_for: &str, found: bool, words: String| FactView {
        looked_for: looked_for.to_owned(),
        found,
        words,
    };
    let purposes = standing.purposes.join(", ");
    vec![
        fact(
            "declared purpose",
            !purposes.is_empty(),
            if purposes.is_empty() {
                "Its project declares no purpose.".to_owned()
            } else {
                format!("Its project declares {purposes}.")
            },
        ),
        fact(
            "authorisation",
            covered,
            format!(
                "{} authorisations are agreed with it; {} covers making training data from this model then.",
                standing.authorisations.len(),
                if covered { "one" } else { "none" }
            ),
        ),
        fact(
            "the same wording among cleared accounts",
            test.fired > 0,
            format!(
                "Campaign `{}` was tried on {} cleared accounts before it was activated and fired on {}.",
                campaign.parts().name,
                test.accounts,
                test.fired
            ),
        ),
    ]
}

#[cfg(test)]
mod tests;
