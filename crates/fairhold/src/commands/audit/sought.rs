//! What is looked for: a registry's outputs, or those of logs, with their control twins.

use std::path::Path;

use provenance::{
    AuditKey, Calibrated, Depth, Guarantee, Judge, Measured, Registry, Role, Segment,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::with;
use crate::args::provenance::{Closely, CorpusFiles, Sought, Words};
use crate::commands::registry::said;
use crate::failure::Failure;
use crate::logs::{Listing, stream};
use crate::out::Out;
use crate::registry::{Folder, Making};

/// Another party that was asked about a corpus.
#[derive(Debug)]
pub(crate) struct OtherParty {
    /// Accounts that it holds outputs of.
    pub(crate) accounts: usize,
    /// The files as it was asked about them: name, SHA-256, bytes.
    pub(crate) digests: Vec<(String, String, u64)>,
}

/// A registry in memory, and how it is asked.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The outputs.
    pub(crate) registry: Registry,
    /// Their key.
    pub(crate) key: AuditKey,
    /// How closely.
    pub(crate) depth: Depth,
    /// What a match must come to.
    pub(crate) judge: Judge,
    /// How well that was measured to tell.
    pub(crate) measured: Measured,
    /// SHA-256 over the segments, in the order in which they were joined.
    pub(crate) sha256: String,
    /// Where those rates come from, in words.
    pub(crate) rates: String,
    /// The other party, where it holds the registry.
    pub(crate) other: Option<OtherParty>,
    /// What the auditor's own human texts came to, where they set the rate of what is flagged in vain.
    pub(crate) human: Option<Value>,
}

impl Prepared {
    /// Asks another party, reads the registry, or takes the fingerprints of the logs. The key of a
    /// registry that is made here is kept in `folder`, so that a killed audit goes on with it.
    pub(crate) fn of(
        what: &Sought,
        files: &CorpusFiles,
        folder: Option<&Path>,
        out: Out,
    ) -> Result<Self, Failure> {
        let judge = Calibrated::shipped().map_err(|e| Failure::chain(&e))?;
        if let Some(url) = &what.other.with {
            let how = (depth(what), judge.judge.clone());
            let heard = with::heard(url, &what.other, files, how, out)?;
            return Ok(Self {
                registry: heard.registry,
                key: heard.key,
                depth: depth(what),
                rates: judge.rates(),
                judge: judge.judge,
                measured: judge.measured,
                sha256: heard.sha256,
                other: Some(heard.other),
                human: None,
            });
        }
        let (key, mut segments) = if let Some(dir) = &what.registry {
            let registry = Folder::open(dir).map_err(said)?;
            let segments = registry.segments().map_err(said)?;
            (registry.key().clone(), segments)
        } else {
            (own_key(folder)?, Vec::new())
        };
        let mut making = Making::new(&key);
        let account = what.account.as_deref();
        if !what.answers.is_empty() {
            stream(&Listing::of(&what.answers)?, account, out, |batch| {
                for exchange in &batch {
                    making.take(exchange, Role::Output);
                }
            })?
            .tell(out);
        }
        if !what.twins.is_empty() {
            let twins = Some("control-twins");
            stream(&Listing::of(&what.twins)?, twins, out, |batch| {
                for exchange in &batch {
                    making.take_twin(exchange);
                }
            })?
            .tell(out);
        }
        segments.extend(making.build());
        let sha256 = digest_of(&segments);
        let registry =
            Registry::join(key.id(), segments, None).map_err(|e| Failure::error(e.to_string()))?;
        if registry.is_empty() {
            return Err(Failure::error(
                "the registry holds no output of 40 words or more: nothing could be recognised; \
                 build one with `fairhold registry build`"
                    .to_owned(),
            ));
        }
        Ok(Self {
            registry,
            key,
            depth: depth(what),
            rates: judge.rates(),
            judge: judge.judge,
            measured: judge.measured,
            sha256,
            other: None,
            human: None,
        })
    }

    /// What else a scan depends on, for its manifest: every output and fingerprint, and everything
    /// that a match is judged by.
    pub(crate) fn asked(&self) -> String {
        format!(
            "{:016x} {} {:?} {} normaliser {}",
            self.key.id(),
            self.sha256,
            self.depth,
            hex::encode(Sha256::digest(format!("{:?}", self.judge))),
            provenance::NORMALISER_VERSION
        )
    }

    /// What was looked for and how it was judged, as a statement names it. Control twins clear
    /// documents: who chose them must be able to be asked about them.
    pub(crate) fn named(&self) -> Value {
        let outputs = self.registry.outputs();
        let moments = outputs.iter().map(|output| output.at);
        let mut twins = Sha256::new();
        let controls = outputs.iter().filter(|o| o.role == Role::Control);
        let mut count = 0_u64;
        for twin in controls {
            twins.update(format!("{} {} {}\n", twin.account, twin.id, twin.model));
            count += 1;
        }
        json!({
            "registry": {
                "held_by_another_party": self.other.is_some(),
                "key": format!("{:016x}", self.key.id()),
                "sha256": self.sha256,
                "outputs": self.registry.len(),
                "fingerprints": self.registry.fingerprints(),
                "accounts": self.accounts(),
                "first_output": moments.clone().min().map(facts::Timestamp::rfc3339),
                "last_output": moments.max().map(facts::Timestamp::rfc3339),
            },
            "control_twins": {"count": count, "sha256": hex::encode(twins.finalize())},
            "judge": {
                "rates": self.rates,
                "human": self.human,
                "unrelated_max": self.judge.unrelated_max,
                "independent_max": self.judge.independent_max,
                "sha256": hex::encode(Sha256::digest(format!("{:?}", self.judge))),
            },
            "scanner": {
                "depth": format!("{:?}", self.depth),
                "normaliser": provenance::NORMALISER_VERSION,
            },
        })
    }

    /// The accounts whose outputs may be recognised.
    pub(crate) fn accounts(&self) -> usize {
        if let Some(other) = &self.other {
            return other.accounts;
        }
        let outputs = self.registry.outputs().iter();
        let accounts: std::collections::BTreeSet<&str> = outputs
            .filter(|output| output.role == Role::Output)
            .map(|output| output.account.as_str())
            .collect();
        accounts.len()
    }
}

fn digest_of(segments: &[Segment]) -> String {
    let mut all = Sha256::new();
    for segment in segments {
        all.update(Sha256::digest(segment.to_bytes()));
    }
    hex::encode(all.finalize())
}

fn depth(what: &Sought) -> Depth {
    let guarantee = match what.guarantee {
        Words::Words23 => Guarantee::Words23,
        Words::Words39 => Guarantee::Words39,
    };
    match what.depth {
        Closely::Copies => Depth::Copies(guarantee),
        Closely::Paraphrases => Depth::Paraphrases(guarantee),
    }
}

fn own_key(folder: Option<&Path>) -> Result<AuditKey, Failure> {
    if let Some(folder) = folder {
        let kept = Folder::open_or_make(&folder.join("key")).map_err(said)?;
        return Ok(kept.key().clone());
    }
    let key = store::random::<16>().map_err(|e| Failure::error(format!("draw a key: {e}")))?;
    Ok(AuditKey::new(key))
}
