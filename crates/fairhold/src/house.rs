//! The data folder, open: the keeper over its store, and its clean end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use detection::SketchKey;
use engine::judge::Judge;
use engine::prices::{Price, Prices};
use engine::{Config, Mode};
use evidence::checkpoint::{LogKey, Verifier};
use facts::Span;
use sha2::{Digest as _, Sha256};
use store::{DataFolder, JournalTask, SystemClock};

use crate::campaigns::KnownCampaigns;
use crate::failure::Failure;
use crate::judge::{Documents, NoTerms, Seated};
use crate::keeper::{Keeper, Options};
use crate::keks;
use crate::ledger::Ledger;
use crate::notices::Sending;
use crate::notices::sign::Signer;
use crate::office::links::LinkKey;
use crate::registry::forget::Outputs;
use crate::settings::Settings;
use crate::tsa::Tsa;
use crate::witness::{Asked, Witnesses};

/// How long a reservation lives without being settled: longer than any stream
/// that the idle timeout of 60 s allows to go on sensibly.
const LEASE: Span = Span::hours(1);
/// How long an ended exchange's id is remembered.
const MEMORY: Span = Span::seconds(120);

/// The log's name.
pub(crate) const LOG: &str = "fairhold/ledger";

/// What a model costs when no table is given: a dollar per million tokens in,
/// four per million out, of the order of today's mid-sized models.
const ASSUMED: Price = Price {
    input_per_1m: 1_000_000,
    output_per_1m: 4_000_000,
};

/// What is decided before a house is opened.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Shadow or enforced.
    pub(crate) mode: Mode,
    /// The documents that bind; none: no terms.
    pub(crate) terms: Option<Arc<Documents>>,
    /// `postgres://...`; the folder's own `SQLite` without it.
    pub(crate) database_url: Option<String>,
    /// What models cost.
    pub(crate) prices: Option<Prices>,
    /// How bodies are kept.
    pub(crate) keeping: Keeping,
    /// Who cosigns the log's checkpoints.
    pub(crate) witnesses: Vec<Asked>,
    /// Who says when a bundle's checkpoint existed.
    pub(crate) tsa: Option<Tsa>,
    /// How notices leave.
    pub(crate) sending: Sending,
}

/// How bodies are kept.
#[derive(Debug, Clone)]
pub(crate) struct Keeping {
    /// The file of the KEK, where it is kept outside the data folder.
    pub(crate) kek_file: Option<PathBuf>,
    /// Whole days that bodies are kept.
    pub(crate) bodies_days: u32,
    /// Whether new keys, and in time all, are to be wrapped under another KEK.
    pub(crate) rotates: bool,
}

impl Keeping {
    /// The key of the data folder, and thirty days.
    pub(crate) const USUAL: Self = Self {
        kek_file: None,
        bodies_days: 30,
        rotates: false,
    };
}

impl Plan {
    /// For a command that is told the configuration of `serve`, while nothing is served.
    pub(crate) fn of(settings: Settings) -> Self {
        Self {
            database_url: settings.database_url,
            keeping: settings.keeping,
            sending: settings.sending,
            ..Self::at_rest()
        }
    }

    /// For a command that changes the directory while nothing is served.
    pub(crate) fn at_rest() -> Self {
        Self {
            mode: Mode::Shadow,
            terms: None,
            database_url: None,
            prices: None,
            keeping: Keeping::USUAL,
            witnesses: Vec::new(),
            tsa: None,
            sending: Sending::USUAL,
        }
    }
}

/// An open house; one per data folder.
pub(crate) struct House {
    /// Locked for as long as the house is open.
    pub(crate) folder: DataFolder,
    /// Decides and records.
    pub(crate) keeper: Arc<Keeper>,
    /// Signs, under the log's own name.
    pub(crate) log: Arc<LogKey>,
    /// The ledgers of what is recorded.
    pub(crate) ledger: Arc<Ledger>,
    /// The registry of its outputs.
    pub(crate) outputs: Arc<Outputs>,
    /// The timestamp authority, if one is configured.
    pub(crate) tsa: Option<Arc<Tsa>>,
    /// The key of detection's sketches in this house.
    pub(crate) sketches: SketchKey,
    /// The key of tokens that link accounts in this house.
    pub(crate) links: LinkKey,
    /// The documents that bind.
    pub(crate) terms: Option<Arc<Documents>>,
    /// The known campaigns that act.
    pub(crate) campaigns: Arc<KnownCampaigns>,
    /// Whole days that bodies are kept.
    pub(crate) bodies_days: u32,
    /// Signs notices.
    pub(crate) signer: Signer,
    /// How they leave.
    pub(crate) sending: Sending,
    /// Whether the KEK is kept outside the data folder.
    pub(crate) kek_outside: bool,
    journal: JournalTask,
}

impl House {
    /// Opens the data folder and everything in it.
    pub(crate) async fn open(data: &Path, plan: Plan) -> Result<Self, Failure> {
        let folder = DataFolder::open(data).map_err(|e| Failure::chain(&e))?;
        let seed = folder.log_seed().map_err(|e| Failure::chain(&e))?;
        let log = LogKey::from_seed(&seed, LOG).map_err(|e| Failure::error(e.to_string()))?;
        let sketches = SketchKey::new(sketch_key(&seed));
        let judge: Box<dyn Judge> = match &plan.terms {
            Some(documents) => Box::new(Seated(Arc::clone(documents))),
            None => Box::new(NoTerms::new()),
        };
        let keeping = plan.keeping;
        let file = keeping.kek_file.as_deref();
        let chosen = if keeping.rotates {
            keks::to_rotate(&folder, file)?
        } else {
            keks::to_use(&folder, file)?
        };
        let options = Options {
            url: plan.database_url.unwrap_or_else(|| folder.database_url()),
            reserve: Some(folder.reserve()),
            keks: chosen.keks,
            engine: Config {
                mode: plan.mode,
                judge,
                prices: plan.prices.unwrap_or_else(|| Prices::flat(ASSUMED)),
                lease: LEASE,
                memory: MEMORY,
            },
        };
        let (keeper, journal) = Keeper::open(options)
            .await
            .map_err(|e| Failure::chain(&e))?;
        let made = crate::office::cases::refresh(&keeper).await;
        let made = made.map_err(|e| Failure::error(e.to_string()))?;
        if made > 0 {
            tracing::info!(cases = made, "summaries of cases were made anew");
        }
        let outputs = Outputs::of(folder.path());
        outputs.catch_up(keeper.database()).await;
        let ledger = Ledger::new(
            keeper.database().clone(),
            log.clone(),
            folder.path(),
            Witnesses::new(plan.witnesses),
        );
        let campaigns = KnownCampaigns::default();
        let key = Verifier::parse(&log.vkey()).map_err(|e| Failure::error(e.to_string()))?;
        campaigns
            .reload(keeper.database(), &key, SystemClock.now())
            .await
            .map_err(|e| Failure::chain(&e))?;
        Ok(Self {
            folder,
            keeper: Arc::new(keeper),
            log: Arc::new(log),
            ledger: Arc::new(ledger),
            outputs: Arc::new(outputs),
            tsa: plan.tsa.map(Arc::new),
            sketches,
            links: LinkKey(link_key(&seed)),
            terms: plan.terms,
            campaigns: Arc::new(campaigns),
            bodies_days: keeping.bodies_days,
            signer: Signer::of(&seed),
            sending: plan.sending,
            kek_outside: chosen.outside,
            journal,
        })
    }

    /// Intents that an earlier process left open and that are marked now.
    pub(crate) fn interrupted(&self) -> u64 {
        self.journal.interrupted()
    }

    /// The same; the folder stays locked.
    pub(crate) async fn close_keeping_folder(self) -> DataFolder {
        drop(self.keeper);
        self.journal.finished().await;
        self.folder
    }

    /// Waits until the last batch is written. Everybody else must have let
    /// go of the keeper by then.
    pub(crate) async fn close(self) {
        drop(self.keeper);
        self.journal.finished().await;
    }
}

/// A key of this house that nobody outside can know, so that nobody can write
/// prompts that collide in its sketches.
fn sketch_key(seed: &[u8; 32]) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(b"fairhold sketches\0")
        .chain_update(seed)
        .finalize();
    let mut key = [0; 16];
    key.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    key
}

/// A key of this house for tokens that link accounts.
fn link_key(seed: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"fairhold links\0")
        .chain_update(seed)
        .finalize()
        .into()
}
