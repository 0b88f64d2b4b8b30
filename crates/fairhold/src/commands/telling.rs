//! What leaves a house while it is served: notices, and decisions whose time to
//! be taken back is over.

use std::sync::Arc;
use std::time::Duration;

use store::SystemClock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::house::House;
use crate::notices::Postman;
use crate::office::cases::held;

/// Between two looks at what is held.
const LOOK: Duration = Duration::from_millis(250);

/// Both, running.
pub(crate) struct Telling {
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

impl Telling {
    /// Starts both.
    pub(crate) fn start(house: &House) -> Self {
        let (stop, stopping) = watch::channel(false);
        let keeper = Arc::clone(&house.keeper);
        let postman = Postman::new(
            Arc::clone(&keeper),
            house.signer.clone(),
            house.sending.clone(),
        );
        let sending = tokio::spawn(Arc::new(postman).run(stopping.clone()));
        let folder = house.folder.path().to_path_buf();
        let taking = tokio::spawn(async move {
            let mut stopping = stopping;
            loop {
                if let Err(error) = held::due(&keeper, &folder, SystemClock.now()).await {
                    tracing::error!(%error, "held decisions wait");
                }
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => return,
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        });
        Self {
            stop,
            tasks: [sending, taking],
        }
    }

    /// Ends both; what was not sent is sent by the next process.
    pub(crate) async fn stop(self) {
        // Without a receiver both have ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "what leaves the house died");
            }
        }
    }
}
