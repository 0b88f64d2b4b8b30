//! `fairhold people`: who works here, and one-time sign-ins for them.

use std::path::Path;

use console::{InviteView, NewInvite, Office, PersonView};

use crate::args::people::People;
use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::run_file::RunFile;

/// Runs the command.
pub(crate) async fn run<O: Office>(
    office: &O,
    data: &Path,
    what: People,
    out: Out,
) -> Result<Exit, Failure> {
    match what {
        People::Invite {
            name,
            role,
            identity,
            oidc,
            account,
            by,
        } => {
            let new = NewInvite {
                name,
                role,
                identity,
                oidc,
                account,
                by,
            };
            let invited = office.invite(new).await?;
            tell(&invited, data, out)?;
        }
        People::List => {
            let people = office.people().await?;
            out.data(&people)?;
            for person in &people {
                line(person, out);
            }
            if people.is_empty() {
                out.next("fairhold people invite NAME --role reviewer");
            }
        }
        People::End { name, by } => {
            let person = office.end_person(&name, &by).await?;
            out.data(&person)?;
            line(&person, out);
        }
    }
    Ok(Exit::Clean)
}

fn line(person: &PersonView, out: Out) {
    let left = if person.ended.is_some() {
        " (left)"
    } else {
        ""
    };
    out.line(&format!(
        "{:<24} {:<14} identity {}  {} passkeys, invited by {}{left}",
        person.name, person.role, person.identity, person.passkeys, person.invited_by
    ));
}

/// The whole address where a server runs; else the path, which holds at the next one too.
fn tell(invited: &InviteView, data: &Path, out: Out) -> Result<(), Failure> {
    let base = RunFile::read(data).map(|run| {
        if invited.path.starts_with("/sign-in") {
            run.console
        } else {
            run.gateway.replacen("127.0.0.1", "localhost", 1)
        }
    });
    let place = format!("{}{}", base.as_deref().unwrap_or_default(), invited.path);
    out.data(&serde_json::json!({
        "whom": invited.whom, "url": place, "until": invited.until,
    }))?;
    out.line(&place);
    if invited.path == "/sign-in" {
        let (whom, until) = (&invited.whom, &invited.until);
        out.say(&format!(
            "{whom} signs in at the issuer there, for the first time until {until}"
        ));
    } else {
        out.say(&format!(
            "one sign-in for {}, until {}: give it to them by a way that only they read",
            invited.whom, invited.until
        ));
    }
    if base.is_none() {
        out.next(
            "fairhold serve --config fairhold.toml (its console is where this path is opened)",
        );
    }
    Ok(())
}
