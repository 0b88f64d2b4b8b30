//! How the gateway is set up. Every mistake is an error at load, never a guess.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use facts::ModelName;
use serde::Deserialize;

/// The whole configuration, as read from TOML. Unknown fields are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Base of the addresses of cases in errors, for example `https://api.example.com`.
    #[serde(default)]
    pub public_url: Option<String>,
    /// The header in which a trusted proxy names the client's country in two letters, for example
    /// `cf-ipcountry`; without it no country is known. The proxy must strip what clients send.
    #[serde(default)]
    pub country_header: Option<String>,
    /// Bounds on what clients may send and hold.
    #[serde(default)]
    pub limits: Limits,
    /// How long to wait for upstreams.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Who answers, at least one.
    #[serde(rename = "upstream")]
    pub upstreams: Vec<UpstreamConfig>,
}

/// Bounds on what clients may send and hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest request body in bytes; more is answered 413.
    pub body_bytes: usize,
    /// Largest head of a request in bytes (at least 8,192).
    pub head_bytes: usize,
    /// Exchanges running at once; more are answered 503 with `retry-after`.
    pub exchanges: usize,
    /// Seconds in which a head must arrive.
    pub head_seconds: u64,
    /// Seconds in which a body must arrive.
    pub body_seconds: u64,
    /// Seconds for which a client may leave a chunk unread.
    pub unread_seconds: u64,
    /// Seconds given to running exchanges when the server stops.
    pub drain_seconds: u64,
    /// Bytes of an answer that are kept to be sealed; of longer answers the
    /// beginning is kept, the digest covers all.
    pub kept_answer_bytes: usize,
    /// Largest plain answer of an upstream in bytes.
    pub answer_bytes: usize,
    /// Largest single event of a stream in bytes (images come in one).
    pub event_bytes: usize,
    /// Tokens reserved for an answer that names no limit.
    pub output_tokens_default: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 50 << 20,
            head_bytes: 64 << 10,
            exchanges: 10_000,
            head_seconds: 10,
            body_seconds: 60,
            unread_seconds: 60,
            drain_seconds: 30,
            kept_answer_bytes: 4 << 20,
            answer_bytes: 64 << 20,
            event_bytes: 16 << 20,
            output_tokens_default: 4_096,
        }
    }
}

/// How long to wait for upstreams. There is no total limit while tokens flow.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Milliseconds to connect.
    pub connect_ms: u64,
    /// Milliseconds to the first byte of the answer.
    pub first_token_ms: u64,
    /// Milliseconds between two chunks.
    pub idle_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 5_000,
            first_token_ms: 120_000,
            idle_ms: 60_000,
        }
    }
}

impl Limits {
    fn is_any_wait_zero(&self) -> bool {
        [self.head_seconds, self.body_seconds, self.unread_seconds].contains(&0)
    }
}

impl Timeouts {
    fn is_any_zero(self) -> bool {
        [self.connect_ms, self.first_token_ms, self.idle_ms].contains(&0)
    }
    pub(crate) fn first_token(self) -> Duration {
        Duration::from_millis(self.first_token_ms)
    }
    pub(crate) fn idle(self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}

/// What kind of upstream it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Speaks `OpenAI`'s API.
    Openai,
    /// Speaks Anthropic's API.
    Anthropic,
    /// Answers from recorded exchanges, in this process.
    Replay,
    /// Answers the same always, in this process.
    Mock,
}

/// One upstream.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// Its name in logs and metrics.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// Models it serves: exact names, or a prefix ending in `*`.
    pub models: Vec<String>,
    /// `http://` or `https://`, without `/v1`. For `openai` and `anthropic`.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Environment variable that holds its key.
    #[serde(default)]
    pub api_key_env: Option<String>,
    /// File that holds its key.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// Whether `stream_options.include_usage` may be asked of it.
    #[serde(default = "yes")]
    pub include_usage: bool,
    /// Recordings, for `replay`: JSON lines of `{"messages": [...], "response": "..."}`.
    #[serde(default)]
    pub recordings: Vec<PathBuf>,
    /// Milliseconds between the chunks of a replayed stream.
    #[serde(default)]
    pub chunk_ms: u64,
}

fn yes() -> bool {
    true
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration: {}", self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field and what it must be.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| ConfigError(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field and what it must be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |text: String| Err(ConfigError(text));
        if self.upstreams.is_empty() {
            return wrong("no [[upstream]] is given; every model needs one".to_owned());
        }
        if self.limits.head_bytes < 8_192 {
            return wrong("limits.head_bytes must be at least 8192".to_owned());
        }
        if !(1..=1_000_000).contains(&self.limits.exchanges) {
            return wrong("limits.exchanges must be from 1 to 1000000".to_owned());
        }
        if self.limits.is_any_wait_zero() || self.timeouts.is_any_zero() {
            return wrong("a wait of 0 in `limits` or `timeouts` lets nothing through".to_owned());
        }
        let (mut names, mut models) = (BTreeSet::new(), BTreeSet::new());
        for upstream in &self.upstreams {
            upstream.check()?;
            if !names.insert(&upstream.name) {
                return wrong(format!("two upstreams are called `{}`", upstream.name));
            }
            for model in &upstream.models {
                if !models.insert(model) {
                    return wrong(format!("two upstreams serve `{model}`; give it to one"));
                }
            }
        }
        Ok(())
    }
}

impl UpstreamConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |text: &str| Err(ConfigError(format!("upstream `{}`: {text}", self.name)));
        if self.models.is_empty() {
            return wrong("`models` is empty; list the models it serves");
        }
        for model in &self.models {
            let stem = model.strip_suffix('*').unwrap_or(model);
            if stem.contains('*') || (!stem.is_empty() && ModelName::parse(stem).is_err()) {
                return wrong("a model is a name, or a prefix followed by one `*`");
            }
        }
        let remote = matches!(self.kind, Kind::Openai | Kind::Anthropic);
        match &self.base_url {
            None if remote => wrong("`base_url` is missing"),
            Some(_) if !remote => wrong("`base_url` is for kinds `openai` and `anthropic` only"),
            Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
                wrong("`base_url` must start with http:// or https://")
            }
            _ if self.api_key_env.is_some() && self.api_key_file.is_some() => {
                wrong("give `api_key_env` or `api_key_file`, not both")
            }
            _ if !self.recordings.is_empty() && self.kind != Kind::Replay => {
                wrong("`recordings` are for kind `replay` only")
            }
            _ => Ok(()),
        }
    }

    /// Whether it serves the model; how many characters decided.
    pub(crate) fn serves(&self, model: &str) -> Option<usize> {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => model.starts_with(prefix).then_some(prefix.len()),
            None => (pattern == model).then_some(usize::MAX),
        };
        self.models.iter().filter_map(fits).max()
    }
}

#[cfg(test)]
mod tests;
