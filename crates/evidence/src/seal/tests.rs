use super::*;
use proptest::prelude::*;

fn names() -> (AccountId, AccountId, ExchangeId, ExchangeId) {
    let account = |n| AccountId::parse(n).unwrap();
    let exchange = |n| ExchangeId::parse(n).unwrap();
    (account("a"), account("b"), exchange("x"), exchange("y"))
}

proptest! {
    #[test]
    fn opens_only_as_it_was_sealed(body in prop::collection::vec(any::<u8>(), 0..300), key in any::<[u8; 32]>(),
                                   fresh in prop::array::uniform32(any::<u8>()), nonce in any::<[u8; 12]>(),
                                   place in any::<prop::sample::Index>(), flip in 1_u8..) {
        let master = MasterKey(key);
        let (account, other_account, exchange, other_exchange) = names();
        let label = Label { account: &account, at: Timestamp(1_795_000_000_000), exchange: &exchange, body: Body::Request };
        let mut seed = [0; 44];
        seed[..32].copy_from_slice(&fresh);
        seed[32..].copy_from_slice(&nonce);
        let sealed = seal(&master, &label, &seed, &body).unwrap();
        let opened = open(&master, &label, &sealed.bytes, &sealed.commitment).unwrap();
        prop_assert_eq!(&opened.plaintext, &body);
        prop_assert_eq!(commit(&opened.salt, &body), sealed.commitment);

        let refused = |label: &Label<'_>, bytes: &[u8], commitment: &Commitment| {
            open(&master, label, bytes, commitment).is_err()
        };
        let others = [
            Label { account: &other_account, ..label },
            Label { exchange: &other_exchange, ..label },
            Label { body: Body::Answer, ..label },
            Label { at: Timestamp(0), ..label },
        ];
        for other in &others {
            prop_assert!(refused(other, &sealed.bytes, &sealed.commitment));
        }
        let mut altered = sealed.bytes.clone();
        altered[place.index(sealed.bytes.len())] ^= flip;
        prop_assert!(refused(&label, &altered, &sealed.commitment));
        prop_assert!(refused(&label, &sealed.bytes[..place.index(sealed.bytes.len())], &sealed.commitment));
        prop_assert!(refused(&label, &sealed.bytes, &Commitment([0; 32])));
        prop_assert!(open(&MasterKey([0x5a; 32]), &label, &sealed.bytes, &sealed.commitment).is_err());
    }
}

#[test]
fn the_master_key_is_not_printed() {
    assert_eq!(format!("{:?}", MasterKey([7; 32])), "MasterKey(..)");
}
