//! `fairhold bench gateway`: what the gateway costs, measured here.
//!
//! Three processes of this one binary: the mock upstream, the gateway, and
//! this one, which makes the load. The same load goes straight to the mock and
//! through the gateway; latencies count from the intended send time, so that a
//! server that stalls cannot hide it (coordinated omission).

mod audit;
mod console;
mod detection;
mod door;
mod figures;
mod ledger;
mod load;
mod mock;
mod open_desk;
mod policy;
mod pool;
mod process;
mod record;
mod registered;
mod restart;
mod terms;
mod watch;
mod watched;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::args::Bench;
use crate::failure::{Exit, Failure};
use crate::out::Out;
use figures::{Figures, quantile_ms};
use load::{Load, Tally, drive};
use process::Server;

/// The fixed rate at which added latency is measured (STYLE: stated, so that
/// figures of different machines compare).
const FIXED_RATE: u32 = 1_000;
/// Streams per second at which the first byte is timed.
const FIXED_STREAM_RATE: u32 = 200;

/// What is printed: recording on, and the same with recording off.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    recording_on: Figures,
    recording_off: Figures,
    policy: policy::PolicyCost,
    watch: watched::WatchCost,
    registry: registered::RegistryCost,
    connections: u32,
    seconds_per_measurement: u64,
    cores: usize,
    version: &'static str,
}

/// Where a measurement goes, and with which key.
struct Target {
    at: SocketAddr,
    key: String,
}

/// A folder for one measurement; gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        Self::in_folder(&std::env::temp_dir())
    }

    fn in_folder(folder: &Path) -> std::io::Result<Self> {
        let name = format!(
            "fairhold-bench-{:016x}",
            u64::from_be_bytes(store::random()?)
        );
        let path = folder.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How hard and how long.
#[derive(Clone, Copy)]
struct Effort {
    connections: u32,
    lasting: Duration,
}

/// Loads straight to the mock, done once.
struct Direct {
    plain: Tally,
    streams: Tally,
    fixed: Tally,
    fixed_streams: Tally,
}

/// Runs the command.
pub(crate) async fn run(data: &Path, what: Bench, out: Out) -> Result<Exit, Failure> {
    match what {
        Bench::Mock { words } => mock::serve(words, out).await,
        Bench::Door {
            upstream,
            record,
            terms,
            watch,
            registry,
        } => {
            let more = door::More {
                terms,
                watched: watch,
                registered: registry,
            };
            door::serve(&upstream, record.as_deref(), more, out).await
        }
        Bench::Record(what) => record::run(&what, out).await,
        Bench::Ledger(what) => ledger::run(&what, out).await,
        Bench::Restart(what) => restart::run(&what, out).await,
        Bench::Console(what) => console::run(&what, out).await,
        Bench::Terms => terms::run(out),
        Bench::Detection(what) => detection::run(data, &what, out),
        Bench::Audit(what) => audit::run(&what, out),
        Bench::Watch {
            accounts,
            exchanges,
            busy,
            in_memory,
            folder,
        } => {
            let fleet = watch::Fleet {
                accounts,
                exchanges,
                busy,
            };
            watch::run(fleet, in_memory, folder.as_deref(), out).await
        }
        Bench::Pool {
            repositories,
            out: into,
        } => pool::run(&repositories, &into, out),
        Bench::Gateway {
            seconds,
            connections,
        } => {
            let lasting = Duration::from_secs(seconds.max(1));
            gateway(
                Effort {
                    connections,
                    lasting,
                },
                out,
            )
            .await
        }
    }
}

async fn gateway(effort: Effort, out: Out) -> Result<Exit, Failure> {
    let broken = |e: std::io::Error| Failure::error(format!("failed to run the benchmark: {e}"));
    let binary = std::env::current_exe().map_err(broken)?;
    let mock = Server::start(&binary, &["bench", "mock"])
        .await
        .map_err(broken)?;
    let straight = target(&mock.greeting)?;
    out.say("1/6 straight to the mock upstream");
    let direct = direct(&straight, effort).await;
    out.say("2/6 through the gateway, recording on (SQLite, every exchange durable)");
    let recording_on = through(&binary, straight.at, true, &direct, effort)
        .await
        .map_err(broken)?;
    out.say("3/6 through the gateway, recording off");
    let recording_off = through(&binary, straight.at, false, &direct, effort)
        .await
        .map_err(broken)?;
    out.say("4/6 with and without terms, in turns");
    let policy = policy::cost(&binary, straight.at, effort)
        .await
        .map_err(broken)?;
    out.say("5/6 with and without the watch, in turns");
    let watch = watched::cost(&binary, straight.at, effort)
        .await
        .map_err(broken)?;
    mock.stop().await.map_err(broken)?;
    out.say("6/6 with and without the registry, in turns, each until its work is done");
    let registry = registered::cost(&binary, effort).await.map_err(broken)?;
    let report = Report {
        recording_on,
        recording_off,
        policy,
        watch,
        registry,
        connections: effort.connections,
        seconds_per_measurement: effort.lasting.as_secs(),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        version: env!("CARGO_PKG_VERSION"),
    };
    out.data(&report)?;
    table(&report, out);
    Ok(Exit::Clean)
}

/// `ADDRESS KEY`, as the servers greet.
fn target(greeting: &str) -> Result<Target, Failure> {
    let mut words = greeting.split_whitespace();
    let at = words.next().and_then(|w| w.parse().ok());
    let at = at.ok_or_else(|| Failure::error(format!("the server greeted with `{greeting}`")))?;
    Ok(Target {
        at,
        key: words.next().unwrap_or_default().to_owned(),
    })
}

fn load(target: &Target, effort: Effort, stream: bool, rate: Option<u32>) -> Load {
    let body = format!(
        r#"{{"model":"mock-1","stream":{stream},"messages":[{{"role":"user","content":"{}"}}]}}"#,
        "Say hello in three words. ".repeat(50)
    );
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        target.at,
        target.key,
        body.len()
    );
    Load {
        target: target.at,
        request: Arc::from(request.into_bytes()),
        connections: effort.connections,
        lasting: effort.lasting,
        rate,
    }
}

async fn direct(target: &Target, effort: Effort) -> Direct {
    Direct {
        plain: drive(&load(target, effort, false, None)).await,
        streams: drive(&load(target, effort, true, None)).await,
        fixed: drive(&load(target, effort, false, Some(FIXED_RATE))).await,
        fixed_streams: drive(&load(target, effort, true, Some(FIXED_STREAM_RATE))).await,
    }
}

async fn through(
    binary: &Path,
    upstream: SocketAddr,
    record: bool,
    direct: &Direct,
    effort: Effort,
) -> std::io::Result<Figures> {
    let upstream = upstream.to_string();
    let folder = Scratch::new()?;
    let path = folder.0.display().to_string();
    let mut args = vec!["bench", "door", "--upstream", &upstream];
    if record {
        args.extend(["--record", &path]);
    }
    let server = Server::start(binary, &args).await?;
    let target = target(&server.greeting).map_err(|e| std::io::Error::other(e.message))?;
    let short = Effort {
        lasting: effort.lasting.min(Duration::from_secs(1)),
        ..effort
    };
    drive(&load(&target, short, false, None)).await; // connections and caches are warm
    let fixed = drive(&load(&target, effort, false, Some(FIXED_RATE))).await;
    let fixed_streams = drive(&load(&target, effort, true, Some(FIXED_STREAM_RATE))).await;
    let before = server.cpu_us()?;
    let plain = drive(&load(&target, effort, false, None)).await;
    let between = server.cpu_us()?;
    let streams = drive(&load(&target, effort, true, None)).await;
    let after = server.cpu_us()?;
    let rss_mb = server.rss_mb()?;
    server.stop().await?;
    let added =
        |share: f64| quantile_ms(&fixed.whole, share) - quantile_ms(&direct.fixed.whole, share);
    let first =
        quantile_ms(&fixed_streams.first, 0.5) - quantile_ms(&direct.fixed_streams.first, 0.5);
    Ok(Figures {
        direct_rps: direct.plain.per_second(),
        gateway_rps: plain.per_second(),
        cpu_us_per_request: per_answer(between - before, &plain),
        added_p50_ms: added(0.5),
        added_p99_ms: added(0.99),
        stream_first_byte_added_ms: first,
        rss_mb,
        direct_streams_rps: direct.streams.per_second(),
        gateway_streams_rps: streams.per_second(),
        cpu_us_per_stream: per_answer(after - between, &streams),
        errors: [&plain, &streams, &fixed, &fixed_streams]
            .iter()
            .map(|t| t.errors)
            .sum(),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and microseconds far below 2^52"
)]
fn per_answer(cpu_us: u64, tally: &Tally) -> f64 {
    cpu_us as f64 / tally.answers.max(1) as f64
}

fn table(report: &Report, out: Out) {
    let (on, off) = (&report.recording_on, &report.recording_off);
    out.line(&format!("{:<28} {:>12} {:>12}", "", "recording on", "off"));
    let rows: [(&str, f64, f64); 11] = [
        ("direct_rps", on.direct_rps, off.direct_rps),
        ("gateway_rps", on.gateway_rps, off.gateway_rps),
        (
            "cpu_us_per_request",
            on.cpu_us_per_request,
            off.cpu_us_per_request,
        ),
        ("added_p50_ms", on.added_p50_ms, off.added_p50_ms),
        ("added_p99_ms", on.added_p99_ms, off.added_p99_ms),
        (
            "stream_first_byte_added_ms",
            on.stream_first_byte_added_ms,
            off.stream_first_byte_added_ms,
        ),
        ("rss_mb", on.rss_mb, off.rss_mb),
        (
            "direct_streams_rps",
            on.direct_streams_rps,
            off.direct_streams_rps,
        ),
        (
            "gateway_streams_rps",
            on.gateway_streams_rps,
            off.gateway_streams_rps,
        ),
        (
            "cpu_us_per_stream",
            on.cpu_us_per_stream,
            off.cpu_us_per_stream,
        ),
        ("errors", count(on.errors), count(off.errors)),
    ];
    for (name, on, off) in rows {
        out.line(&format!("{name:<28} {on:>12.2} {off:>12.2}"));
    }
    let policy = &report.policy;
    out.line(&format!(
        "terms add {:.1} % CPU ({:.1} us with, {:.1} us without; aim: at most 5 %)",
        policy.added_share * 100.0,
        policy.cpu_us_with_terms,
        policy.cpu_us_without_terms
    ));
    let watch = &report.watch;
    out.line(&format!(
        "the watch takes {:.1} % of the throughput ({:.0} with, {:.0} requests/s without; aim: at most 10 %)",
        watch.dropped_share * 100.0,
        watch.rps_with_watch,
        watch.rps_without_watch
    ));
    let registry = &report.registry;
    out.line(&format!(
        "the registry adds {:.1} % CPU to the gateway ({:.1} to {:.1} by turns; {:.1} us with, {:.1} us without; aim: at most 3 %); its writer's own process takes {:.1} us, {:.1} % with that",
        registry.added_cpu_pct,
        registry.added_cpu_pct_between[0],
        registry.added_cpu_pct_between[2],
        registry.cpu_us_per_request,
        registry.cpu_us_without_registry,
        registry.writer_cpu_us_per_request,
        registry.added_cpu_pct_with_writer
    ));
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a count of errors far below 2^52"
)]
fn count(n: u64) -> f64 {
    n as f64
}
