//! A deployment's own calibration: the shipped head, ranked among its own
//! honest accounts instead of strangers' programmes.
//!
//! Each account is a programme, each customer a source. An account that ends
//! before a look keeps its last statistic there if it has a hundred exchanges,
//! as the shipped programmes do; else it says nothing of that look.

use std::collections::{BTreeMap, HashMap};

use console::{CalibrationView, ReachView};
use detection::{
    Account, Calibration, Detector, Head, HonestProgramme, LOOKS, Manifest, Peers, Reader,
    SourceFacts,
};
use facts::{AccountId, Exchange};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::watch::model;

/// Exchanges beyond the last look say nothing more.
pub(crate) const EXCHANGES_MAX: u32 = 1_500;
/// An account of so many speaks for all later looks.
const LASTING: u32 = 100;
/// A calibration that can tell no chance below this is of no use: `[detection]` takes no higher level.
pub(crate) const REACH_MAX: f64 = 0.2;

/// An account on its way through the looks.
#[derive(Debug, Default)]
pub(crate) struct Trajectory {
    account: Account,
    looks: Vec<f64>,
}

impl Trajectory {
    /// Takes one more exchange into account.
    pub(crate) fn observe(&mut self, exchange: &Exchange, head: &Head, reader: &mut Reader) {
        if exchange.prompt.is_empty() || self.account.seen() >= EXCHANGES_MAX {
            return;
        }
        self.account.observe(reader.read(&exchange.prompt));
        if LOOKS.contains(&self.account.seen()) {
            self.looks.push(head.intent(&self.account).statistic);
        }
    }

    /// The statistic at each look; none before the first.
    fn finish(mut self, head: &Head) -> Option<[f64; LOOKS.len()]> {
        if self.looks.is_empty() {
            return None;
        }
        let last = if self.account.seen() >= LASTING {
            head.intent(&self.account).statistic
        } else {
            f64::NAN
        };
        self.looks.resize(LOOKS.len(), last);
        self.looks.try_into().ok()
    }
}

/// An account that counts as honest.
#[derive(Debug)]
pub(crate) struct Honest {
    /// Which.
    pub(crate) account: AccountId,
    /// The customer that it belongs to.
    pub(crate) customer: String,
    /// The peers of its declared purpose.
    pub(crate) declared: Option<Peers>,
    /// What was read of it.
    pub(crate) trajectory: Trajectory,
}

/// Accounts that were not taken, and why.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LeftOut {
    /// A case names them and did not clear them.
    pub(crate) accused: usize,
    /// The watch has found them.
    pub(crate) found: usize,
}

/// The calibration on these accounts.
pub(crate) fn calibrate(
    shipped: Detector,
    accounts: Vec<Honest>,
    left_out: LeftOut,
) -> Result<CalibrationView, Failure> {
    let head = shipped.head;
    let (mut programmes, mut too_small) = (Vec::new(), 0);
    let mut sources: BTreeMap<String, (usize, Sha256)> = BTreeMap::new();
    for honest in accounts {
        let seen = honest.trajectory.account.seen();
        let inferred = head.peers(honest.trajectory.account.whole());
        let Some(looks) = honest.trajectory.finish(&head) else {
            too_small += 1;
            continue;
        };
        let (exchanges, digest) = sources.entry(honest.customer.clone()).or_default();
        *exchanges += usize::try_from(seen).unwrap_or(usize::MAX);
        digest.update(format!("{} {seen}\n", honest.account));
        programmes.push(HonestProgramme {
            source: honest.customer,
            peers: honest.declared.unwrap_or(inferred),
            accounts: vec![looks],
        });
    }
    let detector = numbered(head, programmes, sources);
    view(&detector, too_small, left_out)
}

/// Customers are numbered: the file tells nobody who they are.
fn numbered(
    head: Head,
    mut programmes: Vec<HonestProgramme>,
    sources: BTreeMap<String, (usize, Sha256)>,
) -> Detector {
    let name = |n: usize| format!("customer-{:04}", n + 1);
    let names: HashMap<String, String> = sources
        .keys()
        .enumerate()
        .map(|(n, customer)| (customer.clone(), name(n)))
        .collect();
    for programme in &mut programmes {
        if let Some(name) = names.get(&programme.source) {
            programme.source.clone_from(name);
        }
    }
    let population = format!(
        "{} accounts of {} customers of this deployment, not accused and not found suspicious; who of them harvests \
         unnoticed makes the test milder",
        programmes.len(),
        sources.len()
    );
    let facts = sources.into_values().enumerate();
    let facts = facts.map(|(n, (exchanges, digest))| SourceFacts {
        source: name(n),
        harvest: false,
        exchanges,
        sha256: hex::encode(digest.finalize()),
    });
    Detector {
        head,
        calibration: Calibration::new(programmes),
        manifest: Manifest {
            seed: 0,
            population,
            sources: facts.collect(),
        },
    }
}

fn view(
    detector: &Detector,
    too_small: usize,
    left_out: LeftOut,
) -> Result<CalibrationView, Failure> {
    let at = |look: usize| detector.calibration.rank(f64::INFINITY, look, None);
    let looks = LOOKS.iter().enumerate().map(|(place, look)| {
        let rank = at(place);
        ReachView {
            look: *look,
            programmes: rank.programmes,
            sources: rank.sources,
            floor: rank.floor,
            reach: rank.p,
        }
    });
    let sources = &detector.manifest.sources;
    Ok(CalibrationView {
        programmes: detector.calibration.programmes().len(),
        sources: sources.len(),
        exchanges: sources.iter().map(|s| s.exchanges).sum(),
        too_small,
        accused: left_out.accused,
        found: left_out.found,
        looks: looks.collect(),
        reach: model::reach(detector),
        detector: detector
            .to_text()
            .map_err(|e| Failure::error(format!("failed to write the detector: {e}")))?,
    })
}

#[cfg(test)]
mod tests;
