//! `fairhold retention run`: bodies whose time is over are let go, by command
//! and, while a server runs, at its start and every day.

use std::sync::Arc;
use std::time::Duration;

use console::{Office, RetentionAsked, RetentionView};
use tokio::sync::watch;

use crate::args::custody::Retention;
use crate::failure::{Exit, Failure};
use crate::house::House;
use crate::keeper::Keeper;
use crate::office::custody::let_go;
use crate::out::Out;

/// Between two runs while a server runs.
const DAY: Duration = Duration::from_secs(86_400);

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Retention, out: Out) -> Result<Exit, Failure> {
    let Retention::Run { days, .. } = what;
    let busy = out.busy("letting go of bodies");
    let done = office.let_go(RetentionAsked { days }).await;
    busy.finish_and_clear();
    let done = done?;
    out.data(&done)?;
    out.line(&line(&done));
    Ok(Exit::Clean)
}

fn line(done: &RetentionView) -> String {
    format!(
        "kept for {} days: let go of {} sealed bodies and {} keys; {} older bodies stay for a legal hold or an open case",
        done.days, done.bodies, done.keys, done.kept
    )
}

/// The retention of a house, at the start and every day.
pub(crate) struct Daily {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Daily {
    /// Starts it.
    pub(crate) fn start(house: &House) -> Self {
        let (stop, stopping) = watch::channel(false);
        let keeper = Arc::clone(&house.keeper);
        let task = tokio::spawn(daily(keeper, house.bodies_days, stopping));
        Self { stop, task }
    }

    /// Ends it; what was let go so far is recorded.
    pub(crate) async fn stop(self) {
        // Without a receiver it has ended already.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the retention died");
        }
    }
}

async fn daily(keeper: Arc<Keeper>, days: u32, mut stopping: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(DAY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let run = let_go(&keeper, days, &|_| ());
        tokio::select! {
            done = run => match done {
                Ok(done) if done.bodies + done.keys > 0 => tracing::info!("{}", line(&done)),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "bodies whose time is over were not let go"),
            },
            // A batch under way is recorded or not at all.
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}
