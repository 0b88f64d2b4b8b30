//! Does the evidence hold, whoever it comes from?
//!
//! Everything that a stranger needs in order to check what we sealed, and
//! nothing of the product: this crate leans on no other room, reads no clock
//! and no file, takes randomness from nobody, and builds for the browser.
//! What is checked are published formats: RFC 6962 trees, C2SP tiles, notes,
//! checkpoints, cosignatures, policies and proofs, DSSE envelopes.
#![forbid(unsafe_code)]

pub mod bundle;
pub mod checkpoint;
pub mod dsse;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod proof;
pub mod tile;
pub mod timestamp;
pub mod verify;
