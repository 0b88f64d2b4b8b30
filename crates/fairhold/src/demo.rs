//! `fairhold demo`: the whole story once, over real sockets with real keys.

mod drive;
mod open;
mod play;
mod provenance;
mod report;

pub(crate) use provenance::sentences;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use simulation::{Fleet, FleetShape};

use crate::args::{Demo, DemoAct};
use crate::failure::{Exit, Failure};
use crate::out::Out;
use play::Played;
use report::{AccountRow, ClusterRow, Story};

/// What `--json` prints; the keys are stable (README).
#[derive(Debug, Serialize)]
struct Figures {
    accounts: usize,
    exchanges: usize,
    ring_members: usize,
    ring_found: usize,
    ring_refused: usize,
    innocent_found: usize,
    innocent_refused: usize,
    verify: String,
    tamper_detected: bool,
    seconds: f64,
    report: String,
    bundle: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(what: Demo, out: Out) -> Result<Exit, Failure> {
    if what.act == DemoAct::Provenance {
        return provenance::run(&what.out, what.seed, out).await;
    }
    let began = Instant::now();
    let (fleet, traffic) = fleet(&what)?;
    out.say(&format!(
        "fleet: {} accounts, {} exchanges ({traffic})",
        fleet.accounts.len(),
        fleet.exchanges.len()
    ));
    let data = prepare(&what.out)?;
    let played = play::play(&fleet, &data, out).await?;
    let bundle = match &played.bundle {
        None => None,
        Some(bytes) => Some(write(&what.out, "case.evidence.zip", bytes)?),
    };
    let (verify, tamper_detected) = check(&played);
    let seconds = began.elapsed().as_secs_f64();
    let story = story(&fleet, &played, traffic, &verify, tamper_detected, seconds);
    let page = write(&what.out, "report.html", story.html().as_bytes())?;
    let count = |which: fn(&AccountRow) -> bool| story.accounts.iter().filter(|a| which(a)).count();
    let figures = Figures {
        accounts: fleet.accounts.len(),
        exchanges: fleet.exchanges.len(),
        ring_members: count(|a| a.ring),
        ring_found: count(|a| a.ring && a.found),
        ring_refused: count(|a| a.ring && a.refused),
        innocent_found: count(|a| !a.ring && a.found),
        innocent_refused: count(|a| !a.ring && a.refused),
        verify,
        tamper_detected,
        seconds,
        report: page.display().to_string(),
        bundle: bundle.as_ref().map(|b| b.display().to_string()),
    };
    let exit = tell(&figures, &played, out)?;
    let stays = what.serve || out.is_read_by_a_person();
    if stays {
        open::house(&data, &fleet, &played, out).await?;
    } else {
        out.next("fairhold demo --serve (the same, and its console stays open)");
    }
    Ok(exit)
}

fn fleet(what: &Demo) -> Result<(Fleet, String), Failure> {
    if let (Some(dir), Some(ring)) = (&what.traffic, &what.ring) {
        let fleet = Fleet::from_pool(dir, ring, what.accounts, what.each, what.seed)
            .map_err(|e| Failure::error(format!("failed to {e}")))?;
        return Ok((
            fleet,
            format!("recorded traffic, `{ring}` as the ring, seed {}", what.seed),
        ));
    }
    let fleet = Fleet::generate(what.seed, FleetShape::default())
        .map_err(|e| Failure::error(e.to_string()))?;
    Ok((fleet, format!("our own templates, seed {}", what.seed)))
}

/// An empty data folder below `out`; that of an earlier demo is removed.
fn prepare(out: &Path) -> Result<PathBuf, Failure> {
    let data = out.join("data");
    let failed =
        |e: std::io::Error| Failure::error(format!("failed to prepare `{}`: {e}", out.display()));
    std::fs::create_dir_all(out).map_err(failed)?;
    if data.exists() {
        if !data.join("fairhold.db").exists() {
            let text = format!(
                "`{}` is there and no earlier demo's; choose another --out",
                data.display()
            );
            return Err(Failure::error(text));
        }
        std::fs::remove_dir_all(&data).map_err(failed)?;
    }
    Ok(data)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
    let path = folder.join(name);
    std::fs::write(&path, bytes)
        .map_err(|e| Failure::error(format!("failed to write `{}`: {e}", path.display())))?;
    Ok(path)
}

/// Verifies the bundle, then the same with one byte altered.
fn check(played: &Played) -> (String, bool) {
    let Some(bundle) = &played.bundle else {
        return ("no case was opened".to_owned(), false);
    };
    let trust = evidence::verify::Trust {
        key: Some(&played.vkey),
        ..Default::default()
    };
    let report = evidence::verify::verify(bundle, &trust);
    let mut altered = bundle.clone();
    let middle = altered.len() / 2;
    if let Some(byte) = altered.get_mut(middle) {
        *byte ^= 1;
    }
    let tampered = evidence::verify::verify(&altered, &trust);
    let word = report
        .fault
        .unwrap_or_else(|| report.verdict.word().to_owned());
    (word, tampered.verdict == evidence::verify::Verdict::Failed)
}

fn story(
    fleet: &Fleet,
    played: &Played,
    traffic: String,
    verify: &str,
    tamper: bool,
    seconds: f64,
) -> Story {
    let found: Vec<&str> = played
        .detection
        .rings
        .iter()
        .flat_map(|ring| ring.members.iter().map(|m| m.account.as_str()))
        .collect();
    let mut made = vec![0; fleet.accounts.len()];
    for exchange in &fleet.exchanges {
        if let Some(count) = made.get_mut(exchange.account) {
            *count += 1;
        }
    }
    let rows = fleet.accounts.iter().zip(made).zip(&played.refused);
    Story {
        traffic,
        accounts: rows
            .map(|((account, exchanges), refused)| AccountRow {
                name: account.name.to_string(),
                kind: account.kind.clone(),
                exchanges,
                ring: account.ring,
                found: found.contains(&account.name.as_str()),
                refused: *refused,
            })
            .collect(),
        programmes: played.detection.programmes,
        clusters: played
            .detection
            .rings
            .iter()
            .map(|ring| ClusterRow {
                accounts: ring.members.iter().map(|m| m.account.clone()).collect(),
                bound: format!("Score {:.1}.", ring.score),
                reasons: ring.reasons.clone(),
            })
            .collect(),
        case: played.cases.first().cloned(),
        millis: played.millis.clone(),
        verify: verify.to_owned(),
        altered: if tamper {
            "failed".to_owned()
        } else {
            "not noticed".to_owned()
        },
        seconds,
    }
}

fn tell(figures: &Figures, played: &Played, out: Out) -> Result<Exit, Failure> {
    out.data(figures)?;
    out.line(&format!("accounts          {}", figures.accounts));
    out.line(&format!(
        "exchanges         {} ({} served)",
        figures.exchanges, played.served
    ));
    out.line(&format!(
        "ring found        {} of {}",
        figures.ring_found, figures.ring_members
    ));
    out.line(&format!(
        "ring refused      {} of {}",
        figures.ring_refused, figures.ring_members
    ));
    out.line(&format!("innocent found    {}", figures.innocent_found));
    out.line(&format!("innocent refused  {}", figures.innocent_refused));
    out.line(&format!(
        "bundle            {}; one byte altered: {}",
        figures.verify,
        if figures.tamper_detected {
            "failed, as it must"
        } else {
            "not noticed"
        }
    ));
    out.line(&format!("report            {}", figures.report));
    out.line(&format!("seconds           {:.1}", figures.seconds));
    if let Some(bundle) = &figures.bundle {
        out.next(&format!("fairhold verify {bundle} --key '{}'", played.vkey));
    }
    let whole = figures.verify == "ok" && figures.tamper_detected && figures.innocent_refused == 0;
    Ok(if whole { Exit::Clean } else { Exit::Finding })
}
