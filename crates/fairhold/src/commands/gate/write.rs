//! The corpus without the rows that may not be used, each file in its own form.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use corpus::{STDIN, clean};

use super::Passed;
use super::rule::Said;
use crate::failure::Failure;
use crate::out::Out;

/// Writes each file without its blocked rows. A row that could not be read was not checked and is
/// left out too; a file that could not be read to its end is not written.
pub(super) fn write(folder: &Path, passed: &Passed, out: Out) -> Result<(), Failure> {
    let mut without: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for row in &passed.gated.rows {
        if matches!(row.verdict, Said::Blocked | Said::Undecided) {
            without.entry(row.number).or_default().insert(row.place);
        }
    }
    let totals = &passed.scanned.totals;
    if totals.bad > totals.faults.len() as u64 {
        return Err(Failure::error(format!(
            "{} rows could not be read, too many to leave out one by one: mend the corpus first",
            totals.bad
        )));
    }
    std::fs::create_dir_all(folder)
        .map_err(|e| Failure::error(format!("failed to make `{}`: {e}", folder.display())))?;
    let (mut kept, mut left_out) = (0, 0);
    let mut names = BTreeSet::new();
    for (number, file) in passed.scanned.plan.files.iter().enumerate() {
        let mut rows = without.remove(&number).unwrap_or_default();
        let faults = totals.faults.iter().filter(|f| f.file == file.name);
        let mut whole = true;
        for fault in faults {
            match fault.row {
                Some(row) => drop(rows.insert(row)),
                None => whole = false,
            }
        }
        if !whole || file.path.as_os_str() == STDIN {
            out.say(&format!(
                "{} is not written: it was not read whole",
                file.name
            ));
            continue;
        }
        let name = &file.relative;
        if !names.insert(name.clone()) {
            return Err(Failure::error(format!(
                "two files would be called `{}`: write each folder by itself",
                name.display()
            )));
        }
        let to = folder.join(name);
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).map_err(|e| {
                Failure::error(format!("failed to make `{}`: {e}", parent.display()))
            })?;
        }
        let digests = &mut totals.digests.iter();
        let Some((_, sha256, _)) = digests.find(|(known, _, _)| *known == file.name) else {
            return Err(Failure::error(format!(
                "{} has no digest: it was not read whole",
                file.name
            )));
        };
        let cleaned = clean(file, &rows, Some(sha256), &to).map_err(|e| Failure::chain(&e))?;
        kept += cleaned.kept;
        left_out += cleaned.left_out;
    }
    out.say(&format!(
        "{kept} rows written to {}, {left_out} left out",
        folder.display()
    ));
    Ok(())
}
