//! An office that remembers what it was asked.

use std::sync::Mutex;

use base64::engine::general_purpose::STANDARD;
use console::{
    AccountView, Activation, ActivationView, AttachmentFile, AttachmentView, AuditAsked, AuditPage,
    BodyView, CalibrationView, CampaignView, CaseView, CasesAsked, CasesView, CheckpointView,
    ClaimView, ClusterLine, ClusterView, Colleague, DetectionView, DocumentView, EndpointView,
    ErasureView, FindingsView, HeldView, HoldView, InviteView, KeyView, LedgerFile, LedgerOf,
    LedgersView, LinksView, NewAccount, NewCase, NewEndpoint, NewErasure, NewHold, NewInvite,
    NewKey, NewLinks, NewSketch, NoticeLine, NoticesAsked, Office, OfficeError, OverviewView,
    PersonView, Reading, Receipt, ReceiptView, RetentionAsked, RetentionView, RetriedView,
    SketchAsked, SketchFile, Step, TermsView, TrialView,
};
use serde_json::Value;

/// An office with one suspended account and a case; remembers what was asked.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) asked: Mutex<Vec<String>>,
}

pub(crate) fn the_case() -> CaseView {
    CaseView {
        case: "C-1".to_owned(),
        account: "acct_bad".to_owned(),
        accounts: vec!["acct_bad".to_owned()],
        state: "suspended".to_owned(),
        clause: "terms/2".to_owned(),
        action: "suspend".to_owned(),
        statement: "<script>alert(1)</script>".to_owned(),
        appeal_until: Some("2026-07-01T00:00:00.000Z".to_owned()),
        ..CaseView::default()
    }
}

impl Fake {
    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }
}

impl Office for Fake {
    async fn open_account(&self, new: NewAccount) -> Result<AccountView, OfficeError> {
        self.note(format!("open {}", new.account));
        Err(OfficeError::Conflict(format!(
            "account `{}` is open already",
            new.account
        )))
    }
    async fn accounts(&self) -> Result<Vec<AccountView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn create_key(&self, account: &str) -> Result<NewKey, OfficeError> {
        self.note(format!("key {account}"));
        Ok(NewKey {
            key: "fh_live_a_b".to_owned(),
            id: "a".to_owned(),
            account: account.to_owned(),
        })
    }
    async fn revoke_key(&self, id: &str) -> Result<KeyView, OfficeError> {
        Err(OfficeError::NotFound(format!("no key `{id}`")))
    }
    async fn keys(&self) -> Result<Vec<KeyView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn propose(&self, _: NewCase) -> Result<CaseView, OfficeError> {
        Ok(the_case())
    }
    async fn step(&self, case: &str, step: Step) -> Result<CaseView, OfficeError> {
        for file in &step.attachments {
            let bytes = base64::Engine::decode(&STANDARD, &file.data).unwrap_or_default();
            self.note(format!("file {} of {} bytes", file.name, bytes.len()));
        }
        self.note(format!(
            "{:?} {case} by {}: {}",
            step.step, step.by, step.comment
        ));
        Ok(the_case())
    }
    async fn cases(&self, asked: CasesAsked) -> Result<CasesView, OfficeError> {
        self.note(format!("cases {asked:?}"));
        Ok(CasesView::default())
    }
    async fn cases_of(&self, account: &str) -> Result<Vec<CaseView>, OfficeError> {
        let all = vec![the_case()];
        Ok(all.into_iter().filter(|c| c.concerns(account)).collect())
    }
    async fn claim(&self, case: &str, by: &str) -> Result<ClaimView, OfficeError> {
        self.note(format!("claim {case} by {by}"));
        Ok(ClaimView::default())
    }
    async fn unclaim(&self, case: &str, by: &str) -> Result<ClaimView, OfficeError> {
        self.note(format!("unclaim {case} by {by}"));
        Ok(ClaimView::default())
    }
    async fn hold_step(&self, case: &str, step: Step) -> Result<HeldView, OfficeError> {
        self.note(format!("hold {case} by {}", step.by));
        Err(OfficeError::Conflict("one is held".to_owned()))
    }
    async fn held_steps(&self) -> Result<Vec<HeldView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn take_back(&self, id: &str, by: &str) -> Result<HeldView, OfficeError> {
        self.note(format!("back {id} by {by}"));
        Err(OfficeError::NotFound("none".to_owned()))
    }
    async fn attachment(&self, case: &str, sha256: &str) -> Result<AttachmentFile, OfficeError> {
        self.note(format!("file {case} {sha256}"));
        Ok(AttachmentFile {
            view: AttachmentView {
                kind: "text/plain".to_owned(),
                ..AttachmentView::default()
            },
            bytes: b"<b>".to_vec(),
        })
    }
    async fn overview(&self, account: &str) -> Result<OverviewView, OfficeError> {
        Ok(OverviewView {
            account: account.to_owned(),
            ..OverviewView::default()
        })
    }
    async fn clusters(&self) -> Result<Vec<ClusterLine>, OfficeError> {
        Ok(Vec::new())
    }
    async fn cluster(&self, _: &str) -> Result<ClusterView, OfficeError> {
        Ok(ClusterView::default())
    }
    async fn audit_logs(&self, asked: AuditAsked) -> Result<AuditPage, OfficeError> {
        self.note(format!("{asked:?}"));
        Ok(AuditPage {
            object: "list".to_owned(),
            data: Vec::new(),
            first_id: None,
            last_id: None,
            has_more: false,
        })
    }
    async fn notices(&self, _: NoticesAsked) -> Result<Vec<NoticeLine>, OfficeError> {
        Ok(Vec::new())
    }
    async fn retry_notice(&self, id: &str) -> Result<RetriedView, OfficeError> {
        Err(OfficeError::NotFound(id.to_owned()))
    }
    async fn endpoints(&self, account: Option<&str>) -> Result<Vec<EndpointView>, OfficeError> {
        self.note(format!("endpoints {account:?}"));
        Ok(Vec::new())
    }
    async fn add_endpoint(&self, new: NewEndpoint) -> Result<EndpointView, OfficeError> {
        self.note(format!("endpoint {:?} {}", new.account, new.target));
        Err(OfficeError::Invalid("no".to_owned()))
    }
    async fn remove_endpoint(
        &self,
        a: Option<&str>,
        id: &str,
    ) -> Result<EndpointView, OfficeError> {
        self.note(format!("remove {a:?} {id}"));
        Err(OfficeError::NotFound(id.to_owned()))
    }
    async fn test_endpoint(&self, a: Option<&str>, id: &str) -> Result<NoticeLine, OfficeError> {
        self.note(format!("test {a:?} {id}"));
        Err(OfficeError::NotFound(id.to_owned()))
    }
    async fn people(&self) -> Result<Vec<PersonView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn invite(&self, new: NewInvite) -> Result<InviteView, OfficeError> {
        self.note(format!("invite {:?}", new.name));
        Err(OfficeError::Invalid("no role".to_owned()))
    }
    async fn end_person(&self, name: &str, by: &str) -> Result<PersonView, OfficeError> {
        self.note(format!("end {name} {by}"));
        Err(OfficeError::NotFound(name.to_owned()))
    }
    async fn signs_in(&self, name: &str) -> Result<bool, OfficeError> {
        Ok(name == "signer")
    }
    fn colleague(&self, secret: &str) -> Option<Colleague> {
        let role = console::Role::from_word(secret.strip_prefix("own-")?)?;
        Some(Colleague {
            name: "ann".to_owned(),
            role,
        })
    }
    async fn case(&self, case: &str) -> Result<CaseView, OfficeError> {
        if case == "C-1" {
            Ok(the_case())
        } else {
            Err(OfficeError::NotFound("none".to_owned()))
        }
    }
    async fn export(&self, _: &str) -> Result<Vec<u8>, OfficeError> {
        Ok(b"PK".to_vec())
    }
    async fn detect(&self) -> Result<DetectionView, OfficeError> {
        Ok(DetectionView::default())
    }
    async fn findings(&self, account: Option<&str>) -> Result<FindingsView, OfficeError> {
        self.note(format!("findings {}", account.unwrap_or("of all")));
        Err(OfficeError::Unavailable("down".to_owned()))
    }
    async fn calibrate(&self) -> Result<CalibrationView, OfficeError> {
        Err(OfficeError::Unavailable("down".to_owned()))
    }
    async fn checkpoint(&self) -> Result<CheckpointView, OfficeError> {
        Err(OfficeError::Unavailable("down".to_owned()))
    }
    async fn ledger_file(
        &self,
        of: &LedgerOf,
        epoch: Option<u64>,
        path: &str,
    ) -> Result<LedgerFile, OfficeError> {
        self.note(format!("{of} {epoch:?} {path}"));
        match path {
            "checkpoint" | "tile/0/000" => Ok(LedgerFile {
                bytes: path.as_bytes().to_vec(),
                immutable: path != "checkpoint",
            }),
            "tile/0/001" => Err(OfficeError::Unavailable("it refuses to sign".to_owned())),
            _ => Err(OfficeError::NotFound("no such file".to_owned())),
        }
    }
    async fn receipt(&self, account: Option<&str>, seq: u64) -> Result<Receipt, OfficeError> {
        self.note(format!("receipt {seq} of {}", account.unwrap_or("anybody")));
        match seq {
            1 => Ok(Receipt::Sealed(Box::new(ReceiptView {
                seq,
                record: "{}".to_owned(),
                proof: "c2sp.org/tlog-proof@v1\n".to_owned(),
                ledger_vkey: "l".to_owned(),
                ledger: "b".to_owned(),
                ledger_proof: "p".to_owned(),
                vkey: "v".to_owned(),
            }))),
            2 => Ok(Receipt::NotYet),
            _ => Err(OfficeError::NotFound("no such record".to_owned())),
        }
    }
    async fn ledgers(&self) -> Result<LedgersView, OfficeError> {
        Err(OfficeError::Unavailable("down".to_owned()))
    }
    async fn rotate(&self, reason: &str) -> Result<CheckpointView, OfficeError> {
        self.note(format!("rotate {reason}"));
        Err(OfficeError::Conflict("not now".to_owned()))
    }
    async fn terms(&self, account: &str) -> Result<TermsView, OfficeError> {
        Ok(TermsView {
            account: account.to_owned(),
            at: "2026-06-01T00:00:00.000Z".to_owned(),
            standing: "good".to_owned(),
            purposes: vec!["rag".to_owned()],
            agreement: serde_json::json!({}),
            documents: vec![DocumentView {
                title: "<b>Terms</b>".to_owned(),
                ..DocumentView::default()
            }],
        })
    }
    async fn agree(&self, account: &str, agreement: Value) -> Result<TermsView, OfficeError> {
        self.note(format!("agree {account} {agreement}"));
        self.terms(account).await
    }
    async fn link(&self, account: &str, new: NewLinks) -> Result<LinksView, OfficeError> {
        self.note(format!("link {account} {}", new.network.join(" ")));
        Ok(LinksView {
            account: account.to_owned(),
            payment: new.payment.len(),
            identity: new.identity.len(),
            network: new.network.len(),
        })
    }
    async fn declare(
        &self,
        project: &str,
        purposes: Vec<String>,
    ) -> Result<Vec<String>, OfficeError> {
        self.note(format!("declare {project} {}", purposes.join(" ")));
        Ok(purposes)
    }
    async fn make_sketch(&self, new: NewSketch) -> Result<SketchFile, OfficeError> {
        self.note(format!("make {} of {}", new.name, new.accounts.join(" ")));
        Err(OfficeError::Conflict("no case".to_owned()))
    }
    async fn try_sketch(&self, asked: SketchAsked) -> Result<TrialView, OfficeError> {
        Err(OfficeError::Invalid(asked.file))
    }
    async fn activate_sketch(&self, new: Activation) -> Result<ActivationView, OfficeError> {
        self.note(format!("activate {} by {}", new.file, new.by));
        Err(OfficeError::Conflict("active already".to_owned()))
    }
    async fn campaigns(&self) -> Result<Vec<CampaignView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn expire_campaign(&self, name: &str, by: &str) -> Result<CampaignView, OfficeError> {
        self.note(format!("expire {name} by {by}"));
        Err(OfficeError::NotFound(format!("no campaign `{name}`")))
    }
    async fn erase(&self, new: NewErasure) -> Result<ErasureView, OfficeError> {
        self.note(format!("erase {} by {}", new.account, new.by));
        Ok(ErasureView::default())
    }
    async fn place_hold(&self, new: NewHold) -> Result<HoldView, OfficeError> {
        self.note(format!("hold {} by {}", new.account, new.by));
        Err(OfficeError::Invalid("no day".to_owned()))
    }
    async fn release_hold(&self, id: &str, by: &str) -> Result<HoldView, OfficeError> {
        self.note(format!("release {id} by {by}"));
        Err(OfficeError::NotFound("no hold".to_owned()))
    }
    async fn holds(&self) -> Result<Vec<HoldView>, OfficeError> {
        Ok(Vec::new())
    }
    async fn let_go(&self, asked: RetentionAsked) -> Result<RetentionView, OfficeError> {
        self.note(format!("let go {:?}", asked.days));
        Ok(RetentionView::default())
    }
    async fn read_bodies(
        &self,
        exchange: &str,
        reading: Reading,
    ) -> Result<Vec<BodyView>, OfficeError> {
        self.note(format!("read {exchange} by {}", reading.by));
        Ok(Vec::new())
    }
    fn whose(&self, secret: &str) -> Option<String> {
        match secret {
            "key-of-bad" => Some("acct_bad".to_owned()),
            "key-of-other" => Some("acct_other".to_owned()),
            _ => None,
        }
    }
}
