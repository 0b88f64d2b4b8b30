//! Accounts by themselves, and programmes pooled over accounts: how rare is
//! among honest programmes what they ask for?

use crate::account::Sums;
use crate::calibration::{Calibration, LOOKS, Rank};
use crate::detector::{Detector, Judgement};
use crate::families::Chance;
use crate::profile::Profiles;
use crate::report::Suspect;
use crate::settings::Settings;
use crate::standing::{Declaration, IntentPassed, May, Subject};

/// Cues that an explanation names.
const CUES_TOLD: usize = 5;

/// What a programme asks for, all of its prompts together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pooled {
    pub(crate) rank: Rank,
    pub(crate) carried: Vec<String>,
}

impl Pooled {
    pub(crate) fn of(detector: &Detector, sums: &Sums) -> Self {
        let look = Calibration::look(sums.exchanges).unwrap_or(0);
        let statistic = detector.head.score(sums);
        Self {
            rank: detector.calibration.rank(statistic, look, None),
            carried: carried(detector, sums),
        }
    }

    pub(crate) fn passed(&self, subject: Subject, alpha: f64) -> Option<IntentPassed> {
        passed(&self.rank, subject, alpha)
    }
}

fn passed(rank: &Rank, subject: Subject, alpha: f64) -> Option<IntentPassed> {
    let (p, floor) = (Chance::of(rank.p)?, Chance::of(rank.floor)?);
    IntentPassed::at(subject, p, floor, alpha).ok()
}

/// The cues that carry a programme's score, in words with their deviations.
pub(crate) fn carried(detector: &Detector, sums: &Sums) -> Vec<String> {
    let parts = detector.head.carried(sums).into_iter().take(CUES_TOLD);
    parts
        .map(|(cue, _, deviation)| format!("{} ({deviation:+.1} sd)", cue.words()))
        .collect()
}

/// The population of a rank, in words.
pub(crate) fn population(rank: &Rank) -> String {
    let of = rank
        .peers
        .map_or(String::new(), |peers| format!(" of {}", peers.word()));
    format!(
        "{} honest programmes{of} from {} sources (p is never below {:.4})",
        rank.programmes, rank.sources, rank.floor
    )
}

/// Every account that reached a look, the least p first.
pub(crate) fn suspects(fleet: &Profiles, settings: &Settings) -> Vec<Suspect> {
    let Some(detector) = settings.detector.as_deref() else {
        return Vec::new();
    };
    let mut all: Vec<Suspect> = fleet
        .iter()
        .filter_map(|(account, profile)| {
            let judgement = detector.judge(profile.sums(), None, None)?;
            let subject = Subject::of([account.clone()])?;
            let passed = passed(&judgement.rank, subject, settings.intent_alpha);
            let may = passed.map(|intent| intent.may(Declaration::Missing));
            Some(Suspect {
                account: account.clone(),
                exchanges: profile.seen(),
                judgement,
                may: may.map_or(May::Observe, May::from),
                reasons: reasons(detector, profile.sums(), &judgement),
            })
        })
        .collect();
    all.sort_by(|a, b| {
        let (one, other) = (&a.judgement, &b.judgement);
        let by_rank = one.rank.p.total_cmp(&other.rank.p);
        by_rank
            .then_with(|| other.intent.statistic.total_cmp(&one.intent.statistic))
            .then_with(|| a.account.cmp(&b.account))
    });
    all
}

fn reasons(
    detector: &Detector,
    account: &crate::account::Account,
    judgement: &Judgement,
) -> Vec<String> {
    let sums = detector.sums(account, judgement.intent.frame);
    let what = if judgement.intent.frame.is_some() {
        "the part of its prompts that is rarest among honest programmes"
    } else {
        "all of its prompts together"
    };
    let last = LOOKS.contains(&account.seen());
    vec![
        format!(
            "{what} ({} of {} exchanges) scores {:.2}; the chance that an honest account scores so \
             high is estimated at {:.4}, compared with {}.",
            sums.exchanges,
            account.seen(),
            judgement.intent.statistic,
            judgement.rank.p,
            population(&judgement.rank)
        ),
        format!("Carried by: {}.", list(&carried(detector, sums))),
        format!(
            "Looked at once, {} {} exchanges; who looks again and again must use the chance over all \
             looks.",
            if last { "at" } else { "after" },
            judgement.look
        ),
    ]
}

fn list(parts: &[String]) -> String {
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    }
}
