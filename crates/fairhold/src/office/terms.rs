//! What binds an account, and what is agreed with it.

use std::sync::Arc;

use console::{ClauseView, DocumentView, ExceptionView, OfficeError, TermsView};
use engine::Command;
use facts::{AccountId, Timestamp};
use serde_json::Value;
use store::SystemClock;
use terms::{Agreement, Clause, Version};

use super::people::{malformed, refused};
use crate::judge::Documents;
use crate::keeper::Keeper;

/// The terms that bind an account now.
pub(super) fn of(
    keeper: &Keeper,
    documents: Option<&Documents>,
    account: &str,
) -> Result<TermsView, OfficeError> {
    let id = AccountId::parse(account).map_err(|e| malformed(&e))?;
    let found = keeper.ask(|engine| {
        let directory = engine.directory();
        let row = directory.account(&id)?.clone();
        let project = directory.project(&row.project);
        let purposes = project.map(|project| project.purposes.clone());
        Some((row, purposes.unwrap_or_default()))
    });
    let Some((row, purposes)) = found else {
        return Err(OfficeError::NotFound(format!(
            "there is no account `{id}`; `fairhold account list` shows all"
        )));
    };
    let now = SystemClock.now();
    let in_force = documents.map(|documents| binding(documents, &row.agreement, now));
    Ok(TermsView {
        account: row.id.to_string(),
        at: now.rfc3339(),
        standing: row.standing.word(now).to_owned(),
        purposes,
        agreement: row.agreement.json(),
        documents: in_force.unwrap_or_default(),
    })
}

fn binding(documents: &Documents, agreement: &Agreement, now: Timestamp) -> Vec<DocumentView> {
    let catalogue = documents.library().catalogue();
    let mut views = Vec::new();
    for (document, whom) in documents.binding(agreement, None) {
        let version = catalogue.of(&document).find(|version| version.covers(now));
        views.extend(version.map(|version| DocumentView {
            binds: whom,
            ..document_view(version)
        }));
    }
    views
}

/// Replaces what was agreed with an account, from the next request on.
pub(super) async fn agree(
    keeper: &Keeper,
    documents: Option<&Documents>,
    account: &str,
    agreement: &Value,
) -> Result<(), OfficeError> {
    let agreement = Agreement::from_json(&agreement.to_string())
        .map_err(|e| OfficeError::Invalid(format!("failed to {e}")))?;
    if let Some(why) = documents.and_then(|documents| documents.refuses(&agreement)) {
        return Err(OfficeError::Invalid(why));
    }
    let command = Command::SetAgreement {
        account: AccountId::parse(account).map_err(|e| malformed(&e))?,
        agreement: Arc::new(agreement),
    };
    keeper.command(command).await.map_err(refused)
}

/// A version as it is shown.
pub(crate) fn document_view(version: &Version) -> DocumentView {
    let process = version.process();
    let day = |at: Timestamp| -> String { at.rfc3339().chars().take(10).collect() };
    let (from, basis) = version.from();
    DocumentView {
        document: version.document().to_string(),
        version: version.slug(),
        title: version.title().to_owned(),
        class: version.class().word().to_owned(),
        binds: String::new(),
        from: format!("{} ({})", day(from), basis.word()),
        until: version
            .until()
            .map(|(until, basis)| format!("{} ({})", day(until), basis.word())),
        source: version.source().reference.clone(),
        text_sha256: version.source().text_sha256.clone(),
        notice: process.notice.clone(),
        cure: process.cure.clone(),
        appeal: process.appeal.clone(),
        clauses: version.clauses().iter().map(clause_view).collect(),
    }
}

fn clause_view(clause: &Clause) -> ClauseView {
    fn words<'a, T: ToString + 'a>(all: impl IntoIterator<Item = &'a T>) -> Vec<String> {
        all.into_iter().map(ToString::to_string).collect()
    }
    let exceptions = clause.exceptions.iter().map(|exception| ExceptionView {
        id: exception.id.clone(),
        paraphrase: exception.paraphrase.clone(),
        purposes: words(&exception.purposes),
        needs: words(&exception.needs),
    });
    ClauseView {
        id: clause.id.to_string(),
        paraphrase: clause.paraphrase.clone(),
        interpretation: clause.interpretation.clone(),
        forbids: words(&clause.forbids),
        conduct: words(&clause.conduct),
        countries: clause.countries,
        allows: words(&clause.allows),
        exceptions: exceptions.collect(),
    }
}
