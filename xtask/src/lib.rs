//! Chores of the tree, as a library so that they can be tested.
#![forbid(unsafe_code)]

pub mod tidy;

#[cfg(feature = "prove")]
pub mod prove;

#[cfg(feature = "train")]
pub mod judge;
#[cfg(feature = "train")]
pub mod train;
