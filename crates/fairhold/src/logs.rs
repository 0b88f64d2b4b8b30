//! Reads log files as exchanges: JSON lines in any known dialect, a JSON array
//! of `LiteLLM` payloads, either of them compressed with zstd.
//!
//! Bad lines are counted with their numbers and skipped; good ones are kept.
//! A batch's answer is joined to its request, whichever file comes first.

mod listing;
mod opened;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use facts::{AccountId, Exchange, Span, Timestamp};
use indicatif::ProgressBar;
use serde::Serialize;
use wire::import::{BatchAnswer, BatchRequest, Dialect, ImportedLine, elements, parse_line};

use crate::failure::Failure;
use crate::out::Out;

pub(crate) use listing::Listing;

/// Exchanges handed on at a time.
const BATCH: usize = 1_000;
/// The longest line that is read: a request's largest body, 50 MB, and some.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// Bad lines that are told one by one; beyond it they are only counted.
const BAD_LINES_TOLD: usize = 20;

/// A line that could not be read.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BadLine {
    /// The file.
    pub(crate) file: String,
    /// Its line, from 1.
    pub(crate) line: u64,
    /// Why.
    pub(crate) why: String,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Lines that are not blank.
    pub(crate) lines: u64,
    /// Lines that could not be read.
    pub(crate) bad: u64,
    /// The first of them.
    pub(crate) bad_lines: Vec<BadLine>,
}

/// Reads logs; hands on exchanges in batches.
pub(crate) struct Reader {
    /// Whom lines belong to that name nobody (batch files, labelled rows).
    account: Option<AccountId>,
    requests: BTreeMap<String, (BatchRequest, Timestamp)>,
    answers: BTreeMap<String, BatchAnswer>,
    ready: Vec<Exchange>,
    tally: Tally,
}

impl Reader {
    /// A reader; `account` stands in for lines that name none.
    pub(crate) fn new(account: Option<AccountId>) -> Self {
        Self {
            account,
            requests: BTreeMap::new(),
            answers: BTreeMap::new(),
            ready: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Opens a file for [`Reader::next_batch`].
    pub(crate) fn open(path: &Path) -> Result<Lines, Failure> {
        Self::open_with(path, &ProgressBar::hidden())
    }

    /// The same; the bar moves by the bytes that are read off the disk.
    pub(crate) fn open_with(path: &Path, bar: &ProgressBar) -> Result<Lines, Failure> {
        let (source, changed) = opened::source(path, bar)
            .map_err(|e| Failure::error(format!("failed to read `{}`: {e}", path.display())))?;
        Ok(Lines {
            path: path.to_path_buf(),
            source: BufReader::with_capacity(1 << 18, source),
            number: 0,
            changed,
        })
    }

    /// The next exchanges of the file; empty at its end.
    pub(crate) fn next_batch(&mut self, lines: &mut Lines) -> Result<Vec<Exchange>, Failure> {
        while self.ready.len() < BATCH {
            let Some(text) = lines.next_line()? else {
                break;
            };
            match text {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => self.take(&text, lines),
                Err(why) => self.bad(lines, why),
            }
        }
        Ok(std::mem::take(&mut self.ready))
    }

    /// What is left when every file was read: batch requests without answer.
    pub(crate) fn finish(mut self) -> (Vec<Exchange>, Tally) {
        if let Some(account) = self.account.clone() {
            for (request, at) in std::mem::take(&mut self.requests).into_values() {
                self.ready.push(request.join(None, account.clone(), at));
            }
        }
        self.tally.bad += self.answers.len() as u64;
        for (custom_id, _) in self.answers.into_iter().take(BAD_LINES_TOLD) {
            self.tally.bad_lines.push(BadLine {
                file: "batch output".to_owned(),
                line: 0,
                why: format!(
                    "answer `{custom_id}` has no request: give the batch's input file too"
                ),
            });
        }
        (self.ready, self.tally)
    }

    fn take(&mut self, text: &str, lines: &Lines) {
        if text.trim_start().starts_with('[') {
            match elements(text) {
                Ok(items) => items
                    .into_iter()
                    .for_each(|item| self.take_object(item, lines)),
                Err(e) => self.bad(lines, e.to_string()),
            }
        } else {
            self.take_object(text, lines);
        }
    }

    fn take_object(&mut self, text: &str, lines: &Lines) {
        self.tally.lines += 1;
        // A line of no known dialect is read as plain: the error then names the missing field.
        let dialect = Dialect::detect(text).unwrap_or(Dialect::Plain);
        match parse_line(dialect, text) {
            Ok(line) => {
                if let Err(why) = self.keep(line, lines) {
                    self.bad(lines, why);
                }
            }
            Err(e) => self.bad(lines, e.to_string()),
        }
    }

    fn keep(&mut self, line: ImportedLine, lines: &Lines) -> Result<(), String> {
        let nobody = || "the line names no account: give `--account ID`".to_owned();
        match line {
            ImportedLine::Exchange(exchange) => self.ready.push(exchange),
            ImportedLine::Request(request) => {
                let account = self.account.clone().ok_or_else(nobody)?;
                match self.answers.remove(&request.custom_id) {
                    Some(answer) => {
                        self.ready
                            .push(request.join(Some(answer), account, lines.changed));
                    }
                    None => {
                        self.requests
                            .insert(request.custom_id.clone(), (request, lines.changed));
                    }
                }
            }
            ImportedLine::Answer(answer) => match self.requests.remove(&answer.custom_id) {
                Some((request, at)) => {
                    let account = self.account.clone().ok_or_else(nobody)?;
                    self.ready.push(request.join(Some(answer), account, at));
                }
                None => {
                    self.answers.insert(answer.custom_id.clone(), answer);
                }
            },
            ImportedLine::Row(row) => {
                let account = match &self.account {
                    Some(account) => account.clone(),
                    None => AccountId::parse(&row.source).map_err(|e| e.to_string())?,
                };
                // One second apart: the rows hold no time, their order is kept.
                let at = lines
                    .changed
                    .plus(Span::seconds(i64::try_from(lines.number).unwrap_or(0)));
                self.ready.push(row.into_exchange(account, at));
            }
        }
        Ok(())
    }

    fn bad(&mut self, lines: &Lines, why: String) {
        self.tally.bad += 1;
        if self.tally.bad_lines.len() < BAD_LINES_TOLD {
            let file = lines.path.display().to_string();
            self.tally.bad_lines.push(BadLine {
                file,
                line: lines.number,
                why,
            });
        }
    }
}

impl Tally {
    /// Tells the bad lines, and how many more there are.
    pub(crate) fn tell(&self, out: Out) {
        for bad in &self.bad_lines {
            out.say(&format!("{}:{}: {}", bad.file, bad.line, bad.why));
        }
        let untold = self.bad.saturating_sub(self.bad_lines.len() as u64);
        if untold > 0 {
            out.say(&format!("... and {untold} more"));
        }
    }
}

/// Every exchange of the files at once; bad lines are told. `account` stands in for lines that
/// name none.
pub(crate) fn read_all(
    files: &[PathBuf],
    account: Option<&str>,
    out: Out,
) -> Result<Vec<Exchange>, Failure> {
    let mut exchanges = Vec::new();
    stream(&Listing::of(files)?, account, out, |batch| {
        exchanges.extend(batch);
    })?
    .tell(out);
    Ok(exchanges)
}

/// Hands on the exchanges of the files batch by batch and keeps none.
pub(crate) fn stream(
    listing: &Listing,
    account: Option<&str>,
    out: Out,
    mut take: impl FnMut(Vec<Exchange>),
) -> Result<Tally, Failure> {
    let account = account.map(AccountId::parse).transpose();
    let mut reader = Reader::new(account.map_err(|e| Failure::error(e.to_string()))?);
    let bar = out.bytes(listing.bytes, "reading");
    for path in &listing.files {
        let mut lines = Reader::open_with(path, &bar)?;
        loop {
            let batch = reader.next_batch(&mut lines)?;
            if batch.is_empty() {
                break;
            }
            take(batch);
        }
    }
    bar.finish_and_clear();
    let (rest, tally) = reader.finish();
    take(rest);
    Ok(tally)
}

/// The lines of one file.
pub(crate) struct Lines {
    path: PathBuf,
    source: BufReader<Box<dyn Read>>,
    /// The line last read, from 1.
    number: u64,
    changed: Timestamp,
}

impl Lines {
    /// The next line, or why it is unreadable; nothing at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<Result<String, String>>, Failure> {
        let mut line = Vec::new();
        let read = (&mut self.source)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .map_err(|e| {
                let place = format!("{}:{}", self.path.display(), self.number + 1);
                Failure::error(format!("failed to read {place}: {e}"))
            })?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if read as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            self.skip_line()?;
            return Ok(Some(Err(format!("longer than {LINE_BYTES_MAX} bytes"))));
        }
        let text = String::from_utf8(line);
        Ok(Some(text.map_err(|e| format!("not UTF-8: {e}"))))
    }

    fn skip_line(&mut self) -> Result<(), Failure> {
        let place = self.path.display().to_string();
        self.source
            .skip_until(b'\n')
            .map(drop)
            .map_err(|e| Failure::error(format!("failed to read `{place}`: {e}")))
    }
}

#[cfg(test)]
mod tests;
