use super::*;

#[test]
fn the_shipped_judge_is_read_and_written_alike() {
    let shipped = Calibrated::shipped().unwrap();
    assert_eq!(
        shipped.to_json().unwrap(),
        include_str!("../../model/judge.json")
    );
    assert!(shipped.measured.sensitivity.of > 500 && shipped.measured.specificity.of > 500);
    assert!(shipped.judge.calibration.unrelated.of() > 500);
    assert!(shipped.judge.calibration.independent.of() > 200);
    assert!(shipped.judge.calibration.alone.of() > 200);
    assert!(shipped.judge.unrelated_max <= 0.005 && shipped.judge.per_doubling > 0.0);
}

#[test]
fn what_is_no_judge_is_refused() {
    let good = include_str!("../../model/judge.json");
    let version = good.replace("\"version\":2", "\"version\":1");
    assert_eq!(
        Calibrated::parse(&version).unwrap_err(),
        JudgeError::Version
    );
    for bad in ["", "{}", &good.replace("\"of\"", "\"if\"")] {
        assert!(matches!(
            Calibrated::parse(bad),
            Err(JudgeError::Malformed { .. })
        ));
    }
}
