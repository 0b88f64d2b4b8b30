//! Versions in a folder: `NAME/facts.toml`, `NAME/policies.cedar`,
//! `NAME/cases.toml`, as in this program's own catalogue.

use std::path::Path;

use terms::{Catalogue, Source, Version};

use crate::failure::Failure;

struct Read {
    name: String,
    facts: String,
    policies: String,
    cases: String,
}

fn read(dir: &Path) -> Result<Read, Failure> {
    let text = |file: &str| {
        let path = dir.join(file);
        std::fs::read_to_string(&path)
            .map_err(|e| Failure::error(format!("failed to read `{}`: {e}", path.display())))
    };
    let name = dir.canonicalize().ok().and_then(|dir| {
        let name = dir.file_name()?.to_str()?;
        Some(name.to_owned())
    });
    Ok(Read {
        name: name.unwrap_or_default(),
        facts: text("facts.toml")?,
        policies: text("policies.cedar")?,
        cases: text("cases.toml")?,
    })
}

fn made(all: &[Read]) -> Result<Catalogue, Failure> {
    let sources: Vec<Source<'_>> = all
        .iter()
        .map(|read| Source {
            name: &read.name,
            facts: &read.facts,
            policies: &read.policies,
            cases: &read.cases,
        })
        .collect();
    Catalogue::read(&sources).map_err(|e| Failure::error(e.to_string()))
}

/// The catalogue that a folder's folders make; a version's own folder is a
/// catalogue of one.
pub(super) fn catalogue(dir: &Path) -> Result<Catalogue, Failure> {
    if dir.join("facts.toml").exists() {
        return made(&[read(dir)?]);
    }
    let failed = |e: std::io::Error| {
        Failure::error(format!(
            "failed to read the folder `{}`: {e}",
            dir.display()
        ))
    };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            all.push(read(&path)?);
        }
    }
    if all.is_empty() {
        return Err(Failure::error(format!(
            "`{}` holds no version: make a folder PROVIDER-DOCUMENT-DAY with facts.toml, policies.cedar and cases.toml",
            dir.display()
        )));
    }
    made(&all)
}

/// The one version in a folder.
pub(super) fn one(dir: &Path) -> Result<Version, Failure> {
    let catalogue = catalogue(dir)?;
    match catalogue.versions() {
        [version] => Ok(version.clone()),
        _ => Err(Failure::error(format!(
            "`{}` holds several versions: name the folder of one",
            dir.display()
        ))),
    }
}
