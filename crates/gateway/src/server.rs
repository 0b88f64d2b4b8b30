//! The listener: connections, their bounds, and an orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use facts::Timestamp;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::config::{Config, ConfigError};
use crate::desk::Desk;
use crate::metrics::{Metrics, Running};
use crate::owners::Owners;
use crate::reply::Reply;
use crate::route;
use crate::tally::Counter;
use crate::upstream::{Recordings, Upstreams};

/// Serves paths below `/fairhold/` that the gateway itself does not know, such
/// as a customer's own case.
pub type Further = Arc<
    dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Reply>> + Send>>
        + Send
        + Sync,
>;

/// Who is at the other end of a connection: among the extensions of each request that goes to
/// [`Further`] routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Everything that a server needs beside its configuration.
pub struct Setup<D> {
    /// Who decides and records.
    pub desk: Arc<D>,
    /// Reads the clock.
    pub clock: fn() -> Timestamp,
    /// Answers for `replay` upstreams.
    pub recordings: Recordings,
    /// Further routes, if any.
    pub further: Option<Further>,
    /// A random number: makes exchange ids of this process differ from all others'.
    pub seed: u64,
}

impl<D> std::fmt::Debug for Setup<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}

/// How long exchanges that were cut at the end may take to be recorded.
const RECORDING: Duration = Duration::from_secs(10);

/// What all connections share.
pub(crate) struct Shared<D> {
    pub(crate) config: Config,
    pub(crate) desk: Arc<D>,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) upstreams: Upstreams,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) exchanges: Arc<Semaphore>,
    pub(crate) further: Option<Further>,
    pub(crate) owners: Owners,
    pub(crate) counter: Counter,
    seed: u64,
    count: AtomicU64,
}

impl<D> Shared<D> {
    /// A name for the next exchange: unique in this process by its count, among
    /// processes by their seed.
    pub(crate) fn next_id(&self) -> String {
        format!("x{:016x}-{:x}", self.seed, self.count.fetch_add(1, Relaxed))
    }
}

/// A server that listens but does not accept connections before it is run.
pub struct Server<D> {
    listener: TcpListener,
    shared: Arc<Shared<D>>,
}

impl<D> std::fmt::Debug for Server<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

impl<D: Desk> Server<D> {
    /// Checks the configuration, prepares the upstreams and listens.
    ///
    /// # Errors
    /// [`ConfigError`] saying what to change, also when the address is taken.
    #[expect(clippy::unused_async, reason = "sockets need a runtime: this says so")]
    pub async fn bind(config: Config, setup: Setup<D>) -> Result<Self, ConfigError> {
        config.check()?;
        let upstreams = Upstreams::new(&config, &setup.recordings)?;
        let listener = listen(config.listen).map_err(|e| {
            ConfigError(format!(
                "cannot listen on {}: {e}; choose another `listen`",
                config.listen
            ))
        })?;
        let shared = Shared {
            exchanges: Arc::new(Semaphore::new(config.limits.exchanges)),
            config,
            desk: setup.desk,
            clock: setup.clock,
            upstreams,
            metrics: Arc::new(Metrics::default()),
            further: setup.further,
            owners: Owners::default(),
            counter: Counter::default(),
            seed: setup.seed,
            count: AtomicU64::new(0),
        };
        Ok(Self {
            listener,
            shared: Arc::new(shared),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Its figures.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.shared.metrics)
    }

    /// Serves until `stop` is done; then accepts no more, lets running
    /// exchanges end within the configured seconds, and cuts the rest.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let builder = Arc::new(self.http());
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let stream = (stream, Peer(peer));
                        let connection = serve(stream, &builder, &self.shared, graceful.watcher());
                        connections.spawn(connection);
                    }
                    Err(error) => {
                        // Out of file descriptors: give others time to close theirs.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        }
        drop(self.listener);
        Self::drain(self.shared, graceful, connections).await;
    }

    async fn drain(
        shared: Arc<Shared<D>>,
        graceful: GracefulShutdown,
        mut connections: JoinSet<()>,
    ) {
        let patience = Duration::from_secs(shared.config.limits.drain_seconds);
        // Exchanges end on tasks of their own; all permits back means all have ended.
        let all = u32::try_from(shared.config.limits.exchanges).unwrap_or(u32::MAX);
        let orderly = async {
            graceful.shutdown().await;
            drop(shared.exchanges.acquire_many(all).await);
        };
        let in_time = tokio::time::timeout(patience, orderly).await.is_ok();
        connections.shutdown().await;
        if !in_time {
            tracing::warn!(
                "exchanges were still running when the time to drain was over; they are cut"
            );
            // Cut off from their clients they still have to be recorded.
            let recorded = shared.exchanges.acquire_many(all);
            if tokio::time::timeout(RECORDING, recorded).await.is_err() {
                tracing::error!("some exchanges that were cut could not be recorded");
            }
        }
    }

    fn http(&self) -> auto::Builder<TokioExecutor> {
        let limits = &self.shared.config.limits;
        let head = u32::try_from(limits.head_bytes).unwrap_or(u32::MAX);
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(limits.head_seconds))
            .max_buf_size(limits.head_bytes)
            .max_headers(100)
            .keep_alive(true);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(head)
            .max_concurrent_streams(256)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        builder
    }
}

fn serve<D: Desk>(
    (stream, peer): (TcpStream, Peer),
    builder: &Arc<auto::Builder<TokioExecutor>>,
    shared: &Arc<Shared<D>>,
    watcher: hyper_util::server::graceful::Watcher,
) -> impl Future<Output = ()> + Send + use<D> {
    let (builder, shared) = (Arc::clone(builder), Arc::clone(shared));
    async move {
        let _running = Running::new(&shared.metrics);
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let service = service_fn(|mut request: Request<Incoming>| {
            let shared = Arc::clone(&shared);
            request.extensions_mut().insert(peer);
            async move { Ok::<_, Infallible>(route::route(shared, request).await) }
        });
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// What the kernel may hold for one client that does not read, in bytes; it doubles the figure. Left
/// to itself it takes up to 6 MB on loopback, and all of that counts as delivered and is kept.
const SEND_BUFFER: u32 = 64 << 10;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Accepted sockets inherit the listener's buffer.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
