use console::MemberView;

use super::*;

fn look() -> LookView {
    LookView {
        exchanges: 100,
        compared: 10,
        floor: 0.1,
        from: -1.0,
        step: 0.5,
        programmes: vec![1.0, 4.0, 2.0, 3.0],
    }
}

fn at(statistic: f64, may: MayView) -> SuspectView {
    SuspectView {
        statistic,
        may,
        ..SuspectView::default()
    }
}

#[test]
fn the_scale_reaches_every_account_and_keeps_the_honest_bins() {
    let (low, high) = (at(-2.1, MayView::Watch), at(3.0, MayView::Watch));
    let scale = Scale::of(&look(), &[&low, &high]).unwrap();
    assert_eq!((scale.before, scale.bins), (3, 3 + 4 + 4));
    for (score, bin) in [(-2.1, 0), (-1.0, 3), (-0.6, 3), (0.9, 6), (3.0, 10)] {
        assert_eq!(scale.bin(score), bin, "{score}");
    }
}

#[test]
fn an_account_far_off_costs_no_more_bins_than_allowed() {
    let far = at(1e12, MayView::AskForDeclaration);
    let scale = Scale::of(&look(), &[&far]).unwrap();
    assert_eq!(scale.bins, 4 + BINS_MAX);
    assert_eq!(scale.bin(1e12), scale.bins - 1);
    assert!((scale.x(1e12) - (WIDTH - LEFT)).abs() < 1e-9);
    let odd = at(f64::NAN, MayView::Watch);
    assert!(Scale::of(&look(), &[&odd]).is_some());
}

#[test]
fn only_accounts_that_may_be_asked_are_marked() {
    let mut out = String::new();
    let (quiet, loud) = (at(0.0, MayView::Watch), at(0.9, MayView::AskForDeclaration));
    honest(&mut out, &look(), &[&quiet, &loud]);
    // One mark and one in the legend.
    assert_eq!(out.matches("<circle").count(), 2);
    let mut out = String::new();
    honest(&mut out, &look(), &[&quiet]);
    assert_eq!(out.matches("<circle").count(), 0);
}

#[test]
fn a_ring_shows_its_accounts_and_counts_the_rest() {
    let member = |n: u64| MemberView {
        account: format!("a{n}"),
        score: 1.0,
        exchanges: n,
    };
    for (members, dots, said) in [
        (0, 0, "one frame"),
        (12, 12, "one frame"),
        (500, DOTS_MAX, "360 more"),
    ] {
        let shown = RingView {
            members: (0..members).map(member).collect(),
            ..RingView::default()
        };
        let mut out = String::new();
        ring(&mut out, &shown);
        assert_eq!(out.matches("<circle").count(), dots + 1);
        assert!(out.contains(said));
    }
}
