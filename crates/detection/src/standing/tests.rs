use super::*;
use crate::edges::Edge;

fn who(names: &[&str]) -> Subject {
    Subject::of(names.iter().map(|n| AccountId::parse(n).unwrap())).unwrap()
}

fn p(value: f64) -> Chance {
    Chance::of(value).unwrap()
}

fn queue(z: f64) -> Partition {
    Partition {
        prompts: 200,
        z,
        repeated: 0.0,
    }
}

fn edges(value: f64) -> EdgeEvidence {
    EdgeEvidence::of(&[Edge {
        kind: Kind::Payment,
        known: true,
        statistic: 1.0,
        p: value,
        draws: 999,
        said: String::new(),
    }])
}

#[test]
fn intent_alone_never_goes_past_asking() {
    let passed = IntentPassed::at(who(&["a"]), p(0.001), p(0.0005), 0.01).unwrap();
    assert_eq!(passed.may(Declaration::Given), Mild::Observe);
    let asked = passed.may(Declaration::Missing);
    assert_eq!(May::from(asked), May::AskForDeclaration);
}

#[test]
fn intent_abstains_below_its_floor() {
    let at = |p_, floor| IntentPassed::at(who(&["a"]), p(p_), p(floor), 0.01);
    assert!(matches!(at(0.01, 0.02), Err(NotPassed::Floor { .. })));
    assert!(matches!(at(0.02, 0.005), Err(NotPassed::Above { .. })));
    assert!(at(0.01, 0.01).is_ok());
}

#[test]
fn a_notice_needs_all_three_of_the_same_accounts() {
    let ring = ["a", "b"];
    let partition = PartitionPassed::of(who(&ring), queue(0.3), 2).unwrap();
    let intent = IntentPassed::at(who(&ring), p(0.04), p(0.01), 0.05).unwrap();
    let edge = EdgePassed::of(who(&["b", "a"]), &edges(0.01), 0.05).unwrap();
    let other = EdgePassed::of(who(&["a", "c"]), &edges(0.01), 0.05).unwrap();
    assert_eq!(
        Notice::of_work(partition.clone(), intent.clone(), other),
        Err(NotPassed::OtherAccounts)
    );
    let notice = Notice::of_work(partition, intent, edge).unwrap();
    assert_eq!(notice.subject(), &who(&ring));
    let reasons = notice.reasons();
    assert!(reasons[2].contains("payment"), "{reasons:?}");
    assert!(matches!(May::from(notice), May::Notice(_)));
}

#[test]
fn an_undivided_or_small_gathering_does_not_pass() {
    let of = |z, least| PartitionPassed::of(who(&["a", "b"]), queue(z), least);
    assert!(matches!(of(2.5, 2), Err(NotPassed::NotDivided(_))));
    assert!(matches!(of(0.0, 10), Err(NotPassed::TooFew { .. })));
}

#[test]
fn no_edge_passes_when_none_is_known() {
    let none = EdgeEvidence::of(&[]);
    assert!(EdgePassed::of(who(&["a"]), &none, 0.05).is_err());
    assert!(EdgePassed::of(who(&["a"]), &edges(0.06), 0.05).is_err());
}

#[test]
fn a_sketch_is_used_only_when_it_was_quiet_on_enough_cleared_accounts() {
    let on = |cleared, fired| BackTested::on(cleared, fired, 0.005);
    assert!(matches!(on(0, 0), Err(NotPassed::Fires { .. })));
    assert!(
        on(100, 0).is_err(),
        "a hundred are too few to promise 0.5 %"
    );
    assert!(on(1000, 6).is_err());
    let tested = on(1000, 0).unwrap();
    assert!(tested.bound() < 0.0031, "{}", tested.bound());
    let found = |n| SketchMatch::of(who(&["a"]), tested.clone(), n, 12);
    assert!(matches!(found(11), Err(NotPassed::Matched { .. })));
    let notice = Notice::of_sketch(found(12).unwrap());
    assert_eq!(notice.subject(), &who(&["a"]));
    assert_eq!(notice.reasons().len(), 1);
}

#[test]
fn refusals_say_what_to_do() {
    let said = BackTested::on(10, 0, 0.01).unwrap_err().to_string();
    assert!(said.contains("test it on more of them"), "{said}");
    let said = NotPassed::OtherAccounts.to_string();
    assert!(said.contains("the same ones"), "{said}");
}
