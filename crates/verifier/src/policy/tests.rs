use super::*;

const LOG: &str = "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// A witness's key line; keys of the curve are needed, so they are made of a seed.
fn witness(n: u8) -> String {
    let public = ed25519_dalek::SigningKey::from_bytes(&[n; 32])
        .verifying_key()
        .to_bytes();
    crate::note::vkey(&format!("w{n}.example"), KeyKind::Cosignature, &public)
}

fn parse(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text.as_bytes())
}

/// The specification's own example: two of three, and one of two others.
#[test]
fn groups_of_groups_count_each_witness_once() {
    let mut text = format!("{LOG} https://example.com\n\n# X\n");
    for (n, name) in (1..).zip(["X1", "X2", "X3", "Y1", "Y2"]) {
        let line = format!("\twitness {name}  {} https://w.example/\n", witness(n));
        text.push_str(&line);
    }
    text += "group X 2 X1 X2 X3\ngroup Y any Y1 Y2\ngroup both all X Y\nquorum both\n";
    let policy = parse(&text).unwrap();
    assert!(policy.asks_witnesses());
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 5));
    for (seen, enough) in [
        (&[][..], false),
        (&[0, 1], false),
        (&[0, 3], false),
        (&[0, 1, 3], true),
        (&[1, 2, 4], true),
        (&[3, 4], false),
    ] {
        assert_eq!(
            policy.enough(&seen.iter().copied().collect()),
            enough,
            "{seen:?}"
        );
    }
}

#[test]
fn what_the_specification_forbids_is_refused_with_its_line() {
    let (w1, w2) = (witness(1), witness(2));
    for (text, word) in [
        (format!("{LOG}\n"), "no `quorum`"),
        ("quorum none\nquorum none\n".to_owned(), "already"),
        ("quorum w\n".to_owned(), "not defined"),
        (format!("witness none {w1}\nquorum none\n"), "taken"),
        (
            format!("witness a {w1}\nwitness a {w2}\nquorum a\n"),
            "taken",
        ),
        (
            format!("witness a {w1}\nwitness b {w1}\nquorum a\n"),
            "already",
        ),
        (format!("{LOG}\n{LOG}\nquorum none\n"), "already"),
        (
            format!("witness a {w1}\ngroup g 2 a\nquorum g\n"),
            "number from 1 to 1",
        ),
        (
            format!("witness a {w1}\ngroup g +1 a\nquorum g\n"),
            "number from 1 to 1",
        ),
        (
            format!("witness a {w1}\ngroup g any a a\nquorum g\n"),
            "in a group already",
        ),
        (
            format!("witness a {w1}\ngroup g any a\ngroup h any a\nquorum h\n"),
            "in a group already",
        ),
        (
            format!("witness a {w1}\ngroup g any\nquorum g\n"),
            "at least one",
        ),
        ("group g any g\nquorum g\n".to_owned(), "not defined"),
        (format!("log {w1}\nquorum none\n"), "a witness's key"),
        (
            format!("witness a {}\nquorum a\n", LOG.trim_start_matches("log ")),
            "a log's key",
        ),
        ("quorum none".to_owned(), "does not end"),
        ("quorum none\r\n".to_owned(), "control character"),
        ("quorum none\nlogs x\n".to_owned(), "line 2"),
    ] {
        let refused = parse(&text).unwrap_err().to_string();
        assert!(refused.contains(word), "{text}: {refused}");
    }
    // A witness in a group may be the quorum by itself.
    let one = format!("witness a {w1}\ngroup g any a\nquorum a\n");
    assert!(parse(&one).unwrap().asks_witnesses());
    assert!(!parse("quorum none\n").unwrap().asks_witnesses());
}
