use facts::{ExchangeId, Timestamp};
use proptest::prelude::*;

use super::*;

fn key() -> SketchKey {
    SketchKey::new([5; 16])
}

fn said(account: u8, n: usize) -> Exchange {
    Exchange {
        id: ExchangeId::parse(&format!("x{n}")).unwrap(),
        account: AccountId::parse(&format!("a{account}")).unwrap(),
        at: Timestamp(0),
        model: None,
        prompt: vec![(
            "user".into(),
            format!("tell me about river number {n} and its many mouths"),
        )],
        response: None,
        usage: None,
    }
}

proptest! {
    #[test]
    fn shards_in_any_order_make_the_same_profiles(
        owners in prop::collection::vec((0_u8..3, any::<bool>(), any::<u16>()), 0..300),
        budget in prop::sample::select(vec![0, 13, 40, 70, 100, 150, PROMPTS_MAX]),
    ) {
        let all: Vec<(u16, bool, Exchange)> = owners
            .iter()
            .enumerate()
            .map(|(n, (owner, shard, place))| (*place, *shard, said(*owner, n)))
            .collect();
        let made = |budget: usize, each: &mut dyn Iterator<Item = &Exchange>| {
            let (mut made, mut reader) = (Profiles::within(key(), budget), Reader::default());
            each.for_each(|exchange| made.observe(&mut reader, exchange));
            made
        };
        let whole = made(budget, &mut all.iter().map(|(.., e)| e));
        prop_assert!(whole.kept <= budget.max(3 * SAMPLE_LEAST));
        let mut shuffled = all.clone();
        shuffled.sort_by_key(|(place, ..)| *place);
        let shard = |which: bool| {
            let own = shuffled.iter().filter(|(_, s, _)| *s == which);
            made(budget, &mut own.map(|(.., e)| e))
        };
        let mut merged = shard(true);
        merged.merge(&shard(false)).unwrap();
        prop_assert_eq!(merged, whole);
    }
}

#[test]
fn another_key_is_refused_and_changes_nothing() {
    let mut ours = Profiles::of(key(), &[said(1, 1)]);
    let before = ours.clone();
    let theirs = Profiles::of(SketchKey::new([6; 16]), &[said(1, 2)]);
    assert_eq!(ours.merge(&theirs), Err(KeyMismatch));
    assert_eq!(ours, before);
}

/// An account that came late keeps as many as one that came first.
#[test]
fn a_full_budget_halves_what_every_account_keeps() {
    let mut fleet = Profiles::within(key(), 200);
    let mut reader = Reader::default();
    for account in 0..10 {
        for n in 0..40 {
            fleet.observe(&mut reader, &said(account, usize::from(account) * 40 + n));
        }
    }
    assert_eq!((fleet.sample_max(), fleet.seen()), (16, 400));
    assert!(fleet.iter().all(|(_, p)| p.prompts().count() == 16));
}
