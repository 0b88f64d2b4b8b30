use super::*;
use crate::checkpoint::Verifier;

const KIND: &str = "application/vnd.fairhold.test+json";

fn keys() -> (LogKey, Verifier) {
    let key = LogKey::from_seed(&[7; 32], "house").unwrap();
    let verifier = Verifier::parse(&key.vkey()).unwrap();
    (key, verifier)
}

#[test]
fn what_is_signed_opens_and_nothing_else_does() {
    let (key, verifier) = keys();
    let file = sign(&key, KIND, b"{\"a\":1}").unwrap();
    assert_eq!(open(&verifier, KIND, &file).unwrap(), b"{\"a\":1}");
    for at in 0..file.len() {
        let mut altered = file.clone();
        altered[at] ^= 1;
        assert!(open(&verifier, KIND, &altered).is_err(), "byte {at}");
    }
    let text = String::from_utf8(file.clone()).unwrap();
    let spaced = text.replace(':', ": ");
    assert!(matches!(
        open(&verifier, KIND, spaced.as_bytes()),
        Err(SignedError::Form(_))
    ));
    assert!(matches!(
        open(&verifier, "other", &file),
        Err(SignedError::Kind(_))
    ));
    let stranger = LogKey::from_seed(&[8; 32], "house").unwrap();
    let stranger = Verifier::parse(&stranger.vkey()).unwrap();
    let refused = open(&stranger, KIND, &file).unwrap_err();
    assert!(refused.to_string().contains("`--key`"), "{refused}");
}

/// The bytes of a signed file never change.
#[test]
fn the_envelope_has_golden_bytes() {
    let file = String::from_utf8(sign(&keys().0, KIND, b"{}").unwrap()).unwrap();
    let (head, rest) = file.split_once("\"sig\":\"").unwrap();
    assert_eq!(
        head,
        r#"{"payload":"e30=","payloadType":"application/vnd.fairhold.test+json","signatures":[{"keyid":"house","#
    );
    assert_eq!(rest.len(), 88 + "\"}]}".len());
}
