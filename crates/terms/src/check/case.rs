//! One case: a situation, and whether a clause speaks of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use facts::{AccountId, ClauseId, Endpoint, ModelName};
use serde::Deserialize;

use crate::question::{Act, Authorisation, Question, Verdict};
use crate::{Conduct, Country, Declaration, Purpose, Terms, Version};

/// A situation, and whether its clause is named in the ruling on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The clause.
    pub clause: ClauseId,
    /// The situation in words.
    pub name: String,
    /// True when the clause decides: forbids, or expressly allows.
    pub fires: bool,
    /// True for a use of outputs; a request otherwise.
    pub uses: bool,
    /// The purpose.
    pub purpose: Option<Purpose>,
    /// What the customer declared.
    pub declared: Vec<Declaration>,
    /// What was established against it.
    pub conduct: Vec<Conduct>,
    /// Where the request comes from.
    pub country: Option<Country>,
    /// The countries agreed; none: no list.
    pub supported: BTreeSet<Country>,
    /// The provider authorised it.
    pub authorised: bool,
}

/// Why cases cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseError {
    file: String,
    detail: String,
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/cases.toml: {}", self.file, self.detail)
    }
}

impl std::error::Error for CaseError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasesToml {
    #[serde(default)]
    case: Vec<CaseToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseToml {
    clause: String,
    name: String,
    fires: bool,
    #[serde(default, rename = "use")]
    uses: bool,
    purpose: Option<String>,
    #[serde(default)]
    declared: Vec<String>,
    #[serde(default)]
    conduct: Vec<String>,
    country: Option<String>,
    #[serde(default)]
    supported: Vec<String>,
    #[serde(default)]
    authorised: bool,
}

/// The cases of a version.
pub(super) fn read(version: &Version) -> Result<Vec<Case>, CaseError> {
    let fault = |detail: String| CaseError {
        file: version.slug(),
        detail,
    };
    let raw: CasesToml =
        toml::from_str(version.cases()).map_err(|error| fault(error.to_string()))?;
    raw.case
        .into_iter()
        .map(|raw| {
            let name = raw.name.clone();
            one(version, raw).map_err(|detail| fault(format!("case `{name}`: {detail}")))
        })
        .collect()
}

fn one(version: &Version, raw: CaseToml) -> Result<Case, String> {
    fn all<T>(words: &[String], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
        let known = words
            .iter()
            .map(|word| read(word).ok_or_else(|| format!("`{word}` means nothing here")));
        known.collect()
    }
    let id = format!("{}/{}", version.slug(), raw.clause);
    let clause = version
        .clauses()
        .iter()
        .find(|clause| clause.id.as_str() == id)
        .ok_or_else(|| format!("the version has no clause `{}`", raw.clause))?;
    let purpose = raw.purpose.as_deref().map(Purpose::parse).transpose();
    let country = |text: &str| Country::parse(text);
    Ok(Case {
        clause: clause.id.clone(),
        name: raw.name,
        fires: raw.fires,
        uses: raw.uses,
        purpose: purpose.map_err(|error| error.to_string())?,
        declared: all(&raw.declared, Declaration::from_word)?,
        conduct: all(&raw.conduct, Conduct::from_word)?,
        country: all(raw.country.as_slice(), country)?.pop(),
        supported: all(&raw.supported, country)?.into_iter().collect(),
        authorised: raw.authorised,
    })
}

impl Case {
    /// What is wrong with the ruling of `terms` on this case, if anything.
    pub(super) fn wrong(&self, version: &Version, terms: &Terms) -> Option<String> {
        let agreed;
        let terms = if self.supported.is_empty() {
            terms
        } else {
            let list = (version.document().clone(), self.supported.clone());
            agreed = terms.clone().with_countries(BTreeMap::from([list]));
            &agreed
        };
        let (Ok(account), Ok(model)) = (AccountId::parse("case"), ModelName::parse("model")) else {
            return Some("no question could be asked".to_owned());
        };
        let act = if self.uses {
            Act::Use {
                set: "outputs",
                model: Some(&model),
                transformed: false,
            }
        } else {
            Act::Infer {
                model: &model,
                endpoint: Endpoint::ChatCompletions,
            }
        };
        let at = version.from().0;
        let authorised = self.authorised.then(|| Authorisation {
            clause: self.clause.clone(),
            purpose: None,
            models: Vec::new(),
            from: at,
            until: None,
        });
        let ruling = terms.rule(&Question {
            purpose: self.purpose.map(Purpose::word),
            declared: &self.declared,
            conduct: &self.conduct,
            authorisations: authorised.as_slice(),
            country: self.country,
            ..Question::new(&account, act, at)
        });
        let clause = version.clauses().iter().find(|c| c.id == self.clause)?;
        let meant = if clause.restricts() {
            Verdict::Deny
        } else {
            Verdict::Allow
        };
        let fires = ruling.verdict == meant && ruling.because.contains(&self.clause);
        if !ruling.errors.is_empty() {
            return Some(format!(
                "`{}`, {}: {}",
                self.clause,
                self.name,
                ruling.errors.join("; ")
            ));
        }
        (fires != self.fires).then(|| {
            let said = if fires { "is named" } else { "is not named" };
            format!("`{}`, {}: the clause {said}", self.clause, self.name)
        })
    }
}
