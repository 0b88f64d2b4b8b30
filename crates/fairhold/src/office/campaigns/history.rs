//! What accounts sent, served and imported, page by page: memory holds one page.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use console::OfficeError;
use detection::campaign::{Fired, Trial};
use facts::{AccountId, Exchange};
use store::ImportedAfter;

use crate::keeper::Keeper;

const PAGE: u32 = 5_000;

/// Exchanges read of one confirmed account: a sketch needs a hundred, more make it no better.
const CONFIRMED_MAX: usize = 20_000;

fn failed(error: &dyn std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the exchanges: {error}"))
}

/// Where a reading stands.
enum Next {
    Served(u64),
    Imported(Option<ImportedAfter>),
    Nothing,
}

/// The next page; none at the end.
async fn page(keeper: &Keeper, next: &mut Next) -> Result<Option<Vec<Exchange>>, OfficeError> {
    match next {
        Next::Served(from) => {
            let read = keeper.exchanges_from(*from).await;
            let (page, further) = read.map_err(|e| failed(&e))?;
            *next = further.map_or(Next::Imported(None), Next::Served);
            Ok(Some(page))
        }
        Next::Imported(after) => {
            let read = keeper.database().imported(None, after.as_ref(), PAGE).await;
            let page = read.map_err(|e| failed(&e))?;
            *next = match page.last() {
                Some(last) => Next::Imported(Some(ImportedAfter {
                    at: last.at,
                    exchange: last.id.clone(),
                })),
                None => Next::Nothing,
            };
            Ok(Some(page))
        }
        Next::Nothing => Ok(None),
    }
}

/// What these accounts sent.
pub(super) async fn of(
    keeper: &Keeper,
    accounts: &BTreeSet<AccountId>,
) -> Result<Vec<Exchange>, OfficeError> {
    let mut all = Vec::new();
    let mut next = Next::Served(0);
    while let Some(page) = page(keeper, &mut next).await? {
        all.extend(page.into_iter().filter(|e| accounts.contains(&e.account)));
        if all.len() >= CONFIRMED_MAX {
            break;
        }
    }
    Ok(all)
}

/// Tries the campaign on everybody but the accused.
pub(super) async fn tried(
    keeper: &Arc<Keeper>,
    mut trial: Trial,
    accused: &HashSet<AccountId>,
) -> Result<Fired, OfficeError> {
    let mut next = Next::Served(0);
    while let Some(mut page) = page(keeper, &mut next).await? {
        page.retain(|exchange| !accused.contains(&exchange.account));
        // A page is some hundred milliseconds of arithmetic, and requests are being served.
        let done = tokio::task::spawn_blocking(move || {
            for exchange in &page {
                trial.observe(exchange);
            }
            trial
        });
        trial = done.await.map_err(|e| failed(&e))?;
    }
    Ok(trial.finish())
}
