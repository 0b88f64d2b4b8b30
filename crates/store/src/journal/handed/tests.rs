use proptest::prelude::*;

use super::*;

fn passed(n: u64, bytes: usize) -> Passed {
    Passed {
        exchange: ExchangeId::parse(&format!("x{n}")).unwrap(),
        account: AccountId::parse("a").unwrap(),
        model: ModelName::parse("m").unwrap(),
        endpoint: Endpoint::ChatCompletions,
        at: Timestamp(0),
        request: Bytes::from(vec![b'q'; bytes]),
        answer: Bytes::new(),
    }
}

fn names(passed: &[Passed]) -> Vec<&str> {
    passed.iter().map(|p| p.exchange.as_str()).collect()
}

#[test]
fn nothing_is_held_for_nobody() {
    let handed = HandOver::default();
    handed.add([(0, Brings::All(passed(0, 1)))].into_iter());
    assert_eq!(handed.take(0, 9), Taken::InLog { to: None });
    handed.follow(true);
    handed.add([(1, Brings::All(passed(1, 1)))].into_iter());
    assert_eq!(handed.take(0, 9), Taken::InLog { to: Some(1) });
    handed.follow(false);
    assert_eq!(handed.take(1, 9), Taken::InLog { to: None });
}

#[test]
fn what_is_missing_is_in_the_log() {
    let handed = HandOver::default();
    handed.follow(true);
    let records = [
        (4, Brings::Nothing),
        (5, Brings::All(passed(5, 1))),
        (6, Brings::Missing),
        (7, Brings::All(passed(7, 1))),
        (8, Brings::All(passed(8, 1))),
    ];
    handed.add(records.into_iter());
    assert_eq!(handed.take(0, 9), Taken::InLog { to: Some(4) });
    let Taken::Passed { to, passed } = handed.take(4, 9) else {
        panic!("it is there");
    };
    assert_eq!((to, names(&passed)), (6, vec!["x5"]));
    assert_eq!(handed.take(6, 9), Taken::InLog { to: Some(7) });
    let Taken::Passed { to, passed } = handed.take(7, 1) else {
        panic!("it is there");
    };
    assert_eq!((to, names(&passed)), (8, vec!["x7"]));
    // Who begins anew reads the log up to what is still here.
    assert_eq!(handed.take(2, 9), Taken::InLog { to: Some(8) });
    handed.let_go();
    assert_eq!(handed.take(8, 9), Taken::InLog { to: None });
}

#[derive(Debug, Clone)]
enum Does {
    Writes(usize),
    Answers(usize),
    Misses,
    Forgets,
    Takes(usize),
    Begins(u64),
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        2 => (1_usize..4).prop_map(Does::Writes),
        6 => (0_usize..300).prop_map(Does::Answers),
        1 => Just(Does::Misses),
        1 => Just(Does::Forgets),
        4 => (1_usize..6).prop_map(Does::Takes),
        1 => (0_u64..9).prop_map(Does::Begins),
    ]
}

proptest! {
    #[test]
    fn whoever_takes_and_reads_misses_nothing_and_gets_nothing_twice(
        steps in prop::collection::vec(does(), 1..200), most in 300_usize..3_000,
    ) {
        let handed = HandOver::of(most);
        handed.follow(true);
        // The log: of each record, whether it is an answer.
        let mut log: Vec<bool> = Vec::new();
        let (mut at, mut got) = (0_u64, Vec::new());
        for step in steps {
            let next = log.len() as u64;
            match step {
                Does::Writes(n) => {
                    log.extend(vec![false; n]);
                    handed.add((next..).take(n).map(|seq| (seq, Brings::Nothing)));
                }
                Does::Answers(bytes) => {
                    log.push(true);
                    handed.add([(next, Brings::All(passed(next, bytes)))].into_iter());
                }
                Does::Misses => {
                    log.push(true);
                    handed.add([(next, Brings::Missing)].into_iter());
                }
                Does::Forgets => handed.let_go(),
                Does::Begins(back) => {
                    at = at.saturating_sub(back);
                    got.retain(|seq| *seq < at);
                }
                Does::Takes(n) => match handed.take(at, n) {
                    Taken::Passed { to, passed } => {
                        prop_assert!(at <= to && to <= next);
                        let seqs = passed.iter().map(|p| p.exchange.as_str().trim_start_matches('x').parse::<u64>());
                        got.extend(seqs.map(Result::unwrap));
                        at = to;
                    }
                    Taken::InLog { to } => {
                        let end = next.min(at + n as u64).min(to.unwrap_or(u64::MAX));
                        prop_assert!(end >= at, "{end} {at}");
                        let answers = (at..end).filter(|seq| log[usize::try_from(*seq).unwrap()]);
                        got.extend(answers);
                        at = end;
                    }
                },
            }
            let bytes = handed.held().bytes;
            prop_assert!(bytes <= most);
            let expected: Vec<u64> = (0..at).filter(|seq| log[usize::try_from(*seq).unwrap()]).collect();
            prop_assert_eq!(&got, &expected);
        }
        // It comes to the end, whatever happened.
        for _ in 0..2 * log.len() + 2 {
            match handed.take(at, 1) {
                Taken::Passed { to, .. } => at = to,
                Taken::InLog { to } => at = (at + 1).min(to.unwrap_or(u64::MAX)).min(log.len() as u64),
            }
        }
        prop_assert_eq!(at, log.len() as u64);
    }
}
