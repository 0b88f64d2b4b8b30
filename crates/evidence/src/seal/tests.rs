use super::*;
use proptest::prelude::*;

fn names() -> (AccountId, AccountId, ExchangeId, ExchangeId) {
    let account = |n| AccountId::parse(n).unwrap();
    let exchange = |n| ExchangeId::parse(n).unwrap();
    (account("a"), account("b"), exchange("x"), exchange("y"))
}

fn fresh(salt: [u8; 32], nonce: [u8; 12]) -> Fresh {
    let mut seed = [0; 44];
    seed[..32].copy_from_slice(&salt);
    seed[32..].copy_from_slice(&nonce);
    seed
}

proptest! {
    #[test]
    fn opens_only_as_it_was_sealed(body in prop::collection::vec(any::<u8>(), 0..300), key in any::<[u8; 32]>(),
                                   salt in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(), first in any::<bool>(),
                                   place in any::<prop::sample::Index>(), flip in 1_u8..) {
        let (account, other_account, exchange, other_exchange) = names();
        let kek = Kek::new(key);
        let key = if first { kek.version_one(&account, "2026-11") } else { SubjectKey::new(key) };
        let label = Label { account: &account, exchange: &exchange, body: Body::Request };
        let sealed = seal(&key, &label, &fresh(salt, nonce), &body).unwrap();
        prop_assert_eq!(sealed.bytes[0], if first { 1 } else { 2 });
        let opened = open(&key, &label, &sealed.bytes, &sealed.commitment).unwrap();
        prop_assert_eq!(&opened.plaintext, &body);
        prop_assert_eq!(commit(&opened.salt, &body), sealed.commitment);

        let refused = |label: &Label<'_>, bytes: &[u8], commitment: &Commitment| {
            open(&key, label, bytes, commitment).is_err()
        };
        let others = [
            Label { account: &other_account, ..label },
            Label { exchange: &other_exchange, ..label },
            Label { body: Body::Answer, ..label },
        ];
        for other in &others {
            prop_assert!(refused(other, &sealed.bytes, &sealed.commitment));
        }
        let mut altered = sealed.bytes.clone();
        altered[place.index(sealed.bytes.len())] ^= flip;
        prop_assert!(refused(&label, &altered, &sealed.commitment));
        prop_assert!(refused(&label, &sealed.bytes[..place.index(sealed.bytes.len())], &sealed.commitment));
        prop_assert!(refused(&label, &sealed.bytes, &Commitment([0; 32])));
        for stranger in [SubjectKey::new([0x5a; 32]), kek.version_one(&account, "2026-10"), kek.version_one(&other_account, "2026-11")] {
            prop_assert!(open(&stranger, &label, &sealed.bytes, &sealed.commitment).is_err());
        }
    }

    #[test]
    fn a_wrapped_key_opens_for_its_owner_only_and_is_rewrapped_whole(
        old in any::<[u8; 32]>(), new in any::<[u8; 32]>(), bytes in any::<[u8; 32]>(),
        nonce in any::<[u8; 12]>(), place in any::<prop::sample::Index>(), flip in 1_u8..) {
        prop_assume!(old != new);
        let (old, new) = (Kek::new(old), Kek::new(new));
        let key = SubjectKey::new(bytes);
        let (subject, other) = (SubjectDigest([1; 32]), SubjectDigest([2; 32]));
        let owner = Owner { account: "a", month: "2026-11", subject: &subject };
        let wrapped = old.wrap(&owner, &key, &nonce).unwrap();
        prop_assert_eq!(wrapped.len(), keys::WRAPPED);
        let opened = old.unwrap(&owner, Format::Subject, &wrapped).unwrap();
        prop_assert_eq!(opened.expose(), &bytes);
        let rewrapped = new.wrap(&owner, &opened, &nonce).unwrap();
        let again = new.unwrap(&owner, Format::Subject, &rewrapped).unwrap();
        prop_assert_eq!(again.expose(), &bytes);

        let strangers = [
            Owner { account: "b", ..owner },
            Owner { month: "2026-12", ..owner },
            Owner { subject: &other, ..owner },
            // The parts may not be shifted against each other.
            Owner { account: "a\u{0}2026-11", month: "", ..owner },
        ];
        for stranger in &strangers {
            prop_assert!(old.unwrap(stranger, Format::Subject, &wrapped).is_err());
        }
        prop_assert!(old.unwrap(&owner, Format::AccountMonth, &wrapped).is_err());
        prop_assert!(new.unwrap(&owner, Format::Subject, &wrapped).is_err());
        prop_assert!(old.unwrap(&owner, Format::Subject, &rewrapped).is_err());
        let mut altered = wrapped.clone();
        altered[place.index(wrapped.len())] ^= flip;
        prop_assert!(old.unwrap(&owner, Format::Subject, &altered).is_err());
        prop_assert!(old.unwrap(&owner, Format::Subject, &wrapped[..place.index(wrapped.len())]).is_err());
    }
}

#[test]
fn a_body_of_version_one_opens_as_earlier_programs_sealed_it() {
    // Sealed by the program as it was before keys had subjects.
    let (account, _, exchange, _) = names();
    let label = Label {
        account: &account,
        exchange: &exchange,
        body: Body::Request,
    };
    let sealed = hex::decode(VERSION_ONE).unwrap();
    let commitment = commit(&[3; 32], b"an old request");
    let key = Kek::new([7; 32]).version_one(&account, "2026-11");
    let opened = open(&key, &label, &sealed, &commitment).unwrap();
    assert_eq!(opened.plaintext, b"an old request");
    assert_eq!(opened.salt, [3; 32]);
}

const VERSION_ONE: &str = "010404040404040404040404043746e8c3890742a2239b59265160f34a4513570bab8102831592a89b6561001825ab931163f004e9a03e856598ed20ac5f083d684ca2ce49fd0e037cb1d6";

#[test]
fn a_subject_has_one_digest_in_an_account_and_another_elsewhere() {
    let (a, b, ..) = names();
    let key = SubjectKey::new([9; 32]);
    assert_eq!(key.digest(&a, "ada"), key.digest(&a, "ada"));
    assert_ne!(key.digest(&a, "ada"), key.digest(&b, "ada"));
    assert_ne!(key.digest(&a, "ada"), key.digest(&a, "bob"));
    assert_ne!(
        key.digest(&a, "ada"),
        SubjectKey::new([8; 32]).digest(&a, "ada")
    );
}

#[test]
fn keys_are_not_printed() {
    assert_eq!(format!("{:?}", Kek::new([7; 32])), "Kek(..)");
    assert_eq!(format!("{:?}", SubjectKey::new([7; 32])), "SubjectKey(..)");
}
