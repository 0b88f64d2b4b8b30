//! The caseroom of the house that this process holds open: what people at the
//! pages ask beyond what programs ask.

mod rules;
mod signal;
mod statistics;

use std::collections::BTreeMap;

use console::{
    BriefView, Caseroom, HubView, NewShadow, OfficeError, RingView, RuleAsked, RulesView,
    SignalView, StatisticsView,
};
use facts::AccountId;
use store::LinkKind;

use super::people::{malformed, refused};
use super::{LocalOffice, cases};
use crate::keeper::Keeper;

pub(super) use signal::Detectors;

fn broken(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to {error}"))
}

/// An account that is there.
fn known(keeper: &Keeper, account: &str) -> Result<AccountId, OfficeError> {
    let id = AccountId::parse(account).map_err(|e| malformed(&e))?;
    if keeper.ask(|engine| engine.directory().account(&id).is_none()) {
        return Err(OfficeError::NotFound(format!(
            "there is no account `{id}`; `fairhold account list` shows all"
        )));
    }
    Ok(id)
}

impl Caseroom for LocalOffice {
    async fn brief(&self, case: &str) -> Result<BriefView, OfficeError> {
        let found = cases::one(&self.keeper, case).await?;
        let observed = found.observation();
        Ok(BriefView {
            facts: observed.summary.clone(),
            exculpatory: observed.exculpatory.clone(),
            automated: observed.automated,
            carries: self
                .keeper
                .database()
                .resting_on(case)
                .await
                .map_err(broken)?,
        })
    }

    async fn signal(&self, account: &str) -> Result<Option<SignalView>, OfficeError> {
        let id = known(&self.keeper, account)?;
        let detector = self.detectors.of(&self.folder)?;
        signal::of(self.keeper.database(), &detector, &id).await
    }

    async fn hubs(&self, accounts: &[String]) -> Result<Vec<HubView>, OfficeError> {
        hubs(&self.keeper, accounts).await
    }

    async fn rules(&self, tried: Option<RuleAsked>) -> Result<RulesView, OfficeError> {
        let detector = self.detectors.of(&self.folder)?;
        let bench = rules::Bench {
            keeper: &self.keeper,
            detector: &detector,
            documents: self.terms.as_deref(),
            level: self.level,
        };
        bench.all(tried).await
    }

    async fn shadow(&self, new: NewShadow) -> Result<(), OfficeError> {
        rules::shadow(&self.keeper, new).await
    }

    async fn end_shadow(&self, id: &str, by: &str) -> Result<(), OfficeError> {
        rules::end(&self.keeper, id, by).await
    }

    async fn statistics(&self) -> Result<StatisticsView, OfficeError> {
        Ok(statistics::of(&cases::all(&self.keeper).await?))
    }

    async fn note(&self, change: &str, subject: &str) -> Result<(), OfficeError> {
        self.keeper.note(change, subject).await.map_err(refused)?;
        Ok(())
    }
}

/// What accounts have in common: gatherings that detection found, and tokens (kept hashed).
async fn hubs(keeper: &Keeper, accounts: &[String]) -> Result<Vec<HubView>, OfficeError> {
    let database = keeper.database();
    let mut hubs = Vec::new();
    for row in database.clusters(None).await.map_err(broken)? {
        let ring: RingView = serde_json::from_str(&row.json).map_err(broken)?;
        let members = ring.members.iter().map(|m| &m.account);
        let own: Vec<String> = members.filter(|m| accounts.contains(m)).cloned().collect();
        if own.len() > 1 {
            hubs.push(HubView {
                kind: "programme".to_owned(),
                name: row.id,
                said: format!("{}; chance at most {:.1e}", ring.because, ring.bound),
                accounts: own,
            });
        }
    }
    let ids: Result<Vec<AccountId>, _> = accounts.iter().map(|a| AccountId::parse(a)).collect();
    let ids = ids.map_err(|e| malformed(&e))?;
    let links = database.links_among(&ids);
    let mut shared: BTreeMap<(&'static str, u64), Vec<String>> = BTreeMap::new();
    for link in links.await.map_err(broken)? {
        let key = (link.kind.word(), link.token);
        shared
            .entry(key)
            .or_default()
            .push(link.account.to_string());
    }
    let said = |kind: &str| match LinkKind::from_word(kind) {
        Some(LinkKind::Payment) => "they pay with the same token",
        Some(LinkKind::Identity) => "the same identity was verified",
        Some(LinkKind::Network) | None => "they come from the same network block",
    };
    let shared = shared
        .into_iter()
        .filter(|(_, accounts)| accounts.len() > 1);
    hubs.extend(
        shared
            .enumerate()
            .map(|(n, ((kind, _), accounts))| HubView {
                kind: kind.to_owned(),
                name: format!("{kind} {}", n + 1),
                said: format!("{}; the token itself is not kept", said(kind)),
                accounts,
            }),
    );
    // Forty are more than anybody reads; the largest say most.
    hubs.sort_by_key(|hub| std::cmp::Reverse(hub.accounts.len()));
    hubs.truncate(40);
    Ok(hubs)
}

#[cfg(test)]
mod tests;
