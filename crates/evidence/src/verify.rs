//! Checking a bundle offline: `verifier::verify`, beside the writer so that
//! both are tested together.

pub use verifier::verify::{
    Disclosed, Finding, Opened, Part, Report, Trust, Verdict, open, verify,
};

#[cfg(test)]
mod tests;
