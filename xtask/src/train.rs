//! `cargo train [DIR]`: makes the shipped detector from recorded traffic.
//!
//! The same folder and seed give the same file to the byte. It holds numbers,
//! names of sources and digests; no text.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use detection::{Detector, Manifest, SourceFacts};
use sha2::{Digest as _, Sha256};
use simulation::benchmark::{Pool, Recipe, whole};

const SEED: u64 = 1;
const POPULATION: &str = "public applications, evaluations and conversations, as recorded or as released with their \
    templates (English and Chinese); not the customers of any provider";

/// Trains and writes the file; with `check`, only compares what is committed with what comes out.
pub fn run(check: bool, dir: Option<String>, root: &Path) -> ExitCode {
    let dir = dir.map_or_else(
        || {
            let data = std::env::var_os("FAIRHOLD_DATA");
            let data = data.map_or_else(|| root.join("../shared/data"), PathBuf::from);
            data.join("traffic")
        },
        PathBuf::from,
    );
    match train(
        check,
        &dir,
        &root.join("crates/detection/model/detector.json"),
    ) {
        Ok(line) => {
            let _ = writeln!(std::io::stdout().lock(), "{line}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr().lock(), "failed to train: {why}");
            ExitCode::from(1)
        }
    }
}

fn train(check: bool, dir: &Path, to: &Path) -> Result<String, String> {
    let text = detector(dir)?.to_text().map_err(|e| e.to_string())?;
    if check {
        let committed =
            std::fs::read_to_string(to).map_err(|e| format!("{}: {e}", to.display()))?;
        return if committed == text {
            Ok(format!(
                "{} is what {} gives, to the byte",
                to.display(),
                dir.display()
            ))
        } else {
            Err(format!(
                "{} is not what comes out: run `cargo train` and commit it",
                to.display()
            ))
        };
    }
    std::fs::write(to, &text).map_err(|e| format!("{}: {e}", to.display()))?;
    Ok(format!("{} bytes to {}", text.len(), to.display()))
}

/// The detector of a folder of recorded traffic.
///
/// # Errors
/// What is wrong with the folder.
pub fn detector(dir: &Path) -> Result<Detector, String> {
    let pool = Pool::read(dir, |_| ()).map_err(|e| e.to_string())?;
    let made = whole(&pool, SEED, Recipe::default());
    let sources = pool.sources.iter().map(|source| {
        let path = dir.join(format!("{}.jsonl.zst", source.name));
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let digest = Sha256::digest(&bytes);
        Ok(SourceFacts {
            source: source.name.clone(),
            harvest: source.harvest,
            exchanges: source.items.len(),
            sha256: hex::encode(digest),
        })
    });
    Ok(Detector {
        head: made.head,
        calibration: made.calibration,
        manifest: Manifest {
            seed: SEED,
            population: POPULATION.to_owned(),
            sources: sources.collect::<Result<_, String>>()?,
        },
    })
}
