//! The ledgers over HTTP: C2SP tlog-tiles and receipts, for a customer with
//! its key and for whoever holds the admin token.
//!
//! A customer reads its own ledger and receipts; another's looks like none.
//! The root log is public: it names ledgers by digests of their accounts.

use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::access::Open;
use crate::admin::{answer, read, refusal, with_json};
use crate::api::{Api, Told, told};
use crate::office::{CheckpointView, Office, OfficeError};
use crate::pages::{ask_for_key, caller};

/// Which ledger is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerOf {
    /// The root log.
    Root,
    /// That of records without an account.
    House,
    /// An account's.
    Account(String),
}

/// Its path below the admin API's or the public prefix.
impl fmt::Display for LedgerOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("log"),
            Self::House => f.write_str("house"),
            Self::Account(account) => write!(f, "ledgers/{account}"),
        }
    }
}

/// A file of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it will ever change.
    pub immutable: bool,
}

/// A record with all that proves it to somebody who knows the root log's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReceiptView {
    /// Its number: `x-evidence-seq` of the exchange.
    pub seq: u64,
    /// The record's exact bytes: the leaf.
    pub record: String,
    /// C2SP tlog-proof that it is in its ledger.
    pub proof: String,
    /// The key of that ledger: the log's key under the ledger's name.
    pub ledger_vkey: String,
    /// The ledger's checkpoint without signatures: an entry of the root log.
    pub ledger: String,
    /// C2SP tlog-proof that it is in the root log.
    pub ledger_proof: String,
    /// The root log's key.
    pub vkey: String,
}

/// What came of asking for a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Here it is.
    Sealed(Box<ReceiptView>),
    /// The record is there; the ledger is sealed every second.
    NotYet,
}

/// A ledger as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LedgerView {
    /// The account; none for the house's.
    pub account: Option<String>,
    /// Its name.
    pub origin: String,
    /// Records in it.
    pub size: u64,
}

/// An epoch of the root log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EpochView {
    /// Its number.
    pub epoch: u64,
    /// The root log's name in it.
    pub origin: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// Why.
    pub reason: String,
    /// Entries of the root log.
    pub size: u64,
    /// The first journal record that it does not hold.
    pub sealed: u64,
}

/// All ledgers of the current epoch, and all epochs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LedgersView {
    /// Why nothing is signed; none when all is well.
    pub refused: Option<String>,
    /// The trust policy: the log's key and its witnesses.
    pub policy: String,
    /// Epochs, the latest last.
    pub epochs: Vec<EpochView>,
    /// Ledgers of the latest, by account.
    pub ledgers: Vec<LedgerView>,
}

/// A new epoch to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEpoch {
    /// Why, for everybody to read.
    pub reason: String,
}

/// A question about an earlier epoch, or for JSON.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    epoch: Option<u64>,
    format: Option<String>,
}

/// Routes for customers, and of the public root log.
pub(crate) fn customer<O: Office>(api: Api<O>) -> Api<O> {
    let log = told::<String>("A file of the root log (C2SP tlog-tiles)");
    let own = told::<String>("A file of the caller's own ledger (C2SP tlog-tiles)");
    api.on(
        "get",
        "/fairhold/v1/log/{*path}",
        get(public_log::<O>),
        file_of(log).public(),
    )
    .on(
        "get",
        "/fairhold/v1/ledgers/{account}/{*path}",
        get(own_file::<O>),
        file_of(own),
    )
    .on(
        "get",
        "/fairhold/v1/receipts/{seq}",
        get(own_receipt::<O>),
        receipt_of(),
    )
}

fn file_of(told: Told) -> Told {
    told.bytes("application/octet-stream")
        .asks("epoch", "an earlier epoch")
}

fn receipt_of() -> Told {
    told::<ReceiptView>("The receipt of a record, once it holds")
        .asks("format", "`json`; C2SP tlog-proof as text without it")
}

/// Routes for whoever works here.
pub(crate) fn admin<O: Office>(api: Api<O>) -> Api<O> {
    let of = |summary| file_of(told::<String>(summary)).open_to(Open::Staff);
    let rotate_to = told::<CheckpointView>("Begin a new epoch of the root log").takes::<NewEpoch>();
    api.on(
        "get",
        "/admin/ledgers",
        get(all::<O>),
        told::<LedgersView>("Every ledger and every epoch").open_to(Open::Staff),
    )
    .on(
        "post",
        "/admin/ledgers/rotate",
        post(rotate::<O>),
        rotate_to.open_to(Open::Operator),
    )
    .on(
        "get",
        "/admin/log/{*path}",
        get(public_log::<O>),
        of("A file of the root log (C2SP tlog-tiles)"),
    )
    .on(
        "get",
        "/admin/house/{*path}",
        get(house_file::<O>),
        of("A file of the house's ledger"),
    )
    .on(
        "get",
        "/admin/ledgers/{account}/{*path}",
        get(any_file::<O>),
        of("A file of an account's ledger"),
    )
    .on(
        "get",
        "/admin/receipts/{seq}",
        get(any_receipt::<O>),
        receipt_of().open_to(Open::Staff),
    )
}

async fn public_log<O: Office>(
    State(office): State<Arc<O>>,
    Path(path): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    file(&*office, LedgerOf::Root, &path, &asked).await
}

async fn house_file<O: Office>(
    State(office): State<Arc<O>>,
    Path(path): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    file(&*office, LedgerOf::House, &path, &asked).await
}

async fn any_file<O: Office>(
    State(office): State<Arc<O>>,
    Path((account, path)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    file(&*office, LedgerOf::Account(account), &path, &asked).await
}

async fn own_file<O: Office>(
    State(office): State<Arc<O>>,
    Path((account, path)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    match caller(&*office, &headers) {
        None => ask_for_key(),
        Some(own) if own == account => {
            let mut response = file(&*office, LedgerOf::Account(account), &path, &asked).await;
            // One customer's: no cache between us may show it to another.
            if let Some(kept) = response.headers_mut().get_mut(header::CACHE_CONTROL)
                && kept == IMMUTABLE
            {
                *kept = HeaderValue::from_static("private, max-age=31536000, immutable");
            }
            response
        }
        Some(_) => refusal(&OfficeError::NotFound(
            "your key reads the ledger of its own account only".to_owned(),
        )),
    }
}

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

async fn file<O: Office>(office: &O, of: LedgerOf, path: &str, asked: &Asked) -> Response {
    match office.ledger_file(&of, asked.epoch, path).await {
        Ok(file) => {
            let (kind, cache) = if file.immutable {
                ("application/octet-stream", IMMUTABLE)
            } else {
                ("text/plain; charset=utf-8", "no-cache")
            };
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
                (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
            ];
            (StatusCode::OK, headers, file.bytes).into_response()
        }
        Err(refused) => refusal(&refused),
    }
}

async fn own_receipt<O: Office>(
    State(office): State<Arc<O>>,
    Path(seq): Path<u64>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    match caller(&*office, &headers) {
        None => ask_for_key(),
        Some(own) => receipted(office.receipt(Some(&own), seq).await, &asked),
    }
}

async fn any_receipt<O: Office>(
    State(office): State<Arc<O>>,
    Path(seq): Path<u64>,
    Query(asked): Query<Asked>,
) -> Response {
    receipted(office.receipt(None, seq).await, &asked)
}

fn receipted(receipt: Result<Receipt, OfficeError>, asked: &Asked) -> Response {
    match receipt {
        Ok(Receipt::Sealed(receipt)) if asked.format.as_deref() == Some("json") => {
            answer(StatusCode::OK, Ok(receipt))
        }
        Ok(Receipt::Sealed(receipt)) => {
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            let seq = HeaderValue::from(receipt.seq);
            let named = header::HeaderName::from_static("x-evidence-seq");
            let headers = [(header::CONTENT_TYPE, plain), (named, seq)];
            (StatusCode::OK, headers, receipt.proof).into_response()
        }
        Ok(Receipt::NotYet) => {
            let body = r#"{"error":{"message":"the record is kept and not sealed yet; try again in a second","type":"not_yet","param":null,"code":"not_sealed_yet"}}"#;
            let mut response = with_json(StatusCode::NOT_FOUND, body.to_owned());
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
        Err(refused) => refusal(&refused),
    }
}

async fn all<O: Office>(State(office): State<Arc<O>>) -> Response {
    answer(StatusCode::OK, office.ledgers().await)
}

async fn rotate<O: Office>(State(office): State<Arc<O>>, body: Bytes) -> Response {
    match read::<NewEpoch>(&body) {
        Ok(new) => answer::<CheckpointView>(StatusCode::OK, office.rotate(&new.reason).await),
        Err(refused) => refusal(&refused),
    }
}
