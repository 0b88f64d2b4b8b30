//! A process that records as fast as it can and prints what it promised, until
//! it is killed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use fairhold::sealer::Sealed;

use crate::chance::Chance;
use crate::early;
use crate::load::{Client, Hears, Open, publish_early};
use crate::mutant::{self, Mutant};
use crate::watch::Said;

/// Where the child records.
pub(crate) const FOLDER: &str = "DURABILITY_CHILD";
/// What is built into it.
pub(crate) const MUTANT: &str = "DURABILITY_MUTANT";
/// Clients at once.
const CLIENTS: u64 = 16;

/// The child's whole life.
pub(crate) fn live(folder: &Path) -> Result<(), String> {
    let hears: Hears = Arc::new(|said| {
        // A parent that is gone has no use for the line.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", line(&said));
    });
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?
        .block_on(forever(folder, hears))
}

async fn forever(folder: &Path, hears: Hears) -> Result<(), String> {
    {
        let (folder, hears) = (folder.to_path_buf(), Arc::clone(&hears));
        early::on_every_thread(Box::new(move |signed| {
            publish_early(signed, &folder, &hears);
        }));
    }
    let open = Open::at(folder, &hears, false).await?;
    open.seal_forever(&hears);
    let life = std::process::id();
    for c in 0..CLIENTS {
        let client = Client {
            journal: open.journal.clone(),
            hears: Arc::clone(&hears),
        };
        tokio::spawn(async move {
            let mut chance = Chance::of(u64::from(life) << 8 | c);
            for n in 0_u64.. {
                let name = format!("k{life}-{c}-{n}");
                let chance = Chance::of(chance.next());
                if client.clone().exchange(name, chance).await.is_err() {
                    return;
                }
            }
        });
    }
    open.close().await;
    Err("the journal stopped by itself".to_owned())
}

fn line(said: &Said) -> String {
    match said {
        Said::Recorded { seq, leaf } => format!("recorded {seq} {} .", hex::encode(leaf)),
        Said::Published(sealed) => format!(
            "published {}/{}/{} {} .",
            sealed.epoch,
            sealed.size,
            sealed.records,
            hex::encode(sealed.root)
        ),
        Said::Kept { name, bytes } => format!("kept {name} {} .", hex::encode(bytes)),
    }
}

/// What a line says; nothing of one that was cut.
fn read(line: &str) -> Option<Said> {
    let mut words = line.split(' ');
    let (kind, first, second) = (words.next()?, words.next()?, words.next()?);
    if words.next() != Some(".") {
        return None;
    }
    let bytes = hex::decode(second).ok()?;
    Some(match kind {
        "recorded" => Said::Recorded {
            seq: first.parse().ok()?,
            leaf: bytes,
        },
        "published" => {
            let mut numbers = first.split('/').map(str::parse);
            Said::Published(Sealed {
                epoch: numbers.next()?.ok()?,
                size: numbers.next()?.ok()?,
                records: numbers.next()?.ok()?,
                root: bytes.try_into().ok()?,
            })
        }
        "kept" => Said::Kept {
            name: first.to_owned(),
            bytes,
        },
        _ => return None,
    })
}

/// What a child did before it was killed.
pub(crate) struct Life {
    /// All that it promised.
    pub(crate) said: Vec<Said>,
    /// Whether it ended before it was killed: it could not go on recording.
    pub(crate) ended: bool,
}

impl Life {
    /// A child on a disk that does not fail records until it is killed.
    pub(crate) fn whole(&self) -> Result<(), String> {
        if self.ended {
            return Err("recording ended by itself".to_owned());
        }
        Ok(())
    }
}

/// Lets a child record in `folder` and kills it after `lines` promises.
pub(crate) fn killed_after(
    lines: usize,
    folder: &Path,
    mutant: Option<Mutant>,
) -> Result<Life, String> {
    let mut child = start(folder, mutant)?;
    let out = child.stdout.take().ok_or("the child has no output")?;
    let mut said = Vec::new();
    for line in BufReader::new(out).lines() {
        said.extend(line.ok().as_deref().and_then(read));
        if said.len() == lines {
            child.kill().map_err(|e| e.to_string())?;
        }
    }
    let mut why = String::new();
    if let Some(mut errors) = child.stderr.take() {
        // Words that are no text say nothing.
        errors.read_to_string(&mut why).ok();
    }
    child.wait().map_err(|e| e.to_string())?;
    if said.is_empty() {
        return Err(format!("the child did not begin: {}", why.trim()));
    }
    let ended = said.len() < lines;
    Ok(Life { said, ended })
}

fn start(folder: &Path, mutant: Option<Mutant>) -> Result<Child, String> {
    // One at a time: until it is a program of its own, a child holds every lock that another thread
    // held when it was made, also of a store that the other thread has closed since.
    static ONE: Mutex<()> = Mutex::new(());
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    Command::new(own)
        .env(FOLDER, folder)
        .env(MUTANT, mutant::name(mutant))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())
}
