use super::*;

fn account(name: &str) -> AccountId {
    AccountId::parse(name).unwrap()
}

#[test]
fn whoever_was_used_longest_ago_leaves_first() {
    let mut kept = Kept::new(2);
    kept.put(account("a"), vec![1]);
    kept.put(account("b"), vec![2]);
    kept.put(account("a"), vec![3]);
    kept.put(account("c"), vec![4]);
    assert_eq!(kept.take(&account("b")), None);
    assert_eq!(kept.take(&account("a")), Some(vec![3]));
    assert_eq!(kept.take(&account("a")), None);
    assert_eq!(kept.take(&account("c")), Some(vec![4]));
    assert!(kept.order.is_empty() && kept.states.is_empty());
}
