//! How often does chance look like this?
//!
//! Ranks among measured documents, never a formula: p = (1 + as many as or more) / (n + 1).

/// What documents that hold no output came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    /// Bits of human documents, ascending.
    unrelated: Vec<f64>,
    /// Contrasts of independent answers to an output's prompt, ascending.
    independent: Vec<f64>,
}

impl Calibration {
    /// A calibration of the strongest match of each human document, and of the contrasts of
    /// independent answers.
    pub fn new(mut unrelated: Vec<f64>, mut independent: Vec<f64>) -> Self {
        unrelated.sort_by(f64::total_cmp);
        independent.sort_by(f64::total_cmp);
        Self {
            unrelated,
            independent,
        }
    }

    /// How many human documents it knows.
    pub fn unrelated_documents(&self) -> usize {
        self.unrelated.len()
    }

    /// How many independent answers it knows.
    pub fn independent_answers(&self) -> usize {
        self.independent.len()
    }

    /// The share of human documents with so many bits or more.
    pub fn p_unrelated(&self, bits: f64) -> f64 {
        rank(&self.unrelated, bits)
    }

    /// The share of independent answers with such a contrast or more.
    pub fn p_independent(&self, contrast: f64) -> f64 {
        rank(&self.independent, contrast)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn rank(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|one| *one < value);
    (1 + sorted.len() - below) as f64 / (1 + sorted.len()) as f64
}

#[cfg(test)]
mod tests;
