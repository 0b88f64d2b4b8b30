//! Who else has seen the root log? Witnesses that are asked to cosign each of
//! its checkpoints (C2SP tlog-witness), and a witness to run for others.
//!
//! A witness remembers the largest tree it saw, outside of our reach: whoever
//! restores an old copy of everything here still meets it. But its word alone
//! stops nothing: what it says it saw, it has to show, signed by our own key.

pub(crate) mod serve;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use evidence::checkpoint::{Note, NoteSignature, Verifier};
use evidence::ledger::Question;
use evidence::submission::Submission;
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
    /// It was never given this log's key, so it remembers nothing of it; in words.
    Unknown(String),
    /// It says that it saw another tree and does not show it; in words.
    Unproven(String),
    /// It saw a tree that this one does not continue, and our key signed it; in words.
    Conflict(String),
    /// We could not ask.
    Ledger(LedgerError),
}

/// What witnesses say to a checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Signature lines of those who signed it.
    pub(crate) lines: String,
    /// Whether one of them told what it remembers: a signature, or that it never heard of the log.
    heard: bool,
    /// Why the others did not sign.
    why: Vec<String>,
}

impl Told {
    fn add(&mut self, name: &str, told: Result<String, Fault>) -> Result<(), LedgerError> {
        match told {
            Ok(line) => {
                self.heard = true;
                self.lines.push_str(&line);
                return Ok(());
            }
            Err(Fault::Ledger(error)) => return Err(error),
            Err(Fault::Conflict(why)) => {
                let name = name.to_owned();
                return Err(Refusal::Witness { name, why }.into());
            }
            Err(Fault::Unknown(why)) => {
                tracing::warn!(witness = name, "{why}");
                self.heard = true;
            }
            Err(Fault::Silent(why)) => {
                tracing::warn!(witness = name, "{why}");
                self.why.push(format!("{name}: {why}"));
            }
            Err(Fault::Unproven(why)) => {
                tracing::error!(witness = name, "{why}");
                self.why.push(format!("{name}: {why}"));
            }
        }
        Ok(())
    }
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

    /// Before the first signature since the start: whether one at least can be reached, and all that
    /// can know a tree that this one continues. A log without entries has nothing to confirm.
    ///
    /// # Errors
    /// [`Refusal::Witness`] when one knows another, [`LedgerError::Unconfirmed`] when none answers.
    pub(crate) async fn confirm(
        &self,
        ledger: &Ledger,
        epoch: &EpochRow,
    ) -> Result<(), LedgerError> {
        if self.is_empty() {
            return Ok(());
        }
        let note = ledger.note_of(epoch)?;
        let told = self.ask(ledger, epoch, &note, PATIENCE).await?;
        if told.heard || epoch.size == 0 {
            Ok(())
        } else {
            Err(LedgerError::Unconfirmed(told.why.join("; ")))
        }
    }

    /// What those say to a checkpoint who answer in time and have not signed it yet.
    ///
    /// # Errors
    /// [`Refusal::Witness`] when one knows another tree.
    pub(crate) async fn ask(
        &self,
        ledger: &Ledger,
        epoch: &EpochRow,
        note: &str,
        patience: Duration,
    ) -> Result<Told, LedgerError> {
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
        let mut all = Told::default();
        for (witness, told) in join_all(asking).await {
            let late = || Fault::Silent("it did not answer in time".to_owned());
            let told = told.unwrap_or_else(|_| Err(late()));
            all.add(witness.asked.key.name(), told)?;
        }
        Ok(all)
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
            let (status, answer) = self.send(Method::POST, "add-checkpoint", body).await?;
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
                        return Err(self.shown(ledger, epoch).await);
                    }
                    seen.1 = size;
                }
                StatusCode::UNPROCESSABLE_ENTITY => {
                    return Err(self.shown(ledger, epoch).await);
                }
                StatusCode::NOT_FOUND => {
                    return Err(Fault::Unknown(format!(
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

    /// It says that it saw a tree that this one does not continue: what it shows of that. Anybody on
    /// the way could say so; only what our own key signed is a reason to stop.
    async fn shown(&self, ledger: &Ledger, epoch: &EpochRow) -> Fault {
        let origin = &epoch.origin;
        let unproven = |what: &dyn fmt::Display| {
            Fault::Unproven(format!(
                "it says that it saw a tree of `{origin}` that this one does not continue, and {what}"
            ))
        };
        let path = format!("{}/checkpoint", serve::name_digest(origin));
        let note = match self.send(Method::GET, &path, String::new()).await {
            Ok((StatusCode::OK, note)) => note,
            Ok((status, _)) => return unproven(&format!("does not show it: {status}")),
            Err(fault) => return fault,
        };
        let key = Verifier::parse(&ledger.vkey_of(origin));
        let seen = match key.and_then(|key| key.open(&note)) {
            Ok(seen) => seen,
            Err(e) => return unproven(&format!("shows none that this log's key signed: {e}")),
        };
        let held = epoch.size;
        if seen.size > held {
            let seen = seen.size;
            return Fault::Conflict(format!(
                "has seen {seen} entries of `{origin}`, signed by this log's key, and {held} are held here"
            ));
        }
        match ledger.root_at(epoch.epoch, seen.size).await {
            Ok(Some(root)) if root == seen.root => {
                unproven(&"shows one that this one does continue")
            }
            Ok(Some(_)) => Fault::Conflict(format!(
                "has seen another tree of {} entries of `{origin}`, signed by this log's key, than the {held} held here begin with",
                seen.size
            )),
            Ok(None) => {
                unproven(&"a tile of the root log is missing here; `fairhold fsck` names it")
            }
            Err(error) => Fault::Ledger(error),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, String), Fault> {
        let silent = |e: &dyn fmt::Display| Fault::Silent(format!("it cannot be asked: {e}"));
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.asked.url))
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
    let question = Question::Consistency(old);
    let proof = ledger.answer(epoch.epoch, store::ROOT, question, epoch.size);
    let proof = proof.await.map_err(Fault::Ledger)?;
    let proof =
        proof.ok_or_else(|| Fault::Silent("a tile of the root log is missing".to_owned()))?;
    let note = note.clone();
    Ok(Submission { old, proof, note }.to_string())
}
