//! How sure may we be? Exact tails and intervals, by their definitions.

/// A count as a real number; counts here stay far below 2^52.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of accounts and prompts are far below 2^52"
)]
pub fn real(count: usize) -> f64 {
    count as f64
}

/// ln(n!), summed for small n, by Stirling's series beyond (error below 1e-10).
pub fn ln_factorial(n: usize) -> f64 {
    if n < 64 {
        (2..=n).map(|k| real(k).ln()).sum()
    } else {
        let x = real(n);
        x * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI * x).ln() + 1.0 / (12.0 * x)
            - 1.0 / (360.0 * x.powi(3))
    }
}

fn ln_choose(n: usize, k: usize) -> f64 {
    if k > n {
        f64::NEG_INFINITY
    } else {
        ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
    }
}

/// The chance that at least `inside` of `carriers` fall among `fleet` of `all` accounts when
/// every division of the accounts is equally likely (Fisher's exact test, one-sided).
pub fn hypergeometric_tail(inside: usize, carriers: usize, fleet: usize, all: usize) -> f64 {
    if inside == 0 {
        return 1.0;
    }
    let whole = ln_choose(all, fleet);
    let sum: f64 = (inside..=carriers.min(fleet))
        .filter(|k| carriers <= all && fleet <= all && fleet - k <= all - carriers)
        .map(|k| (ln_choose(carriers, k) + ln_choose(all - carriers, fleet - k) - whole).exp())
        .sum();
    sum.min(1.0)
}

/// The chance of at least `hits` of `trials` when each succeeds with chance `rate`.
pub fn binomial_tail(hits: usize, trials: usize, rate: f64) -> f64 {
    if hits == 0 || rate >= 1.0 {
        return 1.0;
    }
    if hits > trials || rate <= 0.0 {
        return 0.0;
    }
    let (yes, no) = (rate.ln(), (-rate).ln_1p());
    let sum: f64 = (hits..=trials)
        .map(|k| (ln_choose(trials, k) + real(k) * yes + real(trials - k) * no).exp())
        .sum();
    sum.min(1.0)
}

/// The exact two-sided interval for a rate of which `hits` of `trials` were seen, missing it with
/// chance at most `miss`.
///
/// # Source
/// Clopper and Pearson, Biometrika 26 (1934).
pub fn clopper_pearson(hits: usize, trials: usize, miss: f64) -> (f64, f64) {
    let half = miss / 2.0;
    let low = if hits == 0 {
        0.0
    } else {
        bisect(|rate| binomial_tail(hits, trials, rate) < half)
    };
    let high = if hits >= trials {
        1.0
    } else {
        bisect(|rate| 1.0 - binomial_tail(hits + 1, trials, rate) > half)
    };
    (low, high)
}

/// Where `below` turns from true to false on 0..1.
fn bisect(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// By how much each of many discrete tests must be corrected: the number of tests that could
/// reach `alpha` at all under their own correction.
///
/// `least` holds the smallest p-value each test could have shown. Tests that could never be
/// significant cost nothing.
///
/// # Source
/// Tarone, Biometrics 46 (1990).
pub fn tarone(least: &[f64], alpha: f64) -> usize {
    (1..=least.len().max(1))
        .find(|m| least.iter().filter(|p| **p <= alpha / real(*m)).count() <= *m)
        .unwrap_or_else(|| least.len().max(1))
}

#[cfg(test)]
mod tests;
