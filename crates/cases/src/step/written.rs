//! The kept form of a step: RFC 8785 canonical JSON, version 2.

use std::fmt::{self, Write as _};

use facts::{AccountId, CaseId, ClauseId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Attachment, Condition, Deed, Limits, Measure, Notice, Observation, Proposal, Step};
use crate::actor::{Actor, Identity, Role};

/// The version that is written. Version 1 knew neither notices nor roles.
const VERSION: u8 = 2;

/// The largest whole number that every JSON reader keeps exactly (2^53 - 1).
const LARGEST: u64 = (1 << 53) - 1;

/// Why text is not a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError(String);

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a step of a case: {}", self.0)
    }
}

impl std::error::Error for StepError {}

fn no(error: impl fmt::Display) -> StepError {
    StepError(error.to_string())
}

#[derive(Deserialize)]
struct Versioned {
    #[serde(default = "first")]
    v: u8,
}

/// Version 1 did not say so.
fn first() -> u8 {
    1
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u8,
    at: i64,
    by: String,
    identity: String,
    role: String,
    comment: String,
    step: WrittenDeed,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    attachments: Vec<WrittenAttachment>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAttachment {
    name: String,
    kind: String,
    size: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum WrittenDeed {
    Observed {
        accounts: Vec<String>,
        clause: String,
        summary: String,
        exculpatory: String,
        automated: bool,
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        rests_on: Vec<String>,
    },
    Noticed {
        metric: String,
        under: String,
        due: i64,
        declaration: bool,
    },
    Declared,
    Undertaken(Vec<WrittenCondition>),
    Accepted,
    Checked {
        condition: u32,
        met: bool,
    },
    Proposed {
        measure: WrittenMeasure,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        until: Option<i64>,
        reason: String,
        exculpatory: String,
    },
    Approved,
    Returned,
    Emergency(WrittenLimits),
    Appealed,
    EvidenceAdded,
    Upheld,
    Overturned,
    Reinstated,
    Dismissed,
    Reopened {
        because: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCondition {
    promise: String,
    check: String,
    by: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum WrittenMeasure {
    Throttle(WrittenLimits),
    Mark,
    Suspend,
    Terminate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimits {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    requests_per_minute: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tokens_per_minute: Option<u64>,
}

impl Step {
    /// The step as RFC 8785 canonical JSON.
    pub fn canonical(&self) -> String {
        let written = Written {
            v: VERSION,
            at: self.at.0,
            by: self.by.person.to_string(),
            identity: digits(&self.by.identity.0),
            role: self.by.role.word().to_owned(),
            comment: self.comment.clone(),
            step: written(&self.deed),
            attachments: self.attachments.iter().map(attachment).collect(),
        };
        // Strings and whole numbers that `parse` lets pass always have a canonical form.
        serde_json_canonicalizer::to_string(&written).unwrap_or_default()
    }

    /// Reads what [`Step::canonical`] wrote; anything else is refused.
    ///
    /// # Errors
    /// [`StepError`] saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, StepError> {
        let Versioned { v } = serde_json::from_str(text).map_err(no)?;
        if v != VERSION {
            return Err(StepError(format!(
                "it is of version {v}, and version {VERSION} is read here"
            )));
        }
        let written: Written = serde_json::from_str(text).map_err(no)?;
        let step = Self {
            at: Timestamp(written.at),
            by: Actor {
                person: PersonId::parse(&written.by).map_err(no)?,
                identity: Identity(digest(&written.identity)?),
                role: Role::from_word(&written.role)
                    .ok_or_else(|| StepError(format!("`{}` is no role", written.role)))?,
            },
            comment: written.comment,
            deed: read(written.step)?,
            attachments: written
                .attachments
                .into_iter()
                .map(read_attachment)
                .collect::<Result<_, _>>()?,
        };
        if step.canonical() == text {
            Ok(step)
        } else {
            Err(StepError("it is not in canonical form".to_owned()))
        }
    }
}

fn attachment(of: &Attachment) -> WrittenAttachment {
    WrittenAttachment {
        name: of.name.clone(),
        kind: of.kind.clone(),
        size: of.size,
        sha256: digits(&of.digest),
    }
}

fn read_attachment(written: WrittenAttachment) -> Result<Attachment, StepError> {
    if written.size > LARGEST {
        return Err(StepError("a file's size is beyond 2^53 - 1".to_owned()));
    }
    Ok(Attachment {
        digest: digest(&written.sha256)?,
        name: written.name,
        kind: written.kind,
        size: written.size,
    })
}

fn digits(digest: &[u8; 32]) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn digest(text: &str) -> Result<[u8; 32], StepError> {
    let wrong = || StepError(format!("`{text}` is not a SHA-256 digest in hexadecimal"));
    let mut bytes = [0; 32];
    let mut read = text.chars().map(|c| c.to_digit(16));
    for byte in &mut bytes {
        let (Some(Some(high)), Some(Some(low))) = (read.next(), read.next()) else {
            return Err(wrong());
        };
        *byte = u8::try_from(high * 16 + low).map_err(|_| wrong())?;
    }
    if read.next().is_some() {
        return Err(wrong());
    }
    Ok(bytes)
}

fn limits(limits: Limits) -> WrittenLimits {
    WrittenLimits {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
    }
}

fn written(deed: &Deed) -> WrittenDeed {
    match deed {
        Deed::Observed(o) => WrittenDeed::Observed {
            accounts: o.accounts.iter().map(ToString::to_string).collect(),
            clause: o.clause.to_string(),
            summary: o.summary.clone(),
            exculpatory: o.exculpatory.clone(),
            automated: o.automated,
            rests_on: o.rests_on.iter().map(ToString::to_string).collect(),
        },
        Deed::Noticed(n) => WrittenDeed::Noticed {
            metric: n.metric.clone(),
            under: n.under.clone(),
            due: n.due.0,
            declaration: n.declaration,
        },
        Deed::Declared => WrittenDeed::Declared,
        Deed::Undertaken(conditions) => {
            let conditions = conditions.iter().map(|c| WrittenCondition {
                promise: c.promise.clone(),
                check: c.check.clone(),
                by: c.by.0,
            });
            WrittenDeed::Undertaken(conditions.collect())
        }
        Deed::Accepted => WrittenDeed::Accepted,
        Deed::Checked { condition, met } => WrittenDeed::Checked {
            condition: *condition,
            met: *met,
        },
        Deed::Proposed(p) => WrittenDeed::Proposed {
            measure: match p.measure {
                Measure::Throttle(own) => WrittenMeasure::Throttle(limits(own)),
                Measure::Mark => WrittenMeasure::Mark,
                Measure::Suspend => WrittenMeasure::Suspend,
                Measure::Terminate => WrittenMeasure::Terminate,
            },
            until: p.until.map(|until| until.0),
            reason: p.reason.clone(),
            exculpatory: p.exculpatory.clone(),
        },
        Deed::Approved => WrittenDeed::Approved,
        Deed::Returned => WrittenDeed::Returned,
        Deed::Emergency(own) => WrittenDeed::Emergency(limits(*own)),
        Deed::Appealed => WrittenDeed::Appealed,
        Deed::EvidenceAdded => WrittenDeed::EvidenceAdded,
        Deed::Upheld => WrittenDeed::Upheld,
        Deed::Overturned => WrittenDeed::Overturned,
        Deed::Reinstated => WrittenDeed::Reinstated,
        Deed::Dismissed => WrittenDeed::Dismissed,
        Deed::Reopened(because) => WrittenDeed::Reopened {
            because: because.to_string(),
        },
    }
}

fn read_limits(written: &WrittenLimits) -> Result<Limits, StepError> {
    let own = Limits {
        requests_per_minute: written.requests_per_minute,
        tokens_per_minute: written.tokens_per_minute,
    };
    let numbers = [own.requests_per_minute, own.tokens_per_minute];
    if numbers.into_iter().flatten().any(|n| n > LARGEST) {
        return Err(StepError("a limit is beyond 2^53 - 1".to_owned()));
    }
    Ok(own)
}

fn observation(
    accounts: &[String],
    clause: &str,
    texts: (String, String),
    automated: bool,
    rests_on: &[String],
) -> Result<Observation, StepError> {
    let accounts: Result<_, _> = accounts.iter().map(|a| AccountId::parse(a)).collect();
    let rests_on: Result<_, _> = rests_on.iter().map(|c| CaseId::parse(c)).collect();
    Ok(Observation {
        accounts: accounts.map_err(no)?,
        clause: ClauseId::parse(clause).map_err(no)?,
        summary: texts.0,
        exculpatory: texts.1,
        automated,
        rests_on: rests_on.map_err(no)?,
    })
}

fn read(written: WrittenDeed) -> Result<Deed, StepError> {
    Ok(match written {
        WrittenDeed::Observed {
            accounts,
            clause,
            summary,
            exculpatory,
            automated,
            rests_on,
        } => Deed::Observed(observation(
            &accounts,
            &clause,
            (summary, exculpatory),
            automated,
            &rests_on,
        )?),
        WrittenDeed::Noticed {
            metric,
            under,
            due,
            declaration,
        } => Deed::Noticed(Notice {
            metric,
            under,
            due: Timestamp(due),
            declaration,
        }),
        WrittenDeed::Declared => Deed::Declared,
        WrittenDeed::Undertaken(conditions) => {
            let conditions = conditions.into_iter().map(|c| Condition {
                promise: c.promise,
                check: c.check,
                by: Timestamp(c.by),
            });
            Deed::Undertaken(conditions.collect())
        }
        WrittenDeed::Accepted => Deed::Accepted,
        WrittenDeed::Checked { condition, met } => Deed::Checked { condition, met },
        WrittenDeed::Proposed {
            measure,
            until,
            reason,
            exculpatory,
        } => Deed::Proposed(Proposal {
            measure: match measure {
                WrittenMeasure::Throttle(own) => Measure::Throttle(read_limits(&own)?),
                WrittenMeasure::Mark => Measure::Mark,
                WrittenMeasure::Suspend => Measure::Suspend,
                WrittenMeasure::Terminate => Measure::Terminate,
            },
            until: until.map(Timestamp),
            reason,
            exculpatory,
        }),
        WrittenDeed::Approved => Deed::Approved,
        WrittenDeed::Returned => Deed::Returned,
        WrittenDeed::Emergency(own) => Deed::Emergency(read_limits(&own)?),
        WrittenDeed::Appealed => Deed::Appealed,
        WrittenDeed::EvidenceAdded => Deed::EvidenceAdded,
        WrittenDeed::Upheld => Deed::Upheld,
        WrittenDeed::Overturned => Deed::Overturned,
        WrittenDeed::Reinstated => Deed::Reinstated,
        WrittenDeed::Dismissed => Deed::Dismissed,
        WrittenDeed::Reopened { because } => Deed::Reopened(CaseId::parse(&because).map_err(no)?),
    })
}
