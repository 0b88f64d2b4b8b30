//! Signatures that anybody can check: Standard Webhooks 1.0, with ed25519
//! (`v1a`) for strangers and HMAC-SHA256 (`v1`) for the libraries that know
//! only that.
//!
//! Both keys are derived from the log's seed, which is backed up already; the
//! secret of an endpoint opens no other one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};

/// Signs for one house.
#[derive(Clone)]
pub(crate) struct Signer {
    key: SigningKey,
    secrets: [u8; 32],
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("key", &self.public_key())
            .finish_non_exhaustive()
    }
}

fn derived(purpose: &[u8], seed: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(purpose)
        .chain_update(seed)
        .finalize()
        .into()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let made = <Hmac<Sha256> as Mac>::new_from_slice(key);
    made.map_or([0; 32], |mut mac| {
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    })
}

impl Signer {
    /// The signer of the house with this log.
    pub(crate) fn of(seed: &[u8; 32]) -> Self {
        Self {
            key: SigningKey::from_bytes(&derived(b"fairhold webhooks\0", seed)),
            secrets: derived(b"fairhold webhook secrets\0", seed),
        }
    }

    /// The key that checks `v1a`: `whpk_` and base64 of its 32 bytes.
    pub(crate) fn public_key(&self) -> String {
        let key = self.key.verifying_key();
        format!("whpk_{}", STANDARD.encode(key.as_bytes()))
    }

    fn secret_of(&self, endpoint: &str) -> [u8; 32] {
        mac(&self.secrets, &[endpoint.as_bytes()])
    }

    /// The secret that checks `v1` of one endpoint: `whsec_` and base64.
    pub(crate) fn secret(&self, endpoint: &str) -> String {
        format!("whsec_{}", STANDARD.encode(self.secret_of(endpoint)))
    }

    /// The header `webhook-signature`.
    pub(crate) fn signature(&self, endpoint: &str, id: &str, second: i64, body: &str) -> String {
        let content = format!("{id}.{second}.{body}");
        let plain = mac(&self.secret_of(endpoint), &[content.as_bytes()]);
        let signed = self.key.sign(content.as_bytes());
        format!(
            "v1a,{} v1,{}",
            STANDARD.encode(signed.to_bytes()),
            STANDARD.encode(plain)
        )
    }
}
