//! How is the issuer of sign-ins reached? `[console.oidc]`, and the way there.
//!
//! The operator names the issuer, which may well be inside their network; what
//! the issuer's own documents name may be at its host, or in the public internet.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use console::{Fetch, Fetched, IssuerTerms, Shown, Unreached};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

use crate::failure::with_causes;
use crate::notices::guard::{self, Resolver};
use crate::witness::{Caller, caller};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the longest answer that is read.
const ANSWER: usize = 256 << 10;

/// What `[console.oidc]` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OidcTable {
    /// `https://login.example`, exactly as its discovery document has it.
    issuer: String,
    /// What its button says; its host where nothing is said.
    called: Option<String>,
    client_id: String,
    /// The file that holds the secret ...
    client_secret_file: Option<PathBuf>,
    /// ... or the environment variable; neither: a public client.
    client_secret_env: Option<String>,
    /// By which claim people recognise somebody: email, `preferred_username`, name or sub.
    shown: Option<Shown>,
    /// Whether invitations are used there only.
    #[serde(default)]
    required: bool,
}

impl OidcTable {
    /// Checks what was configured and reads the secret.
    ///
    /// # Errors
    /// In words that say what to change.
    pub(crate) fn read(self) -> Result<IssuerTerms, String> {
        let wrong = |why: String| format!("`[console.oidc]`: {why}");
        let url: Uri = self
            .issuer
            .parse()
            .map_err(|_| wrong(format!("`issuer` `{}` is no URL", self.issuer)))?;
        let host = url
            .host()
            .ok_or_else(|| wrong("`issuer` names no host".to_owned()))?;
        if !own_scheme(&url) {
            return Err(wrong("`issuer` is not `https://...`".to_owned()));
        }
        let client_secret = match (self.client_secret_file, self.client_secret_env) {
            (Some(_), Some(_)) => {
                let why = "give `client_secret_file` or `client_secret_env`, not both";
                return Err(wrong(why.to_owned()));
            }
            (Some(file), None) => {
                let text = std::fs::read_to_string(&file)
                    .map_err(|e| wrong(format!("failed to read `{}`: {e}", file.display())))?;
                Some(text.trim().to_owned())
            }
            (None, Some(name)) => {
                let missing = |_| wrong(format!("the environment variable `{name}` is not set"));
                Some(std::env::var(&name).map_err(missing)?)
            }
            (None, None) => None,
        };
        if client_secret.as_deref().is_some_and(str::is_empty) {
            return Err(wrong("the client's secret is empty".to_owned()));
        }
        Ok(IssuerTerms {
            called: self.called.unwrap_or_else(|| host.to_owned()),
            url: self.issuer,
            client_id: self.client_id,
            client_secret,
            shown: self.shown.unwrap_or(Shown::Email),
            required: self.required,
        })
    }
}

/// HTTPS, or an issuer on this machine.
fn own_scheme(url: &Uri) -> bool {
    let here = matches!(url.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme_str() {
        Some("https") => true,
        Some("http") => here,
        _ => false,
    }
}

type Outward = Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// The two ways.
struct Ways {
    host: String,
    own: Caller,
    outward: Outward,
}

/// The way to the issuer at `url`.
pub(crate) fn fetch(url: &str) -> Fetch {
    let mut http = HttpConnector::new_with_resolver(Resolver { loopback: false });
    http.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_only()
        .enable_http1()
        .wrap_connector(http);
    let host = url
        .parse()
        .ok()
        .and_then(|url: Uri| url.host().map(str::to_owned));
    let ways = Arc::new(Ways {
        host: host.unwrap_or_default(),
        own: caller(),
        outward: Client::builder(TokioExecutor::new()).build(connector),
    });
    Arc::new(move |request| -> Fetched {
        let ways = Arc::clone(&ways);
        Box::pin(async move {
            let asked = tokio::time::timeout(PATIENCE, ways.ask(request)).await;
            asked.map_err(|_| Unreached(format!("no answer in {} s", PATIENCE.as_secs())))?
        })
    })
}

fn unreached(error: &dyn std::error::Error) -> Unreached {
    Unreached(with_causes(error))
}

impl Ways {
    async fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Unreached> {
        let uri = request.uri().clone();
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let answered = if uri.host() == Some(self.host.as_str()) && own_scheme(&uri) {
            self.own.request(request).await
        } else {
            guard::url(&uri.to_string(), false).map_err(|why| {
                Unreached(format!("the issuer's documents lead elsewhere: {why}"))
            })?;
            self.outward.request(request).await
        };
        let (head, body) = answered.map_err(|e| unreached(&e))?.into_parts();
        let body = Limited::new(body, ANSWER).collect().await;
        let body = body.map_err(|e| Unreached(format!("its answer cannot be read: {e}")))?;
        Ok(Response::from_parts(head, body.to_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests;
