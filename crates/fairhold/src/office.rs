//! The office of the house that this process holds open.

mod actors;
mod audit_log;
mod calibration;
pub(crate) mod campaigns;
mod caseroom;
pub(crate) mod cases;
pub(crate) mod custody;
mod disclosed;
pub(crate) mod evidence_parts;
mod export;
mod finding;
mod findings;
mod ledger;
pub(crate) mod links;
mod overview;
mod people;
mod staff;
pub(crate) mod terms;
mod told;

pub(crate) use finding::{Known, Watched, found};

use std::path::PathBuf;
use std::sync::Arc;

use console::{
    AccountView, Activation, ActivationView, AttachmentFile, AuditAsked, AuditPage, BodyView,
    CalibrationView, CampaignView, CaseView, CasesAsked, CasesView, CheckpointView, ClaimView,
    ClusterLine, ClusterView, Colleague, DetectionView, EndpointView, ErasureView, FindingsView,
    HeldView, HoldView, InviteView, KeyView, LedgerFile, LedgerOf, LedgersView, LinksView,
    NewAccount, NewCase, NewEndpoint, NewErasure, NewHold, NewInvite, NewKey, NewLinks, NewSketch,
    NoticeLine, NoticesAsked, Office, OfficeError, OverviewView, PersonView, Reading, Receipt,
    RetentionAsked, RetentionView, RetriedView, SketchAsked, SketchFile, Step, TermsView,
    TrialView,
};
use detection::SketchKey;
use evidence::checkpoint::LogKey;
use facts::Span;
use gateway::Desk as _;
use serde_json::Value;

use crate::campaigns::KnownCampaigns;
use crate::house::House;
use crate::judge::Documents;
use crate::keeper::Keeper;
use crate::ledger::Ledger;
use crate::notices::sign::Signer;
use crate::registry::forget::Outputs;
use crate::tsa::Tsa;
use crate::watch::Watching;

/// What people ask, carried out by the keeper.
#[derive(Debug)]
pub(crate) struct LocalOffice {
    keeper: Arc<Keeper>,
    log: Arc<LogKey>,
    ledger: Arc<Ledger>,
    outputs: Arc<Outputs>,
    tsa: Option<Arc<Tsa>>,
    sketches: SketchKey,
    links: links::LinkKey,
    terms: Option<Arc<Documents>>,
    campaigns: Arc<KnownCampaigns>,
    folder: PathBuf,
    bodies_days: u32,
    signer: Signer,
    undo: Span,
    loopback: bool,
    detectors: caseroom::Detectors,
    level: f64,
}

impl LocalOffice {
    /// The office of an open house.
    pub(crate) fn of(house: &House) -> Self {
        Self {
            keeper: Arc::clone(&house.keeper),
            log: Arc::clone(&house.log),
            ledger: Arc::clone(&house.ledger),
            outputs: Arc::clone(&house.outputs),
            tsa: house.tsa.clone(),
            sketches: house.sketches,
            links: house.links,
            terms: house.terms.clone(),
            folder: house.folder.path().to_path_buf(),
            campaigns: Arc::clone(&house.campaigns),
            bodies_days: house.bodies_days,
            signer: house.signer.clone(),
            undo: house.sending.undo,
            loopback: house.sending.loopback,
            detectors: caseroom::Detectors::default(),
            level: Watching::USUAL.alpha,
        }
    }

    /// The level at which the watch makes a finding here.
    pub(crate) fn at_level(self, level: f64) -> Self {
        Self { level, ..self }
    }

    fn post(&self) -> told::Desk<'_> {
        told::Desk {
            keeper: &self.keeper,
            signer: &self.signer,
            loopback: self.loopback,
        }
    }

    fn desk(&self) -> campaigns::Desk<'_> {
        campaigns::Desk {
            keeper: &self.keeper,
            log: &self.log,
            known: &self.campaigns,
        }
    }
}

impl Office for LocalOffice {
    async fn open_account(&self, new: NewAccount) -> Result<AccountView, OfficeError> {
        people::open(&self.keeper, new).await
    }

    async fn accounts(&self) -> Result<Vec<AccountView>, OfficeError> {
        Ok(people::accounts(&self.keeper))
    }

    async fn create_key(&self, account: &str) -> Result<NewKey, OfficeError> {
        people::create_key(&self.keeper, account).await
    }

    async fn revoke_key(&self, id: &str) -> Result<KeyView, OfficeError> {
        people::revoke_key(&self.keeper, id).await
    }

    async fn keys(&self) -> Result<Vec<KeyView>, OfficeError> {
        Ok(people::keys(&self.keeper))
    }

    async fn propose(&self, new: NewCase) -> Result<CaseView, OfficeError> {
        let new = findings::relied_on(&self.keeper, new).await?;
        Ok(cases::view(
            &cases::propose(&self.keeper, &self.folder, new).await?,
        ))
    }

    async fn step(&self, case: &str, step: Step) -> Result<CaseView, OfficeError> {
        Ok(cases::view(
            &cases::step(&self.keeper, &self.folder, case, (step, None)).await?,
        ))
    }

    async fn cases(&self, asked: CasesAsked) -> Result<CasesView, OfficeError> {
        cases::listed(&self.keeper, &asked).await
    }

    async fn cases_of(&self, account: &str) -> Result<Vec<CaseView>, OfficeError> {
        let cases = cases::of(&self.keeper, account).await?;
        Ok(cases.iter().map(cases::view).collect())
    }

    async fn claim(&self, case: &str, by: &str) -> Result<ClaimView, OfficeError> {
        cases::claimed(&self.keeper, case, by).await
    }

    async fn unclaim(&self, case: &str, by: &str) -> Result<ClaimView, OfficeError> {
        cases::unclaimed(&self.keeper, case, by).await
    }

    async fn hold_step(&self, case: &str, step: Step) -> Result<HeldView, OfficeError> {
        cases::held::hold(&self.keeper, &self.folder, case, (step, self.undo)).await
    }

    async fn held_steps(&self) -> Result<Vec<HeldView>, OfficeError> {
        cases::held::all(&self.keeper).await
    }

    async fn take_back(&self, id: &str, by: &str) -> Result<HeldView, OfficeError> {
        cases::held::back(&self.keeper, id, by).await
    }

    async fn attachment(&self, case: &str, sha256: &str) -> Result<AttachmentFile, OfficeError> {
        cases::open_file(&self.keeper, case, sha256).await
    }

    async fn overview(&self, account: &str) -> Result<OverviewView, OfficeError> {
        overview::of(&self.keeper, account).await
    }

    async fn clusters(&self) -> Result<Vec<ClusterLine>, OfficeError> {
        overview::clusters(&self.keeper).await
    }

    async fn cluster(&self, id: &str) -> Result<ClusterView, OfficeError> {
        overview::cluster(&self.keeper, id).await
    }

    async fn audit_logs(&self, asked: AuditAsked) -> Result<AuditPage, OfficeError> {
        audit_log::page(&self.keeper, &asked).await
    }

    async fn notices(&self, asked: NoticesAsked) -> Result<Vec<NoticeLine>, OfficeError> {
        self.post().notices(&asked).await
    }

    async fn retry_notice(&self, id: &str) -> Result<RetriedView, OfficeError> {
        self.post().retry(id).await
    }

    async fn endpoints(&self, account: Option<&str>) -> Result<Vec<EndpointView>, OfficeError> {
        self.post().endpoints(account).await
    }

    async fn add_endpoint(&self, new: NewEndpoint) -> Result<EndpointView, OfficeError> {
        self.post().add(new).await
    }

    async fn remove_endpoint(
        &self,
        account: Option<&str>,
        id: &str,
    ) -> Result<EndpointView, OfficeError> {
        self.post().remove(account, id).await
    }

    async fn test_endpoint(
        &self,
        account: Option<&str>,
        id: &str,
    ) -> Result<NoticeLine, OfficeError> {
        self.post().test(account, id).await
    }

    async fn people(&self) -> Result<Vec<PersonView>, OfficeError> {
        staff::all(&self.keeper).await
    }

    async fn invite(&self, new: NewInvite) -> Result<InviteView, OfficeError> {
        staff::invite(&self.keeper, new).await
    }

    async fn end_person(&self, name: &str, by: &str) -> Result<PersonView, OfficeError> {
        staff::end(&self.keeper, name, by).await
    }

    async fn signs_in(&self, name: &str) -> Result<bool, OfficeError> {
        actors::signs_in(&self.keeper, name).await
    }

    fn colleague(&self, secret: &str) -> Option<Colleague> {
        actors::colleague(&self.folder, secret)
    }

    async fn case(&self, case: &str) -> Result<CaseView, OfficeError> {
        Ok(cases::view(&cases::one(&self.keeper, case).await?))
    }

    async fn export(&self, case: &str) -> Result<Vec<u8>, OfficeError> {
        let case = cases::one(&self.keeper, case).await?;
        let desk = export::Desk {
            keeper: &self.keeper,
            ledger: &self.ledger,
            tsa: self.tsa.as_deref(),
            terms: self.terms.as_deref(),
            folder: &self.folder,
        };
        export::export(&desk, &case).await
    }

    async fn detect(&self) -> Result<DetectionView, OfficeError> {
        let found = finding::in_store(&self.keeper, self.sketches, &self.folder).await?;
        overview::keep(&self.keeper, &found.rings).await?;
        Ok(found)
    }

    async fn findings(&self, account: Option<&str>) -> Result<FindingsView, OfficeError> {
        findings::all(&self.keeper, &self.folder, account).await
    }

    async fn calibrate(&self) -> Result<CalibrationView, OfficeError> {
        calibration::of_store(&self.keeper).await
    }

    async fn checkpoint(&self) -> Result<CheckpointView, OfficeError> {
        ledger::checkpoint(&self.ledger).await
    }

    async fn ledger_file(
        &self,
        of: &LedgerOf,
        epoch: Option<u64>,
        path: &str,
    ) -> Result<LedgerFile, OfficeError> {
        ledger::file(&self.ledger, of, epoch, path).await
    }

    async fn receipt(&self, account: Option<&str>, seq: u64) -> Result<Receipt, OfficeError> {
        ledger::receipt(&self.ledger, account, seq).await
    }

    async fn ledgers(&self) -> Result<LedgersView, OfficeError> {
        ledger::all(&self.ledger, self.keeper.database()).await
    }

    async fn rotate(&self, reason: &str) -> Result<CheckpointView, OfficeError> {
        ledger::rotate(&self.keeper, &self.ledger, reason).await
    }

    async fn terms(&self, account: &str) -> Result<TermsView, OfficeError> {
        terms::of(&self.keeper, self.terms.as_deref(), account)
    }

    async fn agree(&self, account: &str, agreement: Value) -> Result<TermsView, OfficeError> {
        let documents = self.terms.as_deref();
        terms::agree(&self.keeper, documents, account, &agreement).await?;
        terms::of(&self.keeper, documents, account)
    }

    async fn link(&self, account: &str, new: NewLinks) -> Result<LinksView, OfficeError> {
        links::link(&self.keeper, &self.links, account, &new).await
    }

    async fn declare(
        &self,
        project: &str,
        purposes: Vec<String>,
    ) -> Result<Vec<String>, OfficeError> {
        people::declare(&self.keeper, project, &purposes).await
    }

    async fn make_sketch(&self, new: NewSketch) -> Result<SketchFile, OfficeError> {
        self.desk().make(new).await
    }

    async fn try_sketch(&self, asked: SketchAsked) -> Result<TrialView, OfficeError> {
        self.desk().test(&asked).await
    }

    async fn activate_sketch(&self, new: Activation) -> Result<ActivationView, OfficeError> {
        self.desk().activate(new).await
    }

    async fn campaigns(&self) -> Result<Vec<CampaignView>, OfficeError> {
        self.desk().list().await
    }

    async fn expire_campaign(&self, name: &str, by: &str) -> Result<CampaignView, OfficeError> {
        self.desk().expire(name, by).await
    }

    async fn erase(&self, new: NewErasure) -> Result<ErasureView, OfficeError> {
        custody::erase(&self.keeper, &self.outputs, new).await
    }

    async fn place_hold(&self, new: NewHold) -> Result<HoldView, OfficeError> {
        custody::hold(&self.keeper, new).await
    }

    async fn release_hold(&self, id: &str, by: &str) -> Result<HoldView, OfficeError> {
        custody::release(&self.keeper, id, by).await
    }

    async fn holds(&self) -> Result<Vec<HoldView>, OfficeError> {
        custody::holds(&self.keeper).await
    }

    async fn let_go(&self, asked: RetentionAsked) -> Result<RetentionView, OfficeError> {
        let days = asked.days.unwrap_or(self.bodies_days);
        custody::let_go(&self.keeper, days, &|_| ()).await
    }

    async fn read_bodies(
        &self,
        exchange: &str,
        reading: Reading,
    ) -> Result<Vec<BodyView>, OfficeError> {
        custody::read(&self.keeper, exchange, reading).await
    }

    fn whose(&self, secret: &str) -> Option<String> {
        let account = self.keeper.identify(secret).ok()?;
        Some(account.to_string())
    }
}
