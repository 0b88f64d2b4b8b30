//! Why: each clause that was looked at, its exceptions, and what would change
//! the answer, in words.

use facts::ClauseId;
use serde::Serialize;

use crate::question::{Question, Ruling, Verdict};
use crate::terms::waived;
use crate::{Clause, Exception, Purpose, Terms, Version};

/// A ruling with its reasons in words.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The ruling.
    pub ruling: Ruling,
    /// Every clause in force that decided or would have, with what was found.
    pub clauses: Vec<ClauseFinding>,
}

/// What was found about one clause.
#[derive(Debug, Clone, Serialize)]
pub struct ClauseFinding {
    /// Its full id.
    pub clause: String,
    /// The version that it belongs to, `provider-document-version`.
    pub version: String,
    /// What its source calls the document.
    pub title: String,
    /// The clause in one sentence of ours.
    pub paraphrase: String,
    /// How it is read here.
    pub interpretation: Option<String>,
    /// `forbids`, `allows`, `excepted` or `authorised`.
    pub finding: &'static str,
    /// The exceptions and authorisations looked at, in words.
    pub analysis: Vec<String>,
    /// What the version says about notice, cure and appeal.
    pub process: Vec<String>,
}

impl Terms {
    /// Decides, and says why. The ruling is that of [`Terms::rule`].
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let ruling = self.rule(question);
        let purpose = question.purpose.and_then(|text| Purpose::parse(text).ok());
        let mut clauses = Vec::new();
        for version in self.in_force(question.at).unwrap_or_default() {
            for clause in version.clauses() {
                clauses.extend(finding(version, clause, question, purpose, &ruling));
            }
        }
        Explanation { ruling, clauses }
    }
}

/// What was found about a clause; none when it does not speak of the question.
fn finding(
    version: &Version,
    clause: &Clause,
    question: &Question<'_>,
    purpose: Option<Purpose>,
    ruling: &Ruling,
) -> Option<ClauseFinding> {
    let decided = ruling.because.contains(&clause.id);
    let speaks = purpose.is_some_and(|purpose| clause.forbids.contains(&purpose))
        || question
            .conduct
            .iter()
            .any(|found| clause.conduct.contains(found));
    if !decided && !speaks {
        return None;
    }
    let waived = waived(question, purpose).contains(&clause.id);
    let finding = match (decided, ruling.verdict) {
        (true, Verdict::Deny) => "forbids",
        (true, Verdict::Allow) => "allows",
        (false, _) if waived => "authorised",
        (false, _) => "excepted",
    };
    let mut analysis: Vec<String> = clause
        .exceptions
        .iter()
        .filter(|exception| purpose.is_some_and(|p| exception.purposes.contains(&p)))
        .map(|exception| weighed(exception, question))
        .collect();
    if decided && clause.countries {
        analysis.push("the request comes from a country off the agreed list".to_owned());
    }
    if speaks && clause.exceptions.is_empty() {
        analysis.push("the clause states no exception".to_owned());
    } else if speaks && analysis.is_empty() {
        analysis.push("none of its exceptions speaks of this purpose".to_owned());
    }
    analysis.extend(authorised(&clause.id, question, waived));
    Some(ClauseFinding {
        clause: clause.id.to_string(),
        version: version.slug(),
        title: version.title().to_owned(),
        paraphrase: clause.paraphrase.clone(),
        interpretation: clause.interpretation.clone(),
        finding,
        analysis,
        process: process(version),
    })
}

fn weighed(exception: &Exception, question: &Question<'_>) -> String {
    let lacking: Vec<_> = exception
        .needs
        .iter()
        .filter(|need| !question.declared.contains(need))
        .map(|need| format!("`{need}`"))
        .collect();
    let Exception { id, paraphrase, .. } = exception;
    if lacking.is_empty() {
        format!("exception {id} applies: {paraphrase}")
    } else {
        let lacking = lacking.join(" and ");
        format!("exception {id} would apply if {lacking} were declared: {paraphrase}")
    }
}

fn authorised(clause: &ClauseId, question: &Question<'_>, waived: bool) -> Option<String> {
    if waived {
        return Some("the provider authorised it for this purpose".to_owned());
    }
    let held = question
        .authorisations
        .iter()
        .find(|given| &given.clause == clause)?;
    let when = if held.until.is_some_and(|until| until <= question.at) {
        "has ended"
    } else if question.at < held.from {
        "has not begun"
    } else {
        "is for another purpose or model"
    };
    Some(format!("an authorisation exists, which {when}"))
}

fn process(version: &Version) -> Vec<String> {
    let process = version.process();
    let said = [
        ("notice", &process.notice),
        ("cure", &process.cure),
        ("appeal", &process.appeal),
    ];
    said.into_iter()
        .map(|(what, text)| match text {
            Some(text) => format!("{what}: {text}"),
            None => format!("{what}: the document says nothing"),
        })
        .collect()
}
