//! The profiles: what is added to them, when they are judged, how they are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use detection::campaign::{Matcher, PromptMatch, campaign_hashes};
use detection::{
    CUES, Chance, Declaration, Detector, Frame, IntentPassed, Judgement, Mild, Peers, Reader,
    Subject, Sums, frames_of, levels,
};
use facts::{AccountId, Exchange, ExchangeId, ModelName, Timestamp};
use store::{Database, LookRow, ProfileRow, WatchBatch};
use terms::{Authorisation, Purpose};

use super::kept::Kept;
use super::model;
use super::state::{HeadId, Look, State, head_id};
use super::{WatchError, Watching};
use crate::keeper::Keeper;

/// What is left of an exchange once it was read: no text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// Whose.
    pub(crate) account: AccountId,
    /// Which.
    pub(crate) exchange: ExchangeId,
    /// When it was asked.
    pub(crate) at: Timestamp,
    /// The model asked.
    pub(crate) model: Option<ModelName>,
    /// The record behind its ending.
    pub(crate) next: u64,
    /// The known campaigns whose wording it carries.
    pub(crate) known: Vec<PromptMatch>,
    levels: [u32; CUES],
    frames: [Frame; 3],
}

impl Seen {
    /// Reads an exchange; none where there is nothing to read.
    pub(crate) fn of(
        exchange: Exchange,
        next: u64,
        reader: &mut Reader,
        matcher: &Matcher,
    ) -> Option<Self> {
        if exchange.prompt.is_empty() {
            return None;
        }
        let known = if matcher.is_empty() {
            Vec::new()
        } else {
            matcher.match_prompt(&campaign_hashes(&exchange.prompt))
        };
        let reading = reader.read(&exchange.prompt);
        Some(Self {
            levels: levels(reading),
            frames: frames_of(reading),
            known,
            account: exchange.account,
            exchange: exchange.id,
            at: exchange.at,
            model: exchange.model,
            next,
        })
    }
}

/// Profiles in their stored form; accounts that are new have none.
pub(crate) type States = HashMap<AccountId, Vec<u8>>;

/// Who an account is, as far as its use is concerned.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Standing {
    /// Purposes that its project declares.
    pub(crate) purposes: Vec<String>,
    /// What the provider authorised, whether or not it covers anything.
    pub(crate) authorisations: Vec<Authorisation>,
}

impl Standing {
    /// What the directory and the agreement say of it.
    pub(super) fn of(keeper: &Keeper, account: &AccountId) -> Self {
        let known = keeper.ask(|engine| {
            let directory = engine.directory();
            let row = directory.account(account)?;
            let project = directory.project(&row.project);
            Some(Self {
                purposes: project.map(|p| p.purposes.clone()).unwrap_or_default(),
                authorisations: row.agreement.authorisations.clone(),
            })
        });
        known.unwrap_or_default()
    }

    /// The peers of the first purpose that has any.
    pub(super) fn peers(&self) -> Option<Peers> {
        let purposes = self.purposes.iter();
        let mut known = purposes.filter_map(|word| Purpose::parse(word).ok());
        known.find_map(peers_of)
    }

    /// Whether it has said that its outputs become training data.
    fn declaration(&self, covered: bool) -> Declaration {
        let mut purposes = self.purposes.iter();
        let told = purposes.any(|word| Purpose::parse(word).is_ok_and(trains));
        if told || covered {
            Declaration::Given
        } else {
            Declaration::Missing
        }
    }

    /// The authorisation under which making training data from this model is no breach.
    pub(super) fn covering(
        &self,
        model: Option<&ModelName>,
        at: Timestamp,
    ) -> Option<Authorisation> {
        let training = |a: &&Authorisation| {
            let purposes = Purpose::ALL.into_iter().filter(|p| trains(*p));
            let mut each = purposes.map(|p| a.concerns(Some(p), model));
            a.lasts(at) && each.any(|concerns| concerns)
        };
        self.authorisations.iter().find(training).cloned()
    }
}

/// The peers of an account's declared purpose.
pub(crate) fn declared(keeper: &Keeper, account: &AccountId) -> Option<Peers> {
    Standing::of(keeper, account).peers()
}

/// Whose peers an account of that purpose is.
fn peers_of(purpose: Purpose) -> Option<Peers> {
    match purpose {
        Purpose::Evaluation => Some(Peers::Evaluation),
        Purpose::Rag => Some(Peers::Retrieval),
        Purpose::LabellingInternal
        | Purpose::ClassifierInternal
        | Purpose::ClassifierDistributed => Some(Peers::Extraction),
        Purpose::InferenceProduct
        | Purpose::FinetuneOnProvider
        | Purpose::FinetuneNoncompeting
        | Purpose::FinetuneCompeting
        | Purpose::FoundationTraining
        | Purpose::TrainCompetingModel
        | Purpose::Resale
        | Purpose::ReasoningCapture => None,
    }
}

/// Whether outputs asked for with it become training data.
fn trains(purpose: Purpose) -> bool {
    match purpose {
        Purpose::ClassifierDistributed
        | Purpose::FinetuneOnProvider
        | Purpose::FinetuneNoncompeting
        | Purpose::FinetuneCompeting
        | Purpose::FoundationTraining
        | Purpose::TrainCompetingModel
        | Purpose::ReasoningCapture => true,
        Purpose::InferenceProduct
        | Purpose::Rag
        | Purpose::Evaluation
        | Purpose::LabellingInternal
        | Purpose::ClassifierInternal
        | Purpose::Resale => false,
    }
}

/// A look that says something.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// About whom.
    pub(crate) account: AccountId,
    /// When the exchange came that completed the look.
    pub(crate) at: Timestamp,
    /// The record behind that exchange's ending.
    pub(crate) next: u64,
    /// What was seen.
    pub(crate) judgement: Judgement,
    /// Sums of the programme that carries it.
    pub(crate) sums: Sums,
    /// Sums of the whole account, in their stored form.
    pub(crate) profile: Vec<u8>,
    /// All looks so far, this one last.
    pub(crate) looks: Vec<Look>,
    /// Who it is.
    pub(crate) standing: Standing,
    /// The authorisation that covers it: then it is only noted.
    pub(crate) covered: Option<Authorisation>,
    /// All that may follow.
    pub(crate) may: Mild,
    /// What it was tested with.
    pub(crate) detector: Arc<Detector>,
    /// The level that was set.
    pub(crate) alpha: f64,
    /// The least chance that could have been told.
    pub(crate) reach: f64,
}

/// What a batch comes to.
#[derive(Debug, Default)]
pub(crate) struct Worked {
    profiles: Vec<ProfileRow>,
    looks: BTreeMap<AccountId, LookRow>,
    /// Looks that say something.
    pub(crate) hits: Vec<Hit>,
}

impl Worked {
    /// Accounts that reached a look.
    pub(crate) fn looks(&self) -> usize {
        self.looks.len()
    }

    /// Profiles to be written, and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        let bytes = self.profiles.iter().map(|row| row.state.len()).sum();
        (self.profiles.len(), bytes)
    }
}

/// The profiles of a house.
#[derive(Debug)]
pub(crate) struct Book {
    detector: Arc<Detector>,
    head: HeadId,
    reach: f64,
    watching: Watching,
    kept: Kept,
}

impl Book {
    /// Nothing is in memory yet.
    pub(crate) fn new(detector: Detector, watching: Watching) -> Self {
        Self {
            head: head_id(&detector),
            reach: model::reach(&detector),
            detector: Arc::new(detector),
            kept: Kept::new(watching.accounts_in_memory),
            watching,
        }
    }

    /// Why nothing can be found at the level that was set, if nothing can.
    pub(crate) fn abstains(&self) -> Option<String> {
        let (rank, alpha) = (self.detector.calibration.anytime(1.0), self.watching.alpha);
        (self.reach > alpha).then(|| {
            format!(
                "the test of intent abstains: {} honest programmes of {} sources tell no chance below {:.4} over all \
                 looks, and alpha is {alpha}; calibrate on more accounts (`fairhold calibrate`) or raise `alpha` in \
                 `[detection]`",
                rank.programmes, rank.sources, self.reach
            )
        })
    }

    /// Whom accounts are compared with.
    #[cfg(test)]
    pub(crate) fn population(&self) -> &str {
        &self.detector.manifest.population
    }

    /// Tests with another detector from now on.
    pub(crate) fn retest(&mut self, detector: Detector) {
        self.head = head_id(&detector);
        self.reach = model::reach(&detector);
        self.detector = Arc::new(detector);
    }

    /// Forgets what is in memory; the store has all of it.
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
    }

    /// The profiles of whoever was seen, and whose cannot be read.
    pub(crate) async fn states(
        &mut self,
        database: &Database,
        seen: &[Seen],
    ) -> Result<(States, Vec<AccountId>), WatchError> {
        let accounts: BTreeSet<&AccountId> = seen.iter().map(|s| &s.account).collect();
        let (mut states, mut missing) = (States::new(), Vec::new());
        for account in accounts {
            match self.kept.take(account) {
                Some(state) => {
                    states.insert(account.clone(), state);
                }
                None => missing.push(account),
            }
        }
        let mut spoilt = Vec::new();
        for row in database.profiles(&missing).await? {
            if State::from_bytes(&row.state).is_ok() {
                states.insert(row.account, row.state);
            } else {
                spoilt.push(row.account);
            }
        }
        Ok((states, spoilt))
    }

    /// Adds what was seen and judges whoever reaches a look, away from the threads that serve.
    pub(crate) async fn take(
        &self,
        keeper: &Arc<Keeper>,
        seen: Vec<Seen>,
        states: States,
    ) -> Result<Worked, WatchError> {
        let test = self.test();
        let keeper = Arc::clone(keeper);
        let worked = tokio::task::spawn_blocking(move || {
            test.all(&seen, &states, |account| Standing::of(&keeper, account))
        });
        worked.await.map_err(|_| WatchError::Stopped)
    }

    /// The same, here and now, of accounts that nothing is known of.
    pub(crate) fn take_unknown(&self, seen: &[Seen], states: &States) -> Worked {
        let test = self.test();
        test.all(seen, states, |_| Standing::default())
    }

    fn test(&self) -> Test {
        Test {
            detector: Arc::clone(&self.detector),
            head: self.head,
            reach: self.reach,
            alpha: self.watching.alpha,
        }
    }

    /// Keeps a batch in the store, with the records that it was read of, and then in memory.
    pub(crate) async fn keep(
        &mut self,
        database: &Database,
        worked: Worked,
        read: std::ops::Range<u64>,
    ) -> Result<(), WatchError> {
        let batch = WatchBatch {
            profiles: worked.profiles.clone(),
            looks: worked.looks.into_values().collect(),
            from: read.start,
            next: read.end,
        };
        if !database.keep_watch(batch).await? {
            return Err(WatchError::Moved);
        }
        for row in worked.profiles {
            self.kept.put(row.account, row.state);
        }
        Ok(())
    }
}

/// A profile of everything that was seen of an account, without its looks.
pub(crate) fn made_anew(seen: &[Seen]) -> Vec<u8> {
    let mut state = State::default();
    for seen in seen {
        state.account.observe_parts(&seen.levels, &seen.frames);
    }
    state.to_bytes()
}

/// What accounts are judged with.
struct Test {
    detector: Arc<Detector>,
    head: HeadId,
    reach: f64,
    alpha: f64,
}

impl Test {
    fn all(
        &self,
        seen: &[Seen],
        states: &States,
        standing: impl Fn(&AccountId) -> Standing,
    ) -> Worked {
        let mut worked = Worked::default();
        let mut open: BTreeMap<&AccountId, State> = BTreeMap::new();
        for seen in seen {
            let state = open.entry(&seen.account).or_insert_with(|| {
                let stored = states.get(&seen.account);
                let stored = stored.and_then(|bytes| State::from_bytes(bytes).ok());
                stored.unwrap_or_default()
            });
            state.account.observe_parts(&seen.levels, &seen.frames);
            if state.look().is_some() {
                self.look(seen, state, standing(&seen.account), &mut worked);
            }
        }
        let rows = open.into_iter().map(|(account, state)| ProfileRow {
            account: account.clone(),
            state: state.to_bytes(),
        });
        worked.profiles = rows.collect();
        worked
    }

    /// A finding is made when the account first looks like none that is honest, and again when it
    /// looks so more than ever.
    fn look(&self, seen: &Seen, state: &mut State, standing: Standing, worked: &mut Worked) {
        let Some(judgement) = state.judge(&self.detector, self.head, standing.peers()) else {
            return;
        };
        let row = LookRow {
            account: seen.account.clone(),
            look: judgement.look,
            statistic: millionths(judgement.intent.statistic),
        };
        worked.looks.insert(seen.account.clone(), row);
        let news = judgement.rank.p <= judgement.least || !state.told;
        let Some(passed) = self.passed(&seen.account, &judgement).filter(|_| news) else {
            return;
        };
        let covered = standing.covering(seen.model.as_ref(), seen.at);
        state.told |= covered.is_none();
        let frame = judgement.intent.frame;
        worked.hits.push(Hit {
            account: seen.account.clone(),
            at: seen.at,
            next: seen.next,
            sums: self.detector.sums(&state.account, frame).clone(),
            profile: state.account.to_bytes(),
            looks: state.looks.clone(),
            judgement,
            may: passed.may(standing.declaration(covered.is_some())),
            standing,
            covered,
            detector: Arc::clone(&self.detector),
            alpha: self.alpha,
            reach: self.reach,
        });
    }

    /// What is asked, if it is rarer than the level among honest accounts.
    fn passed(&self, account: &AccountId, judgement: &Judgement) -> Option<IntentPassed> {
        let subject = Subject::of([account.clone()])?;
        let (p, reach) = (Chance::of(judgement.anytime.p)?, Chance::of(self.reach)?);
        IntentPassed::at(subject, p, reach, self.alpha).ok()
    }
}

/// A statistic as the store ranks it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "statistics are some units; a cast of floats stops at the ends"
)]
pub(crate) fn millionths(statistic: f64) -> i64 {
    (statistic * 1e6).round() as i64
}
