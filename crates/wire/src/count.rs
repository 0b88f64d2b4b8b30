//! A whole number as JSON writers give it: `32768`, `32768.0`, never negative.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A count that fits the limit `MAX`.
///
/// Real clients send `32768.0` (the recordings do), so a whole float is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count<const MAX: u64>(pub(crate) u64);

impl<'de, const MAX: u64> Deserialize<'de> for Count<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor::<MAX>)
    }
}

struct CountVisitor<const MAX: u64>;

impl<const MAX: u64> Visitor<'_> for CountVisitor<MAX> {
    type Value = Count<MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 0 to {MAX}")
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Self::Value, E> {
        if n <= MAX {
            Ok(Count(n))
        } else {
            Err(E::invalid_value(de::Unexpected::Unsigned(n), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Self::Value, E> {
        match u64::try_from(n) {
            Ok(n) => self.visit_u64(n),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(n), &self)),
        }
    }

    fn visit_f64<E: de::Error>(self, n: f64) -> Result<Self::Value, E> {
        // Above 2^53 a float no longer holds every whole number.
        let whole = n.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&n);
        if !whole {
            return Err(E::invalid_value(de::Unexpected::Float(n), &self));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and within 0..=2^53, checked above"
        )]
        self.visit_u64(n as u64)
    }
}
