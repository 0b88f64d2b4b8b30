//! Does everything that was promised hold? The real recovery opens the folder,
//! goes on recording, and the clients' own answers are the judge.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use evidence::checkpoint::Checkpoint;
use evidence::merkle::{Hash, Tree, leaf_hash};
use evidence::{Event, Record};
use facts::Ending;
use store::JournalRow;

use crate::load::{Client, Hears, MARK, Open, entry, intent};
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
    let judged = match records(&open, said, &unheard).await {
        Ok(rows) => ledgers(&open, &rows, said).await,
        Err(lost) => Err(lost),
    };
    open.close().await;
    judged
}

/// The product's ledger goes on, and every checkpoint that was published is one of it. Its trees
/// are recomputed here, from the records.
async fn ledgers(open: &Open, rows: &[JournalRow], said: &[Said]) -> Result<(), String> {
    let sealed = open.sealer.seal().await;
    let sealed = sealed.map_err(|e| format!("the ledger does not go on: {e}"))?;
    if sealed.records != rows.len() as u64 {
        return Err(format!("{} of {} sealed", sealed.records, rows.len()));
    }
    let published = said.iter().filter_map(|said| match said {
        Said::Published(sealed) => Some(sealed),
        Said::Recorded { .. } | Said::Kept { .. } => None,
    });
    let mut accounts: BTreeMap<String, Tree> = BTreeMap::new();
    for row in rows {
        let account = row.account.as_ref().map(ToString::to_string);
        let tree = accounts.entry(account.unwrap_or_default());
        tree.or_insert_with(|| Tree::from_hashes([]))
            .push(read(&row.leaf)?.hash);
    }
    let entries = open.database.root_entries(sealed.epoch, 0..u64::MAX);
    let entries = entries.await.map_err(|e| e.to_string())?;
    let mut root = Tree::from_hashes([]);
    for entry in &entries {
        root.push(leaf_hash(&entry.body));
        let account = entry.ledger.clone().unwrap_or_default();
        let tree = accounts.get(&account).and_then(|t| t.root(entry.size));
        let stated = Checkpoint::parse(&String::from_utf8_lossy(&entry.body));
        let stated = stated.map_err(|e| format!("root entry {}: {e}", entry.n))?;
        if stated.size != entry.size || tree != Some(stated.root) {
            return Err(format!("root entry {} states another tree", entry.n));
        }
    }
    for earlier in published.chain([&sealed]) {
        let continued = open.sealer.continues(earlier).await?;
        if !continued || root.root(earlier.size) != Some(earlier.root) {
            return Err(format!(
                "the published checkpoint of {} entries is no more",
                earlier.size
            ));
        }
    }
    Ok(())
}

async fn records(open: &Open, said: &[Said], unheard: &Hears) -> Result<Vec<JournalRow>, String> {
    let client = Client {
        journal: open.journal.clone(),
        hears: Arc::clone(unheard),
    };
    let mut more = Vec::new();
    for n in 0..2 {
        let name = format!("after-{}-{n}", said.len());
        let added = client.append(vec![entry(intent(&name))]).await;
        more.extend(added.map_err(|e| format!("recording does not go on: {e}"))?);
    }
    let rows = open
        .database
        .records(0..u64::MAX)
        .await
        .map_err(|e| e.to_string())?;
    // One after the other behind all that was there: those two are the last.
    let next = rows.len() as u64;
    if more.iter().copied().ne(next.saturating_sub(2)..next) {
        return Err(format!("of {next} records the last are not {more:?}"));
    }
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
    Ok(rows)
}

/// What a leaf says and hashes to.
#[derive(Clone, Copy)]
struct Read {
    hash: Hash,
    seq: u64,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Intent,
    Completion { intent: u64, ending: Ending },
    Else,
}

/// Leaves that are remembered: those of a few runs.
const REMEMBERED: usize = 20_000;

thread_local! {
    static KNOWN: RefCell<HashMap<Vec<u8>, Read>> = RefCell::default();
}

/// Reads a leaf, or remembers what these very bytes were read as: the cuts of a run hold the same
/// leaves over and over.
fn read(leaf: &[u8]) -> Result<Read, String> {
    if let Some(known) = KNOWN.with(|known| known.borrow().get(leaf).copied()) {
        return Ok(known);
    }
    let (seq, record) = Record::parse(leaf).map_err(|e| e.to_string())?;
    let what = match record.event {
        Event::Intent { .. } => What::Intent,
        Event::Completion { intent, ending, .. } => What::Completion { intent, ending },
        _ => What::Else,
    };
    let hash = leaf_hash(leaf);
    let read = Read { hash, seq, what };
    KNOWN.with(|known| {
        let mut known = known.borrow_mut();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(leaf.to_vec(), read);
    });
    Ok(read)
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
        let read = read(&row.leaf).map_err(|e| format!("record {place} cannot be read: {e}"))?;
        if read.hash != row.leaf_hash {
            return Err(format!("record {place} is not what its hash says"));
        }
        if read.seq != place {
            return Err(format!("record {place} says that it is {}", read.seq));
        }
        match read.what {
            What::Intent => {
                open.insert(place);
            }
            What::Completion { intent, ending } => {
                if !open.remove(&intent) {
                    return Err(format!("record {place} ends {intent}, which is not open"));
                }
                completed += u64::from(ending == Ending::Completed);
            }
            What::Else => {}
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
            Said::Published(_) | Said::Kept { .. } => {}
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

/// Entries that a mark says were signed: the fourth line of its file.
fn size(mark: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(mark);
    let line = text.lines().nth(3).unwrap_or_default();
    line.parse().unwrap_or_default()
}
