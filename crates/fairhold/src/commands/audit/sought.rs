//! What is looked for: a registry's outputs, or those of logs, with their control twins.

use std::path::Path;

use provenance::{AuditKey, Depth, Guarantee, Judge, Measured, Registry, Role};

use super::judge;
use crate::args::provenance::{Closely, Sought, Words};
use crate::commands::registry::said;
use crate::failure::Failure;
use crate::logs::{Listing, stream};
use crate::out::Out;
use crate::registry::{Folder, Making};

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
}

impl Prepared {
    /// Reads the registry, or takes the fingerprints of the logs. The key of a registry that is
    /// made here is kept in `folder`, so that a killed audit goes on with it.
    pub(crate) fn of(what: &Sought, folder: Option<&Path>, out: Out) -> Result<Self, Failure> {
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
                    making.take(exchange, Role::Control);
                }
            })?
            .tell(out);
        }
        segments.extend(making.build());
        let registry =
            Registry::join(key.id(), segments, None).map_err(|e| Failure::error(e.to_string()))?;
        if registry.is_empty() {
            return Err(Failure::error(
                "the registry holds no output of 40 words or more: nothing could be recognised; \
                 build one with `fairhold registry build`"
                    .to_owned(),
            ));
        }
        let guarantee = match what.guarantee {
            Words::Words23 => Guarantee::Words23,
            Words::Words39 => Guarantee::Words39,
        };
        Ok(Self {
            registry,
            key,
            depth: match what.depth {
                Closely::Copies => Depth::Copies(guarantee),
                Closely::Paraphrases => Depth::Paraphrases(guarantee),
            },
            judge: judge::judge(),
            measured: judge::measured(),
        })
    }

    /// What else a scan depends on, for its manifest.
    pub(crate) fn asked(&self) -> String {
        format!(
            "{:016x} {} {} {:?} normaliser {}",
            self.key.id(),
            self.registry.outputs().len(),
            self.registry.fingerprints(),
            self.depth,
            provenance::NORMALISER_VERSION
        )
    }

    /// The accounts whose outputs may be recognised.
    pub(crate) fn accounts(&self) -> usize {
        let outputs = self.registry.outputs().iter();
        let accounts: std::collections::BTreeSet<&str> = outputs
            .filter(|output| output.role == Role::Output)
            .map(|output| output.account.as_str())
            .collect();
        accounts.len()
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
