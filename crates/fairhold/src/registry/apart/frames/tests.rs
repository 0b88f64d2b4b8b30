use proptest::prelude::*;

use super::*;

fn id() -> impl Strategy<Value = String> {
    "[!#-&(-\\[\\]-~]{1,40}"
}

fn body() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

prop_compose! {
    fn any_passed()(
        exchange in id(), account in id(), model in id(), which in 0..Endpoint::ALL.len(),
        at in any::<i64>(), request in body(), answer in body(),
    ) -> Passed {
        Passed {
            exchange: ExchangeId::parse(&exchange).unwrap(),
            account: AccountId::parse(&account).unwrap(),
            model: ModelName::parse(&model).unwrap(),
            endpoint: Endpoint::ALL[which],
            at: Timestamp(at),
            request,
            answer,
        }
    }
}

prop_compose! {
    fn any_exchange()(
        exchange in id(), account in id(), model in prop::option::of(id()), at in any::<i64>(),
        prompt in prop::collection::vec(("[a-z]{0,4}", any::<String>()), 0..3),
        response in any::<String>(),
    ) -> Exchange {
        Exchange {
            id: ExchangeId::parse(&exchange).unwrap(),
            account: AccountId::parse(&account).unwrap(),
            at: Timestamp(at),
            model: model.map(|model| ModelName::parse(&model).unwrap()),
            prompt,
            response: Some(response),
            usage: None,
        }
    }
}

prop_compose! {
    fn any_gone()(
        account in id(), ids in prop::option::of(prop::collection::btree_set(id(), 0..5)),
        until in any::<i64>(),
    ) -> ToForget {
        let parsed = |ids: std::collections::BTreeSet<String>| {
            ids.iter().map(|id| ExchangeId::parse(id).unwrap()).collect()
        };
        ToForget {
            account: AccountId::parse(&account).unwrap(),
            outputs: ids.map_or(OutputsOf::Until(Timestamp(until)), |ids| {
                OutputsOf::Exchanges(parsed(ids))
            }),
        }
    }
}

fn any_ask() -> impl Strategy<Value = Ask> {
    let gone = prop::collection::vec(any_gone(), 0..4);
    prop_oneof![
        prop::collection::vec(any_passed(), 0..6).prop_map(Ask::Passed),
        prop::collection::vec(any_exchange(), 0..6).prop_map(Ask::Read),
        any::<(u64, u64)>().prop_map(|(from, to)| Ask::Write { from, to }),
        (gone, any::<i64>())
            .prop_map(|(list, now)| { Ask::TakeOut(Erased::new(list, Timestamp(now))) }),
        Just(Ask::Join),
    ]
}

fn bytes_of(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = frame.head().unwrap();
    for body in &frame.bodies {
        bytes.extend_from_slice(body);
    }
    bytes
}

/// What a writer makes of an exchange: its prompt is one text to it.
fn as_read(ask: Ask) -> Ask {
    match ask {
        Ask::Read(exchanges) => Ask::Read(
            exchanges
                .into_iter()
                .map(|exchange| Exchange {
                    prompt: vec![(String::new(), prompt_text(&exchange))],
                    ..exchange
                })
                .collect(),
        ),
        other => other,
    }
}

fn asked(read: Read) -> Option<Ask> {
    match read {
        Read::Ask(ask) => Some(ask),
        Read::Open => None,
    }
}

proptest! {
    #[test]
    fn what_is_asked_is_what_is_read(asks in prop::collection::vec(any_ask(), 1..4)) {
        let mut bytes = bytes_of(&Frame::opens());
        for ask in &asks {
            bytes.extend(bytes_of(&Frame::asks(ask)));
        }
        let mut input = bytes.as_slice();
        let first = read(&mut input).unwrap();
        prop_assert!(matches!(first, Some(Read::Open)));
        for ask in asks {
            let got = read(&mut input).unwrap().and_then(asked);
            prop_assert_eq!(format!("{:?}", got), format!("{:?}", Some(as_read(ask))));
        }
        prop_assert!(read(&mut input).unwrap().is_none());
    }

    #[test]
    fn what_is_cut_is_an_error_and_never_half_an_ask(ask in any_ask(), at in any::<prop::sample::Index>()) {
        let bytes = bytes_of(&Frame::asks(&ask));
        let at = at.index(bytes.len());
        let mut input = &bytes[..at];
        match read(&mut input) {
            Ok(None) => prop_assert_eq!(at, 0),
            Ok(Some(read)) => prop_assert!(false, "{:?}", read),
            Err(_) => prop_assert!(at > 0),
        }
    }

    #[test]
    fn what_is_no_frame_is_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        // Any length, also of what never comes.
        let mut input = bytes.as_slice();
        while let Ok(Some(_)) = read(&mut input) {}
        // And a length that is true.
        let length = u32::try_from(bytes.len()).unwrap();
        bytes.splice(0..0, length.to_le_bytes());
        prop_assert!(read(&mut bytes.as_slice()).is_err());
    }

    #[test]
    fn what_is_answered_is_what_is_heard(held in any::<usize>(), outputs in any::<u64>(), fingerprints in any::<u64>(), why in any::<String>()) {
        let done = Done { held, left: Left { outputs, fingerprints } };
        prop_assert_eq!(Answer::of(done).done(), Some(done));
        for said in [Answer::of(done), Answer::Failed { why }, Answer::Opened { next: outputs }] {
            let mut bytes = Vec::new();
            answer(&mut bytes, &said).unwrap();
            let length = u32::from_le_bytes(bytes[..4].try_into().unwrap());
            prop_assert_eq!(length as usize, bytes.len() - 4);
            prop_assert_eq!(parsed::<Answer>(&bytes[4..]).unwrap(), said);
        }
    }
}
