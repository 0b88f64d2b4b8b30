//! Does every clause decide its cases, and would they notice if it did not?
//!
//! Each version carries cases written from its source: what a clause catches
//! and what it lets pass. They run against the policies as they are, and then
//! against mutants of them: a clause deleted, turned round, an exception
//! dropped, a word changed. A mutant that no case notices is a survivor.

use std::collections::BTreeSet;

use crate::{Catalogue, Terms, Version};

mod case;
mod mutant;

pub use case::{Case, CaseError};

/// Positive, and negative, cases that each clause must have at least.
pub const CASES_MIN: usize = 3;

/// What the check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Lines of documents.
    pub documents: usize,
    /// Versions of them.
    pub versions: usize,
    /// Providers.
    pub providers: usize,
    /// Clauses.
    pub clauses: usize,
    /// Cases that ran.
    pub cases: usize,
    /// Mutants made of the clauses.
    pub mutants: usize,
    /// Those that no case noticed, in words.
    pub survivors: Vec<String>,
    /// What does not hold, in words: load errors, cases decided otherwise,
    /// clauses with too few cases.
    pub errors: Vec<String>,
}

impl Report {
    /// The share of mutants that a case noticed, 0 to 1; 1 where there is none.
    pub fn mutation_score(&self) -> f64 {
        if self.mutants == 0 {
            return 1.0;
        }
        let killed = self.mutants - self.survivors.len().min(self.mutants);
        // Counts of mutants are far below the 53 bits of an `f64`.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let share = killed as f64 / self.mutants as f64;
        share
    }

    /// True when everything holds and every mutant was noticed.
    pub fn holds(&self) -> bool {
        self.errors.is_empty() && self.survivors.is_empty()
    }
}

/// Checks every version of `catalogue`; `done` is told after each.
pub fn check(catalogue: &Catalogue, mut done: impl FnMut(&Version)) -> Report {
    let providers: BTreeSet<_> = catalogue
        .versions()
        .iter()
        .map(|version| version.document().provider().to_owned())
        .collect();
    let mut report = Report {
        documents: catalogue.documents().len(),
        versions: catalogue.versions().len(),
        providers: providers.len(),
        ..Report::default()
    };
    for version in catalogue.versions() {
        check_version(version, &mut report);
        done(version);
    }
    report
}

fn check_version(version: &Version, report: &mut Report) {
    report.clauses += version.clauses().len();
    let alone = Catalogue::of_one(version);
    let terms = match Terms::load(&alone, &[version.document().clone()]) {
        Ok(terms) => terms,
        Err(error) => return report.errors.push(error.to_string()),
    };
    let cases = match case::read(version) {
        Ok(cases) => cases,
        Err(error) => return report.errors.push(error.to_string()),
    };
    report.cases += cases.len();
    for case in &cases {
        report.errors.extend(case.wrong(version, &terms));
    }
    for clause in version.clauses() {
        let own: Vec<&Case> = cases
            .iter()
            .filter(|case| case.clause == clause.id)
            .collect();
        let positive = own.iter().filter(|case| case.fires).count();
        if positive < CASES_MIN || own.len() - positive < CASES_MIN {
            report.errors.push(format!(
                "{}/cases.toml: clause `{}` has {positive} cases that it catches and {} that it lets pass: write at least {CASES_MIN} of each",
                version.slug(),
                clause.id,
                own.len() - positive,
            ));
        }
        for (change, mutated) in mutant::of(&terms, &clause.id) {
            report.mutants += 1;
            let noticed = own
                .iter()
                .any(|case| case.wrong(version, &mutated).is_some());
            if !noticed {
                report.survivors.push(format!("`{}`: {change}", clause.id));
            }
        }
    }
}

#[cfg(test)]
mod tests;
