//! `fairhold ledger`, `fairhold receipt`: what is sealed, and what proves it.

use console::{Office, Receipt, ReceiptView};
use evidence::checkpoint::Verifier;
use serde_json::json;
use verifier::proof::TlogProof;

use crate::args::ledger::Ledger;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Lists, rotates, prints the policy.
pub(crate) async fn run<O: Office>(office: &O, what: Ledger, out: Out) -> Result<Exit, Failure> {
    match what {
        Ledger::List => list(office, out).await,
        Ledger::Rotate { reason } => {
            let begun = office.rotate(&reason).await?;
            out.data(&begun)?;
            out.line(&format!("a new epoch begins under {}", begun.vkey));
            out.say("give that key to your witnesses and to whoever verifies; the old one keeps its meaning for what was signed before");
            out.next("fairhold ledger list");
            Ok(Exit::Clean)
        }
        Ledger::Policy => {
            let ledgers = office.ledgers().await?;
            out.data(&json!({"policy": ledgers.policy}))?;
            out.line(ledgers.policy.trim_end());
            Ok(Exit::Clean)
        }
    }
}

async fn list<O: Office>(office: &O, out: Out) -> Result<Exit, Failure> {
    let ledgers = office.ledgers().await?;
    out.data(&ledgers)?;
    for epoch in &ledgers.epochs {
        out.line(&format!(
            "epoch {}  {}  {} entries, {} records, since {}: {}",
            epoch.epoch, epoch.origin, epoch.size, epoch.sealed, epoch.began, epoch.reason
        ));
    }
    for ledger in &ledgers.ledgers {
        let name = ledger.account.as_deref().unwrap_or("(no account)");
        out.line(&format!(
            "{name:<32} {:>10} records  {}",
            ledger.size, ledger.origin
        ));
    }
    let Some(why) = ledgers.refused else {
        out.next("fairhold export ledger DIR --all");
        return Ok(Exit::Clean);
    };
    out.say(&why);
    Ok(Exit::Finding)
}

/// Prints a receipt once it holds.
pub(crate) async fn receipt<O: Office>(office: &O, seq: u64, out: Out) -> Result<Exit, Failure> {
    let receipt = match office.receipt(None, seq).await? {
        Receipt::Sealed(receipt) => receipt,
        Receipt::NotYet => {
            out.say(&format!(
                "record {seq} is kept and not sealed yet; ask again in a second"
            ));
            return Ok(Exit::Undecided);
        }
    };
    if let Err(why) = holds(&receipt) {
        out.data(&json!({"seq": seq, "holds": false, "why": why}))?;
        out.say(&format!("the receipt of record {seq} does not hold: {why}"));
        out.next("fairhold fsck");
        return Ok(Exit::Finding);
    }
    out.data(&json!({"seq": seq, "holds": true, "receipt": receipt}))?;
    out.line(receipt.proof.trim_end());
    out.say(&format!(
        "record {seq} holds: in its ledger ({}), and that in the root log ({})",
        receipt.ledger_vkey, receipt.vkey
    ));
    Ok(Exit::Clean)
}

/// The record under its ledger's checkpoint, and that checkpoint under the root's.
fn holds(receipt: &ReceiptView) -> Result<(), String> {
    let key = |vkey: &str| Verifier::parse(vkey).map_err(|e| e.to_string());
    let proof = TlogProof::parse(&receipt.proof).map_err(|e| e.to_string())?;
    let ledger = proof
        .verify(receipt.record.as_bytes(), &key(&receipt.ledger_vkey)?)
        .map_err(|e| e.to_string())?;
    if ledger.body() != receipt.ledger {
        return Err("the ledger's checkpoint is not the one in the root log".to_owned());
    }
    TlogProof::parse(&receipt.ledger_proof)
        .and_then(|proof| {
            let root =
                Verifier::parse(&receipt.vkey).map_err(verifier::proof::TlogProofError::Note)?;
            proof.verify(receipt.ledger.as_bytes(), &root)
        })
        .map(drop)
        .map_err(|e| e.to_string())
}
