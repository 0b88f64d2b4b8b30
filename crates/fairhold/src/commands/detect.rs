//! `fairhold detect [FILES|DIR..]`: who looks unusual, how unusual that is, and
//! what may follow.
//!
//! Exchanges pass through and are not kept: what is held of them is bounded,
//! however many there are.

mod html;
mod picture;
mod table;
mod why;

use std::fmt::Write as _;
use std::path::Path;

use console::{DetectionView, MayView, Office};
use detection::SketchKey;

use crate::args::Detect;
use crate::failure::{Exit, Failure};
use crate::logs::{Listing, stream};
use crate::office::{Known, Watched, found};
use crate::out::Out;
use crate::population::Population;
use table::{Row, Rows};

/// The key of sketches that are made of files: they meet no others.
const KEY_OF_FILES: [u8; 16] = *b"fairhold detect!";

/// Looks through files, without a store; only the population may be the data folder's.
pub(crate) fn files(data: &Path, what: &Detect, out: Out) -> Result<Exit, Failure> {
    let population = Population::of(data).map_err(Failure::error)?;
    let listing = Listing::of(&what.files)?;
    listing.tell(out);
    let mut watched = Watched::new(SketchKey::new(KEY_OF_FILES));
    let tally = stream(&listing, what.account.as_deref(), out, |batch| {
        watched.take(&batch);
    })?;
    tally.tell(out);
    let bar = out.busy("comparing");
    let found = found(&watched, &population, Known::default());
    bar.finish_and_clear();
    if found.exchanges == 0 && tally.bad > 0 {
        return Err(Failure::error(
            "no line could be read as an exchange: `fairhold import --help` says which logs are",
        ));
    }
    show(&found, what, out)
}

/// Looks through the store.
pub(crate) async fn store<O: Office>(office: &O, what: &Detect, out: Out) -> Result<Exit, Failure> {
    let bar = out.busy("looking through the store");
    let found = office.detect().await;
    bar.finish_and_clear();
    show(&found?, what, out)
}

/// Exit 1 when something may follow of what was found.
fn show(found: &DetectionView, what: &Detect, out: Out) -> Result<Exit, Failure> {
    let rows = Rows::of(found, what.all);
    let opened = what
        .why
        .as_deref()
        .map(|asked| why::open(found, &rows, asked));
    let opened = opened.transpose().map_err(Failure::error)?;
    out.data(found)?;
    if let Some(path) = &what.html {
        std::fs::write(path, html::page(found)).map_err(|e| {
            Failure::error(format!(
                "failed to write `{}`: {e}; name a file in a folder that exists",
                path.display()
            ))
        })?;
        out.say(&format!("written: {}", path.display()));
    }
    match &opened {
        Some(lines) => lines.iter().for_each(|line| out.line(line)),
        None => table::lines(found, &rows)
            .iter()
            .for_each(|line| out.line(line)),
    }
    let Some(first) = rows.listed.first() else {
        return Ok(Exit::Clean);
    };
    if opened.is_none() {
        out.next(&format!("{} --why 1", again(what)));
    }
    out.next(&follow(first));
    Ok(Exit::Finding)
}

/// The same command, to be typed once more.
fn again(what: &Detect) -> String {
    let mut said = "fairhold detect".to_owned();
    for file in &what.files {
        let _ = write!(said, " {}", file.display());
    }
    if let Some(account) = &what.account {
        let _ = write!(said, " --account {account}");
    }
    said
}

/// What a person may do about a line.
fn follow(row: &Row<'_>) -> String {
    let account = row.account();
    match row.may() {
        MayView::Notice => format!(
            "fairhold case propose {account} --action notice --clause CLAUSE --summary FACTS --by YOU"
        ),
        MayView::AskForDeclaration => format!(
            "ask {account} what it does; `fairhold account declare PROJECT PURPOSE` records the answer"
        ),
        MayView::Watch => {
            "watch; a person may still propose a case: `fairhold case --help`".to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
