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
