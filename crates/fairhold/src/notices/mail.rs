//! One try to hand a notice to a mail server.

use std::path::Path;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::response::Category;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use serde_json::Value;
use store::OutboxRow;

use super::Failed;

/// How long the server may take for each thing that it is told.
const PATIENCE: Duration = Duration::from_secs(15);

/// How the connection is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Secrecy {
    /// TLS from the first byte (port 465).
    Tls,
    /// Plain first, TLS before anything is said (port 587).
    Starttls,
    /// None: for a server on this machine only.
    None,
}

/// The server that takes our mail.
#[derive(Debug, Clone)]
pub(crate) struct Smtp {
    host: String,
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

/// What `[notices.smtp]` says.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmtpTable {
    host: String,
    port: u16,
    secrecy: Secrecy,
    from: String,
    user: Option<String>,
    password_file: Option<std::path::PathBuf>,
    /// PEM of an authority of one's own that the server's certificate is by.
    ca_file: Option<std::path::PathBuf>,
}

impl Smtp {
    /// Checks what was configured.
    ///
    /// # Errors
    /// In words that say what to change.
    pub(crate) fn parse(table: SmtpTable) -> Result<Self, String> {
        let wrong = |why: String| format!("`[notices.smtp]`: {why}");
        let local = matches!(table.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        let own = table.ca_file.as_deref().map(authority).transpose();
        let own = own.map_err(wrong)?;
        let tls = || {
            let builder = TlsParameters::builder(table.host.clone());
            let builder = match own.clone() {
                Some(authority) => builder.add_root_certificate(authority),
                None => builder,
            };
            builder.build().map_err(|e| wrong(e.to_string()))
        };
        let tls = match table.secrecy {
            Secrecy::Tls => Tls::Wrapper(tls()?),
            Secrecy::Starttls => Tls::Required(tls()?),
            Secrecy::None if local => Tls::None,
            Secrecy::None => {
                let why = "`secrecy = \"none\"` is for a server on this machine only";
                return Err(wrong(why.to_owned()));
            }
        };
        let from = table
            .from
            .parse()
            .map_err(|e| wrong(format!("`from`: {e}")))?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&table.host)
            .port(table.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some(user) = table.user {
            let file = table.password_file.as_deref();
            let file = file.ok_or_else(|| wrong("`password_file` is missing".to_owned()))?;
            let password = std::fs::read_to_string(file)
                .map_err(|e| wrong(format!("failed to read `{}`: {e}", file.display())))?;
            builder = builder.credentials(Credentials::new(user, password.trim().to_owned()));
        }
        Ok(Self {
            host: table.host,
            from,
            transport: builder.build(),
        })
    }

    /// Sends one; the server's word that it took it is the receipt.
    pub(super) async fn send(&self, notice: &OutboxRow, to: &str) -> Result<(), Failed> {
        let message = self.message(notice, to).map_err(Failed::Never)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() && !of_ours(&error) => {
                Err(Failed::Never(error.to_string()))
            }
            Err(error) => Err(Failed::Later(error.to_string())),
        }
    }

    /// The words in each language, and the same as data.
    fn message(&self, notice: &OutboxRow, to: &str) -> Result<Message, String> {
        let to: Mailbox = to
            .parse()
            .map_err(|e| format!("`{to}` is no address: {e}"))?;
        let payload: Value = serde_json::from_str(&notice.payload).map_err(|e| e.to_string())?;
        let data = payload.get("data").cloned().unwrap_or_default();
        let text = words(&notice.event, &data);
        let case = if notice.case_id.is_empty() {
            "trial"
        } else {
            &notice.case_id
        };
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(format!("{} ({case})", notice.event))
            .message_id(Some(format!(
                "<{}.{}@{}>",
                notice.id, notice.endpoint, self.host
            )))
            .multipart(
                MultiPart::mixed()
                    .singlepart(SinglePart::plain(text))
                    .singlepart(
                        SinglePart::builder()
                            .header(ContentType::TEXT_PLAIN)
                            .header(lettre::message::header::ContentDisposition::attachment(
                                "notice.json",
                            ))
                            .body(notice.payload.clone()),
                    ),
            );
        message.map_err(|e| e.to_string())
    }
}

/// Whether it is our own sign-in at the server that is refused (530 to 539): no notice is to blame
/// for that, and somebody will repair it.
fn of_ours(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status();
    code.is_some_and(|code| code.category == Category::Unspecified3)
}

fn authority(file: &Path) -> Result<Certificate, String> {
    let place = file.display();
    let pem = std::fs::read(file).map_err(|e| format!("failed to read `{place}`: {e}"))?;
    Certificate::from_pem(&pem).map_err(|e| format!("`{place}` is no certificate: {e}"))
}

/// What a person reads.
fn words(event: &str, data: &Value) -> String {
    let texts = data.get("statement").and_then(Value::as_object);
    let texts = texts.into_iter().flat_map(|texts| texts.values());
    let mut parts: Vec<String> = texts.filter_map(Value::as_str).map(str::to_owned).collect();
    if parts.is_empty() {
        let said = data.get("comment").and_then(Value::as_str);
        parts.push(format!("{event}\n{}", said.unwrap_or_default()));
    }
    if let Some(path) = data.get("read_at").and_then(Value::as_str) {
        parts.push(format!("Read it, answer it and contest it at {path}"));
    }
    parts.join("\n\n----\n\n")
}
