use super::*;
use crate::watch::Failing;

/// The database's own time stamps differ; what was asked, where and in which
/// order must not.
fn shape(op: &Op) -> String {
    match op {
        Op::Write { name, at, bytes } => format!("write {} {at} {}", bare(name), bytes.len()),
        Op::Rename { from, to } => format!("rename {} {to}", bare(from)),
        Op::Create(name) => format!("create {}", bare(name)),
        Op::Sync(name) => format!("sync {}", bare(name)),
        Op::Said(Said::Kept { name, .. }) => format!("kept {name}"),
        other => format!("{other:?}"),
    }
}

/// Temporary files have random names.
fn bare(name: &str) -> &str {
    if name.as_bytes().ends_with(b".tmp") {
        "a temporary file"
    } else {
        name
    }
}

fn shapes(seed: u64, outage: Option<Outage>) -> Vec<String> {
    let run = play(seed, outage).unwrap();
    assert_eq!(run.struck, outage.is_some());
    run.ops.iter().map(shape).collect()
}

#[track_caller]
fn check_again(seed: u64, outage: Option<Outage>) -> Vec<String> {
    let first = shapes(seed, outage);
    let again = shapes(seed, outage);
    for (n, (a, b)) in first.iter().zip(&again).enumerate() {
        assert_eq!(a, b, "seed {seed}, {outage:?}: operation {n}");
    }
    assert_eq!(first.len(), again.len(), "seed {seed}, {outage:?}");
    first
}

#[test]
fn a_seed_plays_the_same_run_again() {
    crate::vfs::install().unwrap();
    store::faults::watch(crate::watch::file_op);
    let mut runs = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let run = check_again(seed, None);
        assert!(run.len() > 200, "seed {seed}: {} operations", run.len());
        runs.insert(run);
    }
    assert_eq!(runs.len(), 20, "no two seeds play the same run");
}

#[test]
fn an_outage_strikes_the_same_operation_again() {
    crate::vfs::install().unwrap();
    store::faults::watch(crate::watch::file_op);
    for (seed, how) in (0..10).zip([Failing::Full, Failing::Error].into_iter().cycle()) {
        for lasting in [1, 20, u64::MAX] {
            let from = 60 + 20 * seed;
            check_again(seed, Some(Outage { how, from, lasting }));
        }
    }
}

#[test]
fn a_log_that_is_begun_anew_is_part_of_a_run() {
    crate::vfs::install().unwrap();
    store::faults::watch(crate::watch::file_op);
    let ops = play(1, None).unwrap().ops;
    let moved = |op: &&Op| matches!(op, Op::Sync(name) if name == "fairhold.db");
    assert!(ops.iter().filter(moved).count() > 4, "checkpoints");
}
