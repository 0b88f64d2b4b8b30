//! The story's house, open afterwards: its console and portal, with one-time
//! sign-ins for a reviewer, an approver, an auditor and the accused.

use std::path::Path;

use console::{NewInvite, Office as _};
use engine::Mode;
use simulation::Fleet;

use super::play::{CONFIG, Played, recordings};
use crate::commands::serve::{At, Running, Watching, stopped};
use crate::failure::Failure;
use crate::house::{House, Plan};
use crate::office::LocalOffice;
use crate::out::Out;
use crate::watch;

/// Serves the house until ctrl-c.
pub(super) async fn house(
    data: &Path,
    fleet: &Fleet,
    played: &Played,
    out: Out,
) -> Result<(), Failure> {
    let plan = Plan {
        mode: Mode::Enforced,
        ..Plan::at_rest()
    };
    let house = House::open(data, plan).await?;
    let config = gateway::Config::parse(CONFIG).map_err(|e| Failure::error(e.to_string()))?;
    let running = Running::start_at(&house, config, recordings(fleet), At::default()).await?;
    let watching = Watching::start(&house, watch::Watching::USUAL, out).await?;
    let office = LocalOffice::of(&house);
    let told = invited(&office, &running, played, out).await;
    drop(office);
    if told.is_ok() {
        out.say("the console stays open until ctrl-c");
        stopped().await?;
    }
    running.stop().await;
    watching.stop().await;
    house.close().await;
    told
}

async fn invited(
    office: &LocalOffice,
    running: &Running,
    played: &Played,
    out: Out,
) -> Result<(), Failure> {
    out.say(&format!(
        "the console is at {}; sign in once as",
        running.console
    ));
    for (name, role) in [
        ("reviewer-3", "reviewer"),
        ("approver-1", "approver"),
        ("auditor-1", "auditor"),
    ] {
        let new = NewInvite {
            name: Some(name.to_owned()),
            role: Some(role.to_owned()),
            by: "demo".to_owned(),
            ..NewInvite::default()
        };
        let invited = office.invite(new).await?;
        out.say(&format!("  {role:<9} {}{}", running.console, invited.path));
    }
    let ring = played.detection.rings.first();
    if let Some(accused) = ring.and_then(|ring| ring.members.first()) {
        let new = NewInvite {
            account: Some(accused.account.clone()),
            by: "demo".to_owned(),
            ..NewInvite::default()
        };
        let invited = office.invite(new).await?;
        out.say(&format!(
            "  the accused, {}: http://localhost:{}{}",
            accused.account,
            running.gateway.port(),
            invited.path
        ));
    }
    if let Some(case) = played.cases.first() {
        out.say(&format!("  the case: {}/cases/{case}", running.console));
    }
    Ok(())
}
