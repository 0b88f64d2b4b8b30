//! `fairhold terms explain`: one question, its answer, and why.

use std::collections::BTreeSet;

use facts::{AccountId, Endpoint, ModelName};
use serde_json::json;
use terms::{
    Act, Agreement, ClauseFinding, Conduct, Countries, Country, Declaration, DocumentId,
    Explanation, Library, Lineage, Origin, OutputSet, Purpose, Question, Target, Terms, Use,
    UseQuestion, Verdict, use_output,
};

use super::{agreement_of, builtin, moment};
use crate::args::terms::{Explain, Kind, Verb};
use crate::failure::{Exit, Failure};
use crate::judge::documents;
use crate::out::Out;

/// The sets of a question about outputs: as made, and as altered.
const MADE: &str = "outputs";
const ALTERED: &str = "altered copy";

/// Runs the command; a denial is a finding.
pub(super) fn run(what: &Explain, out: Out) -> Result<Exit, Failure> {
    let asked = Asked::of(what)?;
    let library = Library::new(builtin()?, asked.countries(&what.supported)?);
    let terms = library
        .bound(&asked.documents)
        .map_err(|e| Failure::error(format!("{e}; `fairhold terms list` shows all")))?;
    let explained = asked.explained(&terms);
    let mut analysis = Vec::new();
    let mut verdict = explained.ruling.verdict;
    let mut errors = explained.ruling.errors.clone();
    if let Some(purpose) = asked.uses {
        let ruled = asked.used(&library, purpose, what);
        verdict = ruled.verdict;
        errors = ruled.errors;
        analysis = ruled.analysis;
    }
    out.data(&json!({
        "verdict": verdict.word(),
        "at": asked.at.rfc3339(),
        "purpose": asked.purpose,
        "because": explained.ruling.because.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "clauses": explained.clauses,
        "analysis": analysis,
        "errors": errors,
        "policy_sha256": explained.ruling.policy_sha256,
    }))?;
    let purpose = asked.purpose.as_deref().unwrap_or("no declared purpose");
    let day: String = asked.at.rfc3339().chars().take(10).collect();
    out.line(&format!("{} on {day}: {purpose}", verdict.word()));
    for clause in &explained.clauses {
        tell(clause, out);
    }
    if explained.clauses.is_empty() && errors.is_empty() {
        out.line("  no clause in force speaks of it; what no clause forbids is allowed");
    }
    for line in analysis.iter().chain(&errors) {
        out.line(&format!("  {line}"));
    }
    Ok(match verdict {
        Verdict::Allow => Exit::Clean,
        Verdict::Deny => Exit::Finding,
    })
}

fn tell(clause: &ClauseFinding, out: Out) {
    out.line(&format!("  {} {}", clause.clause, clause.finding));
    out.line(&format!("    version {}: {}", clause.version, clause.title));
    out.line(&format!("    {}", clause.paraphrase));
    if let Some(reading) = &clause.interpretation {
        out.line(&format!("    read as: {reading}"));
    }
    for line in clause.analysis.iter().chain(&clause.process) {
        out.line(&format!("    {line}"));
    }
}

/// The question, read.
struct Asked {
    account: AccountId,
    model: ModelName,
    documents: Vec<DocumentId>,
    purpose: Option<String>,
    uses: Option<Use>,
    declared: Vec<Declaration>,
    agreement: Agreement,
    conduct: Vec<Conduct>,
    country: Option<Country>,
    at: facts::Timestamp,
}

impl Asked {
    fn of(what: &Explain) -> Result<Self, Failure> {
        let id = |e: facts::IdError| Failure::error(e.to_string());
        let agreement = agreement_of(what.agreement.as_deref())?;
        let mut declared = agreement.declared.clone();
        for word in &what.declare {
            declared.push(Declaration::from_word(word).ok_or_else(|| {
                unknown(
                    "declaration",
                    word,
                    &Declaration::ALL
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>(),
                )
            })?);
        }
        let mut conduct = agreement.conduct.clone();
        for word in &what.conduct {
            conduct.push(Conduct::from_word(word).ok_or_else(|| {
                unknown(
                    "conduct",
                    word,
                    &Conduct::ALL
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>(),
                )
            })?);
        }
        let uses = what.verb.map(|verb| use_of(verb, what));
        let mut purpose = what.purpose.clone();
        if let Some(uses) = uses {
            purpose = Some(uses.purpose().to_string());
            declared.extend(uses.declared());
        } else if let Some(text) = &purpose {
            let known = Purpose::parse(text).map_err(|e| Failure::error(e.to_string()))?;
            purpose = Some(known.to_string());
        }
        let mut all = documents(&what.document)?;
        all.extend(agreement.documents.iter().cloned());
        Ok(Self {
            account: AccountId::parse("customer").map_err(id)?,
            model: ModelName::parse(&what.model).map_err(id)?,
            documents: all,
            purpose,
            uses,
            declared,
            agreement,
            conduct,
            country: what.country.as_deref().map(country).transpose()?,
            at: moment(what.at.as_deref())?,
        })
    }

    /// The list, for every document's clause on countries.
    fn countries(&self, supported: &[String]) -> Result<Countries, Failure> {
        let list = supported.iter().map(|text| country(text));
        let list: BTreeSet<Country> = list.collect::<Result<_, _>>()?;
        if list.is_empty() {
            return Ok(Countries::new());
        }
        let documents = self.documents.iter().cloned();
        Ok(documents.map(|document| (document, list.clone())).collect())
    }

    fn explained(&self, terms: &Terms) -> Explanation {
        let act = match self.uses {
            Some(_) => Act::Use {
                set: MADE,
                model: Some(&self.model),
                transformed: false,
            },
            None => Act::Infer {
                model: &self.model,
                endpoint: Endpoint::ChatCompletions,
            },
        };
        terms.explain(&Question {
            purpose: self.purpose.as_deref(),
            declared: &self.declared,
            conduct: &self.conduct,
            authorisations: &self.agreement.authorisations,
            country: self.country,
            ..Question::new(&self.account, act, self.at)
        })
    }

    fn used(&self, library: &Library, purpose: Use, what: &Explain) -> terms::UseRuling {
        let mut lineage = Lineage::new();
        let made = OutputSet {
            origin: Some(Origin {
                documents: self.documents.clone(),
                model: Some(self.model.clone()),
                at: self.at,
            }),
            ..OutputSet::default()
        };
        lineage.insert(MADE.to_owned(), made);
        if let Some(how) = &what.transformed {
            let altered = OutputSet {
                origin: None,
                sources: vec![MADE.to_owned()],
                transform: Some(how.clone()),
                marked: what.marked.clone(),
            };
            lineage.insert(ALTERED.to_owned(), altered);
        }
        let set = if what.transformed.is_some() {
            ALTERED
        } else {
            MADE
        };
        use_output(
            library,
            &lineage,
            &UseQuestion {
                account: &self.account,
                set,
                purpose,
                declared: &self.declared,
                conduct: &self.conduct,
                authorisations: &self.agreement.authorisations,
            },
        )
    }
}

fn country(text: &str) -> Result<Country, Failure> {
    Country::parse(text)
        .ok_or_else(|| Failure::error(format!("`{text}` is no country: write two letters, DE")))
}

fn unknown(what: &str, word: &str, all: &[String]) -> Failure {
    Failure::error(format!(
        "`{word}` is no {what}: use one of {}",
        all.join(", ")
    ))
}

fn use_of(verb: Verb, what: &Explain) -> Use {
    let target = what.target.map(|kind| Target {
        kind: match kind {
            Kind::Classifier => terms::Kind::Classifier,
            Kind::Finetuned => terms::Kind::Finetuned,
            Kind::Foundation => terms::Kind::Foundation,
        },
        competes: what.competes,
        distributed: what.distributed,
        on_provider: what.on_provider,
    });
    Use {
        verb: match verb {
            Verb::Train => terms::Verb::Train,
            Verb::Distill => terms::Verb::Distill,
            Verb::Evaluate => terms::Verb::Evaluate,
            Verb::Label => terms::Verb::Label,
            Verb::Redistribute => terms::Verb::Redistribute,
        },
        target,
    }
}
