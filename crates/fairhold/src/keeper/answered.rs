//! What the registry of outputs reads: exchanges with what was answered.

use std::collections::HashMap;
use std::ops::Range;

use evidence::seal::{Body, Label};
use evidence::{Event, Record};
use facts::{Endpoint, Exchange};
use store::KeptBody;

use super::watched::opened;
use super::{Keeper, KeeperError};

impl Keeper {
    /// The exchanges whose endings lie in a range of the log, with their answers, in the order of
    /// the endings. What was forgotten, embeddings and answers without text are left out.
    ///
    /// # Errors
    /// [`KeeperError::Store`].
    pub async fn answered(&self, range: Range<u64>) -> Result<Vec<Exchange>, KeeperError> {
        let mut leaves = self.database.endings(range, None, u32::MAX).await?;
        leaves.retain(|leaf| places(leaf).is_some());
        let endings: Vec<(u64, u64)> = leaves.iter().filter_map(|leaf| places(leaf)).collect();
        let intents: Vec<u64> = endings.iter().map(|(_, intent)| *intent).collect();
        let answers: Vec<u64> = endings.iter().map(|(ending, _)| *ending).collect();
        let requests = self.database.requests(&intents).await?;
        let answers = self.database.answers(&answers).await?;
        let requests: HashMap<u64, _> = requests.into_iter().map(|r| (r.seq, r)).collect();
        let answers: HashMap<u64, KeptBody> = answers.into_iter().collect();
        let mut all = Vec::with_capacity(endings.len());
        for ((ending, intent), leaf) in endings.iter().zip(&leaves) {
            let (Some(request), Some(answer)) = (requests.get(intent), answers.get(ending)) else {
                continue;
            };
            let Ok((_, record)) = Record::parse(&request.leaf) else {
                continue;
            };
            let Event::Intent { endpoint, .. } = record.event else {
                continue;
            };
            let key = self.keys.open_key(&request.key);
            let Some(mut exchange) = key.and_then(|key| opened(&key, record, &request.body)) else {
                continue;
            };
            exchange.response = self.answer(&exchange, endpoint, (leaf, answer));
            all.extend(exchange.response.is_some().then_some(exchange));
        }
        Ok(all)
    }

    /// The text of a sealed answer.
    fn answer(
        &self,
        exchange: &Exchange,
        endpoint: Endpoint,
        (leaf, sealed): (&[u8], &KeptBody),
    ) -> Option<String> {
        let (_, record) = Record::parse(leaf).ok()?;
        let Event::Completion {
            answer: Some(answer),
            ..
        } = record.event
        else {
            return None;
        };
        let label = Label {
            account: &exchange.account,
            exchange: &exchange.id,
            body: Body::Answer,
        };
        let key = self.keys.open_key(&sealed.key)?;
        let body = evidence::seal::open(&key, &label, &sealed.bytes, &answer).ok()?;
        answer_text(endpoint, &body.plaintext)
    }
}

/// The text of an answer, plain or streamed.
pub(crate) fn answer_text(endpoint: Endpoint, answer: &[u8]) -> Option<String> {
    let plain = wire::answer_text(endpoint, answer);
    plain.or_else(|| wire::answer_text_of_stream(endpoint, answer))
}

/// The place of an ending, and that of its intent.
fn places(leaf: &[u8]) -> Option<(u64, u64)> {
    let (seq, record) = Record::parse(leaf).ok()?;
    match record.event {
        Event::Completion {
            intent,
            answer: Some(_),
            ..
        } => Some((seq, intent)),
        _ => None,
    }
}
