//! `fairhold registry`: fingerprints of outputs, as files that hold no text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use facts::Exchange;
use provenance::{Role, Skipped};
use serde::Serialize;
use serde_json::json;
use store::ImportedAfter;

use crate::args::provenance::Registry;
use crate::failure::{Exit, Failure};
use crate::house::{House, Plan};
use crate::logs::{Listing, stream};
use crate::out::Out;
use crate::registry::follow::Follow;
use crate::registry::{Folder, Making, RegistryError};

/// Imported exchanges read at once.
const PAGE: u32 = 1_000;

/// Runs the command.
pub(crate) async fn run(data: &Path, what: &Registry, out: Out) -> Result<Exit, Failure> {
    let usual = || data.join("registry");
    let at = |dir: &Option<PathBuf>| dir.clone().unwrap_or_else(usual);
    match what {
        Registry::Build {
            logs,
            account,
            out: to,
            twins,
            twin_model,
        } => {
            if !logs.is_empty() && at(to) == usual() {
                return Err(Failure::error(format!(
                    "`{}` follows the store's own log: name another folder for outputs of logs",
                    usual().display()
                )));
            }
            let folder = Folder::open_or_make(&at(to)).map_err(said)?;
            let roles = Roles(twin_model.clone());
            if logs.is_empty() {
                of_store(data, &folder, (twins, &roles), out).await
            } else {
                of_logs(&folder, (logs, account.as_deref()), (twins, &roles), out)
            }
        }
        Registry::List { dir } => list(&at(dir), out),
        Registry::Merge { dir } => {
            let folder = Folder::open(&at(dir)).map_err(said)?;
            let right = folder.lock().map_err(said)?;
            let gone = folder.merge(&right, 1).map_err(said)?;
            out.data(&json!({"files_joined": gone}))?;
            out.line(&format!("{gone} files were joined to others"));
            Ok(Exit::Clean)
        }
        Registry::Handover {
            dir,
            out: to,
            account,
            since,
            until,
        } => handover(dir, to, (account, since.as_deref(), until.as_deref()), out),
    }
}

/// What the registry says goes to people as it is.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands on"
)]
pub(crate) fn said(error: RegistryError) -> Failure {
    Failure::error(error.to_string())
}

/// Which models' outputs are control twins.
struct Roles(Vec<String>);

impl Roles {
    fn of(&self, exchange: &Exchange) -> Role {
        let twin = exchange
            .model
            .as_ref()
            .is_some_and(|m| self.0.iter().any(|glob| terms::matches(glob, m.as_str())));
        if twin { Role::Control } else { Role::Output }
    }
}

fn of_logs(
    folder: &Folder,
    (logs, account): (&[PathBuf], Option<&str>),
    (twins, roles): (&[PathBuf], &Roles),
    out: Out,
) -> Result<Exit, Failure> {
    let right = folder.lock().map_err(said)?;
    let mut making = Making::new(folder.key());
    let tally = stream(&Listing::of(logs)?, account, out, |batch| {
        for exchange in &batch {
            making.take(exchange, roles.of(exchange));
        }
    })?;
    tally.tell(out);
    take_twins(&mut making, twins, out)?;
    let from = folder.next().map_err(said)?;
    let to = from.saturating_add(1);
    folder
        .write(&right, making.build(), (from, to))
        .and_then(|()| folder.advance(&right, to))
        .and_then(|()| folder.merge(&right, 1))
        .map_err(said)?;
    built(&making, tally.bad, folder, out)
}

async fn of_store(
    data: &Path,
    folder: &Folder,
    (twins, roles): (&[PathBuf], &Roles),
    out: Out,
) -> Result<Exit, Failure> {
    let house = House::open(data, Plan::at_rest()).await?;
    let mut making = Making::new(folder.key());
    let mut after: Option<ImportedAfter> = None;
    let database = house.keeper.database();
    let bar = out.busy("reading the store");
    loop {
        let page = database.imported(None, after.as_ref(), PAGE).await;
        let page = page.map_err(|e| Failure::chain(&e))?;
        let Some(last) = page.last() else { break };
        after = Some(ImportedAfter {
            at: last.at,
            exchange: last.id.clone(),
        });
        for exchange in &page {
            making.take(exchange, roles.of(exchange));
        }
    }
    take_twins(&mut making, twins, out)?;
    let mut follow =
        Follow::open(Arc::clone(&house.keeper), folder.again().map_err(said)?).map_err(said)?;
    // Imported exchanges stand before the log's first record; taking them twice changes nothing,
    // since a segment of the same range replaces the one before.
    follow.keep(making.build()).map_err(said)?;
    let read = follow.catch_up().await;
    drop(follow);
    house.close().await;
    bar.finish_and_clear();
    let taken = read.map_err(|e| Failure::error(e.to_string()))?;
    making.add(&taken);
    built(&making, 0, folder, out)
}

fn take_twins(making: &mut Making, twins: &[PathBuf], out: Out) -> Result<(), Failure> {
    if twins.is_empty() {
        return Ok(());
    }
    // Whose the twins are is nobody's business: one name for all.
    let tally = stream(&Listing::of(twins)?, Some("control-twins"), out, |batch| {
        for exchange in &batch {
            making.take(exchange, Role::Control);
        }
    })?;
    tally.tell(out);
    Ok(())
}

fn built(making: &Making, bad: u64, folder: &Folder, out: Out) -> Result<Exit, Failure> {
    let skipped = |why| making.skipped.get(&why).copied().unwrap_or(0);
    let (short, refusals) = (skipped(Skipped::Short), skipped(Skipped::Refusal));
    let repeats = skipped(Skipped::Repeats);
    let place = folder.path().display();
    out.data(&json!({
        "outputs": making.taken, "short": short, "refusals": refusals, "repeat_prompt": repeats,
        "bad_lines": bad, "registry": place.to_string(),
    }))?;
    out.line(&format!(
        "{} outputs taken; left out: {short} under 40 words, {refusals} refusals, {repeats} that \
         only repeat their prompt",
        making.taken
    ));
    out.next(&format!(
        "fairhold audit corpus PATH --registry {place} --out REPORT"
    ));
    Ok(if bad == 0 { Exit::Clean } else { Exit::Error })
}

#[derive(Serialize)]
struct Line {
    account: String,
    month: String,
    outputs: usize,
    control_twins: usize,
    fingerprints: usize,
    files: usize,
}

fn list(dir: &Path, out: Out) -> Result<Exit, Failure> {
    let folder = Folder::open(dir).map_err(said)?;
    let mut lines: Vec<Line> = Vec::new();
    for file in folder.files().map_err(said)? {
        let segment = Folder::read(&file.path).map_err(said)?;
        let month = segment.month().to_string();
        let twins = segment
            .outputs()
            .iter()
            .filter(|output| output.role == Role::Control)
            .count();
        let outputs = segment.outputs().len() - twins;
        let account = segment.account().as_str();
        match lines.last_mut() {
            Some(last) if last.account == account && last.month == month => {
                last.outputs += outputs;
                last.control_twins += twins;
                last.fingerprints += segment.fingerprints();
                last.files += 1;
            }
            _ => lines.push(Line {
                account: account.to_owned(),
                month,
                outputs,
                control_twins: twins,
                fingerprints: segment.fingerprints(),
                files: 1,
            }),
        }
    }
    let next = folder.next().map_err(said)?;
    out.data(&json!({"segments": lines, "log_read_to": next, "key": folder.key_name()}))?;
    for line in &lines {
        out.line(&format!(
            "{:<32} {} {:>9} outputs {:>7} twins {:>11} fingerprints in {} files",
            line.account,
            line.month,
            line.outputs,
            line.control_twins,
            line.fingerprints,
            line.files
        ));
    }
    out.line(&format!("key {}; no text is kept", folder.key_name()));
    Ok(Exit::Clean)
}

/// A copy of some segments. Fingerprints stay under the key that they were made under: whoever
/// shall scan with them gets it, and can then also ask whether a text that it guesses is there.
fn handover(
    dir: &Path,
    to: &Path,
    (accounts, since, until): (&[String], Option<&str>, Option<&str>),
    out: Out,
) -> Result<Exit, Failure> {
    let from = Folder::open(dir).map_err(said)?;
    if std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::error(format!(
            "`{}` is not empty: name an empty folder",
            to.display()
        )));
    }
    let copy = Folder::make_with(to, from.secret()).map_err(said)?;
    let right = copy.lock().map_err(said)?;
    let (mut files, mut outputs, mut last) = (0_u64, 0, 0);
    for file in from.files().map_err(said)? {
        let segment = Folder::read(&file.path).map_err(said)?;
        let month = segment.month().to_string();
        let wanted = (accounts.is_empty()
            || accounts.iter().any(|a| a == segment.account().as_str()))
            && since.is_none_or(|since| month.as_str() >= since)
            && until.is_none_or(|until| month.as_str() <= until);
        if wanted {
            files += 1;
            outputs += segment.outputs().len();
            last = last.max(file.to);
            copy.write(&right, vec![segment], (file.from, file.to))
                .map_err(said)?;
        }
    }
    copy.advance(&right, last).map_err(said)?;
    out.data(&json!({"files": files, "outputs": outputs, "key": copy.key_name()}))?;
    out.line(&format!(
        "{outputs} outputs in {files} files, with their key"
    ));
    out.say(
        "whoever holds the key can ask the copy about texts that it guesses; a registry under a \
         key of its own is made with `fairhold registry build --logs .. --out ..`",
    );
    Ok(Exit::Clean)
}
