//! Where are the pages reached? Passkeys are bound to it, and requests that
//! name another place are refused.

use std::fmt;

/// Scheme, host and port, as a browser writes an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    url: String,
    host: String,
    authority: String,
    secure: bool,
}

/// Why it is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginError(String);

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no origin: write `https://console.example`, or `http://localhost:PORT` on this machine; without a path",
            self.0
        )
    }
}

impl std::error::Error for OriginError {}

impl Origin {
    /// Checks and takes it.
    ///
    /// # Errors
    /// [`OriginError`]: anything but `https://HOST[:PORT]` or `http://localhost[:PORT]`.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError(text.to_owned());
        let (secure, authority) = match text.split_once("://").ok_or_else(wrong)? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return Err(wrong()),
        };
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let named = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
        let numbered = port.is_none_or(|port| port.parse::<u16>().is_ok());
        if !named || !numbered || (!secure && host != "localhost") {
            return Err(wrong());
        }
        Ok(Self {
            url: text.to_owned(),
            host: host.to_owned(),
            authority: authority.to_owned(),
            secure,
        })
    }

    /// This machine, at this port.
    pub fn localhost(port: u16) -> Self {
        Self {
            url: format!("http://localhost:{port}"),
            host: "localhost".to_owned(),
            authority: format!("localhost:{port}"),
            secure: false,
        }
    }

    /// The whole of it.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Its host: what passkeys are bound to.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether browsers reach it by TLS only.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// Whether a request with this `Host` is meant for it: no other name that somebody makes
    /// point here is.
    pub fn is(&self, authority: &str) -> bool {
        let numbered = self.authority.replacen("localhost", "127.0.0.1", 1);
        authority == self.authority || (!self.secure && authority == numbered)
    }
}
