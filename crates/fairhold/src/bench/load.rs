//! The load generator: keep-alive HTTP/1.1 connections over loopback.
//!
//! It speaks just enough HTTP to time a server that answers well: one request
//! at a time per connection, answers framed by `content-length` or chunks. A
//! malformed or refused answer is counted as an error, never as a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What to send, how often, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Who answers.
    pub(crate) target: SocketAddr,
    /// The whole request: head and body.
    pub(crate) request: Arc<[u8]>,
    /// How many connections.
    pub(crate) connections: u32,
    /// For how long.
    pub(crate) lasting: Duration,
    /// Requests per second over all connections; none: as fast as answers come.
    pub(crate) rate: Option<u32>,
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Complete answers with status 200.
    pub(crate) answers: u64,
    /// Everything else: other statuses, broken answers, failed connections.
    pub(crate) errors: u64,
    /// Microseconds from the intended send time to the last byte.
    pub(crate) whole: Vec<u32>,
    /// Microseconds from the intended send time to the first byte of the body.
    pub(crate) first: Vec<u32>,
    /// Seconds that the load really lasted.
    pub(crate) seconds: f64,
}

impl Tally {
    fn take(&mut self, other: Self) {
        self.answers += other.answers;
        self.errors += other.errors;
        self.whole.extend(other.whole);
        self.first.extend(other.first);
    }

    /// Complete answers per second.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of requests is far below 2^52"
    )]
    pub(crate) fn per_second(&self) -> f64 {
        if self.seconds > 0.0 {
            self.answers as f64 / self.seconds
        } else {
            0.0
        }
    }
}

/// Sends the load and waits for its end. Bounded by `load.lasting` plus ten seconds.
pub(crate) async fn drive(load: &Load) -> Tally {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for n in 0..load.connections {
        running.spawn(one_connection(load.clone(), n, began));
    }
    let mut tally = Tally::default();
    while let Some(done) = running.join_next().await {
        match done {
            Ok(part) => tally.take(part),
            Err(_) => tally.errors += 1,
        }
    }
    tally.seconds = began.elapsed().as_secs_f64();
    tally
}

/// When connection `n` is to send its `k`-th request.
fn intended(load: &Load, n: u32, k: u32, began: Instant) -> Option<Instant> {
    let rate = load.rate?;
    let place = f64::from(k) * f64::from(load.connections) + f64::from(n);
    Some(began + Duration::from_secs_f64(place / f64::from(rate)))
}

async fn one_connection(load: Load, n: u32, began: Instant) -> Tally {
    let mut tally = Tally::default();
    let mut wire: Option<TcpStream> = None;
    let mut buffer = Vec::with_capacity(64 * 1024);
    for k in 0.. {
        let due = intended(&load, n, k, began).unwrap_or_else(Instant::now);
        if due.duration_since(began) >= load.lasting {
            break;
        }
        tokio::time::sleep_until(due.into()).await;
        let stream = match wire.take() {
            Some(stream) => Ok(stream),
            None => connect(load.target).await,
        };
        let Ok(mut stream) = stream else {
            tally.errors += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let answer = tokio::time::timeout(
            Duration::from_secs(10),
            exchange(&mut stream, &load.request, &mut buffer),
        );
        match answer.await {
            Ok(Ok(Answer { status: 200, first })) => {
                tally.answers += 1;
                tally.whole.push(micros(due, Instant::now()));
                tally.first.push(micros(due, first));
                wire = Some(stream);
            }
            _ => tally.errors += 1,
        }
    }
    tally
}

async fn connect(target: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn micros(from: Instant, to: Instant) -> u32 {
    u32::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u32::MAX)
}

struct Answer {
    status: u16,
    first: Instant,
}

async fn exchange(
    stream: &mut TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> std::io::Result<Answer> {
    stream.write_all(request).await?;
    buffer.clear();
    let mut first = None;
    loop {
        let head = Head::read(buffer);
        if let Some(head) = &head {
            if first.is_none() && buffer.len() > head.ends {
                first = Some(Instant::now());
            }
            if head.is_whole(buffer) {
                let first = first.unwrap_or_else(Instant::now);
                return Ok(Answer {
                    status: head.status,
                    first,
                });
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// How an answer is framed.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Where the body starts.
    ends: usize,
    /// Bytes of the body; none: chunked.
    length: Option<usize>,
}

impl Head {
    /// Reads the head once all of it has arrived.
    fn read(bytes: &[u8]) -> Option<Self> {
        let ends = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let text = std::str::from_utf8(bytes.get(..ends)?).ok()?;
        let mut lines = text.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let length = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok());
        Some(Self {
            status,
            ends,
            length,
        })
    }

    fn is_whole(&self, bytes: &[u8]) -> bool {
        match self.length {
            Some(length) => bytes.len() >= self.ends + length,
            None => bytes
                .get(self.ends..)
                .is_some_and(|body| body.ends_with(b"0\r\n\r\n")),
        }
    }
}

#[cfg(test)]
mod tests;
