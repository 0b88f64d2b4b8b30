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

/// A tile's path has one spelling, and its bytes are read as what is written so.
pub fn tile(bytes: &[u8]) {
    use verifier::tile::{Tile, TileKind, entries, entry_bundle, hashes};
    if let Some(tile) = std::str::from_utf8(bytes).ok().and_then(Tile::parse) {
        assert_eq!(
            tile.to_string().as_bytes(),
            bytes,
            "a path has two spellings"
        );
        assert_eq!(
            Tile::new(tile.kind(), tile.index(), tile.width()),
            Some(tile)
        );
        assert!(!tile.is_full() || tile.full() == tile);
    }
    // The first byte is the width, the rest the file.
    let (width, file) = match bytes.split_first() {
        Some((width, file)) => (u16::from(*width) + 1, file),
        None => return,
    };
    if let Some(found) = entries(file, width) {
        assert_eq!(found.len(), usize::from(width));
        assert_eq!(
            entry_bundle(found).as_deref(),
            Some(file),
            "a bundle has two spellings"
        );
    }
    if let Some(found) = hashes(file, width) {
        assert_eq!(found.concat(), file);
    }
    // Whatever tiles hold, roots and proofs come out or an error does.
    for size in [1, u64::from(width), 257, 70_000, u64::MAX] {
        let source = |tile: Tile| match tile.kind() {
            TileKind::Hashes(_) => Some(file.to_vec()).ok_or(()),
            TileKind::Entries => Err(()),
        };
        let mut tiles = verifier::tile::Tiles::new(size, source);
        let (root, proof) = (tiles.root(), tiles.inclusion_proof(size / 2));
        if let (Ok(root), Ok(proof), Ok(leaf)) = (root, proof, tiles.leaf(size / 2)) {
            let held = verifier::merkle::verify_inclusion(&leaf, size / 2, size, &proof, &root);
            assert!(held.is_ok(), "tiles prove what they do not hold: {held:?}");
        }
    }
}

/// A policy is read the same twice, and no witness counts who has not signed.
pub fn tlog_policy(bytes: &[u8]) {
    use verifier::policy::Policy;
    let read = Policy::parse(bytes);
    assert_eq!(read, Policy::parse(bytes));
    let Ok(policy) = read else {
        return;
    };
    let note = verifier::checkpoint::Note {
        text: "fuzz\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".to_owned(),
        signatures: Vec::new(),
    };
    assert!(policy.ask(&note).is_err(), "nobody signed it");
    assert_eq!(policy.seen(&note), Ok(Vec::new()));
    assert_eq!(policy.is_enough(&[]), !policy.asks_witnesses());
}

/// What is read as a proof is written as the same text again, and proves nothing under a key that
/// did not sign.
pub fn tlog_proof(bytes: &[u8]) {
    use verifier::checkpoint::Verifier;
    use verifier::proof::TlogProof;
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(proof) = TlogProof::parse(text) else {
        return;
    };
    assert_eq!(proof.to_string(), text, "a proof has two spellings");
    if let Ok(key) = Verifier::parse(VKEY) {
        assert!(proof.verify(b"an entry", &key).is_err(), "nobody signed it");
    }
}

/// A response that holds is the one that the authority gave, to the last bit.
pub fn timestamp(bytes: &[u8]) {
    use verifier::timestamp::{TimestampError, verify};
    let held = verify(bytes, STAMPED, AUTHORITY, b"");
    assert_eq!(held, verify(bytes, STAMPED, AUTHORITY, b""));
    assert!(held.is_err() || bytes == STAMP, "another response holds");
    let untrusted = verify(bytes, STAMPED, b"", AUTHORITY);
    assert!(untrusted.is_err(), "an authority that nobody named");
    if bytes == STAMP {
        assert!(held.is_ok(), "{held:?}");
        assert_eq!(untrusted, Err(TimestampError::Untrusted));
    }
    // Certificates are read from the same hands.
    assert!(verify(STAMP, STAMPED, b"", bytes).is_err());
}

/// A checkpoint, openssl's timestamp over it, and the root of that authority, whose key is gone.
pub const STAMPED: &[u8] = include_bytes!("../seeds/timestamp/checkpoint");
/// The response.
pub const STAMP: &[u8] = include_bytes!("../seeds/timestamp/checkpoint.tsr");
/// The root.
pub const AUTHORITY: &[u8] = include_bytes!("../seeds/timestamp/ca.pem");

/// An envelope that nobody signed does not open.
pub fn dsse(bytes: &[u8]) {
    use verifier::checkpoint::Verifier;
    if let Ok(key) = Verifier::parse(VKEY) {
        let kind = "application/vnd.in-toto+json";
        let opened = verifier::dsse::open(&key, kind, bytes);
        assert!(opened.is_err(), "nobody holds the key of this file");
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
