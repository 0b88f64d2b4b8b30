//! Which documents of terms are there, and which was in force when?
//!
//! The catalogue holds our own one-sentence paraphrases, never a source's
//! text, and no digest of a text that was not read for it.

use std::collections::BTreeSet;
use std::fmt;

use facts::{ClauseId, Timestamp};

use crate::{Conduct, Declaration, Purpose};

mod builtin;
mod error;
mod read;

pub use error::CatalogueError;

/// A line of documents of one provider, written `provider/document`; its
/// versions follow each other in time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId {
    provider: String,
    document: String,
}

impl DocumentId {
    /// Reads `provider/document`; both are words of a-z, 0-9 and `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, document) = text.split_once('/')?;
        Self::of(provider, document)
    }

    fn of(provider: &str, document: &str) -> Option<Self> {
        (read::is_word(provider) && read::is_word(document)).then(|| Self {
            provider: provider.to_owned(),
            document: document.to_owned(),
        })
    }

    /// Whose terms.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Which of them.
    pub fn document(&self) -> &str {
        &self.document
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.document)
    }
}

/// What a document does about training on outputs. The classes are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Forbids training competing models.
    ForbidCompeting,
    /// Forbids it, and collecting outputs for it.
    ForbidCompetingAndCollection,
    /// Forbids training any model.
    ForbidAny,
    /// Forbids training any model without prior authorisation.
    ForbidAnyWithoutAuthorisation,
    /// Allows it on a condition, such as a name.
    AllowWithCondition,
    /// Allows it.
    Allow,
    /// Passes on the terms of an upstream.
    PassThrough,
    /// What is made inherits the terms.
    Inherit,
}

impl Class {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::ForbidCompeting,
        Self::ForbidCompetingAndCollection,
        Self::ForbidAny,
        Self::ForbidAnyWithoutAuthorisation,
        Self::AllowWithCondition,
        Self::Allow,
        Self::PassThrough,
        Self::Inherit,
    ];

    /// The word used in the catalogue.
    pub fn word(self) -> &'static str {
        match self {
            Self::ForbidCompeting => "forbid-competing",
            Self::ForbidCompetingAndCollection => "forbid-competing-and-collection",
            Self::ForbidAny => "forbid-any",
            Self::ForbidAnyWithoutAuthorisation => "forbid-any-without-authorisation",
            Self::AllowWithCondition => "allow-with-condition",
            Self::Allow => "allow",
            Self::PassThrough => "pass-through",
            Self::Inherit => "inherit",
        }
    }
}

/// How well a border of an effective interval is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The document states it.
    Effective,
    /// The day on which the archive saw the text change.
    LastChange,
    /// The day on which the archive shows the text; it may be older.
    Archived,
    /// The end of what is known; the text may have stayed in force longer.
    LastKnown,
    /// The next version began.
    Superseded,
}

impl Basis {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::Effective,
        Self::LastChange,
        Self::Archived,
        Self::LastKnown,
        Self::Superseded,
    ];

    /// The word used in the catalogue.
    pub fn word(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::LastChange => "last-change",
            Self::Archived => "archived",
            Self::LastKnown => "last-known",
            Self::Superseded => "superseded",
        }
    }
}

/// Where the facts of a version were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// What was read, for people.
    pub reference: String,
    /// Commit of the archive, where recorded.
    pub archive_commit: Option<String>,
    /// SHA-256 of the text read, hexadecimal, where recorded.
    pub text_sha256: Option<String>,
}

/// What a version owes the customer; absent where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// About notice.
    pub notice: Option<String>,
    /// About curing a breach.
    pub cure: Option<String>,
    /// Days to cure a breach.
    pub cure_days: Option<u32>,
    /// About contesting a measure.
    pub appeal: Option<String>,
}

/// A carve-out of a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its name inside the clause.
    pub id: String,
    /// One sentence of ours.
    pub paraphrase: String,
    /// The purposes that it frees.
    pub purposes: BTreeSet<Purpose>,
    /// What the customer must have declared, all of it.
    pub needs: BTreeSet<Declaration>,
}

/// A clause of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its full id, for example `openai-services-2026-01-01/3.3(e)`.
    pub id: ClauseId,
    /// One sentence of ours.
    pub paraphrase: String,
    /// How it is read here where its words leave that open.
    pub interpretation: Option<String>,
    /// Purposes that it forbids, before exceptions and authorisations. Empty
    /// where no declared purpose can show a breach (the sale of keys, say).
    pub forbids: BTreeSet<Purpose>,
    /// What it forbids only of uses about which this was declared.
    pub only: Option<Declaration>,
    /// Established conduct that it forbids, before authorisations.
    pub conduct: BTreeSet<Conduct>,
    /// True when it confines requests to countries on an agreed list.
    pub countries: bool,
    /// Purposes that it expressly allows.
    pub allows: BTreeSet<Purpose>,
    /// Its carve-outs.
    pub exceptions: Vec<Exception>,
}

/// One version of a document of terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    document: DocumentId,
    name: String,
    title: String,
    class: Class,
    from: (Timestamp, Basis),
    until: Option<(Timestamp, Basis)>,
    source: Provenance,
    clauses: Vec<Clause>,
    process: Process,
    file: String,
    policies: String,
    cases: String,
}

impl Clause {
    /// True when it forbids anything at all.
    pub fn restricts(&self) -> bool {
        !self.forbids.is_empty() || !self.conduct.is_empty() || self.countries
    }
}

impl Version {
    /// The line of documents that it belongs to.
    pub fn document(&self) -> &DocumentId {
        &self.document
    }

    /// Its name in that line, a day.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `provider-document-version`: what its clause ids begin with.
    pub fn slug(&self) -> String {
        let DocumentId { provider, document } = &self.document;
        format!("{provider}-{document}-{}", self.name)
    }

    /// What its source calls it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it does about training on outputs.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The first moment of which it is in force, and how well that is known.
    pub fn from(&self) -> (Timestamp, Basis) {
        self.from
    }

    /// The first moment of which it is no longer in force; none: it still is.
    pub fn until(&self) -> Option<(Timestamp, Basis)> {
        self.until
    }

    /// Where it was read.
    pub fn source(&self) -> &Provenance {
        &self.source
    }

    /// Its clauses, in the document's order.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// What it owes the customer.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its Cedar policies, as written.
    pub fn policies(&self) -> &str {
        &self.policies
    }

    /// The cases that its clauses must decide, as written.
    pub fn cases(&self) -> &str {
        &self.cases
    }

    /// Name of the source that it was read from, for messages.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// True when it is in force at `at`; the end does not belong to it.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from.0 <= at && self.until.is_none_or(|(until, _)| at < until)
    }
}

/// One version as it is written: facts and cases in TOML, policies in Cedar.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Name for messages, without its ending.
    pub name: &'a str,
    /// The facts.
    pub facts: &'a str,
    /// The policies.
    pub policies: &'a str,
    /// The cases that they must decide.
    pub cases: &'a str,
}

/// All versions known, in the order of document and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    versions: Vec<Version>,
}

impl Catalogue {
    /// The catalogue that the program carries.
    ///
    /// # Errors
    /// [`CatalogueError`], which would be a fault of the program; a test reads it.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::read(builtin::SOURCES)
    }

    /// The catalogue that `sources` make.
    ///
    /// # Errors
    /// [`CatalogueError`] at the first fact that is malformed, unknown or
    /// contradicts another.
    pub fn read(sources: &[Source<'_>]) -> Result<Self, CatalogueError> {
        let mut versions = sources
            .iter()
            .map(read::version)
            .collect::<Result<Vec<_>, _>>()?;
        versions.sort_by(|a, b| (&a.document, a.from.0).cmp(&(&b.document, b.from.0)));
        for (earlier, later) in versions.iter().zip(versions.iter().skip(1)) {
            let apart = earlier.document != later.document
                || earlier
                    .until
                    .is_some_and(|(until, _)| until <= later.from.0);
            if !apart {
                return Err(CatalogueError::Overlap {
                    earlier: earlier.slug(),
                    later: later.slug(),
                });
            }
        }
        Ok(Self { versions })
    }

    /// A catalogue of one version.
    pub(crate) fn of_one(version: &Version) -> Self {
        Self {
            versions: vec![version.clone()],
        }
    }

    /// This catalogue with the documents of `proposed` in place of its own: of
    /// each, the last version, as if it had always been in force.
    #[must_use]
    pub fn with_proposed(&self, proposed: &Self) -> Self {
        let mut versions: Vec<Version> = self
            .versions
            .iter()
            .filter(|own| proposed.of(&own.document).next().is_none())
            .cloned()
            .collect();
        for (n, version) in proposed.versions.iter().enumerate() {
            let next = proposed.versions.get(n + 1);
            if next.is_none_or(|next| next.document != version.document) {
                versions.push(Version {
                    from: (Timestamp(i64::MIN), version.from.1),
                    until: None,
                    ..version.clone()
                });
            }
        }
        versions.sort_by(|a, b| (&a.document, a.from.0).cmp(&(&b.document, b.from.0)));
        Self { versions }
    }

    /// The version with that name of `provider-document-version`.
    pub fn version(&self, slug: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.slug() == slug)
    }

    /// Every line of documents, once.
    pub fn documents(&self) -> Vec<DocumentId> {
        let lines: BTreeSet<_> = self.versions.iter().map(|v| v.document.clone()).collect();
        lines.into_iter().collect()
    }

    /// All versions, in the order of document and time.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The versions of `document`, in the order of time.
    pub fn of<'a>(&'a self, document: &'a DocumentId) -> impl Iterator<Item = &'a Version> {
        self.versions
            .iter()
            .filter(move |version| &version.document == document)
    }

    /// The versions of `provider` in force at `at`: at most one of each document.
    pub fn in_force<'a>(
        &'a self,
        provider: &'a str,
        at: Timestamp,
    ) -> impl Iterator<Item = &'a Version> {
        self.versions
            .iter()
            .filter(move |version| version.document.provider == provider && version.covers(at))
    }

    /// The clause with that id, with its version.
    pub fn clause(&self, id: &ClauseId) -> Option<(&Version, &Clause)> {
        self.versions.iter().find_map(|version| {
            let clause = version.clauses.iter().find(|clause| &clause.id == id)?;
            Some((version, clause))
        })
    }
}

#[cfg(test)]
mod tests;
