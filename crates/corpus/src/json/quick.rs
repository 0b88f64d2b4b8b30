//! One pass over a line, every byte checked, only what was asked for copied.
//!
//! Strings are most of a corpus: their ends are looked for with `memchr`, and between escapes
//! they are copied as they are. `None` means "not certain", never "empty".

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Deeper than this `serde_json` decides (it refuses at 128).
const DEPTH: usize = 100;
/// Longer numbers are left to `serde_json`: they may be out of its range.
const DIGITS: usize = 17;

/// The strings of the wanted fields of one object; of a field that stands twice, the last. Not
/// certain: a wanted field that is neither a string nor absent nor null, and anything rare.
pub(super) fn fields<'a>(
    line: &'a str,
    wanted: &[Option<&str>; 6],
) -> Option<[Option<Cow<'a, str>>; 6]> {
    let mut at = Reader { line, at: 0 };
    let mut found = [const { None }; 6];
    at.space();
    at.expect(b'{')?;
    at.space();
    if at.peek()? == b'}' {
        at.at += 1;
    } else {
        loop {
            at.space();
            at.expect(b'"')?;
            let key = at.string()?;
            at.space();
            at.expect(b':')?;
            at.space();
            let from = at.at;
            let mut asked = false;
            for (place, name) in found.iter_mut().zip(wanted) {
                if *name == Some(&*key) {
                    // Two columns may be read from one field. What is no string, a null too, is
                    // rare enough to be decided elsewhere.
                    at.at = from;
                    at.expect(b'"')?;
                    *place = Some(at.string()?);
                    asked = true;
                }
            }
            if !asked {
                at.value(0)?;
            }
            at.space();
            match at.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
    }
    at.space();
    at.done().then_some(found)
}

struct Reader<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn done(&self) -> bool {
        self.at == self.line.len()
    }

    fn rest(&self) -> Option<&'a str> {
        self.line.get(self.at..)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The string whose opening quote was read, unescaped.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest()?;
        let end = memchr2(b'"', b'\\', rest.as_bytes())?;
        let plain = clean(rest.get(..end)?)?;
        self.at += end + 1;
        if rest.as_bytes().get(end) == Some(&b'"') {
            return Some(Cow::Borrowed(plain));
        }
        let close = memchr(b'"', rest.as_bytes().get(end..)?)?;
        let mut text = String::with_capacity(end + close);
        text.push_str(plain);
        text.push(self.escape()?);
        loop {
            let rest = self.rest()?;
            let end = memchr2(b'"', b'\\', rest.as_bytes())?;
            text.push_str(clean(rest.get(..end)?)?);
            self.at += end + 1;
            if rest.as_bytes().get(end) == Some(&b'"') {
                return Some(Cow::Owned(text));
            }
            text.push(self.escape()?);
        }
    }

    /// Steps over the string whose opening quote was read.
    fn skip_string(&mut self) -> Option<()> {
        loop {
            let rest = self.rest()?;
            let end = memchr2(b'"', b'\\', rest.as_bytes())?;
            clean(rest.get(..end)?)?;
            self.at += end + 1;
            if rest.as_bytes().get(end) == Some(&b'"') {
                return Some(());
            }
            self.escape()?;
        }
    }

    /// The character of the escape whose backslash was read.
    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                if (0xD800..0xDC00).contains(&high) {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let low = self.hex()?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return None;
                    }
                    char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?
                } else {
                    char::from_u32(high)?
                }
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let mut value = 0;
        for _ in 0..4 {
            value = value * 16 + char::from(self.next()?).to_digit(16)?;
        }
        Some(value)
    }

    /// Steps over any value.
    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        match self.next()? {
            b'"' => self.skip_string(),
            b't' => self.word("rue"),
            b'f' => self.word("alse"),
            b'n' => self.word("ull"),
            b'[' => self.items(depth, b']'),
            b'{' => self.items(depth, b'}'),
            first @ (b'-' | b'0'..=b'9') => self.number(first),
            _ => None,
        }
    }

    fn word(&mut self, rest: &str) -> Option<()> {
        self.rest()?.starts_with(rest).then_some(())?;
        self.at += rest.len();
        Some(())
    }

    fn items(&mut self, depth: usize, close: u8) -> Option<()> {
        self.space();
        if self.peek()? == close {
            self.at += 1;
            return Some(());
        }
        loop {
            self.space();
            if close == b'}' {
                self.expect(b'"')?;
                self.skip_string()?;
                self.space();
                self.expect(b':')?;
                self.space();
            }
            self.value(depth + 1)?;
            self.space();
            match self.next()? {
                b',' => {}
                byte if byte == close => return Some(()),
                _ => return None,
            }
        }
    }

    /// A plain number; one with an exponent or many digits is left to `serde_json`.
    fn number(&mut self, first: u8) -> Option<()> {
        let from = self.at;
        let first = if first == b'-' { self.next()? } else { first };
        first.is_ascii_digit().then_some(())?;
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.next()?.is_ascii_digit().then_some(())?;
            self.digits();
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        (!exponent && self.at - from <= DIGITS).then_some(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }
}

/// A piece without control characters, which JSON must escape.
fn clean(piece: &str) -> Option<&str> {
    let dirty = piece
        .as_bytes()
        .iter()
        .fold(0_u8, |dirty, byte| dirty | u8::from(*byte < 0x20));
    (dirty == 0).then_some(piece)
}
