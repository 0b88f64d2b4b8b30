use super::*;

fn account(name: &str) -> AccountId {
    AccountId::parse(name).unwrap()
}

#[test]
fn a_response_continues_for_its_owner_only() {
    let owners = Owners::default();
    owners.learn(br#"{"id":"resp_1","object":"response"}"#, &account("a"));
    owners.learn(
        br#"{"type":"response.created","response":{"id":"resp_2"}}"#,
        &account("b"),
    );
    assert!(owners.owns("resp_1", &account("a")));
    assert!(!owners.owns("resp_1", &account("b")));
    assert!(owners.owns("resp_2", &account("b")));
    assert!(!owners.owns("resp_3", &account("a")));
}

#[test]
fn an_id_said_twice_stays_with_its_first_owner() {
    let owners = Owners::default();
    owners.learn(br#"{"id":"resp_1"}"#, &account("a"));
    owners.learn(br#"{"id":"resp_1"}"#, &account("b"));
    assert!(owners.owns("resp_1", &account("a")) && !owners.owns("resp_1", &account("b")));
}

#[test]
fn the_oldest_is_forgotten_first() {
    let owners = Owners::default();
    for n in 0..=KEPT {
        owners.remember(format!("r{n}"), &account("a"));
    }
    assert!(!owners.owns("r0", &account("a")) && owners.owns("r1", &account("a")));
    assert_eq!(owners.0.lock().unwrap().of.len(), KEPT);
}
