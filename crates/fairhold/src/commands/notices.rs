//! `fairhold notices ...`: who was told, who was not, and where notices go.

use console::{EndpointView, NewEndpoint, NoticeLine, NoticesAsked, Office};

use crate::args::notices::{Endpoint, Notices};
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Notices, out: Out) -> Result<Exit, Failure> {
    match what {
        Notices::List { state, case, limit } => {
            let asked = NoticesAsked {
                state,
                case,
                limit: Some(limit),
            };
            list(&office.notices(asked).await?, out)
        }
        Notices::Retry { id } => {
            let retried = office.retry_notice(&id).await?;
            out.data(&retried)?;
            out.line(&format!("{} notices are tried again", retried.notices));
            out.next("fairhold notices list");
            Ok(Exit::Clean)
        }
        Notices::Endpoint(what) => endpoint(office, what, out).await,
    }
}

fn list(notices: &[NoticeLine], out: Out) -> Result<Exit, Failure> {
    out.data(&notices)?;
    for notice in notices {
        let why = notice.error.as_deref().unwrap_or_default();
        out.line(&format!(
            "{} {:<9} {:<24} to {} ({} tries) {why}",
            notice.id, notice.state, notice.event, notice.endpoint, notice.attempts
        ));
    }
    if notices.is_empty() {
        out.line("no notices");
    }
    let dead = notices.iter().find(|notice| notice.state == "dead");
    match dead {
        Some(dead) => {
            out.next(&format!("fairhold notices retry {}", dead.id));
            Ok(Exit::Finding)
        }
        None => Ok(Exit::Clean),
    }
}

async fn endpoint<O: Office>(office: &O, what: Endpoint, out: Out) -> Result<Exit, Failure> {
    match what {
        Endpoint::Add { target, account } => {
            let kind = if target.contains("://") {
                "webhook"
            } else {
                "email"
            };
            let new = NewEndpoint {
                account,
                kind: kind.to_owned(),
                target,
            };
            let added = office.add_endpoint(new).await?;
            out.data(&added)?;
            show(&added, out);
            out.next(&format!("fairhold notices endpoint test {}", added.id));
        }
        Endpoint::Remove { id } => {
            let removed = office.remove_endpoint(None, &id).await?;
            out.data(&removed)?;
            out.line(&format!("removed {}", removed.target));
        }
        Endpoint::Test { id } => {
            let queued = office.test_endpoint(None, &id).await?;
            out.data(&queued)?;
            out.line(&format!("{} leaves as soon as a server runs", queued.id));
            out.next("fairhold notices list");
        }
        Endpoint::List => {
            let all = office.endpoints(None).await?;
            out.data(&all)?;
            for one in &all {
                show(one, out);
            }
            if all.is_empty() {
                out.line("no endpoints");
                out.next("fairhold notices endpoint add https://...");
            }
        }
    }
    Ok(Exit::Clean)
}

fn show(endpoint: &EndpointView, out: Out) {
    let whose = endpoint.account.as_deref().unwrap_or("the house");
    out.line(&format!(
        "{} {} {} of {whose}",
        endpoint.id, endpoint.kind, endpoint.target
    ));
    if let Some(key) = &endpoint.public_key {
        out.line(&format!("  checks v1a: {key}"));
    }
    if let Some(secret) = &endpoint.secret {
        out.line(&format!("  checks v1:  {secret}"));
    }
}
