//! How do two parties compare what neither shows the other?
//!
//! One holds a registry, the other a corpus. The holder's VOPRF (RFC 9497, ristretto255-SHA512)
//! is evaluated over fingerprints: for its own by itself, for the corpus's blinded, in batches,
//! with a proof that it is the committed key's. What the holder publishes beforehand are rows under
//! names and pads made of evaluations: nobody can read a row who was not given its evaluation.
//! What each side learns: `docs/decisions/0016-between-parties.md`.

pub(crate) mod client;
pub(crate) mod described;
pub(crate) mod server;
pub(crate) mod table;

use std::fmt;

use rand_core::OsRng;
use serde::{Deserialize, Serialize};
use voprf::{
    BlindedElement, EvaluationElement, Group, Proof, Ristretto255, VoprfClient, VoprfServer,
};

/// The version of what goes over the wire.
pub(crate) const VERSION: u32 = 1;
/// Fingerprints in one request, at most.
pub(crate) const BATCH_MAX: usize = 1_024;
/// Bytes of a point.
pub(crate) const POINT: usize = 32;
/// Bytes of a proof.
const PROOF: usize = 64;
/// Rows of the largest registry that is served or asked: some 300 MB.
pub(crate) const ROWS_MAX: u64 = 8_000_000;
/// Bytes of all descriptions of outputs, at most.
pub(crate) const DESCRIBED_MAX: u64 = 512 << 20;

type Suite = Ristretto255;
type Public = <Ristretto255 as Group>::Elem;
/// What the function says of a fingerprint.
pub(crate) type Evaluation = [u8; 64];

/// What the holder says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hello {
    /// [`VERSION`].
    pub(crate) fairhold_between: u32,
    /// The key that proofs are checked with.
    pub(crate) server_key: String,
    /// The key that fingerprints are made under.
    pub(crate) audit_key: String,
    /// The normaliser they are made with.
    pub(crate) normaliser: u16,
    /// Rows of the table.
    pub(crate) rows: u64,
    /// SHA-256 of the table.
    pub(crate) rows_sha256: String,
    /// Outputs, control twins among them.
    pub(crate) outputs: u64,
    /// Those that may be recognised.
    pub(crate) recognisable: u64,
    /// Their accounts.
    pub(crate) accounts: u64,
    /// Bytes of the description of an output.
    pub(crate) width: u64,
    /// SHA-256 of the descriptions.
    pub(crate) described_sha256: String,
    /// Fingerprints in one request, at most.
    pub(crate) batch_max: u64,
    /// Fingerprints that may still be asked.
    pub(crate) budget_left: u64,
}

/// Why two parties do not come together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BetweenError {
    /// The other side cannot be reached, or does not answer in time.
    Silent(String),
    /// It refused.
    Refused(u16, String),
    /// Its key is not the one that was pinned.
    OtherKey {
        /// Its key.
        theirs: String,
    },
    /// An answer or a request is not as the protocol has it.
    Malformed(&'static str),
    /// A proof does not hold.
    Proof,
    /// The rest of the budget is too small.
    Budget {
        /// Fingerprints that would have to be asked.
        needed: u64,
        /// Those that may be.
        left: u64,
    },
    /// The registry is larger than is served.
    TooLarge,
    /// A name in the registry is too long, or no random bytes could be had.
    Own(String),
}

impl fmt::Display for BetweenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(why) => write!(
                f,
                "ask the registry's holder: {why}; is `fairhold registry serve` running there?"
            ),
            Self::Refused(status, why) => {
                write!(f, "ask the registry's holder: it refused ({status}): {why}")
            }
            Self::OtherKey { theirs } => write!(
                f,
                "trust the registry's holder: its key is {theirs}, not the one of `--server-key`; \
                 ask it over another channel which is right"
            ),
            Self::Malformed(what) => write!(
                f,
                "read what the other side sent: {what}; nothing of it was used, check that both \
                 sides run the same version"
            ),
            Self::Proof => f.write_str(
                "trust an answer of the registry's holder: its proof does not hold for its key and \
                 for what was asked; nothing of it was used, do not rely on this audit",
            ),
            Self::Budget { needed, left } => write!(
                f,
                "ask {needed} fingerprints: the holder allows {left} more; audit a part of the \
                 corpus, take `--depth copies --guarantee 39`, or ask it for a larger `--budget`"
            ),
            Self::TooLarge => write!(
                f,
                "serve so large a registry: at most {ROWS_MAX} fingerprints; hand over a part with \
                 `fairhold registry handover` and serve that"
            ),
            Self::Own(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for BetweenError {}

/// The holder's secret.
pub(crate) struct Key {
    server: VoprfServer<Suite>,
    seed: [u8; 32],
}

impl Key {
    /// From 32 secret bytes.
    pub(crate) fn new(seed: [u8; 32]) -> Result<Self, BetweenError> {
        let server = VoprfServer::new_from_seed(&seed, b"fairhold between parties 1");
        let server =
            server.map_err(|_| BetweenError::Own("make the key of the audit".to_owned()))?;
        Ok(Self { server, seed })
    }

    /// What others know it by, hexadecimal.
    pub(crate) fn public(&self) -> String {
        hex::encode(<Suite as Group>::serialize_elem(
            self.server.get_public_key(),
        ))
    }

    /// What the function says of a fingerprint.
    pub(crate) fn evaluate(&self, key: u64) -> Result<Evaluation, BetweenError> {
        let said = self.server.evaluate(&input(key));
        Ok(said
            .map_err(|_| BetweenError::Malformed("a fingerprint"))?
            .into())
    }

    /// Answers a batch of blinded fingerprints: as many points, then a proof for all of them.
    pub(crate) fn answer(&self, body: &[u8]) -> Result<Vec<u8>, BetweenError> {
        let points = points(body)?;
        let blinded: Result<Vec<BlindedElement<Suite>>, _> = points
            .iter()
            .map(|p| BlindedElement::deserialize(p))
            .collect();
        let blinded = blinded
            .map_err(|_| BetweenError::Malformed("what it asks holds bytes that are no point"))?;
        let answered = self.server.batch_blind_evaluate(&mut OsRng, &blinded);
        let answered = answered.map_err(|_| BetweenError::Malformed("a batch"))?;
        let mut bytes = Vec::with_capacity(body.len() + PROOF);
        for message in &answered.messages {
            bytes.extend_from_slice(&message.serialize());
        }
        bytes.extend_from_slice(&answered.proof.serialize());
        Ok(bytes)
    }

    /// Further secrets of the holder's.
    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }
}

/// What is evaluated: the kept bits of a key.
fn input(key: u64) -> [u8; 6] {
    let mut bytes = key.to_be_bytes().into_iter();
    std::array::from_fn(|_| bytes.next().unwrap_or(0))
}

/// A batch in points, none too many and none cut off.
fn points(body: &[u8]) -> Result<&[[u8; POINT]], BetweenError> {
    let (points, rest) = body.as_chunks::<POINT>();
    if points.is_empty() || !rest.is_empty() {
        return Err(BetweenError::Malformed("a batch is empty or cut off"));
    }
    if points.len() > BATCH_MAX {
        return Err(BetweenError::Malformed("a batch is larger than 1,024"));
    }
    Ok(points)
}

/// The holder's key as the other side reads it.
pub(crate) fn public(hexadecimal: &str) -> Result<Public, BetweenError> {
    let wrong = BetweenError::Malformed("the server key is not 64 hexadecimal digits of a point");
    let mut bytes = [0; POINT];
    hex::decode_to_slice(hexadecimal.trim(), &mut bytes).map_err(|_| wrong.clone())?;
    <Suite as Group>::deserialize_elem(&bytes).map_err(|_| wrong)
}

/// A batch that is asked.
pub(crate) struct Asking {
    inputs: Vec<[u8; 6]>,
    blinds: Vec<VoprfClient<Suite>>,
    /// What goes over the wire: points that say nothing of the fingerprints.
    pub(crate) body: Vec<u8>,
}

impl Asking {
    /// Blinds a batch.
    pub(crate) fn of(keys: &[u64]) -> Result<Self, BetweenError> {
        let mut asking = Self {
            inputs: keys.iter().map(|key| input(*key)).collect(),
            blinds: Vec::with_capacity(keys.len()),
            body: Vec::with_capacity(keys.len() * POINT),
        };
        for input in &asking.inputs {
            let blinded = VoprfClient::<Suite>::blind(input, &mut OsRng)
                .map_err(|_| BetweenError::Malformed("a fingerprint"))?;
            asking.body.extend_from_slice(&blinded.message.serialize());
            asking.blinds.push(blinded.state);
        }
        Ok(asking)
    }

    /// What the function says of each, once the proof holds.
    pub(crate) fn heard(
        &self,
        answer: &[u8],
        public: Public,
    ) -> Result<Vec<Evaluation>, BetweenError> {
        let (points, proof) = answer
            .split_at_checked(self.body.len())
            .filter(|(_, proof)| proof.len() == PROOF)
            .ok_or(BetweenError::Malformed("an answer is cut off or too long"))?;
        let no_point = |_| BetweenError::Malformed("an answer holds bytes that are no point");
        let (points, _) = points.as_chunks::<POINT>();
        let messages: Result<Vec<EvaluationElement<Suite>>, _> = points
            .iter()
            .map(|p| EvaluationElement::deserialize(p))
            .collect();
        let messages = messages.map_err(no_point)?;
        let proof = Proof::<Suite>::deserialize(proof)
            .map_err(|_| BetweenError::Malformed("an answer's proof is not one"))?;
        let heard =
            VoprfClient::batch_finalize(&self.inputs, &self.blinds, &messages, &proof, public);
        let heard = heard.map_err(|_| BetweenError::Proof)?;
        let said: Result<Vec<_>, _> = heard.map(|one| one.map(Into::into)).collect();
        said.map_err(|_| BetweenError::Proof)
    }
}

#[cfg(test)]
mod tests;
