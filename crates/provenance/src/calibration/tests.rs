use super::*;

#[test]
fn p_is_a_rank() {
    let known = Calibration::new((0..99).map(f64::from).collect(), vec![], vec![]);
    assert!((known.p_unrelated(98.0) - 0.02).abs() < 1e-12);
    assert!((known.p_unrelated(98.5) - 0.01).abs() < 1e-12);
    assert!((known.p_unrelated(0.0) - 1.0).abs() < 1e-12);
    // Who was never measured is never accused.
    assert!((known.p_independent(1e9) - 1.0).abs() < 1e-12);
}
