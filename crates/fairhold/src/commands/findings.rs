//! `fairhold findings [ACCOUNT]`: what the watch has found, with reasons.

use console::{FindingView, Office};

use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Exit 1 when something was found.
pub(crate) async fn run<O: Office>(
    office: &O,
    account: Option<&str>,
    out: Out,
) -> Result<Exit, Failure> {
    let found = office.findings(account).await?;
    out.data(&found)?;
    let test = &found.test;
    out.line(&format!(
        "{} accounts watched, {} records not read yet\ncompared with {} honest programmes of {} sources: {}\n\
         no chance below {:.4} over all looks can be told; a finding is a reason to ask for a declaration, no more",
        found.watched, found.behind, test.programmes, test.sources, test.population, test.reach
    ));
    for finding in &found.findings {
        show(finding, out);
    }
    if found.behind > 0 {
        out.say("some records are not read yet: `fairhold serve` reads them within seconds");
    }
    let open = found.findings.iter().rev().find(|f| f.kind == "finding");
    let Some(last) = open else {
        out.line("nothing to ask anybody about");
        return Ok(Exit::Clean);
    };
    out.next(&format!(
        "fairhold case propose {} --finding {} --clause CLAUSE --by YOU   (asks {} what its requests are for)",
        last.account, last.id, last.account
    ));
    Ok(Exit::Finding)
}

fn show(finding: &FindingView, out: Out) {
    out.line(&format!(
        "\n{} {}  {}  {} exchanges  p {:.4}  over all looks {:.4}  (may: {})",
        finding.kind,
        finding.id,
        finding.account,
        finding.look,
        finding.p,
        finding.anytime_p,
        finding.may
    ));
    out.line(&format!("    {}", finding.summary));
    for cue in &finding.carried_by {
        out.line(&format!("    {:+5.1} sd  {}", cue.deviation, cue.words));
    }
    for fact in &finding.exculpatory {
        let found = if fact.found { "found" } else { "looked for" };
        out.line(&format!("    {found}: {}", fact.words));
    }
    out.line(&format!(
        "    rests on {} exchanges{}",
        finding.programme_exchanges,
        finding
            .relied_on
            .last()
            .map_or(String::new(), |id| format!(", the latest is {id}"))
    ));
}
