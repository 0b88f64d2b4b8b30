use super::*;
use detection::{Settings, SketchKey, detect};

fn small(seed: u64, ring: usize) -> Fleet {
    Fleet::generate(
        seed,
        FleetShape {
            honest: 40,
            ring,
            each: 15,
        },
    )
    .unwrap()
}

#[test]
fn a_fleet_is_its_seed() {
    assert_eq!(small(1, 12), small(1, 12));
    assert_ne!(small(1, 12), small(2, 12));
    let fleet = Fleet::generate(1, FleetShape::default()).unwrap();
    assert!(fleet.accounts.len() >= 100 && fleet.exchanges.len() >= 5_000);
}

/// Over 20 seeds every ring member is named and no honest account is; over 20
/// fleets without a ring nobody is.
#[test]
fn rings_are_found_and_honest_fleets_are_not_accused() {
    let settings = Settings::standard(SketchKey::new(*b"simulation tests"));
    for seed in 0..20 {
        let fleet = small(seed, 12);
        let exchanges = fleet.facts();
        let report = detect(&exchanges, &settings);
        let named = report.named();
        for account in &fleet.accounts {
            assert_eq!(
                named.contains(&&account.name),
                account.ring,
                "seed {seed}: {}",
                account.name
            );
        }
        let honest = small(1_000 + seed, 0).facts();
        assert!(
            detect(&honest, &settings).clusters.is_empty(),
            "seed {seed}"
        );
    }
}
