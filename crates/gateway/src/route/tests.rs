use http::{HeaderMap, HeaderValue};

use super::purpose;

#[track_caller]
fn check(values: &[&[u8]], read: Option<&str>) {
    let mut headers = HeaderMap::new();
    for value in values {
        let value = HeaderValue::from_bytes(value).unwrap();
        headers.append("x-fairhold-purpose", value);
    }
    assert_eq!(purpose(&headers).as_deref(), read);
}

#[test]
fn a_purpose_is_left_out_only_when_none_is_named() {
    check(&[], None);
    check(&[b"rag"], Some("rag"));
    check(&[b""], Some(""));
    check(&[b"rag", b"evaluation"], Some("rag, evaluation"));
    check(&[b"rag", b"rag"], Some("rag, rag"));
    check(&[b"rag\xe9"], Some("rag\u{fffd}"));
    check(&[&[b'x'; 4_000]], Some(&"x".repeat(128)));
}
