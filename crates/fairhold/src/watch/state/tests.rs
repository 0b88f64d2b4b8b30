use super::*;

fn seen(n: u32) -> State {
    let mut reader = detection::Reader::default();
    let mut state = State::default();
    for k in 0..n {
        let text = format!("Where is the {k}th key of my house?");
        let reading = reader.read(&[("user".to_owned(), text)]);
        state.account.observe(reading);
    }
    state
}

#[test]
fn what_is_stored_is_read_back() {
    let detector = Detector::shipped().unwrap();
    let mut state = seen(20);
    assert_eq!(state.look(), Some(0));
    state.judge(&detector, head_id(&detector), None).unwrap();
    state.told = true;
    let bytes = state.to_bytes();
    assert_eq!(State::from_bytes(&bytes), Ok(state));
    for cut in 0..bytes.len() {
        assert_eq!(State::from_bytes(&bytes[..cut]), Err(Unreadable), "{cut}");
    }
}

#[test]
fn statistics_of_another_head_are_dropped() {
    let detector = Detector::shipped().unwrap();
    let mut state = seen(20);
    state.judge(&detector, [1; 8], None).unwrap();
    state.judge(&detector, [1; 8], None).unwrap();
    assert_eq!(state.looks.len(), 2);
    state.judge(&detector, head_id(&detector), None).unwrap();
    assert_eq!(state.looks.len(), 1);
}
