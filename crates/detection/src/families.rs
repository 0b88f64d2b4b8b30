//! How does evidence of different families add up?
//!
//! Evidence multiplies only across independent families: what is asked
//! (intent), how the work is divided (partition), what links the accounts
//! besides (edge), and known campaigns (sketch). Inside a family it never
//! does: a hundred exchanges of one programme are one fact, not a hundred.
//! [`Families`] takes at most one p-value of each, by type.
//!
//! # Source
//! Fisher 1932: for k independent p-values with product q, the chance of a
//! product as small is `q * sum over i < k of (-ln q)^i / i!`. p-values that are
//! coarser than uniform, as permutation p-values are, make it larger, never
//! smaller.

use crate::edges::EdgeEvidence;

/// A p-value: above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Chance(f64);

impl Chance {
    /// What proves nothing.
    pub const ONE: Self = Self(1.0);

    /// The chance, unless it is none: a p-value is never 0, because the least that N comparisons
    /// can show is 1/(N + 1).
    pub fn of(p: f64) -> Option<Self> {
        (p > 0.0 && p <= 1.0).then_some(Self(p))
    }

    /// The number.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// A family of which nothing was looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Open;

/// A family with its one p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Given(Chance);

mod sealed {
    pub trait Slot {
        fn chance(&self) -> Option<super::Chance>;
    }
}
use sealed::Slot;

impl Slot for Open {
    fn chance(&self) -> Option<Chance> {
        None
    }
}

impl Slot for Given {
    fn chance(&self) -> Option<Chance> {
        Some(self.0)
    }
}

/// At most one p-value of each family. Decide which families to ask before seeing their p: a
/// family left out because it disappointed makes the rest worthless.
///
/// ```
/// use detection::{Chance, Families};
/// let intent = Chance::of(0.04).unwrap();
/// let partition = Chance::of(0.05).unwrap();
/// let joined = Families::none().intent(intent).partition(partition).joined();
/// assert!((joined.value() - 0.0144).abs() < 1e-4);
/// ```
///
/// A second p-value of one family does not compile:
/// ```compile_fail,E0599
/// use detection::{Chance, Families};
/// let p = Chance::of(0.04).unwrap();
/// Families::none().intent(p).intent(p);
/// ```
///
/// Nor does one edge pass for the evidence of all of them:
/// ```compile_fail,E0308
/// use detection::{Chance, Families};
/// Families::none().edge(&Chance::of(0.04).unwrap());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Families<I, P, E, S> {
    intent: I,
    partition: P,
    edge: E,
    sketch: S,
}

impl Families<Open, Open, Open, Open> {
    /// Nothing looked at.
    pub fn none() -> Self {
        Self {
            intent: Open,
            partition: Open,
            edge: Open,
            sketch: Open,
        }
    }
}

impl<P, E, S> Families<Open, P, E, S> {
    /// With the p of what is asked.
    pub fn intent(self, p: Chance) -> Families<Given, P, E, S> {
        Families {
            intent: Given(p),
            partition: self.partition,
            edge: self.edge,
            sketch: self.sketch,
        }
    }
}

impl<I, E, S> Families<I, Open, E, S> {
    /// With the p of how the work is divided.
    pub fn partition(self, p: Chance) -> Families<I, Given, E, S> {
        Families {
            intent: self.intent,
            partition: Given(p),
            edge: self.edge,
            sketch: self.sketch,
        }
    }
}

impl<I, P, S> Families<I, P, Open, S> {
    /// With what the edges say together.
    pub fn edge(self, edges: &EdgeEvidence) -> Families<I, P, Given, S> {
        Families {
            intent: self.intent,
            partition: self.partition,
            edge: Given(edges.chance()),
            sketch: self.sketch,
        }
    }
}

impl<I, P, E> Families<I, P, E, Open> {
    /// With the p of a known campaign's sketch.
    pub fn sketch(self, p: Chance) -> Families<I, P, E, Given> {
        Families {
            intent: self.intent,
            partition: self.partition,
            edge: self.edge,
            sketch: Given(p),
        }
    }
}

impl<I: Slot, P: Slot, E: Slot, S: Slot> Families<I, P, E, S> {
    /// The chance of evidence as strong over all families given; 1 when there is none.
    pub fn joined(&self) -> Chance {
        let slots = [
            self.intent.chance(),
            self.partition.chance(),
            self.edge.chance(),
            self.sketch.chance(),
        ];
        let log: Vec<f64> = slots.iter().flatten().map(|p| -p.value().ln()).collect();
        let sum: f64 = log.iter().sum();
        let (mut term, mut series) = (1.0, 0.0);
        for family in 0..log.len() {
            series += term;
            term *= sum / crate::bounds::real(family + 1);
        }
        if log.is_empty() {
            return Chance::ONE;
        }
        Chance(((-sum).exp() * series).clamp(f64::MIN_POSITIVE, 1.0))
    }
}

#[cfg(test)]
mod tests;
