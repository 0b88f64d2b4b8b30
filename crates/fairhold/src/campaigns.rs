//! Which known campaigns act now? Loaded from the store, kept in memory, exchanged at once when
//! one is activated or ends.

use std::sync::{Arc, Mutex, PoisonError};

use detection::campaign::{Campaign, Matcher};
use evidence::checkpoint::Verifier;
use evidence::dsse;
use facts::Timestamp;
use store::{CampaignRow, Database, StoreError};

/// The type of the payload of a campaign's file.
pub const CAMPAIGN_KIND: &str = "application/vnd.fairhold.campaign+json";

/// Reads a signed file as a campaign.
///
/// # Errors
/// Words that say which signature or field does not hold.
pub fn read_campaign(key: &Verifier, file: &[u8]) -> Result<Campaign, String> {
    let payload = dsse::open(key, CAMPAIGN_KIND, file).map_err(|e| format!("failed to {e}"))?;
    Campaign::parse(&payload).map_err(|e| format!("failed to {e}"))
}

/// The campaigns that act at `now`, as their files in the store say. A file that does not hold is
/// told to the log and left out: one bad row must not let all others go unnoticed.
///
/// # Errors
/// [`StoreError`].
pub async fn active_campaigns(
    database: &Database,
    key: &Verifier,
    now: Timestamp,
) -> Result<Matcher, StoreError> {
    let rows = database.active_campaigns(now).await?;
    let read = |row: &CampaignRow| match read_campaign(key, &row.file) {
        Ok(campaign) => Some(campaign),
        Err(error) => {
            tracing::error!(campaign = row.name, error, "an active campaign is left out");
            None
        }
    };
    Ok(Matcher::new(rows.iter().filter_map(read)))
}

/// The campaigns that act in this process.
#[derive(Debug, Default)]
pub struct KnownCampaigns {
    matcher: Mutex<Arc<Matcher>>,
    /// Activations and endings follow each other.
    pub(crate) changes: tokio::sync::Mutex<()>,
}

impl KnownCampaigns {
    /// What to match with at `now`; what expired in between is gone.
    pub fn current(&self, now: Timestamp) -> Arc<Matcher> {
        let mut held = self.matcher.lock().unwrap_or_else(PoisonError::into_inner);
        if held.valid_until().is_some_and(|end| end <= now) {
            *held = Arc::new(held.without_expired(now));
        }
        Arc::clone(&held)
    }

    /// Reads the store anew.
    ///
    /// # Errors
    /// [`StoreError`]; what was held stays.
    pub async fn reload(
        &self,
        database: &Database,
        key: &Verifier,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let read = Arc::new(active_campaigns(database, key, now).await?);
        *self.matcher.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
