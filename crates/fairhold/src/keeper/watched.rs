//! What the watch reads: exchanges that ended, in the order of their endings.

use std::collections::HashMap;
use std::ops::Range;

use evidence::seal::{Body, Label, SubjectKey};
use evidence::{Event, Record};
use facts::{AccountId, Endpoint, Exchange};
use store::SealedRequest;

use super::{Keeper, KeeperError};

/// A request that was let upstream, of an exchange that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The record behind its ending: whoever has read so far has read it.
    pub next: u64,
    /// The request, still sealed.
    pub request: SealedRequest,
}

/// An exchange that ended, and what is left of its request.
#[derive(Debug)]
pub struct Past {
    /// The record behind its ending.
    pub next: u64,
    /// Its request.
    pub request: Left,
}

/// What is left of a request.
#[derive(Debug)]
pub enum Left {
    /// All of it, sealed.
    Sealed(Box<SealedRequest>),
    /// It was erased, or its time was over.
    Forgotten,
    /// It asked for embeddings, which train no model: nobody reads it.
    NoText,
}

impl Keeper {
    /// The requests of exchanges whose endings lie in a range of the log, in the order of the
    /// endings: of one account or of all. Bodies that were forgotten are left out.
    ///
    /// # Errors
    /// [`KeeperError::Store`].
    pub async fn ended(
        &self,
        range: Range<u64>,
        account: Option<&AccountId>,
    ) -> Result<Vec<Ended>, KeeperError> {
        self.ended_within(range, account, u32::MAX).await
    }

    /// The same of an account's first exchanges.
    ///
    /// # Errors
    /// [`KeeperError::Store`].
    pub async fn first_ended(
        &self,
        account: &AccountId,
        most: u32,
    ) -> Result<Vec<Ended>, KeeperError> {
        let all = 0..i64::MAX.unsigned_abs();
        self.ended_within(all, Some(account), most).await
    }

    async fn ended_within(
        &self,
        range: Range<u64>,
        account: Option<&AccountId>,
        most: u32,
    ) -> Result<Vec<Ended>, KeeperError> {
        let endings = self.database.endings(range, account, most).await?;
        let endings: Vec<(u64, u64)> = endings.iter().filter_map(|leaf| intent_of(leaf)).collect();
        let intents: Vec<u64> = endings.iter().map(|(_, intent)| *intent).collect();
        let requests = self.database.requests(&intents).await?;
        let mut requests: HashMap<u64, SealedRequest> =
            requests.into_iter().map(|r| (r.seq, r)).collect();
        let ended = endings.into_iter().filter_map(|(seq, intent)| {
            let request = requests.remove(&intent)?;
            Some(Ended {
                next: seq + 1,
                request,
            })
        });
        Ok(ended.collect())
    }

    /// The endings of an account from a place of the log on, `most` at once, with what is left of
    /// each request: unlike [`Keeper::ended`], what was forgotten is told.
    ///
    /// # Errors
    /// [`KeeperError::Store`].
    pub async fn past(
        &self,
        account: &AccountId,
        from: u64,
        most: u32,
    ) -> Result<Vec<Past>, KeeperError> {
        let range = from..i64::MAX.unsigned_abs();
        let endings = self.database.endings(range, Some(account), most).await?;
        let endings: Vec<(u64, u64)> = endings.iter().filter_map(|leaf| intent_of(leaf)).collect();
        let intents: Vec<u64> = endings.iter().map(|(_, intent)| *intent).collect();
        let mut leaves = self.database.leaves_at(&intents).await?;
        leaves.retain(|_, leaf| asks_for_text(leaf));
        let of_text: Vec<u64> = leaves.keys().copied().collect();
        let requests = self.database.requests(&of_text).await?;
        let mut requests: HashMap<u64, SealedRequest> =
            requests.into_iter().map(|r| (r.seq, r)).collect();
        let past = endings.into_iter().map(|(seq, intent)| Past {
            next: seq + 1,
            request: match requests.remove(&intent) {
                Some(request) => Left::Sealed(Box::new(request)),
                None if leaves.contains_key(&intent) => Left::Forgotten,
                None => Left::NoText,
            },
        });
        Ok(past.collect())
    }

    /// Opens a request; none when its key is gone or when it asked for embeddings only, which
    /// train no model. Costs microseconds of computing, and no lock.
    pub fn reopened(&self, request: &SealedRequest) -> Option<Exchange> {
        let (_, record) = Record::parse(&request.leaf).ok()?;
        if of_text(&record.event) {
            let key = self.keys.open_key(&request.key)?;
            opened(&key, record, &request.body)
        } else {
            None
        }
    }
}

/// Whether the record is a request for text: of embeddings nothing is judged.
pub(crate) fn asks_for_text(leaf: &[u8]) -> bool {
    Record::parse(leaf).is_ok_and(|(_, record)| of_text(&record.event))
}

fn of_text(event: &Event) -> bool {
    match event {
        Event::Intent { endpoint, .. } => *endpoint != Endpoint::Embeddings,
        _ => false,
    }
}

/// The place of an ending, and that of its intent.
pub(crate) fn intent_of(leaf: &[u8]) -> Option<(u64, u64)> {
    let (seq, record) = Record::parse(leaf).ok()?;
    match record.event {
        Event::Completion { intent, .. } => Some((seq, intent)),
        _ => None,
    }
}

/// The exchange of an intent, its sealed request opened; none when the key is gone.
pub(super) fn opened(key: &SubjectKey, record: Record, sealed: &[u8]) -> Option<Exchange> {
    let account = record.account?;
    let Event::Intent {
        exchange,
        endpoint,
        model,
        request,
        ..
    } = record.event
    else {
        return None;
    };
    let label = Label {
        account: &account,
        exchange: &exchange,
        body: Body::Request,
    };
    let body = evidence::seal::open(key, &label, sealed, &request).ok()?;
    Some(Exchange {
        id: exchange,
        prompt: wire::conversation(endpoint, &body.plaintext),
        account,
        at: record.at,
        model: Some(model),
        response: None,
        usage: None,
    })
}
