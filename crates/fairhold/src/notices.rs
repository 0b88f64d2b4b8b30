//! How does anybody hear of a step? Notices that leave by webhook and e-mail.
//!
//! A notice is written with the step that it tells of; a task sends what is
//! due and tries again, further and further apart, under the same id. What
//! nobody took for days is dead, and shown until somebody tries it again.

pub(crate) mod guard;
mod mail;
pub(crate) mod message;
mod send;
pub(crate) mod sign;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use facts::{Span, Timestamp};
use store::{EndpointRow, OutboxRow, SystemClock, Tried};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::keeper::Keeper;
pub(crate) use mail::{Smtp, SmtpTable};
use send::Webhooks;
use sign::Signer;

/// Notices that are on their way at once.
const TOGETHER: u32 = 32;
/// How long to wait when nothing is due.
const PAUSE: Duration = Duration::from_millis(250);
/// And when the store failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest time between two tries.
const SPACE_MAX: i64 = 12 * 3_600_000;

/// How notices leave.
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    /// The time before the second try, in milliseconds; it doubles with each.
    pub(crate) first_retry_ms: i64,
    /// How long a notice is tried.
    pub(crate) give_up: Span,
    /// How long a decision may be taken back.
    pub(crate) undo: Span,
    /// Whether webhooks may go to this machine itself, over HTTP.
    pub(crate) loopback: bool,
    /// The server that takes e-mail, if one.
    pub(crate) smtp: Option<Smtp>,
}

impl Sending {
    /// Without a word in the configuration: 5 seconds, then 10, 20 and so on up to 12 hours, for
    /// five days.
    pub(crate) const USUAL: Self = Self {
        first_retry_ms: 5_000,
        give_up: Span::days(5),
        undo: Span::seconds(30),
        loopback: false,
        smtp: None,
    };
}

/// Why a try failed, and whether another may succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It may.
    Later(String),
    /// The receiver wants none of it.
    Never(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later(why) | Self::Never(why) => f.write_str(why),
        }
    }
}

/// Sends what is due.
pub(crate) struct Postman {
    keeper: Arc<Keeper>,
    webhooks: Webhooks,
    sending: Sending,
}

/// When to try again after this many tries: doubling, with half of it left to chance so that
/// receivers that come back are not met by everything at once.
pub(crate) fn space(first_ms: i64, tries: u32, chance: u64) -> Span {
    let doubled = first_ms.saturating_mul(1_i64 << tries.min(30));
    let most = doubled.clamp(1, SPACE_MAX);
    let half = most / 2;
    let share = i64::try_from(chance % 1_000).unwrap_or_default();
    Span(half + (most - half) * share / 1_000)
}

impl Postman {
    /// A postman of a house.
    pub(crate) fn new(keeper: Arc<Keeper>, signer: Signer, sending: Sending) -> Self {
        Self {
            keeper,
            webhooks: Webhooks::new(signer, sending.loopback),
            sending,
        }
    }

    /// Sends until it is told to stop.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let pause = match Arc::clone(&self).round().await {
                Ok(0) => PAUSE,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::error!(%error, "notices wait");
                    PATIENCE
                }
            };
            tokio::select! {
                // An error means that the sender is gone: that is a stop too.
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tries what is due once; how many there were.
    pub(crate) async fn round(self: Arc<Self>) -> Result<u64, store::StoreError> {
        let now = SystemClock.now();
        let due = self.keeper.database().due_notices(now, TOGETHER).await?;
        let mut tries = JoinSet::new();
        for (notice, endpoint) in due {
            let postman = Arc::clone(&self);
            tries.spawn(async move { postman.one(&notice, &endpoint).await });
        }
        let mut done = 0;
        while let Some(ended) = tries.join_next().await {
            done += 1;
            match ended {
                Ok(kept) => kept?,
                Err(error) => tracing::error!(%error, "a try to send a notice died"),
            }
        }
        Ok(done)
    }

    async fn one(
        &self,
        notice: &OutboxRow,
        endpoint: &EndpointRow,
    ) -> Result<(), store::StoreError> {
        let sent = match endpoint.kind.as_str() {
            "email" => match &self.sending.smtp {
                Some(smtp) => smtp.send(notice, &endpoint.target).await,
                None => Err(Failed::Later(
                    "no `[notices.smtp]` is configured".to_owned(),
                )),
            },
            _ => self.webhooks.send(notice, endpoint).await,
        };
        let now = SystemClock.now();
        let what = match sent {
            Ok(()) => Tried::Delivered(now),
            Err(Failed::Never(error)) => Tried::Dead { error },
            Err(Failed::Later(error)) => self.later(notice, now, error),
        };
        self.keeper.database().tried(notice, &what).await
    }

    fn later(&self, notice: &OutboxRow, now: Timestamp, error: String) -> Tried {
        let chance = store::random().map_or(0, u64::from_be_bytes);
        let at = now.plus(space(self.sending.first_retry_ms, notice.attempts, chance));
        if notice.at.plus(self.sending.give_up) < at {
            tracing::warn!(
                id = notice.id,
                endpoint = notice.endpoint,
                error,
                "a notice is dead"
            );
            return Tried::Dead { error };
        }
        Tried::Later { at, error }
    }
}

#[cfg(test)]
mod tests;
