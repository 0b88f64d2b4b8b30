use super::*;

fn facts(background: &Background, bound: f64, z: f64) -> Facts<'_> {
    Facts {
        accounts: 30,
        customers: 30,
        of: 91,
        outside: 0,
        reference: 0,
        background,
        alpha: 0.01,
        bound,
        looks: 400,
        fixed: 20,
        prompts: 590,
        sampled: 600,
        partition: Partition {
            prompts: 590,
            z,
            repeated: 0.0,
        },
        pooled: None,
        edges: &[],
        may: &May::Observe,
    }
}

#[test]
fn the_assumption_is_said_with_the_figure() {
    let assumed = Background::Assumed { rate: 0.05 };
    let said = reasons(&facts(&assumed, 2e-9, 0.3));
    assert_eq!(said.len(), 4, "a named gathering has no excuse: {said:?}");
    assert!(
        said[3].starts_with("All that may follow: watch"),
        "{}",
        said[3]
    );
    assert!(said[0].starts_with("30 accounts send"), "{}", said[0]);
    assert!(said[1].contains("5.0 %") && said[1].contains("assumed") && said[1].contains("2e-9"));
    assert!(said[2].contains("0.3 standard deviations"), "{}", said[2]);
}

#[test]
fn the_last_reason_says_which_test_failed() {
    let assumed = Background::Assumed { rate: 0.05 };
    let last = |bound, z| reasons(&facts(&assumed, bound, z)).pop().unwrap();
    assert!(last(0.2, 0.0).contains("0.200 is above the allowed 0.010"));
    assert!(last(1e-9, 9.0).contains("public template"));
}
