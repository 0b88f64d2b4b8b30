//! The binary, and every parser it is built of, from outside.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops here"
)]

#[cfg(test)]
mod between;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod detect;
#[cfg(test)]
mod erase;
#[cfg(test)]
mod forgotten;
mod hostile;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod probes;
mod provenance;
#[cfg(test)]
mod registering;
#[cfg(test)]
mod sketch;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod terms;
#[cfg(test)]
mod timestamp;
mod typed;
#[cfg(test)]
mod watch;
