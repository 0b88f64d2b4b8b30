//! The terms that bind an account, as they are sent and shown.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pages::escaped;

/// The terms that bind an account at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TermsView {
    /// The account.
    pub account: String,
    /// The moment (RFC 3339).
    pub at: String,
    /// `good`, `noticed`, `throttled`, `suspended` or `terminated`.
    pub standing: String,
    /// Purposes that its project declared; the first is meant when a request
    /// names none in `x-fairhold-purpose`.
    pub purposes: Vec<String>,
    /// What was agreed beside the documents: declarations, authorisations,
    /// expected volumes.
    pub agreement: Value,
    /// The documents in force, the strictest of which wins.
    pub documents: Vec<DocumentView>,
}

/// One version of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DocumentView {
    /// `provider/document`.
    pub document: String,
    /// `provider-document-version`.
    pub version: String,
    /// What its source calls it.
    pub title: String,
    /// What it does about training on outputs.
    pub class: String,
    /// Whom it binds here, in words; empty in the catalogue.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub binds: String,
    /// Its first day, and how well that is known.
    pub from: String,
    /// The first day on which it is no longer in force; none: it still is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Where it was read.
    pub source: String,
    /// SHA-256 of the text that was read, where recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_sha256: Option<String>,
    /// What it says about notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// About curing a breach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
    /// About contesting a measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<String>,
    /// Its clauses.
    pub clauses: Vec<ClauseView>,
}

/// One clause, in our own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClauseView {
    /// Its full id.
    pub id: String,
    /// What it says.
    pub paraphrase: String,
    /// How it is read here where its words leave that open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpretation: Option<String>,
    /// Purposes that it forbids, before exceptions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbids: Vec<String>,
    /// Established conduct that it forbids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conduct: Vec<String>,
    /// True when it confines requests to agreed countries.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub countries: bool,
    /// Purposes that it expressly allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allows: Vec<String>,
    /// Its carve-outs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionView>,
}

/// A carve-out of a clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExceptionView {
    /// Its name inside the clause.
    pub id: String,
    /// What it says.
    pub paraphrase: String,
    /// The purposes that it frees.
    pub purposes: Vec<String>,
    /// What must be declared for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

/// The body of the page on which a customer reads what binds it.
pub(crate) fn terms_page(terms: &TermsView) -> String {
    let mut body = format!(
        "<h1>The terms that bind you</h1><dl><dt>Account</dt><dd>{}</dd><dt>Standing</dt><dd>{}</dd>\
         <dt>Declared purposes</dt><dd>{}</dd></dl>",
        escaped(&terms.account),
        escaped(&terms.standing),
        escaped(&list(&terms.purposes)),
    );
    for document in &terms.documents {
        let _ = write!(
            body,
            "<h2>{}</h2><p>{}, in force since {}; binds {}.</p><ul>",
            escaped(&document.title),
            escaped(&document.version),
            escaped(&document.from),
            escaped(&document.binds),
        );
        for clause in &document.clauses {
            let _ = write!(
                body,
                "<li><b>{}</b> {}</li>",
                escaped(&clause.id),
                escaped(&clause.paraphrase)
            );
        }
        body.push_str("</ul>");
    }
    body
}

fn list(words: &[String]) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}
