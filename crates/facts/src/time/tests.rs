use super::Timestamp;

#[test]
fn moments_print_as_rfc_3339() {
    assert_eq!(Timestamp(0).rfc3339(), "1970-01-01T00:00:00.000Z");
    assert_eq!(
        Timestamp(951_782_400_000).rfc3339(),
        "2000-02-29T00:00:00.000Z"
    );
    assert_eq!(
        Timestamp(1_702_684_799_001).rfc3339(),
        "2023-12-15T23:59:59.001Z"
    );
}
