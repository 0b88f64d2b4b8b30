use super::quantile_ms;

#[test]
fn quantiles_are_nearest_rank() {
    let values: Vec<u32> = (1..=100).rev().map(|n| n * 1000).collect();
    assert!((quantile_ms(&values, 0.5) - 50.0).abs() < 1e-9);
    assert!((quantile_ms(&values, 0.99) - 99.0).abs() < 1e-9);
    assert!((quantile_ms(&values, 1.0) - 100.0).abs() < 1e-9);
    assert!((quantile_ms(&[7000], 0.01) - 7.0).abs() < 1e-9);
    assert!(quantile_ms(&[], 0.5).abs() < 1e-9);
}
