//! Campaigns and trials as they are sent.

use console::{CampaignView, TrialCounts, TrialView};
use detection::campaign::{Campaign, Demand, Fired};
use facts::Timestamp;
use store::CampaignRow;

/// Accounts named in a trial.
const NAMED_MAX: usize = 100;

/// A trial with its verdict.
pub(crate) fn trial(fired: &Fired) -> TrialView {
    let result = fired.result;
    let judged = Demand::STANDARD.judge(result);
    TrialView {
        accounts: result.accounts,
        exchanges: result.exchanges,
        fired: result.fired,
        rate: result.rate(),
        interval: result.interval(),
        fired_on: fired
            .accounts
            .iter()
            .take(NAMED_MAX)
            .map(ToString::to_string)
            .collect(),
        by_programme: fired.by_programme.clone(),
        allowed: judged.is_ok(),
        refusal: judged.err().map(|e| format!("failed to {e}")),
    }
}

/// A campaign in this state.
pub(super) fn campaign(campaign: &Campaign, state: &str) -> CampaignView {
    let parts = campaign.parts();
    CampaignView {
        name: parts.name.clone(),
        id: campaign.id().to_string(),
        state: state.to_owned(),
        made_at: parts.made_at.rfc3339(),
        expires_at: parts.expires_at.rfc3339(),
        accounts: parts.made_from.accounts,
        prompts: parts.made_from.prompts,
        programmes: parts.programmes.len(),
        hashes: campaign.hashes(),
        back_test: parts.back_test.map(|t| TrialCounts {
            accounts: t.accounts,
            exchanges: t.exchanges,
            fired: t.fired,
        }),
        activated_at: None,
        activated_by: None,
        expired_at: None,
        expired_by: None,
    }
}

/// A campaign of the store; without its content where the file does not hold.
pub(super) fn row(row: &CampaignRow, content: Option<&Campaign>, now: Timestamp) -> CampaignView {
    let state = match content {
        _ if !row.acts(now) => "expired",
        None => "unreadable",
        Some(_) => "active",
    };
    let mut made = match content {
        Some(content) => campaign(content, state),
        None => CampaignView {
            name: row.name.clone(),
            id: String::new(),
            state: state.to_owned(),
            made_at: String::new(),
            expires_at: row.expires_at.rfc3339(),
            accounts: 0,
            prompts: 0,
            programmes: 0,
            hashes: 0,
            back_test: None,
            activated_at: None,
            activated_by: None,
            expired_at: None,
            expired_by: None,
        },
    };
    made.activated_at = Some(row.activated_at.rfc3339());
    made.activated_by = Some(row.activated_by.clone());
    made.expired_at = row.expired.as_ref().map(|(at, _)| at.rfc3339());
    made.expired_by = row.expired.as_ref().map(|(_, by)| by.clone());
    made
}
