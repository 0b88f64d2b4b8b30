//! Known campaigns: made of confirmed accounts, tried on cleared ones, signed, activated, ended.

mod history;
mod view;

pub(crate) use view::trial;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use cases::Outcome;
use console::{
    Activation, ActivationView, CampaignView, NewSketch, OfficeError, SketchAsked, SketchFile,
    TrialView,
};
use detection::campaign::{
    BackTest, Campaign, Demand, Fired, NewCampaign, Rule, Trial, make as sketch,
};
use evidence::checkpoint::{LogKey, Verifier};
use evidence::dsse;
use facts::{AccountId, PersonId, Span, Timestamp};
use sha2::{Digest as _, Sha256};
use store::{CampaignChange, CampaignRow, SystemClock};

use super::people::{malformed, refused};
use crate::campaigns::{CAMPAIGN_KIND, KnownCampaigns, read_campaign};
use crate::keeper::{Keeper, KeeperError};

/// A campaign acts for ten years at most.
const DAYS_MAX: u32 = 3_650;

/// What the office needs of the house for campaigns.
pub(super) struct Desk<'a> {
    pub(super) keeper: &'a Arc<Keeper>,
    pub(super) log: &'a LogKey,
    pub(super) known: &'a KnownCampaigns,
}

/// When a sketch made now for so many days ends.
pub(crate) fn planned(name: &str, days: u32) -> Result<NewCampaign, OfficeError> {
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(OfficeError::Invalid(format!(
            "a campaign acts for 1 to {DAYS_MAX} days, not {days}: give `--days`"
        )));
    }
    let made_at = SystemClock.now();
    Ok(NewCampaign {
        name: name.to_owned(),
        made_at,
        expires_at: made_at.plus(Span::days(i64::from(days))),
        rule: Rule::STANDARD,
    })
}

/// The key that must have signed a file: the given one, or this house's own.
pub(crate) fn signer(given: Option<&str>, own: &str) -> Result<Verifier, OfficeError> {
    let text = given.unwrap_or(own);
    Verifier::parse(text).map_err(|e| OfficeError::Invalid(format!("failed to read the key: {e}")))
}

fn store_failed(error: store::StoreError) -> OfficeError {
    refused(KeeperError::Store(error))
}

impl Desk<'_> {
    /// Makes and signs.
    pub(super) async fn make(&self, new: NewSketch) -> Result<SketchFile, OfficeError> {
        let campaign = match &new.payload {
            Some(payload) => Campaign::parse(payload.as_bytes())
                .map_err(|e| OfficeError::Invalid(format!("failed to {e}")))?,
            None => self.of_accounts(&new).await?,
        };
        if campaign.parts().back_test.is_some() {
            return Err(OfficeError::Invalid(
                "a sketch is signed before its back-test: activate it instead".to_owned(),
            ));
        }
        Ok(SketchFile {
            file: self.signed(&campaign)?,
            campaign: view::campaign(&campaign, "made"),
        })
    }

    async fn of_accounts(&self, new: &NewSketch) -> Result<Campaign, OfficeError> {
        let plan = planned(&new.name, new.days)?;
        let names = new.accounts.iter().map(|name| AccountId::parse(name));
        let accounts: BTreeSet<AccountId> =
            names.collect::<Result<_, _>>().map_err(|e| malformed(&e))?;
        let confirmed = self
            .accused(|outcome| outcome == Outcome::Confirmed)
            .await?;
        if let Some(open) = accounts.iter().find(|a| !confirmed.contains(*a)) {
            return Err(OfficeError::Conflict(format!(
                "no case was decided against `{open}`: a sketch is made of confirmed accounts only; `fairhold case propose {open} ...` and a colleague's approval come first"
            )));
        }
        if accounts.is_empty() {
            return Err(OfficeError::Invalid(
                "name an account, or give `--logs`".to_owned(),
            ));
        }
        let all = history::of(self.keeper, &accounts).await?;
        sketch(&plan, &all, &BTreeSet::new())
            .map_err(|e| OfficeError::Conflict(format!("failed to {e}")))
    }

    /// The accounts of cases with such an outcome.
    async fn accused(
        &self,
        such: impl Fn(Outcome) -> bool,
    ) -> Result<HashSet<AccountId>, OfficeError> {
        let cases = super::cases::all(self.keeper).await?;
        let those = cases.iter().filter(|case| such(case.outcome()));
        Ok(those
            .flat_map(|case| case.accounts().iter().cloned())
            .collect())
    }

    fn signed(&self, campaign: &Campaign) -> Result<String, OfficeError> {
        let failed = |e: &dyn std::fmt::Display| OfficeError::Invalid(format!("failed to {e}"));
        let payload = campaign.canonical().map_err(|e| failed(&e))?;
        let file = dsse::sign(self.log, CAMPAIGN_KIND, &payload).map_err(|e| failed(&e))?;
        String::from_utf8(file).map_err(|e| failed(&e))
    }

    fn read(&self, file: &str, key: Option<&str>) -> Result<Campaign, OfficeError> {
        let key = signer(key, &self.log.vkey())?;
        read_campaign(&key, file.as_bytes()).map_err(OfficeError::Invalid)
    }

    /// Tries a file on the cleared accounts of the store.
    pub(super) async fn test(&self, asked: &SketchAsked) -> Result<TrialView, OfficeError> {
        let campaign = self.read(&asked.file, asked.key.as_deref())?;
        Ok(trial(&self.tried(&campaign).await?))
    }

    /// Cleared are accounts without an open case and without one decided against them.
    async fn tried(&self, campaign: &Campaign) -> Result<Fired, OfficeError> {
        let accused = self.accused(|outcome| outcome != Outcome::Cleared).await?;
        history::tried(self.keeper, Trial::of(campaign), &accused).await
    }

    /// Tries and activates.
    pub(super) async fn activate(&self, new: Activation) -> Result<ActivationView, OfficeError> {
        let _one_at_a_time = self.known.changes.lock().await;
        let by = PersonId::parse(&new.by).map_err(|e| malformed(&e))?;
        let campaign = self.read(&new.file, new.key.as_deref())?;
        let now = SystemClock.now();
        self.vacant(&campaign, now).await?;
        let mut fired = self.tried(&campaign).await?;
        if let Some(outside) = new.outside {
            fired.result = fired.result.with(BackTest {
                accounts: outside.accounts,
                exchanges: outside.exchanges,
                fired: outside.fired,
            });
        }
        let seen = trial(&fired);
        if Demand::STANDARD.judge(fired.result).is_err() {
            return Ok(ActivationView {
                campaign: view::campaign(&campaign, "refused"),
                trial: seen,
            });
        }
        let invalid = |e: &dyn std::fmt::Display| OfficeError::Invalid(format!("failed to {e}"));
        let campaign = campaign.tested(fired.result).map_err(|e| invalid(&e))?;
        let row = CampaignRow {
            name: campaign.parts().name.clone(),
            activated_at: now,
            activated_by: by.to_string(),
            expires_at: campaign.parts().expires_at,
            expired: None,
            file: self.signed(&campaign)?.into_bytes(),
        };
        let digest = hex::encode(Sha256::digest(&row.file));
        let subject = format!("{} {} sha256:{digest}", row.name, campaign.id());
        let change = CampaignChange::Activated(row.clone());
        let kept = self
            .keeper
            .change_campaign("campaign_activated", subject, change);
        kept.await.map_err(refused)?;
        self.reload().await?;
        Ok(ActivationView {
            campaign: view::row(&row, Some(&campaign), now),
            trial: seen,
        })
    }

    /// Neither its name nor its hashes act already, and it has not expired.
    async fn vacant(&self, campaign: &Campaign, now: Timestamp) -> Result<(), OfficeError> {
        let parts = campaign.parts();
        if parts.expires_at <= now {
            return Err(OfficeError::Conflict(format!(
                "the sketch expired at {}: make it anew",
                parts.expires_at.rfc3339()
            )));
        }
        let rows = self.keeper.database().active_campaigns(now).await;
        let id = campaign.id();
        let known = self.known.current(now);
        for row in rows.map_err(store_failed)? {
            if row.name == parts.name {
                return Err(OfficeError::Conflict(format!(
                    "a campaign `{}` is active already: `fairhold sketch expire {} --by YOU` first, or make this one under another name",
                    row.name, row.name
                )));
            }
        }
        match known.campaign(id) {
            Some(same) => Err(OfficeError::Conflict(format!(
                "the same hashes are active already as `{}`",
                same.parts().name
            ))),
            None => Ok(()),
        }
    }

    async fn reload(&self) -> Result<(), OfficeError> {
        let key = signer(None, &self.log.vkey())?;
        let done = self
            .known
            .reload(self.keeper.database(), &key, SystemClock.now());
        done.await.map_err(store_failed)
    }

    /// Every campaign that was ever activated.
    pub(super) async fn list(&self) -> Result<Vec<CampaignView>, OfficeError> {
        let rows = self.keeper.database().campaigns().await;
        let key = signer(None, &self.log.vkey())?;
        let now = SystemClock.now();
        let rows = rows.map_err(store_failed)?;
        let seen = |row: &CampaignRow| {
            let campaign = read_campaign(&key, &row.file).ok();
            view::row(row, campaign.as_ref(), now)
        };
        Ok(rows.iter().map(seen).collect())
    }

    /// Ends one.
    pub(super) async fn expire(&self, name: &str, by: &str) -> Result<CampaignView, OfficeError> {
        let _one_at_a_time = self.known.changes.lock().await;
        let by = PersonId::parse(by).map_err(|e| malformed(&e))?;
        let now = SystemClock.now();
        let active = self.keeper.database().active_campaigns(now).await;
        let mut active = active.map_err(store_failed)?.into_iter();
        let Some(mut row) = active.find(|row| row.name == name) else {
            return Err(OfficeError::NotFound(format!(
                "no campaign `{name}` is active; `fairhold sketch list` shows all"
            )));
        };
        let change = CampaignChange::Expired {
            name: row.name.clone(),
            at: now,
            by: by.to_string(),
        };
        let kept = self
            .keeper
            .change_campaign("campaign_expired", row.name.clone(), change);
        kept.await.map_err(refused)?;
        self.reload().await?;
        row.expired = Some((now, by.to_string()));
        let key = signer(None, &self.log.vkey())?;
        let campaign = read_campaign(&key, &row.file).ok();
        Ok(view::row(&row, campaign.as_ref(), now))
    }
}
