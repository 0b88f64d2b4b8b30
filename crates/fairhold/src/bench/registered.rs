//! What do fingerprints of outputs add? Two gateways that record, one of them registering what
//! passes, under the same load in turns.
//!
//! The registry's writer is a process of its own: what the gateway does for it is told beside what it
//! does itself. It works beside the exchanges and later, when there are many: a turn ends when the
//! gateway rests, and the whole from the first turn on ends when what was held is written, so that all of
//! its work counts. Answers are as long as answers are.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::policy::Door;
use super::process::Server;
use super::{Effort, target};
use crate::registry::Folder;
use crate::registry::follow::WAIT;

/// Turns of each gateway, in pairs: what wanders more slowly than a pair lasts does not count.
const TURNS: u32 = 8;
/// Student's t of seven degrees of freedom, at 97.5 %.
const T_975: f64 = 2.365;
/// Words of an answer of the mock: no two of its answers are taken for a short one.
const WORDS: &str = "250";

/// CPU microseconds of the gateway's process per plain request, the work that follows included.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RegistryCost {
    /// Without the registry.
    pub(super) cpu_us_without_registry: f64,
    /// With it.
    pub(super) cpu_us_per_request: f64,
    /// What it adds, in per cent of the cost without (aim: at most 3).
    pub(super) added_cpu_pct: f64,
    /// What the registry's writer takes, in a process of its own that steps behind the gateway.
    pub(super) writer_cpu_us_per_request: f64,
    /// What both add, in per cent of the cost without.
    pub(super) added_cpu_pct_with_writer: f64,
    /// The same for each pair of turns.
    pub(super) added_cpu_pct_by_turn: Vec<f64>,
    /// Their mean with its interval at 95 %: how far noise goes.
    pub(super) added_cpu_pct_between: [f64; 3],
    /// Requests a second of a turn.
    pub(super) requests_a_second: u32,
    /// Outputs that were registered and written, those of warming among them: 0 says that nothing was
    /// measured.
    pub(super) outputs_written: usize,
    /// Words of every answer.
    pub(super) words: u32,
}

/// Measures both.
pub(super) async fn cost(binary: &Path, effort: Effort) -> std::io::Result<RegistryCost> {
    let mock = Server::start(binary, &["bench", "mock", "--words", WORDS]).await?;
    let upstream = target(&mock.greeting).map_err(|e| std::io::Error::other(e.message))?;
    let short = Effort {
        lasting: effort.lasting.min(Duration::from_secs(1)),
        ..effort
    };
    let mut without = Door::open(binary, upstream.at, None, short).await?;
    let mut with = Door::open(binary, upstream.at, Some("--registry"), short).await?;
    // What warming left to do is done before anything counts.
    without.rest().await?;
    with.rest().await?;
    let began = (without.cpu_us()?, with.cpu_us()?, with.child_cpu_us()?);
    let mut by_turn = Vec::new();
    for turn in 0..TURNS {
        let (a, b) = if turn % 2 == 0 {
            let a = without.turn_to_rest(effort).await?.cpu_us;
            (a, with.turn_to_rest(effort).await?.cpu_us)
        } else {
            let b = with.turn_to_rest(effort).await?.cpu_us;
            (without.turn_to_rest(effort).await?.cpu_us, b)
        };
        by_turn.push((b / a - 1.0) * 100.0);
    }
    // What is held is written by then.
    tokio::time::sleep(WAIT + Duration::from_secs(2)).await;
    without.rest().await?;
    with.rest().await?;
    let a = per_request(without.cpu_us()? - began.0, without.answers());
    let b = per_request(with.cpu_us()? - began.1, with.answers());
    let writer = match (began.2, with.child_cpu_us()?) {
        (Some((first, before)), Some((last, cpu_us))) if first == last => cpu_us - before,
        _ => {
            let ended = "the registry's writer ended while it was measured: measure again";
            return Err(std::io::Error::other(ended));
        }
    };
    let writer = per_request(writer, with.answers());
    let registry = Folder::open(&with.folder().join("registry"));
    let segments = registry.and_then(|registry| registry.segments());
    let segments = segments.map_err(|e| std::io::Error::other(e.to_string()))?;
    let outputs_written = segments.iter().map(|segment| segment.outputs().len()).sum();
    without.stop().await?;
    with.stop().await?;
    mock.stop().await?;
    Ok(RegistryCost {
        cpu_us_without_registry: a,
        cpu_us_per_request: b,
        added_cpu_pct: (b / a - 1.0) * 100.0,
        writer_cpu_us_per_request: writer,
        added_cpu_pct_with_writer: ((b + writer) / a - 1.0) * 100.0,
        added_cpu_pct_between: between(&by_turn),
        added_cpu_pct_by_turn: by_turn,
        requests_a_second: super::FIXED_RATE,
        outputs_written,
        words: WORDS.parse().unwrap_or(0),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and microseconds far below 2^52"
)]
fn per_request(cpu_us: u64, answers: u64) -> f64 {
    cpu_us as f64 / answers.max(1) as f64
}

/// The low end, the mean and the high end.
#[expect(clippy::cast_precision_loss, reason = "a count of turns")]
fn between(turns: &[f64]) -> [f64; 3] {
    let n = turns.len().max(2) as f64;
    let mean = turns.iter().sum::<f64>() / n;
    let spread = turns.iter().map(|turn| (turn - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = T_975 * (spread / n).sqrt();
    [mean - half, mean, mean + half]
}
