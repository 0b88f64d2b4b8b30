//! Known campaigns that were activated, and until when they act.

use facts::Timestamp;

use crate::database::{Cell, Database, Row, StoreError};

/// A campaign that was activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRow {
    /// Its name; at most one of a name acts at a time.
    pub name: String,
    /// When it was activated.
    pub activated_at: Timestamp,
    /// By whom.
    pub activated_by: String,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When a person ended it, and who.
    pub expired: Option<(Timestamp, String)>,
    /// Its signed file.
    pub file: Vec<u8>,
}

/// What happens to a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CampaignChange {
    /// It is activated.
    Activated(CampaignRow),
    /// The one of this name that acts ends.
    Expired {
        /// Its name.
        name: String,
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
    },
}

impl CampaignChange {
    /// Why nothing was written.
    pub(crate) fn refusal(&self) -> String {
        match self {
            Self::Activated(row) => format!("campaign `{}` was not written", row.name),
            Self::Expired { name, .. } => format!("no active campaign `{name}`"),
        }
    }
}

impl CampaignRow {
    /// Whether it acts at `now`.
    pub fn acts(&self, now: Timestamp) -> bool {
        self.expired.is_none() && now < self.expires_at
    }
}

impl Database {
    /// Every campaign that was ever activated, by name and moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn campaigns(&self) -> Result<Vec<CampaignRow>, StoreError> {
        let sql = "SELECT name, activated_at, activated_by, expires_at, expired_at, expired_by, file FROM campaigns ORDER BY name, activated_at";
        let rows = self.rows(sql, Vec::new()).await?;
        rows.iter().map(campaign).collect()
    }

    /// Those that act at `now`, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn active_campaigns(&self, now: Timestamp) -> Result<Vec<CampaignRow>, StoreError> {
        let mut all = self.campaigns().await?;
        all.retain(|row| row.acts(now));
        Ok(all)
    }
}

fn campaign(row: &Row) -> Result<CampaignRow, StoreError> {
    let expired = match (row.int_or_none(4)?, row.text_or_none(5)?) {
        (Some(at), Some(by)) => Some((Timestamp(at), by)),
        _ => None,
    };
    Ok(CampaignRow {
        name: row.text(0)?,
        activated_at: Timestamp(row.int(1)?),
        activated_by: row.text(2)?,
        expires_at: Timestamp(row.int(3)?),
        expired,
        file: row.bytes(6)?,
    })
}

pub(crate) fn statement(change: &CampaignChange) -> (&'static str, Vec<Cell>) {
    match change {
        CampaignChange::Activated(row) => (
            "INSERT INTO campaigns (name, activated_at, activated_by, expires_at, file) VALUES ($1, $2, $3, $4, $5)",
            vec![
                Cell::text(row.name.as_str()),
                Cell::int(row.activated_at.0),
                Cell::text(row.activated_by.as_str()),
                Cell::int(row.expires_at.0),
                Cell::Bytes(row.file.clone()),
            ],
        ),
        CampaignChange::Expired { name, at, by } => (
            "UPDATE campaigns SET expired_at = $1, expired_by = $2 WHERE name = $3 AND expired_at IS NULL AND expires_at > $1",
            vec![
                Cell::int(at.0),
                Cell::text(by.as_str()),
                Cell::text(name.as_str()),
            ],
        ),
    }
}
