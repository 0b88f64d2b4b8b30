//! Whose text is this?
//!
//! Outputs are registered as keyed fingerprints in three channels: words in their order (W8), the
//! same after names and numbers were left out (S8), and content stems near each other (T3). Their
//! text is not kept. A corpus is then asked, document by document, which outputs it holds, where,
//! and what else could explain it: chance, or an independent answer to the same prompt.
#![forbid(unsafe_code)]
#![expect(
    clippy::inline_always,
    reason = "measured: on the path of every word a call costs more than the work"
)]

mod accounts;
mod background;
mod boundaries;
mod calibration;
mod channels;
mod corpus;
mod filter;
mod key;
mod normaliser;
mod registry;
mod scanner;
mod segment;
mod shipped;
mod verdict;

pub use accounts::{
    AccountFinding, AccountTally, CommonSource, benjamini_hochberg, holm, rate_that_names,
};
pub use background::{Background, BackgroundBuilder};
pub use boundaries::count as count_words;
pub use calibration::{Calibration, Tail};
pub use corpus::{CorpusTally, Measured, Rate, Share, Shares};
pub use key::{AuditKey, Channel, GRAM};
pub use normaliser::{NORMALISER_VERSION, normal_words};
pub use registry::{JoinError, Registry, Row, Told};
pub use scanner::{Depth, Guarantee, Scanner, Stream, seeds};
pub use segment::{
    Month, Output, OutputText, Role, Segment, SegmentBuilder, SegmentError, Skipped, WORDS_MIN,
    Workspace,
};
pub use shipped::{Calibrated, JudgeError};
pub use verdict::{Features, Fusion, Independent, Judge, Match, Span, Verdict};
