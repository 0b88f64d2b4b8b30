//! Harness `gateway`: does the end of an answer leave before its record is
//! durable? The product itself serves; another connection holds the database's
//! write lock, so that nothing can become durable while the end is due.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use libsqlite3_sys as sys;
use tempfile::TempDir;
use testbed::socket::{EVENTS, connect, event, rest, until};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;

use crate::child::MUTANT;
use crate::crash::scratch;
use crate::mutant::{self, Mutant};
use crate::outage::SWITCH;
use crate::tally::Tally;

/// Set in a child that is to be the product.
pub(crate) const AS_PRODUCT: &str = "DURABILITY_AS_PRODUCT";

/// Whether the product has started itself once more, to write its registry: it gives that process none
/// of its environment.
pub(crate) fn is_its_writer(arguments: impl Iterator<Item = String>) -> bool {
    arguments.skip(1).take(2).eq(["registry", "writer"])
}
/// How long the end may not come while nothing can be recorded. Correct code
/// passes however slow the machine is; a mutant on a very slow one might too.
const HELD: Duration = Duration::from_millis(400);
const END: &str = "data: [DONE]\n\n";

/// The product, serving one account.
pub(crate) struct Served {
    process: Child,
    pub(crate) gateway: SocketAddr,
    pub(crate) key: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A data folder with one account.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    key: String,
}

fn product(mutant: Option<Mutant>, data: &Path) -> Result<Command, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(own);
    command
        .env(AS_PRODUCT, "1")
        .env(MUTANT, mutant::name(mutant))
        .env("FAIRHOLD_HOME", data)
        .stderr(Stdio::null());
    Ok(command)
}

fn asked(mutant: Option<Mutant>, data: &Path, args: &[&str]) -> Result<serde_json::Value, String> {
    let out = product(mutant, data)?
        .args(args)
        .arg("--json")
        .output()
        .map_err(|e| e.to_string())?;
    serde_json::from_slice(&out.stdout).map_err(|e| format!("{args:?}: {e}"))
}

/// Makes one.
pub(crate) fn house() -> Result<House, String> {
    let folder = scratch()?;
    let data = folder.path().join("data");
    asked(None, &data, &["account", "create", "a"])?;
    let made = asked(None, &data, &["key", "create", "a"])?;
    let key = made.get("key").and_then(|key| key.as_str());
    let key = key.unwrap_or_default().to_owned();
    Ok(House { folder, key })
}

impl House {
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Serves it, with an upstream of this kind, on a disk that `switch` breaks.
    pub(crate) fn serve(
        &self,
        upstream: &str,
        switch: Option<&Path>,
        mutant: Option<Mutant>,
    ) -> Result<Served, String> {
        let config = self.folder.path().join("serve.toml");
        let text = format!("listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"u\"\n{upstream}");
        std::fs::write(&config, text).map_err(|e| e.to_string())?;
        let mut command = product(mutant, &self.data())?;
        if let Some(switch) = switch {
            command.env(SWITCH, switch);
        }
        let mut process = command
            .args(["serve", "--json", "--config"])
            .arg(&config)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        let out = process.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(|e| e.to_string())?;
        let told: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let gateway = told.get("gateway").and_then(|at| at.as_str());
        let gateway = gateway.unwrap_or_default();
        let gateway = gateway.trim_start_matches("http://").parse();
        Ok(Served {
            process,
            gateway: gateway.map_err(|e| format!("the server greeted with `{line}`: {e}"))?,
            key: self.key.clone(),
        })
    }
}

/// The database's write lock, held while the value lives.
struct WriteLock(*mut sys::sqlite3);

#[expect(unsafe_code, reason = "a connection of our own, beside the store's")]
impl WriteLock {
    fn take(path: &Path) -> Result<Self, String> {
        let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())
            .map_err(|e| e.to_string())?;
        let mut connection = std::ptr::null_mut();
        // SAFETY: the texts end with zero; the connection is used here only and
        // closed by `drop`.
        let done = unsafe {
            sys::sqlite3_open(name.as_ptr(), &raw mut connection);
            sys::sqlite3_busy_timeout(connection, 10_000);
            sys::sqlite3_exec(
                connection,
                c"BEGIN IMMEDIATE".as_ptr(),
                None,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        let lock = Self(connection);
        if done == sys::SQLITE_OK {
            Ok(lock)
        } else {
            Err(format!("the write lock was not given: {done}"))
        }
    }
}

#[expect(unsafe_code, reason = "as above")]
impl Drop for WriteLock {
    fn drop(&mut self) {
        // SAFETY: opened by `take`, closed once.
        unsafe {
            sys::sqlite3_close(self.0);
        }
    }
}

/// One answer whose end is due while nothing can be recorded.
async fn one(mutant: Option<Mutant>) -> Result<Result<(), String>, String> {
    let go = Arc::new(Semaphore::new(0));
    let upstream = {
        let go = Arc::clone(&go);
        testbed::socket::upstream(move |mut stream, _| {
            let go = Arc::clone(&go);
            async move {
                let first = [EVENTS, event("hello").as_bytes()].concat();
                // A client that is gone is noticed by the test.
                let _ = stream.write_all(&first).await;
                let _ = go.acquire().await;
                let _ = stream.write_all(END.as_bytes()).await;
            }
        })
        .await
    };
    let house = house()?;
    let upstream =
        format!("kind = \"openai\"\nbase_url = \"http://{upstream}\"\nmodels = [\"m\"]\n");
    let served = house.serve(&upstream, None, mutant)?;
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        served.key,
        body.len()
    );
    let mut client = connect(served.gateway, request.as_bytes()).await;
    until(&mut client, "hello").await;
    let lock = WriteLock::take(&house.data().join("fairhold.db"))?;
    go.add_permits(1);
    let early = tokio::time::timeout(HELD, until(&mut client, "[DONE]")).await;
    drop(lock);
    if early.is_ok() {
        return Ok(Err("the end left before its record was durable".to_owned()));
    }
    let after = rest(client).await;
    // What `until` had read before it was dropped may hold a part of the end.
    let came = after.contains("[DONE]") || after.contains("0\r\n\r\n");
    Ok(if came {
        Ok(())
    } else {
        Err(format!("the end never came: {after}"))
    })
}

/// Asks `runs` times, at once: what takes long is to wait for an end that must not come.
pub(crate) fn all(runs: u64, mutant: Option<Mutant>, tally: &Tally) -> Result<(), String> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..runs)
            .map(|n| scope.spawn(move || tally_one(n, mutant, tally)))
            .collect();
        asked.into_iter().try_for_each(|one| {
            one.join()
                .unwrap_or_else(|_| Err("a worker died".to_owned()))
        })
    })
}

fn tally_one(n: u64, mutant: Option<Mutant>, tally: &Tally) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    tally.count(n, runtime.block_on(one(mutant))?);
    Ok(())
}
