use super::*;

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

#[test]
fn a_seed_plays_the_same_run_again() {
    crate::vfs::install().unwrap();
    store::faults::watch(crate::watch::file_op);
    let shapes = |seed| -> Vec<String> {
        let run = play(seed, None).unwrap();
        run.ops.iter().map(shape).collect()
    };
    let first = shapes(5);
    assert!(first.len() > 200, "{} operations", first.len());
    let again = shapes(5);
    for (n, (a, b)) in first.iter().zip(&again).enumerate() {
        assert_eq!(a, b, "operation {n}");
    }
    assert_eq!(first.len(), again.len());
    assert_ne!(first, shapes(6));
}

#[test]
fn a_log_that_is_begun_anew_is_part_of_a_run() {
    crate::vfs::install().unwrap();
    store::faults::watch(crate::watch::file_op);
    let ops = play(1, None).unwrap().ops;
    let moved = |op: &&Op| matches!(op, Op::Sync(name) if name == "fairhold.db");
    assert!(ops.iter().filter(moved).count() > 4, "checkpoints");
}
