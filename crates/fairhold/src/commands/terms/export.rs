//! `fairhold terms export`: one agreement in another vocabulary.

use facts::AccountId;
use serde_json::{Value, json};
use terms::export::{Subject, aipref, cawg, odrl, table};
use terms::{Countries, Library};

use super::{agreement_of, builtin, moment};
use crate::args::terms::{Export, Form};
use crate::failure::{Exit, Failure};
use crate::judge::documents;
use crate::out::Out;

/// Runs the command; cases that the forms decide differently are a finding.
pub(super) fn run(what: &Export, out: Out) -> Result<Exit, Failure> {
    let agreement = agreement_of(what.agreement.as_deref())?;
    let mut all = documents(&what.document)?;
    all.extend(agreement.documents.iter().cloned());
    let library = Library::new(builtin()?, Countries::new());
    let terms = library
        .bound(&all)
        .map_err(|e| Failure::error(format!("{e}; `fairhold terms list` shows all")))?;
    let at = moment(what.at.as_deref())?;
    if terms.in_force(at).is_none() {
        let day: String = at.rfc3339().chars().take(10).collect();
        return Err(Failure::error(format!(
            "not every document was in force on {day}: choose another day with `--at`"
        )));
    }
    let account = AccountId::parse(&what.account).map_err(|e| Failure::error(e.to_string()))?;
    let subject = Subject {
        terms: &terms,
        account: &account,
        authorisations: &agreement.authorisations,
        at,
    };
    match what.form {
        Form::Odrl => told(&odrl::write(&subject), out),
        Form::Cawg => told(&cawg::write(&subject), out),
        Form::Aipref => {
            let preference = aipref::write(&subject);
            out.data(&json!({"preference": preference}))?;
            out.line(&preference);
            Ok(Exit::Clean)
        }
        Form::Table => compared(&subject, out),
    }
}

fn told(value: &Value, out: Out) -> Result<Exit, Failure> {
    out.data(value)?;
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::error(format!("failed to write the export: {e}")))?;
    out.line(&text);
    Ok(Exit::Clean)
}

fn compared(subject: &Subject<'_>, out: Out) -> Result<Exit, Failure> {
    let rows = table(subject);
    out.data(&rows)?;
    out.line(&format!(
        "{:<24} {:<18} {:<6} {:<6} {:<12} aipref",
        "purpose", "declared", "terms", "odrl", "cawg"
    ));
    for row in &rows {
        let declared = row.declared.join(", ");
        let Some(form) = row.alike().then_some("") else {
            out.say(&format!("decided differently: {row:?}"));
            continue;
        };
        out.line(&format!(
            "{:<24} {declared:<18} {:<6} {:<6} {:<12} {}{form}",
            row.purpose, row.terms, row.odrl, row.cawg, row.aipref
        ));
    }
    let alike = rows.iter().filter(|row| row.alike()).count();
    out.line(&format!(
        "{alike} of {} cases are decided alike",
        rows.len()
    ));
    Ok(if alike == rows.len() {
        Exit::Clean
    } else {
        Exit::Finding
    })
}
