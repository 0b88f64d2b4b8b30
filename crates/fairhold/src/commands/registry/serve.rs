//! `fairhold registry serve`: another party compares its corpus with a registry that stays here.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use provenance::Registry;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::said;
use crate::args::provenance::RegistryServe;
use crate::between::Key;
use crate::between::described::Names;
use crate::between::server::{Desk, Limits, router};
use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::registry::Folder;

/// Runs the command until SIGTERM or ctrl-c.
pub(super) async fn run(dir: &Path, what: &RegistryServe, out: Out) -> Result<Exit, Failure> {
    let broken =
        |e: std::io::Error| Failure::error(format!("failed to listen on {}: {e}", what.listen));
    let listener = TcpListener::bind(what.listen).await.map_err(broken)?;
    let address = listener.local_addr().map_err(broken)?;
    let token = match &what.token {
        Some(token) => token.clone(),
        None => hex::encode(store::random::<16>().map_err(broken)?),
    };
    let desk = desk(dir, what, &token, out)?;
    let hello = desk.hello();
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let url = format!("http://{address}");
    out.data(&json!({
        "url": url, "server_key": hello.server_key, "token": token, "fingerprints": hello.rows,
        "outputs": hello.outputs, "budget": what.budget,
    }))?;
    out.line(&format!(
        "{} fingerprints of {} outputs are asked at {url}; {} questions are answered",
        hello.rows, hello.outputs, what.budget
    ));
    out.line(&format!("key    {}", hello.server_key));
    out.line(&format!("token  {token}"));
    if !address.ip().is_loopback() {
        out.say("this is plain HTTP: put TLS before it, or the token can be read on the way");
    }
    out.next(&format!(
        "there: FAIRHOLD_AUDIT_TOKEN=.. fairhold audit corpus PATH --with {url} --server-key {}",
        hello.server_key
    ));
    let stopped = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            // Without signals there is nothing to wait for.
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let routes = router(Arc::new(desk)).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes)
        .with_graceful_shutdown(stopped)
        .await
        .map_err(broken)?;
    Ok(Exit::Clean)
}

fn desk(dir: &Path, what: &RegistryServe, token: &str, out: Out) -> Result<Desk, Failure> {
    let folder = Folder::open(dir).map_err(said)?;
    let segments = folder.segments().map_err(said)?;
    let registry = Registry::join(folder.key().id(), segments, None)
        .map_err(|e| Failure::error(e.to_string()))?;
    if registry.is_empty() {
        return Err(Failure::error(
            "the registry holds no output of 40 words or more: nothing could be recognised; build \
             one with `fairhold registry build`",
        ));
    }
    let key = Key::new(folder.between_seed().map_err(said)?).map_err(|e| Failure::chain(&e))?;
    let names = if what.names {
        Names::Told
    } else {
        Names::Withheld
    };
    let limits = Limits {
        budget: what.budget,
        rate: what.rate,
    };
    let bar = out.progress(registry.fingerprints() as u64, "evaluating");
    let made = Desk::of(
        &registry,
        (key, folder.secret()),
        names,
        (limits, token),
        &|n| bar.inc(n),
    );
    bar.finish_and_clear();
    made.map_err(|e| Failure::chain(&e))
}
