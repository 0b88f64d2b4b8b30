//! Which harness notices which fault?

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::mutant::{self, ALL, Mutant};
use crate::tally::Tally;
use crate::{crash, errors, ext4, gateway, killed, outage, rot};

/// The harnesses, in the order of the table.
const HARNESSES: [&str; 7] = ["disk", "errors", "rot", "kill", "ext4", "gateway", "outage"];

/// How often each harness runs.
struct Effort {
    disk: u64,
    errors: u64,
    rot: u64,
    kill: u64,
    ext4: u64,
    gateway: u64,
    outage: u64,
}

/// For each fault. Of 200 power cuts the fault that is noticed least is noticed in 11. A fault that
/// answers early may race with the disk, so that its count differs a little from time to time.
const MUTANT: Effort = Effort {
    disk: 200,
    errors: 40,
    rot: 20,
    kill: 10,
    ext4: 6,
    gateway: 3,
    outage: 2,
};

/// Runs and losses of a harness; none: it cannot run here.
type Seen = Option<(u64, u64)>;

/// How long each harness took, all lines together.
type Took = BTreeMap<&'static str, Duration>;

/// One line of the table.
type Line = BTreeMap<&'static str, Seen>;

/// Replays one power cut.
pub(crate) fn replay(seed: u64) -> Result<ExitCode, String> {
    let (judged, folder) = crash::replay(seed)?;
    let mut out = std::io::stdout().lock();
    let what = match &judged {
        Ok(()) => "nothing is lost".to_owned(),
        Err(what) => what.clone(),
    };
    writeln!(out, "seed {seed}: {what}\nthe folder: {}", folder.display())
        .map_err(|e| e.to_string())?;
    Ok(ExitCode::from(u8::from(judged.is_err())))
}

/// Says what went wrong.
pub(crate) fn complain(error: &str) {
    // Nobody is there to read it: nothing to do.
    let _ = writeln!(std::io::stderr().lock(), "durability: {error}");
}

/// Runs everything and prints the table.
pub(crate) fn run(seeds: u64, rounds: u64, json: bool) -> Result<ExitCode, String> {
    let began = Instant::now();
    let mut disk = ext4::Loop::new();
    let effort = Effort {
        disk: seeds,
        errors: seeds / 20,
        rot: 200,
        kill: rounds,
        ext4: 40,
        gateway: 5,
        outage: 6,
    };
    let (mut lost, mut took) = (Vec::new(), Took::new());
    let correct = line(None, &effort, &mut disk, (&mut lost, &mut took))?;
    let mut table = Vec::new();
    for (name, mutant) in ALL {
        let mut unread = Vec::new();
        let told = (&mut unread, &mut took);
        table.push((*name, line(Some(*mutant), &MUTANT, &mut disk, told)?));
    }
    let losses: u64 = correct.values().flatten().map(|(_, lost)| lost).sum();
    let alive: Vec<&str> = table
        .iter()
        .filter(|(_, line)| line.values().flatten().all(|(_, noticed)| *noticed == 0))
        .map(|(name, _)| *name)
        .collect();
    let missing = disk.as_ref().err().cloned();
    if json {
        print_json(seeds, losses, &correct, &table, missing.as_deref())?;
    } else {
        print_table(&correct, &table, missing.as_deref())?;
    }
    let seconds = began.elapsed().as_secs();
    let each: Vec<String> = HARNESSES
        .iter()
        .map(|name| {
            let spent = took.get(name).copied().unwrap_or_default();
            format!("{name} {}", spent.as_secs())
        })
        .collect();
    complain(&format!(
        "{losses} losses of the code as it is; {seconds} s ({})",
        each.join(", ")
    ));
    for what in &lost {
        complain(what);
    }
    for name in &alive {
        complain(&format!("no harness notices `{name}`"));
    }
    Ok(ExitCode::from(u8::from(losses > 0 || !alive.is_empty())))
}

fn bar(what: &str, runs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:<48} {bar:30} {pos}/{len} {eta}");
    let bar = ProgressBar::new(runs).with_message(what.to_owned());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Every harness over one build.
fn line(
    mutant: Option<Mutant>,
    effort: &Effort,
    disk: &mut Result<ext4::Loop, String>,
    (lost, took): (&mut Vec<String>, &mut Took),
) -> Result<Line, String> {
    mutant::build_in(mutant);
    let name = match mutant {
        None => "as it is",
        Some(_) => mutant::name(mutant),
    };
    let mut line = Line::new();
    for harness in HARNESSES {
        let runs = match harness {
            "disk" => effort.disk,
            "errors" => effort.errors,
            "rot" => effort.rot,
            "kill" => effort.kill,
            "ext4" => effort.ext4,
            "gateway" => effort.gateway,
            _ => effort.outage,
        };
        let bar = bar(&format!("{name}: {harness}"), runs);
        let tally = Tally::new(bar.clone());
        let began = Instant::now();
        let done = match harness {
            "disk" => crash::all(runs, mutant, &tally),
            "errors" => errors::all(runs, mutant, &tally),
            "rot" => rot::all(runs, &tally),
            "kill" => killed::all(runs, mutant, &tally),
            "ext4" => match disk {
                Ok(disk) => ext4::all(disk, runs, mutant, &tally),
                Err(_) => Ok(()),
            },
            "gateway" => gateway::all(runs, mutant, &tally),
            _ => outage::all(runs, mutant, &tally),
        };
        bar.finish_and_clear();
        *took.entry(harness).or_default() += began.elapsed();
        done.map_err(|e| format!("{name}: {harness}: {e}"))?;
        let first = tally.first().into_iter();
        lost.extend(first.map(|(seed, what)| format!("{harness}, seed {seed}: {what}")));
        let runs = disk.is_ok() || harness != "ext4";
        line.insert(harness, runs.then(|| tally.totals()));
    }
    mutant::build_in(None);
    Ok(line)
}

fn cell(seen: Seen) -> String {
    seen.map_or("not run".to_owned(), |(runs, noticed)| {
        format!("{noticed}/{runs}")
    })
}

fn cells(line: &Line) -> impl Iterator<Item = (&'static str, String)> + '_ {
    HARNESSES
        .iter()
        .map(|name| (*name, cell(line.get(name).copied().flatten())))
}

fn print_table(
    correct: &Line,
    table: &[(&str, Line)],
    missing: Option<&str>,
) -> Result<(), String> {
    let mut text = format!("{:<36}", "noticed/runs");
    for name in HARNESSES {
        let _ = write!(text, " {name:>10}");
    }
    for (name, line) in std::iter::once(&("(the code as it is)", correct.clone())).chain(table) {
        let _ = write!(text, "\n{name:<36}");
        for (_, cell) in cells(line) {
            let _ = write!(text, " {cell:>10}");
        }
    }
    if let Some(why) = missing {
        let _ = write!(text, "\next4 was not run: {why}");
    }
    writeln!(std::io::stdout().lock(), "{text}").map_err(|e| e.to_string())
}

fn print_json(
    seeds: u64,
    losses: u64,
    correct: &Line,
    table: &[(&str, Line)],
    missing: Option<&str>,
) -> Result<(), String> {
    let object = |line: &Line| -> BTreeMap<&str, String> { cells(line).collect() };
    let mutants: BTreeMap<&str, _> = table
        .iter()
        .map(|(name, line)| (*name, object(line)))
        .collect();
    let told = json!({
        "seeds": seeds,
        "losses": losses,
        "correct": object(correct),
        "mutants": mutants,
        "not_run": missing,
    });
    writeln!(std::io::stdout().lock(), "{told}").map_err(|e| e.to_string())
}
