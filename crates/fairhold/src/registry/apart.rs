//! The writer of a registry in a process of its own, so that fingerprints take neither the
//! gateway's processor nor its memory, and nothing that goes wrong among them reaches it.
//!
//! It is this same program (`fairhold registry writer`), started by `serve`, at a lower priority and
//! deaf to signals: they are for the gateway, and it ends when the socket to the gateway does.
//! What it is told goes over that socket (`frames.rs`), one ask and one answer at a time. It needs
//! nothing but the registry's folder: neither the store nor its keys.

mod frames;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufWriter};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::writer::{Ask, Done, Writer};
use super::{RegistryError, scribe};
use frames::{Answer, Frame, Read};

/// What of the environment it has too.
const PASSED_ON: [&str; 3] = ["LD_LIBRARY_PATH", "RUST_BACKTRACE", "RUST_LOG"];
/// How long a writer may take to answer, which steps behind everybody else; it is killed then.
const ANSWERS: Duration = Duration::from_secs(60);
/// The same where all files of an account are written anew.
const REWRITES: Duration = Duration::from_secs(1_800);
/// How long a writer that was told to end may take to do so.
const ENDS: Duration = Duration::from_secs(10);

/// Starts a writer for a registry, whose key is known by this name.
pub(crate) type Starts = fn(&Path, &str) -> io::Result<Started>;

/// A writer that was started.
pub(crate) struct Started {
    /// The way to it.
    stream: Blocking,
    /// Its process.
    child: Option<Child>,
}

/// The way to a writer in a process of its own, which ends with it.
pub(super) struct Line {
    stream: BufWriter<UnixStream>,
    child: Option<Child>,
}

impl Line {
    /// Starts a writer; says which record of the log is the next.
    pub(super) async fn open(
        starts: Starts,
        registry: &Path,
        key: &str,
    ) -> Result<(Self, u64), RegistryError> {
        let started = starts(registry, key).and_then(Self::to);
        let mut line = started.map_err(RegistryError::Start)?;
        let next = line.begin().await?;
        Ok((line, next))
    }

    fn to(started: Started) -> io::Result<Self> {
        started.stream.set_nonblocking(true)?;
        let stream = UnixStream::from_std(started.stream)?;
        Ok(Self {
            stream: BufWriter::with_capacity(64 << 10, stream),
            child: started.child,
        })
    }

    async fn begin(&mut self) -> Result<u64, RegistryError> {
        match self.answer(&Frame::opens(), ANSWERS).await? {
            Answer::Opened { next } => Ok(next),
            Answer::Failed { why } => Err(RegistryError::Told(why)),
            Answer::Done { .. } => Err(RegistryError::Apart(frames::garbled())),
        }
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<Done, RegistryError> {
        let longest = match ask {
            Ask::Passed(_) | Ask::Read(_) | Ask::Write { .. } => ANSWERS,
            Ask::TakeOut(_) | Ask::Join => REWRITES,
        };
        match self.answer(&Frame::asks(ask), longest).await? {
            Answer::Failed { why } => Err(RegistryError::Told(why)),
            answer => answer
                .done()
                .ok_or_else(|| RegistryError::Apart(frames::garbled())),
        }
    }

    async fn answer(
        &mut self,
        frame: &Frame<'_>,
        longest: Duration,
    ) -> Result<Answer, RegistryError> {
        let answer = async {
            self.send(frame).await?;
            self.receive().await
        };
        let in_time = tokio::time::timeout(longest, answer).await;
        let late = |_| Err(io::ErrorKind::TimedOut.into());
        in_time.unwrap_or_else(late).map_err(|error| {
            use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
            match error.kind() {
                BrokenPipe | ConnectionReset | UnexpectedEof => RegistryError::Lost,
                _ => RegistryError::Apart(error),
            }
        })
    }

    async fn send(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        self.stream.write_all(&frame.head()?).await?;
        for body in &frame.bodies {
            self.stream.write_all(body).await?;
        }
        self.stream.flush().await
    }

    async fn receive(&mut self) -> io::Result<Answer> {
        let stream = self.stream.get_mut();
        let length = stream.read_u32_le().await?;
        let mut head = Vec::new();
        let read = stream.take(length.into()).read_to_end(&mut head).await?;
        if read as u64 != u64::from(length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        frames::parsed(&head)
    }

    /// Lets the writer end and waits for that: it lets go of the registry before its end of the socket.
    pub(super) async fn close(mut self) {
        let ended = async {
            self.stream.shutdown().await?;
            let mut rest = [0; 64];
            while self.stream.get_mut().read(&mut rest).await? > 0 {}
            match &mut self.child {
                Some(child) => child.wait().await.map(drop),
                None => Ok(()),
            }
        };
        match tokio::time::timeout(ENDS, ended).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the registry's writer ended badly"),
            // It is killed when it is dropped.
            Err(_) => tracing::error!("the registry's writer did not end by itself"),
        }
    }
}

/// This program once more, with the other end of the socket for its input.
pub(crate) fn process(registry: &Path, key: &str) -> io::Result<Started> {
    let (ours, theirs) = Blocking::pair()?;
    let child = Command::new(program()?)
        .arg0("fairhold")
        .args(["registry", "writer", "--key", key, "--"])
        .arg(registry)
        // The KEK and keys of upstreams may be there.
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| PASSED_ON.iter().any(|n| name == n)))
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        // What is typed at the terminal is for the gateway.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    Ok(Started {
        stream: ours,
        child: Some(child),
    })
}

/// The program that runs, though its file was replaced meanwhile: both ends speak alike.
fn program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe()
}

/// The other end, for the registry whose key is known by this name: does what it is told until the
/// socket ends. What is held then is not written; it is read again by the next one.
///
/// # Errors
/// When the socket breaks, or brings what is no frame.
pub(crate) fn serve(stream: Blocking, registry: &Path, key: &str) -> io::Result<()> {
    let mut input = io::BufReader::with_capacity(64 << 10, stream.try_clone()?);
    let mut output = stream;
    // It is dropped first: whoever sees the socket end can have the registry.
    let mut writer = None;
    while let Some(read) = frames::read(&mut input)? {
        let answer = match read {
            Read::Open => opened(&mut writer, registry, key),
            Read::Ask(ask) => match &mut writer {
                Some(writer) => writer.answer(&ask).map(Answer::of),
                None => Err(RegistryError::Lost),
            },
        };
        frames::answer(&mut output, &told(answer))?;
    }
    Ok(())
}

fn opened(
    writer: &mut Option<Writer>,
    registry: &Path,
    key: &str,
) -> Result<Answer, RegistryError> {
    let opened = scribe::open(registry, key)?;
    let next = opened.folder().next()?;
    *writer = Some(opened);
    Ok(Answer::Opened { next })
}

fn told(answer: Result<Answer, RegistryError>) -> Answer {
    answer.unwrap_or_else(|error| Answer::Failed {
        why: error.to_string(),
    })
}

#[cfg(test)]
pub(crate) mod tests;
