//! A witness: signs that it saw a log's checkpoint only if it continues the
//! one it saw before, whatever the log's own key signed.
//!
//! One file for each log holds the latest cosigned checkpoint. It is replaced
//! as a whole and synced before the cosignature leaves, and one request is
//! decided at a time, so a fork or a rollback finds no gap to pass through.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use evidence::checkpoint::{Checkpoint, Note, Verifier, WitnessKey};
use evidence::merkle::verify_consistency;
use evidence::submission::Submission;
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};
use store::{SystemClock, write_atomically};
use tokio::sync::Mutex;
use verifier::merkle::empty_root;

/// The largest request: 63 hashes and a note of 64 signatures are far below.
const BODY_BYTES_MAX: usize = 64 << 10;

/// A witness of some logs.
pub(crate) struct WitnessDesk {
    key: WitnessKey,
    logs: BTreeMap<String, Verifier>,
    folder: PathBuf,
    /// The latest cosigned checkpoint of each log, with its note. One request at a time.
    seen: Mutex<BTreeMap<String, (Checkpoint, String)>>,
}

impl std::fmt::Debug for WitnessDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WitnessDesk")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Cosigned: the signature lines.
    Cosigned(String),
    /// The request cannot be read (400).
    Malformed(&'static str),
    /// The log is not known here (404).
    Unknown,
    /// No trusted signature (403).
    Unsigned(String),
    /// Another size was seen last (409).
    Conflict(u64),
    /// The tree does not continue the one that was seen (422).
    Inconsistent(&'static str),
    /// The state could not be made durable (503); nothing was signed.
    NotKept(String),
}

impl WitnessDesk {
    /// A witness of these logs, with what it saw before.
    ///
    /// # Errors
    /// In words, when its state cannot be read: it must not be taken for absent.
    pub(crate) fn open(
        key: WitnessKey,
        logs: Vec<Verifier>,
        folder: PathBuf,
    ) -> Result<Self, String> {
        let own = Verifier::parse(&key.vkey()).map_err(|e| e.to_string())?;
        let mut names: Vec<&str> = logs.iter().map(Verifier::name).collect();
        names.sort_unstable();
        if let Some([twice, _]) = names.windows(2).find(|pair| pair.first() == pair.last()) {
            return Err(format!(
                "two keys are given for the log `{twice}`: whoever holds either could have a history of its own cosigned; give one"
            ));
        }
        let mut seen = BTreeMap::new();
        for log in &logs {
            let path = folder.join(file(log.name()));
            let damaged = |what: &dyn std::fmt::Display| {
                format!("`{}` cannot be used: {what}", path.display())
            };
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => return Err(damaged(&e)),
            };
            let note = Note::parse(&text).map_err(|e| damaged(&e))?;
            let checkpoint = Checkpoint::parse(&note.text).map_err(|e| damaged(&e))?;
            if checkpoint.origin != log.name() || !matches!(own.cosigned(&note), Ok(Some(_))) {
                return Err(damaged(&"this witness did not sign it"));
            }
            seen.insert(checkpoint.origin.clone(), (checkpoint, text));
        }
        Ok(Self {
            key,
            logs: logs.into_iter().map(|l| (l.name().to_owned(), l)).collect(),
            folder,
            seen: Mutex::new(seen),
        })
    }

    /// Its verifier key.
    pub(crate) fn vkey(&self) -> String {
        self.key.vkey()
    }

    /// Decides a request: `POST add-checkpoint`.
    pub(crate) async fn add(&self, body: &[u8]) -> Answer {
        let submission = match Submission::parse(body) {
            Ok(submission) => submission,
            Err(what) => return Answer::Malformed(what),
        };
        let origin = submission.note.text.split('\n').next().unwrap_or_default();
        let Some(log) = self.logs.get(origin) else {
            return Answer::Unknown;
        };
        let checkpoint = match log.open_note(&submission.note) {
            Ok(checkpoint) => checkpoint,
            Err(e) => return Answer::Unsigned(e.to_string()),
        };
        let mut seen = self.seen.lock().await;
        let latest = seen.get(origin).map(|(checkpoint, _)| checkpoint);
        if let Some(refused) = judge(&submission, &checkpoint, latest) {
            return refused;
        }
        let seconds = u64::try_from(SystemClock.now().0 / 1_000).unwrap_or(0);
        let line = self.key.cosign(seconds, &submission.note.text);
        let kept = match log.line(&submission.note) {
            Ok(Some(signed)) => Note {
                text: submission.note.text.clone(),
                signatures: vec![signed.clone(), line.clone()],
            },
            _ => return Answer::Unsigned("no signature of a trusted key".to_owned()),
        }
        .to_string();
        let (path, bytes) = (self.folder.join(file(origin)), kept.clone());
        let written =
            tokio::task::spawn_blocking(move || write_atomically(&path, bytes.as_bytes(), 0o644));
        match written.await {
            Ok(Ok(())) => {
                seen.insert(origin.to_owned(), (checkpoint, kept));
                Answer::Cosigned(line.to_string())
            }
            Ok(Err(e)) => Answer::NotKept(e.to_string()),
            Err(e) => Answer::NotKept(e.to_string()),
        }
    }

    /// The latest cosigned checkpoint of a log, by the digest of its name.
    pub(crate) async fn latest(&self, digest: &str) -> Option<String> {
        let seen = self.seen.lock().await;
        let mut all = seen.iter();
        let found = all.find(|(origin, _)| name_digest(origin) == digest);
        found.map(|(_, (_, note))| note.clone())
    }
}

/// Why a submission is not cosigned, if it is not.
fn judge(
    submission: &Submission,
    checkpoint: &Checkpoint,
    latest: Option<&Checkpoint>,
) -> Option<Answer> {
    if submission.old > checkpoint.size {
        return Some(Answer::Malformed("the old size is beyond the checkpoint's"));
    }
    let known = latest.map_or(0, |latest| latest.size);
    if submission.old != known {
        return Some(Answer::Conflict(known));
    }
    if checkpoint.size == 0 && checkpoint.root != empty_root() {
        return Some(Answer::Inconsistent(
            "the root of no entries is SHA-256 of nothing",
        ));
    }
    let Some(latest) = latest.filter(|latest| latest.size > 0) else {
        return (!submission.proof.is_empty()).then_some(Answer::Inconsistent(
            "nothing was seen: nothing is to be proven",
        ));
    };
    let proven = verify_consistency(
        latest.size,
        &latest.root,
        checkpoint.size,
        &checkpoint.root,
        &submission.proof,
    );
    proven
        .err()
        .map(|_| Answer::Inconsistent("the tree does not continue the one that was seen"))
}

/// A log's name in paths.
pub(super) fn name_digest(origin: &str) -> String {
    hex::encode(Sha256::digest(origin))
}

fn file(origin: &str) -> String {
    format!("{}.checkpoint", name_digest(origin))
}

/// The witness's routes.
pub(crate) fn router(desk: Arc<WitnessDesk>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add))
        .route("/{origin}/checkpoint", get(latest))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(desk)
}

async fn add(State(desk): State<Arc<WitnessDesk>>, body: Bytes) -> Response {
    let answer = desk.add(&body).await;
    if !matches!(answer, Answer::Cosigned(_)) {
        tracing::warn!(?answer, "a checkpoint was not cosigned");
    }
    let (status, kind, text) = match answer {
        Answer::Cosigned(lines) => (StatusCode::OK, plain(), lines),
        Answer::Malformed(what) => (StatusCode::BAD_REQUEST, plain(), format!("{what}\n")),
        Answer::Unknown => (
            StatusCode::NOT_FOUND,
            plain(),
            "this log is not witnessed here\n".to_owned(),
        ),
        Answer::Unsigned(why) => (StatusCode::FORBIDDEN, plain(), format!("{why}\n")),
        Answer::Conflict(size) => (
            StatusCode::CONFLICT,
            HeaderValue::from_static("text/x.tlog.size"),
            format!("{size}\n"),
        ),
        Answer::Inconsistent(what) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            plain(),
            format!("{what}\n"),
        ),
        Answer::NotKept(why) => (StatusCode::SERVICE_UNAVAILABLE, plain(), format!("{why}\n")),
    };
    (status, [(header::CONTENT_TYPE, kind)], text).into_response()
}

fn plain() -> HeaderValue {
    HeaderValue::from_static("text/plain; charset=utf-8")
}

async fn latest(State(desk): State<Arc<WitnessDesk>>, Path(origin): Path<String>) -> Response {
    match desk.latest(&origin).await {
        Some(note) => ([(header::CONTENT_TYPE, plain())], note).into_response(),
        None => (StatusCode::NOT_FOUND, "nothing was cosigned of this log\n").into_response(),
    }
}
