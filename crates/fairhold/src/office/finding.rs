//! Detection over everything the store holds: served and imported.

mod view;

pub(super) use view::looks;

use std::collections::BTreeMap;
use std::path::Path;

use console::{DetectionView, OfficeError};
use detection::{Profiles, Reader, Settings, SketchKey, Traits, detect_profiles};
use engine::directory::{Account, Project};
use engine::{Directory, Row};
use facts::{AccountId, Exchange, OrganisationId};
use store::ImportedAfter;

use super::links;
use crate::keeper::Keeper;
use crate::population::Population;

/// Rows read at a time; so many exchanges are held, whatever the store holds.
const PAGE: u32 = 2_000;

/// What is remembered of exchanges while they pass.
pub(crate) struct Watched {
    profiles: Profiles,
    reader: Reader,
}

impl Watched {
    /// Nothing yet.
    pub(crate) fn new(key: SketchKey) -> Self {
        Self {
            profiles: Profiles::new(key),
            reader: Reader::default(),
        }
    }

    /// Takes exchanges into account; they are not kept.
    pub(crate) fn take(&mut self, exchanges: &[Exchange]) {
        for exchange in exchanges {
            self.profiles.observe(&mut self.reader, exchange);
        }
    }
}

/// What is known of accounts besides what they ask.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Accounts of one customer are no gathering of strangers.
    pub(crate) customers: BTreeMap<AccountId, OrganisationId>,
    /// What may link accounts.
    pub(crate) traits: BTreeMap<AccountId, Traits>,
}

/// Looks for rings and for accounts in the store.
pub(super) async fn in_store(
    keeper: &Keeper,
    key: SketchKey,
    data: &Path,
) -> Result<DetectionView, OfficeError> {
    let population = Population::of(data).map_err(OfficeError::Unavailable)?;
    let mut watched = Watched::new(key);
    let records = keeper.database().count().await.map_err(failed)?;
    let mut from = 0;
    while from < records {
        let until = from + u64::from(PAGE);
        let page = keeper.exchanges_in(from..until).await.map_err(failed)?;
        watched = taken(watched, page).await?;
        from = until;
    }
    let mut after: Option<ImportedAfter> = None;
    loop {
        let page = keeper.database().imported(None, after.as_ref(), PAGE).await;
        let page = page.map_err(failed)?;
        let Some(last) = page.last() else { break };
        after = Some(ImportedAfter {
            at: last.at,
            exchange: last.id.clone(),
        });
        watched = taken(watched, page).await?;
    }
    let known = Known {
        customers: keeper.ask(|engine| customers(engine.directory())),
        traits: links::traits(keeper).await?,
    };
    aside(move || found(&watched, &population, known)).await
}

fn failed(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the exchanges: {error}"))
}

async fn taken(mut watched: Watched, page: Vec<Exchange>) -> Result<Watched, OfficeError> {
    aside(move || {
        watched.take(&page);
        watched
    })
    .await
}

/// Works on a thread of its own, so that whoever is being served goes on being served.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OfficeError> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.map_err(|e| OfficeError::Unavailable(format!("failed to look through them: {e}")))
}

/// Who each account belongs to: the accounts of one organisation are one
/// customer, and one customer is no gathering of strangers.
pub(super) fn customers(directory: &Directory) -> BTreeMap<AccountId, OrganisationId> {
    let rows = directory.rows();
    let owned = rows.iter().filter_map(|row| match row {
        Row::Account(Account { id, project, .. }) => {
            let Project { organisation, .. } = directory.project(project)?;
            Some((id.clone(), organisation.clone()))
        }
        Row::Organisation(_) | Row::Project(_) | Row::Key(_) => None,
    });
    owned.collect()
}

/// Looks for rings and for accounts among what was watched; accounts of no known customer count
/// as customers of their own.
pub(crate) fn found(watched: &Watched, population: &Population, known: Known) -> DetectionView {
    let mut settings = Settings::standard(watched.profiles.key());
    settings.customers = known.customers;
    settings.traits = known.traits;
    settings.detector = Some(population.detector.clone());
    let report = detect_profiles(&watched.profiles, &settings);
    view::of(&report, &watched.profiles, population, &settings)
}

#[cfg(test)]
mod tests;
