//! `fairhold registry writer`: writes a registry for the server that started it, and does nothing for
//! people.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Exit, Failure};
use crate::registry::apart;

/// How much lower its priority is than that of the server.
const NICER: i32 = 10;

/// Runs until the server is gone.
pub(super) fn run(registry: &Path, key: &str) -> Result<Exit, Failure> {
    let broken = |e: std::io::Error| Failure::error(format!("failed to write the registry: {e}"));
    let given = std::io::stdin().as_fd().try_clone_to_owned();
    let stream = UnixStream::from(given.map_err(broken)?);
    if stream.peer_addr().is_err() {
        return Err(Failure::error(
            "`fairhold serve` starts this by itself; there is nothing to do here",
        ));
    }
    // A service manager tells all processes to end at once; the server still has something to say.
    let _deaf = [SignalKind::terminate(), SignalKind::interrupt()]
        .map(signal)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(broken)?;
    // It is as good without them.
    let _ = rustix::process::nice(NICER);
    let _ = rustix::thread::set_name(c"registry-writer");
    apart::serve(stream, registry, key).map_err(broken)?;
    Ok(Exit::Clean)
}
