//! Counters in Prometheus' text format. Account ids are never labels.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use facts::{Ending, Endpoint};

/// What was decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Admitted,
    Refused,
    Malformed,
    Unavailable,
}

impl Decision {
    const ALL: [Self; 4] = [
        Self::Admitted,
        Self::Refused,
        Self::Malformed,
        Self::Unavailable,
    ];

    /// What a problem found before any judgement amounts to.
    pub(crate) fn of(problem: &wire::errors::Problem) -> Self {
        match problem.status {
            401 | 403 => Self::Refused,
            500.. => Self::Unavailable,
            _ => Self::Malformed,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Unavailable => "unavailable",
        }
    }
}

const ENDINGS: [Ending; 6] = [
    Ending::Completed,
    Ending::ClientGone,
    Ending::UpstreamError,
    Ending::UpstreamStall,
    Ending::PolicyStop,
    Ending::Interrupted,
];

/// Upper edges in microseconds.
const EDGES: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000,
];

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; 13],
    sum_us: AtomicU64,
}

impl Histogram {
    fn observe(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = EDGES
            .iter()
            .position(|edge| us <= *edge)
            .unwrap_or(EDGES.len());
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Relaxed);
        }
        self.sum_us.fetch_add(us, Relaxed);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds are printed, not reckoned with"
    )]
    fn print(&self, out: &mut String, name: &str) {
        let mut count = 0;
        let _ = writeln!(out, "# TYPE {name} histogram");
        let edges = EDGES.iter().map(|us| (*us as f64 / 1e6).to_string());
        for (bucket, edge) in self.buckets.iter().zip(edges.chain(["+Inf".to_owned()])) {
            count += bucket.load(Relaxed);
            let _ = writeln!(out, "{name}_bucket{{le=\"{edge}\"}} {count}");
        }
        let sum = self.sum_us.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "{name}_sum {sum}\n{name}_count {count}");
    }
}

/// All of the gateway's figures.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: [[AtomicU64; 4]; 5],
    endings: [AtomicU64; 6],
    decided: Histogram,
    first_token: Histogram,
    tasks: AtomicI64,
    usage_refused: AtomicU64,
}

impl Metrics {
    pub(crate) fn request(&self, endpoint: Endpoint, decision: Decision) {
        let row = Endpoint::ALL.iter().position(|e| *e == endpoint);
        let column = Decision::ALL.iter().position(|d| *d == decision);
        let row = row.and_then(|n| self.requests.get(n));
        if let Some(count) = row.zip(column).and_then(|(row, n)| row.get(n)) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn ended(&self, ending: Ending) {
        let place = ENDINGS.iter().position(|e| *e == ending);
        if let Some(count) = place.and_then(|n| self.endings.get(n)) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn decided(&self, took: Duration) {
        self.decided.observe(took);
    }

    pub(crate) fn first_token(&self, took: Duration) {
        self.first_token.observe(took);
    }

    pub(crate) fn usage_refused(&self) {
        self.usage_refused.fetch_add(1, Relaxed);
    }

    /// Tasks of connections and exchanges running now.
    pub fn tasks(&self) -> i64 {
        self.tasks.load(Relaxed)
    }

    /// The page for a scraper.
    pub fn page(&self) -> String {
        let mut out = String::with_capacity(4096);
        out.push_str("# TYPE fairhold_requests_total counter\n");
        for (endpoint, row) in Endpoint::ALL.iter().zip(&self.requests) {
            for (decision, count) in Decision::ALL.iter().zip(row) {
                let (route, word, count) = (endpoint.path(), decision.word(), count.load(Relaxed));
                let _ = writeln!(
                    out,
                    "fairhold_requests_total{{route=\"{route}\",decision=\"{word}\"}} {count}"
                );
            }
        }
        out.push_str("# TYPE fairhold_exchanges_total counter\n");
        for (ending, count) in ENDINGS.iter().zip(&self.endings) {
            let (word, count) = (ending.word(), count.load(Relaxed));
            let _ = writeln!(out, "fairhold_exchanges_total{{ending=\"{word}\"}} {count}");
        }
        self.decided
            .print(&mut out, "fairhold_decision_duration_seconds");
        self.first_token
            .print(&mut out, "fairhold_time_to_first_token_seconds");
        let _ = writeln!(
            out,
            "# TYPE fairhold_tasks gauge\nfairhold_tasks {}\n\
             # TYPE fairhold_usage_refused_total counter\nfairhold_usage_refused_total {}\n\
             # TYPE fairhold_build_info gauge\nfairhold_build_info{{version=\"{}\"}} 1",
            self.tasks(),
            self.usage_refused.load(Relaxed),
            env!("CARGO_PKG_VERSION"),
        );
        out
    }
}

/// Counts a task for as long as it lives.
#[derive(Debug)]
pub(crate) struct Running(std::sync::Arc<Metrics>);

impl Running {
    pub(crate) fn new(metrics: &std::sync::Arc<Metrics>) -> Self {
        metrics.tasks.fetch_add(1, Relaxed);
        Self(std::sync::Arc::clone(metrics))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.tasks.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
