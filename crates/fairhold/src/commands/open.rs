//! `fairhold open`: a person reads the bodies of an exchange; that they did is
//! recorded first.

use console::{Office, Reading};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::args::custody::Open;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Open, out: Out) -> Result<Exit, Failure> {
    let reading = Reading {
        by: what.by,
        reason: what.reason,
    };
    let bodies = office.read_bodies(&what.exchange, reading).await?;
    out.data(&bodies)?;
    for body in &bodies {
        let bytes = STANDARD
            .decode(&body.plaintext)
            .map_err(|e| Failure::error(format!("failed to read the answer: {e}")))?;
        out.say(&format!(
            "{}: {} bytes, salt {}, commitment {}",
            body.what,
            bytes.len(),
            body.salt,
            body.commitment
        ));
        out.line(&String::from_utf8_lossy(&bytes));
    }
    out.say("that you read them is in the log");
    Ok(Exit::Clean)
}
