//! What is written of an exchange: its intent, its ending, and what goes with them.

use bytes::Bytes;
use engine::{Admitted, Completion};
use evidence::seal::{Body, Label};
use evidence::{Event, Record};
use facts::Endpoint;
use store::{Entry, Passed, Spend};

use super::{InUse, Intent, Keeper};

impl Keeper {
    /// The record of a request that goes upstream, with its sealed body.
    pub(super) fn intent(
        admitted: &Admitted,
        asked: Option<u64>,
        body: &[u8],
        key: &InUse,
    ) -> Option<Entry> {
        let (kept, request) = Self::sealed(key, &label(admitted, Body::Request), body)?;
        let mut entry = Entry::of(Record {
            at: admitted.at,
            account: Some(admitted.account.clone()),
            event: Event::Intent {
                exchange: admitted.exchange.clone(),
                key: admitted.key.clone(),
                endpoint: admitted.endpoint,
                model: admitted.model.clone(),
                request,
                policy: admitted.policy_sha256.to_string(),
                clauses: admitted.clauses.clone(),
                purpose: admitted.purpose.clone(),
                asked,
            },
        });
        entry.bodies.extend(kept);
        entry.key = key.unkept();
        Some(entry)
    }

    /// The record of its ending, with its sealed answer.
    pub(super) fn ending(
        &self,
        completion: &Completion,
        intent: Intent,
        answer: &Bytes,
    ) -> Option<Entry> {
        let admitted = &completion.admitted;
        let label = label(admitted, Body::Answer);
        let (kept, commitment) = Self::sealed(&intent.key, &label, answer)?;
        let charge = self.state().engine.charge(completion);
        let mut entry = Entry::of(Record {
            at: completion.at,
            account: Some(admitted.account.clone()),
            event: Event::Completion {
                exchange: admitted.exchange.clone(),
                intent: intent.seq,
                ending: completion.ending,
                status: completion.status,
                input_tokens: completion.usage.input_tokens,
                output_tokens: completion.usage.output_tokens,
                estimated: completion.usage.estimated,
                answer: Some(commitment),
            },
        });
        entry.bodies.extend(kept);
        entry.passed = passed(admitted, intent.request, answer);
        entry.spend = Some(Spend {
            account: charge.account,
            key: charge.key,
            at: completion.at,
            amount: charge.price,
            tokens: charge.tokens,
            requests: 1,
        });
        Some(entry)
    }
}

fn label(of: &Admitted, body: Body) -> Label<'_> {
    Label {
        account: &of.account,
        exchange: &of.exchange,
        body,
    }
}

/// An exchange for who follows the log, where its request was kept for that. Of embeddings nobody
/// reads anything.
fn passed(admitted: &Admitted, request: Option<Bytes>, answer: &Bytes) -> Option<Box<Passed>> {
    let (request, answer) = match admitted.endpoint {
        Endpoint::Embeddings => (request.map(|_| Bytes::new()), Bytes::new()),
        Endpoint::ChatCompletions
        | Endpoint::Completions
        | Endpoint::Responses
        | Endpoint::Messages => {
            let answer = request.as_ref().map(|_| apart(answer));
            (request, answer.unwrap_or_default())
        }
    };
    Some(Box::new(Passed {
        exchange: admitted.exchange.clone(),
        account: admitted.account.clone(),
        model: admitted.model.clone(),
        endpoint: admitted.endpoint,
        at: admitted.at,
        request: request?,
        answer,
    }))
}

/// A copy of its own. What came from a socket lies in a buffer of its connection: held for longer, that
/// could not be used again, and fresh memory costs more than a copy.
pub(super) fn apart(body: &Bytes) -> Bytes {
    Bytes::copy_from_slice(body)
}
