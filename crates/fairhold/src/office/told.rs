//! Endpoints and the outbox, as people ask for them.

use console::{EndpointView, NewEndpoint, NoticeLine, NoticesAsked, OfficeError, RetriedView};
use facts::AccountId;
use store::{EndpointRow, OutboxRow, Sending, SystemClock};

use super::people::malformed;
use crate::keeper::Keeper;
use crate::notices::guard;
use crate::notices::message::trial;
use crate::notices::sign::Signer;

/// Endpoints of one account at most: each notice goes to all of them.
const ENDPOINTS_MAX: usize = 10;

/// What notices are told with.
pub(super) struct Desk<'a> {
    pub(super) keeper: &'a Keeper,
    pub(super) signer: &'a Signer,
    pub(super) loopback: bool,
}

fn broken(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the outbox: {error}"))
}

fn named(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn line(row: &OutboxRow) -> NoticeLine {
    NoticeLine {
        id: row.id.clone(),
        endpoint: row.endpoint.clone(),
        account: named(&row.account),
        case: named(&row.case_id),
        event: row.event.clone(),
        at: row.at.rfc3339(),
        state: row.state.word().to_owned(),
        attempts: row.attempts,
        next: (row.state == Sending::Queued).then(|| row.not_before.rfc3339()),
        error: row.error.clone(),
        delivered: row.delivered_at.map(facts::Timestamp::rfc3339),
    }
}

impl Desk<'_> {
    fn view(&self, row: &EndpointRow) -> EndpointView {
        let webhook = row.kind == "webhook";
        EndpointView {
            id: row.id.clone(),
            account: named(&row.account),
            kind: row.kind.clone(),
            target: row.target.clone(),
            created: row.created_at.rfc3339(),
            public_key: webhook.then(|| self.signer.public_key()),
            secret: webhook.then(|| self.signer.secret(&row.id)),
        }
    }

    /// Notices, the latest first.
    pub(super) async fn notices(
        &self,
        asked: &NoticesAsked,
    ) -> Result<Vec<NoticeLine>, OfficeError> {
        let state = asked.state.as_deref().map(|word| {
            Sending::from_word(word).ok_or_else(|| {
                OfficeError::Invalid(format!(
                    "`{word}` is no state of a notice: use queued, delivered or dead"
                ))
            })
        });
        let limit = asked.limit.unwrap_or(100).clamp(1, 1_000);
        let database = self.keeper.database();
        let rows = database.notices(state.transpose()?, asked.case.as_deref(), limit);
        Ok(rows.await.map_err(broken)?.iter().map(line).collect())
    }

    /// Tries a notice again at once.
    pub(super) async fn retry(&self, id: &str) -> Result<RetriedView, OfficeError> {
        let now = SystemClock.now();
        let notices = self.keeper.database().retry_notice(id, now).await;
        match notices.map_err(broken)? {
            0 => Err(OfficeError::NotFound(format!(
                "no notice `{id}` waits to be delivered; `fairhold notices list` shows all"
            ))),
            notices => Ok(RetriedView { notices }),
        }
    }

    /// Where notices go.
    pub(super) async fn endpoints(
        &self,
        account: Option<&str>,
    ) -> Result<Vec<EndpointView>, OfficeError> {
        let database = self.keeper.database();
        let rows = match account {
            None => database.endpoints().await,
            Some(account) => database.endpoints_of(account).await,
        };
        Ok(rows
            .map_err(broken)?
            .iter()
            .map(|row| self.view(row))
            .collect())
    }

    /// Adds one.
    pub(super) async fn add(&self, new: NewEndpoint) -> Result<EndpointView, OfficeError> {
        let account = match new.account.as_deref() {
            None => String::new(),
            Some(name) => {
                let account = AccountId::parse(name).map_err(|e| malformed(&e))?;
                let known =
                    |engine: &engine::Engine| engine.directory().account(&account).is_some();
                if !self.keeper.ask(known) {
                    return Err(OfficeError::NotFound(format!(
                        "there is no account `{name}`"
                    )));
                }
                account.to_string()
            }
        };
        match new.kind.as_str() {
            "webhook" => {
                guard::url(&new.target, self.loopback).map_err(OfficeError::Invalid)?;
            }
            "email" => {
                let address = new.target.parse::<lettre::Address>();
                address.map_err(|e| OfficeError::Invalid(format!("`{}`: {e}", new.target)))?;
            }
            other => {
                return Err(OfficeError::Invalid(format!(
                    "`{other}` is no kind of endpoint: use webhook or email"
                )));
            }
        }
        let database = self.keeper.database();
        let own = database.endpoints_of(&account).await.map_err(broken)?;
        if own.len() >= ENDPOINTS_MAX {
            return Err(OfficeError::Conflict(format!(
                "there are {ENDPOINTS_MAX} endpoints already: remove one first"
            )));
        }
        let random: [u8; 8] = store::random().map_err(broken)?;
        let row = EndpointRow {
            id: format!("ep_{}", hex::encode(random)),
            account,
            kind: new.kind,
            target: new.target,
            created_at: SystemClock.now(),
            removed_at: None,
        };
        database.add_endpoint(&row).await.map_err(broken)?;
        Ok(self.view(&row))
    }

    async fn find(&self, account: Option<&str>, id: &str) -> Result<EndpointRow, OfficeError> {
        let rows = self.keeper.database().endpoints().await.map_err(broken)?;
        let own = |row: &EndpointRow| account.is_none_or(|account| row.account == account);
        let found = rows.into_iter().find(|row| row.id == id && own(row));
        found.ok_or_else(|| OfficeError::NotFound(format!("there is no endpoint `{id}`")))
    }

    /// Removes one; what waits for it is dead.
    pub(super) async fn remove(
        &self,
        account: Option<&str>,
        id: &str,
    ) -> Result<EndpointView, OfficeError> {
        let row = self.find(account, id).await?;
        let removed = self
            .keeper
            .database()
            .remove_endpoint(id, SystemClock.now());
        removed.await.map_err(broken)?;
        Ok(self.view(&row))
    }

    /// Queues a trial.
    pub(super) async fn test(
        &self,
        account: Option<&str>,
        id: &str,
    ) -> Result<NoticeLine, OfficeError> {
        let row = self.find(account, id).await?;
        let random: [u8; 16] = store::random().map_err(broken)?;
        let notice = trial(&row, SystemClock.now(), random);
        let queued = self.keeper.database().queue_notice(&notice).await;
        queued.map_err(broken)?;
        Ok(line(&notice))
    }
}
