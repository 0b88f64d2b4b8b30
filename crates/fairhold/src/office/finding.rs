//! Detection over everything the store holds: served and imported.

use std::collections::HashMap;

use console::{DetectionView, MemberView, OfficeError, RingView};
use detection::{Report, Settings, SketchKey, detect};
use facts::{AccountId, Exchange};
use store::ImportedAfter;

use crate::keeper::Keeper;

const PAGE: u32 = 5_000;

/// Looks for rings in the store.
pub(super) async fn in_store(
    keeper: &Keeper,
    key: SketchKey,
) -> Result<DetectionView, OfficeError> {
    let failed = |e: &dyn std::fmt::Display| {
        OfficeError::Unavailable(format!("failed to read the exchanges: {e}"))
    };
    let mut exchanges = keeper.exchanges().await.map_err(|e| failed(&e))?;
    let mut after: Option<ImportedAfter> = None;
    loop {
        let page = keeper.database().imported(None, after.as_ref(), PAGE).await;
        let page = page.map_err(|e| failed(&e))?;
        let Some(last) = page.last() else { break };
        after = Some(ImportedAfter {
            at: last.at,
            exchange: last.id.clone(),
        });
        exchanges.extend(page);
    }
    Ok(found(&exchanges, key))
}

/// Looks for rings among exchanges.
pub(crate) fn found(exchanges: &[Exchange], key: SketchKey) -> DetectionView {
    let report = detect(exchanges, &Settings::standard(key));
    view(&report, exchanges)
}

fn view(report: &Report, exchanges: &[Exchange]) -> DetectionView {
    let mut made: HashMap<&AccountId, u64> = HashMap::new();
    for exchange in exchanges {
        *made.entry(&exchange.account).or_default() += 1;
    }
    let rings = report.clusters.iter().map(|cluster| {
        let mut reasons = cluster.reasons.clone();
        reasons.push(format!(
            "chance that a report on unrelated accounts names any such gathering: at most {:.2e}",
            cluster.bound
        ));
        let member = |account: &AccountId| MemberView {
            account: account.to_string(),
            score: cluster.score,
            exchanges: made.get(account).copied().unwrap_or(0),
        };
        RingView {
            score: cluster.score,
            reasons,
            shared: vec![cluster.programme.clone()],
            members: cluster.accounts.iter().map(member).collect(),
        }
    });
    DetectionView {
        accounts: report.accounts,
        exchanges: report.exchanges,
        programmes: report.programmes,
        rings: rings.collect(),
    }
}
