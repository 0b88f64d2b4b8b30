use console::{MemberView, RankView};

use super::*;

fn suspect(account: &str, p: f64, may: MayView) -> SuspectView {
    SuspectView {
        account: account.to_owned(),
        exchanges: 1_234,
        look: 500,
        rank: RankView {
            p,
            floor: 0.01,
            ..RankView::default()
        },
        because: "more making of data".to_owned(),
        may,
        ..SuspectView::default()
    }
}

pub(in super::super) fn view() -> DetectionView {
    let member = |n: usize| MemberView {
        account: format!("member-{n}"),
        score: 9.0,
        exchanges: 50,
    };
    let ring = RingView {
        members: (0..20).map(member).collect(),
        bound: 1e-9,
        because: "one frame".to_owned(),
        reasons: vec!["20 accounts send one frame.".to_owned()],
        may: MayView::Notice,
        ..RingView::default()
    };
    let asked = (0..25).map(|n| suspect(&format!("asked-{n}"), 0.012, MayView::AskForDeclaration));
    let mut suspects = vec![suspect("member-3", 0.011, MayView::AskForDeclaration)];
    suspects.extend(asked);
    suspects.push(suspect("quiet", 0.4, MayView::Watch));
    DetectionView {
        accounts: 50,
        exchanges: 41_000,
        too_small: 4,
        exchanges_min: 20,
        sample_max: 16,
        compared_with: Some(console::PopulationView {
            said: "public applications".to_owned(),
            programmes: 99,
            sources: 7,
            floor: 0.01,
            alpha: 0.05,
            ..console::PopulationView::default()
        }),
        limits: vec!["a limit".to_owned()],
        rings: vec![ring],
        suspects,
        ..DetectionView::default()
    }
}

#[test]
fn rings_come_first_and_their_members_are_told_with_them() {
    let view = view();
    let rows = Rows::of(&view, false);
    assert_eq!((rows.listed.len(), rows.hidden), (21, 5));
    assert!(matches!(rows.listed[0], Row::Ring(_)));
    assert!(rows.listed.iter().all(|row| row.who() != "member-3"));
    assert_eq!(Rows::of(&view, true).listed.len(), 26);
}

#[test]
fn the_table_says_who_how_rare_what_may_follow_and_why() {
    let view = view();
    let lines = lines(&view, &Rows::of(&view, false));
    let starts = lines[3..6].iter().map(|l| l.trim_end()).collect::<Vec<_>>();
    assert_eq!(
        starts,
        [
            "   #  who                        exchanges  p: chance if honest            what may follow        because",
            "   1  ring of 20: member-0, ...      1,000  < 0.000001 (< 1 in a million)  notice                 one frame",
            "   2  asked-0                        1,234  0.0120 (1 in 83)               ask for a declaration  more making of data",
        ]
    );
    let rest = lines.join("\n");
    for said in [
        "41,000 exchanges of 50 accounts",
        "not a verdict",
        "and 5 more accounts: --all",
        "4 accounts were too small to be judged by themselves (fewer than 20 exchanges)",
        "27 were compared with 99 honest programmes of 7 sources (shipped with Fairhold: public applications)",
        "No p can be below 0.0100 (1 in 100).",
        "at most 16 prompts of each",
        "- a limit",
    ] {
        assert!(rest.contains(said), "{said}: {rest}");
    }
}

#[test]
fn words_never_make_a_chance_smaller_than_it_is() {
    for (p, said) in [
        (1.0, "1.00 (more than 1 in 2)"),
        (0.5, "0.5000 (1 in 2)"),
        (0.04, "0.0400 (1 in 25)"),
        (0.0028, "0.0028 (1 in 350)"),
        (0.000_9, "9.0e-4 (1 in 1,100)"),
        (1e-7, "< 0.000001 (< 1 in a million)"),
    ] {
        assert_eq!(figure(p), said);
    }
}

#[test]
fn a_terminal_obeys_no_name() {
    assert_eq!(plain("a\u{1b}[31mb"), "a\u{fffd}[31mb");
}
