//! `fairhold registry`: fingerprints of outputs, as files that hold no text.

mod serve;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use facts::{AccountId, Exchange};
use provenance::{Month, Role, Skipped};
use serde::Serialize;
use serde_json::json;
use store::{Database, ImportedAfter};

use crate::args::provenance::Registry;
use crate::failure::{Exit, Failure};
use crate::house::{House, Plan};
use crate::logs::{Listing, stream};
use crate::out::Out;
use crate::registry::follow::Follow;
use crate::registry::writer::Writer;
use crate::registry::{Folder, Kind, Making, RegistryError, role};

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
            if logs.is_empty() {
                of_store(data, &folder, (twins, twin_model), out).await
            } else {
                of_logs(
                    &folder,
                    (logs, account.as_deref()),
                    (twins, twin_model),
                    out,
                )
            }
        }
        Registry::Serve(what) => serve::run(&at(&what.registry), what, out).await,
        Registry::Writer { dir, key } => writer::run(dir, key),
        Registry::List { dir } => list(&at(dir), out),
        Registry::Merge { dir } => {
            let folder = Folder::open(&at(dir)).map_err(said)?;
            let right = folder.lock().map_err(said)?;
            let gone = folder.merge(&right).map_err(said)?;
            out.data(&json!({"files_joined": gone}))?;
            out.line(&format!("{gone} files were joined to others"));
            Ok(Exit::Clean)
        }
        Registry::Forget { account, dir } => {
            let folder = Folder::open(&at(dir)).map_err(said)?;
            let right = folder.lock().map_err(said)?;
            let gone = folder.forget(&right, account).map_err(said)?;
            out.data(&json!({"files_removed": gone}))?;
            out.line(&format!("{gone} files of {account} are removed"));
            out.say("copies that were handed over still hold what they held");
            Ok(Exit::Clean)
        }
        Registry::Handover {
            dir,
            out: to,
            account,
            since,
            until,
            same_key,
        } => {
            let wanted = Wanted {
                accounts: account,
                since: since.as_deref(),
                until: until.as_deref(),
            };
            if *same_key {
                copied(dir, to, &wanted, out)
            } else {
                under_a_fresh_key(data, (dir, to), &wanted, out).await
            }
        }
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

fn of_logs(
    folder: &Folder,
    (logs, account): (&[PathBuf], Option<&str>),
    (twins, twin_models): (&[PathBuf], &[String]),
    out: Out,
) -> Result<Exit, Failure> {
    let right = folder.lock().map_err(said)?;
    folder.claim(&right, Kind::Logs, &[]).map_err(said)?;
    let mut making = Making::new(folder.key());
    let tally = stream(&Listing::of(logs)?, account, out, |batch| {
        for exchange in &batch {
            making.take(exchange, role(twin_models, exchange.model.as_ref()));
        }
    })?;
    tally.tell(out);
    take_twins(&mut making, twins, out)?;
    let from = folder.next().map_err(said)?;
    let to = from.saturating_add(1);
    folder
        .write(&right, making.build(), (from, to))
        .and_then(|_| folder.advance(&right, to))
        .and_then(|()| folder.merge(&right))
        .map_err(said)?;
    built(&making, tally.bad, folder, out)
}

async fn of_store(
    data: &Path,
    folder: &Folder,
    (twins, twin_models): (&[PathBuf], &[String]),
    out: Out,
) -> Result<Exit, Failure> {
    let house = House::open(data, Plan::at_rest()).await?;
    let mut making = Making::new(folder.key());
    let again = folder.again().map_err(said)?;
    let keeper = Arc::clone(&house.keeper);
    let writer = Writer::open(again, twin_models).map_err(said)?;
    let bar = out.busy("reading the store");
    let database = house.keeper.database();
    let told = house.outputs.is_now(folder, database).await;
    told.map_err(|e| Failure::error(e.to_string()))?;
    let mut take = |exchange: &Exchange| making.take(exchange, writer.role(exchange));
    imported(database, &mut take).await?;
    take_twins(&mut making, twins, out)?;
    // Imported exchanges stand before the log's first record; taking them twice changes nothing,
    // since a segment of the same range replaces the one before.
    writer.keep(making.build()).map_err(said)?;
    let mut follow = Follow::here(keeper, writer).map_err(said)?;
    let read = follow.catch_up().await;
    if let Some(made) = follow.made() {
        making.add(made);
    }
    drop(follow);
    // What was erased while there was none is not in this one.
    house.outputs.catch_up(database).await;
    house.close().await;
    bar.finish_and_clear();
    read.map_err(|e| Failure::error(e.to_string()))?;
    built(&making, 0, folder, out)
}

/// Hands on every imported exchange.
async fn imported(database: &Database, take: &mut impl FnMut(&Exchange)) -> Result<(), Failure> {
    let mut after: Option<ImportedAfter> = None;
    loop {
        let page = database.imported(None, after.as_ref(), PAGE).await;
        let page = page.map_err(|e| Failure::chain(&e))?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(ImportedAfter {
            at: last.at,
            exchange: last.id.clone(),
        });
        page.iter().for_each(&mut *take);
    }
}

fn take_twins(making: &mut Making, twins: &[PathBuf], out: Out) -> Result<(), Failure> {
    if twins.is_empty() {
        return Ok(());
    }
    let tally = stream(&Listing::of(twins)?, Some("control-twins"), out, |batch| {
        for exchange in &batch {
            making.take_twin(exchange);
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

/// What is handed over.
struct Wanted<'a> {
    accounts: &'a [String],
    since: Option<&'a str>,
    until: Option<&'a str>,
}

impl Wanted<'_> {
    fn holds(&self, account: &AccountId, month: Month) -> bool {
        let month = month.to_string();
        (self.accounts.is_empty() || self.accounts.iter().any(|a| a == account.as_str()))
            && self.since.is_none_or(|since| month.as_str() >= since)
            && self.until.is_none_or(|until| month.as_str() <= until)
    }
}

fn must_be_empty(to: &Path) -> Result<(), Failure> {
    if std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::error(format!(
            "`{}` is not empty: name an empty folder",
            to.display()
        )));
    }
    Ok(())
}

/// A part of the store's outputs anew, under a key of its own: it says nothing about the registry
/// that the house goes on with. What was erased meanwhile is not in it.
async fn under_a_fresh_key(
    data: &Path,
    (dir, to): (&Path, &Path),
    wanted: &Wanted<'_>,
    out: Out,
) -> Result<Exit, Failure> {
    let from = Folder::open(dir).map_err(said)?;
    if from.kind().map_err(said)? != Some(Kind::Store) {
        return Err(Failure::error(format!(
            "`{}` was not built of the store, and no text is kept to make it anew: build one for \
             the other party with `fairhold registry build --logs .. --out ..`, or give this one's \
             own key away with `--same-key`",
            dir.display()
        )));
    }
    must_be_empty(to)?;
    let house = House::open(data, Plan::at_rest()).await?;
    let copy = Folder::open_or_make(to).map_err(said)?;
    let right = copy.lock().map_err(said)?;
    copy.claim(&right, Kind::Logs, &[]).map_err(said)?;
    let twins = from.twins().map_err(said)?;
    let mut making = Making::new(copy.key());
    let mut take = |exchange: &Exchange| {
        if wanted.holds(&exchange.account, Month::of(exchange.at)) {
            making.take(exchange, role(&twins, exchange.model.as_ref()));
        }
    };
    let bar = out.busy("reading the store");
    imported(house.keeper.database(), &mut take).await?;
    let size = house.keeper.database().count().await;
    let size = size.map_err(|e| Failure::chain(&e))?;
    let mut next = 0;
    while next < size {
        let end = size.min(next + u64::from(PAGE));
        let page = house.keeper.answered(next..end).await;
        let page = page.map_err(|e| Failure::chain(&e))?;
        page.iter().for_each(&mut take);
        next = end;
    }
    house.close().await;
    bar.finish_and_clear();
    copy.write(&right, making.build(), (0, 0)).map_err(said)?;
    let outputs = making.taken;
    out.data(&json!({"outputs": outputs, "key": copy.key_name()}))?;
    out.line(&format!("{outputs} outputs, under a key of their own"));
    out.say(
        "control twins that were read from files are not among them; what is erased later must be \
         taken out of the copy by whoever has it",
    );
    Ok(Exit::Clean)
}

/// A copy of some segments. Fingerprints stay under the key that they were made under: whoever
/// shall scan with them gets it, and can then also ask whether a text that it guesses is there.
fn copied(dir: &Path, to: &Path, wanted: &Wanted<'_>, out: Out) -> Result<Exit, Failure> {
    let from = Folder::open(dir).map_err(said)?;
    must_be_empty(to)?;
    let copy = Folder::make_with(to, from.secret()).map_err(said)?;
    let right = copy.lock().map_err(said)?;
    copy.claim(&right, Kind::Logs, &[]).map_err(said)?;
    let (mut files, mut outputs, mut last) = (0_u64, 0, 0);
    for file in from.files().map_err(said)? {
        let segment = Folder::read(&file.path).map_err(said)?;
        if wanted.holds(segment.account(), segment.month()) {
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
        "this is the key of the registry itself: whoever holds it can ask this copy, and every other \
         part of the registry that reaches them, about texts that they guess",
    );
    Ok(Exit::Clean)
}
