//! Who answers: other services by HTTP, or one of two built in.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use facts::Endpoint;
use http::{HeaderMap, StatusCode};

use crate::config::{Config, ConfigError, Kind, UpstreamConfig};

pub(crate) mod http_client;
pub(crate) mod mock;
pub(crate) mod replay;

use http_client::HttpUpstream;
use mock::Mock;
use replay::Replay;
pub use replay::{Recording, Recordings};

/// What goes upstream: the bytes that were judged.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) stream: bool,
}

/// What an upstream says: a head, then chunks.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) chunks: Chunks,
}

/// The body of an answer, pulled one chunk at a time. Dropping it cancels the rest.
#[derive(Debug)]
pub(crate) enum Chunks {
    Http(hyper::body::Incoming),
    Whole(Option<Bytes>),
    Paced(replay::Paced),
}

/// Why an upstream gave no answer, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UpstreamError {
    /// It could not be reached; nothing was sent.
    Unreachable(String),
    /// It broke off.
    Broken(String),
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "the upstream cannot be reached: {why}"),
            Self::Broken(why) => write!(f, "the upstream broke off: {why}"),
        }
    }
}

impl Chunks {
    /// The next chunk; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, UpstreamError>> {
        match self {
            Self::Http(body) => http_client::next_chunk(body).await,
            Self::Whole(bytes) => bytes.take().map(Ok),
            Self::Paced(paced) => paced.next().await.map(Ok),
        }
    }
}

#[derive(Debug)]
enum Answerer {
    Http(HttpUpstream),
    Replay(Replay),
    Mock,
}

/// One upstream, ready to be asked.
#[derive(Debug)]
pub(crate) struct Upstream {
    config: UpstreamConfig,
    answerer: Answerer,
}

impl Upstream {
    /// Whether `stream_options.include_usage` may be asked of it.
    pub(crate) fn may_include_usage(&self) -> bool {
        self.config.include_usage
    }

    pub(crate) async fn ask(&self, call: Call) -> Result<Answer, UpstreamError> {
        match &self.answerer {
            Answerer::Http(upstream) => upstream.ask(call).await,
            Answerer::Replay(replay) => Ok(replay.answer(&call)),
            Answerer::Mock => Ok(Mock::answer(&call)),
        }
    }
}

/// All upstreams, by the models they serve.
#[derive(Debug)]
pub(crate) struct Upstreams(Vec<Upstream>);

impl Upstreams {
    /// Prepares every upstream. `recordings` are added to those that the
    /// configuration of each `replay` upstream names.
    pub(crate) fn new(config: &Config, recordings: &Recordings) -> Result<Self, ConfigError> {
        let one = |c: &UpstreamConfig| {
            let answerer = match c.kind {
                Kind::Openai | Kind::Anthropic => {
                    Answerer::Http(HttpUpstream::new(c, config.timeouts)?)
                }
                Kind::Replay => Answerer::Replay(Replay::new(c, recordings)?),
                Kind::Mock => Answerer::Mock,
            };
            Ok(Upstream {
                config: c.clone(),
                answerer,
            })
        };
        config
            .upstreams
            .iter()
            .map(one)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The upstream for a model: an exact name wins, then the longest prefix.
    pub(crate) fn of(&self, model: &str) -> Option<&Upstream> {
        let fits = self
            .0
            .iter()
            .filter_map(|u| u.config.serves(model).map(|n| (n, u)));
        fits.max_by_key(|(n, _)| *n).map(|(_, upstream)| upstream)
    }

    /// The models that are served under exact names.
    pub(crate) fn models(&self) -> BTreeSet<&str> {
        let all = self.0.iter().flat_map(|u| &u.config.models);
        all.filter(|m| !m.ends_with('*'))
            .map(String::as_str)
            .collect()
    }
}
