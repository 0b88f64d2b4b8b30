//! What may leave?
//!
//! Finds personal data whose form can be checked (an e-mail address, a telephone number with its
//! country code, an IBAN by its check digits, a payment card by Luhn's sum, an IP address),
//! replaces each by a pseudonym, and puts it back in an answer.
#![forbid(unsafe_code)]

mod find;
mod mask;

pub use find::{Found, Kind, find};
pub use mask::Pseudonyms;
