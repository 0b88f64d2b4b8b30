//! `fairhold hold`: what may not be forgotten, by whose order.

use console::{HoldView, NewHold, Office};

use crate::args::custody::Hold;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Hold, out: Out) -> Result<Exit, Failure> {
    match what {
        Hold::Add {
            account,
            subject,
            by,
            reason,
            until,
            ..
        } => {
            let new = NewHold {
                account,
                subject,
                by,
                reason,
                until,
            };
            let hold = office.place_hold(new).await?;
            out.data(&hold)?;
            out.line(&line(&hold));
            out.next(&format!("fairhold hold release {} --by YOU", hold.hold));
        }
        Hold::Release { hold, by, .. } => {
            let hold = office.release_hold(&hold, &by).await?;
            out.data(&hold)?;
            out.line(&line(&hold));
        }
        Hold::List { .. } => {
            let holds = office.holds().await?;
            out.data(&holds)?;
            for hold in &holds {
                out.line(&line(hold));
            }
            if holds.is_empty() {
                out.say("no hold was ever placed");
            }
        }
    }
    Ok(Exit::Clean)
}

fn line(hold: &HoldView) -> String {
    let whom = hold.subject_digest.as_ref().map_or_else(
        || "all of it".to_owned(),
        |digest| format!("subject {}", digest.chars().take(12).collect::<String>()),
    );
    let end = match (&hold.released_by, &hold.until) {
        (Some(by), _) => format!(", released by {by}"),
        (None, Some(until)) => format!(", until {until}"),
        (None, None) => String::new(),
    };
    format!(
        "{} {} account {}, {whom}: {} (by {}{end})",
        hold.hold, hold.state, hold.account, hold.reason, hold.by
    )
}
