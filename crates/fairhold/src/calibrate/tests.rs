use super::*;

fn exchange(account: &str, n: usize) -> Exchange {
    Exchange {
        id: facts::ExchangeId::parse(&format!("{account}-{n}")).unwrap(),
        account: AccountId::parse(account).unwrap(),
        at: facts::Timestamp(0),
        model: None,
        prompt: vec![(
            "user".to_owned(),
            format!("How do I mend the {n}th tyre of my {account}, please? It has {n} holes."),
        )],
        response: None,
        usage: None,
    }
}

fn honest(customers: usize, accounts: usize, exchanges: usize) -> Vec<Honest> {
    let head = Detector::shipped().unwrap().head;
    let mut reader = Reader::default();
    let each = (0..customers * accounts).map(|n| {
        let name = format!("a{n}");
        let mut trajectory = Trajectory::default();
        for k in 0..exchanges + n % 7 {
            trajectory.observe(&exchange(&name, k * (n + 1)), &head, &mut reader);
        }
        Honest {
            account: AccountId::parse(&name).unwrap(),
            customer: format!("secret-name-{}", n % customers),
            declared: None,
            trajectory,
        }
    });
    each.collect()
}

#[test]
fn a_calibration_is_read_back_and_names_no_customer() {
    let shipped = Detector::shipped().unwrap();
    let made = calibrate(shipped.clone(), honest(12, 10, 20), LeftOut::default()).unwrap();
    assert_eq!((made.programmes, made.sources), (120, 12));
    assert_eq!(made.looks[0].programmes, 120);
    assert_eq!(
        made.looks[1].programmes, 0,
        "20 exchanges say nothing of later looks"
    );
    assert!(!made.detector.contains("secret-name"));
    let detector = Detector::parse(&made.detector).unwrap();
    assert_eq!(detector.head, shipped.head);
    assert_eq!(detector.calibration.programmes().len(), 120);
    assert!(
        detector
            .manifest
            .population
            .contains("120 accounts of 12 customers")
    );
}

#[test]
fn accounts_without_a_look_are_told_and_nothing_can_be_reached_with_none() {
    let shipped = Detector::shipped().unwrap();
    let made = calibrate(shipped, honest(2, 2, 5), LeftOut::default()).unwrap();
    assert_eq!((made.programmes, made.too_small), (0, 4));
    assert!(made.reach > REACH_MAX);
}

#[test]
fn an_account_of_a_hundred_speaks_for_later_looks() {
    let head = Detector::shipped().unwrap().head;
    let mut all = honest(1, 1, 100);
    let looks = all.pop().unwrap().trajectory.finish(&head).unwrap();
    assert!(looks.iter().all(|s| s.is_finite()));
    let mut all = honest(1, 1, 99);
    let looks = all.pop().unwrap().trajectory.finish(&head).unwrap();
    assert_eq!(looks.iter().filter(|s| s.is_finite()).count(), 2);
}
