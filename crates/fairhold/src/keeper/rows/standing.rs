//! A standing as the store keeps it: everything that cases hold, as JSON.

use engine::{Act, Held, Standing};
use facts::{CaseId, ClauseId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    held: Vec<KeptMeasure>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptMeasure {
    standing: String,
    case: String,
    clause: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    requests_per_minute: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tokens_per_minute: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    until: Option<i64>,
}

/// What was kept before cases could hold more than one measure.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptOne {
    standing: String,
    case: Option<String>,
    clause: Option<String>,
    requests_per_minute: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Any {
    All(Kept),
    One(KeptOne),
}

/// The kept form.
pub(super) fn standing_json(standing: &Standing) -> Result<String, String> {
    let held = standing.held().iter().map(|held| {
        let (requests_per_minute, tokens_per_minute) = match held.act {
            Act::Throttle {
                requests_per_minute,
                tokens_per_minute,
            } => (requests_per_minute, tokens_per_minute),
            Act::Notice | Act::Mark | Act::Suspend | Act::Terminate => (None, None),
        };
        KeptMeasure {
            standing: held.act.word().to_owned(),
            case: held.case.to_string(),
            clause: held.clause.to_string(),
            requests_per_minute,
            tokens_per_minute,
            until: held.until.map(|until| until.0),
        }
    });
    let kept = Kept {
        held: held.collect(),
    };
    serde_json::to_string(&kept).map_err(|e| e.to_string())
}

/// Reads the kept form, and the one before it.
pub(super) fn read_standing(text: &str) -> Result<Standing, String> {
    let any: Any = serde_json::from_str(text)
        .map_err(|_| format!("`{text}` is not a standing: it was written by another version"))?;
    let held = match any {
        Any::All(kept) => kept.held.iter().map(read).collect::<Result<_, _>>()?,
        Any::One(one) if one.standing == "good" => Vec::new(),
        Any::One(one) => vec![read(&KeptMeasure {
            standing: one.standing,
            case: one.case.unwrap_or_default(),
            clause: one.clause.unwrap_or_default(),
            requests_per_minute: one.requests_per_minute,
            tokens_per_minute: None,
            until: None,
        })?],
    };
    Ok(Standing::of(held))
}

fn read(kept: &KeptMeasure) -> Result<Held, String> {
    let lacks = |what| format!("standing `{}` has no {what}", kept.standing);
    let act = match kept.standing.as_str() {
        "noticed" => Act::Notice,
        "throttled" => Act::Throttle {
            requests_per_minute: kept.requests_per_minute,
            tokens_per_minute: kept.tokens_per_minute,
        },
        "marked" => Act::Mark,
        "suspended" => Act::Suspend,
        "terminated" => Act::Terminate,
        other => return Err(format!("`{other}` is not a standing")),
    };
    Ok(Held {
        case: CaseId::parse(&kept.case).map_err(|_| lacks("case"))?,
        clause: ClauseId::parse(&kept.clause).map_err(|_| lacks("clause"))?,
        act,
        until: kept.until.map(Timestamp),
    })
}

#[cfg(test)]
mod tests;
