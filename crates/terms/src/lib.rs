//! What do the terms say about this, on that day?
//!
//! - [`Catalogue`]: documents of terms as data, each version with the days on
//!   which it was in force, its clauses in our own words, and what it owes the
//!   customer (notice, cure, appeal).
//! - [`Agreement`]: what was agreed with one account beside them.
//! - [`Terms`]: documents that bind, compiled: Cedar policies checked against
//!   their schema and against the catalogue. [`Library`] keeps them by set.
//! - [`Terms::rule`]: one question, one [`Ruling`], under the terms in force
//!   at the moment of the question; [`Terms::explain`] says why in words;
//!   [`use_output`] asks it of outputs and of everything they were made from.
//! - [`check`]: does every clause decide its cases, and would they notice if
//!   it did not? [`diff`]: what changes between two versions?
//!   [`export`]: the same in other vocabularies.
//!
//! Nothing here reads a clock or a file: the moment is part of the question,
//! the built-in texts are part of the program, other texts are given.
//!
//! # Fail closed
//! A Cedar `forbid` whose evaluation errs is skipped by Cedar, so that the
//! answer may become Allow. Here any error denies and is reported.
#![forbid(unsafe_code)]

mod agreement;
mod analysis;
mod catalogue;
pub mod check;
mod day;
pub mod diff;
pub mod export;
mod library;
mod outputs;
mod purpose;
mod question;
mod terms;

pub use agreement::{Agreement, AgreementError, Expected};
pub use analysis::{ClauseFinding, Explanation};
pub use catalogue::{
    Basis, Catalogue, CatalogueError, Class, Clause, DocumentId, Exception, Process, Provenance,
    Source, Version,
};
pub use day::parse as day;
pub use library::Library;
pub use outputs::{
    Kind, Lineage, Origin, OutputSet, Target, Use, UseQuestion, UseRuling, Verb, use_output,
};
pub use purpose::{Conduct, Country, Declaration, Purpose, UnknownPurpose};
pub use question::{
    Act, Authorisation, EXPECTED_USAGE_CLAUSE, Exceeded, Question, REQUEST_SIZE_CLAUSE,
    REQUEST_TOKENS_MAX, Ruling, RulingKey, STANDING_CLAUSE, Standing, Verdict, matches,
};
pub use terms::{Answer, Asked, Countries, HOUSE, LoadError, Put, Replay, SCHEMA, Sources, Terms};
