//! No copy stays in the files: what `SQLite` and `PostgreSQL` leave behind.
//!
//! `SQLite` zeros what is deleted (`secure_delete`), but its write-ahead log
//! keeps earlier pages until it is emptied, and a page whose rows were moved
//! may keep copies of them. So the log is emptied, the file is searched for
//! the very bytes that must be gone, and only if one is found the whole file is
//! written anew. `PostgreSQL` keeps dead rows until a table is written anew;
//! its own write-ahead log and its backups are out of our reach.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use facts::Timestamp;

use super::SCRUB;
use crate::database::{Cell, Database, Session, StoreError};

/// What was done about old bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Bytes of the database file that were searched; none with `PostgreSQL`.
    pub searched_bytes: u64,
    /// Whether the file was written anew.
    pub rewritten: bool,
}

/// Bytes read at once.
const BLOCK: usize = 1 << 20;

/// Bytes by which a needle is told apart from others.
const HEAD: usize = 8;

/// Readers may hold the log for as long as a query takes, and the engine waits ten seconds each time.
const TRIES: u32 = 6;

impl Database {
    /// Since when old bytes may lie in the files, if they may.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scrub_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.unfinished(SCRUB).await
    }

    /// Since when a piece of work waits to be taken up again, if it does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unfinished(&self, what: &str) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT since FROM unfinished WHERE what = $1";
        let rows = self.rows(sql, vec![Cell::text(what)]).await?;
        rows.first()
            .map(|row| row.int(0).map(Timestamp))
            .transpose()
    }

    /// Notes that a piece of work is under way; that it was already changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_work(&self, what: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO unfinished (what, since) VALUES ($1, $2) ON CONFLICT (what) DO NOTHING";
        let cells = vec![Cell::text(what), Cell::int(now.0)];
        self.session().await?.execute(sql, cells).await?;
        Ok(())
    }

    /// Takes old bytes out of the files and notes that it is done. `needles` must not be found
    /// afterwards; with `rewrite` the file is written anew in any case.
    ///
    /// # Errors
    /// [`StoreError::Remains`] when it could not be done; it stays due.
    pub async fn scrub(
        &self,
        needles: Vec<Vec<u8>>,
        rewrite: bool,
    ) -> Result<Scrubbed, StoreError> {
        let Some(path) = self.file() else {
            let mut session = self.session().await?;
            for table in ["subject_keys", "bodies", "imported"] {
                // Bodies open with destroyed keys only; writing them anew would take hours.
                let full = if table == "bodies" { "" } else { "(FULL) " };
                let sql = format!("VACUUM {full}{table}");
                session.execute(&sql, Vec::new()).await?;
            }
            finished(&mut session).await?;
            return Ok(Scrubbed::default());
        };
        let mut done = Scrubbed::default();
        empty_log(&mut *self.session().await?).await?;
        let needles = Needles::of(needles);
        let mut found = rewrite;
        if !found && !needles.is_empty() {
            (done.searched_bytes, found) = search(path, &needles).await?;
        }
        if found {
            let mut session = self.session().await?;
            // In memory, a large store would not fit.
            session
                .execute("PRAGMA temp_store = FILE", Vec::new())
                .await?;
            let written = session.execute("VACUUM", Vec::new()).await;
            session
                .execute("PRAGMA temp_store = MEMORY", Vec::new())
                .await?;
            written?;
            empty_log(&mut session).await?;
            drop(session);
            done.rewritten = true;
            let (searched, remains) = search(path, &needles).await?;
            done.searched_bytes += searched;
            if remains {
                let why = "bytes of a destroyed key are still in the file".to_owned();
                return Err(StoreError::Remains(why));
            }
        }
        finished(&mut *self.session().await?).await?;
        // That it is done is itself in the log now, and nothing else.
        empty_log(&mut *self.session().await?).await?;
        Ok(done)
    }
}

async fn finished(session: &mut Session) -> Result<(), StoreError> {
    let sql = "DELETE FROM unfinished WHERE what = $1";
    session.execute(sql, vec![Cell::text(SCRUB)]).await?;
    Ok(())
}

/// Copies the write-ahead log into the database and cuts it to nothing.
async fn empty_log(session: &mut Session) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        let rows = session
            .rows("PRAGMA wal_checkpoint(TRUNCATE)", Vec::new())
            .await?;
        let busy = rows.first().map_or(Ok(0), |row| row.int(0))?;
        if busy == 0 {
            return Ok(());
        }
    }
    let why = "readers held the write-ahead log; it is tried again at the next start".to_owned();
    Err(StoreError::Remains(why))
}

/// What must not be found, by its first bytes.
#[derive(Debug, Default)]
struct Needles {
    by_head: HashMap<[u8; HEAD], Vec<Vec<u8>>>,
    /// Which pairs of first bytes occur: nearly all places of a file are told apart by it.
    pairs: Vec<bool>,
    longest: usize,
}

impl Needles {
    fn of(needles: Vec<Vec<u8>>) -> Self {
        let mut all = Self {
            pairs: vec![false; 1 << 16],
            ..Self::default()
        };
        for needle in needles {
            let Some(head) = needle.first_chunk::<HEAD>() else {
                continue;
            };
            if let Some(pair) = all.pairs.get_mut(pair(head)) {
                *pair = true;
            }
            all.longest = all.longest.max(needle.len());
            all.by_head.entry(*head).or_default().push(needle);
        }
        all
    }

    fn is_empty(&self) -> bool {
        self.by_head.is_empty()
    }

    fn found_in(&self, bytes: &[u8]) -> bool {
        bytes.windows(HEAD).enumerate().any(|(at, window)| {
            self.pairs.get(pair(window)) == Some(&true)
                && self.by_head.get(window).is_some_and(|with| {
                    let rest = bytes.get(at..).unwrap_or_default();
                    with.iter().any(|needle| rest.starts_with(needle))
                })
        })
    }
}

fn pair(bytes: &[u8]) -> usize {
    match bytes {
        [a, b, ..] => usize::from(*a) << 8 | usize::from(*b),
        _ => 0,
    }
}

/// How many bytes the file has, and whether a needle is in them.
async fn search(path: &Path, needles: &Needles) -> Result<(u64, bool), StoreError> {
    let failed = |e| StoreError::file(path, e);
    let mut file = File::open(path).map_err(failed)?;
    let (mut held, mut all) = (Vec::with_capacity(BLOCK + needles.longest), 0_u64);
    loop {
        let before = held.len();
        let read = (&mut file)
            .take(BLOCK as u64)
            .read_to_end(&mut held)
            .map_err(failed)?;
        if read == 0 {
            return Ok((all, false));
        }
        all += read as u64;
        if needles.found_in(&held) {
            return Ok((all, true));
        }
        debug_assert!(held.len() == before + read, "a block was added");
        // One byte less than the longest may begin a needle that goes on in the next block.
        let keep = needles.longest.saturating_sub(1).min(held.len());
        held.drain(..held.len() - keep);
        // A large file takes seconds; others get their turn.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests;
