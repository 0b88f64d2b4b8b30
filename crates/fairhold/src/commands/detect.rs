//! `fairhold detect [FILES..]`: accounts that run one programme, with reasons.

use std::collections::BTreeMap;

use console::{DetectionView, Office};
use detection::SketchKey;

use crate::args::Detect;
use crate::failure::{Exit, Failure};
use crate::logs::read_all;
use crate::office::found;
use crate::out::Out;

/// The key of sketches that are made of files: they meet no others.
const KEY_OF_FILES: [u8; 16] = *b"fairhold detect!";

/// Looks through files, without a store.
pub(crate) fn files(what: &Detect, out: Out) -> Result<Exit, Failure> {
    let exchanges = read_all(&what.files, what.account.as_deref(), out)?;
    let key = SketchKey::new(KEY_OF_FILES);
    show(&found(&exchanges, key, BTreeMap::new()), out)
}

/// Looks through the store.
pub(crate) async fn store<O: Office>(office: &O, out: Out) -> Result<Exit, Failure> {
    show(&office.detect().await?, out)
}

/// Exit 1 when something was found.
fn show(found: &DetectionView, out: Out) -> Result<Exit, Failure> {
    out.data(found)?;
    out.line(&format!(
        "{} exchanges of {} accounts",
        found.exchanges, found.accounts
    ));
    for (n, ring) in found.rings.iter().enumerate() {
        out.line(&format!(
            "{:>3}. {} accounts, score {:.1}",
            n + 1,
            ring.members.len(),
            ring.score
        ));
        for reason in &ring.reasons {
            out.line(&format!("       {reason}"));
        }
        for member in &ring.members {
            out.line(&format!(
                "       {:<40} {:>6} exchanges",
                member.account, member.exchanges
            ));
        }
    }
    let Some(member) = found.rings.first().and_then(|ring| ring.members.first()) else {
        out.line("no accounts run one programme, as far as these exchanges show");
        return Ok(Exit::Clean);
    };
    out.next(&format!(
        "fairhold case propose {} --clause CLAUSE --summary FACTS --by YOU",
        member.account
    ));
    Ok(Exit::Finding)
}
