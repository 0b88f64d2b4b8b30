//! One try to hand a notice to a webhook.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use store::{EndpointRow, OutboxRow, SystemClock};

use super::Failed;
use super::guard::{self, Resolver};
use super::sign::Signer;
use crate::failure::with_causes;

/// How long a receiver may take, connection included.
const PATIENCE: Duration = Duration::from_secs(15);

/// The way to webhooks.
#[derive(Debug)]
pub(super) struct Webhooks {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    signer: Signer,
    loopback: bool,
}

impl Webhooks {
    /// A client that follows no redirect and connects to checked addresses only.
    pub(super) fn new(signer: Signer, loopback: bool) -> Self {
        let mut http = HttpConnector::new_with_resolver(Resolver { loopback });
        http.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            signer,
            loopback,
        }
    }

    /// Sends one; the receiver's 2xx is its receipt.
    pub(super) async fn send(&self, notice: &OutboxRow, to: &EndpointRow) -> Result<(), Failed> {
        let uri = guard::url(&to.target, self.loopback).map_err(Failed::Never)?;
        let second = SystemClock.now().0.div_euclid(1_000);
        let signature = self
            .signer
            .signature(&to.id, &notice.id, second, &notice.payload);
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::USER_AGENT,
                concat!("Fairhold/", env!("CARGO_PKG_VERSION")),
            )
            .header("webhook-id", &notice.id)
            .header("webhook-timestamp", second)
            .header("webhook-signature", signature)
            .body(Full::new(Bytes::from(notice.payload.clone())))
            .map_err(|e| Failed::Never(e.to_string()))?;
        let asked = tokio::time::timeout(PATIENCE, self.client.request(request)).await;
        let silent = || Failed::Later(format!("no answer in {} s", PATIENCE.as_secs()));
        let answer = asked.map_err(|_| silent())?;
        let answer = answer.map_err(|e| Failed::Later(with_causes(&e)))?;
        // What it says beside its status is not read.
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            410 => Err(Failed::Never("it answered 410: gone".to_owned())),
            status @ 300..=399 => Err(Failed::Later(format!(
                "it answered {status}: redirects are not followed"
            ))),
            status => Err(Failed::Later(format!("it answered {status}"))),
        }
    }
}
