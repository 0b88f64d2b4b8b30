use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

use super::*;

#[test]
fn only_the_public_internet_is_a_place_for_a_webhook() {
    let inside = [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "2001:db8::1",
        "2002:a00:1::",
        "2001::1",
        "fec0::1",
    ];
    for ip in inside {
        assert!(!guard::public(ip.parse::<IpAddr>().unwrap()), "{ip}");
    }
    for ip in [
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
    ] {
        assert!(guard::public(ip.parse::<IpAddr>().unwrap()), "{ip}");
    }
}

#[track_caller]
fn place(text: &str, loopback: bool, taken: bool) {
    assert_eq!(guard::url(text, loopback).is_ok(), taken, "{text}");
}

#[test]
fn a_url_is_https_and_this_machine_only_where_the_operator_says_so() {
    place("https://example.com/hook", false, true);
    place("http://example.com/hook", true, false);
    place("http://127.0.0.1:9/hook", false, false);
    place("http://127.0.0.1:9/hook", true, true);
    place("http://localhost:9/hook", true, true);
    place("https://10.0.0.1/", true, false);
    place("https://[::1]/", false, false);
    place("https://[fe80::1]/", true, false);
    place("https://user:pw@example.com/", false, false);
    place("ftp://example.com/", true, false);
    place("https:///nowhere", true, false);
    place("http://169.254.169.254/latest/meta-data", true, false);
}

#[tokio::test]
async fn a_name_that_means_this_machine_is_not_connected_to() {
    use hyper_util::client::legacy::connect::dns::Name;
    use tower::Service as _;
    let name = || "localhost".parse::<Name>().unwrap();
    let mut guarded = guard::Resolver { loopback: false };
    assert!(guarded.call(name()).await.is_err());
    let mut open = guard::Resolver { loopback: true };
    assert!(open.call(name()).await.unwrap().count() > 0);
}

#[test]
fn whoever_has_the_keys_can_check_a_notice() {
    let signer = Signer::of(&[7; 32]);
    let header = signer.signature("ep_1", "msg_1", 1_700_000_000, "{}");
    let (asymmetric, plain) = header.split_once(' ').unwrap();
    let key = STANDARD.decode(signer.public_key().strip_prefix("whpk_").unwrap());
    let key = VerifyingKey::from_bytes(&key.unwrap().try_into().unwrap()).unwrap();
    let bytes = STANDARD
        .decode(asymmetric.strip_prefix("v1a,").unwrap())
        .unwrap();
    let signature = Signature::from_slice(&bytes).unwrap();
    key.verify(b"msg_1.1700000000.{}", &signature).unwrap();
    assert!(key.verify(b"msg_2.1700000000.{}", &signature).is_err());
    assert!(plain.starts_with("v1,") && signer.secret("ep_1").starts_with("whsec_"));
    assert_ne!(signer.secret("ep_1"), signer.secret("ep_2"));
    assert_ne!(signer.public_key(), Signer::of(&[8; 32]).public_key());
}

#[test]
fn tries_are_further_and_further_apart_and_never_past_half_a_day() {
    let mut before = 0;
    for tries in 0..40 {
        let (least, most) = (space(5_000, tries, 0).0, space(5_000, tries, 999).0);
        assert!(
            least <= most && most <= SPACE_MAX && least * 2 + 1 >= most,
            "{tries}"
        );
        assert!(least >= before, "{tries}");
        before = least;
    }
    assert_eq!(space(5_000, 0, 0), Span(2_500));
    assert_eq!(before, SPACE_MAX / 2);
}
