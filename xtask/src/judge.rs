//! `cargo judge [DIR]`: makes the judge of corpus audits, and prints what it comes to on texts it
//! never saw.
//!
//! The same folder gives the same file to the byte. It holds numbers; no text.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use provenance::Rate;
use simulation::desensitize::measure::{calibrate, measure};
use simulation::desensitize::rows;

const SEED: u64 = 11;

/// Makes and writes the file; with `check`, only compares what is committed with what comes out.
pub fn run(check: bool, dir: Option<String>, root: &Path) -> ExitCode {
    let dir = dir.map_or_else(|| root.join("../shared/data/corpora"), PathBuf::from);
    let file = root.join("crates/provenance/model/judge.json");
    match made(check, &dir, &file) {
        Ok(lines) => {
            let _ = writeln!(std::io::stdout().lock(), "{lines}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr().lock(), "failed to make the judge: {why}");
            ExitCode::from(1)
        }
    }
}

fn made(check: bool, dir: &Path, file: &Path) -> Result<String, String> {
    let rows = rows::read(dir).map_err(|e| e.to_string())?;
    let judge = calibrate(&rows, SEED, |_, _| {})?;
    let json = judge.to_json().map_err(|e| e.to_string())?;
    if check {
        let kept = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
        return if kept == json {
            Ok("the shipped judge is what the data gives".to_owned())
        } else {
            Err("the shipped judge is not what the data gives: run `cargo judge`".to_owned())
        };
    }
    std::fs::write(file, &json).map_err(|e| e.to_string())?;
    let figures = measure(&rows, &judge.judge, SEED, |_, _| {})?;
    let line = |name: &str, rate: Rate| {
        let (lo, hi) = rate.interval();
        format!(
            "{name:<32} {:.4} ({lo:.4} to {hi:.4}) of {}\n",
            rate.value(),
            rate.of
        )
    };
    let table = |of: &BTreeMap<String, Rate>| -> String {
        of.iter().map(|(name, rate)| line(name, *rate)).collect()
    };
    let mut told = format!("{}\n{:.1} bits\n", judge.rates(), figures.threshold);
    told += &table(&figures.recall);
    told += "with control twins\n";
    told += &table(&figures.recall_with_twins);
    told += &line("human", figures.human);
    told += &line("human, same prompt, no twins", figures.human_same_prompt);
    told += &line(
        "human, same prompt, twins",
        figures.human_same_prompt_with_twins,
    );
    told += &line("same prompt", figures.same_prompt);
    told += &line(
        "same prompt, twins not asked",
        figures.same_prompt_without_twins,
    );
    told += &line("same prompt, no twins", figures.same_prompt_alone);
    for (what, rates) in [("shipped", Some(&judge.measured)), ("drawn", None)] {
        let [documents, bytes, tokens] = figures.coverage(1_000, SEED, rates);
        for (of, rate) in [
            ("documents", documents),
            ("bytes", bytes),
            ("tokens", tokens),
        ] {
            told += &line(&format!("interval, rates {what}, {of}"), rate);
        }
    }
    told += &line("any shared 8-gram", figures.any_shared_gram);
    Ok(told)
}
