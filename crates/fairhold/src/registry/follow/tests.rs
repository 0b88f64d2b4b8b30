use super::*;

#[test]
fn it_never_takes_more_than_its_share_of_a_core() {
    for worked in [0, 1, 10, 40, 1_000] {
        let worked = Duration::from_millis(worked);
        let rest = pause(worked);
        assert!(rest >= PAUSE && rest >= worked * REST, "{worked:?}");
    }
}
