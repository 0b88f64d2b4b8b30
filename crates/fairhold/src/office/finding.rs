//! Detection over everything the store holds: served and imported.

use std::collections::{BTreeMap, HashMap};

use console::{DetectionView, MemberView, OfficeError, RingView};
use detection::{Report, Settings, SketchKey, detect};
use engine::directory::{Account, Project};
use engine::{Directory, Row};
use facts::{AccountId, Exchange, OrganisationId};
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
    let customers = keeper.ask(|engine| customers(engine.directory()));
    Ok(found(&exchanges, key, customers))
}

/// Who each account belongs to: the accounts of one organisation are one
/// customer, and one customer is no gathering of strangers.
pub(super) fn customers(directory: &Directory) -> BTreeMap<AccountId, OrganisationId> {
    let rows = directory.rows();
    let owned = rows.iter().filter_map(|row| match row {
        Row::Account(Account { id, project, .. }) => {
            let Project { organisation, .. } = directory.project(project)?;
            Some((id.clone(), organisation.clone()))
        }
        Row::Organisation(_) | Row::Project(_) | Row::Key(_) => None,
    });
    owned.collect()
}

/// Looks for rings among exchanges; accounts that `customers` does not name
/// count as customers of their own.
pub(crate) fn found(
    exchanges: &[Exchange],
    key: SketchKey,
    customers: BTreeMap<AccountId, OrganisationId>,
) -> DetectionView {
    let mut settings = Settings::standard(key);
    settings.customers = customers;
    settings.detector = detection::Detector::shipped().ok().map(std::sync::Arc::new);
    let report = detect(exchanges, &settings);
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

#[cfg(test)]
mod tests;
