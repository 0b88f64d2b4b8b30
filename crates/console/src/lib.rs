//! How do people see and decide?
//!
//! Two doors over one [`Office`]: an admin API in JSON for whoever holds the
//! token of the running server, and plain pages on which a customer reads its
//! own case with its own key, suspended or not. Nothing here decides: every
//! act is handed to the office, which records before it acts.
#![forbid(unsafe_code)]

mod admin;
mod calibration;
mod campaigns;
mod cases;
mod credentials;
mod custody;
mod detection;
mod findings;
mod ledger;
mod office;
mod pages;
mod terms;

pub use admin::admin;
pub use calibration::{CalibrationView, ReachView};
pub use campaigns::{
    Activation, ActivationView, CampaignView, Ending, NewSketch, SketchAsked, SketchFile,
    TrialCounts, TrialView,
};
pub use cases::{
    CaseStep, CaseView, ConditionView, DeadlineView, MeasureView, NewCase, NewCondition, NewLimits,
    NewMeasure, NewNotice, NoticeView, PendingView, StatementView, Step, StepView, TextView,
};
pub use custody::{
    BodyView, ErasureView, HoldView, NewErasure, NewHold, Reading, Release, RetentionAsked,
    RetentionView,
};
pub use detection::{
    DetectionView, EdgeView, LookView, MayView, MemberView, PopulationView, RankView, RingView,
    SuspectView,
};
pub use findings::{CueView, FactView, FindingView, FindingsView, TestView};
pub use ledger::{
    EpochView, LedgerFile, LedgerOf, LedgerView, LedgersView, NewEpoch, Receipt, ReceiptView,
};
pub use office::{
    AccountView, CheckpointView, KeyView, LinksView, NewAccount, NewKey, NewLinks, Office,
    OfficeError,
};
pub use pages::{case_page, customer, escaped};
pub use terms::{ClauseView, DocumentView, ExceptionView, TermsView};
