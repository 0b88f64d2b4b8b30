//! From a catalogue to compiled epochs: policies are read, named, held
//! against the schema and against the clauses of the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr as _;

use cedar_policy::{
    Effect, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode,
    Validator,
};
use facts::{ClauseId, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{Epoch, Terms, Types};
use crate::{Catalogue, DocumentId, Version};

/// The schema of every policy.
pub const SCHEMA: &str = include_str!("../../house/terms.cedarschema");
/// The house's own policies, part of every set.
pub const HOUSE: &str = include_str!("../../house/house.cedar");

/// Why terms cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// No document was named.
    NoDocument,
    /// The catalogue has no version of it.
    UnknownDocument {
        /// What was asked for, `provider/document`.
        document: String,
    },
    /// At no moment is a version of each document in force.
    NeverTogether,
    /// The schema is malformed.
    Schema {
        /// What is wrong.
        detail: String,
    },
    /// Policies are malformed, or do not hold against the schema.
    Policy {
        /// Name of the source.
        file: String,
        /// Line of the policy's `@id`, from 1; 0 where unknown.
        line: usize,
        /// What is wrong.
        detail: String,
    },
    /// A clause forbids or allows by the catalogue, but no policy does; or
    /// the other way round.
    Clause {
        /// Name of the source.
        file: String,
        /// The clause.
        clause: ClauseId,
        /// What is missing.
        detail: &'static str,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDocument => f.write_str("no document of terms is named: name at least one"),
            Self::UnknownDocument { document } => {
                write!(f, "the catalogue has no version of `{document}`")
            }
            Self::NeverTogether => {
                f.write_str("at no moment is a version of every document in force")
            }
            Self::Schema { detail } => write!(f, "terms.cedarschema: {detail}"),
            Self::Policy { file, line, detail } => {
                write!(f, "{file}/policies.cedar:{line}: {detail}")
            }
            Self::Clause {
                file,
                clause,
                detail,
            } => write!(f, "{file}/policies.cedar: clause `{clause}`: {detail}"),
        }
    }
}

impl std::error::Error for LoadError {}

/// Policies of one source, read and named.
struct Read {
    policies: Vec<(Policy, Option<ClauseId>)>,
    sha256: [u8; 32],
}

pub(super) fn terms(catalogue: &Catalogue, documents: &[DocumentId]) -> Result<Terms, LoadError> {
    let documents: Vec<_> = documents
        .iter()
        .cloned()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    if documents.is_empty() {
        return Err(LoadError::NoDocument);
    }
    let (schema, _warnings) =
        Schema::from_cedarschema_str(SCHEMA).map_err(|error| LoadError::Schema {
            detail: error.to_string(),
        })?;
    let types = types()?;
    let validator = Validator::new(schema.clone());
    let house = read("house", HOUSE, &validator)?;
    let mut compiled = Vec::new();
    for document in &documents {
        let before = compiled.len();
        for version in catalogue.of(document) {
            let read = read(version.file(), version.policies(), &validator)?;
            clauses_agree(version, &read)?;
            compiled.push((version, read));
        }
        if compiled.len() == before {
            return Err(LoadError::UnknownDocument {
                document: document.to_string(),
            });
        }
    }
    let epochs = epochs(documents.len(), &house, &compiled)?;
    if epochs.is_empty() {
        return Err(LoadError::NeverTogether);
    }
    let mut digest = Sha256::new();
    for epoch in &epochs {
        digest.update(epoch.sha256);
    }
    Ok(Terms {
        documents,
        epochs,
        schema,
        types,
        countries: BTreeMap::new(),
        sha256: digest.finalize().into(),
    })
}

fn types() -> Result<Types, LoadError> {
    let fault = |detail: String| LoadError::Schema { detail };
    let name = |text| EntityTypeName::from_str(text).map_err(|error| fault(error.to_string()));
    Ok(Types {
        account: name("Account")?,
        model: name("Model")?,
        outputs: name("OutputSet")?,
        infer: EntityUid::from_str("Action::\"infer\"").map_err(|e| fault(e.to_string()))?,
        use_output: EntityUid::from_str("Action::\"useOutput\"")
            .map_err(|e| fault(e.to_string()))?,
    })
}

/// Reads one source: every policy has an id of its own, every `forbid` a clause.
fn read(file: &str, text: &str, validator: &Validator) -> Result<Read, LoadError> {
    let fault = |line: usize, detail: String| LoadError::Policy {
        file: file.to_owned(),
        line,
        detail,
    };
    let parsed = PolicySet::from_str(text)
        .map_err(|error| fault(line_of_error(text, &error), error.to_string()))?;
    if parsed.num_of_templates() > 0 {
        return Err(fault(0, "a policy with slots can bind nobody".to_owned()));
    }
    let mut named = PolicySet::new();
    let mut policies = Vec::new();
    for policy in parsed.policies() {
        let id = policy
            .annotation("id")
            .filter(|id| !id.is_empty())
            .ok_or_else(|| {
                let line = line_of_text(text, &policy.to_string());
                fault(line, "a policy has no @id".to_owned())
            })?;
        let line = line_of(text, id);
        let clause = policy
            .annotation("clause")
            .map(ClauseId::parse)
            .transpose()
            .map_err(|error| fault(line, error.to_string()))?;
        if policy.effect() == Effect::Forbid && clause.is_none() {
            return Err(fault(line, format!("forbid `{id}` names no @clause")));
        }
        let policy = policy.new_id(PolicyId::new(format!("{file}/{id}")));
        named
            .add(policy.clone())
            .map_err(|_| fault(line, format!("`{id}` is the @id of two policies")))?;
        policies.push((policy, clause));
    }
    let result = validator.validate(&named, ValidationMode::Strict);
    let errors = result
        .validation_errors()
        .map(|error| (error.policy_id(), error.to_string()));
    let warnings = result
        .validation_warnings()
        .map(|warning| (warning.policy_id(), warning.to_string()));
    if let Some((policy, detail)) = errors.chain(warnings).next() {
        let policy = policy.to_string();
        let id = policy.rsplit('/').next().unwrap_or_default();
        return Err(fault(line_of(text, id), detail));
    }
    Ok(Read {
        policies,
        sha256: Sha256::digest(text.as_bytes()).into(),
    })
}

/// The line of a parser's first complaint, from 1; 0 when it names no place.
fn line_of_error(text: &str, error: &dyn miette::Diagnostic) -> usize {
    let place = error.labels().and_then(|mut labels| labels.next());
    place
        .and_then(|label| text.get(..label.offset()))
        .map_or(0, |before| before.matches('\n').count() + 1)
}

/// The line on which `policy`, as it was written, begins, from 1; 0 when it is not there.
fn line_of_text(text: &str, policy: &str) -> usize {
    text.split_once(policy)
        .map_or(0, |(before, _)| before.matches('\n').count() + 1)
}

/// The line of `@id("id")`, from 1; 0 when it is not there.
fn line_of(text: &str, id: &str) -> usize {
    let wanted = format!("@id(\"{id}\")");
    text.lines()
        .position(|line| line.contains(&wanted))
        .map_or(0, |n| n + 1)
}

/// The policies name exactly the clauses that forbid or allow by the catalogue.
fn clauses_agree(version: &Version, read: &Read) -> Result<(), LoadError> {
    let fault = |clause: &ClauseId, detail| {
        Err(LoadError::Clause {
            file: version.file().to_owned(),
            clause: clause.clone(),
            detail,
        })
    };
    let named = |effect: Effect| -> BTreeSet<&ClauseId> {
        read.policies
            .iter()
            .filter(|(policy, _)| policy.effect() == effect)
            .filter_map(|(_, clause)| clause.as_ref())
            .collect()
    };
    let (forbidding, permitting) = (named(Effect::Forbid), named(Effect::Permit));
    for clause in version.clauses() {
        if clause.restricts() != forbidding.contains(&clause.id) {
            return fault(
                &clause.id,
                "catalogue and policies differ on whether it forbids",
            );
        }
        if clause.allows.is_empty() == permitting.contains(&clause.id) {
            return fault(
                &clause.id,
                "catalogue and policies differ on whether it allows",
            );
        }
    }
    let known: BTreeSet<_> = version.clauses().iter().map(|clause| &clause.id).collect();
    match forbidding
        .union(&permitting)
        .find(|id| !known.contains(*id))
    {
        Some(stranger) => fault(stranger, "not a clause of this version"),
        None => Ok(()),
    }
}

/// Cuts time at every border and keeps the stretches where each document has
/// a version in force.
fn epochs(
    documents: usize,
    house: &Read,
    compiled: &[(&Version, Read)],
) -> Result<Vec<Epoch>, LoadError> {
    let mut borders = BTreeSet::new();
    for (version, _) in compiled {
        borders.insert(version.from().0);
        borders.extend(version.until().map(|(until, _)| until));
    }
    let borders: Vec<Timestamp> = borders.into_iter().collect();
    let ends = borders.iter().copied().skip(1).map(Some).chain([None]);
    let mut epochs = Vec::new();
    for (from, until) in borders.iter().copied().zip(ends) {
        let in_force: Vec<_> = compiled.iter().filter(|(v, _)| v.covers(from)).collect();
        if in_force.len() == documents {
            epochs.push(epoch(from, until, house, &in_force)?);
        }
    }
    Ok(epochs)
}

fn epoch(
    from: Timestamp,
    until: Option<Timestamp>,
    house: &Read,
    in_force: &[&(&Version, Read)],
) -> Result<Epoch, LoadError> {
    let sources = [("house", house)].into_iter().chain(
        in_force
            .iter()
            .map(|(version, read)| (version.file(), read)),
    );
    let mut epoch = compiled(SCHEMA, sources)?;
    (epoch.from, epoch.until) = (from, until);
    epoch.versions = in_force
        .iter()
        .map(|(version, _)| (*version).clone())
        .collect();
    Ok(epoch)
}

/// Texts that somebody handed over, compiled without a catalogue, with their schema.
pub(super) fn alone(sources: &super::Sources) -> Result<(Epoch, Schema), LoadError> {
    let (schema, _warnings) =
        Schema::from_cedarschema_str(&sources.schema).map_err(|error| LoadError::Schema {
            detail: error.to_string(),
        })?;
    let validator = Validator::new(schema.clone());
    let mut all = Vec::with_capacity(sources.policies.len());
    for (file, text) in &sources.policies {
        all.push((file.as_str(), read(file, text, &validator)?));
    }
    let epoch = compiled(
        &sources.schema,
        all.iter().map(|(file, read)| (*file, read)),
    )?;
    Ok((epoch, schema))
}

/// One policy set of several sources; in force from the beginning of time.
fn compiled<'a>(
    schema: &str,
    sources: impl Iterator<Item = (&'a str, &'a Read)>,
) -> Result<Epoch, LoadError> {
    let mut policies = PolicySet::new();
    let mut clauses = BTreeMap::new();
    let mut digest = Sha256::new();
    digest.update(b"fairhold terms 1\n");
    digest.update(Sha256::digest(schema.as_bytes()));
    for (file, read) in sources {
        digest.update(read.sha256);
        for (policy, clause) in &read.policies {
            policies
                .add(policy.clone())
                .map_err(|error| LoadError::Policy {
                    file: file.to_owned(),
                    line: 0,
                    detail: error.to_string(),
                })?;
            if let Some(clause) = clause {
                clauses.insert(policy.id().clone(), clause.clone());
            }
        }
    }
    Ok(Epoch {
        from: Timestamp(i64::MIN),
        until: None,
        versions: Vec::new(),
        policies,
        clauses,
        sha256: digest.finalize().into(),
    })
}
