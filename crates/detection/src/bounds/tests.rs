use super::*;

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!(
        (got - expected).abs() <= 1e-9 + expected.abs() * 1e-8,
        "{got} is not {expected}"
    );
}

#[test]
fn factorials_join_at_the_seam() {
    let sum = |n: usize| (2..=n).map(|k| real(k).ln()).sum::<f64>();
    for n in [0, 1, 2, 10, 63, 64, 65, 200, 3000] {
        near(ln_factorial(n), sum(n));
    }
}

#[test]
fn the_lady_tastes_tea() {
    // Fisher's own: all four of four cups right, 1 in 70.
    near(hypergeometric_tail(4, 4, 4, 8), 1.0 / 70.0);
    near(hypergeometric_tail(3, 4, 4, 8), 17.0 / 70.0);
    near(hypergeometric_tail(0, 4, 4, 8), 1.0);
    near(hypergeometric_tail(5, 4, 4, 8), 0.0);
}

#[test]
fn the_hypergeometric_tail_counts_divisions() {
    // Every 5-subset of 9 accounts, 4 of which carry the programme.
    for inside in 0..=4_usize {
        let mut hits = 0_u32;
        let mut all = 0_u32;
        for mask in 0_u32..1 << 9 {
            if mask.count_ones() == 5 {
                all += 1;
                hits += u32::from((mask & 0b1111).count_ones() as usize >= inside);
            }
        }
        near(
            hypergeometric_tail(inside, 4, 5, 9),
            f64::from(hits) / f64::from(all),
        );
    }
}

#[test]
fn binomial_tails_by_hand() {
    near(binomial_tail(1, 2, 0.5), 0.75);
    near(binomial_tail(3, 3, 0.1), 0.001);
    near(
        binomial_tail(2, 40, 0.05),
        1.0 - 0.95_f64.powi(40) - 40.0 * 0.05 * 0.95_f64.powi(39),
    );
    near(binomial_tail(4, 3, 0.1), 0.0);
}

#[test]
fn intervals_as_published() {
    // 0 of 20 at 95 %: the upper end is 1 - 0.025^(1/20).
    let (low, high) = clopper_pearson(0, 20, 0.05);
    near(low, 0.0);
    assert!((high - 0.168_433).abs() < 1e-5, "{high}");
    // 5 of 50: 0.0333 to 0.2181.
    let (low, high) = clopper_pearson(5, 50, 0.05);
    assert!(
        (low - 0.033_28).abs() < 1e-4 && (high - 0.218_13).abs() < 1e-4,
        "{low} {high}"
    );
}

#[test]
fn hopeless_tests_cost_nothing() {
    assert_eq!(tarone(&[0.5, 0.4, 0.3, 1e-9], 0.01), 1);
    assert_eq!(tarone(&[1e-9; 7], 0.01), 7);
    assert_eq!(tarone(&[], 0.01), 1);
}
