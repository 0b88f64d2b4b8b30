//! What of a prompt is read, and in which normal form?
//!
//! NFKC, lower case, digit runs masked as one `0`, words separated by one
//! space, punctuation dropped, one token for each ideograph or kana (those
//! scripts put no spaces between words). Long messages are read at their
//! head and tail only, so that cost is bounded and a template's frame weighs
//! more than the document pasted into it.

use unicode_normalization::UnicodeNormalization as _;

/// Characters read at the head and at the tail of a system message.
const SYSTEM: (usize, usize) = (500, 150);
/// The same for the first user message of several.
const FIRST: (usize, usize) = (150, 50);
/// The same for the last (or only) user message.
const LAST: (usize, usize) = (550, 350);

fn ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// Writes tokens one after the other, separated by single spaces.
struct Writer<'a> {
    out: &'a mut String,
    in_word: bool,
    in_number: bool,
}

impl Writer<'_> {
    fn end(&mut self) {
        self.in_word = false;
        self.in_number = false;
    }

    fn begin(&mut self) {
        if !self.in_word && !self.out.is_empty() {
            self.out.push(' ');
        }
        self.in_word = true;
    }

    /// What [`Writer::take`] does, for the letters of most prompts.
    fn take_ascii(&mut self, b: u8) {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' => {
                self.begin();
                self.in_number = false;
                self.out.push(char::from(b.to_ascii_lowercase()));
            }
            b'0'..=b'9' => {
                if !self.in_number {
                    self.begin();
                    self.out.push('0');
                }
                self.in_number = true;
            }
            b'\'' if self.in_word => {}
            _ => self.end(),
        }
    }

    fn take(&mut self, c: char) {
        if ideograph(c) {
            self.end();
            self.begin();
            self.out.push(c);
            self.end();
        } else if c.is_numeric() {
            if !self.in_number {
                self.begin();
                self.out.push('0');
            }
            self.in_number = true;
        } else if c.is_alphabetic() {
            self.begin();
            self.in_number = false;
            self.out.extend(c.to_lowercase());
        } else if c == '\'' && self.in_word {
            // "don't" stays one word, whichever apostrophe was typed.
        } else {
            self.end();
        }
    }
}

/// Appends the tokens of `text` to `out`; what stood there ends a token.
pub(crate) fn append(out: &mut String, text: &str) {
    let mut writer = Writer {
        out,
        in_word: false,
        in_number: false,
    };
    if text.is_ascii() {
        text.bytes().for_each(|b| writer.take_ascii(b));
    } else {
        text.nfkc()
            .map(|c| if c == '\u{2019}' { '\'' } else { c })
            .for_each(|c| writer.take(c));
    }
}

/// The tokens of `text`, separated by single spaces.
pub fn normalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    append(&mut out, text);
    out
}

/// The first and the last characters of `text`; the second part is empty when the first holds all.
fn ends(text: &str, (head, tail): (usize, usize)) -> (&str, &str) {
    if text.len() <= head + tail {
        return (text, "");
    }
    let Some((after_head, _)) = text.char_indices().nth(head) else {
        return (text, "");
    };
    let (front, rest) = text.split_at(after_head);
    match rest.char_indices().rev().nth(tail.saturating_sub(1)) {
        Some((start, _)) if start > 0 => (front, rest.split_at(start).1),
        _ => (text, ""),
    }
}

/// What is read of a conversation, as it was written: heads and tails of messages, and whether
/// the last message begins with this one.
pub(crate) fn read(prompt: &[(String, String)]) -> impl Iterator<Item = (bool, &str)> {
    let user = |(role, _): &(String, String)| role == "user";
    let (first, last) = (prompt.iter().position(user), prompt.iter().rposition(user));
    prompt
        .iter()
        .enumerate()
        .flat_map(move |(n, (role, text))| {
            let (head, tail) = if role == "system" || role == "developer" {
                ends(text, SYSTEM)
            } else if Some(n) == last || (last.is_none() && n + 1 == prompt.len()) {
                ends(text, LAST)
            } else if Some(n) == first {
                ends(text, FIRST)
            } else {
                ("", "")
            };
            let begins = Some(n) == last;
            [(begins, head), (false, tail)]
                .into_iter()
                .filter(|(_, part)| !part.is_empty())
        })
}

/// The normalised pieces of a conversation; no shingle may span two of them.
pub(crate) fn pieces(prompt: &[(String, String)]) -> Vec<String> {
    read(prompt)
        .map(|(_, part)| normalised(part))
        .filter(|piece| !piece.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
