//! `fairhold status ACCOUNT`: what binds it now.

use console::Office;

use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, account: &str, out: Out) -> Result<Exit, Failure> {
    let terms = office.terms(account).await?;
    out.data(&terms)?;
    out.line(&format!(
        "account    {} ({})",
        terms.account, terms.standing
    ));
    let purposes = if terms.purposes.is_empty() {
        "none declared: nothing is forbidden by purpose".to_owned()
    } else {
        terms.purposes.join(", ")
    };
    out.line(&format!("purposes   {purposes}"));
    out.line(&format!("agreement  {}", terms.agreement));
    if terms.documents.is_empty() {
        out.line("documents  none: no terms are configured, or no server runs (see `[terms]`)");
    }
    for document in &terms.documents {
        out.line(&format!(
            "{:<42} {:<32} binds {}",
            document.version, document.class, document.binds
        ));
    }
    if let Some(first) = terms.documents.first() {
        out.next(&format!("fairhold terms show {}", first.version));
    }
    Ok(Exit::Clean)
}
