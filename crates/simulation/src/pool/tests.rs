use super::*;
use detection::{Settings, SketchKey, detect};

pub(super) fn dir() -> PathBuf {
    let data = std::env::var_os("FAIRHOLD_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let dir = data.join("traffic");
    assert!(
        dir.is_dir(),
        "{}: put the shared data beside the repository or set FAIRHOLD_DATA",
        dir.display()
    );
    dir
}

/// Ring accounts named, of 30, and honest accounts named.
fn named(ring: &str, seed: u64, settings: &Settings) -> (usize, usize) {
    let fleet = Fleet::from_pool(&dir(), ring, 30, 20, seed).unwrap();
    let honest = fleet.accounts.iter().filter(|a| !a.ring).count();
    assert!(honest >= 40, "{honest} honest sources");
    let report = detect(&fleet.facts(), settings);
    let named = report.named();
    let count = |ring| {
        let accounts = fleet.accounts.iter();
        accounts
            .filter(|a| a.ring == ring && named.contains(&&a.name))
            .count()
    };
    (count(true), count(false))
}

/// The three rings of the demo over five draws, with what was measured as the floor of each. Over
/// twenty draws 600, 563 and 580 of 600 were named under this key, and no honest account. A divided
/// queue fails the partition test (z < 2) by chance once in forty-four draws, and then the whole
/// ring is missed: draw 5 of `alpacare_medinstruct` (z = 2.17) is one.
#[test]
fn recorded_rings_are_found_among_recorded_sources() {
    let settings = Settings::standard(SketchKey::new(*b"simulation tests"));
    let measured = [
        ("wizardlm_evol", [30, 30, 30, 30, 30]),
        ("alpacare_medinstruct", [30, 30, 30, 30, 0]),
        ("halueval", [30, 28, 24, 29, 29]),
    ];
    for (ring, floors) in measured {
        for (seed, floor) in (1..).zip(floors) {
            let (found, innocent) = named(ring, seed, &settings);
            println!("{ring}, draw {seed}: {found} of 30 named, {innocent} innocent");
            assert!(found >= floor, "{ring}, draw {seed}: {found} of 30");
            assert_eq!(innocent, 0, "{ring}, draw {seed}");
        }
    }
}

/// Without a ring nobody is accused, whichever sources are drawn.
#[test]
fn recorded_sources_alone_are_not_accused() {
    let settings = Settings::standard(SketchKey::new(*b"simulation tests"));
    let mut reports = 0;
    for seed in 0..5 {
        let mut fleet = Fleet::from_pool(&dir(), "halueval", 1, 20, seed).unwrap();
        let ring = fleet.accounts.iter().position(|a| a.ring).unwrap();
        fleet.exchanges.retain(|e| e.account != ring);
        assert!(
            detect(&fleet.facts(), &settings).clusters.is_empty(),
            "seed {seed}"
        );
        reports += 1;
    }
    assert_eq!(reports, 5);
}

#[test]
fn what_is_missing_is_named() {
    let error = Fleet::from_pool(&dir(), "no_such_source", 1, 1, 1).unwrap_err();
    assert!(error.to_string().contains("no_such_source"));
    let error = Fleet::from_pool(&dir(), "halueval", 1_000, 1_000, 1).unwrap_err();
    assert!(error.to_string().contains("rows"));
}
