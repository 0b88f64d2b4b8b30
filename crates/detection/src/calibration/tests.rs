use proptest::prelude::*;

use super::*;

fn programme(source: usize, scores: &[f64]) -> HonestProgramme {
    HonestProgramme {
        source: format!("s{source}"),
        peers: Peers::Chat,
        accounts: scores.iter().map(|s| [*s; LOOKS.len()]).collect(),
    }
}

/// The rank by its definition: programmes weigh alike; counted, not sorted.
fn naive(programmes: &[HonestProgramme], look: usize, score: f64) -> f64 {
    let mut above = 1.0;
    let mut all = 1.0;
    for programme in programmes {
        let own: Vec<f64> = programme
            .accounts
            .iter()
            .map(|a| a[look])
            .filter(|s| s.is_finite())
            .collect();
        if own.is_empty() {
            continue;
        }
        all += 1.0;
        above += real(own.iter().filter(|s| **s >= score).count()) / real(own.len());
    }
    above / all
}

/// `SplitMix64`, for draws that stay.
fn draws(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
    }
}

proptest! {
    #[test]
    fn p_is_never_below_the_naive_rank_nor_the_floor(
        scores in proptest::collection::vec(proptest::collection::vec(-3.0..3.0_f64, 1..4), 2..60),
        score in -4.0..4.0_f64,
    ) {
        let programmes: Vec<HonestProgramme> =
            scores.iter().enumerate().map(|(n, s)| programme(n / 3, s)).collect();
        let made = Calibration::new(programmes.clone());
        let rank = made.rank(score, 2, None);
        let counted = naive(&programmes, 2, score);
        prop_assert!(rank.p >= counted - 1e-12, "{} {counted}", rank.p);
        prop_assert!(rank.p >= rank.floor && rank.p <= 1.0);
        prop_assert!((rank.floor - 1.0 / (1.0 + real(scores.len()))).abs() < 1e-12);
    }

    #[test]
    fn a_higher_score_is_no_more_common(
        scores in proptest::collection::vec(-3.0..3.0_f64, 2..60),
        a in -4.0..4.0_f64,
        more in 0.0..2.0_f64,
    ) {
        let made = Calibration::new(scores.iter().enumerate().map(|(n, s)| programme(n / 2, &[*s])).collect());
        prop_assert!(made.rank(a + more, 0, None).p <= made.rank(a, 0, None).p + 1e-12);
    }
}

#[test]
fn below_the_tail_p_is_the_greater_of_the_two_counts() {
    let others = || (1..30).map(|n| programme(n, &[real(n) / 100.0]));
    let with_kin = |score: f64| {
        let kin = (0..30).map(|_| programme(0, &[score]));
        let made = Calibration::new(kin.chain(others()).collect());
        made.rank(0.05, 0, None).p
    };
    // 30 kin score high: 30 + 25 of 59 programmes say more than 26 of 30 sources.
    assert!((with_kin(2.0) - 56.0 / 60.0).abs() < 1e-9);
    // 30 kin score low: 25 of 30 sources say more than 25 of 59 programmes.
    assert!((with_kin(-2.0) - 25.0 / 30.0).abs() < 1e-9);
}

/// Sources with offsets of their own, as real ones have: forty sources of four programmes. The
/// claim is tested as a claim: over many fresh calibrations, a fresh source's account is flagged
/// at no more than the nominal rate.
#[test]
fn fresh_sources_are_flagged_no_more_often_than_promised() {
    let mut draw = draws(7);
    let mut normal = move || (0..12).map(|_| draw()).sum::<f64>() - 6.0;
    let (mut at_1, mut at_5, mut trials) = (0, 0, 0);
    for _ in 0..150 {
        let mut programmes = Vec::new();
        for source in 0..40 {
            let offset = normal();
            for _ in 0..4 {
                let own = offset + 0.3 * normal();
                programmes.push(programme(
                    source,
                    &[own + 0.1 * normal(), own + 0.1 * normal()],
                ));
            }
        }
        let made = Calibration::new(programmes);
        for _ in 0..30 {
            let p = made.rank(normal() + 0.32 * normal(), 2, None).p;
            at_1 += usize::from(p <= 0.01);
            at_5 += usize::from(p <= 0.05);
            trials += 1;
        }
    }
    let (_, upper_1) = crate::bounds::clopper_pearson(at_1, trials, 0.05);
    let (_, upper_5) = crate::bounds::clopper_pearson(at_5, trials, 0.05);
    assert!(upper_1 <= 0.015, "{at_1} of {trials}");
    assert!(upper_5 <= 0.06, "{at_5} of {trials}");
    assert!(at_5 > 0, "a test that never fires promises nothing");
}

/// Rotating which third of the sources calibrates changes p by chance only: the level holds over
/// rotations.
#[test]
fn the_level_holds_over_rotations_of_the_calibration_set() {
    let mut draw = draws(11);
    let mut normal = move || (0..12).map(|_| draw()).sum::<f64>() - 6.0;
    let sources: Vec<HonestProgramme> = (0..240)
        .map(|n| {
            let offset = normal();
            programme(n, &[offset, offset + 0.2 * normal()])
        })
        .collect();
    for rotation in 0..4 {
        let (out, rest): (Vec<_>, Vec<_>) = sources
            .iter()
            .cloned()
            .enumerate()
            .partition(|(n, _)| n % 4 == rotation);
        let made = Calibration::new(rest.into_iter().map(|(_, p)| p).collect());
        let flagged = out
            .iter()
            .filter(|(_, p)| made.rank(p.accounts[0][0], 0, None).p <= 0.05)
            .count();
        assert!(
            flagged <= 9,
            "rotation {rotation}: {flagged} of {}",
            out.len()
        );
    }
}

#[test]
fn looks_again_and_again_keep_the_promise_and_naive_ones_do_not() {
    let mut draw = draws(3);
    let mut normal = move || (0..12).map(|_| draw()).sum::<f64>() - 6.0;
    let mut trajectory = move || {
        let offset = normal();
        let mut looks = [0.0; LOOKS.len()];
        for look in &mut looks {
            *look = offset + 0.8 * normal();
        }
        looks
    };
    let (mut ever, mut naive, mut trials) = (0, 0, 0);
    for _ in 0..60 {
        let programmes = (0..150).map(|n| HonestProgramme {
            source: format!("s{n}"),
            peers: Peers::Chat,
            accounts: vec![trajectory()],
        });
        let made = Calibration::new(programmes.collect());
        for _ in 0..25 {
            let looks = trajectory();
            let ps = looks
                .iter()
                .enumerate()
                .map(|(look, s)| made.rank(*s, look, None).p);
            let least = ps.fold(1.0, f64::min);
            naive += usize::from(least <= 0.05);
            ever += usize::from(made.anytime(least).p <= 0.05);
            trials += 1;
        }
    }
    let (_, upper) = crate::bounds::clopper_pearson(ever, trials, 0.05);
    assert!(upper <= 0.065, "{ever} of {trials}");
    assert!(naive > 2 * ever, "naive {naive}, corrected {ever}");
}

#[test]
fn few_programmes_can_say_little() {
    let made = Calibration::new((0..20).map(|n| programme(n, &[0.0])).collect());
    let rank = made.rank(9.0, 2, None);
    assert!(!rank.can_reach(0.01) && rank.can_reach(0.05), "{rank:?}");
    let nobody = Calibration::new(Vec::new()).rank(9.0, 2, None);
    assert!(
        (nobody.p - 1.0).abs() < 1e-12 && !nobody.can_reach(0.5),
        "{nobody:?}"
    );
}

#[test]
fn peers_of_fewer_than_a_hundred_programmes_are_not_asked() {
    let few = Calibration::new((0..99).map(|n| programme(n, &[0.0])).collect());
    assert_eq!(few.rank(1.0, 0, Some(Peers::Chat)).peers, None);
    let many = Calibration::new((0..100).map(|n| programme(n, &[0.0])).collect());
    assert_eq!(
        many.rank(1.0, 0, Some(Peers::Chat)).peers,
        Some(Peers::Chat)
    );
    assert_eq!(many.rank(1.0, 0, Some(Peers::Code)).peers, None);
}

#[test]
fn what_is_too_small_for_a_look_is_not_counted_there() {
    let mut small = programme(0, &[0.0]);
    small.accounts[0][2] = f64::NAN;
    let made = Calibration::new(vec![small, programme(1, &[0.0])]);
    assert_eq!(made.rank(1.0, 0, None).programmes, 2);
    assert_eq!(made.rank(1.0, 2, None).programmes, 1);
}
