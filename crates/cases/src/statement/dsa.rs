//! A statement of reasons as the DSA Transparency Database has it.
//!
//! Field names and enumerations are the database's own. A mark is a label on
//! content, for which it has `decision_visibility`; the rest are restrictions
//! of the service or the account.

use facts::Timestamp;
use serde::Serialize;

use crate::case::{Case, FACTS_MAX};
use crate::restriction::Restriction;
use crate::step::Measure;

/// The longest explanation, in characters.
const EXPLANATION_MAX: usize = 2_000;
/// The longest name of a ground, in characters.
const GROUND_MAX: usize = 500;

/// A worldwide measure, in the database's terms: the states of the European
/// Economic Area, which is all that it asks about.
const EVERYWHERE: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS",
    "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// A statement of reasons, field by field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementJson {
    /// For a mark: that answers are labelled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decision_visibility: Vec<&'static str>,
    /// When a mark ends, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date_visibility_restriction: Option<String>,
    /// What became of the provision of the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_provision: Option<&'static str>,
    /// When that ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date_service_restriction: Option<String>,
    /// What became of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_account: Option<&'static str>,
    /// When that ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date_account_restriction: Option<String>,
    /// Whose account: those of an API belong to organisations.
    pub account_type: &'static str,
    /// That the ground is the contract.
    pub decision_ground: &'static str,
    /// The clause.
    pub incompatible_content_ground: String,
    /// Why it is met.
    pub incompatible_content_explanation: String,
    /// Whether it is held to be illegal, too: never said here.
    pub incompatible_content_illegal: &'static str,
    /// The kind of violation.
    pub category: &'static str,
    /// What was exchanged.
    pub content_type: Vec<&'static str>,
    /// When the facts were observed.
    pub content_date: String,
    /// Where it applies.
    pub territorial_scope: Vec<&'static str>,
    /// When it began.
    pub application_date: String,
    /// Facts and circumstances, at most 5,000 characters.
    pub decision_facts: String,
    /// That it was found by own investigation.
    pub source_type: &'static str,
    /// Whether automated means detected it.
    pub automated_detection: &'static str,
    /// That people decided.
    pub automated_decision: &'static str,
    /// Who says so.
    pub platform_name: String,
    /// The statement's own id there.
    pub puid: String,
    /// When it was made.
    pub created_at: String,
}

fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

/// The text, or as much of it as fits with a sign that it goes on.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

struct Decision {
    visibility: Vec<&'static str>,
    provision: Option<&'static str>,
    account: Option<&'static str>,
}

fn decision(measure: &Measure) -> Decision {
    let (visibility, provision, account) = match measure {
        Measure::Throttle(_) => (
            Vec::new(),
            Some("DECISION_PROVISION_PARTIAL_SUSPENSION"),
            None,
        ),
        Measure::Mark => (vec!["DECISION_VISIBILITY_CONTENT_LABELLED"], None, None),
        Measure::Suspend => (
            Vec::new(),
            Some("DECISION_PROVISION_TOTAL_SUSPENSION"),
            Some("DECISION_ACCOUNT_SUSPENDED"),
        ),
        Measure::Terminate => (
            Vec::new(),
            Some("DECISION_PROVISION_TOTAL_TERMINATION"),
            Some("DECISION_ACCOUNT_TERMINATED"),
        ),
    };
    Decision {
        visibility,
        provision,
        account,
    }
}

impl Case {
    /// The statement of one restriction as data, by its place in
    /// [`Case::restrictions`]; `platform` says who makes it.
    pub fn statement_json(&self, place: usize, platform: &str) -> Option<StatementJson> {
        let restriction = self.restrictions().get(place)?;
        let decision = decision(&restriction.measure);
        let ends = |applies: bool| restriction.until.filter(|_| applies).map(day);
        let observed = self.steps().first().map_or(restriction.from, |s| s.at);
        Some(StatementJson {
            end_date_visibility_restriction: ends(!decision.visibility.is_empty()),
            end_date_service_restriction: ends(decision.provision.is_some()),
            end_date_account_restriction: ends(decision.account.is_some()),
            decision_visibility: decision.visibility,
            decision_provision: decision.provision,
            decision_account: decision.account,
            account_type: "ACCOUNT_TYPE_BUSINESS",
            decision_ground: "DECISION_GROUND_INCOMPATIBLE_CONTENT",
            incompatible_content_ground: cut(self.clause().as_str(), GROUND_MAX),
            incompatible_content_explanation: cut(&restriction.reason, EXPLANATION_MAX),
            incompatible_content_illegal: "No",
            category: "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
            content_type: vec!["CONTENT_TYPE_TEXT"],
            content_date: day(observed),
            territorial_scope: EVERYWHERE.to_vec(),
            application_date: day(restriction.from),
            decision_facts: self.facts_of(restriction),
            source_type: "SOURCE_VOLUNTARY",
            automated_detection: if self.observation().automated {
                "Yes"
            } else {
                "No"
            },
            automated_decision: "AUTOMATED_DECISION_NOT_AUTOMATED",
            platform_name: platform.to_owned(),
            puid: self.puid(place),
            created_at: restriction.from.rfc3339(),
        })
    }

    fn facts_of(&self, restriction: &Restriction) -> String {
        let mut facts = self.observation().summary.clone();
        facts.push_str("\nSpeaking for the account: ");
        facts.push_str(&restriction.exculpatory);
        if restriction.emergency {
            facts.push_str("\nTaken by one person in an emergency; ends by itself.");
        }
        cut(&facts, FACTS_MAX)
    }

    /// Letters, digits, `-` and `_` only, as the database asks.
    fn puid(&self, place: usize) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        };
        let case: String = self.id().as_str().chars().map(plain).collect();
        format!("{case}_{place}")
    }
}
