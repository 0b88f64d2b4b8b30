use super::*;
use proptest::prelude::*;

/// (raw, name, data) of every event.
type Flat = Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>;

fn run(chunks: &[&[u8]], limit: usize) -> Result<Flat, SseError> {
    let mut parser = Parser::new(limit);
    let mut events = Vec::new();
    for chunk in chunks {
        parser.push(chunk);
        while let Some(event) = parser.next_event()? {
            events.push(event);
        }
    }
    events.extend(parser.finish()?);
    assert_eq!(parser.pending_bytes(), 0);
    Ok(events
        .iter()
        .map(|e| (e.raw().to_vec(), e.name().to_vec(), e.data().to_vec()))
        .collect())
}

/// A second implementation, line by line over the whole text, written from
/// the standard and the module's leniency and from nothing else.
fn naive(all: &[u8]) -> Flat {
    let mut lines: Vec<(usize, usize, usize)> = Vec::new(); // start, end, next
    let mut at = if all.starts_with(BOM) { 3 } else { 0 };
    while at < all.len() {
        let mut end = at;
        while end < all.len() && all[end] != b'\n' && all[end] != b'\r' {
            end += 1;
        }
        let next = if all[end..].starts_with(b"\r\n") {
            end + 2
        } else {
            (end + 1).min(all.len())
        };
        lines.push((at, end, next));
        at = next;
    }
    let whole = |d: &str| {
        d.trim_ascii() == "[DONE]"
            || (d.trim_ascii().starts_with('{') && d.trim_ascii().ends_with('}'))
    };
    let opens = |d: &str| d.trim_ascii() == "[DONE]" || d.trim_ascii().starts_with('{');
    let latin = |b: &[u8]| b.iter().map(|b| char::from(*b)).collect::<String>();
    let bytes = |s: &str| s.chars().map(|c| c as u8).collect::<Vec<u8>>();
    let (mut out, mut start, mut i, mut first) = (Vec::new(), 0, 0, 0);
    let mut data: Vec<String> = Vec::new();
    let (mut name, mut data_line, mut name_then) = (String::new(), 0, String::new());
    while i < lines.len() {
        let (from, to, next) = lines[i];
        let line = latin(&all[from..to]);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        let restart =
            field == "data" && !data.is_empty() && whole(&data.join("\n")) && opens(value);
        if line.is_empty() || restart {
            let end = if restart { lines[data_line].2 } else { next };
            let named = if restart { &name_then } else { &name };
            out.push((
                all[start..end].to_vec(),
                bytes(named),
                bytes(&data.join("\n")),
            ));
            start = end;
            first = if restart { data_line + 1 } else { i + 1 };
            i = first;
            data.clear();
            name.clear();
            continue;
        }
        if field == "event" {
            name = value.into();
        } else if field == "data" {
            data.push(value.into());
            data_line = i;
            name_then.clone_from(&name);
        }
        i += 1;
    }
    let _ = first;
    if start < all.len() {
        out.push((all[start..].to_vec(), bytes(&name), bytes(&data.join("\n"))));
    }
    out
}

#[track_caller]
fn check(input: &str, expected: &[(&str, &str, &str)]) {
    let expected: Flat = expected
        .iter()
        .map(|(a, b, c)| {
            (
                a.as_bytes().into(),
                b.as_bytes().into(),
                c.as_bytes().into(),
            )
        })
        .collect();
    for cut in 0..=input.len() {
        let (a, b) = input.as_bytes().split_at(cut);
        assert_eq!(run(&[a, b], 1 << 16).unwrap(), expected, "cut at {cut}");
    }
    let single: Vec<&[u8]> = input.as_bytes().chunks(1).collect();
    assert_eq!(run(&single, 1 << 16).unwrap(), expected, "byte by byte");
    assert_eq!(naive(input.as_bytes()), expected, "the naive reading");
}

#[test]
fn an_event_ends_at_a_blank_line() {
    check(
        "data: a\n\ndata: b\n\n",
        &[("data: a\n\n", "", "a"), ("data: b\n\n", "", "b")],
    );
}

#[test]
fn every_line_end_of_the_standard_is_read() {
    check(
        "event: x\r\ndata: a\r\n\r\ndata: b\r\rdata: c\n\n",
        &[
            ("event: x\r\ndata: a\r\n\r\n", "x", "a"),
            ("data: b\r\r", "", "b"),
            ("data: c\n\n", "", "c"),
        ],
    );
}

#[test]
fn data_lines_are_joined_and_one_space_is_dropped() {
    check(
        "data:  {\ndata:\"a\":1}\ndata\n\n",
        &[("data:  {\ndata:\"a\":1}\ndata\n\n", "", " {\n\"a\":1}\n")],
    );
}

#[test]
fn comments_and_the_byte_order_mark_are_kept_in_the_bytes_only() {
    check(
        "\u{feff}: hello\n\n:x\ndata: 1\nid: 7\nretry: 3\n\n",
        &[
            ("\u{feff}: hello\n\n", "", ""),
            (":x\ndata: 1\nid: 7\nretry: 3\n\n", "", "1"),
        ],
    );
}

#[test]
fn a_stream_without_blank_lines_is_cut_before_each_object() {
    check(
        "event: a\ndata: {\"x\":1}\nevent: b\ndata: {\"x\":2}\ndata: [DONE]\n",
        &[
            ("event: a\ndata: {\"x\":1}\n", "a", "{\"x\":1}"),
            ("event: b\ndata: {\"x\":2}\n", "b", "{\"x\":2}"),
            ("data: [DONE]\n", "", "[DONE]"),
        ],
    );
}

#[test]
fn data_that_merely_ends_in_the_word_is_not_cut() {
    let text = "data: x\ndata: [DONE]\ndata: {}\n\n";
    check(text, &[(text, "", "x\n[DONE]\n{}")]);
}

#[test]
fn the_end_of_a_cut_stream_is_given_at_the_finish() {
    check(
        "data: a\n\ndata: b",
        &[("data: a\n\n", "", "a"), ("data: b", "", "b")],
    );
    check("", &[]);
}

#[test]
fn an_event_is_out_as_soon_as_its_blank_line_is_in() {
    let mut parser = Parser::default();
    parser.push(b"data: a\r\n\r\n");
    assert!(parser.next_event().unwrap().is_some());
    assert_eq!(parser.pending_bytes(), 0);
}

#[test]
fn an_event_beyond_the_limit_is_refused_however_it_is_cut() {
    let text = "data: 123456789\n\n";
    let n = text.len();
    for cut in 0..=n {
        let (a, b) = text.as_bytes().split_at(cut);
        assert_eq!(run(&[a, b], n).unwrap().len(), 1);
        assert_eq!(
            run(&[a, b], n - 1),
            Err(SseError::EventTooLarge { limit: n - 1 })
        );
    }
    let mut parser = Parser::new(8);
    parser.push(b"data: endless");
    assert!(parser.next_event().is_err());
    parser.push(b"\n\n");
    assert!(parser.next_event().is_err(), "it stays refused");
}

#[track_caller]
fn mark(endpoint: Endpoint, frame: &str, expected: Mark) {
    let mut parser = Parser::default();
    parser.push(frame.as_bytes());
    assert_eq!(
        parser.next_event().unwrap().unwrap().mark(endpoint),
        expected
    );
}

#[test]
fn terminal_frames_are_known() {
    let chat = Endpoint::ChatCompletions;
    mark(chat, "data: [DONE]\n\n", Mark::End);
    mark(chat, "data:[DONE] \r\n\r\n", Mark::End);
    mark(chat, "data: {\"choices\":[]}\n\n", Mark::Part);
    mark(chat, ": ping\n\n", Mark::Silent);
    mark(
        chat,
        "data: {\"error\":{\"message\":\"x\"}}\n\n",
        Mark::Error,
    );
    mark(
        chat,
        "data: {\"error\":null,\"choices\":[]}\n\n",
        Mark::Part,
    );
    mark(
        chat,
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"error\\\"\"}}]}\n\n",
        Mark::Part,
    );
    let messages = Endpoint::Messages;
    mark(
        messages,
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        Mark::End,
    );
    mark(messages, "data: {\"type\":\"message_stop\"}\n\n", Mark::End);
    mark(messages, "event: message_delta\ndata: {}\n\n", Mark::Part);
    mark(
        messages,
        "event: error\ndata: {\"type\":\"error\"}\n\n",
        Mark::Error,
    );
    let responses = Endpoint::Responses;
    mark(
        responses,
        "event: response.completed\ndata: {}\n\n",
        Mark::End,
    );
    mark(
        responses,
        "event: response.incomplete\ndata: {}\n\n",
        Mark::End,
    );
    mark(
        responses,
        "event: response.failed\ndata: {}\n\n",
        Mark::EndFailed,
    );
    mark(
        responses,
        "data: {\"type\":\"response.completed\"}\n\n",
        Mark::End,
    );
    mark(
        responses,
        "event: response.created\ndata: {}\n\n",
        Mark::Part,
    );
}

/// Text made of the pieces that matter, in any order.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"data",
        b"data:",
        b"data: ",
        b"event: a",
        b":",
        b" ",
        b"{",
        b"}",
        b"{\"a\":1}",
        b"[DONE]",
        BOM,
        b"\xef\xbb",
        b"x",
        b"\xff",
        b"id: 1",
    ];
    let piece = prop::sample::select(pieces);
    proptest::collection::vec(piece, 0..40).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_cutting_gives_what_the_naive_reading_gives(
        text in streams(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut at: Vec<usize> = cuts.iter().map(|c| c.index(text.len() + 1)).collect();
        at.extend([0, text.len()]);
        at.sort_unstable();
        let chunks: Vec<&[u8]> = at.windows(2).map(|w| &text[w[0]..w[1]]).collect();
        let events = run(&chunks, 1 << 20).unwrap();
        let raw: Vec<u8> = events.iter().flat_map(|e| e.0.clone()).collect();
        prop_assert_eq!(&raw, &text, "bytes pass unchanged");
        prop_assert_eq!(events, naive(&text));
    }

    #[test]
    fn random_bytes_pass_unchanged(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let events = run(&text.chunks(7).collect::<Vec<_>>(), 1 << 20).unwrap();
        let raw: Vec<u8> = events.iter().flat_map(|e| e.0.clone()).collect();
        prop_assert_eq!(raw, text);
    }
}

#[test]
fn the_longest_event_of_empty_lines_is_one_event() {
    let lines = EVENT_BYTES_MAX / 6 / 2;
    let text = [b"data:\n".repeat(lines), b"data:{\n".repeat(lines / 2)].concat();
    let events = run(&[&text], EVENT_BYTES_MAX).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].2.len(), lines + lines / 2 * 2 - 1);
}
