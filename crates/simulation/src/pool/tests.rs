use super::*;
use detection::{Settings, SketchKey, detect};

fn dir() -> PathBuf {
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

/// The three rings of the demo, with what was measured when this was written
/// as the floor, and no honest source accused.
#[test]
fn recorded_rings_are_found_among_recorded_sources() {
    let settings = Settings::standard(SketchKey::new(*b"simulation tests"));
    for ring in ["wizardlm_evol", "alpacare_medinstruct", "halueval"] {
        let fleet = Fleet::from_pool(&dir(), ring, 30, 20, 1).unwrap();
        let honest = fleet.accounts.iter().filter(|a| !a.ring).count();
        assert!(honest >= 40, "{honest} honest sources");
        let report = detect(&fleet.facts(), &settings);
        let named = report.named();
        let found = fleet
            .accounts
            .iter()
            .filter(|a| a.ring && named.contains(&&a.name))
            .count();
        let innocent: Vec<_> = fleet
            .accounts
            .iter()
            .filter(|a| !a.ring && named.contains(&&a.name))
            .collect();
        println!(
            "{ring}: {found} of 30 found, {} of {honest} innocent accused",
            innocent.len()
        );
        assert!(innocent.is_empty(), "{ring}: {innocent:?}");
        assert_eq!(found, 30, "{ring}");
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
