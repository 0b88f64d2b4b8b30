use facts::{AccountId, Endpoint, ExchangeId, Timestamp};
use provenance::{AuditKey, Month, OutputText, Role, SegmentBuilder};

use super::*;

#[test]
fn long_answers_have_fingerprints_of_every_channel() {
    let body = long(250);
    let text = wire::answer_text(Endpoint::ChatCompletions, body.as_bytes()).unwrap();
    assert_eq!(text.split_whitespace().count(), 250);
    assert_eq!(text, prose(250));
    let account = AccountId::parse("a").unwrap();
    let key = AuditKey::new([1; 16]);
    let mut builder = SegmentBuilder::new(&key, account.clone(), Month::of(Timestamp(0)));
    let output = OutputText {
        id: ExchangeId::parse("x").unwrap(),
        account,
        prompt: "",
        text: &text,
        at: Timestamp(0),
        model: facts::ModelName::parse("m").unwrap(),
        role: Role::Output,
    };
    builder.add(&output).unwrap();
    let [words, skeleton, triples] = builder.build().outputs()[0].own;
    assert!(
        words > 200 && skeleton > 180 && triples > 60,
        "{words} {skeleton} {triples}"
    );
}
