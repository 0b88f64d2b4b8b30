//! The score of an account against the population, with its error bound.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use console::{FindingView, LookView, OfficeError, SignalView};
use detection::bounds::clopper_pearson;
use detection::{Calibration, Detector, LOOKS};
use facts::AccountId;
use store::Database;

use super::broken;
use crate::watch::model;

/// The detector in use, read once and again when the deployment's own was written anew.
#[derive(Debug, Default)]
pub(crate) struct Detectors {
    kept: Mutex<Option<(Option<SystemTime>, Arc<Detector>)>>,
}

impl Detectors {
    /// The one of this data folder.
    pub(crate) fn of(&self, folder: &Path) -> Result<Arc<Detector>, OfficeError> {
        let written = model::written(folder);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, detector)) = &*kept
            && *at == written
        {
            return Ok(Arc::clone(detector));
        }
        let read = model::load(folder).map_err(|e| OfficeError::Unavailable(e.message))?;
        let read = Arc::new(read);
        *kept = Some((written, Arc::clone(&read)));
        Ok(read)
    }
}

/// How many of `trials` a chance of `p` by counting stands for: p is (hits + 1) / (trials + 1).
fn hits(p: f64, trials: usize) -> usize {
    (0..=trials)
        .take_while(|hits| real(*hits) < p * (real(trials) + 1.0) - 0.5)
        .count()
        .saturating_sub(1)
        .min(trials)
}

fn real(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::from(u32::MAX), f64::from)
}

/// The chance at a statistic, with the exact 95 % interval of the share that it counts.
pub(super) fn chance(calibration: &Calibration, statistic: f64, place: usize) -> (f64, (f64, f64)) {
    let rank = calibration.rank(statistic, place, None);
    let interval = clopper_pearson(hits(rank.p, rank.programmes), rank.programmes, 0.05);
    (rank.p, interval)
}

/// The latest look at an account; none before its first.
pub(super) async fn of(
    database: &Database,
    detector: &Detector,
    account: &AccountId,
) -> Result<Option<SignalView>, OfficeError> {
    let looks = database.latest_looks(Some(account)).await.map_err(broken)?;
    let Some(look) = looks.first() else {
        return Ok(None);
    };
    let Some(place) = LOOKS.iter().position(|exchanges| *exchanges == look.look) else {
        return Ok(None);
    };
    let statistic = millionths(look.statistic);
    let rank = detector.calibration.rank(statistic, place, None);
    let (p, interval) = chance(&detector.calibration, statistic, place);
    let rows = database.findings(Some(account)).await.map_err(broken)?;
    let finding: Option<FindingView> = rows
        .last()
        .map(|row| serde_json::from_str(&row.json))
        .transpose()
        .map_err(broken)?;
    let histogram = crate::office::finding::looks(&detector.calibration)
        .into_iter()
        .find(|view| view.exchanges == look.look);
    Ok(Some(SignalView {
        account: account.to_string(),
        exchanges: look.look,
        statistic,
        p,
        interval,
        anytime_p: detector.calibration.anytime(p).p,
        programmes: rank.programmes,
        sources: rank.sources,
        floor: rank.floor,
        population: detector.manifest.population.clone(),
        look: histogram.unwrap_or_else(LookView::default),
        carried_by: finding
            .as_ref()
            .map_or_else(Vec::new, |f| f.carried_by.clone()),
        exculpatory: finding.map_or_else(Vec::new, |f| f.exculpatory),
    }))
}

/// A statistic as it is kept.
pub(super) fn millionths(kept: i64) -> f64 {
    let whole = i32::try_from(kept / 1_000_000).unwrap_or(i32::MAX);
    let rest = i32::try_from(kept % 1_000_000).unwrap_or(0);
    f64::from(whole) + f64::from(rest) / 1e6
}
