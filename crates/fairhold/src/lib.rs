//! How is it run? Configuration, wiring, commands, exit codes.
//!
//! Commands that change or read the house speak to the running server of the
//! data folder through its admin API; `run.json` says how.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod failure;
pub mod keeper;
mod logs;
mod out;
mod remote;
mod run_file;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use console::Office;

use args::{Cli, Command};
use failure::{Exit, Failure};
use out::Out;
use remote::Remote;
use run_file::RunFile;

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
    match start(cli, out) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            out.say(&format!("fairhold: {failure}"));
            ExitCode::from(Exit::Error.code())
        }
    }
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
        Command::Import(what) => commands::import::run(&cli.data, what, out).await,
        command @ (Command::Case(_)
        | Command::Export(_)
        | Command::Key(_)
        | Command::Account(_)) => people(&server(&cli.data).await?, command, out).await,
    }
}

async fn server(data: &Path) -> Result<Remote, Failure> {
    let nobody = || {
        Failure::error(format!(
            "no server runs on the data folder `{}`: start one with `fairhold serve`, or name its folder with `--data`",
            data.display()
        ))
    };
    Remote::reach(RunFile::read(data).ok_or_else(nobody)?)
        .await
        .ok_or_else(nobody)
}

/// Commands that ask the office.
async fn people<O: Office>(office: &O, command: Command, out: Out) -> Result<Exit, Failure> {
    match command {
        Command::Case(what) => commands::case::run(office, what, out).await,
        Command::Export(what) => commands::export::run(office, what, out).await,
        Command::Key(what) => commands::key::run(office, what, out).await,
        Command::Account(what) => commands::account::run(office, what, out).await,
        Command::Import(_) => Err(Failure::error("imports are not the office's")),
    }
}
