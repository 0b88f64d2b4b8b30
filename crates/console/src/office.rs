//! The office behind the pages: what people may ask of the house, and the
//! values it answers with.
//!
//! These are sent forms: field names are stable, later fields are added.

use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::Colleague;
use crate::audit_log::{AuditAsked, AuditPage};
use crate::calibration::CalibrationView;
use crate::campaigns::{
    Activation, ActivationView, CampaignView, NewSketch, SketchAsked, SketchFile, TrialView,
};
use crate::caseroom::{InviteView, NewInvite, PersonView};
use crate::cases::{CaseView, NewCase, Step};
use crate::casework::{AttachmentFile, CasesAsked, CasesView, ClaimView, HeldView};
use crate::custody::{
    BodyView, ErasureView, HoldView, NewErasure, NewHold, Reading, RetentionAsked, RetentionView,
};
use crate::detection::DetectionView;
use crate::findings::FindingsView;
use crate::ledger::{LedgerFile, LedgerOf, LedgersView, Receipt};
use crate::notices::{EndpointView, NewEndpoint, NoticeLine, NoticesAsked, RetriedView};
use crate::overview::{ClusterLine, ClusterView, OverviewView};
use crate::terms::TermsView;

/// An account to open, with its project and organisation where they are new.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its id.
    pub account: String,
    /// The project that owns it.
    pub project: String,
    /// The organisation that owns the project.
    pub organisation: String,
    /// Purposes that a new project declares; the first is meant when a request names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<String>,
    /// Requests allowed per minute; unlimited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Tokens allowed per minute; unlimited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Requests allowed per day; unlimited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_day: Option<u64>,
    /// Tokens allowed per day; unlimited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_day: Option<u64>,
    /// Spend allowed in all, in millionths of a US dollar; unlimited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_micro_usd: Option<u64>,
}

/// An account as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AccountView {
    /// Its id.
    pub account: String,
    /// The project that owns it.
    pub project: String,
    /// The organisation that owns the project.
    pub organisation: String,
    /// `active`, `suspended` or `terminated`.
    pub standing: String,
}

/// Tokens of an account that may link it to others. They are hashed before anything is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLinks {
    /// Payment tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payment: Vec<String>,
    /// Ids of verified identities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity: Vec<String>,
    /// IP addresses or blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
}

/// How many tokens are known of an account; which they are, nobody can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LinksView {
    /// Whose.
    pub account: String,
    /// Payment tokens.
    pub payment: usize,
    /// Verified identities.
    pub identity: usize,
    /// Network blocks.
    pub network: usize,
}

/// A key that was just made; the only time its secret is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NewKey {
    /// The whole key, to be given to the client.
    pub key: String,
    /// Its public part.
    pub id: String,
    /// Whose it is.
    pub account: String,
}

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyView {
    /// Its public part.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// The ledger's last signed word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CheckpointView {
    /// Entries of the root log.
    pub size: u64,
    /// The signed note (C2SP tlog-checkpoint), with the cosignatures of witnesses.
    pub note: String,
    /// The verifier key that checks it, under the log's own name.
    pub vkey: String,
}

/// Why the office did not do what was asked. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfficeError {
    /// There is no such thing (404).
    NotFound(String),
    /// It is there already, or the case's rules forbid the step (409).
    Conflict(String),
    /// What was given cannot be read (400).
    Invalid(String),
    /// The store failed (503).
    Unavailable(String),
    /// Whoever asks may not (403).
    Forbidden(String),
}

impl OfficeError {
    /// The HTTP status that fits.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::Conflict(_) => 409,
            Self::Invalid(_) => 400,
            Self::Unavailable(_) => 503,
            Self::Forbidden(_) => 403,
        }
    }

    /// The error that a reply with `status` and `message` stands for.
    pub fn from_status(status: u16, message: String) -> Self {
        match status {
            404 => Self::NotFound(message),
            409 => Self::Conflict(message),
            400 => Self::Invalid(message),
            403 => Self::Forbidden(message),
            _ => Self::Unavailable(message),
        }
    }
}

impl fmt::Display for OfficeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(what)
            | Self::Conflict(what)
            | Self::Invalid(what)
            | Self::Unavailable(what)
            | Self::Forbidden(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for OfficeError {}

/// Carries out what people ask; every change is recorded before it acts.
///
/// # Errors
/// Each act answers [`OfficeError`]; a refused act changes nothing.
pub trait Office: Send + Sync + 'static {
    /// Opens an account.
    fn open_account(
        &self,
        new: NewAccount,
    ) -> impl Future<Output = Result<AccountView, OfficeError>> + Send;

    /// Every account.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountView>, OfficeError>> + Send;

    /// Makes a key for an account.
    fn create_key(&self, account: &str)
    -> impl Future<Output = Result<NewKey, OfficeError>> + Send;

    /// Revokes a key; the next request with it is refused.
    fn revoke_key(&self, id: &str) -> impl Future<Output = Result<KeyView, OfficeError>> + Send;

    /// Every key.
    fn keys(&self) -> impl Future<Output = Result<Vec<KeyView>, OfficeError>> + Send;

    /// Opens a case, with the step that follows at once where one is named.
    fn propose(&self, new: NewCase) -> impl Future<Output = Result<CaseView, OfficeError>> + Send;

    /// Takes a step in a case.
    fn step(
        &self,
        case: &str,
        step: Step,
    ) -> impl Future<Output = Result<CaseView, OfficeError>> + Send;

    /// A page of cases as lists show them: what is due soonest comes first.
    fn cases(
        &self,
        asked: CasesAsked,
    ) -> impl Future<Output = Result<CasesView, OfficeError>> + Send;

    /// The cases against an account, each whole.
    fn cases_of(
        &self,
        account: &str,
    ) -> impl Future<Output = Result<Vec<CaseView>, OfficeError>> + Send;

    /// Claims a case for a while: others see that somebody works on it.
    fn claim(
        &self,
        case: &str,
        by: &str,
    ) -> impl Future<Output = Result<ClaimView, OfficeError>> + Send;

    /// Ends a claim.
    fn unclaim(
        &self,
        case: &str,
        by: &str,
    ) -> impl Future<Output = Result<ClaimView, OfficeError>> + Send;

    /// Decides on a step that is taken in a while, and may be taken back until then. Only what the
    /// case would allow now is held; an emergency is never held.
    fn hold_step(
        &self,
        case: &str,
        step: Step,
    ) -> impl Future<Output = Result<HeldView, OfficeError>> + Send;

    /// Every step that is held, soonest first.
    fn held_steps(&self) -> impl Future<Output = Result<Vec<HeldView>, OfficeError>> + Send;

    /// Takes a held step back, as whoever decided on it.
    fn take_back(
        &self,
        id: &str,
        by: &str,
    ) -> impl Future<Output = Result<HeldView, OfficeError>> + Send;

    /// A file that came with an answer, by its digest.
    fn attachment(
        &self,
        case: &str,
        sha256: &str,
    ) -> impl Future<Output = Result<AttachmentFile, OfficeError>> + Send;

    /// An account at a glance.
    fn overview(
        &self,
        account: &str,
    ) -> impl Future<Output = Result<OverviewView, OfficeError>> + Send;

    /// Gatherings that detection found last.
    fn clusters(&self) -> impl Future<Output = Result<Vec<ClusterLine>, OfficeError>> + Send;

    /// One of them.
    fn cluster(&self, id: &str) -> impl Future<Output = Result<ClusterView, OfficeError>> + Send;

    /// A page of the audit log.
    fn audit_logs(
        &self,
        asked: AuditAsked,
    ) -> impl Future<Output = Result<AuditPage, OfficeError>> + Send;

    /// Notices, the latest first.
    fn notices(
        &self,
        asked: NoticesAsked,
    ) -> impl Future<Output = Result<Vec<NoticeLine>, OfficeError>> + Send;

    /// Tries a notice again at once.
    fn retry_notice(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<RetriedView, OfficeError>> + Send;

    /// Where notices go: all places, or those of one account.
    fn endpoints(
        &self,
        account: Option<&str>,
    ) -> impl Future<Output = Result<Vec<EndpointView>, OfficeError>> + Send;

    /// Adds a place where notices go.
    fn add_endpoint(
        &self,
        new: NewEndpoint,
    ) -> impl Future<Output = Result<EndpointView, OfficeError>> + Send;

    /// Removes one; of this account's own only, if one is given.
    fn remove_endpoint(
        &self,
        account: Option<&str>,
        id: &str,
    ) -> impl Future<Output = Result<EndpointView, OfficeError>> + Send;

    /// Sends a trial there; of this account's own only, if one is given.
    fn test_endpoint(
        &self,
        account: Option<&str>,
        id: &str,
    ) -> impl Future<Output = Result<NoticeLine, OfficeError>> + Send;

    /// Everybody who works here.
    fn people(&self) -> impl Future<Output = Result<Vec<PersonView>, OfficeError>> + Send;

    /// Invites somebody.
    fn invite(
        &self,
        new: NewInvite,
    ) -> impl Future<Output = Result<InviteView, OfficeError>> + Send;

    /// Somebody works here no longer.
    fn end_person(
        &self,
        name: &str,
        by: &str,
    ) -> impl Future<Output = Result<PersonView, OfficeError>> + Send;

    /// Whether somebody of this name signs in: then nobody else acts in it.
    fn signs_in(&self, name: &str) -> impl Future<Output = Result<bool, OfficeError>> + Send;

    /// Whose personal token of the admin API this is, by `people.toml`.
    fn colleague(&self, secret: &str) -> Option<Colleague>;

    /// One case.
    fn case(&self, case: &str) -> impl Future<Output = Result<CaseView, OfficeError>> + Send;

    /// The evidence bundle of a case, as the bytes of a ZIP file.
    fn export(&self, case: &str) -> impl Future<Output = Result<Vec<u8>, OfficeError>> + Send;

    /// Looks for rings in what was recorded.
    fn detect(&self) -> impl Future<Output = Result<DetectionView, OfficeError>> + Send;

    /// What the watch has found: about one account or about all.
    fn findings(
        &self,
        account: Option<&str>,
    ) -> impl Future<Output = Result<FindingsView, OfficeError>> + Send;

    /// Calibrates on the store's own accounts; nothing is written.
    fn calibrate(&self) -> impl Future<Output = Result<CalibrationView, OfficeError>> + Send;

    /// Seals and signs what is recorded now: the root log's checkpoint.
    fn checkpoint(&self) -> impl Future<Output = Result<CheckpointView, OfficeError>> + Send;

    /// A file of a ledger (C2SP tlog-tiles) by its path, of the current epoch or an earlier one.
    fn ledger_file(
        &self,
        of: &LedgerOf,
        epoch: Option<u64>,
        path: &str,
    ) -> impl Future<Output = Result<LedgerFile, OfficeError>> + Send;

    /// A record's receipt; of this account's own records only, if one is given.
    fn receipt(
        &self,
        account: Option<&str>,
        seq: u64,
    ) -> impl Future<Output = Result<Receipt, OfficeError>> + Send;

    /// Every ledger and every epoch.
    fn ledgers(&self) -> impl Future<Output = Result<LedgersView, OfficeError>> + Send;

    /// Begins a new epoch of the root log.
    fn rotate(
        &self,
        reason: &str,
    ) -> impl Future<Output = Result<CheckpointView, OfficeError>> + Send;

    /// The terms that bind an account now.
    fn terms(&self, account: &str) -> impl Future<Output = Result<TermsView, OfficeError>> + Send;

    /// Replaces what was agreed with an account beside them.
    fn agree(
        &self,
        account: &str,
        agreement: Value,
    ) -> impl Future<Output = Result<TermsView, OfficeError>> + Send;

    /// Records tokens that may link an account to others, hashed.
    fn link(
        &self,
        account: &str,
        new: NewLinks,
    ) -> impl Future<Output = Result<LinksView, OfficeError>> + Send;

    /// A project declares its purposes anew.
    fn declare(
        &self,
        project: &str,
        purposes: Vec<String>,
    ) -> impl Future<Output = Result<Vec<String>, OfficeError>> + Send;

    /// Makes and signs the sketch of a campaign; nothing acts yet.
    fn make_sketch(
        &self,
        new: NewSketch,
    ) -> impl Future<Output = Result<SketchFile, OfficeError>> + Send;

    /// Tries a sketch on the store's cleared accounts.
    fn try_sketch(
        &self,
        asked: SketchAsked,
    ) -> impl Future<Output = Result<TrialView, OfficeError>> + Send;

    /// Tries a sketch and, where it fires on nearly nobody, lets it act.
    fn activate_sketch(
        &self,
        activation: Activation,
    ) -> impl Future<Output = Result<ActivationView, OfficeError>> + Send;

    /// Every campaign that was ever activated.
    fn campaigns(&self) -> impl Future<Output = Result<Vec<CampaignView>, OfficeError>> + Send;

    /// Ends the campaign of this name.
    fn expire_campaign(
        &self,
        name: &str,
        by: &str,
    ) -> impl Future<Output = Result<CampaignView, OfficeError>> + Send;

    /// Makes what a subject or an account sent and got unreadable, for good.
    fn erase(
        &self,
        new: NewErasure,
    ) -> impl Future<Output = Result<ErasureView, OfficeError>> + Send;

    /// Places a legal hold: what it binds is neither erased nor let go.
    fn place_hold(
        &self,
        new: NewHold,
    ) -> impl Future<Output = Result<HoldView, OfficeError>> + Send;

    /// Ends a legal hold.
    fn release_hold(
        &self,
        id: &str,
        by: &str,
    ) -> impl Future<Output = Result<HoldView, OfficeError>> + Send;

    /// Every legal hold.
    fn holds(&self) -> impl Future<Output = Result<Vec<HoldView>, OfficeError>> + Send;

    /// Lets go of bodies whose time is over.
    fn let_go(
        &self,
        asked: RetentionAsked,
    ) -> impl Future<Output = Result<RetentionView, OfficeError>> + Send;

    /// Reads the bodies of an exchange; that it was read is recorded first.
    fn read_bodies(
        &self,
        exchange: &str,
        reading: Reading,
    ) -> impl Future<Output = Result<Vec<BodyView>, OfficeError>> + Send;

    /// Whose key this is, suspended or not; none for an unknown or revoked one.
    fn whose(&self, secret: &str) -> Option<String>;
}
