use super::*;

#[test]
fn figures_are_medians_with_their_range_beside() {
    let seed = |x: f64| SeedResult {
        anytime_fpr_5pct: x,
        ..SeedResult::default()
    };
    let told = of(&[seed(0.3), seed(0.1), seed(0.2)]).unwrap();
    assert_eq!(told.get("anytime_fpr_5pct"), Some(&json!(0.2)));
    assert_eq!(told["range"]["anytime_fpr_5pct"], json!([0.1, 0.3]));
    let even = of(&[seed(0.1), seed(0.2)]).unwrap();
    assert_eq!(even.get("anytime_fpr_5pct"), Some(&json!(0.15)));
}
