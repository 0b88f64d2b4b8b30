//! What is asked of the terms, and what they answer.

use std::collections::BTreeSet;

use facts::{AccountId, ClauseId, Endpoint, ModelName, Timestamp};

use crate::{Conduct, Country, Declaration, Purpose};

/// The house's own clause on the standing of an account.
pub const STANDING_CLAUSE: &str = "house/standing";
/// The house's own clause on agreed volumes.
pub const EXPECTED_USAGE_CLAUSE: &str = "house/expected-usage";
/// The house's own clause on the size of one request.
pub const REQUEST_SIZE_CLAUSE: &str = "house/request-size";

/// Tokens beyond which no request is believed: whoever asks for more is
/// denied, so that no sum over requests can overflow.
pub const REQUEST_TOKENS_MAX: u64 = 1 << 40;

/// What the account may do at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It may ask.
    Active,
    /// It may ask under a measure: notice, throttle or mark.
    Restricted,
    /// It may not ask for now.
    Suspended,
    /// It may not ask again.
    Terminated,
}

impl Standing {
    /// The word used in policies.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Restricted => "restricted",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
        }
    }
}

/// A provider's permission to do what a clause forbids: a licence to distil,
/// an order form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authorisation {
    /// The clause that it waives, of one version.
    pub clause: ClauseId,
    /// For what; none: for anything.
    pub purpose: Option<Purpose>,
    /// Of which models, each a name or a beginning followed by `*`; none
    /// named: of every model. Outputs whose model is not known are covered
    /// only by an authorisation for every model.
    pub models: Vec<String>,
    /// The first moment of which it holds.
    pub from: Timestamp,
    /// The first moment of which it no longer holds; none: until revoked.
    pub until: Option<Timestamp>,
}

impl Authorisation {
    /// True while it lasts.
    pub fn lasts(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// True for its purpose and its models, at whatever moment.
    pub fn concerns(&self, purpose: Option<Purpose>, model: Option<&ModelName>) -> bool {
        let meant = self.purpose.is_none() || self.purpose == purpose;
        let models = self.models.is_empty()
            || model
                .is_some_and(|name| self.models.iter().any(|glob| matches(glob, name.as_str())));
        meant && models
    }
}

/// True when `name` is `glob`, or begins as `glob` does before its final `*`.
pub fn matches(glob: &str, name: &str) -> bool {
    match glob.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => glob == name,
    }
}

/// Which agreed amounts are passed. They are counted outside: no integer
/// enters a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Exceeded {
    /// The agreement's volume for this purpose is used up.
    pub expected_usage: bool,
    /// The request asks for more tokens than the agreement lets one request
    /// ask for, or than [`REQUEST_TOKENS_MAX`].
    pub request_size: bool,
}

impl Exceeded {
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        let usage = self.expected_usage.then_some("expected-usage");
        usage
            .into_iter()
            .chain(self.request_size.then_some("request-size"))
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act<'a> {
    /// A request to a model.
    Infer {
        /// The model asked for.
        model: &'a ModelName,
        /// The operation.
        endpoint: Endpoint,
    },
    /// A use of outputs that exist.
    Use {
        /// The set of outputs.
        set: &'a str,
        /// The model that made them, where known.
        model: Option<&'a ModelName>,
        /// They were altered since: paraphrased, translated, desensitized.
        transformed: bool,
    },
}

impl Act<'_> {
    pub(crate) fn model(&self) -> Option<&ModelName> {
        match self {
            Self::Infer { model, .. } => Some(model),
            Self::Use { model, .. } => *model,
        }
    }
}

/// One question, as the terms see it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub account: &'a AccountId,
    /// What is to be done.
    pub act: Act<'a>,
    /// The purpose declared, in its word. None is allowed by default: a
    /// clause says what is forbidden. A word that is no purpose denies.
    pub purpose: Option<&'a str>,
    /// What the customer declared about its use.
    pub declared: &'a [Declaration],
    /// What was established against the customer, by a decided case or by its
    /// own word; never a suspicion.
    pub conduct: &'a [Conduct],
    /// What the provider authorised for the account.
    pub authorisations: &'a [Authorisation],
    /// Where the request comes from, where known.
    pub country: Option<Country>,
    /// Which agreed amounts are passed.
    pub exceeded: Exceeded,
    /// What the account may do at all.
    pub standing: Standing,
    /// When: the terms are those of that moment.
    pub at: Timestamp,
}

impl<'a> Question<'a> {
    /// A plain question of an account in good standing that declared nothing.
    pub fn new(account: &'a AccountId, act: Act<'a>, at: Timestamp) -> Self {
        Self {
            account,
            act,
            purpose: None,
            declared: &[],
            conduct: &[],
            authorisations: &[],
            country: None,
            exceeded: Exceeded::default(),
            standing: Standing::Active,
            at,
        }
    }
}

/// What the terms say. Exhaustive on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It may go on.
    Allow,
    /// It may not.
    Deny,
}

impl Verdict {
    /// The word shown to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What the terms say.
    pub verdict: Verdict,
    /// The clauses that decided, in order. Of an allowance: those that
    /// expressly allow; usually none.
    pub because: Vec<ClauseId>,
    /// What went wrong. Whenever this is not empty the verdict is
    /// [`Verdict::Deny`] and somebody should be told.
    pub errors: Vec<String>,
    /// Digest of the policies that decided, hexadecimal.
    pub policy_sha256: String,
    /// The same question has this ruling until before that moment, when the
    /// terms or an authorisation change; none: always.
    pub until: Option<Timestamp>,
}

/// All that a ruling depends on: questions with equal keys have equal
/// rulings, `until` apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RulingKey {
    pub(crate) policy: [u8; 32],
    pub(crate) account: AccountId,
    pub(crate) model: Option<ModelName>,
    pub(crate) act: String,
    pub(crate) purpose: Option<Purpose>,
    pub(crate) declared: BTreeSet<Declaration>,
    pub(crate) conduct: BTreeSet<Conduct>,
    pub(crate) waived: BTreeSet<ClauseId>,
    pub(crate) outside: BTreeSet<String>,
    pub(crate) exceeded: Exceeded,
    pub(crate) standing: Standing,
}
