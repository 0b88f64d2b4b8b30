//! The evidence bundle of a case: what is in it, under what is signed now.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cases::Case;
use console::OfficeError;
use evidence::bundle::{Beginning, Entry, Input, Ledger as Disclosed, Timestamp, write};
use sha2::{Digest as _, Sha256};
use store::{SealedRow, SystemClock};
use verifier::bundle::DISCLOSURE;

use super::disclosed::{self, OfAccount};
use super::evidence_parts::{self, Parts};
use super::ledger::{failed, unread, unsigned};
use crate::judge::Documents;
use crate::keeper::{Keeper, KeeperError};
use crate::ledger::{Ledger, Published};
use crate::notices::message;
use crate::tsa::Tsa;

/// What an export needs.
pub(super) struct Desk<'a> {
    pub(super) keeper: &'a Keeper,
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) tsa: Option<&'a Tsa>,
    pub(super) terms: Option<&'a Documents>,
    pub(super) folder: &'a Path,
}

/// The evidence bundle of a case, which is told of once for each state of the case.
pub(super) async fn export(desk: &Desk<'_>, case: &Case) -> Result<Vec<u8>, OfficeError> {
    let bundle = bundle(desk, case).await?;
    // Evidence is handed out also while nothing can be recorded: it is theirs.
    if let Err(error) = tell(desk.keeper, case, &bundle).await {
        tracing::error!(%error, case = case.id().as_str(), "a bundle is not told of");
    }
    Ok(bundle)
}

async fn tell(keeper: &Keeper, case: &Case, bundle: &[u8]) -> Result<(), KeeperError> {
    let database = keeper.database();
    let steps = case.steps().len() as u64;
    if database.evidence_told(case.id().as_str(), steps).await? {
        return Ok(());
    }
    let (sha256, at) = (hex::encode(Sha256::digest(bundle)), SystemClock.now());
    let outbox = message::sealed(case, &database.endpoints().await?, &sha256, at);
    let row = SealedRow {
        case_id: case.id().to_string(),
        steps,
        sha256,
        at,
        outbox,
    };
    keeper.evidence_sealed(row).await.map(drop)
}

async fn bundle(desk: &Desk<'_>, case: &Case) -> Result<Vec<u8>, OfficeError> {
    let (keeper, ledger) = (desk.keeper, desk.ledger);
    let published = ledger.seal().await.map_err(|e| unsigned(&e))?;
    let chosen = disclosed::of_case(keeper.database(), case, published.sealed).await?;
    let mut extra = evidence_parts::rulings(desk.terms, chosen.records())?;
    let judged = evidence_parts::detector(keeper, desk.folder, case, &chosen).await?;
    extra.extend(judged);
    extra.insert(DISCLOSURE.to_owned(), chosen.told()?);
    let ledgers = ledgers(ledger, &published, chosen).await?;
    let steps: Vec<String> = case.steps().iter().map(cases::Step::canonical).collect();
    let origin = &published.checkpoint.origin;
    let key = ledger.key().under(origin).map_err(failed)?;
    let extra: Vec<(String, Vec<u8>)> = Parts::into_iter(extra).collect();
    write(&Input {
        case: case.id().as_str(),
        statement: &case.statement(),
        steps: &steps,
        key: &key,
        checkpoint: &published.note,
        ledgers: &ledgers,
        entries: &[],
        policy: Some(&ledger.witnesses().policy(&key.vkey())),
        timestamp: timestamp(desk.tsa, &published.note).await.as_ref(),
        extra: &extra,
    })
    .map_err(failed)
}

/// The chosen records with their proofs, ledger by ledger: an account's first records share one
/// proof, others have their own.
async fn ledgers(
    ledger: &Arc<Ledger>,
    published: &Published,
    chosen: disclosed::Chosen,
) -> Result<Vec<Disclosed>, OfficeError> {
    let mut ledgers: BTreeMap<u64, Disclosed> = BTreeMap::new();
    let mut singles = chosen.house;
    for OfAccount {
        account,
        beginning,
        singles: further,
        ..
    } in chosen.accounts
    {
        singles.extend(further);
        if beginning.is_empty() {
            continue;
        }
        let leaves = beginning.into_iter().map(|row| row.leaf).collect();
        let proven = ledger.beginning_under(published, &account, leaves).await;
        let proven = proven.map_err(unread)?;
        let place = proven.ledger.index;
        let disclosed = Disclosed {
            checkpoint: proven.note,
            place,
            proof: proven.ledger.hashes,
            beginning: Some(Beginning {
                leaves: proven.leaves,
                proof: proven.proof,
            }),
            entries: Vec::new(),
        };
        ledgers.insert(place, disclosed);
    }
    for row in singles {
        let receipt = ledger.receipt_under(published, row).await;
        let receipt = receipt.map_err(unread)?;
        let (place, proof) = (receipt.ledger.index, receipt.ledger.hashes);
        let checkpoint = receipt.record.checkpoint;
        let of = ledgers.entry(place).or_insert_with(|| Disclosed {
            checkpoint,
            place,
            proof,
            beginning: None,
            entries: Vec::new(),
        });
        of.entries.push(Entry {
            seq: receipt.seq,
            index: receipt.record.index,
            leaf: receipt.leaf,
            proof: receipt.record.hashes,
        });
    }
    Ok(ledgers.into_values().collect())
}

/// A timestamp over a checkpoint. A bundle without one is a bundle: it only proves less.
async fn timestamp(tsa: Option<&Tsa>, note: &str) -> Option<Timestamp> {
    match tsa?.stamp(note.as_bytes()).await {
        Ok(timestamp) => Some(timestamp),
        Err(why) => {
            tracing::error!("the bundle goes without a timestamp: {why}");
            None
        }
    }
}
