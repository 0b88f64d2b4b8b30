//! A look that says something, written down: what was seen, how sure one may
//! be, what it rests on, and what was looked for in the account's favour.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use console::{CueView, FactView, FindingView};
use detection::{Catalogue, Cue, Frame, Mild, Peers, Reader, SketchKey, frames_of, prompt_sketch};
use facts::{Exchange, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{FindingRow, FleetRank};

use super::WatchError;
use super::book::{Hit, millionths};
use crate::keeper::Keeper;

/// Exchanges named in a finding.
const NAMED_MAX: usize = 50;
/// Cues named in a finding.
const CUES_MAX: usize = 6;
/// From this share of stock wording on, a public harness is a likely author of the prompts.
const STOCK: f64 = 0.3;

/// The exchanges that a finding rests on.
#[derive(Debug, Default)]
pub(crate) struct ReliedOn {
    /// The latest of them.
    ids: Vec<String>,
    shingles: usize,
    stock: usize,
}

impl ReliedOn {
    /// Those of the programme that carries the statistic.
    pub(crate) fn of(
        exchanges: impl Iterator<Item = Exchange>,
        frame: Option<Frame>,
        key: SketchKey,
    ) -> Self {
        let (mut reader, catalogue) = (Reader::default(), Catalogue::built_in(key));
        let mut found = Self::default();
        for exchange in exchanges.filter(|e| !e.prompt.is_empty()) {
            let frames = frames_of(reader.read(&exchange.prompt));
            if frame.is_some_and(|frame| !frames.contains(&frame)) {
                continue;
            }
            let sketch = prompt_sketch(key, &exchange.prompt);
            found.shingles += sketch.len();
            found.stock += catalogue.holds(&sketch);
            found.ids.push(exchange.id.to_string());
        }
        let earlier = found.ids.len().saturating_sub(NAMED_MAX);
        found.ids.drain(..earlier);
        found
    }

    fn stock_share(&self) -> f64 {
        share(self.stock as u64, self.shingles as u64)
    }
}

/// Where the account stands among all that are watched.
pub(super) async fn fleet(keeper: &Keeper, hit: &Hit) -> Result<FleetRank, WatchError> {
    let statistic = millionths(hit.judgement.intent.statistic);
    let rank = keeper.database().fleet_rank(&hit.account, statistic);
    Ok(rank.await?)
}

/// The finding, to be kept with the inputs of its score; none if it had no JSON form, which it
/// always has. `judged_by` is the SHA-256 of the detector's file.
pub(super) fn row(
    hit: &Hit,
    relied_on: &ReliedOn,
    rank: FleetRank,
    judged_by: &[u8; 32],
) -> Option<FindingRow> {
    let view = view(hit, relied_on, rank);
    Some(FindingRow {
        json: with_inputs(&view, &inputs(hit, judged_by))?,
        id: view.id,
        account: hit.account.clone(),
        at: hit.at,
    })
}

/// A finding's text, as it is kept and as the log names its digest.
pub(super) fn with_inputs(view: &FindingView, inputs: &Value) -> Option<String> {
    let mut whole = serde_json::to_value(view).ok()?;
    let fields = whole.as_object_mut()?;
    fields.insert("inputs".to_owned(), inputs.clone());
    serde_json::to_string(&whole).ok()
}

/// The exact text of a number: what is made again must match to the digit.
pub(crate) fn digits(number: f64) -> String {
    format!("{number:?}")
}

/// All that the score and its chances were computed of, and what they came to. Integers and
/// digits: nothing is rounded on the way.
fn inputs(hit: &Hit, judged_by: &[u8; 32]) -> Value {
    let earlier = hit
        .looks
        .split_last()
        .map_or(&[][..], |(_, earlier)| earlier);
    let earlier = earlier
        .iter()
        .map(|look| json!({"place": look.place, "statistic": digits(look.statistic)}));
    json!({
        "judged_by": hex::encode(judged_by),
        "declared": hit.standing.peers().map(Peers::word),
        // The place of the last exchange's ending: with it the look was reached.
        "last_ending": hit.next.saturating_sub(1),
        "sums": STANDARD.encode(&hit.profile),
        "earlier": earlier.collect::<Vec<Value>>(),
        "statistic": digits(hit.judgement.intent.statistic),
        "p": digits(hit.judgement.rank.p),
        "anytime_p": digits(hit.judgement.anytime.p),
    })
}

/// By what a finding was made, as it says itself: SHA-256 of the detector's file, or of the known
/// campaign's. Findings of earlier versions do not say.
pub(crate) fn judged_by(row: &FindingRow) -> Option<[u8; 32]> {
    let whole: Value = serde_json::from_str(&row.json).ok()?;
    let told = whole.pointer("/inputs/judged_by")?.as_str()?;
    let mut digest = [0; 32];
    hex::decode_to_slice(told, &mut digest).ok()?;
    Some(digest)
}

fn view(hit: &Hit, relied_on: &ReliedOn, rank: FleetRank) -> FindingView {
    let judgement = &hit.judgement;
    let carried = hit.detector.head.carried(&hit.sums);
    let noted = hit.covered.is_some();
    FindingView {
        id: id(hit),
        account: hit.account.to_string(),
        at: hit.at.rfc3339(),
        kind: if noted { "noted" } else { "finding" }.to_owned(),
        may: match hit.may {
            Mild::Observe => "observe",
            Mild::AskForDeclaration => "ask for a declaration",
        }
        .to_owned(),
        look: judgement.look,
        statistic: judgement.intent.statistic,
        p: judgement.rank.p,
        anytime_p: judgement.anytime.p,
        alpha: hit.alpha,
        programmes: judgement.anytime.programmes,
        sources: judgement.anytime.sources,
        floor: judgement.anytime.floor,
        reach: hit.reach,
        population: hit.detector.manifest.population.clone(),
        peers: judgement.rank.peers.map_or("all", |p| p.word()).to_owned(),
        programme_exchanges: judgement.intent.exchanges,
        summary: summary(hit, &carried),
        carried_by: carried.iter().take(CUES_MAX).map(cue).collect(),
        relied_on: relied_on.ids.clone(),
        exculpatory: vec![
            purpose(hit),
            authorisation(hit),
            harness(relied_on),
            history(hit),
            among_all(hit, rank),
        ],
    }
}

/// The same for the same account and look, so that what is read again is written once.
fn id(hit: &Hit) -> String {
    let digest = Sha256::new()
        .chain_update(hit.account.as_str())
        .chain_update(hit.judgement.look.to_be_bytes())
        .finalize();
    let hex: String = hex::encode(digest).chars().take(12).collect();
    format!("finding-{hex}")
}

fn cue((cue, adds, deviation): &(Cue, f64, f64)) -> CueView {
    CueView {
        cue: cue.name().to_owned(),
        words: cue.words().to_owned(),
        deviation: *deviation,
        adds: *adds,
    }
}

fn summary(hit: &Hit, carried: &[(Cue, f64, f64)]) -> String {
    let judgement = &hit.judgement;
    let cues = carried.iter().take(CUES_MAX);
    let cues: Vec<String> = cues
        .map(|(cue, _, z)| format!("{} ({z:+.1} standard deviations)", cue.words()))
        .collect();
    let after = match hit.may {
        _ if hit.covered.is_some() => "An authorisation covers this: it is noted only.",
        Mild::Observe => "It declares such a use: whether that is allowed is for the terms to say.",
        Mild::AskForDeclaration => {
            "This alone is a reason to ask what the requests are for, not to restrict them."
        }
    };
    format!(
        "After {} exchanges, {} of them form a programme whose wording resembles requests for training data, as far as text can tell. It scores \
         {:.2}; of honest programmes at this look {} score as high, and an honest account would ever, over all looks, \
         stand out as much with a chance of at most {} (compared with {} programmes of {} sources, {}; no chance \
         below {:.4} can be told; level {}). It was carried by {}. {after}",
        judgement.look,
        judgement.intent.exchanges,
        judgement.intent.statistic,
        percent(judgement.rank.p),
        percent(judgement.anytime.p),
        judgement.anytime.programmes,
        judgement.anytime.sources,
        hit.detector.manifest.population,
        hit.reach,
        hit.alpha,
        cues.join("; "),
    )
}

fn fact(looked_for: &str, found: bool, words: String) -> FactView {
    FactView {
        looked_for: looked_for.to_owned(),
        found,
        words,
    }
}

fn purpose(hit: &Hit) -> FactView {
    let purposes = &hit.standing.purposes;
    let words = match hit.judgement.rank.peers {
        _ if purposes.is_empty() => "Its project declares no purpose.".to_owned(),
        Some(peers) => format!(
            "Its project declares {}; it was compared with {}.",
            purposes.join(", "),
            peers.word()
        ),
        None => format!(
            "Its project declares {}; too few honest programmes of that kind reach this look, so it was compared with all.",
            purposes.join(", ")
        ),
    };
    fact("declared purpose", !purposes.is_empty(), words)
}

fn authorisation(hit: &Hit) -> FactView {
    let day = |at: Timestamp| -> String { at.rfc3339().chars().take(10).collect() };
    let words = match &hit.covered {
        Some(given) => format!(
            "The provider authorised it: clause {} is waived from {} {}.",
            given.clause,
            day(given.from),
            given.until.map_or("until revoked".to_owned(), |at| format!(
                "until {}",
                day(at)
            ))
        ),
        None => format!(
            "{} authorisations are agreed with it; none covers making training data from this model then.",
            hit.standing.authorisations.len()
        ),
    };
    fact("authorisation", hit.covered.is_some(), words)
}

fn harness(relied_on: &ReliedOn) -> FactView {
    let stock = relied_on.stock_share();
    let words = format!(
        "{} of the runs of five words in these prompts are stock instructions of public harnesses.",
        percent(stock)
    );
    fact("public harness", stock >= STOCK, words)
}

fn history(hit: &Hit) -> FactView {
    let now = hit.judgement.intent.statistic;
    let higher = hit.looks.iter().filter(|l| l.statistic > now).count();
    let words = match (hit.looks.len(), higher) {
        (0 | 1, _) => "This is its first look: it has no history to compare with.".to_owned(),
        (looks, 0) => format!("This is the highest of its {looks} looks."),
        (looks, _) => format!("At {higher} of its {looks} looks it scored higher than now."),
    };
    fact("own history", higher > 0, words)
}

fn among_all(hit: &Hit, rank: FleetRank) -> FactView {
    let alike = share(rank.at_least, rank.accounts);
    let words = if rank.accounts == 0 {
        "No other account here has had a look yet.".to_owned()
    } else {
        format!(
            "Of {} other accounts here that have had a look, {} ({}) score at least as high.",
            rank.accounts,
            rank.at_least,
            percent(alike)
        )
    };
    fact("all accounts here", alike > hit.alpha, words)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of.max(1) as f64
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
