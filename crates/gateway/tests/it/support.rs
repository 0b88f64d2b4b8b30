use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use engine::{Admitted, Ask, Completion, LimitState, Refusal};
use facts::{AccountId, CaseId, KeyId, ProjectId, Timestamp};
use gateway::{Config, Desk, Metrics, NotRecorded, Recorded, Recordings, Server, Setup};
use tokio::sync::{Notify, oneshot};

pub(crate) use testbed::socket::*;

/// A desk that admits the key `good` (and `other`, of another account) and remembers everything.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) admitted: AtomicU64,
    pub(crate) completed: Mutex<Vec<(Completion, Bytes)>>,
    pub(crate) refusal: Mutex<Option<Refusal>>,
    pub(crate) cannot_record: AtomicBool,
    pub(crate) barred: AtomicBool,
    /// The case whose mark answers carry.
    pub(crate) marked: Mutex<Option<CaseId>>,
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
    async fn admit(&self, ask: Ask, _body: Bytes) -> Result<Recorded<Admitted>, Recorded<Refusal>> {
        let account = self.identify(&ask.secret).map_err(Recorded::nowhere)?;
        if let Some(what) = self.refusal.lock().unwrap().clone() {
            return Err(Recorded {
                what,
                seq: Some(41),
            });
        }
        self.admitted.fetch_add(1, SeqCst);
        let what = Admitted {
            exchange: ask.exchange,
            account,
            project: ProjectId::parse("p").unwrap(),
            key: KeyId::parse("k").unwrap(),
            model: ask.model,
            endpoint: ask.endpoint,
            at: ask.at,
            body_sha256: ask.body_sha256,
            clauses: Vec::new(),
            policy_sha256: std::sync::Arc::from(""),
            asked: None,
            purpose: None,
            marked: self.marked.lock().unwrap().clone(),
            limits: LimitState {
                requests_limit: 9,
                requests_remaining: 8,
                ..LimitState::default()
            },
        };
        Ok(Recorded {
            what,
            seq: Some(42),
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
