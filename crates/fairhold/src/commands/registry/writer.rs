//! `fairhold registry writer`: writes a registry for the server that started it, and does nothing for
//! people.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Exit, Failure};
use crate::registry::apart;

/// How much lower its priority is than that of the server.
const NICER: i32 = 10;

/// Where memory runs out, it goes before the server does.
const FIRST_TO_GO: &str = "500";

/// Waits until the server has ended.
fn gone(server: &UnixStream) -> io::Result<()> {
    let mut ended = [PollFd::new(server, PollFlags::empty())];
    while !ended[0].revents().contains(PollFlags::HUP) {
        match poll(&mut ended, None) {
            Err(Errno::INTR) | Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Runs until the server is gone.
pub(super) fn run(registry: &Path, key: &str) -> Result<Exit, Failure> {
    let broken = |e: io::Error| Failure::error(format!("failed to write the registry: {e}"));
    let given = io::stdin().as_fd().try_clone_to_owned();
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
    let _ = std::fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
    let server = stream.try_clone().map_err(broken)?;
    let (ended, first) = mpsc::channel();
    let (done, ended) = (ended.clone(), ended);
    let (registry, key) = (registry.to_path_buf(), key.to_owned());
    let works = move || done.send(apart::serve(stream, &registry, &key));
    let watches = move || ended.send(gone(&server));
    std::thread::Builder::new().spawn(works).map_err(broken)?;
    std::thread::Builder::new().spawn(watches).map_err(broken)?;
    // Without the server nothing needs to be finished: to be killed is the same to a writer, and the
    // next one can have the registry.
    first.recv().unwrap_or(Ok(())).map_err(broken)?;
    Ok(Exit::Clean)
}
