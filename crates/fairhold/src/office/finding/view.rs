//! A report as it is sent: figures with their words.

use console::{
    DetectionView, EdgeView, LookView, MayView, MemberView, PopulationView, RankView, RingView,
    SuspectView,
};
use detection::{
    Background, Calibration, Cluster, Cue, LOOKS, May, Profile, Profiles, Rank, Report, Settings,
    Suspect,
};

use crate::population::Population;

/// Bins of the picture of honest programmes.
const BINS: u16 = 40;
/// Cues that a short reason names.
const CUES_TOLD: usize = 2;

/// The report in words and figures.
pub(super) fn of(
    report: &Report,
    profiles: &Profiles,
    population: &Population,
    settings: &Settings,
) -> DetectionView {
    let ring = |cluster: &Cluster| ring(cluster, profiles);
    let compared_with = compared_with(population, settings.intent_alpha);
    DetectionView {
        accounts: report.accounts,
        exchanges: report.exchanges,
        programmes: report.programmes,
        too_small: report.accounts.saturating_sub(report.suspects.len()),
        exchanges_min: LOOKS.first().copied().unwrap_or_default(),
        sample_max: profiles.sample_max(),
        limits: limits(report, &compared_with, settings),
        compared_with: Some(compared_with),
        rings: report.clusters.iter().map(ring).collect(),
        observed: report.observed.iter().map(ring).collect(),
        suspects: report
            .suspects
            .iter()
            .map(|suspect| account(suspect, profiles, population))
            .collect(),
    }
}

fn ring(cluster: &Cluster, profiles: &Profiles) -> RingView {
    let mut reasons = cluster.reasons.clone();
    reasons.push(format!(
        "chance that a report on unrelated accounts names any such gathering: at most {:.2e}",
        cluster.bound
    ));
    let members = cluster.accounts.iter().map(|account| MemberView {
        account: account.to_string(),
        score: cluster.score,
        exchanges: profiles.account(account).map_or(0, Profile::seen),
    });
    let edges = cluster.edges.iter().map(|edge| EdgeView {
        kind: edge.kind.word().to_owned(),
        known: edge.known,
        p: edge.p,
        said: edge.said.clone(),
    });
    let queue = if cluster.partition.divided() {
        "items lie like one queue divided among them"
    } else {
        "items of their own"
    };
    RingView {
        score: cluster.score,
        reasons,
        shared: vec![cluster.programme.clone()],
        members: members.collect(),
        programme: cluster.programme.clone(),
        bound: cluster.bound,
        because: format!("one frame, filled in; {queue}"),
        intent: cluster.intent.as_ref().map(rank),
        edges: edges.collect(),
        may: may(&cluster.may),
    }
}

fn account(suspect: &Suspect, profiles: &Profiles, population: &Population) -> SuspectView {
    let judgement = &suspect.judgement;
    SuspectView {
        account: suspect.account.to_string(),
        exchanges: suspect.exchanges,
        statistic: judgement.intent.statistic,
        look: judgement.look,
        rank: rank(&judgement.rank),
        anytime: judgement.anytime.p,
        peers: judgement.inferred.word().to_owned(),
        because: because(suspect, profiles, population).unwrap_or_default(),
        may: may(&suspect.may),
        reasons: suspect.reasons.clone(),
    }
}

/// The cues that carry most.
fn because(suspect: &Suspect, profiles: &Profiles, population: &Population) -> Option<String> {
    let detector = &population.detector;
    let sums = profiles.account(&suspect.account)?.sums();
    let programme = detector.sums(sums, suspect.judgement.intent.frame);
    let carried = detector.head.carried(programme);
    let said = carried.iter().take(CUES_TOLD).map(|(cue, _, deviation)| {
        let than = if *deviation < 0.0 { "less" } else { "more" };
        format!("{than} {}", short(*cue))
    });
    let said: Vec<String> = said.collect();
    Some(if said.is_empty() {
        "nothing stands out".to_owned()
    } else {
        said.join(", ")
    })
}

/// A cue in a few words; [`Cue::words`] says it fully.
fn short(cue: Cue) -> &'static str {
    match cue {
        Cue::Generate => "verbs of making",
        Cue::DataNoun => "names of data",
        Cue::Quantity => "lists to fill",
        Cue::Diversity => "demands for variety",
        Cue::Model => "talk of language models",
        Cue::Prompt => "talk of prompts",
        Cue::Constraint => "rules for the answer",
        Cue::Quality => "demands for difficulty",
        Cue::Training => "talk of training",
        Cue::MakesData => "making of data",
        Cue::CountsData => "data by number",
        Cue::VariesData => "variety of data",
        Cue::Party => "parties of a dialogue",
        Cue::PosesAsParty => "posing as a party",
        Cue::OpenEnd => "open slots",
        Cue::Application => "summarising, translating, labelling",
        Cue::Context => "texts to answer from",
        _ => {
            let words = cue.words();
            words.split_once(" (").map_or(words, |(short, _)| short)
        }
    }
}

fn rank(rank: &Rank) -> RankView {
    RankView {
        p: rank.p,
        floor: rank.floor,
        programmes: rank.programmes,
        sources: rank.sources,
        peers: rank.peers.map(|peers| peers.word().to_owned()),
    }
}

fn may(may: &May) -> MayView {
    match may {
        May::Observe => MayView::Watch,
        May::AskForDeclaration => MayView::AskForDeclaration,
        May::Notice(_) => MayView::Notice,
    }
}

fn compared_with(population: &Population, alpha: f64) -> PopulationView {
    let calibration = &population.detector.calibration;
    // What a rank says of its population does not depend on the statistic.
    let all = calibration.rank(0.0, 0, None);
    PopulationView {
        own: population.own,
        said: population.detector.manifest.population.clone(),
        programmes: all.programmes,
        sources: all.sources,
        floor: all.floor,
        alpha,
        looks: looks(calibration),
    }
}

/// How honest programmes score at each look, over the same bins.
pub(in crate::office) fn looks(calibration: &Calibration) -> Vec<LookView> {
    let scores = |place: usize| {
        calibration.programmes().iter().flat_map(move |programme| {
            let each = programme.accounts.iter();
            let own = each.filter_map(move |looks| looks.get(place).copied());
            let own: Vec<f64> = own.filter(|score| score.is_finite()).collect();
            let share = 1.0 / f64::from(u32::try_from(own.len()).unwrap_or(u32::MAX).max(1));
            own.into_iter().map(move |score| (score, share))
        })
    };
    let (mut from, mut until) = (f64::INFINITY, f64::NEG_INFINITY);
    for (score, _) in (0..LOOKS.len()).flat_map(scores) {
        (from, until) = (from.min(score), until.max(score));
    }
    if from >= until {
        return Vec::new();
    }
    let step = (until - from) / f64::from(BINS);
    let one = |(place, exchanges): (usize, &u32)| {
        let mut programmes = vec![0.0; usize::from(BINS)];
        for (score, share) in scores(place) {
            let bin = (0..BINS)
                .rev()
                .find(|bin| score >= from + step * f64::from(*bin));
            if let Some(count) = programmes.get_mut(usize::from(bin.unwrap_or(0))) {
                *count += share;
            }
        }
        let reached = calibration.rank(0.0, place, None);
        LookView {
            exchanges: *exchanges,
            compared: reached.programmes,
            floor: reached.floor,
            from,
            step,
            programmes,
        }
    };
    LOOKS.iter().enumerate().map(one).collect()
}

/// What the figures do not say.
fn limits(report: &Report, with: &PopulationView, settings: &Settings) -> Vec<String> {
    let mut out = vec![
        "Everything here is read off what was asked. Evaluation and research can look like \
         harvesting; only the account can say what it does, so ask it first."
            .to_owned(),
    ];
    let compared = u32::try_from(report.suspects.len()).unwrap_or(u32::MAX);
    if compared > 0 {
        out.push(format!(
            "{compared} accounts were compared: about {:.0} honest ones of so many would show a p \
             of at most {} by chance alone.",
            f64::from(compared) * with.alpha,
            with.alpha
        ));
    }
    out.push(if with.own {
        "The accounts were compared with programmes that this house cleared itself; the p is as \
         good as that clearing."
            .to_owned()
    } else {
        "The shipped programmes are not your customers: where yours are unlike them, the p is \
         too small or too large. `fairhold calibrate` compares with accounts that you cleared."
            .to_owned()
    });
    if let Background::Assumed { rate } = &settings.background {
        out.push(format!(
            "A ring's p assumes, and does not measure, that of unrelated customers at most {:.0} % \
             carry any one programme outside the catalogue of public prompts.",
            rate * 100.0
        ));
    }
    out.push(
        "Who looks again and again at the same accounts must use the chance over all looks \
         (`anytime` in the JSON), not p."
            .to_owned(),
    );
    out
}
