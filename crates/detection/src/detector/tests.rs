use super::*;
use crate::intent::tests::{account_of, asking, making};

#[test]
fn the_shipped_detector_is_read_and_written_back() {
    let shipped = Detector::shipped().unwrap();
    assert_eq!(shipped.to_text().unwrap(), SHIPPED.trim_end());
    assert!(shipped.calibration.programmes().len() >= 300);
    assert!(shipped.manifest.sources.iter().any(|s| s.harvest));
    assert!(
        shipped
            .manifest
            .sources
            .iter()
            .all(|s| s.sha256.len() == 64)
    );
}

/// Names and words of one line; the longest is a digest.
fn strings(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => out.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|v| strings(v, out)),
        serde_json::Value::Object(all) => all.values().for_each(|v| strings(v, out)),
        _ => {}
    }
}

#[test]
fn no_text_is_shipped() {
    let mut file: serde_json::Value = serde_json::from_str(SHIPPED).unwrap();
    file["manifest"]["population"] = serde_json::Value::Null;
    let mut all = Vec::new();
    strings(&file, &mut all);
    assert!(all.len() > 300);
    assert!(all.iter().all(|s| s.len() <= 64 && !s.contains(' ')));
}

#[test]
fn broken_files_say_what_is_wrong_and_what_to_do() {
    let said = |text: &str| Detector::parse(text).map(|_| ()).unwrap_err().to_string();
    assert!(said("{").contains("fairhold calibrate"));
    let other = SHIPPED.replace("fairhold.detector/1", "fairhold.detector/9");
    assert!(said(&other).contains("fairhold.detector/9"));
    assert!(said(&SHIPPED.replace("\"generate\"", "\"generates\"")).contains("`generate`"));
    for (from, to) in [
        ("\"weight\":0.1", "\"weight\":-0.1"),
        ("\"spread\":0.", "\"spread\":-0."),
    ] {
        let turned = SHIPPED.replacen(from, to, 1);
        assert_ne!(turned, SHIPPED);
        assert!(said(&turned).contains("cannot weigh"), "{}", said(&turned));
    }
}

#[test]
fn nothing_is_said_before_the_first_look() {
    let detector = Detector::shipped().unwrap();
    assert_eq!(
        detector.judge(&account_of((0..19).map(making)), None, None),
        None
    );
    let told = detector
        .judge(&account_of((0..20).map(making)), None, None)
        .unwrap();
    assert_eq!(told.look, 20);
}

#[test]
fn a_harvest_of_our_own_words_is_rare_among_honest_programmes_and_people_are_not() {
    let detector = Detector::shipped().unwrap();
    let makes = detector
        .judge(&account_of((0..100).map(making)), None, None)
        .unwrap();
    let asks = detector
        .judge(&account_of((0..100).map(asking)), None, None)
        .unwrap();
    assert!(makes.rank.p <= 0.01, "{makes:?}");
    assert!(asks.rank.p >= 0.2, "{asks:?}");
    assert!(makes.anytime.p <= 0.05 && asks.anytime.p >= 0.2);
    assert!(makes.rank.p >= makes.rank.floor);
}

#[test]
fn earlier_looks_are_remembered_by_their_least_p() {
    let detector = Detector::shipped().unwrap();
    let account = account_of((0..100).map(asking));
    let fresh = detector.judge(&account, None, None).unwrap();
    let warned = detector.judge(&account, None, Some(0.004)).unwrap();
    assert!((warned.least - 0.004).abs() < 1e-12);
    assert!(warned.anytime.p <= fresh.anytime.p);
}

/// The raw fields of a log say how it was made, not what was asked: they change nothing.
#[test]
fn answers_models_accounts_and_times_change_nothing() {
    use facts::{AccountId, Exchange, ExchangeId, ModelName, Timestamp};
    let detector = Detector::shipped().unwrap();
    let exchange = |n: usize, model: Option<&str>, response: Option<&str>, at: i64| Exchange {
        id: ExchangeId::parse(&format!("x-{n}")).unwrap(),
        account: AccountId::parse("a").unwrap(),
        at: Timestamp(at),
        model: model.map(|m| ModelName::parse(m).unwrap()),
        prompt: making(n),
        response: response.map(str::to_owned),
        usage: None,
    };
    let key = crate::SketchKey::new([1; 16]);
    let bare: Vec<Exchange> = (0..50).map(|n| exchange(n, None, None, 0)).collect();
    let full: Vec<Exchange> = (0..50)
        .map(|n| exchange(n, Some("m-1"), Some("an answer"), 9_000))
        .collect();
    let judged = |all: &[Exchange]| {
        let profiles = crate::Profiles::of(key, all);
        let account = AccountId::parse("a").unwrap();
        detector.judge(profiles.account(&account).unwrap().sums(), None, None)
    };
    assert_eq!(judged(&bare), judged(&full));
}

/// Where in the conversation an instruction stands does not decide: as system or as user message,
/// the cues are the same.
#[test]
fn a_system_message_weighs_as_the_same_words_of_a_user() {
    let detector = Detector::shipped().unwrap();
    let role = |role: &str| {
        let prompts = (0..40).map(|n| {
            let text = making(n).remove(0).1;
            let (front, back) = text.split_at(text.find("number").unwrap());
            let text = (front.to_owned(), back.to_owned());
            vec![(role.to_owned(), text.0), ("user".to_owned(), text.1)]
        });
        detector.head.score(account_of(prompts).whole())
    };
    assert!((role("system") - role("user")).abs() < 0.05);
}
