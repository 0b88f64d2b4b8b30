//! `fairhold key create|revoke|list`.

use console::Office;

use crate::args::Key;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Key, out: Out) -> Result<Exit, Failure> {
    match what {
        Key::Create { account } => {
            let key = office.create_key(&account).await?;
            out.data(&key)?;
            out.line(&key.key);
            out.say(&format!(
                "key {} of {}: shown once, only its digest is kept",
                key.id, key.account
            ));
            out.next("fairhold serve --config fairhold.toml");
        }
        Key::Revoke { id } => {
            let key = office.revoke_key(&id).await?;
            out.data(&key)?;
            out.line(&format!("key {} of {} is revoked", key.id, key.account));
        }
        Key::List => {
            let keys = office.keys().await?;
            out.data(&keys)?;
            for key in &keys {
                let state = if key.revoked { "revoked" } else { "live" };
                out.line(&format!("{:<24} {state:<8} {}", key.id, key.account));
            }
        }
    }
    Ok(Exit::Clean)
}
