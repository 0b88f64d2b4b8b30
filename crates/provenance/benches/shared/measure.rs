//! What both benchmarks measure with, and the project's own pages as text.

use std::time::Instant;

/// The pages.
pub(crate) const PAGES: &str = concat!(
    include_str!("../../../../README.md"),
    include_str!("../../../../ARCHITECTURE.md"),
    include_str!("../../../../docs/normaliser.md"),
    include_str!("../../../../docs/decisions/0015-grams-under-a-key.md"),
);

/// Seconds this thread ran, or where the system does not tell, seconds that went by.
pub(crate) fn now(began: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = told.and_then(|t| t.split_whitespace().next()?.parse::<f64>().ok());
    ran.map_or_else(|| began.elapsed().as_secs_f64(), |ns| ns / 1e9)
}
