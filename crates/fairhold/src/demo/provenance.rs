//! `fairhold demo --act provenance`: outputs are harvested, disguised and hidden in a corpus; the
//! audit finds them, and the gate says which rows may be used.

mod prose;
mod write;

pub(crate) use prose::sentences;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use console::{NewAccount, Office as _};
use engine::Mode;
use gateway::{Recording, Recordings};
use serde::Serialize;
use serde_json::json;
use simulation::Random;

use super::drive::{Call, drive};
use crate::args::provenance::{
    Aim, AuditCorpus, Closely, CorpusFiles, Gate, Other, Sought, UseOf, Words,
};
use crate::args::terms::Verb;
use crate::commands::audit::told::Told;
use crate::commands::serve::Running;
use crate::commands::{audit, gate};
use crate::failure::{Exit, Failure};
use crate::house::{House, Plan};
use crate::office::LocalOffice;
use crate::out::Out;
use crate::registry::Folder;
use crate::registry::follow::Follow;
use crate::registry::writer::Writer;

/// Calls at once.
const AT_ONCE: usize = 32;
/// Outputs of each account.
const OUTPUTS: usize = 100;
/// Documents of the corpus that a person could have written.
const HUMAN: usize = 1_900;
/// Harvested outputs in it: 5 %.
const HIDDEN: usize = 100;
/// The gateway's models: one whose terms forbid to train competitors, one whose terms allow it.
const CONFIG: &str = "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"replay\"\nkind = \"replay\"\n\
    models = [\"closed-1\", \"open-1\"]\n";
/// Which documents bind them.
const TERMS: [&str; 2] = [
    "closed-1=google/gemini-api",
    "open-1=deepseek/open-platform",
];

/// Who asks, and which model.
const ACCOUNTS: [(&str, &str); 3] = [
    ("harvester", "closed-1"),
    ("bystander", "closed-1"),
    ("builder", "open-1"),
];

/// What `--json` prints; the keys are stable (README).
#[derive(Debug, Serialize)]
struct Figures {
    outputs_registered: usize,
    documents: u64,
    hidden: usize,
    share: f64,
    lo: f64,
    hi: f64,
    hidden_share: f64,
    accounts_named: Vec<String>,
    honest_flagged: u64,
    gate_blocked: u64,
    gate_allowed: u64,
    gate_blocked_exactly: bool,
    cleaned_exit: u8,
    seconds: f64,
    report: String,
}

/// Runs the act; exit 1 when the story does not come out as it should.
pub(super) async fn run(folder: &Path, seed: u64, out: Out) -> Result<Exit, Failure> {
    let began = Instant::now();
    let files = write::Files::prepare(folder)?;
    let harvest = prose::harvest(seed, OUTPUTS, &ACCOUNTS);
    let registered = serve(&harvest, &files, out).await?;
    let mut random = Random::new(seed ^ 0xc0ff_ee00);
    let hidden = write::corpora(&files, &harvest, (HUMAN, HIDDEN), &mut random)?;
    out.say(&format!(
        "2. {HIDDEN} outputs are disguised (names and numbers exchanged, sentences cut) and hidden \
         among {HUMAN} documents"
    ));
    let (found, honest, gated) = tokio::task::spawn_blocking({
        let files = files.clone();
        move || look(&files)
    })
    .await
    .map_err(|e| Failure::error(format!("the audit died: {e}")))??;
    let share = found.share_of_documents;
    let figures = Figures {
        outputs_registered: registered,
        documents: found.documents,
        hidden: HIDDEN,
        share: share.share,
        lo: share.lo,
        hi: share.hi,
        hidden_share: share_of(HIDDEN, HUMAN + HIDDEN),
        accounts_named: found.accounts.iter().map(|a| a.account.clone()).collect(),
        honest_flagged: honest.flagged,
        gate_blocked: gated.blocked.len() as u64,
        gate_allowed: gated.allowed,
        gate_blocked_exactly: gated.blocked == hidden,
        cleaned_exit: gated.cleaned.code(),
        seconds: began.elapsed().as_secs_f64(),
        report: files.report.join("report.html").display().to_string(),
    };
    out.data(&figures)?;
    tell(&figures, out);
    Ok(if holds(&figures) {
        Exit::Clean
    } else {
        Exit::Finding
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn share_of(some: usize, all: usize) -> f64 {
    some as f64 / all as f64
}

/// Whether the story came out.
fn holds(figures: &Figures) -> bool {
    figures.lo <= figures.hidden_share
        && figures.hidden_share <= figures.hi
        && figures.accounts_named == ["harvester"]
        && figures.honest_flagged == 0
        && figures.gate_blocked_exactly
        && figures.gate_allowed > 0
        && figures.cleaned_exit == 0
}

fn tell(figures: &Figures, out: Out) {
    out.say(&format!(
        "3. the audit finds {:.2} % (between {:.2} and {:.2} %; {:.2} % were hidden) and names {}",
        figures.share * 100.0,
        figures.lo * 100.0,
        figures.hi * 100.0,
        figures.hidden_share * 100.0,
        figures.accounts_named.join(", ")
    ));
    out.say(&format!(
        "4. the honest customer's own corpus: {} documents flagged",
        figures.honest_flagged
    ));
    out.say(&format!(
        "5. the gate blocks {} rows, {} the restricted ones, and allows {} of the permissive model; \
         the cleaned corpus passes with exit {}",
        figures.gate_blocked,
        if figures.gate_blocked_exactly {
            "exactly"
        } else {
            "not exactly"
        },
        figures.gate_allowed,
        figures.cleaned_exit
    ));
    out.line(&format!("report: {}", figures.report));
    if !holds(figures) {
        out.say("the story did not come out: see the report");
    }
}

/// Every prompt through the gateway, with real keys; then the registry follows the log.
async fn serve(harvest: &[prose::Asked], files: &write::Files, out: Out) -> Result<usize, Failure> {
    let plan = Plan {
        mode: Mode::Enforced,
        ..Plan::at_rest()
    };
    let house = House::open(&files.data, plan).await?;
    let config = gateway::Config::parse(CONFIG).map_err(|e| Failure::error(e.to_string()))?;
    let recordings: Recordings = harvest
        .iter()
        .map(|asked| Recording {
            conversation: vec![("user".to_owned(), asked.prompt.clone())],
            answer: asked.answer.clone(),
        })
        .collect();
    let running = Running::start_with(&house, config, recordings).await?;
    let office = LocalOffice::of(&house);
    let mut keys: Vec<Arc<str>> = Vec::new();
    for (account, _) in ACCOUNTS {
        let new = NewAccount {
            account: account.to_owned(),
            project: format!("{account}-project"),
            organisation: format!("{account}-customer"),
            ..NewAccount::default()
        };
        office.open_account(new).await?;
        keys.push(office.create_key(account).await?.key.into());
    }
    let calls = harvest.iter().enumerate().filter_map(|(n, asked)| {
        let body = json!({
            "model": asked.model, "stream": n % 3 == 0,
            "messages": [{"role": "user", "content": asked.prompt}],
        });
        Some(Call {
            account: asked.account,
            key: Arc::clone(keys.get(asked.account)?),
            body: Bytes::from(body.to_string()),
        })
    });
    let outcomes = drive(running.gateway, calls.collect(), AT_ONCE, || {}).await;
    let served = outcomes.iter().filter(|o| o.served()).count();
    drop(office);
    running.stop().await;
    let said = crate::commands::registry::said;
    let folder = Folder::open_or_make(&files.registry).map_err(said)?;
    let writer = Writer::open(folder, &[]).map_err(said)?;
    let follow = Follow::here(Arc::clone(&house.keeper), writer).map_err(said)?;
    let registered = caught_up(follow).await;
    house.close().await;
    let registered = registered?;
    out.say(&format!(
        "1. {served} answers pass the gateway; fingerprints of {registered} are kept, no text"
    ));
    Ok(registered)
}

async fn caught_up(mut follow: Follow) -> Result<usize, Failure> {
    let read = follow.catch_up().await;
    read.map_err(|e| Failure::error(e.to_string()))?;
    let taken = follow.made().map_or(0, |made| made.taken);
    Ok(usize::try_from(taken).unwrap_or(usize::MAX))
}

/// What the gate came to.
struct Gated {
    blocked: Vec<u64>,
    allowed: u64,
    cleaned: Exit,
}

/// The audit of both corpora, and the gate with its cleaned copy.
fn look(files: &write::Files) -> Result<(Told, Told, Gated), Failure> {
    let silent = Out::silent();
    let sought = Sought {
        registry: Some(files.registry.clone()),
        answers: Vec::new(),
        account: None,
        twins: Vec::new(),
        depth: Closely::Paraphrases,
        guarantee: Words::Words23,
        other: Other::default(),
    };
    let of = |path: &PathBuf| CorpusFiles {
        paths: vec![path.clone()],
        text_field: Some("text".to_owned()),
        id_field: Some("id".to_owned()),
        paragraphs: false,
    };
    let audited = |path: &PathBuf, report: &PathBuf| {
        let what = AuditCorpus {
            files: of(path),
            sought: sought.clone(),
            human: Vec::new(),
            out: Some(report.clone()),
            resume: None,
            threads: None,
        };
        audit::told(&files.data, &what, silent)
    };
    let found = audited(&files.corpus, &files.report)?;
    let honest = audited(&files.honest, &files.report_honest)?;
    let what = |path: &PathBuf, write: Option<PathBuf>| Gate {
        files: of(path),
        sought: sought.clone(),
        uses: UseOf {
            verb: Verb::Train,
            target: Some(Aim::Competing),
            distributed: true,
            on_provider: false,
            terms: TERMS.map(str::to_owned).to_vec(),
            agreement: None,
        },
        write,
        threads: None,
    };
    let first = what(&files.mixed, Some(files.cleaned.clone()));
    let passed = gate::pass(&first.files, (&first.sought, &first.uses), None, silent)?;
    gate::write_cleaned(&first, &passed, silent)?;
    let name = files.mixed.file_name().unwrap_or_default();
    let cleaned = gate::run(&what(&files.cleaned.join(name), None), silent)?;
    let rows = passed.gated.rows.iter();
    let blocked = rows
        .filter(|row| row.verdict == gate::rule::Said::Blocked)
        .map(|row| row.place);
    Ok((
        found,
        honest,
        Gated {
            blocked: blocked.collect(),
            allowed: passed.gated.allowed,
            cleaned,
        },
    ))
}
