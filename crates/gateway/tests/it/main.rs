//! The gateway over real sockets, with a desk that remembers and upstreams that
//! do what a test tells them.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod probes;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod support;
