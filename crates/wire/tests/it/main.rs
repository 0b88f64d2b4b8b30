//! The recorded bodies of real upstreams, through the parsers.
//!
//! They are third-party data beside the tree: `FAIRHOLD_DATA`, or
//! `../shared/data` from the repository's root. Without them this fails.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::io::Read;
use std::path::PathBuf;

use facts::Endpoint;
use wire::{Mark, Meter, Parser, Reading, StreamText};

const CHAT: Endpoint = Endpoint::ChatCompletions;

/// (name, bytes) of every recorded file.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let data = std::env::var_os("FAIRHOLD_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = data.join("raw_api/samples.tar.zst");
    let file = std::fs::File::open(&path).unwrap_or_else(|e| {
        panic!(
            "{}: {e}; put the shared data beside the repository or set FAIRHOLD_DATA",
            path.display()
        )
    });
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if entry.header().entry_type().is_file() {
            found.push((name, bytes));
        }
    }
    found
}

fn of_kind(kind: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = recordings();
    all.retain(|(name, _)| name.ends_with(kind));
    assert!(!all.is_empty(), "no recording ends in {kind}");
    all
}

/// The events' bytes and data, and the concatenation of the bytes.
fn parse<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<wire::Event>, Vec<u8>) {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for chunk in chunks {
        parser.push(chunk);
        while let Some(event) = parser.next_event().unwrap() {
            events.push(event);
        }
    }
    events.extend(parser.finish().unwrap());
    let raw = events.iter().flat_map(|e| e.raw().to_vec()).collect();
    (events, raw)
}

#[test]
fn recorded_streams_pass_byte_identical_however_they_are_cut() {
    for (name, bytes) in of_kind("_stream.json") {
        let (whole, raw) = parse(std::iter::once(bytes.as_slice()));
        assert!(raw == bytes, "{name}: bytes changed");
        assert!(whole.len() > 100, "{name}: only {} events", whole.len());
        for size in [1, 2, 3, 7, 64, 1_460, 16_384] {
            let (events, raw) = parse(bytes.chunks(size));
            assert!(raw == bytes, "{name}: bytes changed in chunks of {size}");
            assert!(events == whole, "{name}: other events in chunks of {size}");
        }
        // Every boundary of the stream's both ends, the terminal frame included.
        let head = bytes.get(..4_000).unwrap();
        let tail = bytes.get(bytes.len() - 4_000..).unwrap();
        for part in [head, tail] {
            let (whole, _) = parse(std::iter::once(part));
            for cut in 0..=part.len() {
                let (a, b) = part.split_at(cut);
                let (events, raw) = parse([a, b].into_iter());
                assert!(raw == part && events == whole, "{name}: cut at {cut}");
            }
        }
    }
}

#[test]
fn recorded_streams_with_blank_lines_and_crlf_give_the_same_data() {
    for (name, bytes) in of_kind("_stream.json") {
        let (whole, _) = parse(std::iter::once(bytes.as_slice()));
        let text = String::from_utf8(bytes).unwrap();
        for end in ["\n\n", "\r\n\r\n", "\r\r"] {
            let spaced = text.trim_end().replace('\n', end) + end;
            let (events, raw) = parse(spaced.as_bytes().chunks(1_460));
            assert!(raw == spaced.as_bytes(), "{name}: bytes changed");
            assert!(
                events
                    .iter()
                    .map(wire::Event::data)
                    .eq(whole.iter().map(wire::Event::data))
            );
        }
    }
}

#[test]
fn recorded_streams_end_once_have_text_and_say_nothing_of_usage() {
    for (name, bytes) in of_kind("_stream.json") {
        let (events, _) = parse(std::iter::once(bytes.as_slice()));
        let (mut meter, mut text) = (Meter::new(CHAT), StreamText::new(CHAT));
        for event in &events {
            meter.observe(event);
            text.observe(event);
        }
        let ends = events.iter().filter(|e| e.mark(CHAT) == Mark::End).count();
        assert_eq!(ends, 1, "{name}");
        assert_eq!(events.last().unwrap().mark(CHAT), Mark::End, "{name}");
        // They were recorded without `include_usage`.
        assert_eq!(meter.reading(), Reading::Absent, "{name}");
        assert!(text.text().unwrap().ends_with("ER>"), "{name}");
    }
}

#[test]
fn recorded_answers_have_their_usage_and_text() {
    let mut with_text = 0;
    let all = of_kind("_response.json");
    for (name, bytes) in &all {
        let usage = wire::usage::of_body(CHAT, bytes)
            .usage()
            .unwrap_or_else(|| panic!("{name}: no usage"));
        let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        assert_eq!(
            Some(usage.input_tokens),
            json["usage"]["prompt_tokens"].as_u64(),
            "{name}"
        );
        assert_eq!(
            Some(usage.output_tokens),
            json["usage"]["completion_tokens"].as_u64(),
            "{name}"
        );
        with_text += usize::from(wire::answer_text(CHAT, bytes).is_some());
    }
    assert!(
        with_text * 10 >= all.len() * 9,
        "{with_text} of {} have text",
        all.len()
    );
}

#[test]
fn recorded_requests_are_peeked_and_spliced() {
    for (name, bytes) in of_kind("_request.json") {
        let peek = wire::peek(CHAT, &bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["model"], peek.model.as_str(), "{name}");
        assert!(peek.output_tokens_max.is_some(), "{name}");
        assert!(!wire::conversation(CHAT, &bytes).is_empty(), "{name}");
        let spliced = wire::splice_include_usage(&bytes);
        json["stream_options"] = serde_json::json!({"include_usage": true});
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&spliced).unwrap(),
            json,
            "{name}"
        );
    }
}
