//! `fairhold export CASE`: the evidence bundle, for a stranger to check;
//! `fairhold export ledger DIR`: ledgers as static files.

#[cfg(feature = "parquet")]
pub(crate) mod parquet;

use std::path::Path;

use console::{LedgerOf, Office};
use evidence::checkpoint::{Checkpoint, Note};
use serde_json::json;
use verifier::tile::new_tiles;

use crate::args::Export;
use crate::args::ledger::{Exported, Files};
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Export, out: Out) -> Result<Exit, Failure> {
    match (what.what, what.case) {
        (Some(Exported::Ledger(files)), _) => ledgers(office, &files, out).await,
        #[cfg(feature = "parquet")]
        (Some(Exported::Parquet(_)), _) => Err(Failure::error(
            "failed to export: tables are written without the office",
        )),
        (None, Some(case)) => bundle(office, &case, what.out.as_deref(), out).await,
        (None, None) => Err(Failure::error(
            "failed to export: name a case, or `ledger DIR`",
        )),
    }
}

async fn bundle<O: Office>(
    office: &O,
    case: &str,
    path: Option<&Path>,
    out: Out,
) -> Result<Exit, Failure> {
    let bundle = office.export(case).await?;
    let path = path.map_or_else(
        || format!("case-{case}.evidence.zip").into(),
        Path::to_path_buf,
    );
    write(&path, &bundle)?;
    let checkpoint = office.checkpoint().await?;
    out.data(&json!({
        "case": case,
        "bundle": path.display().to_string(),
        "bytes": bundle.len(),
        "key": checkpoint.vkey,
    }))?;
    out.line(&format!(
        "{} written, {} bytes",
        path.display(),
        bundle.len()
    ));
    out.next(&format!(
        "fairhold verify {} --key '{}'",
        path.display(),
        checkpoint.vkey
    ));
    Ok(Exit::Clean)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e| Failure::error(format!("failed to write `{}`: {e}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, bytes).map_err(failed)
}

/// Writes ledgers as C2SP lays them out: `log/`, `house/`, `ledgers/ID/`.
async fn ledgers<O: Office>(office: &O, what: &Files, out: Out) -> Result<Exit, Failure> {
    // What is recorded until now is sealed first.
    let checkpoint = office.checkpoint().await?;
    let mut of = Vec::new();
    match &what.account {
        Some(account) => of.push(LedgerOf::Account(account.clone())),
        None => of.push(LedgerOf::Root),
    }
    if what.all {
        let all = office.ledgers().await?;
        of.extend(all.ledgers.into_iter().map(|l| match l.account {
            Some(account) => LedgerOf::Account(account),
            None => LedgerOf::House,
        }));
    }
    let (mut files, mut entries) = (0, 0);
    for of in &of {
        let (written, size) = ledger(office, of, &what.dir, out).await?;
        files += written;
        entries += size;
    }
    write(&what.dir.join("log.vkey"), checkpoint.vkey.as_bytes())?;
    out.data(&json!({"dir": what.dir.display().to_string(), "ledgers": of.len(), "entries": entries, "files": files, "vkey": checkpoint.vkey}))?;
    out.line(&format!(
        "{}: {} ledgers, {entries} entries, {files} files written",
        what.dir.display(),
        of.len()
    ));
    Ok(Exit::Clean)
}

/// One ledger: its tiles first, the checkpoint that needs them last.
async fn ledger<O: Office>(
    office: &O,
    of: &LedgerOf,
    dir: &Path,
    out: Out,
) -> Result<(u64, u64), Failure> {
    let wrong = |e: &dyn std::fmt::Display| Failure::error(format!("failed to export {of}: {e}"));
    // An account's name becomes a folder's: nothing in it may lead elsewhere.
    let dir = dir.join(match of {
        LedgerOf::Account(account) => format!("ledgers/{}", crate::remote::segment(account)),
        LedgerOf::Root | LedgerOf::House => of.to_string(),
    });
    let note = office.ledger_file(of, None, "checkpoint").await?.bytes;
    let text = std::str::from_utf8(&note).map_err(|e| wrong(&e))?;
    let signed = Note::parse(text).map_err(|e| wrong(&e))?;
    let size = Checkpoint::parse(&signed.text).map_err(|e| wrong(&e))?.size;
    let tiles = new_tiles(0, size);
    let bar = out.progress(tiles.len() as u64, "tiles");
    let mut written = 1;
    for tile in tiles {
        let path = dir.join(tile.to_string());
        if !tile.is_full() || !path.exists() {
            let file = office.ledger_file(of, None, &tile.to_string()).await?;
            write(&path, &file.bytes)?;
            written += 1;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    write(&dir.join("checkpoint"), &note)?;
    Ok((written, size))
}
