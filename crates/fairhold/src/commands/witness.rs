//! `fairhold witness serve`: remembers what others' logs showed, and signs it.

use std::path::Path;
use std::sync::Arc;

use evidence::checkpoint::{Verifier, WitnessKey};
use serde_json::json;
use store::DataFolder;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use verifier::note::KeyKind;

use crate::args::ledger::Serve;
use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::witness::serve::{WitnessDesk, router};

/// Runs the command until SIGTERM or ctrl-c.
pub(crate) async fn serve(data: &Path, what: &Serve, out: Out) -> Result<Exit, Failure> {
    let folder = DataFolder::open(data).map_err(|e| Failure::chain(&e))?;
    let seed = folder.witness_seed().map_err(|e| Failure::chain(&e))?;
    let key =
        WitnessKey::from_seed(&seed, &what.name).map_err(|e| Failure::error(e.to_string()))?;
    let logs: Vec<Verifier> = what
        .log
        .iter()
        .map(|vkey| log(vkey))
        .collect::<Result<_, _>>()?;
    let desk = WitnessDesk::open(key, logs, folder.path().to_path_buf())
        .map_err(|e| Failure::error(format!("failed to go on as a witness: {e}")))?;
    let vkey = desk.vkey();
    let broken =
        |e: std::io::Error| Failure::error(format!("failed to listen on {}: {e}", what.listen));
    let listener = TcpListener::bind(what.listen).await.map_err(broken)?;
    let address = listener.local_addr().map_err(broken)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    out.data(&json!({"url": format!("http://{address}"), "vkey": vkey}))?;
    out.line(&format!(
        "witnessing at http://{address} with the key {vkey}"
    ));
    out.say(&format!(
        "in the log's fairhold.toml: [evidence] witnesses = [{{ url = \"http://{address}\", vkey = \"{vkey}\" }}]"
    ));
    let stopped = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            // Without signals there is nothing to wait for.
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    axum::serve(listener, router(Arc::new(desk)))
        .with_graceful_shutdown(stopped)
        .await
        .map_err(broken)?;
    Ok(Exit::Clean)
}

fn log(vkey: &str) -> Result<Verifier, Failure> {
    let wrong = |e: &dyn std::fmt::Display| Failure::error(format!("failed to use `{vkey}`: {e}"));
    let key = Verifier::parse(vkey).map_err(|e| wrong(&e))?;
    if key.kind() == KeyKind::Ed25519 {
        Ok(key)
    } else {
        Err(wrong(
            &"it is a witness's key; give the log's, which `fairhold ledger policy` prints",
        ))
    }
}
