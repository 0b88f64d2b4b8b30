//! From TOML to checked facts. Unknown fields are errors.

use std::collections::BTreeSet;

use facts::{ClauseId, Timestamp};
use serde::Deserialize;

use super::{
    Basis, CatalogueError, Class, Clause, DocumentId, Exception, Process, Provenance, Source,
    Version,
};
use crate::{Conduct, Declaration, Purpose, day};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionToml {
    provider: String,
    document: String,
    version: String,
    title: String,
    class: String,
    effective: EffectiveToml,
    source: SourceToml,
    clause: Vec<ClauseToml>,
    #[serde(default)]
    process: ProcessToml,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EffectiveToml {
    from: String,
    from_basis: String,
    until: Option<String>,
    until_basis: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceToml {
    reference: String,
    archive_commit: Option<String>,
    text_sha256: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClauseToml {
    id: String,
    paraphrase: String,
    interpretation: Option<String>,
    #[serde(default)]
    forbids: Vec<String>,
    #[serde(default)]
    allows: Vec<String>,
    only: Option<String>,
    #[serde(default)]
    conduct: Vec<String>,
    #[serde(default)]
    countries: bool,
    #[serde(default)]
    exception: Vec<ExceptionToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionToml {
    id: String,
    paraphrase: String,
    purposes: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ProcessToml {
    notice: Option<String>,
    cure: Option<String>,
    cure_days: Option<u32>,
    appeal: Option<String>,
}

/// A word of a-z, 0-9 and `-`.
pub(super) fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Reads one version.
pub(super) fn version(source: &Source<'_>) -> Result<Version, CatalogueError> {
    let raw: VersionToml = toml::from_str(source.facts).map_err(|error| syntax(source, &error))?;
    let at = Place { file: source.name };
    let document = DocumentId::of(&raw.provider, &raw.document).ok_or_else(|| {
        let given = format!("{}/{}", raw.provider, raw.document);
        at.value("provider, document", &given, "two words of a-z, 0-9 and -")
    })?;
    at.day("version", &raw.version)?;
    let slug = format!("{}-{}-{}", raw.provider, raw.document, raw.version);
    if slug != source.name {
        return Err(at.value("provider, document, version", &slug, "the source's name"));
    }
    let class = Class::ALL
        .into_iter()
        .find(|class| class.word() == raw.class)
        .ok_or_else(|| at.value("class", &raw.class, "a class of terms"))?;
    let (from, until) = interval(&at, &raw.effective)?;
    let clauses = raw
        .clause
        .into_iter()
        .map(|clause| read_clause(&at, &slug, clause))
        .collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<_> = clauses.iter().map(|clause| &clause.id).collect();
    if clauses.is_empty() || ids.len() != clauses.len() {
        return Err(at.value(
            "clause",
            &slug,
            "a document whose clauses are named once each",
        ));
    }
    Ok(Version {
        document,
        name: raw.version,
        title: at.text("title", raw.title)?,
        class,
        from,
        until,
        source: provenance(&at, raw.source)?,
        clauses,
        process: Process {
            notice: raw.process.notice,
            cure: raw.process.cure,
            cure_days: raw.process.cure_days,
            appeal: raw.process.appeal,
        },
        file: source.name.to_owned(),
        policies: source.policies.to_owned(),
        cases: source.cases.to_owned(),
    })
}

fn syntax(source: &Source<'_>, error: &toml::de::Error) -> CatalogueError {
    let line = error
        .span()
        .and_then(|span| source.facts.get(..span.start))
        .map_or(0, |before| before.matches('\n').count() + 1);
    CatalogueError::Syntax {
        file: source.name.to_owned(),
        line,
        detail: error.message().to_owned(),
    }
}

type Border = (Timestamp, Basis);

fn interval(
    at: &Place<'_>,
    raw: &EffectiveToml,
) -> Result<(Border, Option<Border>), CatalogueError> {
    let from = (
        at.day("effective.from", &raw.from)?,
        at.basis("effective.from_basis", &raw.from_basis)?,
    );
    let until = match (&raw.until, &raw.until_basis) {
        (None, None) => None,
        (Some(day), Some(basis)) => Some((
            at.day("effective.until", day)?,
            at.basis("effective.until_basis", basis)?,
        )),
        (Some(day), None) => return Err(at.value("effective.until", day, "given with its basis")),
        (None, Some(basis)) => {
            return Err(at.value("effective.until_basis", basis, "given with its day"));
        }
    };
    if let (Some((end, _)), Some(day)) = (until, &raw.until)
        && end <= from.0
    {
        return Err(at.value("effective.until", day, "after the beginning"));
    }
    Ok((from, until))
}

fn provenance(at: &Place<'_>, raw: SourceToml) -> Result<Provenance, CatalogueError> {
    let hexadecimal = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    if let Some(digest) = &raw.text_sha256
        && !(digest.len() == 64 && hexadecimal(digest))
    {
        return Err(at.value("source.text_sha256", digest, "64 hexadecimal digits"));
    }
    if let Some(commit) = &raw.archive_commit
        && !(commit.len() == 40 && hexadecimal(commit))
    {
        return Err(at.value("source.archive_commit", commit, "40 hexadecimal digits"));
    }
    Ok(Provenance {
        reference: at.text("source.reference", raw.reference)?,
        archive_commit: raw.archive_commit,
        text_sha256: raw.text_sha256,
    })
}

fn read_clause(at: &Place<'_>, slug: &str, raw: ClauseToml) -> Result<Clause, CatalogueError> {
    let full = format!("{slug}/{}", raw.id);
    let place = |field: &str| format!("clause {}, {field}", raw.id);
    let id = ClauseId::parse(&full)
        .map_err(|error| at.value(&place("id"), &raw.id, &error.to_string()))?;
    let forbids = at.purposes(&place("forbids"), &raw.forbids)?;
    let allows = at.purposes(&place("allows"), &raw.allows)?;
    let mut exceptions = Vec::new();
    for exception in raw.exception {
        let where_ = place(&format!("exception {}", exception.id));
        let purposes = at.purposes(&where_, &exception.purposes)?;
        if purposes.is_empty() || !purposes.is_subset(&forbids) {
            let given = exception.purposes.join(", ");
            return Err(at.value(&where_, &given, "a part of what the clause forbids"));
        }
        let needs = exception
            .needs
            .iter()
            .map(|word| {
                Declaration::from_word(word).ok_or_else(|| at.value(&where_, word, "a declaration"))
            })
            .collect::<Result<_, _>>()?;
        exceptions.push(Exception {
            paraphrase: at.text(&where_, exception.paraphrase)?,
            id: exception.id,
            purposes,
            needs,
        });
    }
    let only = raw.only.as_deref().map(|word| {
        Declaration::from_word(word).ok_or_else(|| at.value(&place("only"), word, "a declaration"))
    });
    let conduct = raw.conduct.iter().map(|word| {
        Conduct::from_word(word).ok_or_else(|| at.value(&place("conduct"), word, "a conduct"))
    });
    let clause = Clause {
        id,
        paraphrase: at.text(&place("paraphrase"), raw.paraphrase.clone())?,
        interpretation: raw.interpretation,
        forbids,
        only: only.transpose()?,
        conduct: conduct.collect::<Result<_, _>>()?,
        countries: raw.countries,
        allows,
        exceptions,
    };
    if !clause.restricts() && clause.allows.is_empty() {
        let wanted =
            "a clause that forbids or allows something: name purposes, conduct or countries";
        return Err(at.value(&place("id"), &raw.id, wanted));
    }
    Ok(clause)
}

/// Which source is being read.
struct Place<'a> {
    file: &'a str,
}

impl Place<'_> {
    fn value(&self, place: &str, given: &str, wanted: &str) -> CatalogueError {
        CatalogueError::Value {
            file: self.file.to_owned(),
            place: place.to_owned(),
            given: given.to_owned(),
            wanted: wanted.to_owned(),
        }
    }

    fn day(&self, place: &str, text: &str) -> Result<Timestamp, CatalogueError> {
        day::parse(text).ok_or_else(|| self.value(place, text, "a day YYYY-MM-DD"))
    }

    fn basis(&self, place: &str, word: &str) -> Result<Basis, CatalogueError> {
        Basis::ALL
            .into_iter()
            .find(|basis| basis.word() == word)
            .ok_or_else(|| self.value(place, word, "a basis"))
    }

    fn text(&self, place: &str, text: String) -> Result<String, CatalogueError> {
        if text.trim().is_empty() {
            return Err(self.value(place, &text, "a sentence"));
        }
        Ok(text)
    }

    fn purposes(&self, place: &str, words: &[String]) -> Result<BTreeSet<Purpose>, CatalogueError> {
        let purposes: BTreeSet<_> = words
            .iter()
            .map(|word| Purpose::parse(word).map_err(|_| self.value(place, word, "a purpose")))
            .collect::<Result<_, _>>()?;
        if purposes.len() != words.len() {
            return Err(self.value(place, &words.join(", "), "a list without repetition"));
        }
        Ok(purposes)
    }
}
