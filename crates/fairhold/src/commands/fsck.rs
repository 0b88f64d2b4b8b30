//! `fairhold fsck`: recomputes every tree from what is kept; also beside a running server.

use std::path::Path;
use std::time::Instant;

use evidence::checkpoint::{LogKey, Verifier};
use serde_json::json;
use store::Database;

use crate::args::ledger::Fsck;
use crate::failure::{Exit, Failure};
use crate::house::LOG;
use crate::ledger::fsck::{Against, Report, check};
use crate::ledger::mark_of;
use crate::out::Out;

/// Runs the command. Exit 0 clean, 1 something differs.
pub(crate) async fn run(data: &Path, what: &Fsck, out: Out) -> Result<Exit, Failure> {
    let url = match &what.store {
        Some(url) => url.clone(),
        None => format!("sqlite:{}", data.join("fairhold.db").display()),
    };
    let failed = |e: store::StoreError| Failure::chain(&e);
    let database = Database::open_to_read(&url).await.map_err(failed)?;
    let key = key(data, what.key.as_deref())?;
    if key.is_none() {
        out.say("without the log's key (`--key VKEY`) no signature is checked");
    }
    let mark = mark_of(data).map_err(Failure::error)?;
    let started = Instant::now();
    let bar = out.progress(database.count().await.map_err(failed)?, "records");
    let against = Against {
        log: key.as_ref(),
        mark: mark.as_ref(),
        bodies: !what.without_bodies,
    };
    let report = check(&database, against, |n| bar.set_position(n));
    let report = report.await.map_err(failed)?;
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    let mib = peak_mib();
    out.data(&json!({"report": report, "seconds": seconds, "rss_mb": mib}))?;
    tell(&report, out);
    out.say(&format!("{seconds:.1} s, {mib} MiB"));
    Ok(if report.faults == 0 {
        Exit::Clean
    } else {
        Exit::Finding
    })
}

fn tell(report: &Report, out: Out) {
    for note in &report.notes {
        out.say(note);
    }
    for finding in &report.findings {
        out.line(finding);
    }
    let rest = report.faults - report.findings.len();
    if rest > 0 {
        out.line(&format!(
            "and {rest} more; {} bodies are missing in all (`--without-bodies` checks the trees alone)",
            report.missing
        ));
    }
    out.line(&format!(
        "{}: {} records ({} sealed) in {} ledgers, {} root entries, {} tiles, {} checkpoints, {} bodies ({} let go)",
        if report.faults == 0 { "clean" } else { "differs" },
        report.records,
        report.sealed,
        report.ledgers,
        report.entries,
        report.tiles,
        report.checkpoints,
        report.bodies,
        report.let_go
    ));
}

/// The key that is given, else that of the data folder, if there is one; the folder is not locked.
fn key(data: &Path, given: Option<&str>) -> Result<Option<Verifier>, Failure> {
    let wrong =
        |e: &dyn std::fmt::Display| Failure::error(format!("failed to use the log's key: {e}"));
    if let Some(vkey) = given {
        return Verifier::parse(vkey).map(Some).map_err(|e| wrong(&e));
    }
    let Ok(seed) = std::fs::read(data.join("log.seed")) else {
        return Ok(None);
    };
    let seed =
        <[u8; 32]>::try_from(seed).map_err(|_| wrong(&"`log.seed` does not hold 32 bytes"))?;
    let key = LogKey::from_seed(&seed, LOG).map_err(|e| wrong(&e))?;
    Verifier::parse(&key.vkey())
        .map(Some)
        .map_err(|e| wrong(&e))
}

/// The most memory that this process held, in MiB; 0 where the system does not say.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
