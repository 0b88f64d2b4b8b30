//! What do the terms add? Two gateways that record, one asking documents of
//! terms on every exchange, under the same load in turns.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::load::drive;
use super::process::Server;
use super::{Effort, Scratch, load, per_answer, target};

/// Turns of each gateway.
const TURNS: u32 = 4;
/// A process that takes less CPU than [`IDLE_US`] in such a time rests: what follows the log takes
/// several times as much while it is behind.
const REST: Duration = Duration::from_secs(3);
/// Kernels count CPU in hundredths of a second.
const IDLE_US: u64 = 30_000;
/// Three minutes.
const RESTS_MAX: u32 = 60;

/// CPU microseconds of the gateway's process per plain request.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PolicyCost {
    /// Without terms.
    pub(super) cpu_us_without_terms: f64,
    /// With three documents, some 20 policies.
    pub(super) cpu_us_with_terms: f64,
    /// What terms add, as a share of the cost without (aim: at most 0.05).
    pub(super) added_share: f64,
    /// The added share of each pair of turns: how far noise goes.
    pub(super) added_share_by_turn: Vec<f64>,
}

/// Measures both.
pub(super) async fn cost(
    binary: &Path,
    upstream: SocketAddr,
    effort: Effort,
) -> std::io::Result<PolicyCost> {
    let mut without = Door::open(binary, upstream, None, effort).await?;
    let mut with = Door::open(binary, upstream, Some("--terms"), effort).await?;
    let mut by_turn = Vec::new();
    for _ in 0..TURNS {
        let first = without.turn(effort).await?.cpu_us;
        let second = with.turn(effort).await?.cpu_us;
        by_turn.push(second / first - 1.0);
    }
    let (a, b) = (without.mean(|t| t.cpu_us), with.mean(|t| t.cpu_us));
    without.stop().await?;
    with.stop().await?;
    Ok(PolicyCost {
        cpu_us_without_terms: a,
        cpu_us_with_terms: b,
        added_share: b / a - 1.0,
        added_share_by_turn: by_turn,
    })
}

/// One turn of a gateway under load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// CPU microseconds of its process per request.
    pub(super) cpu_us: f64,
    /// Requests per second.
    pub(super) rps: f64,
    /// Requests.
    pub(super) answers: u64,
}

/// A gateway that records, with or without something more.
pub(super) struct Door {
    server: Server,
    target: super::Target,
    turns: Vec<Turn>,
    folder: Scratch,
}

impl Door {
    /// Opens one and warms it; `more` is a flag of `bench door`.
    pub(super) async fn open(
        binary: &Path,
        upstream: SocketAddr,
        more: Option<&'static str>,
        effort: Effort,
    ) -> std::io::Result<Self> {
        let folder = Scratch::new()?;
        let (upstream, path) = (upstream.to_string(), folder.0.display().to_string());
        let mut args = vec!["bench", "door", "--upstream", &upstream, "--record", &path];
        args.extend(more);
        let server = Server::start(binary, &args).await?;
        let target = target(&server.greeting).map_err(|e| std::io::Error::other(e.message))?;
        let mut door = Self {
            server,
            target,
            turns: Vec::new(),
            folder,
        };
        // Connections and caches are warm before anything counts.
        door.turn(effort).await?;
        door.turns.clear();
        Ok(door)
    }

    /// Lets it work for a while.
    pub(super) async fn turn(&mut self, effort: Effort) -> std::io::Result<Turn> {
        let before = self.server.cpu_us()?;
        let tally = drive(&load(&self.target, effort, false, None)).await;
        let turn = Turn {
            cpu_us: per_answer(self.server.cpu_us()? - before, &tally),
            rps: tally.per_second(),
            answers: tally.answers,
        };
        if tally.errors > 0 {
            return Err(std::io::Error::other("an answer was not complete"));
        }
        self.turns.push(turn);
        Ok(turn)
    }

    /// Lets it work at the fixed rate and then until it rests: what it does later counts too.
    pub(super) async fn turn_to_rest(&mut self, effort: Effort) -> std::io::Result<Turn> {
        let before = self.server.cpu_us()?;
        let tally = drive(&load(&self.target, effort, false, Some(super::FIXED_RATE))).await;
        self.rest().await?;
        let turn = Turn {
            cpu_us: per_answer(self.server.cpu_us()? - before, &tally),
            rps: tally.per_second(),
            answers: tally.answers,
        };
        if tally.errors > 0 {
            return Err(std::io::Error::other("an answer was not complete"));
        }
        self.turns.push(turn);
        Ok(turn)
    }

    /// Waits until it and what it has started do nothing for a while.
    pub(super) async fn rest(&self) -> std::io::Result<()> {
        let worked = || -> std::io::Result<u64> {
            let child = self.child_cpu_us()?.map_or(0, |(_, cpu_us)| cpu_us);
            Ok(self.server.cpu_us()? + child)
        };
        for _ in 0..RESTS_MAX {
            let before = worked()?;
            tokio::time::sleep(REST).await;
            if worked()?.saturating_sub(before) <= IDLE_US {
                return Ok(());
            }
        }
        Err(std::io::Error::other(
            "the gateway's process did not come to rest within three minutes",
        ))
    }

    /// The mean of a figure over its turns.
    pub(super) fn mean(&self, of: impl Fn(&Turn) -> f64) -> f64 {
        let turns = u32::try_from(self.turns.len().max(1)).unwrap_or(u32::MAX);
        self.turns.iter().map(of).sum::<f64>() / f64::from(turns)
    }

    /// CPU microseconds of its process so far.
    pub(super) fn cpu_us(&self) -> std::io::Result<u64> {
        self.server.cpu_us()
    }

    /// The same of the one process that it has started, if there is one: it and what it took.
    pub(super) fn child_cpu_us(&self) -> std::io::Result<Option<(u32, u64)>> {
        Ok(self.server.children_cpu_us()?.pop_first())
    }

    /// Requests of all its turns.
    pub(super) fn answers(&self) -> u64 {
        self.turns.iter().map(|turn| turn.answers).sum()
    }

    /// Its data folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// Stops it.
    pub(super) async fn stop(self) -> std::io::Result<()> {
        self.server.stop().await
    }
}
