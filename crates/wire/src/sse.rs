//! Server-sent events, read as they arrive.
//!
//! A push parser: bytes go in as the socket gives them, events come out with
//! the exact bytes they were made of. Concatenating [`Event::raw`] of every
//! event, the one of [`Parser::finish`] included, gives back the stream byte
//! for byte however it was cut into chunks.
//!
//! # Source
//! WHATWG HTML, 9.2.6 "Interpreting an event stream": LF, CR and CRLF end a
//! line, a blank line ends an event, one byte-order mark may lead, lines that
//! begin with a colon are comments.
//!
//! # One leniency
//! Some upstreams and recorders drop the blank lines, so that the whole stream
//! is one event to the letter. A `data` line that opens a JSON object or is
//! `[DONE]`, after data that is a whole object or `[DONE]`, starts an event of
//! its own here: the two joined could never be JSON. Such an event is known to
//! have ended only when the next one begins.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use facts::Endpoint;

/// The size beyond which an event is refused, unless another is chosen.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One event, with the bytes it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    raw: Bytes,
    name: Range<usize>,
    data: Bytes,
}

/// What an event means for the end of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A comment or a blank: no data.
    Silent,
    /// Part of the answer.
    Part,
    /// The terminal frame: after it the client believes it has everything.
    End,
    /// The terminal frame of an answer that failed or was cut by its own limit
    /// (`response.failed`).
    EndFailed,
    /// The upstream reports an error inside the stream.
    Error,
}

impl Event {
    /// The exact bytes, line ends and comments included.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The event's name (`event:`), empty when it has none.
    pub fn name(&self) -> &[u8] {
        self.raw.get(self.name.clone()).unwrap_or_default()
    }

    /// The data lines joined by a line feed, empty when there are none.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// What this event means for the end of a stream of `endpoint`.
    pub fn mark(&self, endpoint: Endpoint) -> Mark {
        let data = self.data.trim_ascii();
        if data.is_empty() {
            return Mark::Silent;
        }
        match endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Embeddings => {
                openai_mark(self.name(), data)
            }
            Endpoint::Responses => match self.kind().as_ref() {
                b"response.completed" | b"response.incomplete" => Mark::End,
                b"response.failed" => Mark::EndFailed,
                b"error" => Mark::Error,
                _ if data == b"[DONE]" => Mark::End,
                _ => Mark::Part,
            },
            Endpoint::Messages => match self.kind().as_ref() {
                b"message_stop" => Mark::End,
                b"error" => Mark::Error,
                _ => Mark::Part,
            },
        }
    }

    /// The event's name, or the `type` inside its data when it has no name.
    fn kind(&self) -> std::borrow::Cow<'_, [u8]> {
        #[derive(serde::Deserialize)]
        struct Kind {
            r#type: Option<String>,
        }
        if !self.name().is_empty() {
            return self.name().into();
        }
        let kind = serde_json::from_slice::<Kind>(&self.data).ok();
        kind.and_then(|k| k.r#type)
            .unwrap_or_default()
            .into_bytes()
            .into()
    }
}

fn openai_mark(name: &[u8], data: &[u8]) -> Mark {
    #[derive(serde::Deserialize)]
    struct Failure {
        error: Option<serde::de::IgnoredAny>,
    }
    if data == b"[DONE]" {
        return Mark::End;
    }
    // The search is the cheap gate: most chunks never reach the parse.
    let failed = name == b"error"
        || (memchr::memmem::find(data, b"\"error\"").is_some()
            && serde_json::from_slice::<Failure>(data).is_ok_and(|f| f.error.is_some()));
    if failed { Mark::Error } else { Mark::Part }
}

/// Why a stream cannot be read further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SseError {
    /// One event is larger than allowed.
    EventTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl std::fmt::Display for SseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EventTooLarge { limit } => write!(
                f,
                "an event of the stream exceeds {limit} bytes; raise the event limit if the upstream is right"
            ),
        }
    }
}

impl std::error::Error for SseError {}

/// Reads a stream chunk by chunk; one per stream.
#[derive(Debug)]
pub struct Parser {
    buffer: BytesMut,
    /// Start of the line being read.
    line: usize,
    /// How far line ends were looked for; at least `line`.
    scanned: usize,
    open: Pending,
    at_start: bool,
    limit: usize,
    failed: Option<SseError>,
}

/// The event being read; offsets into the buffer.
#[derive(Debug, Default)]
struct Pending {
    name: Range<usize>,
    data: Option<Range<usize>>,
    /// The data once there is more than one line of it.
    joined: Option<Vec<u8>>,
    /// First and last byte of the data that is not white space, and whether
    /// the data is `[DONE]`: kept line by line, so that a long event costs its
    /// length once.
    ends: Option<(u8, u8)>,
    done: bool,
    /// End of the last data line with its line end, and the name known by then.
    after_data: usize,
    name_at_data: Range<usize>,
}

enum Line {
    Field,
    Blank,
    /// The line begins another event (see the module's leniency).
    StartsAnother,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(EVENT_BYTES_MAX)
    }
}

impl Parser {
    /// A parser that refuses events of more than `event_bytes_max` bytes.
    pub fn new(event_bytes_max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            line: 0,
            scanned: 0,
            open: Pending::default(),
            at_start: true,
            limit: event_bytes_max,
            failed: None,
        }
    }

    /// Takes the next bytes of the stream. Call [`Parser::next_event`] until it
    /// gives nothing, then push again: that keeps memory at one chunk and one
    /// event.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole event, or nothing until more bytes come.
    ///
    /// # Errors
    /// [`SseError::EventTooLarge`], from then on always.
    pub fn next_event(&mut self) -> Result<Option<Event>, SseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.past_bom(false) {
            return Ok(None);
        }
        while let Some((line, next)) = self.next_line(false) {
            if let Some(event) = self.take_line(line, next) {
                return self.checked(event).map(Some);
            }
        }
        if self.buffer.len() > self.limit {
            return Err(self.fail());
        }
        Ok(None)
    }

    /// Ends the stream: what is left, in order. Usually nothing; the last
    /// event of a stream that lacks its closing blank line otherwise.
    ///
    /// # Errors
    /// [`SseError::EventTooLarge`] as for [`Parser::next_event`].
    pub fn finish(&mut self) -> Result<Vec<Event>, SseError> {
        let mut rest = Vec::new();
        while let Some(event) = self.next_event()? {
            rest.push(event);
        }
        self.past_bom(true);
        while let Some((line, next)) = self.next_line(true) {
            if let Some(event) = self.take_line(line, next) {
                rest.push(self.checked(event)?);
            }
        }
        if !self.buffer.is_empty() {
            let event = self.cut(self.buffer.len());
            rest.push(self.checked(event)?);
        }
        Ok(rest)
    }

    /// Bytes held back because their event has not ended.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len()
    }

    fn fail(&mut self) -> SseError {
        let error = SseError::EventTooLarge { limit: self.limit };
        self.failed = Some(error);
        error
    }

    fn checked(&mut self, event: Event) -> Result<Event, SseError> {
        if event.raw.len() > self.limit {
            return Err(self.fail());
        }
        Ok(event)
    }

    /// Skips a leading byte-order mark; false while it cannot be told.
    fn past_bom(&mut self, ended: bool) -> bool {
        if self.at_start {
            if self.buffer.len() < BOM.len() && BOM.starts_with(&self.buffer) && !ended {
                return false;
            }
            if self.buffer.starts_with(BOM) {
                self.line = BOM.len();
                self.scanned = BOM.len();
            }
            self.at_start = false;
        }
        true
    }

    /// The next line without its end, and where the one after it begins.
    /// A CR at the end of what has arrived waits for the byte after it: it may
    /// be half of a CRLF.
    fn next_line(&mut self, ended: bool) -> Option<(Range<usize>, usize)> {
        let unread = self.buffer.get(self.scanned..)?;
        let Some(at) = memchr::memchr2(b'\n', b'\r', unread) else {
            self.scanned = self.buffer.len();
            let rest = self.line..self.buffer.len();
            return (ended && !rest.is_empty()).then(|| (rest.clone(), rest.end));
        };
        let end = self.scanned + at;
        self.scanned = end;
        let next = match (self.buffer.get(end), self.buffer.get(end + 1)) {
            (Some(b'\n'), _) => end + 1,
            (_, Some(b'\n')) => end + 2,
            (_, None) if !ended => return None,
            _ => end + 1,
        };
        Some((self.line..end, next))
    }

    /// Reads one line; gives the event that it ends, if it ends one.
    fn take_line(&mut self, line: Range<usize>, next: usize) -> Option<Event> {
        let text = self.buffer.get(line.clone()).unwrap_or_default();
        match self.open.read(text, &line, next, &self.buffer) {
            Line::Field => {
                self.line = next;
                self.scanned = next;
                None
            }
            Line::Blank => Some(self.cut(next)),
            Line::StartsAnother => {
                self.open.name = self.open.name_at_data.clone();
                Some(self.cut(self.open.after_data))
            }
        }
    }

    /// Takes the first `end` bytes as an event.
    fn cut(&mut self, end: usize) -> Event {
        let raw = self.buffer.split_to(end).freeze();
        let open = std::mem::take(&mut self.open);
        self.line = 0;
        self.scanned = 0;
        let data = match (open.joined, open.data) {
            (Some(joined), _) => joined.into(),
            (None, Some(range)) => raw.slice(range),
            (None, None) => Bytes::new(),
        };
        Event {
            raw,
            name: open.name,
            data,
        }
    }
}

impl Pending {
    fn read(&mut self, text: &[u8], line: &Range<usize>, next: usize, buffer: &[u8]) -> Line {
        if text.is_empty() {
            return Line::Blank;
        }
        let colon = memchr::memchr(b':', text).unwrap_or(text.len());
        let (field, value) = text.split_at(colon);
        let lead = match value {
            [b':', b' ', ..] => 2,
            [b':', ..] => 1,
            _ => 0,
        };
        let value = value.get(lead..).unwrap_or_default();
        let range = line.end - value.len()..line.end;
        match field {
            b"event" => self.name = range,
            b"data" => {
                if self.has_whole_data() && opens_data(value) {
                    return Line::StartsAnother;
                }
                self.add_data(range, value, buffer);
                self.after_data = next;
                self.name_at_data = self.name.clone();
            }
            _ => {}
        }
        Line::Field
    }

    fn add_data(&mut self, range: Range<usize>, value: &[u8], buffer: &[u8]) {
        let text = value.trim_ascii();
        if let (Some(first), Some(last)) = (text.first(), text.last()) {
            self.done = self.ends.is_none() && text == b"[DONE]";
            self.ends = Some((self.ends.map_or(*first, |e| e.0), *last));
        }
        match (&mut self.joined, &self.data) {
            (Some(joined), _) => {
                joined.push(b'\n');
                joined.extend_from_slice(value);
            }
            (None, Some(first)) => {
                let first = buffer.get(first.clone()).unwrap_or_default();
                self.joined = Some([first, b"\n", value].concat());
            }
            (None, None) => self.data = Some(range),
        }
    }

    fn has_whole_data(&self) -> bool {
        self.done || self.ends == Some((b'{', b'}'))
    }
}

fn opens_data(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    value == b"[DONE]" || value.starts_with(b"{")
}

#[cfg(test)]
mod tests;
