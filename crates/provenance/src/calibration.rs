//! How often does chance look like this?
//!
//! Ranks among measured documents, never a formula: p = (1 + as many as or more) / (n + 1).

/// The largest of so many measured values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tail {
    of: usize,
    /// Ascending.
    largest: Vec<f64>,
}

impl Tail {
    /// The most values that are kept: ranks further down are never asked.
    const KEPT: usize = 512;

    /// Of all values.
    pub fn new(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let of = all.len();
        Self {
            of,
            largest: all.split_off(of.saturating_sub(Self::KEPT)),
        }
    }

    /// Of its parts, as they were written down: how many values there were, and the largest.
    pub fn from_parts(of: usize, mut largest: Vec<f64>) -> Self {
        largest.sort_by(f64::total_cmp);
        Self {
            of: of.max(largest.len()),
            largest,
        }
    }

    /// How many values there were.
    pub fn of(&self) -> usize {
        self.of
    }

    /// The largest of them, ascending.
    pub fn largest(&self) -> &[f64] {
        &self.largest
    }

    /// The share of values that are as large, counting the asked one; 1 below all that are kept.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn p(&self, value: f64) -> f64 {
        let below = self.largest.partition_point(|one| *one < value);
        if below == 0 {
            return 1.0;
        }
        (1 + self.largest.len() - below) as f64 / (1 + self.of) as f64
    }

    /// A value that no more than the share `p` of values reaches; 0 when none was measured.
    pub fn threshold(&self, p: f64) -> f64 {
        let rarer = self.largest.partition_point(|one| self.p(*one) > p);
        let at = self.largest.get(rarer).or(self.largest.last());
        at.copied().unwrap_or(0.0)
    }
}

/// What documents that hold no output came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    /// Bits of the strongest match of each human document.
    pub unrelated: Tail,
    /// Contrasts of independent answers to an output's prompt with its control twins.
    pub independent: Tail,
    /// How near independent answers are to an output, with nothing to compare them with.
    pub alone: Tail,
}

impl Calibration {
    /// A calibration of all values measured.
    pub fn new(unrelated: Vec<f64>, independent: Vec<f64>, alone: Vec<f64>) -> Self {
        Self {
            unrelated: Tail::new(unrelated),
            independent: Tail::new(independent),
            alone: Tail::new(alone),
        }
    }

    /// The share of human documents with so many bits or more.
    pub fn p_unrelated(&self, bits: f64) -> f64 {
        self.unrelated.p(bits)
    }

    /// The share of independent answers with such a contrast or more.
    pub fn p_independent(&self, contrast: f64) -> f64 {
        self.independent.p(contrast)
    }
}

#[cfg(test)]
mod tests;
