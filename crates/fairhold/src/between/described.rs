//! What is said of an output to whoever found a fingerprint of it, and to nobody else.

use provenance::{Output, Registry, Role};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

use super::table::Secret;
use super::{BetweenError, Key};

/// The longest description.
pub(crate) const WIDTH_MAX: usize = 4_096;
/// Descriptions are as long as the longest, in steps of this.
const STEP: usize = 64;

#[derive(Serialize, Deserialize)]
struct Described {
    id: String,
    account: String,
    at: i64,
    model: String,
    control: bool,
    prompt: u64,
    words: u32,
    own: [u32; 3],
    /// Equal for equal texts.
    text: u64,
    twins: u64,
    /// Of a control twin: the first output to its prompt, which is ranked among the twins, and what
    /// opens that one's description.
    ranked: Option<(u32, Secret)>,
}

/// What a description says.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    /// The output.
    pub(crate) output: Output,
    /// A number that outputs of the same text share.
    pub(crate) text: u64,
    /// Control twins of its prompt.
    pub(crate) twins: usize,
    /// Another output that belongs to it, and what opens that one's description.
    pub(crate) ranked: Option<(u32, Secret)>,
}

/// Whether accounts and exchanges are told by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// They are.
    Told,
    /// By digests that only the holder can trace back.
    Withheld,
}

/// Sixteen hexadecimal digits that only the holder can trace back.
pub(crate) fn alias(key: &Key, kind: &str, name: &str) -> String {
    let digest = keyed(key, kind, name.as_bytes());
    format!(
        "{kind}-{}",
        hex::encode(digest.get(..8).unwrap_or_default())
    )
}

fn keyed(key: &Key, kind: &str, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"fairhold between parties 1 alias\0");
    hash.update(key.seed());
    hash.update(kind.as_bytes());
    hash.update([0]);
    hash.update(bytes);
    hash.finalize().into()
}

/// The secret that opens an output's description.
pub(crate) fn secret(key: &Key, output: u32) -> Secret {
    let digest = keyed(key, "secret", &output.to_be_bytes());
    let mut bytes = digest.into_iter();
    std::array::from_fn(|_| bytes.next().unwrap_or(0))
}

/// All descriptions in the registry's order, each under its own secret, and how long each is.
pub(crate) fn all(
    registry: &Registry,
    key: &Key,
    names: Names,
) -> Result<(Vec<u8>, usize), BetweenError> {
    let long = || BetweenError::Own("serve an output: its names are too long".to_owned());
    let mut texts = Vec::with_capacity(registry.outputs().len());
    for n in 0..registry.outputs().len() {
        let text = serde_json::to_vec(&described(n, registry, key, names));
        texts.push(text.map_err(|_| long())?);
    }
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
    let width = longest.next_multiple_of(STEP);
    if width > WIDTH_MAX {
        return Err(long());
    }
    let mut bytes = Vec::with_capacity(width * texts.len());
    for (n, mut text) in (0..).zip(texts) {
        text.resize(width, b' ');
        padded(&mut text, &secret(key, n));
        bytes.append(&mut text);
    }
    Ok((bytes, width))
}

fn described(n: usize, registry: &Registry, key: &Key, names: Names) -> Option<Described> {
    let output = registry.outputs().get(n)?;
    let called = |kind: &str, name: &str| match names {
        Names::Told => name.to_owned(),
        Names::Withheld => alias(key, kind, name),
    };
    // The registry's own numbers of a prompt and of a text are made under the audit key, by which a
    // guess could be checked.
    let number = |kind: &str, number: u64| {
        let digest = keyed(key, kind, &number.to_be_bytes());
        let first = digest.first_chunk();
        first.map_or(1, |bytes| u64::from_be_bytes(*bytes).max(1))
    };
    let control = output.role == Role::Control;
    let ranked = registry.output_to(output.prompt).filter(|_| control);
    let ranked = ranked.and_then(|n| u32::try_from(n).ok());
    Some(Described {
        id: called("output", output.id.as_str()),
        account: called("account", output.account.as_str()),
        at: output.at.0,
        model: output.model.as_str().to_owned(),
        control,
        prompt: if output.prompt == 0 {
            0
        } else {
            number("prompt", output.prompt)
        },
        words: output.words,
        own: output.own,
        text: number("text", registry.text_of(n)),
        twins: registry.twins(output.prompt) as u64,
        ranked: ranked.map(|n| (n, secret(key, n))),
    })
}

/// Lays the pad of a secret over bytes, or takes it off.
fn padded(bytes: &mut [u8], secret: &Secret) {
    for (n, block) in (0_u32..).zip(bytes.chunks_mut(64)) {
        let mut hash = Sha512::new();
        hash.update(b"fairhold between parties 1 description\0");
        hash.update(secret);
        hash.update(n.to_be_bytes());
        for (to, pad) in block.iter_mut().zip(hash.finalize()) {
            *to ^= pad;
        }
    }
}

/// A description that was found.
pub(crate) fn open(bytes: &[u8], secret: &Secret) -> Result<Opened, BetweenError> {
    let wrong = || BetweenError::Malformed("the description of an output");
    let mut bytes = bytes.to_vec();
    padded(&mut bytes, secret);
    let told: Described = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let output = Output {
        id: facts::ExchangeId::parse(&told.id).map_err(|_| wrong())?,
        account: facts::AccountId::parse(&told.account).map_err(|_| wrong())?,
        at: facts::Timestamp(told.at),
        model: facts::ModelName::parse(&told.model).map_err(|_| wrong())?,
        role: if told.control {
            Role::Control
        } else {
            Role::Output
        },
        prompt: told.prompt,
        words: told.words,
        own: told.own,
    };
    Ok(Opened {
        output,
        text: told.text,
        twins: usize::try_from(told.twins).unwrap_or(usize::MAX),
        ranked: told.ranked,
    })
}
