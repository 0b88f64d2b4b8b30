//! How much of a corpus is derived from registered outputs?
//!
//! A scanner misses some and flags some in vain, at rates that were measured on so many documents.
//! Rogan and Gladen (1978) correct the share for both; the interval of Lang and Reiczigel (2014)
//! also carries that the rates are measured, not known.

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Those it happened to.
    pub hits: u64,
    /// All.
    pub of: u64,
}

impl Rate {
    /// Their share; of nothing, 0.
    pub fn value(self) -> f64 {
        ratio(self.hits, self.of)
    }

    /// Wilson's interval at 95 %.
    pub fn interval(self) -> (f64, f64) {
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let (n, p, z2) = (real(self.of), self.value(), Z * Z);
        let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }

    /// The least of which none must be hit for the interval to end at such a rate.
    pub fn least_without(rate: f64) -> f64 {
        (Z * Z * (1.0 / rate - 1.0)).ceil().max(0.0)
    }
}

/// How well a scanner was measured to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Derived documents that were flagged.
    pub sensitivity: Rate,
    /// Other documents that were not.
    pub specificity: Rate,
}

/// A share of a corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// As flagged.
    pub flagged: f64,
    /// Corrected for what is missed and what is flagged in vain.
    pub share: f64,
    /// The interval of 95 %.
    pub lo: f64,
    /// Its upper end.
    pub hi: f64,
}

/// The shares of a corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Of its documents.
    pub documents: Share,
    /// Of its bytes.
    pub bytes: Share,
    /// Of its tokens.
    pub tokens: Share,
}

/// Sums over documents, each of some weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Weighed {
    flagged: u128,
    all: u128,
    flagged_squares: u128,
    squares: u128,
}

impl Weighed {
    fn add(&mut self, weight: u64, flagged: bool) {
        let weight = u128::from(weight);
        self.all += weight;
        self.squares += weight * weight;
        if flagged {
            self.flagged += weight;
            self.flagged_squares += weight * weight;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.flagged += other.flagged;
        self.all += other.all;
        self.flagged_squares += other.flagged_squares;
        self.squares += other.squares;
    }

    /// The share and the number of equal documents that would leave as much to chance.
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of sizes: ratios are wanted"
    )]
    fn apparent(&self) -> (f64, f64) {
        if self.all == 0 {
            return (0.0, 0.0);
        }
        let all = self.all as f64;
        let p = self.flagged as f64 / all;
        let kish = all * all / self.squares as f64;
        // The variance of a ratio: the squares of w (f - p), over the sum of all weights squared.
        let unflagged = self.squares as f64 - self.flagged_squares as f64;
        let variance =
            ((1.0 - p).powi(2) * self.flagged_squares as f64 + p * p * unflagged) / (all * all);
        let n = if variance > 0.0 {
            (p * (1.0 - p) / variance).min(kish)
        } else {
            kish
        };
        (p, n)
    }
}

/// What was flagged of a corpus so far. Sums: they add up in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CorpusTally {
    documents: Weighed,
    bytes: Weighed,
    tokens: Weighed,
}

impl CorpusTally {
    /// Counts a document.
    pub fn add(&mut self, bytes: u64, tokens: u64, flagged: bool) {
        self.documents.add(1, flagged);
        self.bytes.add(bytes, flagged);
        self.tokens.add(tokens, flagged);
    }

    /// Counts what another tally counted.
    pub fn merge(&mut self, other: &Self) {
        self.documents.merge(&other.documents);
        self.bytes.merge(&other.bytes);
        self.tokens.merge(&other.tokens);
    }

    /// Its sums, for whoever keeps it: documents, bytes, tokens, each flagged, all, and the same
    /// of squares. [`Self::of_sums`] is the way back.
    pub fn sums(&self) -> [[u128; 4]; 3] {
        [self.documents, self.bytes, self.tokens]
            .map(|of| [of.flagged, of.all, of.flagged_squares, of.squares])
    }

    /// A tally of kept sums.
    pub fn of_sums(sums: [[u128; 4]; 3]) -> Self {
        let [documents, bytes, tokens] =
            sums.map(|[flagged, all, flagged_squares, squares]| Weighed {
                flagged,
                all,
                flagged_squares,
                squares,
            });
        Self {
            documents,
            bytes,
            tokens,
        }
    }

    /// How many documents were counted.
    pub fn documents(&self) -> u64 {
        u64::try_from(self.documents.all).unwrap_or(u64::MAX)
    }

    /// How many of them were flagged.
    pub fn flagged(&self) -> u64 {
        u64::try_from(self.documents.flagged).unwrap_or(u64::MAX)
    }

    /// The shares, corrected for how well the scanner was measured to tell.
    pub fn shares(&self, measured: &Measured) -> Shares {
        let share = |of: &Weighed| {
            let (p, n) = of.apparent();
            prevalence(p, n, measured)
        };
        Shares {
            documents: share(&self.documents),
            bytes: share(&self.bytes),
            tokens: share(&self.tokens),
        }
    }
}

/// The normal quantile of 97.5 %.
const Z: f64 = 1.959_963_984_540_054;

/// Rogan-Gladen with the interval of Lang and Reiczigel (Prev. Vet. Med. 113, 2014, section 2).
fn prevalence(p: f64, n: f64, measured: &Measured) -> Share {
    let youden = measured.sensitivity.value() + measured.specificity.value() - 1.0;
    if n <= 0.0 || youden <= 0.0 {
        return Share {
            flagged: p,
            share: p,
            lo: 0.0,
            hi: 1.0,
        };
    }
    let point = (p + measured.specificity.value() - 1.0) / youden;
    let z2 = Z * Z;
    let n_adjusted = n + z2;
    let p_adjusted = (n * p + z2 / 2.0) / n_adjusted;
    let adjusted = |rate: Rate| {
        let of = real(rate.of) + 2.0;
        let value = (real(rate.hits) + 1.0) / of;
        (value, value * (1.0 - value) / of)
    };
    let (sensitivity, missed_variance) = adjusted(measured.sensitivity);
    let (specificity, vain_variance) = adjusted(measured.specificity);
    let middle = (p_adjusted + specificity - 1.0) / (sensitivity + specificity - 1.0);
    let shift = 2.0 * z2 * (middle * missed_variance - (1.0 - middle) * vain_variance);
    let variance = p_adjusted * (1.0 - p_adjusted) / n_adjusted
        + middle * middle * missed_variance
        + (1.0 - middle) * (1.0 - middle) * vain_variance;
    let half = Z * variance.sqrt() / (sensitivity + specificity - 1.0).abs();
    Share {
        flagged: p,
        share: point.clamp(0.0, 1.0),
        lo: (middle + shift - half).clamp(0.0, 1.0),
        hi: (middle + shift + half).clamp(0.0, 1.0),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn real(n: u64) -> f64 {
    n as f64
}

fn ratio(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { real(a) / real(b) }
}

#[cfg(test)]
mod tests;
