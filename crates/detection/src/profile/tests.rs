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
    ) {
        let all: Vec<(u16, bool, Exchange)> = owners
            .iter()
            .enumerate()
            .map(|(n, (owner, shard, place))| (*place, *shard, said(*owner, n)))
            .collect();
        let whole = Profiles::of(key(), all.iter().map(|(.., e)| e));
        let mut shuffled = all.clone();
        shuffled.sort_by_key(|(place, ..)| *place);
        let shard = |which: bool| {
            Profiles::of(key(), shuffled.iter().filter(|(_, s, _)| *s == which).map(|(.., e)| e))
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
