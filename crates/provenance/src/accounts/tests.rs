use super::*;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn tails_are_those_of_the_definition() {
    // P(Binomial(10, 0.5) >= 8) = 56 / 1024.
    assert!(near(
        log10_binomial_tail(8, 10, 0.5),
        (56.0_f64 / 1024.0).log10()
    ));
    assert!(near(log10_binomial_tail(0, 10, 0.5), 0.0));
    assert!(log10_binomial_tail(500, 100_000, 0.001) < -150.0);
    // Of two fair trials, both.
    assert!(near(
        log10_first_tail(&[(0.5, true), (0.5, true)]),
        0.25_f64.log10()
    ));
    assert!(near(
        log10_first_tail(&[(0.5, true), (0.25, false)]),
        (1.0 - 0.5 * 0.75_f64).log10()
    ));
    let many = vec![(0.5, true); 2_000];
    assert!(log10_first_tail(&many) < -300.0);
}

#[test]
fn holm_and_benjamini_hochberg_agree_with_their_papers() {
    let p = [0.01_f64, 0.02, 0.03, 0.04].map(f64::log10);
    let told = |all: Vec<f64>| all.iter().map(|p| 10_f64.powf(*p)).collect::<Vec<_>>();
    let holm = told(holm(&p, 4));
    for (a, b) in holm.iter().zip([0.04, 0.06, 0.06, 0.06]) {
        assert!(near(*a, b), "{holm:?}");
    }
    let bh = told(benjamini_hochberg(&p, 4));
    for (a, b) in bh.iter().zip([0.04, 0.04, 0.04, 0.04]) {
        assert!(near(*a, b), "{bh:?}");
    }
    // Accounts that were asked and not found count too.
    assert!(near(10_f64.powf(super::holm(&p, 100)[0]), 1.0));
}

#[test]
fn the_rate_that_names_is_where_naming_ends() {
    for (documents, of, asked) in [(3, 50, 1), (469, 996_631, 20), (20, 400, 5_000)] {
        let rate = rate_that_names(documents, of, asked);
        let p = |rate| {
            let unrelated = log10_binomial_tail(documents, of, rate);
            10_f64.powf(holm(&[unrelated], asked)[0])
        };
        assert!(
            p(rate * 0.999) <= NAMED && p(rate * 1.001) > NAMED,
            "{rate}"
        );
        assert!(rate > 0.0 && rate < count(documents) / count(of));
    }
    // No rate lets one document name anybody among so many.
    assert!(rate_that_names(1, 1_000_000, 1_000_000) < 1e-12);
    assert!(near(rate_that_names(0, 10, 1), 0.0));
}
