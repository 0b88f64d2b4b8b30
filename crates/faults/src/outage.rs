//! Harness `outage`: the disk under the serving product is full, or reports errors.
//!
//! Every request must be refused with a 503 that says why, nothing that was
//! answered may be lost, and the product goes on: on a disk with room again by
//! itself, after an error once it was restarted.

use std::path::{Path, PathBuf};

use testbed::socket::{connect, rest};

use crate::gateway::{Served, house};
use crate::mutant::Mutant;
use crate::tally::Tally;

/// Names the file that says how the disk of a child fails: `full` or `error`.
pub(crate) const SWITCH: &str = "DURABILITY_SWITCH";

const MOCK: &str = "kind = \"mock\"\nmodels = [\"m\"]\n";

/// A client's answer.
struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    /// The number of the record that says that it was let in.
    fn seq(&self) -> Result<u64, String> {
        let value = self
            .text
            .lines()
            .find_map(|line| line.strip_prefix("x-evidence-seq:"));
        let seq = value.and_then(|value| value.trim().parse().ok());
        seq.filter(|_| self.status == 200)
            .ok_or_else(|| format!("not served: {}", self.text))
    }

    fn refused(&self) -> Result<(), String> {
        if self.status == 503 && self.text.contains("recording_unavailable") {
            Ok(())
        } else {
            Err(format!("not refused: {}", self.text))
        }
    }
}

async fn ask(served: &Served) -> Answer {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        served.key,
        body.len()
    );
    let text = rest(connect(served.gateway, request.as_bytes()).await).await;
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok());
    Answer {
        status: status.unwrap_or_default(),
        text,
    }
}

/// Requests of one outage.
const ASKED: u64 = 5;

async fn one(full: bool, mutant: Option<Mutant>) -> Result<Result<(), String>, String> {
    let house = house()?;
    let switch: PathBuf = house.folder.path().join("switch");
    let served = house.serve(MOCK, Some(&switch), mutant)?;
    let before = match ask(&served).await.seq() {
        Ok(seq) => seq,
        Err(lost) => return Ok(Err(lost)),
    };
    let how = if full { "full" } else { "error" };
    std::fs::write(&switch, how).map_err(|e| e.to_string())?;
    for _ in 0..ASKED {
        if let Err(lost) = ask(&served).await.refused() {
            return Ok(Err(format!("{how}: {lost}")));
        }
    }
    std::fs::remove_file(&switch).map_err(|e| e.to_string())?;
    let served = if full {
        served
    } else {
        // What the disk holds after an error is unknown until a start has read it.
        if let Err(lost) = ask(&served).await.refused() {
            return Ok(Err(lost));
        }
        drop(served);
        house.serve(MOCK, None, mutant)?
    };
    let after = ask(&served).await.seq();
    Ok(after.and_then(|after| {
        // The first exchange's intent and ending are there still.
        if after >= before + 2 {
            Ok(())
        } else {
            Err(format!("record {before} is lost: the next one is {after}"))
        }
    }))
}

/// Fills the disk and breaks it, in turn.
pub(crate) fn all(runs: u64, mutant: Option<Mutant>, tally: &Tally) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    for n in 0..runs {
        tally.count(n, runtime.block_on(one(n % 2 == 0, mutant))?);
    }
    Ok(())
}

/// Puts the data folder of a child that is the product on a disk with that switch.
pub(crate) fn under_switch(data: &Path) -> Result<(), String> {
    if let Some(switch) = std::env::var_os(SWITCH) {
        crate::vfs::install()?;
        crate::watch::Watch::switched(data, PathBuf::from(switch));
    }
    Ok(())
}
