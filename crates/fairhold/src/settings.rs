//! The configuration file: the gateway's part, and what the binary wires.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use console::{IssuerTerms, Origin};
use engine::prices::Prices;
use facts::Span;
use serde::Deserialize;

use crate::failure::Failure;
use crate::house::Keeping;
use crate::issuer::OidcTable;
use crate::judge::Bound;
use crate::notices::{Sending, Smtp, SmtpTable};
use crate::tsa::{Reached, Tsa};
use crate::watch::Watching;
use crate::witness::Asked;

/// What `serve` is told.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The gateway's part.
    pub(crate) gateway: gateway::Config,
    /// `postgres://...`, unless the data folder's own `SQLite` is used.
    pub(crate) database_url: Option<String>,
    /// What models cost.
    pub(crate) prices: Option<Prices>,
    /// The documents of terms that bind; none: no terms.
    pub(crate) terms: Option<Bound>,
    /// How accounts are watched.
    pub(crate) watching: Watching,
    /// How bodies are kept.
    pub(crate) keeping: Keeping,
    /// Who cosigns the log's checkpoints.
    pub(crate) witnesses: Vec<Asked>,
    /// Who says when a bundle's checkpoint existed.
    pub(crate) tsa: Option<Tsa>,
    /// How notices leave.
    pub(crate) sending: Sending,
    /// Where people go.
    pub(crate) console: ConsoleAt,
}

/// Where the console and the portal are reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConsoleAt {
    /// Where the console listens; a free port of this machine where nothing is said.
    pub(crate) listen: Option<SocketAddr>,
    /// Where people reach it; this machine where nothing is said.
    pub(crate) origin: Option<Origin>,
    /// Where customers reach the gateway; this machine where nothing is said.
    pub(crate) portal: Option<Origin>,
    /// Where people who work here may sign in too.
    pub(crate) oidc: Option<IssuerTerms>,
    /// Whether a second signature asks for a passkey or a sign-in at the issuer.
    pub(crate) proven: bool,
    /// Proxies before console and portal.
    pub(crate) proxies: Vec<IpAddr>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleTable {
    /// `127.0.0.1:8090`.
    listen: Option<SocketAddr>,
    /// `https://console.example`: passkeys are bound to it.
    origin: Option<String>,
    /// `https://api.example`: where the gateway's portal is reached.
    portal: Option<String>,
    /// Whether who came in by a one-time sign-in may not give the second signature.
    #[serde(default)]
    proven_approval: bool,
    /// Addresses of proxies of ours, which add to `x-forwarded-for` whom they ask for.
    #[serde(default)]
    proxies: Vec<IpAddr>,
    /// An issuer of sign-ins.
    oidc: Option<OidcTable>,
}

impl ConsoleTable {
    fn read(self) -> Result<ConsoleAt, String> {
        let origin = |text: Option<String>| {
            text.map(|text| Origin::parse(&text))
                .transpose()
                .map_err(|e| e.to_string())
        };
        Ok(ConsoleAt {
            listen: self.listen,
            origin: origin(self.origin)?,
            portal: origin(self.portal)?,
            oidc: self.oidc.map(OidcTable::read).transpose()?,
            proven: self.proven_approval,
            proxies: self.proxies,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticesTable {
    /// Seconds before the second try; doubled with each.
    first_retry_seconds: Option<f64>,
    /// Days that a notice is tried.
    give_up_days: Option<u32>,
    /// Seconds within which a decision of the console may be taken back.
    undo_seconds: Option<u32>,
    /// Whether webhooks may go to this machine itself, over HTTP.
    #[serde(default)]
    loopback: bool,
    /// The server that takes e-mail.
    smtp: Option<SmtpTable>,
}

impl NoticesTable {
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    fn sending(self) -> Result<Sending, String> {
        let usual = Sending::USUAL;
        let first = self.first_retry_seconds.map(|seconds| seconds * 1_000.0);
        if first.is_some_and(|ms| !(1.0..=3_600_000.0).contains(&ms)) {
            return Err("`first_retry_seconds` in `[notices]` is 0.001 to 3600".to_owned());
        }
        let give_up = self.give_up_days.map(|days| Span::days(i64::from(days)));
        let undo = self.undo_seconds.map(|s| Span::seconds(i64::from(s)));
        Ok(Sending {
            first_retry_ms: first.map_or(usual.first_retry_ms, |ms| ms as i64),
            give_up: give_up.unwrap_or(usual.give_up),
            undo: undo.unwrap_or(usual.undo),
            loopback: self.loopback,
            smtp: self.smtp.map(Smtp::parse).transpose()?,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysTable {
    /// A file that holds the KEK, outside the data folder.
    kek_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionTable {
    /// Whole days that bodies are kept.
    bodies_days: Option<u32>,
}

/// Takes both tables out of the configuration.
fn keeping(table: &mut toml::Table) -> Result<Keeping, String> {
    let read = |e: toml::de::Error| e.to_string();
    let keys = table.remove("keys").map(KeysTable::deserialize);
    let keys = keys.transpose().map_err(read)?.unwrap_or_default();
    let retention = table.remove("retention").map(RetentionTable::deserialize);
    let retention = retention.transpose().map_err(read)?.unwrap_or_default();
    let bodies_days = retention.bodies_days.unwrap_or(Keeping::USUAL.bodies_days);
    if bodies_days == 0 {
        return Err("`bodies_days` in `[retention]` must be at least 1".to_owned());
    }
    Ok(Keeping {
        kek_file: keys.kek_file,
        bodies_days,
        ..Keeping::USUAL
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreTable {
    /// `postgres://...`; keep passwords out of it: `PGPASSFILE` holds them.
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsTable {
    /// `provider/document`: they bind every request.
    #[serde(default)]
    documents: Vec<String>,
    /// Further documents by model, `"llama-3-*" = ["meta/llama-3"]`.
    #[serde(default)]
    models: BTreeMap<String, Vec<String>>,
    /// The countries that a document's clause admits, `"openai/services" = ["US", "DE"]`.
    #[serde(default)]
    countries: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetectionTable {
    /// A finding is made when an honest account would ever look like it with at most this chance.
    alpha: Option<f64>,
    /// Profiles held in memory at once.
    accounts_in_memory: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceTable {
    /// `[{ url = "https://witness.example", vkey = "..." }]`.
    #[serde(default)]
    witnesses: Vec<WitnessTable>,
    /// A timestamp authority (RFC 3161) by URL ...
    tsa: Option<String>,
    /// ... or a program with its arguments: query on stdin, answer on stdout.
    #[serde(default)]
    tsa_command: Vec<String>,
    /// PEM of its root and what else it does not send.
    tsa_chain: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessTable {
    url: String,
    vkey: String,
}

impl EvidenceTable {
    fn witnesses(&self) -> Result<Vec<Asked>, String> {
        let all = self.witnesses.iter();
        all.map(|w| Asked::parse(&w.url, &w.vkey)).collect()
    }

    fn tsa(self) -> Result<Option<Tsa>, String> {
        let Some(reached) = Reached::parse(self.tsa, self.tsa_command)? else {
            return Ok(None);
        };
        let path = self
            .tsa_chain
            .ok_or("`tsa_chain` must name the PEM file with the authority's root")?;
        let authorities = std::fs::read(&path)
            .map_err(|e| format!("`tsa_chain`: failed to read `{}`: {e}", path.display()))?;
        Ok(Some(Tsa {
            reached,
            authorities,
        }))
    }
}

impl DetectionTable {
    fn watching(&self) -> Result<Watching, String> {
        let alpha = self.alpha.unwrap_or(Watching::USUAL.alpha);
        if !(alpha > 0.0 && alpha <= 0.2) {
            return Err(format!(
                "`alpha` in `[detection]` is {alpha}: give the share of honest accounts that may be asked for a declaration, above 0 and at most 0.2"
            ));
        }
        let held = self.accounts_in_memory;
        let accounts_in_memory = held.unwrap_or(Watching::USUAL.accounts_in_memory);
        if accounts_in_memory == 0 {
            return Err("`accounts_in_memory` in `[detection]` must be at least 1".to_owned());
        }
        Ok(Watching {
            alpha,
            accounts_in_memory,
        })
    }
}

impl Settings {
    /// Reads and checks the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let place = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::error(format!("failed to read `{place}`: {e}")))?;
        let wrong = |e: String| Failure::error(format!("failed to use `{place}`: {e}"));
        let mut table: toml::Table = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let store = table
            .remove("store")
            .map(StoreTable::deserialize)
            .transpose();
        let terms = table
            .remove("terms")
            .map(TermsTable::deserialize)
            .transpose();
        let detection = table
            .remove("detection")
            .map(DetectionTable::deserialize)
            .transpose()
            .map_err(|e| wrong(e.to_string()))?
            .map(|table| table.watching().map_err(&wrong))
            .transpose()?;
        let keeping = keeping(&mut table).map_err(&wrong)?;
        let evidence = table
            .remove("evidence")
            .map(EvidenceTable::deserialize)
            .transpose()
            .map_err(|e| wrong(e.to_string()))?
            .unwrap_or_default();
        let console = table.remove("console").map(ConsoleTable::deserialize);
        let console = console.transpose().map_err(|e| wrong(e.to_string()))?;
        let console = console.unwrap_or_default().read().map_err(&wrong)?;
        let notices = table.remove("notices").map(NoticesTable::deserialize);
        let notices = notices.transpose().map_err(|e| wrong(e.to_string()))?;
        let sending = notices.unwrap_or_default().sending().map_err(&wrong)?;
        let prices = table
            .remove("prices")
            .map(|prices| toml::to_string(&prices).map_err(|e| wrong(e.to_string())))
            .transpose()?
            .map(|text| Prices::parse(&text).map_err(|e| wrong(e.to_string())))
            .transpose()?;
        let rest = toml::to_string(&table).map_err(|e| wrong(e.to_string()))?;
        Ok(Self {
            gateway: gateway::Config::parse(&rest).map_err(|e| wrong(e.to_string()))?,
            database_url: store.map_err(|e| wrong(e.to_string()))?.map(|s| s.url),
            prices,
            sending,
            console,
            keeping,
            witnesses: evidence.witnesses().map_err(&wrong)?,
            tsa: evidence.tsa().map_err(&wrong)?,
            watching: detection.unwrap_or(Watching::USUAL),
            terms: terms.map_err(|e| wrong(e.to_string()))?.map(|table| Bound {
                documents: table.documents,
                models: table.models,
                countries: table.countries,
            }),
        })
    }
}
