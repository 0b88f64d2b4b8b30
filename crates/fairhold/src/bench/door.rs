//! The gateway of a benchmark: one account, one upstream.

use std::path::Path;
use std::sync::Arc;

use console::{NewAccount, Office as _};
use detection::Detector;
use engine::Mode;
use gateway::{Config, Desk, Server, Setup};
use store::SystemClock;

use super::open_desk::OpenDesk;
use crate::failure::{Exit, Failure};
use crate::house::{House, Plan};
use crate::office::LocalOffice;
use crate::out::Out;
use crate::registry::follow::Registering;
use crate::watch::{Watch, Watching};

/// What the gateway does besides recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct More {
    /// Ask documents of terms.
    pub(super) terms: bool,
    /// Watch.
    pub(super) watched: bool,
    /// Register outputs.
    pub(super) registered: bool,
}

/// Serves until it is stopped; greets with its address and a key.
pub(super) async fn serve(
    upstream: &str,
    record: Option<&Path>,
    more: More,
    out: Out,
) -> Result<Exit, Failure> {
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"mock\"\nkind = \"openai\"\n\
         base_url = \"http://{upstream}\"\nmodels = [\"mock-1\"]\n"
    );
    let config = Config::parse(&text).map_err(|e| Failure::error(e.to_string()))?;
    let Some(folder) = record else {
        let desk = OpenDesk::new().map_err(|e| Failure::error(e.to_string()))?;
        return listen(config, Arc::new(desk), "bench", out).await;
    };
    let documents = more.terms.then(super::terms::documents).transpose()?;
    let plan = Plan {
        mode: Mode::Enforced,
        terms: documents.map(Arc::new),
        ..Plan::at_rest()
    };
    let house = House::open(folder, plan).await?;
    let office = LocalOffice::of(&house);
    let account = NewAccount {
        account: "bench".to_owned(),
        project: "bench".to_owned(),
        organisation: "bench".to_owned(),
        purposes: vec!["inference-product".to_owned()],
        ..NewAccount::default()
    };
    office.open_account(account).await?;
    let key = office.create_key("bench").await?;
    // The sender lives as long as the gateway does: the watch is never told to stop.
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    if more.watched {
        let detector = Detector::shipped().map_err(|e| Failure::error(e.to_string()))?;
        let watch = Watch::open(&house, detector, Watching::USUAL).await;
        tokio::spawn(watch.map_err(|e| Failure::chain(&e))?.run(stopping));
    }
    // Like the watch it is never told to stop.
    let _registering = if more.registered {
        Some(Registering::start(&house).await?)
    } else {
        None
    };
    listen(config, Arc::clone(&house.keeper), &key.key, out).await
}

async fn listen<D: Desk>(
    config: Config,
    desk: Arc<D>,
    key: &str,
    out: Out,
) -> Result<Exit, Failure> {
    let broken = |e: std::io::Error| Failure::error(format!("failed to serve: {e}"));
    let setup = Setup {
        desk,
        clock: || SystemClock.now(),
        recordings: gateway::Recordings::default(),
        further: None,
        seed: u64::from_be_bytes(store::random().map_err(broken)?),
    };
    let server = Server::bind(config, setup)
        .await
        .map_err(|e| Failure::error(format!("failed to serve: {e}")))?;
    out.line(&format!("{} {key}", server.address().map_err(broken)?));
    server.run(std::future::pending()).await;
    Ok(Exit::Clean)
}
