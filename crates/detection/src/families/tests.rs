use super::*;
use crate::edges::{Edge, Kind};

fn p(value: f64) -> Chance {
    Chance::of(value).unwrap()
}

fn edges(value: f64) -> EdgeEvidence {
    EdgeEvidence::of(&[Edge {
        kind: Kind::Payment,
        known: true,
        statistic: 1.0,
        p: value,
        draws: 999,
        said: String::new(),
    }])
}

#[track_caller]
fn near(found: Chance, expected: f64) {
    let found = found.value();
    assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
}

#[test]
fn nothing_and_nonsense_prove_nothing() {
    assert_eq!(Families::none().joined(), p(1.0));
    for none in [0.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(Chance::of(none), None);
    }
}

#[test]
fn one_family_stands_for_itself() {
    near(Families::none().intent(p(0.03)).joined(), 0.03);
    near(Families::none().edge(&edges(0.02)).joined(), 0.02);
}

#[test]
fn families_join_by_fishers_rule_in_any_order() {
    let q: f64 = 0.05 * 0.2;
    near(
        Families::none().intent(p(0.05)).partition(p(0.2)).joined(),
        q * (1.0 - q.ln()),
    );
    let q: f64 = 0.05 * 0.2 * 0.1 * 0.5;
    let l = -q.ln();
    let expected = q * (1.0 + l + l * l / 2.0 + l * l * l / 6.0);
    let one = Families::none()
        .intent(p(0.05))
        .partition(p(0.2))
        .edge(&edges(0.1))
        .sketch(p(0.5));
    let other = Families::none()
        .sketch(p(0.5))
        .edge(&edges(0.1))
        .partition(p(0.2))
        .intent(p(0.05));
    near(one.joined(), expected);
    near(other.joined(), expected);
}

/// Uniform p-values of four families, joined, are at most alpha with chance alpha.
#[test]
fn the_level_holds() {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        p(f64::from(u32::try_from(state >> 40).unwrap() + 1) / f64::from(1 << 24))
    };
    let trials = 20_000;
    for alpha in [0.01, 0.05] {
        let below = (0..trials)
            .filter(|_| {
                let joined = Families::none()
                    .intent(uniform())
                    .partition(uniform())
                    .sketch(uniform())
                    .joined();
                joined.value() <= alpha
            })
            .count();
        let (low, high) = crate::bounds::clopper_pearson(below, trials, 0.001);
        assert!(low <= alpha && alpha <= high, "{alpha}: {low} {high}");
    }
}
