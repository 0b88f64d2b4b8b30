use facts::Timestamp;

use super::*;

#[test]
fn moments_are_read_as_they_are_written() {
    for at in [
        0,
        1,
        951_782_399_999,
        1_709_164_800_000,
        1_795_658_321_123,
        4_102_444_799_000,
    ] {
        assert_eq!(millis(&Timestamp(at).rfc3339()), Some(at), "{at}");
    }
    assert_eq!(millis("tomorrow"), None);
}

#[track_caller]
fn offers(case: &CaseView, role: Role, expected: &[&str]) {
    assert_eq!(acts(case, role), expected);
}

#[test]
fn a_page_offers_what_a_role_may_do() {
    let mut case = CaseView {
        state: "observed".to_owned(),
        ..CaseView::default()
    };
    offers(
        &case,
        Role::Reviewer,
        &["notice", "propose", "emergency", "dismiss"],
    );
    offers(&case, Role::Auditor, &[]);
    offers(&case, Role::Administrator, &["emergency"]);
    case.pending = Some(crate::cases::PendingView {
        measure: "suspend".to_owned(),
        by: "ann".to_owned(),
        reason: String::new(),
    });
    offers(
        &case,
        Role::Reviewer,
        &["return", "notice", "emergency", "dismiss"],
    );
    offers(
        &case,
        Role::Approver,
        &["approve", "return", "notice", "emergency", "dismiss"],
    );
    case.state = "overturned".to_owned();
    offers(&case, Role::Approver, &[]);
}
