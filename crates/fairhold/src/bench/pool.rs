//! `fairhold bench pool`: the benchmark's pool, rebuilt from repositories that
//! anybody can clone.

use std::path::Path;

use serde::Serialize;
use simulation::benchmark::{
    Manifest, POOL_MANIFEST, POOL_ROWS, PoolDigests, Rebuilt, SourceEntry, rebuild,
};

use crate::failure::{Exit, Failure};
use crate::out::Out;

/// What is printed by `--json`.
#[derive(Serialize)]
struct Report<'a> {
    sources: &'a [Rebuilt],
    rebuilt: usize,
    rows: usize,
    pool_rows: usize,
    /// Rows of the pool whose prompt was made exactly.
    prompts: usize,
}

/// Rebuilds what can be from `repositories` into `out_dir`.
pub(super) fn run(repositories: &Path, out_dir: &Path, out: Out) -> Result<Exit, Failure> {
    let manifest = Manifest::parse(POOL_MANIFEST).map_err(|e| Failure::chain(&e))?;
    let digests = PoolDigests::parse(&manifest, POOL_ROWS).map_err(|e| Failure::chain(&e))?;
    let length = u64::try_from(manifest.sources().len()).unwrap_or(u64::MAX);
    let bar = out.progress(length, "sources");
    let all = rebuild(&manifest, &digests, repositories, out_dir, &mut |_| {
        bar.inc(1);
    })
    .map_err(|e| Failure::chain(&e))?;
    bar.finish_and_clear();
    print(manifest.sources(), &all, out);
    let sum = |of: fn(&Rebuilt) -> usize| all.iter().map(of).sum();
    let report = Report {
        sources: &all,
        rebuilt: all.iter().filter(|r| r.rows > 0).count(),
        rows: sum(|r| r.rows),
        pool_rows: sum(|r| r.pool_rows),
        prompts: sum(|r| r.prompts),
    };
    out.line(&format!(
        "{} of {} sources, {} rows into {}; {} of the pool's {} prompts are exact",
        report.rebuilt,
        all.len(),
        report.rows,
        out_dir.display(),
        report.prompts,
        report.pool_rows
    ));
    out.data(&report)?;
    if all.iter().any(|r| r.why_not.is_some() && !r.no_recipe) {
        return Ok(Exit::Finding);
    }
    out.next(&format!(
        "fairhold bench detection --data {}",
        out_dir.display()
    ));
    Ok(Exit::Clean)
}

fn print(sources: &[SourceEntry], all: &[Rebuilt], out: Out) {
    for (source, done) in sources.iter().zip(all) {
        let (name, rows) = (&done.source, done.pool_rows);
        let short = source.short.as_deref().unwrap_or("");
        match &done.why_not {
            Some(why) => out.line(&format!("{name:24}      - of {rows:5}  {why}")),
            None => out.line(&format!(
                "{name:24}  {:5} of {rows:5}  {:5.1} %{}{short}",
                done.rows,
                share(done),
                if short.is_empty() { "" } else { "  without " },
            )),
        }
    }
}

/// Of the pool's prompts, those made exactly, in percent.
fn share(done: &Rebuilt) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    100.0 * count(done.prompts) / count(done.pool_rows.max(1))
}

#[cfg(test)]
mod tests;
