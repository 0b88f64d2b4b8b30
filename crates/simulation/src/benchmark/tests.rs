use std::path::PathBuf;

use super::*;

/// Recorded traffic. It must be there: a check that is skipped in silence promises nothing.
fn traffic() -> Pool {
    let data = std::env::var_os("FAIRHOLD_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    Pool::read(&data.join("traffic"), |_| ()).unwrap()
}

#[test]
fn every_source_of_a_lineage_is_on_one_side_of_every_split() {
    let pool = own_pool(1);
    for seed in 0..20 {
        let folds = folds(&pool, seed);
        let mut sides = std::collections::BTreeMap::new();
        for (source, fold) in pool.sources.iter().zip(&folds) {
            assert_eq!(*sides.entry(&source.lineage).or_insert(*fold), *fold);
        }
        let harvests = pool.sources.iter().zip(&folds).filter(|(s, _)| s.harvest);
        let used: std::collections::BTreeSet<usize> = harvests.map(|(_, f)| *f).collect();
        assert!(used.len() >= 5, "harvests lie in {} folds", used.len());
    }
}

#[test]
fn an_account_holds_each_exchange_once() {
    let pool = own_pool(2);
    let mut random = crate::Random::new(3);
    for unit in honest_units(&pool, 50) {
        let dealt: Vec<usize> = deal(&unit, 50, 4, &mut random).concat();
        let once: std::collections::BTreeSet<usize> = dealt.iter().copied().collect();
        assert_eq!(once.len(), dealt.len(), "{}", unit.name);
        assert!(!dealt.is_empty());
    }
}

#[test]
fn the_same_seed_gives_the_same_figures_and_our_own_text_runs_anywhere() {
    let pool = own_pool(1);
    let (split, one) = split_seed(&pool, 5);
    let (_, other) = split_seed(&pool, 5);
    assert_eq!(one, other);
    assert!(one.tpr_p5[&100].all >= 0.8, "{:?}", one.tpr_p5[&100]);
    assert!(
        one.fpr_at_5pct[&100].marginal <= 0.1,
        "{:?}",
        one.fpr_at_5pct[&100]
    );
    assert!(leaks(&pool).values().all(|auc| (0.5..=1.0).contains(auc)));
    assert_eq!(baselines(&pool, &split.folds, 5).len(), 6);
}

/// The claims of `docs/benchmark.md` on recorded traffic, one seed, bounds as the issue has them.
#[test]
fn honest_sources_never_seen_are_accused_no_more_than_promised_and_campaigns_are_found() {
    let pool = traffic();
    let (split, told) = split_seed(&pool, 0);
    for n in [100, 200, 500] {
        let flagged = &told.fpr_at_1pct[&n];
        assert!(
            flagged.marginal <= 0.015 && flagged.worst_type <= 0.02,
            "{n}: {flagged:?}"
        );
    }
    assert!(told.anytime_fpr_5pct <= 0.06, "{}", told.anytime_fpr_5pct);
    let found = (told.tpr_p1[&100].all, told.tpr_p5[&100].all);
    assert!(found.0 >= 0.18 && found.1 >= 0.35, "{found:?}");
    let found = (told.tpr_p1[&500].all, told.tpr_p5[&500].all);
    assert!(found.0 >= 0.28 && found.1 >= 0.37, "{found:?}");
    assert!(
        told.mixtures["0.1"][&100] >= 0.24,
        "{:?}",
        told.mixtures["0.1"]
    );
    assert!(
        leaks(&pool).values().all(|auc| *auc <= LEAK),
        "{:?}",
        leaks(&pool)
    );
    let named = hydras(&pool, &split, Attacker::Random, 0);
    for rule in ["partition_intent", "notice"] {
        let named = named[rule].rates();
        assert!(
            named.member_recall >= 0.3 && named.precision >= 0.98,
            "{rule}: {named:?}"
        );
        assert!(named.innocent_rate <= 0.005, "{rule}: {named:?}");
    }
}

/// A head that weighs nothing finds nothing: what is found is found by its weights.
#[test]
fn a_head_without_weights_finds_no_campaign() {
    let pool = own_pool(1);
    let (split, _) = split_seed(&pool, 1);
    let mut blind = split.detectors[0].clone();
    blind.head.weight = [0.0; detection::CUES];
    let told = tested_with(&blind, &pool, 1);
    assert!(told.tpr_p1[&100].all <= 0.01, "{:?}", told.tpr_p1[&100]);
}
