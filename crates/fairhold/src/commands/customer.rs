//! What a customer does with its own key, at the gateway: `fairhold status
//! --key`, `fairhold appeal`.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use console::{CaseView, NewAttachment, OverviewView, TermsView};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args::notices::{Appeal, Door, Said};
use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::remote::segment;
use crate::run_file::RunFile;
use crate::witness::{Caller, caller};

/// Bytes of the longest answer that is read.
const ANSWER: usize = 32 << 20;

struct Customer {
    caller: Caller,
    url: String,
    key: String,
}

impl Customer {
    fn of(data: &Path, door: Door) -> Result<Self, Failure> {
        let key = door.key.ok_or_else(|| {
            Failure::error("failed to ask as a customer: give `--key`, or FAIRHOLD_API_KEY")
        })?;
        let here = || RunFile::read(data).map(|run| run.gateway);
        let url = door
            .url
            .or_else(here)
            .ok_or_else(|| Failure::error("failed to find the gateway: give `--url`"))?;
        Ok(Self {
            caller: caller(),
            url: url.trim_end_matches('/').to_owned(),
            key,
        })
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, Failure> {
        let failed =
            |e: &dyn std::fmt::Display| Failure::error(format!("failed to ask {}: {e}", self.url));
        let body = body.map_or_else(String::new, |body| body.to_string());
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| failed(&e))?;
        let answer = self.caller.request(request).await.map_err(|e| failed(&e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER).collect().await;
        let body = body.map_err(|e| failed(&e))?.to_bytes();
        if !status.is_success() {
            return Err(failed(&said(status.as_u16(), &body)));
        }
        serde_json::from_slice(&body).map_err(|e| failed(&e))
    }
}

/// What a refusal says: JSON of the API, or the words of a page.
fn said(status: u16, body: &[u8]) -> String {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let message = json
        .as_ref()
        .and_then(|v| v.pointer("/error/message")?.as_str());
    if let Some(message) = message {
        return message.to_owned();
    }
    let page = String::from_utf8_lossy(body);
    let words = page
        .split("<p>")
        .nth(1)
        .and_then(|rest| rest.split("</p>").next());
    words.map_or_else(|| format!("it answered {status}"), str::to_owned)
}

/// `fairhold status --key`.
pub(crate) async fn status(data: &Path, door: Door, out: Out) -> Result<Exit, Failure> {
    let customer = Customer::of(data, door)?;
    let terms: TermsView = customer.ask(Method::GET, "/v1/terms", None).await?;
    let own: OverviewView = customer
        .ask(Method::GET, "/fairhold/v1/account", None)
        .await?;
    out.data(&json!({"terms": terms, "account": own}))?;
    out.line(&format!("account    {} ({})", own.account, own.standing));
    out.line(&format!("purposes   {}", own.purposes.join(", ")));
    out.line(&format!(
        "used       {} requests, {} tokens, {} millionths of a dollar",
        own.requests, own.tokens, own.micro_usd
    ));
    for limit in &own.limits {
        let used = limit
            .used
            .map_or_else(String::new, |used| format!("{used} of "));
        out.line(&format!("limit      {}: {used}{}", limit.what, limit.limit));
    }
    for measure in &own.in_force {
        out.line(&format!(
            "in force   {} by case {} (clause {})",
            measure.measure.measure, measure.case, measure.clause
        ));
    }
    for document in &terms.documents {
        out.line(&format!("binds      {}", document.version));
    }
    if let Some(case) = own.cases.first() {
        out.next(&format!("fairhold appeal show {}", case.case));
    }
    Ok(Exit::Clean)
}

fn attachment(path: &Path) -> Result<NewAttachment, Failure> {
    let failed = |e: &dyn std::fmt::Display| {
        Failure::error(format!("failed to attach `{}`: {e}", path.display()))
    };
    let kind = match path.extension().and_then(|e| e.to_str()) {
        Some("txt" | "md" | "log") => "text/plain",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => return Err(failed(&"use a text, CSV, JSON, PDF, PNG or JPEG file")),
    };
    let name = path.file_name().and_then(|name| name.to_str());
    let bytes = std::fs::read(path).map_err(|e| failed(&e))?;
    Ok(NewAttachment {
        name: name.unwrap_or("file").to_owned(),
        kind: kind.to_owned(),
        data: STANDARD.encode(bytes),
    })
}

async fn say(data: &Path, said: Said, step: &str, out: Out) -> Result<CaseView, Failure> {
    let mut files = Vec::new();
    for path in &said.file {
        files.push(attachment(path)?);
    }
    let customer = Customer::of(data, said.door)?;
    let path = format!("/fairhold/v1/cases/{}/{step}", segment(&said.case));
    let busy = out.busy("sending");
    let body = json!({"text": said.text, "attachments": files});
    let case = customer.ask(Method::POST, &path, Some(body)).await;
    busy.finish_and_clear();
    case
}

/// `fairhold appeal ...`.
pub(crate) async fn appeal(data: &Path, what: Appeal, out: Out) -> Result<Exit, Failure> {
    let case = match what {
        Appeal::Open(said) => say(data, said, "appeal", out).await?,
        Appeal::Add(said) => say(data, said, "evidence", out).await?,
        Appeal::Show { case, door } => {
            let customer = Customer::of(data, door)?;
            let path = format!("/fairhold/v1/cases/{}", segment(&case));
            customer.ask(Method::GET, &path, None).await?
        }
    };
    out.data(&case)?;
    out.line(&format!("case {}: {}", case.case, case.state));
    for line in case.statement.lines() {
        out.line(&format!("  {line}"));
    }
    for step in &case.timeline {
        out.line(&format!("  {} {} {}", step.at, step.step, step.comment));
        for file in &step.attachments {
            out.line(&format!(
                "    {} ({} bytes, SHA-256 {})",
                file.name, file.size, file.sha256
            ));
        }
    }
    match (&case.appeal_until, case.state.as_str()) {
        (_, "appealed") => out.next(&format!("fairhold appeal add {} --text ...", case.case)),
        (Some(_), _) => out.next(&format!("fairhold appeal open {} --text ...", case.case)),
        (None, _) => {}
    }
    Ok(Exit::Clean)
}
