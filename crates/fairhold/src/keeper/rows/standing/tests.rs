use super::*;

fn held(act: Act, until: Option<i64>) -> Held {
    Held {
        case: CaseId::parse("c").unwrap(),
        clause: ClauseId::parse("t/1").unwrap(),
        act,
        until: until.map(Timestamp),
    }
}

#[test]
fn what_is_kept_is_read_back() {
    let throttle = Act::Throttle {
        requests_per_minute: Some(3),
        tokens_per_minute: None,
    };
    let all = vec![
        held(Act::Notice, None),
        held(throttle, Some(5)),
        held(Act::Mark, None),
        held(Act::Suspend, Some(7)),
        held(Act::Terminate, None),
    ];
    for held in [Vec::new(), all] {
        let standing = Standing::of(held);
        let text = standing_json(&standing).unwrap();
        assert_eq!(read_standing(&text), Ok(standing));
    }
}

#[test]
fn the_form_before_is_read_and_another_one_is_not() {
    let good = "{\"standing\":\"good\",\"case\":null,\"clause\":null,\"requests_per_minute\":null}";
    assert_eq!(read_standing(good), Ok(Standing::default()));
    let suspended = "{\"standing\":\"suspended\",\"case\":\"c\",\"clause\":\"t/1\",\"requests_per_minute\":null}";
    let expected = Standing::of(vec![held(Act::Suspend, None)]);
    assert_eq!(read_standing(suspended), Ok(expected));
    for wrong in [
        "{}",
        "{\"held\":[{\"standing\":\"odd\",\"case\":\"c\",\"clause\":\"t/1\"}]}",
        "{\"standing\":\"suspended\"}",
    ] {
        assert!(read_standing(wrong).is_err(), "{wrong}");
    }
}
