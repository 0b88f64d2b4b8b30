//! What a match must come to, until the benchmark's own calibration is at hand.
//!
//! A cut in bits, on the careful side: at 60 bits a document shares some 60 rare words in their order
//! with an output, or several hundred rewritten ones. The rates by which the share of a corpus is
//! corrected are assumed, not measured: they widen the interval.

use provenance::{Calibration, Fusion, Judge, Measured, Rate};

/// Bits that no human document is taken to reach.
const CUT: f64 = 60.0;
/// How much nearer a document must be to an output than to every independent answer, in bits of the
/// ordered channels by the square root of words: one independent answer in 200 reaches 11.3 in the
/// audit benchmark.
const CONTRAST: f64 = 12.0;
/// What a report says of the rates.
pub(super) const RATES: &str = "the rates of misses and of false findings are assumed (1 % and \
    0.2 %), not measured on text like this corpus";
/// Documents that stand behind each cut.
const DOCUMENTS: usize = 999;

pub(super) fn judge() -> Judge {
    Judge {
        fusion: Fusion::STANDARD,
        calibration: Calibration::new(vec![CUT; DOCUMENTS], vec![CONTRAST; DOCUMENTS]),
        unrelated_max: 0.002,
        independent_max: 0.01,
    }
}

pub(super) fn measured() -> Measured {
    Measured {
        sensitivity: Rate {
            hits: 990,
            of: 1_000,
        },
        specificity: Rate {
            hits: 998,
            of: 1_000,
        },
    }
}
