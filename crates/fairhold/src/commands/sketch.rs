//! `fairhold sketch make|test|activate|list|expire`.

use std::path::{Path, PathBuf};

use console::{Activation, CampaignView, NewSketch, Office, SketchAsked, TrialCounts, TrialView};
use detection::campaign::{Campaign, Fired, Trial, carried_widely, make as sketch};
use evidence::checkpoint::Verifier;
use serde_json::json;

use crate::args::sketch::{Activate, Make, Sketch, Test};
use crate::campaigns::read_campaign;
use crate::failure::{Exit, Failure};
use crate::logs::read_all;
use crate::office::campaigns::{planned, signer, trial};
use crate::out::Out;

/// The largest file that is read: the largest sketch, twice over.
const FILE_BYTES_MAX: u64 = 512 << 10;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Sketch, out: Out) -> Result<Exit, Failure> {
    match what {
        Sketch::Make(what) => make(office, &what, out).await,
        Sketch::Test(what) => test(office, &what, out).await,
        Sketch::Activate(what) => activate(office, what, out).await,
        Sketch::List => {
            let all = office.campaigns().await?;
            out.data(&all)?;
            for campaign in &all {
                line(campaign, out);
            }
            if all.is_empty() {
                out.line("no campaigns");
                out.next("fairhold sketch make ACCOUNT --name NAME --out FILE");
            }
            Ok(Exit::Clean)
        }
        Sketch::Expire { name, by } => {
            let ended = office.expire_campaign(&name, &by).await?;
            out.data(&ended)?;
            line(&ended, out);
            out.next("fairhold sketch list");
            Ok(Exit::Clean)
        }
    }
}

async fn make<O: Office>(office: &O, what: &Make, out: Out) -> Result<Exit, Failure> {
    let payload = if what.logs.is_empty() {
        out.say("reading what the confirmed accounts sent");
        None
    } else {
        Some(of_logs(what, out)?)
    };
    let new = NewSketch {
        name: what.name.clone(),
        days: what.days,
        accounts: what.accounts.clone(),
        payload,
    };
    let made = office.make_sketch(new).await?;
    std::fs::write(&what.out, &made.file)
        .map_err(|e| Failure::error(format!("failed to write `{}`: {e}", what.out.display())))?;
    let path = what.out.display().to_string();
    out.data(&json!({"file": path, "campaign": made.campaign}))?;
    out.line(&format!(
        "{path}: {} hashes of {} programmes, from {} different prompts of {} accounts",
        made.campaign.hashes,
        made.campaign.programmes,
        made.campaign.prompts,
        made.campaign.accounts
    ));
    out.next(&format!("fairhold sketch test {path}"));
    Ok(Exit::Clean)
}

fn of_logs(what: &Make, out: Out) -> Result<String, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::error(format!("failed to {e}"));
    let plan = planned(&what.name, what.days)?;
    let confirmed = read_all(&what.logs, None, out)?;
    let common = read_all(&what.common, None, out)?;
    let common = carried_widely(&common, 2);
    let campaign = sketch(&plan, &confirmed, &common).map_err(|e| failed(&e))?;
    let payload = campaign.canonical().map_err(|e| failed(&e))?;
    String::from_utf8(payload).map_err(|e| failed(&e))
}

fn file(path: &Path) -> Result<String, Failure> {
    let failed = |e: &dyn std::fmt::Display| {
        Failure::error(format!("failed to read `{}`: {e}", path.display()))
    };
    let length = std::fs::metadata(path).map_err(|e| failed(&e))?.len();
    if length > FILE_BYTES_MAX {
        return Err(failed(&format!(
            "{length} bytes are more than a sketch has ({FILE_BYTES_MAX})"
        )));
    }
    std::fs::read_to_string(path).map_err(|e| failed(&e))
}

async fn test<O: Office>(office: &O, what: &Test, out: Out) -> Result<Exit, Failure> {
    let text = file(&what.file)?;
    let seen = if what.logs.is_empty() {
        out.say("trying the sketch on the store's cleared accounts");
        let asked = SketchAsked {
            file: text,
            key: what.key.clone(),
        };
        office.try_sketch(asked).await?
    } else {
        let campaign = opened(office, &text, what.key.as_deref()).await?;
        trial(&tried(&campaign, &what.logs, out)?)
    };
    out.data(&seen)?;
    show(&seen, out);
    if seen.allowed {
        out.next(&format!(
            "fairhold sketch activate {} --by YOU",
            what.file.display()
        ));
    }
    Ok(verdict(&seen))
}

async fn activate<O: Office>(office: &O, what: Activate, out: Out) -> Result<Exit, Failure> {
    let text = file(&what.file)?;
    let outside = if what.logs.is_empty() {
        None
    } else {
        let campaign = opened(office, &text, what.key.as_deref()).await?;
        let seen = tried(&campaign, &what.logs, out)?.result;
        Some(TrialCounts {
            accounts: seen.accounts,
            exchanges: seen.exchanges,
            fired: seen.fired,
        })
    };
    out.say("trying the sketch on the store's cleared accounts");
    let activation = Activation {
        file: text,
        key: what.key,
        by: what.by,
        outside,
    };
    let done = office.activate_sketch(activation).await?;
    out.data(&done)?;
    show(&done.trial, out);
    line(&done.campaign, out);
    if done.trial.allowed {
        out.next("fairhold sketch list");
    }
    Ok(verdict(&done.trial))
}

/// The house's key under the log's own name, whatever the log's epoch: sketches are signed so.
fn own_name(vkey: &str) -> Result<String, Failure> {
    Verifier::parse(vkey)
        .and_then(|key| key.under(verifier::bundle::log_name(key.name())))
        .map(|key| key.vkey())
        .map_err(|e| Failure::error(format!("failed to read the log's key: {e}")))
}

/// The campaign in a file, its signature checked against the given key or the house's own.
async fn opened<O: Office>(office: &O, text: &str, key: Option<&str>) -> Result<Campaign, Failure> {
    let own = match key {
        Some(_) => String::new(),
        None => own_name(&office.checkpoint().await?.vkey)?,
    };
    let key = signer(key, &own)?;
    read_campaign(&key, text.as_bytes()).map_err(Failure::error)
}

fn tried(campaign: &Campaign, logs: &[PathBuf], out: Out) -> Result<Fired, Failure> {
    let exchanges = read_all(logs, None, out)?;
    let mut trial = Trial::of(campaign);
    let bar = out.progress(exchanges.len() as u64, "exchanges");
    for part in exchanges.chunks(1_000) {
        for exchange in part {
            trial.observe(exchange);
        }
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    Ok(trial.finish())
}

/// 0 when it may act, 1 when it fires too often, 3 when too few accounts were tried to tell.
fn verdict(seen: &TrialView) -> Exit {
    if seen.allowed {
        Exit::Clean
    } else if seen.fired == 0 {
        Exit::Undecided
    } else {
        Exit::Finding
    }
}

fn show(seen: &TrialView, out: Out) {
    out.line(&format!(
        "fires on {} of {} cleared accounts with {} exchanges ({:.2} %, 95 % interval {:.2} % to {:.2} %)",
        seen.fired,
        seen.accounts,
        seen.exchanges,
        seen.rate * 100.0,
        seen.interval.0 * 100.0,
        seen.interval.1 * 100.0
    ));
    for account in &seen.fired_on {
        out.line(&format!("  {account}"));
    }
    if let Some(refusal) = &seen.refusal {
        out.say(refusal);
    }
}

fn line(campaign: &CampaignView, out: Out) {
    let tried = campaign.back_test.map_or_else(String::new, |t| {
        format!("  fired on {} of {} cleared accounts", t.fired, t.accounts)
    });
    let by = campaign.activated_by.as_deref().unwrap_or("nobody");
    out.line(&format!(
        "{:<24} {:<10} until {}  {} programmes, {} hashes  activated by {by}{tried}",
        campaign.name, campaign.state, campaign.expires_at, campaign.programmes, campaign.hashes
    ));
}
