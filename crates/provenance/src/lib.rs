//! Whose text is this?
//!
//! Answers are registered as keyed fingerprints of eight words in a row; their text is not kept.
//! A corpus is then asked, document by document, which answers it holds and how much of each.
#![forbid(unsafe_code)]

mod grams;
mod registry;

pub use grams::{FingerprintKey, GRAM};
pub use registry::{Held, Registered, Registry, Skipped};
