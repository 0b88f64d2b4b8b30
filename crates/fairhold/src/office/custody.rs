//! Bodies: what people order, carried out by the keeper and told in words.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cases::{Case, Outcome};
use console::{
    BodyView, ErasureView, HoldView, NewErasure, NewHold, OfficeError, Reading, RetentionView,
};
use facts::{AccountId, ExchangeId, Timestamp};
use store::{HoldRow, SystemClock};

use super::cases::all;
use super::people::{malformed, refused};
use crate::keeper::{Erased, Keeper, KeeperError, Order};
use crate::registry::forget::{ForgetError, Left, Outputs, REMAIN, Still};

/// What stays with `PostgreSQL`.
const BEYOND: &str = "PostgreSQL's write-ahead log and backups keep older copies of wrapped keys, sealed bodies and texts of imports until they are written over; `fairhold kek rotate` makes keys and bodies unreadable at once (docs/sealed-bodies.md)";

fn order(
    account: &str,
    subject: Option<String>,
    by: &str,
    reason: &str,
) -> Result<Order, OfficeError> {
    if by.trim().is_empty() || reason.trim().is_empty() {
        return Err(OfficeError::Invalid(
            "say who orders it and why (`--by`, `--reason`)".to_owned(),
        ));
    }
    if subject.as_deref() == Some("") {
        return Err(OfficeError::Invalid(
            "the subject is empty; leave it out to mean the whole account".to_owned(),
        ));
    }
    Ok(Order {
        account: AccountId::parse(account).map_err(|e| malformed(&e))?,
        subject,
        by: by.to_owned(),
        reason: reason.to_owned(),
    })
}

/// Erases a subject or an account, unless a hold binds it; then its outputs leave the registry.
/// What was begun goes on to its end, whether or not whoever asked waits for it.
pub(super) async fn erase(
    keeper: &Arc<Keeper>,
    outputs: &Arc<Outputs>,
    new: NewErasure,
) -> Result<ErasureView, OfficeError> {
    let order = order(&new.account, new.subject, &new.by, &new.reason)?;
    let (keeper, outputs) = (Arc::clone(keeper), Arc::clone(outputs));
    let done = tokio::spawn(async move { carried_out(&keeper, &outputs, &order).await });
    done.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an erasure died");
        let why = "failed to erase: it stopped half-way; ask again";
        Err(OfficeError::Unavailable(why.to_owned()))
    })
}

async fn carried_out(
    keeper: &Keeper,
    outputs: &Outputs,
    order: &Order,
) -> Result<ErasureView, OfficeError> {
    // What its writer has read and not written yet must not come after the erasure.
    let mut still = outputs.still().await;
    let erased = keeper.erase(order).await;
    let (erased, taken) = with_outputs(keeper, &mut still, erased).await;
    let account = order.account.to_string();
    let erased = match erased {
        Ok(erased) => erased,
        Err(KeeperError::Held(hold)) => {
            return Ok(ErasureView {
                account,
                held: vec![hold_view(&hold, SystemClock.now())],
                ..ErasureView::default()
            });
        }
        Err(error) => return Err(refused(error)),
    };
    let (left, remain) = match taken {
        Ok(left) => (left, None),
        Err(error) => (Left::default(), Some(error.to_string())),
    };
    let postgres = keeper.database().is_postgres();
    Ok(ErasureView {
        account,
        subject_digest: erased.subject.map(|digest| hex::encode(digest.0)),
        seq: erased.seq,
        months: erased.months,
        keys: erased.keys,
        bodies: erased.bodies,
        imported: erased.imported,
        unattributed: erased.unattributed,
        outputs: left.outputs,
        fingerprints: left.fingerprints,
        fingerprints_remain: remain,
        searched_bytes: erased.scrubbed.searched_bytes,
        rewritten: erased.scrubbed.rewritten,
        held: Vec::new(),
        beyond: (postgres && erased.seq.is_some()).then(|| BEYOND.to_owned()),
    })
}

/// An erasure and what became of its outputs. They leave the registry though something failed: keys
/// may be destroyed whose old bytes could not be taken out of the store's files.
pub(crate) async fn with_outputs(
    keeper: &Keeper,
    still: &mut Still<'_>,
    erased: Result<Erased, KeeperError>,
) -> (Result<Erased, KeeperError>, Result<Left, ForgetError>) {
    let taken = still.take_out(keeper.database()).await;
    if let (Err(_), Err(error)) = (&erased, &taken) {
        // Only the first is answered.
        tracing::error!(%error, "{REMAIN}");
    }
    (erased, taken)
}

/// Places a hold.
pub(super) async fn hold(keeper: &Keeper, new: NewHold) -> Result<HoldView, OfficeError> {
    let order = order(&new.account, new.subject, &new.by, &new.reason)?;
    let now = SystemClock.now();
    let until = match &new.until {
        None => None,
        Some(text) => {
            let at = midnight(text).ok_or_else(|| {
                OfficeError::Invalid(format!("`{text}` is no day; write it as 2027-01-31"))
            })?;
            if at <= now {
                return Err(OfficeError::Invalid(format!("`{text}` is over already")));
            }
            Some(at)
        }
    };
    let row = keeper.hold(&order, until).await.map_err(refused)?;
    Ok(hold_view(&row, now))
}

/// Ends a hold.
pub(super) async fn release(keeper: &Keeper, id: &str, by: &str) -> Result<HoldView, OfficeError> {
    if by.trim().is_empty() {
        return Err(OfficeError::Invalid("say who ends it (`--by`)".to_owned()));
    }
    let row = keeper.release(id, by).await.map_err(refused)?;
    Ok(hold_view(&row, SystemClock.now()))
}

/// Every hold.
pub(super) async fn holds(keeper: &Keeper) -> Result<Vec<HoldView>, OfficeError> {
    let holds = keeper.database().holds().await;
    let holds = holds.map_err(|e| refused(KeeperError::Store(e)))?;
    let now = SystemClock.now();
    Ok(holds.iter().map(|hold| hold_view(hold, now)).collect())
}

/// Lets go of bodies whose time is over.
pub(crate) async fn let_go(
    keeper: &Keeper,
    days: u32,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<RetentionView, OfficeError> {
    if days == 0 {
        return Err(OfficeError::Invalid(
            "bodies are kept for at least one day".to_owned(),
        ));
    }
    let now = SystemClock.now();
    let accused: BTreeSet<AccountId> = all(keeper)
        .await?
        .iter()
        .filter(|case| is_open(case, now))
        .flat_map(|case| case.accounts().iter().cloned())
        .collect();
    let done = keeper.retain(days, &accused, progress).await;
    let done = done.map_err(refused)?;
    Ok(RetentionView {
        days,
        keys: done.keys,
        bodies: done.bodies,
        kept: done.kept,
    })
}

/// Whether what a case rests on may still be asked for.
fn is_open(case: &Case, now: Timestamp) -> bool {
    case.outcome() == Outcome::Open
        || case.pending().is_some()
        || case.review().is_some()
        || case.appeal_pending()
        || case.appeal_until(now).is_some()
}

/// Reads the bodies of an exchange.
pub(super) async fn read(
    keeper: &Keeper,
    exchange: &str,
    reading: Reading,
) -> Result<Vec<BodyView>, OfficeError> {
    if reading.by.trim().is_empty() || reading.reason.trim().is_empty() {
        return Err(OfficeError::Invalid(
            "say who reads and why (`--by`, `--reason`)".to_owned(),
        ));
    }
    let exchange = ExchangeId::parse(exchange).map_err(|e| malformed(&e))?;
    let bodies = keeper.read_bodies(&exchange, &reading.by, &reading.reason);
    let bodies = bodies.await.map_err(refused)?;
    let view = |body: crate::keeper::ReadBody| BodyView {
        what: body.what,
        plaintext: STANDARD.encode(body.plaintext),
        salt: hex::encode(body.salt),
        commitment: hex::encode(body.commitment.0),
    };
    Ok(bodies.into_iter().map(view).collect())
}

/// The beginning of a day written as `2027-01-31`.
fn midnight(text: &str) -> Option<Timestamp> {
    wire::import::parse_rfc3339(&format!("{text}T00:00:00Z"))
}

fn hold_view(hold: &HoldRow, now: Timestamp) -> HoldView {
    let state = match &hold.released {
        Some(_) => "released",
        None if hold.binds(now) => "binding",
        None => "over",
    };
    HoldView {
        hold: hold.id.clone(),
        account: hold.account.to_string(),
        subject_digest: hold.subject.map(|digest| hex::encode(digest.0)),
        state: state.to_owned(),
        placed_at: hold.placed_at.rfc3339(),
        by: hold.placed_by.clone(),
        reason: hold.reason.clone(),
        until: hold.until.map(Timestamp::rfc3339),
        released_by: hold.released.as_ref().map(|(_, by)| by.clone()),
    }
}

#[cfg(test)]
mod tests;
