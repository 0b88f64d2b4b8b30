use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use engine::{Admitted, Ask, Completion, LimitState, Refusal};
use facts::{AccountId, KeyId, ProjectId, Timestamp};
use gateway::{Config, Desk, Metrics, NotRecorded, Recordings, Server, Setup};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

/// Waits that should never be needed in full.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A desk that admits the key `good` (and `other`, of another account) and remembers everything.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) admitted: AtomicU64,
    pub(crate) completed: Mutex<Vec<(Completion, Bytes)>>,
    pub(crate) refusal: Mutex<Option<Refusal>>,
    pub(crate) cannot_record: AtomicBool,
    pub(crate) barred: AtomicBool,
    pub(crate) changed: Notify,
}

impl Ledger {
    pub(crate) fn completions(&self) -> Vec<(Completion, Bytes)> {
        self.completed.lock().unwrap().clone()
    }

    /// Waits until so many exchanges have ended.
    pub(crate) async fn ended(&self, count: usize) -> Vec<(Completion, Bytes)> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                let all = self.completions();
                if all.len() >= count {
                    return all;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("exchanges must be completed")
    }
}

impl Desk for Ledger {
    async fn admit(&self, ask: Ask, _body: Bytes) -> Result<Admitted, Refusal> {
        let account = self.identify(&ask.secret)?;
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        self.admitted.fetch_add(1, SeqCst);
        Ok(Admitted {
            exchange: ask.exchange,
            account,
            project: ProjectId::parse("p").unwrap(),
            key: KeyId::parse("k").unwrap(),
            model: ask.model,
            endpoint: ask.endpoint,
            at: ask.at,
            body_sha256: ask.body_sha256,
            clauses: Vec::new(),
            policy_sha256: String::new(),
            limits: LimitState {
                requests_limit: 9,
                requests_remaining: 8,
                ..LimitState::default()
            },
        })
    }

    async fn complete(&self, completion: Completion, answer: Bytes) -> Result<u64, NotRecorded> {
        self.completed.lock().unwrap().push((completion, answer));
        self.changed.notify_waiters();
        if self.cannot_record.load(SeqCst) {
            Err(NotRecorded)
        } else {
            Ok(0)
        }
    }

    fn identify(&self, secret: &str) -> Result<AccountId, Refusal> {
        match secret {
            "good" => Ok(AccountId::parse("a").unwrap()),
            "other" => Ok(AccountId::parse("b").unwrap()),
            _ => Err(Refusal::UnknownKey),
        }
    }

    fn still_welcome(&self, _admitted: &Admitted) -> bool {
        !self.barred.load(SeqCst)
    }
}

/// A running gateway; it drains when dropped.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) desk: Arc<Ledger>,
    pub(crate) metrics: Arc<Metrics>,
    stop: Option<oneshot::Sender<()>>,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Gateway {
    /// Starts one whose model `m` is served by `upstream`, with further lines of
    /// configuration before the upstream's.
    pub(crate) async fn before(upstream: SocketAddr, more: &str) -> Self {
        Self::with(&format!(
            "listen = \"127.0.0.1:0\"\n{more}\n[[upstream]]\nname = \"u\"\nkind = \"openai\"\n\
             base_url = \"http://{upstream}\"\nmodels = [\"m\"]\n"
        ))
        .await
    }

    /// Starts one whose model `m` is the built-in mock.
    pub(crate) async fn mock() -> Self {
        Self::with("listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"u\"\nkind = \"mock\"\nmodels = [\"m\"]").await
    }

    pub(crate) async fn with(config: &str) -> Self {
        let desk = Arc::new(Ledger::default());
        let setup = Setup {
            desk: Arc::clone(&desk),
            clock: || Timestamp(1_795_000_000_000),
            recordings: Recordings::default(),
            further: None,
            seed: 7,
        };
        let server = Server::bind(Config::parse(config).unwrap(), setup)
            .await
            .unwrap();
        let (address, metrics) = (server.address().unwrap(), server.metrics());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            address,
            desk,
            metrics,
            stop: Some(stop),
            running: Some(running),
        }
    }

    /// Stops it and waits for its end.
    pub(crate) async fn drain(&mut self) {
        drop(self.stop.take());
        let running = self.running.take().unwrap();
        tokio::time::timeout(PATIENCE, running)
            .await
            .expect("the server must drain")
            .unwrap();
    }

    /// Waits until no task of a connection or an exchange is left.
    pub(crate) async fn idle(&self) {
        for _ in 0..2_000 {
            if self.metrics.tasks() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{} tasks are left", self.metrics.tasks());
    }
}

/// A request that asks for `body`, on a connection of its own.
pub(crate) fn request(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A streamed chat.
pub(crate) fn streamed() -> String {
    request(
        "/v1/chat/completions",
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}"#,
    )
}

pub(crate) async fn connect(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    // The server may answer and close before it has read all of a bad request.
    let _ = stream.write_all(request).await;
    stream
}

/// What comes back until the connection ends, as text.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> String {
    let stream = connect(address, request).await;
    rest(stream).await
}

/// What is left on a connection.
pub(crate) async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = async {
        let mut some = vec![0; 16 * 1024];
        // A reset after the last bytes counts as the end.
        while let Ok(n @ 1..) = stream.read(&mut some).await {
            all.extend_from_slice(&some[..n]);
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the answer must end");
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until the connection has brought `needle`.
pub(crate) async fn until(stream: &mut TcpStream, needle: &str) -> String {
    let mut all = Vec::new();
    let read = async {
        let mut some = vec![0; 4096];
        while !String::from_utf8_lossy(&all).contains(needle) {
            let n = stream.read(&mut some).await.unwrap();
            assert!(
                n > 0,
                "the answer ended before {needle}: {}",
                String::from_utf8_lossy(&all)
            );
            all.extend_from_slice(&some[..n]);
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .unwrap_or_else(|_| panic!("{needle} must come"));
    String::from_utf8_lossy(&all).into_owned()
}

/// An upstream that reads one request per connection and then does as told.
pub(crate) async fn upstream<F, R>(script: F) -> SocketAddr
where
    F: Fn(TcpStream, String) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::new(script);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let script = Arc::clone(&script);
            tokio::spawn(async move {
                if let Some(asked) = one_request(&mut stream).await {
                    script(stream, asked).await;
                }
            });
        }
    });
    address
}

async fn one_request(stream: &mut TcpStream) -> Option<String> {
    let mut all = Vec::new();
    let mut some = vec![0; 64 * 1024];
    loop {
        let n = stream.read(&mut some).await.ok()?;
        if n == 0 {
            return None;
        }
        all.extend_from_slice(&some[..n]);
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|l| {
                    l.to_ascii_lowercase()
                        .strip_prefix("content-length:")
                        .map(|v| v.trim().parse().unwrap())
                })
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
    }
}

/// The head of an event stream that ends with its connection.
pub(crate) const EVENTS: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// One content event.
pub(crate) fn event(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}
