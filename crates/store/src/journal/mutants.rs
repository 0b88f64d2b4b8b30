//! What the writer does wrong when it is asked to; see [`crate::faults`].

use std::fs::File;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use super::writer::{Writer, closes};
use super::{Entry, Request};
use crate::database::{Database, StoreError};
use crate::doors::sync_file;
use crate::faults::{Mutant, has};

impl Writer {
    /// Carries out the chosen fault: what is left to commit as it should be.
    pub(super) async fn mutated(&mut self, requests: Vec<Request>) -> Option<Vec<Request>> {
        if has(Mutant::AckBeforeWrite) {
            self.answer_and_write(requests).await;
            return None;
        }
        if has(Mutant::AckBeforeSync) {
            self.answer_and_sync(requests).await;
            return None;
        }
        if has(Mutant::CompletionReleasedBeforeDurable) {
            return Some(self.release_completions(requests));
        }
        Some(requests)
    }

    async fn answer_and_write(&mut self, requests: Vec<Request>) {
        let entries: Vec<Entry> = requests.iter().flat_map(|r| r.entries.clone()).collect();
        let first = self.next;
        self.acknowledge(requests);
        // Whoever waited goes on before anything is written.
        tokio::task::yield_now().await;
        let after = std::mem::replace(&mut self.next, first);
        let entries: Vec<&Entry> = entries.iter().collect();
        if self.write(&entries).await.is_err() {
            self.state.stopped.store(true, Ordering::Release);
        }
        self.next = after;
    }

    /// The database was opened so that a commit does not sync.
    async fn answer_and_sync(&mut self, requests: Vec<Request>) {
        let entries: Vec<&Entry> = requests.iter().flat_map(|r| &r.entries).collect();
        if self.write(&entries).await.is_err() {
            self.state.stopped.store(true, Ordering::Release);
            return;
        }
        self.acknowledge(requests);
        tokio::task::yield_now().await;
        let listed = self.database.rows("PRAGMA database_list", Vec::new());
        if let Ok(rows) = listed.await
            && let Some(Ok(path)) = rows.first().map(|row| row.text(2))
        {
            let path = std::path::PathBuf::from(format!("{path}-wal"));
            let synced = File::open(&path).and_then(|file| sync_file(&file, &path));
            if synced.is_err() {
                self.state.stopped.store(true, Ordering::Release);
            }
        }
    }

    fn release_completions(&self, mut requests: Vec<Request>) -> Vec<Request> {
        let mut next = self.next;
        for request in &mut requests {
            let first = next;
            next += u64::try_from(request.entries.len()).unwrap_or_default();
            if closes(request) {
                let (nobody, _) = oneshot::channel();
                let waiting = std::mem::replace(&mut request.reply, nobody);
                waiting.send(Ok((first..next).collect())).ok();
            }
        }
        requests
    }
}

impl Database {
    /// Carries out a harness's own statement on the connection that writes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tell(&self, sql: &str) -> Result<(), StoreError> {
        self.session().await?.execute(sql, Vec::new()).await?;
        Ok(())
    }
}
