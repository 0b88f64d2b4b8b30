//! How much of the agreed volumes was used before this process started: read
//! from the log, of accounts with such an agreement only.

use std::collections::HashMap;

use engine::directory::Account;
use engine::{Engine, Row};
use evidence::{Event, Record};
use facts::Timestamp;
use store::{Database, StoreError};
use terms::Purpose;

/// Counts this month's requests.
pub(super) async fn restore(
    engine: &mut Engine,
    database: &Database,
    now: Timestamp,
) -> Result<(), StoreError> {
    let accounts: Vec<_> = engine
        .directory()
        .rows()
        .into_iter()
        .filter_map(|row| match row {
            Row::Account(row) if !row.agreement.expected.is_empty() => Some(row),
            Row::Account(_) | Row::Organisation(_) | Row::Project(_) | Row::Key(_) => None,
        })
        .collect();
    for account in accounts {
        for (purpose, asked) in of(database, &account, now).await? {
            engine.restore_usage(&account.id, purpose, now, asked);
        }
    }
    Ok(())
}

/// This month's requests of an account with agreed volumes, by purpose; none
/// of any other.
pub(super) async fn of(
    database: &Database,
    account: &Account,
    now: Timestamp,
) -> Result<HashMap<Purpose, u64>, StoreError> {
    let mut counts = HashMap::new();
    if account.agreement.expected.is_empty() {
        return Ok(counts);
    }
    let month = |at: Timestamp| -> String { at.rfc3339().chars().take(7).collect() };
    // No month is longer; a little more is read and then told apart.
    let since = Timestamp(now.0.saturating_sub(31 * 86_400_000));
    for leaf in database.intents_of(&account.id, since).await? {
        if let Ok((_, record)) = Record::parse(&leaf)
            && month(record.at) == month(now)
            && let Event::Intent { purpose, .. } = record.event
            && let Some(purpose) = purpose.and_then(|word| Purpose::parse(&word).ok())
        {
            *counts.entry(purpose).or_default() += 1;
        }
    }
    Ok(counts)
}
