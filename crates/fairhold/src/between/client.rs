//! The corpus's holder: asks what the registry says of blinded fingerprints.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use provenance::{AuditKey, Registry, Row, Told};
use sha2::{Digest as _, Sha256};

use super::described::{self, Opened, WIDTH_MAX};
use super::table::{Place, ROW, Rows, Secret};
use super::{
    Asking, BATCH_MAX, BetweenError, DESCRIBED_MAX, Hello, Public, ROWS_MAX, VERSION, public,
};
use crate::witness::{Caller, caller};

/// How long an answer to a batch may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// And the table.
const PATIENCE_TABLE: Duration = Duration::from_secs(600);
/// Bytes of what is said in words.
const WORDS: usize = 16 << 10;
/// How often a batch is sent again because it came too fast.
const AGAIN: u32 = 600;
/// Requests at once.
const AT_ONCE: usize = 4;

/// A registry that another party holds.
pub(crate) struct Other {
    line: Line,
    hello: Hello,
    public: Public,
    rows: Rows,
    described: Bytes,
    key: AuditKey,
}

/// The line to it.
#[derive(Clone)]
struct Line {
    caller: Caller,
    url: Arc<str>,
    token: Arc<str>,
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Other({})", self.line.url)
    }
}

/// What was learned so far.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    asked: BTreeSet<u64>,
    found: Vec<(u64, Place)>,
    outputs: BTreeMap<u32, Opened>,
}

impl Other {
    /// Reads what is published. With a pinned key any other is refused.
    pub(crate) async fn meet(
        url: &str,
        token: &str,
        pinned: Option<&str>,
    ) -> Result<Self, BetweenError> {
        let line = Line {
            caller: caller(),
            url: url.trim_end_matches('/').into(),
            token: token.into(),
        };
        let hello = line.send("hello", None, WORDS, PATIENCE).await?;
        let hello: Hello =
            serde_json::from_slice(&hello).map_err(|_| BetweenError::Malformed("its hello"))?;
        let (public, key) = checked(&hello, pinned)?;
        let length = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let bytes = length(hello.rows).saturating_mul(ROW);
        let rows = line.published("rows", bytes, &hello.rows_sha256).await?;
        let bytes = length(hello.outputs.saturating_mul(hello.width));
        let described = line
            .published("outputs", bytes, &hello.described_sha256)
            .await?;
        Ok(Self {
            line,
            public,
            key,
            rows: Rows::of(rows)?,
            described,
            hello,
        })
    }

    /// Its key, as it is pinned.
    pub(crate) fn server_key(&self) -> &str {
        &self.hello.server_key
    }

    /// SHA-256 of its table.
    pub(crate) fn table_sha256(&self) -> &str {
        &self.hello.rows_sha256
    }

    /// The key that fingerprints are made under.
    pub(crate) fn key(&self) -> &AuditKey {
        &self.key
    }

    /// Accounts whose outputs may be recognised.
    pub(crate) fn accounts(&self) -> usize {
        usize::try_from(self.hello.accounts).unwrap_or(usize::MAX)
    }

    /// Asks all fingerprints that were not asked yet; `done` is told of each batch.
    pub(crate) async fn ask(
        &self,
        keys: &BTreeSet<u64>,
        learned: &mut Learned,
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<(), BetweenError> {
        let fresh: Vec<u64> = keys.difference(&learned.asked).copied().collect();
        let hello = self.line.send("hello", None, WORDS, PATIENCE).await?;
        let hello: Hello =
            serde_json::from_slice(&hello).map_err(|_| BetweenError::Malformed("its hello"))?;
        let (needed, left) = (fresh.len() as u64, hello.budget_left);
        if needed > left {
            return Err(BetweenError::Budget { needed, left });
        }
        let batch = BATCH_MAX
            .min(usize::try_from(self.hello.batch_max).unwrap_or(BATCH_MAX))
            .max(1);
        let batches: Vec<Vec<u64>> = fresh.chunks(batch).map(<[u64]>::to_vec).collect();
        let batches = Arc::new(Mutex::new(batches));
        let (tell, mut told) = tokio::sync::mpsc::channel(AT_ONCE);
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (line, public) = (self.line.clone(), self.public);
            let (batches, tell) = (Arc::clone(&batches), tell.clone());
            workers.spawn(async move {
                loop {
                    let next = batches.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(keys) = next else { return };
                    let heard = line.batch(keys, public).await;
                    let failed = heard.is_err();
                    if tell.send(heard).await.is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(tell);
        while let Some(heard) = told.recv().await {
            let heard = heard?;
            done(heard.len() as u64);
            for (key, evaluation) in heard {
                learned.asked.insert(key);
                for place in self.rows.places(&evaluation) {
                    self.describe((place.output, place.secret), learned)?;
                    learned.found.push((key, place));
                }
            }
        }
        let all = fresh.iter().all(|key| learned.asked.contains(key));
        if all {
            Ok(())
        } else {
            Err(BetweenError::Silent("it stopped answering".to_owned()))
        }
    }

    /// Opens what is said of an output, and of the one that is ranked beside it.
    fn describe(&self, of: (u32, Secret), learned: &mut Learned) -> Result<(), BetweenError> {
        let mut next = Some(of);
        while let Some((output, secret)) = next {
            if learned.outputs.contains_key(&output) {
                return Ok(());
            }
            let opened = self.described(output, &secret)?;
            next = opened.ranked;
            learned.outputs.insert(output, opened);
        }
        Ok(())
    }

    fn described(&self, output: u32, secret: &Secret) -> Result<Opened, BetweenError> {
        let width = usize::try_from(self.hello.width).unwrap_or(usize::MAX);
        let from = usize::try_from(output)
            .ok()
            .and_then(|n| n.checked_mul(width));
        let bytes = from
            .and_then(|from| self.described.get(from..from.checked_add(width)?))
            .ok_or(BetweenError::Malformed(
                "a row of an output that is not there",
            ))?;
        described::open(bytes, secret)
    }

    /// The registry as far as it is known.
    pub(crate) fn registry(&self, learned: &Learned) -> Result<Registry, BetweenError> {
        let numbers: HashMap<u32, u32> = learned.outputs.keys().copied().zip(0..).collect();
        let mut rows: Vec<Row> = Vec::with_capacity(learned.found.len());
        for (key, place) in &learned.found {
            rows.extend(numbers.get(&place.output).map(|output| Row {
                key: *key,
                output: *output,
                position: place.position,
            }));
        }
        let length = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let told = Told {
            outputs: learned
                .outputs
                .values()
                .map(|opened| opened.output.clone())
                .collect(),
            texts: learned.outputs.values().map(|opened| opened.text).collect(),
            rows,
            all: length(self.hello.outputs),
            recognisable: length(self.hello.recognisable),
            twins: learned
                .outputs
                .values()
                .filter(|opened| opened.output.prompt != 0)
                .map(|opened| (opened.output.prompt, opened.twins))
                .collect(),
        };
        Registry::of_told(self.key.id(), told).map_err(|e| BetweenError::Own(e.to_string()))
    }
}

/// What was said first, if all of it is within bounds.
fn checked(hello: &Hello, pinned: Option<&str>) -> Result<(Public, AuditKey), BetweenError> {
    if hello.fairhold_between != VERSION || hello.normaliser != provenance::NORMALISER_VERSION {
        return Err(BetweenError::Malformed("it speaks another version"));
    }
    let theirs = public(&hello.server_key)?;
    if let Some(pinned) = pinned
        && public(pinned)? != theirs
    {
        return Err(BetweenError::OtherKey {
            theirs: hello.server_key.clone(),
        });
    }
    let described = hello.outputs.saturating_mul(hello.width);
    let bounded = hello.rows <= ROWS_MAX
        && described <= DESCRIBED_MAX
        && hello.width <= WIDTH_MAX as u64
        && hello.recognisable <= hello.outputs
        && hello.accounts <= hello.recognisable
        && u32::try_from(hello.outputs).is_ok();
    if !bounded {
        return Err(BetweenError::Malformed(
            "its registry is larger than is asked",
        ));
    }
    let mut secret = [0; 16];
    hex::decode_to_slice(&hello.audit_key, &mut secret)
        .map_err(|_| BetweenError::Malformed("its audit key"))?;
    Ok((theirs, AuditKey::new(secret)))
}

impl Line {
    /// Something published, of a known size and digest.
    async fn published(
        &self,
        what: &str,
        bytes: usize,
        sha256: &str,
    ) -> Result<Bytes, BetweenError> {
        let body = self.send(what, None, bytes.max(1), PATIENCE_TABLE).await?;
        if body.len() != bytes || hex::encode(Sha256::digest(&body)) != sha256 {
            return Err(BetweenError::Malformed(
                "what it published is not what it announced",
            ));
        }
        Ok(body)
    }

    /// What the function says of a batch.
    async fn batch(
        &self,
        keys: Vec<u64>,
        public: Public,
    ) -> Result<Vec<(u64, super::Evaluation)>, BetweenError> {
        let stopped = |_| BetweenError::Silent("this process is ending".to_owned());
        let of = keys.clone();
        let asking = tokio::task::spawn_blocking(move || Asking::of(&of)).await;
        let asking = asking.map_err(stopped)??;
        let body = Bytes::copy_from_slice(&asking.body);
        let answer = self
            .send("evaluate", Some(body), asking.body.len() + WORDS, PATIENCE)
            .await?;
        let heard = tokio::task::spawn_blocking(move || asking.heard(&answer, public)).await;
        Ok(keys.into_iter().zip(heard.map_err(stopped)??).collect())
    }

    /// Sends a request until it is not refused for coming too fast.
    async fn send(
        &self,
        what: &str,
        body: Option<Bytes>,
        most: usize,
        patience: Duration,
    ) -> Result<Bytes, BetweenError> {
        for _ in 0..AGAIN {
            let once = self.once(what, body.clone(), most.max(WORDS));
            let once = tokio::time::timeout(patience, once).await;
            let late =
                |_| BetweenError::Silent(format!("no answer within {} s", patience.as_secs()));
            let (status, body) = once.map_err(late)??;
            match status {
                StatusCode::OK => return Ok(body),
                StatusCode::TOO_MANY_REQUESTS => tokio::time::sleep(Duration::from_secs(1)).await,
                other => {
                    let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
                    return Err(BetweenError::Refused(other.as_u16(), said));
                }
            }
        }
        Err(BetweenError::Refused(
            429,
            "too fast, again and again".to_owned(),
        ))
    }

    async fn once(
        &self,
        what: &str,
        body: Option<Bytes>,
        most: usize,
    ) -> Result<(StatusCode, Bytes), BetweenError> {
        let silent = |e: &dyn fmt::Display| BetweenError::Silent(e.to_string());
        let method = if body.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/between/1/{what}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Full::new(body.unwrap_or_default()))
            .map_err(|e| silent(&e))?;
        let answer = self.caller.request(request).await.map_err(|e| silent(&e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), most).collect().await;
        let body = body.map_err(|_| BetweenError::Malformed("an answer is cut off or too long"))?;
        Ok((status, body.to_bytes()))
    }
}
