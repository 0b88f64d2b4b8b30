//! Percentiles and what is printed of them.

use serde::Serialize;

/// The `share` quantile (0 to 1) of the values in microseconds, as milliseconds;
/// the smallest value with at least that share at or below it. 0 when empty.
pub(crate) fn quantile_ms(values: &[u32], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank between 0 and the number of samples"
    )]
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize - 1;
    let picked = sorted.get(rank).or(sorted.last()).copied().unwrap_or(0);
    f64::from(picked) / 1000.0
}

/// One setting's figures; the keys are stable (README).
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figures {
    /// Requests per second straight to the mock.
    pub(crate) direct_rps: f64,
    /// Requests per second through the gateway.
    pub(crate) gateway_rps: f64,
    /// CPU microseconds of the gateway's process per plain request at saturation.
    pub(crate) cpu_us_per_request: f64,
    /// Added latency at the fixed rate, median, milliseconds.
    pub(crate) added_p50_ms: f64,
    /// Added latency at the fixed rate, 99th percentile, milliseconds.
    pub(crate) added_p99_ms: f64,
    /// Added time to the first streamed byte at a fixed rate, median, milliseconds.
    pub(crate) stream_first_byte_added_ms: f64,
    /// Resident memory of the gateway after the load, megabytes.
    pub(crate) rss_mb: f64,
    /// Streams per second straight to the mock.
    pub(crate) direct_streams_rps: f64,
    /// Streams per second through the gateway.
    pub(crate) gateway_streams_rps: f64,
    /// CPU microseconds of the gateway's process per stream at saturation.
    pub(crate) cpu_us_per_stream: f64,
    /// Answers that were not complete with status 200, over all loads.
    pub(crate) errors: u64,
}

#[cfg(test)]
mod tests;
