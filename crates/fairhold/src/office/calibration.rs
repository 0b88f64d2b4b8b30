//! Calibrating on what the store holds: cleared accounts, one after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::cases::Outcome;
use console::{CalibrationView, OfficeError};
use detection::{Detector, Peers, Reader};
use facts::{AccountId, Exchange};

use super::cases;
use super::finding::customers;
use crate::calibrate::{EXCHANGES_MAX, Honest, LeftOut, Trajectory, calibrate};
use crate::keeper::Keeper;
use crate::watch::book::declared;

fn failed(error: &dyn std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to calibrate: {error}"))
}

/// The calibration on every account that nothing is held against.
pub(super) async fn of_store(keeper: &Arc<Keeper>) -> Result<CalibrationView, OfficeError> {
    let shipped = Detector::shipped().map_err(|e| failed(&e))?;
    let customers = keeper.ask(|engine| customers(engine.directory()));
    let imported = keeper.database().imported_accounts().await;
    let mut accounts: BTreeSet<AccountId> = imported.map_err(|e| failed(&e))?.into_iter().collect();
    accounts.extend(customers.keys().cloned());
    let (accused, found) = (accused(keeper).await?, found(keeper).await?);
    let mut left_out = LeftOut::default();
    let mut honest = Vec::new();
    for account in accounts {
        if accused.contains(&account) {
            left_out.accused += 1;
        } else if found.contains(&account) {
            left_out.found += 1;
        } else {
            let customer = customers.get(&account);
            // An account of imported logs that nobody opened here is a customer of its own.
            let customer =
                customer.map_or_else(|| format!("account {account}"), ToString::to_string);
            let peers: Option<Peers> = declared(keeper, &account);
            let trajectory = read(keeper, &account, &shipped).await?;
            honest.push(Honest {
                account,
                customer,
                declared: peers,
                trajectory,
            });
        }
    }
    calibrate(shipped, honest, left_out).map_err(|e| failed(&e))
}

/// Whoever a case names, unless it was dismissed or its measures lifted.
async fn accused(keeper: &Keeper) -> Result<BTreeSet<AccountId>, OfficeError> {
    let cases = cases::all(keeper).await?;
    let open = cases
        .iter()
        .filter(|case| case.outcome() != Outcome::Cleared);
    Ok(open.flat_map(|c| c.accounts().to_vec()).collect())
}

/// Whoever the watch has found, or noted: who is authorised to harvest is no honest peer of others.
async fn found(keeper: &Keeper) -> Result<BTreeSet<AccountId>, OfficeError> {
    let rows = keeper.database().findings(None).await;
    let rows = rows.map_err(|e| failed(&e))?;
    Ok(rows.into_iter().map(|row| row.account).collect())
}

/// One account's way through the looks; memory holds no more than its exchanges.
async fn read(
    keeper: &Arc<Keeper>,
    account: &AccountId,
    shipped: &Detector,
) -> Result<Trajectory, OfficeError> {
    let imported = keeper.database();
    let imported = imported.imported(Some(account), None, EXCHANGES_MAX).await;
    let imported: Vec<Exchange> = imported.map_err(|e| failed(&e))?;
    let ended = keeper.first_ended(account, EXCHANGES_MAX).await;
    let ended = ended.map_err(|e| failed(&e))?;
    let (keeper, head) = (Arc::clone(keeper), shipped.head.clone());
    let done = tokio::task::spawn_blocking(move || {
        let (mut reader, mut trajectory) = (Reader::default(), Trajectory::default());
        let served = ended.iter().filter_map(|e| keeper.reopened(&e.request));
        for exchange in imported.into_iter().chain(served) {
            trajectory.observe(&exchange, &head, &mut reader);
        }
        trajectory
    });
    done.await.map_err(|e| failed(&e))
}
