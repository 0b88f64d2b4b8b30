//! What does the watch take? Two gateways that record, one of them watched,
//! under the same load in turns.

use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use super::Effort;
use super::policy::Door;

/// Turns of each gateway.
const TURNS: u32 = 4;

/// Requests per second at full load, and CPU microseconds of the gateway's process per request.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WatchCost {
    /// Without the watch.
    pub(super) rps_without_watch: f64,
    /// With it.
    pub(super) rps_with_watch: f64,
    /// What it takes, as a share of the throughput without (aim: at most 0.1).
    pub(super) dropped_share: f64,
    /// The same for each pair of turns: how far noise goes.
    pub(super) dropped_share_by_turn: Vec<f64>,
    /// CPU without the watch.
    pub(super) cpu_us_without_watch: f64,
    /// CPU with it, as far as it keeps up meanwhile.
    pub(super) cpu_us_with_watch: f64,
}

/// Measures both.
pub(super) async fn cost(
    binary: &Path,
    upstream: SocketAddr,
    effort: Effort,
) -> std::io::Result<WatchCost> {
    let mut without = Door::open(binary, upstream, None, effort).await?;
    let mut with = Door::open(binary, upstream, Some("--watch"), effort).await?;
    let mut by_turn = Vec::new();
    for _ in 0..TURNS {
        let first = without.turn(effort).await?.rps;
        let second = with.turn(effort).await?.rps;
        by_turn.push(1.0 - second / first);
    }
    let (a, b) = (without.mean(|t| t.rps), with.mean(|t| t.rps));
    let cost = WatchCost {
        rps_without_watch: a,
        rps_with_watch: b,
        dropped_share: 1.0 - b / a,
        dropped_share_by_turn: by_turn,
        cpu_us_without_watch: without.mean(|t| t.cpu_us),
        cpu_us_with_watch: with.mean(|t| t.cpu_us),
    };
    without.stop().await?;
    with.stop().await?;
    Ok(cost)
}
