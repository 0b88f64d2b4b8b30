//! Does everything that was promised hold? The real recovery opens the folder,
//! goes on recording, and the clients' own answers are the judge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use evidence::merkle::leaf_hash;
use evidence::{Event, Record};
use facts::Ending;
use store::JournalRow;

use crate::load::{Client, Hears, MARK, Open, entry, intent, root_of};
use crate::watch::Said;

/// Opens, records two more, and holds all of it against what was said.
///
/// # Errors
/// What was lost, in words.
pub(crate) async fn judge(folder: &Path, said: &[Said]) -> Result<(), String> {
    kept(folder, said)?;
    let unheard: Hears = Arc::new(|_| {});
    let open = Open::at(folder, &unheard, false)
        .await
        .map_err(|e| format!("the store does not open: {e}"))?;
    let judged = records(&open, said, &unheard).await;
    open.close().await;
    judged
}

async fn records(open: &Open, said: &[Said], unheard: &Hears) -> Result<(), String> {
    let client = Client {
        journal: open.journal.clone(),
        hears: Arc::clone(unheard),
    };
    let rows = open
        .database
        .records(0..u64::MAX)
        .await
        .map_err(|e| e.to_string())?;
    let mut more = Vec::new();
    for n in 0..2 {
        let name = format!("after-{}-{n}", rows.len());
        let added = client.append(vec![entry(intent(&name))]).await;
        more.extend(added.map_err(|e| format!("recording does not go on: {e}"))?);
    }
    if more != [rows.len() as u64, rows.len() as u64 + 1] {
        return Err(format!("after {} records come {more:?}", rows.len()));
    }
    let rows = open
        .database
        .records(0..u64::MAX)
        .await
        .map_err(|e| e.to_string())?;
    let completed = whole(&rows)?;
    promised(&rows, said)?;
    let spent = open.database.spend(0).await.map_err(|e| e.to_string())?;
    let requests: u64 = spent.iter().map(|row| row.requests).sum();
    if requests != completed {
        return Err(format!("{completed} completions and {requests} settled"));
    }
    let still = open
        .database
        .open_intents()
        .await
        .map_err(|e| e.to_string())?;
    if still.iter().map(|i| i.seq).ne(more) {
        return Err(format!("{} intents are open", still.len()));
    }
    Ok(())
}

/// Every row is what it says it is, in its place, and every intent ends once;
/// how many ended as they should.
fn whole(rows: &[JournalRow]) -> Result<u64, String> {
    let mut open = BTreeSet::new();
    let mut completed = 0;
    for (place, row) in (0_u64..).zip(rows) {
        if row.seq != place {
            return Err(format!("record {place} is missing"));
        }
        if leaf_hash(&row.leaf) != row.leaf_hash {
            return Err(format!("record {place} is not what its hash says"));
        }
        let (seq, record) =
            Record::parse(&row.leaf).map_err(|e| format!("record {place} cannot be read: {e}"))?;
        if seq != place {
            return Err(format!("record {place} says that it is {seq}"));
        }
        match record.event {
            Event::Intent { .. } => {
                open.insert(seq);
            }
            Event::Completion { intent, ending, .. } => {
                if !open.remove(&intent) {
                    return Err(format!("record {place} ends {intent}, which is not open"));
                }
                completed += u64::from(ending == Ending::Completed);
            }
            _ => {}
        }
    }
    // The two that the judge appended.
    if open.len() > 2 {
        return Err(format!("{} intents were never ended", open.len()));
    }
    Ok(completed)
}

fn promised(rows: &[JournalRow], said: &[Said]) -> Result<(), String> {
    for said in said {
        match said {
            Said::Recorded { seq, leaf } => {
                let row = usize::try_from(*seq).ok().and_then(|n| rows.get(n));
                if row.is_none_or(|row| row.leaf != *leaf) {
                    return Err(format!("record {seq} was acknowledged and is lost"));
                }
            }
            Said::Published { size, root } => {
                let n = usize::try_from(*size).unwrap_or(usize::MAX);
                let leaves = rows.iter().take(n).map(|row| row.leaf.as_slice());
                if rows.len() < n || root_of(leaves) != *root {
                    return Err(format!("the published tree of {size} records is no more"));
                }
            }
            Said::Kept { .. } => {}
        }
    }
    Ok(())
}

/// Files hold what was promised; the mark may be a later one.
fn kept(folder: &Path, said: &[Said]) -> Result<(), String> {
    let mut last = BTreeMap::new();
    for said in said {
        if let Said::Kept { name, bytes } = said {
            last.insert(name, bytes);
        }
    }
    for (name, bytes) in last {
        let there = std::fs::read(folder.join(name)).unwrap_or_default();
        let later = name == MARK && size(&there) > size(bytes);
        if there != *bytes && !later {
            return Err(format!("the file `{name}` does not hold what it held"));
        }
    }
    Ok(())
}

fn size(mark: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(mark);
    let first = text.lines().next().unwrap_or_default();
    first.parse().unwrap_or_default()
}
