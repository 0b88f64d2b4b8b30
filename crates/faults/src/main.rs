//! Would we notice a lost record? `cargo durability` answers with a table:
//! faults that are built in on purpose against the harnesses that look for
//! them, and what the code as it is loses (it must be nothing).

mod chance;
mod child;
mod crash;
mod disk;
mod early;
mod errors;
mod ext4;
mod gateway;
mod killed;
mod load;
mod mutant;
mod outage;
mod recover;
mod report;
mod rot;
mod tally;
mod vfs;
mod watch;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

/// Looks for lost records, with and without faults built in on purpose.
///
/// Without options it is the whole: 20,000 power cuts and 200 deaths, three minutes on two free
/// cores. Continuous integration runs `--seeds 4000 --rounds 40`; every fault is tried in both.
///
/// Exit codes: 0 nothing lost and every fault noticed, 1 not so, 2 it could not be run.
#[derive(Debug, Parser)]
#[command(name = "cargo durability")]
struct Asked {
    /// Power cuts of the code as it is.
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// Deaths by `kill -9` of the code as it is.
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// Replay the power cut of this seed only, and keep its folder.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print JSON on stdout.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    store::faults::watch(watch::file_op);
    store::faults::hear_early(early::heard);
    let built_in = std::env::var(child::MUTANT).unwrap_or_default();
    let built_in = mutant::named(&built_in);
    mutant::build_in(built_in);
    if gateway::is_its_writer(std::env::args()) {
        return fairhold::run();
    }
    if std::env::var_os(gateway::AS_PRODUCT).is_some() {
        let data = std::env::var_os("FAIRHOLD_HOME").unwrap_or_default();
        return match outage::under_switch(Path::new(&data)) {
            Ok(()) => fairhold::run(),
            Err(error) => {
                report::complain(&error);
                ExitCode::from(2)
            }
        };
    }
    let done = if let Some(folder) = std::env::var_os(child::FOLDER) {
        child::live(Path::new(&folder)).map(|()| ExitCode::SUCCESS)
    } else {
        let asked = Asked::parse();
        vfs::install().and_then(|()| match asked.seed {
            Some(seed) => report::replay(seed),
            None => report::run(asked.seeds, asked.rounds, asked.json),
        })
    };
    done.unwrap_or_else(|error| {
        report::complain(&error);
        ExitCode::from(2)
    })
}
