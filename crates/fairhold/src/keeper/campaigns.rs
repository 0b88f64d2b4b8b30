//! What the keeper does for known campaigns: it records their changes and opens what was served,
//! page by page.

use evidence::{Event, Record};
use facts::Exchange;
use store::{CampaignChange, Change, Entry};

use super::{Keeper, KeeperError};

/// Records read at once.
const PAGE: u64 = 5_000;

impl Keeper {
    /// Keeps a change of the known campaigns together with its record.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing was changed.
    pub async fn change_campaign(
        &self,
        word: &str,
        subject: String,
        change: CampaignChange,
    ) -> Result<(), KeeperError> {
        let _one_at_a_time = self.commands.lock().await;
        let mut entry = Entry::of(Record {
            at: self.clock.now(),
            account: None,
            event: Event::Directory {
                change: word.to_owned(),
                subject,
            },
        });
        entry.change = Some(Change::Campaign(change));
        self.journal.append_all(vec![entry]).await?;
        Ok(())
    }

    /// The requests let upstream among a page of records from `from` on, opened; and where the
    /// next page starts, unless this was the last. Bodies that were forgotten are left out.
    ///
    /// # Errors
    /// [`KeeperError`] when a record cannot be read.
    pub async fn exchanges_from(
        &self,
        from: u64,
    ) -> Result<(Vec<Exchange>, Option<u64>), KeeperError> {
        let size = self.database.count().await?;
        let mut page = Vec::new();
        for row in self.database.records(from..from + PAGE).await? {
            if row.kind == "intent"
                && let Ok((_, record)) = Record::parse(&row.leaf)
                && let Some(exchange) = self.opened(record).await?
            {
                page.push(exchange);
            }
        }
        let next = from + PAGE;
        Ok((page, (next < size).then_some(next)))
    }
}
