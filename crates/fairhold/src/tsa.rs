//! Who says when? A timestamp authority (RFC 3161), by URL or by command, asked for the checkpoint
//! of each bundle that is exported.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use evidence::bundle::Timestamp;
use evidence::timestamp::{accept, request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Uri, header};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::witness::caller;

/// How long an authority may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the longest answer: a token with a chain of certificates has some thousands.
const ANSWER: usize = 256 << 10;

/// How the authority is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reached {
    /// Over HTTP.
    Url(String),
    /// A program that reads the query from stdin and writes the answer to stdout.
    Command(Vec<String>),
}

/// An authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tsa {
    /// How.
    pub(crate) reached: Reached,
    /// Its root and what else it does not send, PEM.
    pub(crate) authorities: Vec<u8>,
}

impl Reached {
    /// What the configuration says, if it names one authority.
    ///
    /// # Errors
    /// In words that say what to change.
    pub(crate) fn parse(url: Option<String>, command: Vec<String>) -> Result<Option<Self>, String> {
        match (url, command.is_empty()) {
            (None, true) => Ok(None),
            (None, false) => Ok(Some(Self::Command(command))),
            (Some(_), false) => Err("give either `tsa` or `tsa_command`, not both".to_owned()),
            (Some(url), true) => {
                let at: Uri = url.parse().map_err(|e| format!("`tsa`: {e}"))?;
                if at.host().is_none() || !matches!(at.scheme_str(), Some("http" | "https")) {
                    return Err("`tsa` is not `http://...` or `https://...`".to_owned());
                }
                Ok(Some(Self::Url(url)))
            }
        }
    }
}

impl Tsa {
    /// A timestamp over these bytes.
    ///
    /// # Errors
    /// In words, when there is none or it does not hold.
    pub(crate) async fn stamp(&self, data: &[u8]) -> Result<Timestamp, String> {
        let nonce = store::random().map_err(|e| format!("no randomness: {e}"))?;
        let nonce = u64::from_be_bytes(nonce);
        let query = request(data, nonce).map_err(|e| e.to_string())?;
        let answer = async {
            match &self.reached {
                Reached::Url(url) => posted(url, query).await,
                Reached::Command(words) => run(words, &query).await,
            }
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let answer = answer.map_err(|_| "the timestamp authority did not answer in time")??;
        let (timestamp, _) =
            accept(&answer, data, nonce, &self.authorities).map_err(|e| e.to_string())?;
        Ok(timestamp)
    }
}

async fn posted(url: &str, query: Vec<u8>) -> Result<Vec<u8>, String> {
    let failed = |e: &dyn std::fmt::Display| format!("ask the timestamp authority at {url}: {e}");
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/timestamp-query")
        .body(Full::new(Bytes::from(query)))
        .map_err(|e| failed(&e))?;
    let answer = caller().request(request).await.map_err(|e| failed(&e))?;
    if !answer.status().is_success() {
        return Err(failed(&answer.status()));
    }
    let body = Limited::new(answer.into_body(), ANSWER).collect().await;
    Ok(body.map_err(|e| failed(&e))?.to_bytes().to_vec())
}

async fn run(words: &[String], query: &[u8]) -> Result<Vec<u8>, String> {
    let (program, arguments) = words.split_first().ok_or("`tsa_command` is empty")?;
    let failed = |e: &dyn std::fmt::Display| format!("run `{program}` for a timestamp: {e}");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| failed(&e))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(query).await.map_err(|e| failed(&e))?;
    }
    let ended = child.wait_with_output().await.map_err(|e| failed(&e))?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    let words = String::from_utf8_lossy(&ended.stderr);
    Err(failed(&format!("{}: {}", ended.status, words.trim())))
}
