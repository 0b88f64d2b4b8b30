//! `fairhold serve`: the gateway for programs, the admin API for people.
//!
//! Writes `run.json` into the data folder once it listens. On SIGTERM or
//! ctrl-c it accepts no more, lets running exchanges end, writes the last
//! batch and leaves.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use console::{Door, Issuer, Origin};
use engine::Mode;
use gateway::{Server, Setup};
use serde_json::json;
use store::SystemClock;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::args::Serve;
use crate::commands::retention::Daily;
use crate::commands::telling::Telling;
use crate::doors::pages;
use crate::failure::{Exit, Failure};
use crate::house::{House, Plan};
use crate::issuer::fetch;
use crate::judge::Documents;
use crate::office::LocalOffice;
use crate::out::Out;
use crate::registry::follow::Registering;
use crate::run_file::RunFile;
use crate::settings::{ConsoleAt, Settings};
use crate::watch::{self as watching, Watch};

/// Runs the command.
pub(crate) async fn run(data: &Path, what: Serve, out: Out) -> Result<Exit, Failure> {
    let settings = Settings::read(&what.config)?;
    let mode = if what.enforce {
        Mode::Enforced
    } else {
        Mode::Shadow
    };
    let terms = settings.terms.as_ref().map(Documents::load).transpose()?;
    let plan = Plan {
        mode,
        terms: terms.map(Arc::new),
        database_url: settings.database_url,
        prices: settings.prices,
        keeping: settings.keeping,
        witnesses: settings.witnesses,
        tsa: settings.tsa,
        sending: settings.sending,
    };
    let house = House::open(data, plan).await?;
    if house.interrupted() > 0 {
        out.say(&format!(
            "{} exchanges of the last run were marked interrupted",
            house.interrupted()
        ));
    }
    // Whoever is served can rely on it.
    let registering = Registering::start(&house).await?;
    let at = At {
        console: settings.console,
        level: settings.watching.alpha,
    };
    let none = gateway::Recordings::default();
    let running = Running::start_at(&house, settings.gateway, none, at).await?;
    let watching = Watching::start(&house, settings.watching, out).await?;
    let retention = Daily::start(&house);
    let run = RunFile {
        gateway: format!("http://{}", running.gateway),
        admin: format!("http://{}", running.admin),
        token: running.token.clone(),
        console: running.console.clone(),
        pid: std::process::id(),
    };
    house
        .folder
        .write_run(&json!(run).to_string())
        .map_err(|e| Failure::chain(&e))?;
    out.data(&json!({"gateway": run.gateway, "admin": run.admin, "console": run.console, "enforce": what.enforce}))?;
    out.line(&format!("serving {}", run.gateway));
    out.line(&format!("console {}", run.console));
    if mode == Mode::Shadow {
        out.say(
            "shadow mode: what terms and cases forbid is recorded, not refused (see `--enforce`)",
        );
    }
    out.next("fairhold account create ACCOUNT && fairhold key create ACCOUNT");
    stopped().await?;
    out.say("stopping: running exchanges may end");
    running.stop().await;
    watching.stop().await;
    retention.stop().await;
    registering.stop().await;
    house.folder.clear_run().map_err(|e| Failure::chain(&e))?;
    house.close().await;
    Ok(Exit::Clean)
}

/// The watch of a house, following its log.
pub(crate) struct Watching {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Watching {
    pub(crate) async fn start(
        house: &House,
        how: watching::Watching,
        out: Out,
    ) -> Result<Self, Failure> {
        let detector = watching::model::load(house.folder.path())?;
        let watch = Watch::open(house, detector, how)
            .await
            .map_err(|e| Failure::chain(&e))?;
        if let Some(why) = watch.abstains() {
            out.say(&why);
        }
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(watch.run(stopping));
        Ok(Self { stop, task })
    }

    /// What was not read yet is read by the next process.
    pub(crate) async fn stop(self) {
        // Without a receiver it has ended already.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the watch died");
        }
    }
}

/// SIGTERM or ctrl-c.
pub(crate) async fn stopped() -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::error(format!("failed to watch for signals: {e}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result.map_err(failed)?,
    }
    Ok(())
}

/// Where the pages for people are, and what they tell of the watch.
#[derive(Debug, Clone)]
pub(crate) struct At {
    /// Where they listen.
    pub(crate) console: ConsoleAt,
    /// The level at which the watch makes a finding.
    pub(crate) level: f64,
}

impl Default for At {
    /// On this machine.
    fn default() -> Self {
        Self {
            console: ConsoleAt::default(),
            level: watching::Watching::USUAL.alpha,
        }
    }
}

/// The gateway, the admin API and the console of a house, listening; its ledger, sealed every second.
pub(crate) struct Running {
    /// Where programs go.
    pub(crate) gateway: SocketAddr,
    /// Where the admin API listens, on loopback.
    pub(crate) admin: SocketAddr,
    /// Opens the admin API.
    pub(crate) token: String,
    /// Where people go: the console's origin.
    pub(crate) console: String,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    last: watch::Sender<bool>,
    sealing: tokio::task::JoinHandle<()>,
    telling: Telling,
}

impl Running {
    /// Starts both; `recordings` answer for `replay` upstreams.
    pub(crate) async fn start_with(
        house: &House,
        config: gateway::Config,
        recordings: gateway::Recordings,
    ) -> Result<Self, Failure> {
        Self::start_at(house, config, recordings, At::default()).await
    }

    /// The same, with the pages for people at their places.
    pub(crate) async fn start_at(
        house: &House,
        config: gateway::Config,
        recordings: gateway::Recordings,
        at: At,
    ) -> Result<Self, Failure> {
        let failed = |e: std::io::Error| Failure::error(format!("failed to listen: {e}"));
        let office = Arc::new(LocalOffice::of(house).at_level(at.level));
        let portal = at.console.portal.clone();
        // Sign-ins of customers do not depend on the port; passkeys are asked at the console only.
        let portal = portal.unwrap_or_else(|| Origin::localhost(config.listen.port()));
        let portal =
            Door::new(house.keeper.database().clone(), portal).behind(at.console.proxies.clone());
        let customers = console::customer(Arc::clone(&office))
            .merge(console::portal(Arc::clone(&office), Arc::new(portal)));
        let setup = Setup {
            desk: Arc::clone(&house.keeper),
            clock: || SystemClock.now(),
            recordings,
            further: Some(pages(customers)),
            seed: u64::from_be_bytes(store::random().map_err(failed)?),
        };
        let server = Server::bind(config, setup)
            .await
            .map_err(|e| Failure::error(format!("failed to serve: {e}")))?;
        let gateway = server.address().map_err(failed)?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let admin = listener.local_addr().map_err(failed)?;
        let token = hex::encode(store::random::<32>().map_err(failed)?);
        let router = console::admin(Arc::clone(&office), &token);
        let (stop, stopping) = watch::channel(false);
        // It seals once more after the listeners have ended, so it is stopped after them.
        let (last, ended) = watch::channel(false);
        let (console, peopled) = peopled(house, office, &at.console, stopping.clone()).await?;
        let sealing = tokio::spawn(Arc::clone(&house.ledger).run(ended));
        let serving = tokio::spawn(server.run(until(stopping.clone())));
        let administering = tokio::spawn(async move {
            let ended = axum::serve(listener, router).with_graceful_shutdown(until(stopping));
            if let Err(error) = ended.await {
                tracing::error!(%error, "the admin API ended");
            }
        });
        Ok(Self {
            gateway,
            admin,
            token,
            console,
            stop,
            tasks: vec![serving, administering, peopled],
            last,
            sealing,
            telling: Telling::start(house),
        })
    }

    /// Accepts no more, lets running exchanges end, and waits for that.
    pub(crate) async fn stop(self) {
        // Without a receiver both have ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a listener died");
            }
        }
        self.telling.stop().await;
        let _ = self.last.send(true);
        if let Err(error) = self.sealing.await {
            tracing::error!(%error, "the sealing died");
        }
    }
}

/// The console, listening at its place; its origin.
async fn peopled(
    house: &House,
    office: Arc<LocalOffice>,
    at: &ConsoleAt,
    stopping: watch::Receiver<bool>,
) -> Result<(String, tokio::task::JoinHandle<()>), Failure> {
    let failed = |e: std::io::Error| {
        Failure::error(format!(
            "failed to listen for the console: {e}; choose another `listen` in `[console]`"
        ))
    };
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = TcpListener::bind(at.listen.unwrap_or(free)).await;
    let listener = listener.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let origin = at.origin.clone().unwrap_or_else(|| Origin::localhost(port));
    let place = origin.as_str().to_owned();
    let issuer = at.oidc.clone().map(|terms| {
        let way = fetch(&terms.url);
        Issuer::new(terms, way)
    });
    let issuer = issuer.transpose().map_err(Failure::error)?;
    let door = Door::new(house.keeper.database().clone(), origin)
        .at_issuer(issuer)
        .approving_proven(at.proven)
        .behind(at.proxies.clone());
    let router = console::console(office, Arc::new(door));
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move {
        let ended = axum::serve(listener, router).with_graceful_shutdown(until(stopping));
        if let Err(error) = ended.await {
            tracing::error!(%error, "the console ended");
        }
    });
    Ok((place, serving))
}

async fn until(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone: that is a stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}
