//! Do the walls of the house stand?
//!
//! Two kinds of rule: who may lean on whom (from `cargo metadata`) and what a
//! source file may hold (from its text, comments and strings blanked out).

mod floors;
mod scrub;
mod sources;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use floors::{Leaning, Member};

/// One rule that a place of the tree breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Crate or file, with the line where there is one.
    pub place: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What a check of the tree saw.
#[derive(Debug)]
pub struct Report {
    /// Workspace members read.
    pub crates: usize,
    /// Source files read.
    pub files: usize,
    /// Every broken rule, in order of place.
    pub faults: Vec<Fault>,
}

/// Checks the workspace at `root`.
///
/// # Errors
/// When `cargo metadata` or a source file cannot be read.
pub fn check(root: &Path) -> Result<Report, String> {
    let members = members(root)?;
    let mut faults = floors::faults(&members);
    let mut files = 0;
    for member in &members {
        for path in rust_files(&member.folder)? {
            let text = std::fs::read_to_string(&path)
                .map_err(|e| format!("failed to read `{}`: {e}", path.display()))?;
            let place = path.strip_prefix(root.canonicalize().unwrap_or_default());
            let place = place.unwrap_or(&path).display().to_string();
            let is_test = is_test(&path);
            faults.extend(sources::faults(
                &place,
                &text,
                floors::is_pure(&member.name) && !is_test,
            ));
            files += 1;
        }
    }
    faults.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(Report {
        crates: members.len(),
        files,
        faults,
    })
}

/// Test code may read vectors and clocks; the code it tests may not.
fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
        || path.components().any(|part| {
            matches!(
                part.as_os_str().to_str(),
                Some("tests" | "benches" | "examples")
            )
        })
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|e| format!("failed to list `{}`: {e}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|e| e.to_string())?.path();
            let name = path
                .file_name()
                .and_then(|n| n.to_str())
                .unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn members(root: &Path) -> Result<Vec<Member>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(root)
        .output()
        .map_err(|e| format!("failed to run `cargo metadata`: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    floors::parse(&output.stdout)
}

#[cfg(test)]
mod tests;
