//! Who else has seen the root log? Witnesses that are asked to cosign each of
//! its checkpoints (C2SP tlog-witness), and a witness to run for others.
//!
//! A witness remembers the largest tree it saw, outside of our reach: whoever
//! restores an old copy of everything here still meets it.

pub(crate) mod serve;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use evidence::checkpoint::{Note, NoteSignature, Verifier};
use evidence::ledger::Question;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use store::EpochRow;
use tokio::sync::Mutex;
use verifier::note::KeyKind;

use crate::ledger::{Ledger, LedgerError, Refusal};

/// How long a witness may take when the ledger is opened.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of the longest answer that is read.
const ANSWER: usize = 64 << 10;

/// A witness as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Its submission prefix.
    pub(crate) url: String,
    /// Its key, of type 0x04.
    pub(crate) key: Verifier,
}

impl Asked {
    /// Checks what was configured.
    ///
    /// # Errors
    /// In words that say what to change.
    pub(crate) fn parse(url: &str, vkey: &str) -> Result<Self, String> {
        let wrong = |e: &dyn fmt::Display| format!("the witness `{url}`: {e}");
        let key = Verifier::parse(vkey).map_err(|e| wrong(&e))?;
        if key.kind() != KeyKind::Cosignature {
            return Err(wrong(
                &"its `vkey` is a log's key; give the one that `fairhold witness serve` prints",
            ));
        }
        let at: Uri = url.parse().map_err(|e| wrong(&e))?;
        if at.host().is_none() || !matches!(at.scheme_str(), Some("http" | "https")) {
            return Err(wrong(&"its `url` is not `http://...` or `https://...`"));
        }
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            key,
        })
    }
}

pub(crate) type Caller = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client for what is asked of others.
pub(crate) fn caller() -> Caller {
    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .build();
    Client::builder(TokioExecutor::new()).build(connector)
}

/// Those who are asked.
#[derive(Debug, Default)]
pub(crate) struct Witnesses {
    all: Vec<std::sync::Arc<Witness>>,
}

#[derive(Debug)]
struct Witness {
    asked: Asked,
    caller: Caller,
    /// Origin and size of the tree that it cosigned last, as far as known here.
    seen: Mutex<(String, u64)>,
}

/// Why a witness did not sign.
#[derive(Debug)]
enum Fault {
    /// It could not be asked, or does not want to; in words.
    Silent(String),
    /// It saw a tree that this one does not continue; in words.
    Conflict(String),
    /// We could not ask.
    Ledger(LedgerError),
}

impl Witnesses {
    /// These.
    pub(crate) fn new(all: Vec<Asked>) -> Self {
        let caller = caller();
        let witness = |asked| {
            std::sync::Arc::new(Witness {
                asked,
                caller: caller.clone(),
                seen: Mutex::default(),
            })
        };
        Self {
            all: all.into_iter().map(witness).collect(),
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The trust policy of a log: its key, its witnesses, and all of them as the quorum.
    pub(crate) fn policy(&self, log: &str) -> String {
        let mut text = format!("log {log}\n");
        let mut names = String::new();
        for (n, witness) in self.all.iter().enumerate() {
            let (key, url) = (witness.asked.key.vkey(), &witness.asked.url);
            // Writing into a String cannot fail.
            let _ = writeln!(text, "witness w{} {key} {url}", n + 1);
            let _ = write!(names, " w{}", n + 1);
        }
        let quorum = match self.all.len() {
            0 => "quorum none\n".to_owned(),
            1 => "quorum w1\n".to_owned(),
            _ => format!("group all-of-them all{names}\nquorum all-of-them\n"),
        };
        text + &quorum
    }

    /// Before the first signature: whether all that can be reached know a tree that this one continues.
    ///
    /// # Errors
    /// [`Refusal::Witness`] when one knows another.
    pub(crate) async fn confirm(
        &self,
        ledger: &Ledger,
        epoch: &EpochRow,
    ) -> Result<(), LedgerError> {
        if self.is_empty() {
            return Ok(());
        }
        let note = ledger.note_of(epoch)?;
        self.ask(ledger, epoch, &note, PATIENCE).await.map(drop)
    }

    /// Signature lines for a checkpoint, of those who answer in time and have not signed it yet.
    ///
    /// # Errors
    /// [`Refusal::Witness`] when one knows another tree.
    pub(crate) async fn ask(
        &self,
        ledger: &Ledger,
        epoch: &EpochRow,
        note: &str,
        patience: Duration,
    ) -> Result<String, LedgerError> {
        let signed = Note::parse(note).map_err(|e| LedgerError::Mark(e.to_string()))?;
        let mut asking = Vec::new();
        for witness in &self.all {
            if matches!(witness.asked.key.line(&signed), Ok(Some(_))) {
                continue;
            }
            let told = witness.cosign(ledger, epoch, &signed);
            let told = tokio::time::timeout(patience, told);
            asking.push(async move { (witness, told.await) });
        }
        let mut lines = String::new();
        for (witness, told) in join_all(asking).await {
            let name = witness.asked.key.name();
            match told {
                Ok(Ok(line)) => lines.push_str(&line),
                Ok(Err(Fault::Silent(why))) => tracing::warn!(witness = name, "{why}"),
                Ok(Err(Fault::Ledger(error))) => return Err(error),
                Ok(Err(Fault::Conflict(why))) => {
                    let name = name.to_owned();
                    return Err(Refusal::Witness { name, why }.into());
                }
                Err(_) => tracing::warn!(witness = name, "it did not answer in time"),
            }
        }
        Ok(lines)
    }
}

/// All of them at once, in order.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|ctx| {
        let mut pending = false;
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none() {
                match future.as_mut().poll(ctx) {
                    std::task::Poll::Ready(output) => *done = Some(output),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

impl Witness {
    /// Its line under a checkpoint.
    async fn cosign(
        &self,
        ledger: &Ledger,
        epoch: &EpochRow,
        note: &Note,
    ) -> Result<String, Fault> {
        let mut seen = self.seen.lock().await;
        if seen.0 != epoch.origin {
            *seen = (epoch.origin.clone(), 0);
        }
        // Once with what is known here, once with what it says it knows.
        for _ in 0..2 {
            let body = request(ledger, epoch, note, seen.1.min(epoch.size)).await?;
            let (status, answer) = self.send(body).await?;
            match status {
                StatusCode::OK => {
                    let line = self.line(note, &answer)?;
                    seen.1 = epoch.size;
                    return Ok(line);
                }
                StatusCode::CONFLICT => {
                    let size = answer
                        .trim_end()
                        .parse::<u64>()
                        .map_err(|_| Fault::Silent("it answers 409 without a size".to_owned()))?;
                    if size > epoch.size {
                        return Err(Fault::Conflict(format!(
                            "has seen {size} entries of `{}`, and {} are held here",
                            epoch.origin, epoch.size
                        )));
                    }
                    seen.1 = size;
                }
                StatusCode::UNPROCESSABLE_ENTITY => {
                    return Err(Fault::Conflict(format!(
                        "has seen another tree of `{}` than the {} entries held here",
                        epoch.origin, epoch.size
                    )));
                }
                StatusCode::NOT_FOUND => {
                    return Err(Fault::Silent(format!(
                        "it does not know `{}`: give it the key `{}`",
                        epoch.origin,
                        ledger.vkey_of(&epoch.origin)
                    )));
                }
                other => {
                    return Err(Fault::Silent(format!("it answers {other}: {answer}")));
                }
            }
        }
        Err(Fault::Silent(
            "it changes its mind about what it has seen".to_owned(),
        ))
    }

    async fn send(&self, body: String) -> Result<(StatusCode, String), Fault> {
        let silent = |e: &dyn fmt::Display| Fault::Silent(format!("it cannot be asked: {e}"));
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/add-checkpoint", self.asked.url))
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| silent(&e))?;
        let answer = self.caller.request(request).await.map_err(|e| silent(&e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER).collect().await;
        let body = body.map_err(|e| silent(&e))?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// The line of its key, once it holds.
    fn line(&self, note: &Note, answer: &str) -> Result<String, Fault> {
        let lines = answer.lines().filter_map(|l| NoteSignature::parse(l).ok());
        let signed = Note {
            text: note.text.clone(),
            signatures: lines.collect(),
        };
        match (
            self.asked.key.cosigned(&signed),
            self.asked.key.line(&signed),
        ) {
            (Ok(Some(_)), Ok(Some(line))) => Ok(line.to_string()),
            _ => Err(Fault::Silent(
                "its answer holds no cosignature of its key".to_owned(),
            )),
        }
    }
}

/// What is posted: the size it knows, the proof from there, the checkpoint.
async fn request(
    ledger: &Ledger,
    epoch: &EpochRow,
    note: &Note,
    old: u64,
) -> Result<String, Fault> {
    use base64::Engine as _;
    let question = Question::Consistency(old);
    let proof = ledger.answer(epoch.epoch, store::ROOT, question, epoch.size);
    let proof = proof.await.map_err(Fault::Ledger)?;
    let proof =
        proof.ok_or_else(|| Fault::Silent("a tile of the root log is missing".to_owned()))?;
    let mut body = format!("old {old}\n");
    for hash in proof {
        body.push_str(&base64::engine::general_purpose::STANDARD.encode(hash));
        body.push('\n');
    }
    Ok(format!("{body}\n{note}"))
}
