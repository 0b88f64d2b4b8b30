//! `fairhold export CASE`: the evidence bundle, for a stranger to check;
//! `fairhold export ledger DIR`: ledgers as static files.

#[cfg(feature = "parquet")]
pub(crate) mod parquet;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use console::{LedgerOf, Office};
use evidence::checkpoint::{Checkpoint, Note};
use evidence::ledger::Question;
use serde_json::json;
use verifier::tile::{Tile, TileKind, entries, hashes, new_tiles};

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

/// Writes ledgers as C2SP lays them out: `log/`, `house/`, `ledgers/ID/`. The root log comes last:
/// it then states every checkpoint that was written before it.
async fn ledgers<O: Office>(office: &O, what: &Files, out: Out) -> Result<Exit, Failure> {
    // What is recorded until now is sealed first.
    let checkpoint = office.checkpoint().await?;
    let mut of = Vec::new();
    of.extend(what.account.clone().map(LedgerOf::Account));
    if what.all {
        let all = office.ledgers().await?;
        of.extend(all.ledgers.into_iter().map(|l| match l.account {
            Some(account) => LedgerOf::Account(account),
            None => LedgerOf::House,
        }));
    }
    if what.account.is_none() {
        of.push(LedgerOf::Root);
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
    let now = stated(&note).map_err(|e| wrong(&e))?;
    let goes_on = continues(office, of, &dir, &now).await?;
    let tiles = new_tiles(0, now.size);
    let bar = out.progress(tiles.len() as u64, "tiles");
    let mut written = 1;
    for tile in tiles {
        let path = dir.join(tile.to_string());
        if !(goes_on && is_whole(tile, &path)) {
            let file = office.ledger_file(of, None, &tile.to_string()).await?;
            replace(&path, &file.bytes)?;
            written += 1;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    replace(&dir.join("checkpoint"), &note)?;
    Ok((written, now.size))
}

fn stated(note: &[u8]) -> Result<Checkpoint, String> {
    let text = std::str::from_utf8(note).map_err(|e| e.to_string())?;
    let signed = Note::parse(text).map_err(|e| e.to_string())?;
    Checkpoint::parse(&signed.text).map_err(|e| e.to_string())
}

/// Whether a folder holds an earlier export of this tree; false when it holds none.
///
/// # Errors
/// When it holds another tree: two of them mixed would prove nothing.
async fn continues<O: Office>(
    office: &O,
    of: &LedgerOf,
    dir: &Path,
    now: &Checkpoint,
) -> Result<bool, Failure> {
    let other = |what: &str| {
        Failure::error(format!(
            "failed to export {of}: `{}` holds {what}, and this is `{}` of {} entries; nothing was changed there: export into another folder",
            dir.display(),
            now.origin,
            now.size
        ))
    };
    let old = match std::fs::read(dir.join("checkpoint")) {
        Ok(old) => {
            stated(&old).map_err(|e| other(&format!("a checkpoint that cannot be read ({e})")))?
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(other(&format!("a checkpoint that cannot be read ({e})"))),
    };
    if old.origin != now.origin || old.size > now.size {
        return Err(other(&format!("`{}` of {} entries", old.origin, old.size)));
    }
    if old.size > 0 {
        let question = Question::Root;
        let mut tiles = BTreeMap::new();
        for tile in question.tiles(old.size) {
            let file = office.ledger_file(of, None, &tile.to_string()).await?;
            tiles.insert(tile, file.bytes);
        }
        let root = question.answer(old.size, &tiles);
        if root.ok().and_then(|root| root.first().copied()) != Some(old.root) {
            return Err(other(&format!("another tree of {} entries", old.size)));
        }
    }
    Ok(true)
}

/// Whether a full tile is there as a whole.
fn is_whole(tile: Tile, path: &Path) -> bool {
    if !tile.is_full() {
        return false;
    }
    std::fs::read(path).is_ok_and(|bytes| match tile.kind() {
        TileKind::Hashes(_) => hashes(&bytes, tile.width()).is_some(),
        TileKind::Entries => entries(&bytes, tile.width()).is_some(),
    })
}

/// Replaces a file as a whole: who reads it, or stops this half way, never has a part of it.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let part = path.with_extension("part");
    write(&part, bytes)?;
    std::fs::rename(&part, path)
        .map_err(|e| Failure::error(format!("failed to write `{}`: {e}", path.display())))
}
