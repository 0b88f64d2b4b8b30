//! Cases as they are sent: what people may do to one, and what they see of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::casework::{AttachmentView, NewAttachment};

/// A case to open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCase {
    /// The accused account.
    pub account: String,
    /// Further accounts of the same case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// The clause relied on.
    pub clause: String,
    /// The facts, in words that the customer reads; those of the finding where one is named.
    #[serde(default)]
    pub summary: String,
    /// The finding that it rests on, if one; it supports a notice, nothing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Who opens it.
    pub by: String,
    /// What speaks for the accused, or that nothing was found.
    #[serde(default)]
    pub exculpatory: String,
    /// Cases without which this one would not stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<String>,
    /// Whether a person found it without automated means.
    #[serde(default)]
    pub by_hand: bool,
    /// What follows at once: a notice or a proposal; nothing where the case is only opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<CaseStep>,
}

/// What the accused is told and asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNotice {
    /// What is counted.
    pub metric: String,
    /// The number to get under.
    pub under: String,
    /// Days to answer in.
    pub days: u32,
    /// Whether a declaration of purpose is asked for.
    pub declaration: bool,
}

/// One thing that the accused undertakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCondition {
    /// What will be so.
    pub promise: String,
    /// How it is checked.
    pub check: String,
    /// Days until it is met.
    pub days: u32,
}

/// What a throttle leaves.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct NewLimits {
    /// Requests per minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Tokens per minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
}

/// A measure to propose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMeasure {
    /// `throttle`, `mark`, `suspend` or `terminate`.
    pub measure: String,
    /// What a throttle leaves.
    #[serde(default)]
    pub limits: NewLimits,
    /// Days after which it ends by itself; none: until the case ends otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Why this measure; the case's facts where nothing is said.
    #[serde(default)]
    pub reason: String,
    /// What speaks for the accused by now; what the case says where nothing is said.
    #[serde(default)]
    pub exculpatory: String,
}

/// What a person does to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseStep {
    /// The accused is given notice.
    Notice(NewNotice),
    /// The accused says what the account is for (in the comment).
    Declare,
    /// The accused offers conditions.
    Undertake(Vec<NewCondition>),
    /// The offered conditions are taken up.
    Accept,
    /// A condition is checked.
    Check {
        /// Its number, from 1.
        condition: u32,
        /// Whether it was met.
        met: bool,
    },
    /// A measure is proposed.
    Propose(NewMeasure),
    /// A second person agrees: the measure takes effect.
    Approve,
    /// The proposal is handed back without a ruling (why: in the comment).
    Return,
    /// One person throttles for four hours, once (why: in the comment).
    Emergency(NewLimits),
    /// The accused contests.
    Appeal,
    /// The accused adds to the appeal.
    Evidence,
    /// Someone who took no part finds against the appeal.
    Uphold,
    /// Someone who took no part finds for the accused: everything is lifted.
    Overturn,
    /// Measures are lifted without an appeal.
    Reinstate,
    /// The case is closed without a measure.
    #[serde(alias = "reject")]
    Dismiss,
}

/// A step to take in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Which.
    pub step: CaseStep,
    /// Who takes it.
    pub by: String,
    /// Why, kept on the timeline.
    #[serde(default)]
    pub comment: String,
    /// Files, with an answer of the accused: at most five.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<NewAttachment>,
}

/// A case as people see it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CaseView {
    /// Its id.
    pub case: String,
    /// The accused account.
    pub account: String,
    /// All of the accused accounts, that one included.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Where it stands, for example `noticed` or `suspended`.
    pub state: String,
    /// The clause relied on.
    pub clause: String,
    /// The strictest that is in force; else what is proposed; else `notice` or `none`.
    pub action: String,
    /// What the accused was told last, in words (facts, clause, means used, redress).
    pub statement: String,
    /// Until when an appeal may be opened, RFC 3339; none where there is nothing to appeal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal_until: Option<String>,
    /// The notice, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeView>,
    /// What the accused undertook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undertaking: Vec<ConditionView>,
    /// What awaits a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingView>,
    /// What acts now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_force: Vec<MeasureView>,
    /// What happens by time alone, soonest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<DeadlineView>,
    /// Cases without which this one would not stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<String>,
    /// The statement of every restriction, in each language and as data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementView>,
    /// Everything that happened, oldest first.
    pub timeline: Vec<StepView>,
}

impl CaseView {
    /// Whether the account is among the accused.
    pub fn concerns(&self, account: &str) -> bool {
        self.account == account || self.accounts.iter().any(|a| a == account)
    }
}

/// A notice as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NoticeView {
    /// What is counted.
    pub metric: String,
    /// The number to get under.
    pub under: String,
    /// When an answer is due, RFC 3339.
    pub due: String,
    /// Whether it was answered.
    pub answered: bool,
    /// Its words, by language.
    pub text: Vec<TextView>,
}

/// Words in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TextView {
    /// ISO 639-1.
    pub language: String,
    /// The words.
    pub text: String,
}

/// A condition of an undertaking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConditionView {
    /// What will be so.
    pub promise: String,
    /// How it is checked.
    pub check: String,
    /// By when, RFC 3339.
    pub by: String,
    /// Whether the undertaking was taken up.
    pub accepted: bool,
    /// Whether it was found met; none before it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
}

/// A proposal that awaits a second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PendingView {
    /// What.
    pub measure: String,
    /// Who proposed.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A measure in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MeasureView {
    /// What.
    pub measure: String,
    /// What a throttle leaves.
    #[serde(default)]
    pub limits: NewLimits,
    /// Since when, RFC 3339.
    pub from: String,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Whether one person took it in an emergency.
    pub emergency: bool,
}

/// Something that happens by time alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeadlineView {
    /// When, RFC 3339.
    pub at: String,
    /// What, for example `notice_due`.
    pub what: String,
}

/// The statement of reasons of one restriction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StatementView {
    /// The restriction.
    pub measure: String,
    /// Its words, by language.
    pub text: Vec<TextView>,
    /// The same with the field names of the DSA Transparency Database.
    pub dsa: Value,
}

/// One line of a case's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StepView {
    /// When, RFC 3339.
    pub at: String,
    /// Who.
    pub by: String,
    /// In what capacity.
    #[serde(default)]
    pub role: String,
    /// The step's word.
    pub step: String,
    /// What it says beside its word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What was said.
    #[serde(default)]
    pub comment: String,
    /// Files that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentView>,
}
