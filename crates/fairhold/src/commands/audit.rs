//! `fairhold audit corpus PATH.. --registry DIR`: whose outputs does a training corpus hold, and
//! how much of it is that?

mod answers;
pub(crate) mod found;
mod html;
mod human;
mod picture;
pub(crate) mod scan;
mod side;
pub(crate) mod sought;
pub(crate) mod statement;
#[cfg(feature = "parquet")]
mod table;
pub(crate) mod told;
mod with;

use std::path::Path;

use serde::Serialize;

use crate::args::provenance::{Audit, AuditCorpus, AuditWhat};
use crate::failure::{Exit, Failure};
use crate::out::Out;
use scan::{Scanned, Where};
use sought::Prepared;
use told::Told;

/// What the statement says.
const PREDICATE: &str = "https://fairhold.dev/corpus-audit/v1";
/// Findings that are shown to people; the files tell all.
const SHOWN: usize = 20;

/// Runs the command; exit 1 when a document holds an output, 2 when a file could not be read.
pub(crate) fn run(data: &Path, what: &Audit, out: Out) -> Result<Exit, Failure> {
    match &what.what {
        Some(AuditWhat::Corpus(what)) => corpus(data, what, out),
        None if what.corpus.is_empty() => Err(Failure::error(
            "no corpus is named: `fairhold audit corpus PATH --registry DIR --out REPORT`"
                .to_owned(),
        )),
        None => answers::run(what, out),
    }
}

fn corpus(data: &Path, what: &AuditCorpus, out: Out) -> Result<Exit, Failure> {
    let told = told(data, what, out)?;
    out.data(&told)?;
    show(&told, out);
    if let Some(folder) = &what.out {
        out.next(&format!("open {}", folder.join("report.html").display()));
    } else {
        out.next("the same command with `--out DIR` writes the report, the hits and a statement");
    }
    Ok(exit(&told))
}

/// Audits a corpus and writes the report, if a folder is named for it.
pub(crate) fn told(data: &Path, what: &AuditCorpus, out: Out) -> Result<Told, Failure> {
    let mut prepared = Prepared::of(&what.sought, &what.files, what.out.as_deref(), out)?;
    human::recalibrate(&mut prepared, what, out)?;
    let place = Where::of(what.out.as_deref(), what.resume.as_deref())?;
    let scanned = scan::scan(&what.files, &prepared, &place, what.threads, out)?;
    let told = Told::of(&scanned, &prepared)?;
    if let Some(folder) = &what.out {
        write((data, folder), what, &scanned, (&prepared, &told), out)?;
    }
    Ok(told)
}

/// 2 before 1: a corpus that could not be read whole is not clean.
pub(crate) fn exit(told: &Told) -> Exit {
    if told.bad > 0 {
        Exit::Error
    } else if told.flagged > 0 {
        Exit::Finding
    } else {
        Exit::Clean
    }
}

fn write(
    (data, folder): (&Path, &Path),
    what: &AuditCorpus,
    scanned: &Scanned,
    (prepared, told): (&Prepared, &Told),
    out: Out,
) -> Result<(), Failure> {
    found::copy(&scanned.path, &folder.join("hits.jsonl"))?;
    #[cfg(feature = "parquet")]
    table::write(&scanned.path, &folder.join("hits.parquet"))?;
    let summary = json(told)?;
    keep(&folder.join("summary.json"), &summary)?;
    let pairs = side::pairs(&scanned.path, &what.sought, out)?;
    let page = html::page(told, &pairs);
    keep(&folder.join("report.html"), page.as_bytes())?;
    let predicate = serde_json::json!({
        "at": store::SystemClock.now().rfc3339(),
        "registry_key": format!("{:016x}", prepared.key.id()),
        "sought": prepared.named(),
        "read": scanned.read_as,
        "summary": told,
        "hits_sha256": digest_of(&folder.join("hits.jsonl"))?,
    });
    let signed = statement::signed(data, scanned, (PREDICATE, predicate))?;
    keep(&folder.join("statement.dsse.json"), &signed.bytes)?;
    out.say(&format!(
        "the statement is signed; its verifier key: {}",
        signed.vkey
    ));
    Ok(())
}

fn digest_of(path: &Path) -> Result<String, Failure> {
    let fault = |e| Failure::error(format!("failed to read `{}`: {e}", path.display()));
    let mut file = std::fs::File::open(path).map_err(fault)?;
    let mut hash = sha2::Sha256::default();
    std::io::copy(&mut file, &mut hash).map_err(fault)?;
    Ok(hex::encode(sha2::Digest::finalize(hash)))
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec_pretty(value)
        .map_err(|e| Failure::error(format!("failed to write the summary: {e}")))
}

pub(crate) fn keep(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    store::write_atomically(path, bytes, 0o644)
        .map_err(|e| Failure::error(format!("failed to write `{}`: {e}", path.display())))
}

pub(crate) fn show(told: &Told, out: Out) {
    out.line(&format!(
        "{} documents, {} bytes, against {} outputs of {} accounts",
        told.documents, told.bytes, told.outputs, told.accounts_asked
    ));
    let share = |name: &str, share: &told::ShareTold| {
        out.line(&format!(
            "  {name:<10} {:>8.3} %   between {:.3} and {:.3} % (95 %)",
            share.share * 100.0,
            share.lo * 100.0,
            share.hi * 100.0
        ));
    };
    share("documents", &told.share_of_documents);
    share("bytes", &told.share_of_bytes);
    share("words", &told.share_of_words);
    for account in told.accounts.iter().take(SHOWN) {
        out.line(&format!(
            "  {:<32} {:>7} documents   p {} (Holm over {} accounts)",
            account.account,
            account.documents,
            told::power(account.log10_holm),
            told.accounts_asked
        ));
    }
    if told.accounts.len() > SHOWN {
        out.line(&format!("  and {} more", told.accounts.len() - SHOWN));
    }
    for account in told.accounts_not_named.iter().take(SHOWN) {
        out.line(&format!(
            "  not named: {:<21} {:>7} documents   p {}, which chance may explain",
            account.account,
            account.documents,
            told::power(account.log10_holm)
        ));
    }
    if let Some(to_name) = &told.to_name {
        out.line(&to_name.line);
    }
    out.line(&told.common_source.line);
    out.line(&format!("shares are corrected by {}", told.rates));
    if told.flagged > 0 {
        out.line(told::WORDING);
    }
    for fault in told.faults.iter().take(SHOWN) {
        out.say(fault);
    }
    if told.bad > 0 {
        out.say(&format!(
            "{} lines or files could not be read: what they hold was not checked",
            told.bad
        ));
    }
    show_skipped(told.skipped, &told.skipped_names, out);
}

/// What was not read must not be thought clean.
pub(crate) fn show_skipped(skipped: u64, names: &[String], out: Out) {
    if skipped == 0 {
        return;
    }
    let first: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
    out.say(&format!(
        "{skipped} files or members of archives were not read, their names say no form that is \
         known: {}{}",
        first.join(", "),
        if skipped > 5 { ", .." } else { "" }
    ));
}
