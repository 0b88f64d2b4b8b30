//! What do the terms say about this, on that day?
//!
//! - [`Catalogue`]: documents of terms as data, each version with the days on
//!   which it was in force, its clauses in our own words, and what it owes the
//!   customer (notice, cure, appeal).
//! - [`Terms`]: the documents that bind one deployment, compiled: Cedar
//!   policies checked against their schema and against the catalogue.
//! - [`Terms::rule`]: one question, one [`Ruling`], under the terms in force
//!   at the moment of the question.
//!
//! Nothing here reads a clock or a file: the moment is part of the question,
//! the built-in texts are part of the program, other texts are given.
//!
//! # Fail closed
//! A Cedar `forbid` whose evaluation errs is skipped by Cedar, so that the
//! answer may become Allow. Here any error denies and is reported.
#![forbid(unsafe_code)]

mod catalogue;
mod day;
mod purpose;
mod terms;

pub use catalogue::{
    Basis, Catalogue, CatalogueError, Class, Clause, DocumentId, Exception, Process, Provenance,
    Source, Version,
};
pub use purpose::{Declaration, Purpose, UnknownPurpose};
pub use terms::{
    Authorisation, LoadError, Question, Ruling, RulingKey, STANDING_CLAUSE, Standing, Terms,
    Verdict,
};
