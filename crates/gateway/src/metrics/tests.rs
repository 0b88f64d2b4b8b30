use super::*;
use std::sync::Arc;

#[test]
fn the_page_counts_what_happened() {
    let metrics = Arc::new(Metrics::default());
    metrics.request(Endpoint::Messages, Decision::Refused);
    metrics.ended(Ending::ClientGone);
    metrics.decided(Duration::from_micros(60));
    metrics.decided(Duration::from_secs(100));
    let running = Running::new(&metrics);
    let page = metrics.page();
    for line in [
        "fairhold_requests_total{route=\"/v1/messages\",decision=\"refused\"} 1",
        "fairhold_requests_total{route=\"/v1/messages\",decision=\"admitted\"} 0",
        "fairhold_exchanges_total{ending=\"client_gone\"} 1",
        "fairhold_decision_duration_seconds_bucket{le=\"0.00005\"} 0",
        "fairhold_decision_duration_seconds_bucket{le=\"0.0001\"} 1",
        "fairhold_decision_duration_seconds_bucket{le=\"+Inf\"} 2",
        "fairhold_decision_duration_seconds_count 2",
        "fairhold_tasks 1",
    ] {
        assert!(page.lines().any(|l| l == line), "{line} is not in\n{page}");
    }
    drop(running);
    assert_eq!(metrics.tasks(), 0);
}
