//! The office of a running server, reached through its admin API.

use std::fmt::Write as _;

use bytes::Bytes;
use console::{
    AccountView, Activation, ActivationView, AttachmentFile, AuditAsked, AuditPage, BodyView,
    ByWhom, CalibrationView, CampaignView, CaseView, CasesAsked, CasesView, CheckpointView,
    ClaimView, ClusterLine, ClusterView, Colleague, DetectionView, Ending, EndpointView,
    ErasureView, FindingsView, HeldView, HoldView, InviteView, KeyView, LedgerFile, LedgerOf,
    LedgersView, LinksView, NewAccount, NewCase, NewEndpoint, NewEpoch, NewErasure, NewHold,
    NewInvite, NewKey, NewLinks, NewSketch, NoticeLine, NoticesAsked, Office, OfficeError,
    OverviewView, PersonView, Reading, Receipt, Release, RetentionAsked, RetentionView,
    RetriedView, SketchAsked, SketchFile, Step, TermsView, TrialView,
};
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::run_file::RunFile;

/// Speaks to the server that wrote the run file.
#[derive(Debug)]
pub(crate) struct Remote {
    client: Client<HttpConnector, Full<Bytes>>,
    run: RunFile,
}

#[derive(Deserialize)]
struct Refused {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    message: String,
    #[serde(default)]
    code: String,
}

impl Remote {
    /// The server of `run`, if it answers.
    pub(crate) async fn reach(run: RunFile) -> Option<Self> {
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let remote = Self { client, run };
        match remote
            .send(Method::GET, "/admin/log/checkpoint", Bytes::new())
            .await
        {
            Ok((status, _)) if status != 401 => Some(remote),
            _ => None,
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(u16, Bytes), OfficeError> {
        let failed = |e: &dyn std::fmt::Display| {
            OfficeError::Unavailable(format!(
                "failed to reach the server at {}: {e}",
                self.run.admin
            ))
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.run.admin))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.run.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|e| failed(&e))?;
        let response = self.client.request(request).await.map_err(|e| failed(&e))?;
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|e| failed(&e))?;
        Ok((status, body.to_bytes()))
    }

    async fn bytes(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, OfficeError> {
        let (status, body) = self.send(method, path, body).await?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let message = serde_json::from_slice::<Refused>(&body).map_or_else(
            |_| format!("the server answered {status}"),
            |r| r.error.message,
        );
        Err(OfficeError::from_status(status, message))
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, OfficeError> {
        let body = match body {
            Some(body) => {
                serde_json::to_vec(body).map_err(|e| OfficeError::Invalid(e.to_string()))?
            }
            None => Vec::new(),
        };
        let answer = self.bytes(method, path, body.into()).await?;
        serde_json::from_slice(&answer).map_err(|e| {
            OfficeError::Unavailable(format!("the server speaks another version: {e}"))
        })
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, OfficeError> {
        self.call(Method::GET, path, None::<&()>).await
    }
}

/// An id as a segment of a path: everything but letters, digits and `-_.` is
/// escaped (RFC 3986, unreserved characters).
pub(crate) fn segment(id: &str) -> String {
    id.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn whom(by: &str) -> ByWhom {
    ByWhom { by: by.to_owned() }
}

fn query(asked: &impl Serialize) -> Result<String, OfficeError> {
    serde_urlencoded::to_string(asked).map_err(|e| OfficeError::Invalid(e.to_string()))
}

impl Office for Remote {
    async fn open_account(&self, new: NewAccount) -> Result<AccountView, OfficeError> {
        self.call(Method::POST, "/admin/accounts", Some(&new)).await
    }

    async fn accounts(&self) -> Result<Vec<AccountView>, OfficeError> {
        self.read("/admin/accounts").await
    }

    async fn create_key(&self, account: &str) -> Result<NewKey, OfficeError> {
        let body = serde_json::json!({"account": account});
        self.call(Method::POST, "/admin/keys", Some(&body)).await
    }

    async fn revoke_key(&self, id: &str) -> Result<KeyView, OfficeError> {
        let path = format!("/admin/keys/{}/revoke", segment(id));
        self.call(Method::POST, &path, None::<&()>).await
    }

    async fn keys(&self) -> Result<Vec<KeyView>, OfficeError> {
        self.read("/admin/keys").await
    }

    async fn propose(&self, new: NewCase) -> Result<CaseView, OfficeError> {
        self.call(Method::POST, "/admin/cases", Some(&new)).await
    }

    async fn step(&self, case: &str, step: Step) -> Result<CaseView, OfficeError> {
        let path = format!("/admin/cases/{}/steps", segment(case));
        self.call(Method::POST, &path, Some(&step)).await
    }

    async fn cases(&self, asked: CasesAsked) -> Result<CasesView, OfficeError> {
        self.read(&format!("/admin/cases?{}", query(&asked)?)).await
    }

    async fn cases_of(&self, account: &str) -> Result<Vec<CaseView>, OfficeError> {
        let asked = CasesAsked {
            account: Some(account.to_owned()),
            limit: Some(500),
            ..CasesAsked::default()
        };
        let mut cases = Vec::new();
        for line in self.cases(asked).await?.cases {
            cases.push(self.case(&line.case).await?);
        }
        Ok(cases)
    }

    async fn claim(&self, case: &str, by: &str) -> Result<ClaimView, OfficeError> {
        let path = format!("/admin/cases/{}/claim", segment(case));
        self.call(Method::POST, &path, Some(&whom(by))).await
    }

    async fn unclaim(&self, case: &str, by: &str) -> Result<ClaimView, OfficeError> {
        let path = format!("/admin/cases/{}/claim", segment(case));
        self.call(Method::DELETE, &path, Some(&whom(by))).await
    }

    async fn hold_step(&self, case: &str, step: Step) -> Result<HeldView, OfficeError> {
        let path = format!("/admin/cases/{}/held", segment(case));
        self.call(Method::POST, &path, Some(&step)).await
    }

    async fn held_steps(&self) -> Result<Vec<HeldView>, OfficeError> {
        self.read("/admin/held").await
    }

    async fn take_back(&self, id: &str, by: &str) -> Result<HeldView, OfficeError> {
        let path = format!("/admin/held/{}", segment(id));
        self.call(Method::DELETE, &path, Some(&whom(by))).await
    }

    async fn attachment(&self, case: &str, sha256: &str) -> Result<AttachmentFile, OfficeError> {
        let shown = self.case(case).await?;
        let mut files = shown.timeline.into_iter().flat_map(|step| step.attachments);
        let view = files.find(|file| file.sha256 == sha256).ok_or_else(|| {
            OfficeError::NotFound(format!("there is no file `{sha256}` in case `{case}`"))
        })?;
        let path = format!(
            "/admin/cases/{}/attachments/{}",
            segment(case),
            segment(sha256)
        );
        let bytes = self.bytes(Method::GET, &path, Bytes::new()).await?.to_vec();
        Ok(AttachmentFile { view, bytes })
    }

    async fn overview(&self, account: &str) -> Result<OverviewView, OfficeError> {
        self.read(&format!("/admin/accounts/{}", segment(account)))
            .await
    }

    async fn clusters(&self) -> Result<Vec<ClusterLine>, OfficeError> {
        self.read("/admin/clusters").await
    }

    async fn cluster(&self, id: &str) -> Result<ClusterView, OfficeError> {
        self.read(&format!("/admin/clusters/{}", segment(id))).await
    }

    async fn audit_logs(&self, asked: AuditAsked) -> Result<AuditPage, OfficeError> {
        let path = format!("/v1/organization/audit_logs?{}", asked.query());
        self.read(&path).await
    }

    async fn notices(&self, asked: NoticesAsked) -> Result<Vec<NoticeLine>, OfficeError> {
        self.read(&format!("/admin/notices?{}", query(&asked)?))
            .await
    }

    async fn retry_notice(&self, id: &str) -> Result<RetriedView, OfficeError> {
        let path = format!("/admin/notices/{}/retry", segment(id));
        self.call(Method::POST, &path, None::<&()>).await
    }

    async fn endpoints(&self, account: Option<&str>) -> Result<Vec<EndpointView>, OfficeError> {
        let mut all: Vec<EndpointView> = self.read("/admin/endpoints").await?;
        all.retain(|endpoint| account.is_none() || endpoint.account.as_deref() == account);
        Ok(all)
    }

    async fn add_endpoint(&self, new: NewEndpoint) -> Result<EndpointView, OfficeError> {
        self.call(Method::POST, "/admin/endpoints", Some(&new))
            .await
    }

    async fn remove_endpoint(
        &self,
        _: Option<&str>,
        id: &str,
    ) -> Result<EndpointView, OfficeError> {
        let path = format!("/admin/endpoints/{}", segment(id));
        self.call(Method::DELETE, &path, None::<&()>).await
    }

    async fn test_endpoint(&self, _: Option<&str>, id: &str) -> Result<NoticeLine, OfficeError> {
        let path = format!("/admin/endpoints/{}/test", segment(id));
        self.call(Method::POST, &path, None::<&()>).await
    }

    async fn people(&self) -> Result<Vec<PersonView>, OfficeError> {
        self.read("/admin/people").await
    }

    async fn invite(&self, new: NewInvite) -> Result<InviteView, OfficeError> {
        self.call(Method::POST, "/admin/people", Some(&new)).await
    }

    async fn end_person(&self, name: &str, by: &str) -> Result<PersonView, OfficeError> {
        let path = format!("/admin/people/{}/end", segment(name));
        let by = ByWhom { by: by.to_owned() };
        self.call(Method::POST, &path, Some(&by)).await
    }

    async fn signs_in(&self, _: &str) -> Result<bool, OfficeError> {
        Ok(false) // the server at the other end asks
    }

    fn colleague(&self, _: &str) -> Option<Colleague> {
        None // the admin API tells nobody whose token a secret is
    }

    async fn case(&self, case: &str) -> Result<CaseView, OfficeError> {
        self.read(&format!("/admin/cases/{}", segment(case))).await
    }

    async fn export(&self, case: &str) -> Result<Vec<u8>, OfficeError> {
        let path = format!("/admin/cases/{}/bundle", segment(case));
        self.bytes(Method::GET, &path, Bytes::new())
            .await
            .map(|b| b.to_vec())
    }

    async fn detect(&self) -> Result<DetectionView, OfficeError> {
        self.call(Method::POST, "/admin/detect", None::<&()>).await
    }

    async fn findings(&self, account: Option<&str>) -> Result<FindingsView, OfficeError> {
        match account {
            None => self.read("/admin/findings").await,
            Some(account) => {
                let path = format!("/admin/accounts/{}/findings", segment(account));
                self.read(&path).await
            }
        }
    }

    async fn calibrate(&self) -> Result<CalibrationView, OfficeError> {
        self.call(Method::POST, "/admin/calibrate", None::<&()>)
            .await
    }

    async fn checkpoint(&self) -> Result<CheckpointView, OfficeError> {
        self.read("/admin/checkpoint").await
    }

    async fn ledger_file(
        &self,
        of: &LedgerOf,
        epoch: Option<u64>,
        path: &str,
    ) -> Result<LedgerFile, OfficeError> {
        let of = match of {
            LedgerOf::Root | LedgerOf::House => of.to_string(),
            LedgerOf::Account(account) => format!("ledgers/{}", segment(account)),
        };
        let epoch = epoch.map_or_else(String::new, |epoch| format!("?epoch={epoch}"));
        let path_and = format!("/admin/{of}/{path}{epoch}");
        let bytes = self.bytes(Method::GET, &path_and, Bytes::new()).await?;
        Ok(LedgerFile {
            bytes: bytes.to_vec(),
            immutable: path != "checkpoint",
        })
    }

    async fn receipt(&self, _: Option<&str>, seq: u64) -> Result<Receipt, OfficeError> {
        let path = format!("/admin/receipts/{seq}?format=json");
        let (status, body) = self.send(Method::GET, &path, Bytes::new()).await?;
        if status == 200 {
            return serde_json::from_slice(&body).map_or_else(
                |e| {
                    Err(OfficeError::Unavailable(format!(
                        "the server speaks another version: {e}"
                    )))
                },
                |receipt| Ok(Receipt::Sealed(receipt)),
            );
        }
        match serde_json::from_slice::<Refused>(&body) {
            Ok(refused) if refused.error.code == "not_sealed_yet" => Ok(Receipt::NotYet),
            Ok(refused) => Err(OfficeError::from_status(status, refused.error.message)),
            Err(_) => Err(OfficeError::Unavailable(format!(
                "the server answered {status}"
            ))),
        }
    }

    async fn ledgers(&self) -> Result<LedgersView, OfficeError> {
        self.read("/admin/ledgers").await
    }

    async fn rotate(&self, reason: &str) -> Result<CheckpointView, OfficeError> {
        let new = NewEpoch {
            reason: reason.to_owned(),
        };
        self.call(Method::POST, "/admin/ledgers/rotate", Some(&new))
            .await
    }

    async fn terms(&self, account: &str) -> Result<TermsView, OfficeError> {
        self.read(&format!("/admin/accounts/{}/terms", segment(account)))
            .await
    }

    async fn agree(&self, account: &str, agreement: Value) -> Result<TermsView, OfficeError> {
        let path = format!("/admin/accounts/{}/terms", segment(account));
        self.call(Method::PUT, &path, Some(&agreement)).await
    }

    async fn link(&self, account: &str, new: NewLinks) -> Result<LinksView, OfficeError> {
        let path = format!("/admin/accounts/{}/links", segment(account));
        self.call(Method::POST, &path, Some(&new)).await
    }

    async fn declare(
        &self,
        project: &str,
        purposes: Vec<String>,
    ) -> Result<Vec<String>, OfficeError> {
        let path = format!("/admin/projects/{}/purposes", segment(project));
        self.call(Method::PUT, &path, Some(&purposes)).await
    }

    async fn make_sketch(&self, new: NewSketch) -> Result<SketchFile, OfficeError> {
        self.call(Method::POST, "/admin/campaigns/make", Some(&new))
            .await
    }

    async fn try_sketch(&self, asked: SketchAsked) -> Result<TrialView, OfficeError> {
        self.call(Method::POST, "/admin/campaigns/test", Some(&asked))
            .await
    }

    async fn activate_sketch(&self, new: Activation) -> Result<ActivationView, OfficeError> {
        self.call(Method::POST, "/admin/campaigns", Some(&new))
            .await
    }

    async fn campaigns(&self) -> Result<Vec<CampaignView>, OfficeError> {
        self.read("/admin/campaigns").await
    }

    async fn expire_campaign(&self, name: &str, by: &str) -> Result<CampaignView, OfficeError> {
        let path = format!("/admin/campaigns/{}/expire", segment(name));
        let ending = Ending { by: by.to_owned() };
        self.call(Method::POST, &path, Some(&ending)).await
    }

    async fn erase(&self, new: NewErasure) -> Result<ErasureView, OfficeError> {
        self.call(Method::POST, "/admin/erasures", Some(&new)).await
    }

    async fn place_hold(&self, new: NewHold) -> Result<HoldView, OfficeError> {
        self.call(Method::POST, "/admin/holds", Some(&new)).await
    }

    async fn release_hold(&self, id: &str, by: &str) -> Result<HoldView, OfficeError> {
        let path = format!("/admin/holds/{}/release", segment(id));
        let release = Release { by: by.to_owned() };
        self.call(Method::POST, &path, Some(&release)).await
    }

    async fn holds(&self) -> Result<Vec<HoldView>, OfficeError> {
        self.read("/admin/holds").await
    }

    async fn let_go(&self, asked: RetentionAsked) -> Result<RetentionView, OfficeError> {
        self.call(Method::POST, "/admin/retention", Some(&asked))
            .await
    }

    async fn read_bodies(
        &self,
        exchange: &str,
        reading: Reading,
    ) -> Result<Vec<BodyView>, OfficeError> {
        let path = format!("/admin/exchanges/{}/bodies", segment(exchange));
        self.call(Method::POST, &path, Some(&reading)).await
    }

    fn whose(&self, _: &str) -> Option<String> {
        None // the admin API tells nobody whose key a secret is
    }
}
