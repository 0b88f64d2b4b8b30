//! How do people see and decide?
//!
//! Four doors over one [`Office`]: an admin API in JSON for whoever holds the
//! token of the running server; a customer's API and plain pages, opened by its
//! own key; and, for people who sign in, the console and the customers' portal.
//! Nothing here decides: every act is handed to the office, which records before
//! it acts.
#![forbid(unsafe_code)]

mod access;
mod admin;
mod api;
mod audit_log;
mod calibration;
mod campaigns;
mod caseroom;
mod cases;
mod casework;
mod credentials;
mod custody;
mod detection;
mod door;
mod findings;
mod ledger;
mod notices;
mod office;
mod overview;
mod pages;
mod passkey;
mod terms;

pub use access::{Colleague, Open, Role};
pub use admin::admin;
pub use api::{Api, Caller, Told, openapi, told};
pub use audit_log::{
    AuditActor, AuditAsked, AuditEvent, AuditKey, AuditPage, AuditProject, AuditSession, AuditUser,
};
pub use calibration::{CalibrationView, ReachView};
pub use campaigns::{
    Activation, ActivationView, CampaignView, Ending, NewSketch, SketchAsked, SketchFile,
    TrialCounts, TrialView,
};
pub use caseroom::{
    BackTestView, BriefView, Caseroom, HitsView, HubView, InviteView, MeasureCount, NewInvite,
    NewShadow, PersonView, RuleAsked, RulesView, ShadowView, SignalView, StatisticsView,
};
pub use cases::{
    CaseStep, CaseView, ConditionView, DeadlineView, MeasureView, NewCase, NewCondition, NewLimits,
    NewMeasure, NewNotice, NoticeView, PendingView, StatementView, Step, StepView, TextView,
};
pub use casework::{
    AttachmentFile, AttachmentView, ByWhom, CaseLine, CasesAsked, CasesView, ClaimView, HeldView,
    NewAttachment,
};
pub use custody::{
    BodyView, ErasureView, HoldView, NewErasure, NewHold, Reading, Release, RetentionAsked,
    RetentionView,
};
pub use detection::{
    DetectionView, EdgeView, LookView, MayView, MemberView, PopulationView, RankView, RingView,
    SuspectView,
};
pub use door::{
    Door, Fetch, Fetched, Issuer, IssuerTerms, Origin, OriginError, Shown, Unreached,
    awaited_at_issuer, invite,
};
pub use findings::{CueView, FactView, FindingView, FindingsView, TestView};
pub use ledger::{
    EpochView, LedgerFile, LedgerOf, LedgerView, LedgersView, NewEpoch, Receipt, ReceiptView,
};
pub use notices::{EndpointView, NewEndpoint, NoticeLine, NoticesAsked, RetriedView};
pub use office::{
    AccountView, CheckpointView, KeyView, LinksView, NewAccount, NewKey, NewLinks, Office,
    OfficeError,
};
pub use overview::{
    ClusterLine, ClusterView, DayView, ExchangeLine, HeldMeasure, LimitView, OverviewView,
};
pub use pages::{case_page, console, console_routes, customer, escaped, portal, portal_routes};
pub use terms::{ClauseView, DocumentView, ExceptionView, TermsView};
