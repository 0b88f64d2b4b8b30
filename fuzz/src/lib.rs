//! What each parser must hold on any bytes. One function per fuzz target; a
//! panic is the finding. Run by libFuzzer here and, on seeded input, by a test
//! of `fairhold` that includes this file.

use facts::Endpoint;

/// Reading a request answers the same twice, on every endpoint.
pub fn peek(bytes: &[u8]) {
    for endpoint in Endpoint::ALL {
        let once = wire::peek(endpoint, bytes);
        assert_eq!(
            format!("{once:?}"),
            format!("{:?}", wire::peek(endpoint, bytes))
        );
    }
}

/// A stream gives the same events whole and byte by byte, and loses no byte.
pub fn sse(bytes: &[u8]) {
    let whole = events(bytes, bytes.len().max(1));
    assert_eq!(
        whole.concat(),
        bytes,
        "bytes of the stream were lost or changed"
    );
    assert_eq!(
        whole,
        events(bytes, 1),
        "the cut of the chunks changed the events"
    );
}

fn events(bytes: &[u8], chunk: usize) -> Vec<Vec<u8>> {
    let mut parser = wire::Parser::new(1 << 20);
    let mut events = Vec::new();
    for part in bytes.chunks(chunk) {
        parser.push(part);
        while let Ok(Some(event)) = parser.next_event() {
            events.push(event.raw().to_vec());
        }
    }
    let rest = parser.finish().unwrap_or_default();
    events.extend(rest.iter().map(|event| event.raw().to_vec()));
    events
}

/// What is read as a leaf is written as the same bytes again.
pub fn record(bytes: &[u8]) {
    if let Ok((seq, record)) = evidence::Record::parse(bytes) {
        assert_eq!(
            record.leaf(seq).ok().as_deref(),
            Some(bytes),
            "a leaf has two spellings"
        );
    }
}

/// What is read as a key has exactly the digest of its text.
pub fn key(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(key) = engine::key::Key::parse(text) {
        assert!(text.starts_with(engine::key::PREFIX));
        assert!(text.contains(key.id().as_str()));
    }
}

/// A line of a log is read the same twice, in every dialect.
pub fn import_line(bytes: &[u8]) {
    use wire::import::{Dialect, elements, parse_line};
    let Ok(line) = std::str::from_utf8(bytes) else {
        return;
    };
    for dialect in [
        Dialect::Plain,
        Dialect::BatchInput,
        Dialect::BatchOutput,
        Dialect::LiteLlm,
        Dialect::Traffic,
    ] {
        assert_eq!(parse_line(dialect, line), parse_line(dialect, line));
    }
    if let Ok(items) = elements(line) {
        assert!(items.iter().all(|item| line.contains(item)));
    }
    let _ = Dialect::detect(line);
}

/// A bundle is judged the same twice; bytes that no key signed are never ok.
pub fn bundle(bytes: &[u8]) {
    use evidence::verify::{Trust, Verdict, verify};
    let trust = Trust {
        key: Some(VKEY),
        ..Trust::default()
    };
    let report = verify(bytes, &trust);
    assert_eq!(report, verify(bytes, &trust));
    assert_ne!(
        report.verdict,
        Verdict::Ok,
        "nobody holds the key of this bundle"
    );
}

/// The key of RFC 8032's first test vector under a name of ours.
const VKEY: &str = "fuzz+5be0b5d5+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

/// A note that nobody signed does not open; keys and steps are read strictly.
pub fn note(bytes: &[u8]) {
    use evidence::checkpoint::{LogKey, Verifier};
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = Verifier::parse(text);
    let key = LogKey::from_seed(&[0x5a; 32], "fuzz").map(|key| key.vkey());
    if let Ok(Ok(verifier)) = key.map(|vkey| Verifier::parse(&vkey)) {
        assert!(verifier.open(text).is_err(), "a note without a signature");
    }
}

/// What is read as a request to a witness is written as the same bytes again, and nobody signed
/// its checkpoint.
pub fn submission(bytes: &[u8]) {
    use evidence::checkpoint::Verifier;
    use evidence::submission::Submission;
    let Ok(read) = Submission::parse(bytes) else {
        return;
    };
    assert_eq!(
        read.to_string().as_bytes(),
        bytes,
        "a request has two spellings"
    );
    if let Ok(verifier) = Verifier::parse(VKEY) {
        assert!(verifier.open_note(&read.note).is_err(), "nobody signed it");
    }
}

/// What is read as a step of a case is written as the same text again.
pub fn step(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(step) = cases::Step::parse(text) {
        assert_eq!(step.canonical(), text, "a step has two spellings");
    }
}

/// What is read as a campaign is written as the same bytes again, and nobody signed the bytes
/// given as a file.
pub fn campaign(bytes: &[u8]) {
    use detection::campaign::Campaign;
    use evidence::checkpoint::Verifier;
    if let Ok(campaign) = Campaign::parse(bytes) {
        assert_eq!(
            campaign.canonical().ok().as_deref(),
            Some(bytes),
            "a campaign has two spellings"
        );
    }
    if let Ok(key) = Verifier::parse(VKEY) {
        let kind = "application/vnd.fairhold.campaign+json";
        let opened = evidence::dsse::open(&key, kind, bytes);
        assert!(opened.is_err(), "nobody holds the key of this file");
    }
}

/// A line of a training corpus: both readers say the same of it.
pub fn corpus_line(bytes: &[u8]) {
    let plain = corpus::line_text_slowly(bytes, &corpus::Text::Usual);
    let quick = corpus::line_text(bytes, &corpus::Text::Usual).map(std::borrow::Cow::into_owned);
    assert_eq!(quick, plain);
}
