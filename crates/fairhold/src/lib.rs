//! How is it run? Configuration, wiring, commands, exit codes.
//!
//! Commands that change or read the house speak to the running server of the
//! data folder through its admin API (`run.json` says how); without one they
//! open the folder themselves.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod between;
mod calibrate;
pub mod campaigns;
mod commands;
mod demo;
mod doors;
mod failure;
mod house;
mod issuer;
mod judge;
pub mod keeper;
mod keks;
mod ledger;
mod logs;
mod notices;
mod office;
mod out;
mod page;
mod population;
mod registry;
mod remote;
mod run_file;
pub mod sealer;
mod settings;
#[cfg(feature = "parquet")]
mod tables;
mod tsa;
mod watch;
mod witness;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use console::Office;
use tracing_subscriber::EnvFilter;

use args::{Cli, Command};
use failure::{Exit, Failure};
use house::{House, Plan};
use office::LocalOffice;
use out::Out;
use remote::Remote;
use run_file::RunFile;
use settings::Settings;

/// Runs the command that was typed.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout with 0, a mistake to stderr with 2.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                Exit::Error.code()
            } else {
                0
            });
        }
    };
    let out = Out::new(cli.json);
    log_to_stderr();
    match start(cli, out) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            out.say(&format!("fairhold: {failure}"));
            ExitCode::from(Exit::Error.code())
        }
    }
}

/// Warnings and errors of what works by itself go to stderr; `RUST_LOG` asks for more or less.
fn log_to_stderr() {
    let asked = EnvFilter::try_from_default_env();
    // What a store's driver finds slow is its own business.
    let filter = asked.unwrap_or_else(|_| EnvFilter::new("warn,sqlx=error"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // Another one is there only where this is not the whole program.
    let _ = log.try_init();
}

fn start(cli: Cli, out: Out) -> Result<Exit, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::error(format!("failed to start: {e}")))?
        .block_on(dispatch(cli, out))
}

async fn dispatch(cli: Cli, out: Out) -> Result<Exit, Failure> {
    match cli.command {
        Command::Demo(what) => demo::run(what, out).await,
        Command::Import(what) => commands::import::run(&cli.data, what, out).await,
        Command::Serve(what) => commands::serve::run(&cli.data, what, out).await,
        Command::Bench(what) => bench::run(&cli.data, what, out).await,
        Command::Verify(what) => commands::verify::run(&what, out),
        Command::Show(what) => commands::show::run(&what, out),
        Command::Replay(what) => commands::replay::run(&what, out),
        Command::Terms(args::terms::Terms::Test(what)) => {
            commands::terms::test::run(&cli.data, &what, out).await
        }
        Command::Terms(what) => commands::terms::run(&what, out),
        Command::Status { account, door } => status(&cli.data, account, door, out).await,
        Command::Appeal(what) => commands::customer::appeal(&cli.data, what, out).await,
        Command::Notices(what) => with_office(&cli.data, Asked::Notices(what), out).await,
        Command::Openapi => openapi(out),
        Command::Audit(what) => commands::audit::run(&cli.data, &what, out),
        Command::Registry(what) => commands::registry::run(&cli.data, &what, out).await,
        Command::Gate(what) => commands::gate::run(&what, out),
        Command::Certify(what) => commands::certify::run(&cli.data, &what, out),
        Command::Mask => commands::mask::run(out),
        Command::Calibrate(what) if !what.logs.is_empty() => {
            commands::calibrate::files(&cli.data, &what, out)
        }
        Command::Calibrate(what) => {
            let asked = Asked::Calibrate(what, cli.data.clone());
            with_office(&cli.data, asked, out).await
        }
        Command::Findings { account } => {
            with_office(&cli.data, Asked::Findings(account), out).await
        }
        Command::Kek(what) => commands::kek::run(&cli.data, what, out).await,
        Command::Erase(what) => {
            let place = what.place.config.clone();
            with_office_at(&cli.data, place.as_deref(), Asked::Erase(what), out).await
        }
        Command::Hold(what) => {
            let place = what.place().config.clone();
            with_office_at(&cli.data, place.as_deref(), Asked::Hold(what), out).await
        }
        Command::Retention(what) => retention(&cli.data, what, out).await,
        Command::Open(what) => open(&cli.data, what, out).await,
        Command::Detect(what) if !what.files.is_empty() => {
            commands::detect::files(&cli.data, &what, out)
        }
        Command::Detect(what) => with_office(&cli.data, Asked::Detect(what), out).await,
        Command::Fsck(what) => commands::fsck::run(&cli.data, &what, out).await,
        Command::Witness(args::ledger::Witness::Serve(what)) => {
            commands::witness::serve(&cli.data, &what, out).await
        }
        Command::Ledger(what) => with_office(&cli.data, Asked::Ledger(what), out).await,
        Command::Receipt { seq } => with_office(&cli.data, Asked::Receipt(seq), out).await,
        Command::Case(what) => with_office(&cli.data, Asked::Case(what), out).await,
        #[cfg(feature = "parquet")]
        Command::Export(args::Export {
            what: Some(args::ledger::Exported::Parquet(what)),
            ..
        }) => commands::export::parquet::run(&cli.data, &what, out).await,
        Command::Export(what) => with_office(&cli.data, Asked::Export(what), out).await,
        Command::Key(what) => with_office(&cli.data, Asked::Key(what), out).await,
        Command::Account(what) => with_office(&cli.data, Asked::Account(what), out).await,
        Command::People(what) => {
            let asked = Asked::People(what, cli.data.clone());
            with_office(&cli.data, asked, out).await
        }
        Command::Sketch(what) => with_office(&cli.data, Asked::Sketch(what), out).await,
    }
}

/// What binds an account: as the office says it, or as the gateway says it to a key.
async fn status(
    data: &Path,
    account: Option<String>,
    door: args::notices::Door,
    out: Out,
) -> Result<Exit, Failure> {
    match account {
        Some(account) => with_office(data, Asked::Status(account), out).await,
        None => commands::customer::status(data, door, out).await,
    }
}

async fn open(data: &Path, what: args::custody::Open, out: Out) -> Result<Exit, Failure> {
    let place = what.place.config.clone();
    with_office_at(data, place.as_deref(), Asked::Open(what), out).await
}

async fn retention(data: &Path, what: args::custody::Retention, out: Out) -> Result<Exit, Failure> {
    let args::custody::Retention::Run { place, .. } = &what;
    let place = place.config.clone();
    with_office_at(data, place.as_deref(), Asked::Retention(what), out).await
}

/// The `OpenAPI` document as it is checked in.
fn openapi(out: Out) -> Result<Exit, Failure> {
    let document = console::openapi::<LocalOffice>();
    let text = serde_json::to_string_pretty(&document)
        .map_err(|e| Failure::error(format!("failed to write the document: {e}")))?;
    out.line(&text);
    Ok(Exit::Clean)
}

/// Commands that ask the office.
enum Asked {
    Detect(args::Detect),
    Case(args::case::Case),
    Export(args::Export),
    Key(args::Key),
    Account(args::Account),
    Sketch(args::sketch::Sketch),
    Status(String),
    People(args::people::People, PathBuf),
    Notices(args::notices::Notices),
    Ledger(args::ledger::Ledger),
    Receipt(u64),
    Findings(Option<String>),
    Calibrate(args::Calibrate, PathBuf),
    Erase(args::custody::Erase),
    Hold(args::custody::Hold),
    Retention(args::custody::Retention),
    Open(args::custody::Open),
}

/// Asks the running server of the data folder; without one, opens the folder.
async fn with_office(data: &Path, asked: Asked, out: Out) -> Result<Exit, Failure> {
    with_office_at(data, None, asked, out).await
}

/// The same; without a server, the store is where the configuration says.
async fn with_office_at(
    data: &Path,
    config: Option<&Path>,
    asked: Asked,
    out: Out,
) -> Result<Exit, Failure> {
    if let Some(run) = RunFile::read(data)
        && let Some(remote) = Remote::reach(run).await
    {
        return ask(&remote, asked, out).await;
    }
    let plan = match config {
        Some(path) => Plan::of(Settings::read(path)?),
        None => Plan::at_rest(),
    };
    let house = House::open(data, plan).await?;
    let answered = {
        let office = LocalOffice::of(&house);
        ask(&office, asked, out).await
    };
    house.close().await;
    answered
}

async fn ask<O: Office>(office: &O, asked: Asked, out: Out) -> Result<Exit, Failure> {
    match asked {
        Asked::Detect(what) => commands::detect::store(office, &what, out).await,
        Asked::Case(what) => commands::case::run(office, what, out).await,
        Asked::Export(what) => commands::export::run(office, what, out).await,
        Asked::Key(what) => commands::key::run(office, what, out).await,
        Asked::Account(what) => commands::account::run(office, what, out).await,
        Asked::Sketch(what) => commands::sketch::run(office, what, out).await,
        Asked::Calibrate(what, data) => commands::calibrate::store(office, &data, &what, out).await,
        Asked::Findings(account) => commands::findings::run(office, account.as_deref(), out).await,
        Asked::Erase(what) => commands::erase::run(office, what, out).await,
        Asked::Hold(what) => commands::hold::run(office, what, out).await,
        Asked::Retention(what) => commands::retention::run(office, what, out).await,
        Asked::Open(what) => commands::open::run(office, what, out).await,
        Asked::Ledger(what) => commands::ledger::run(office, what, out).await,
        Asked::Receipt(seq) => commands::ledger::receipt(office, seq, out).await,
        Asked::Notices(what) => commands::notices::run(office, what, out).await,
        Asked::People(what, data) => commands::people::run(office, &data, what, out).await,
        Asked::Status(account) => commands::status::run(office, &account, out).await,
    }
}
