//! Asking the upstream for usage on a client's behalf, and hiding the answer.
//!
//! Only `stream_options.include_usage` is changed in the request, in place;
//! every other byte stays. Downstream, only the extra frame is withheld (empty
//! `choices` and a `usage` object). What is left and visible: upstreams that
//! follow `OpenAI` then also put `"usage":null` into the other chunks; those
//! chunks pass byte for byte, since SDKs read a null as an absent member.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::sse::Event;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    stream_options: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Options<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    include_usage: Option<&'a RawValue>,
}

/// A value that is there, `null` included: a key must not be repeated.
fn present<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(json).map(Some)
}

const OPTION: &str = "{\"include_usage\":true}";

/// The body with `stream_options.include_usage` true; borrowed when it was so
/// already, or when the body is not an object [`peek`](crate::peek()) takes.
pub fn splice(body: &[u8]) -> Cow<'_, [u8]> {
    match edit(body) {
        None => Cow::Borrowed(body),
        Some((place, text)) => {
            let before = body.get(..place.start).unwrap_or_default();
            let after = body.get(place.end..).unwrap_or_default();
            Cow::Owned([before, text.as_bytes(), after].concat())
        }
    }
}

/// What to put in place of which bytes.
fn edit(body: &[u8]) -> Option<(Range<usize>, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let read: Body<'_> = serde_json::from_str(text).ok()?;
    let Some(options) = read.stream_options.map(RawValue::get) else {
        return first_member(text, 0, &format!("\"stream_options\":{OPTION}"));
    };
    let at = offset_in(text, options)?;
    if options == "null" {
        return Some((at..at + options.len(), OPTION.to_owned()));
    }
    let read: Options<'_> = serde_json::from_str(options).ok()?;
    match read.include_usage.map(RawValue::get) {
        Some("true") => None,
        Some(value) => {
            let start = offset_in(text, value)?;
            Some((start..start + value.len(), "true".to_owned()))
        }
        None => first_member(text, at, "\"include_usage\":true"),
    }
}

/// Where `part`, borrowed from `whole`, begins in it.
fn offset_in(whole: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (offset + part.len() <= whole.len()).then_some(offset)
}

/// Inserts `member` first into the object that begins at or after `from`.
fn first_member(text: &str, from: usize, member: &str) -> Option<(Range<usize>, String)> {
    let inside = from + text.get(from..)?.find('{')? + 1;
    let empty = text.get(inside..)?.trim_ascii_start().starts_with('}');
    let comma = if empty { "" } else { "," };
    Some((inside..inside, format!("{member}{comma}")))
}

/// Whether the event is the extra usage frame of a chat or text completion,
/// to be withheld from a client that did not ask for it.
pub fn is_usage_frame(event: &Event) -> bool {
    #[derive(Deserialize)]
    struct Chunk {
        choices: Vec<IgnoredAny>,
        usage: Option<IgnoredAny>,
    }
    memchr::memmem::find(event.data(), b"\"usage\"").is_some()
        && serde_json::from_slice::<Chunk>(event.data())
            .is_ok_and(|c| c.choices.is_empty() && c.usage.is_some())
}

#[cfg(test)]
mod tests;
