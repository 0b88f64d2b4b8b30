//! The shape of a text before it is normalised, read in one pass.

use super::{Counts, Cue, bump};

/// Counts what words do not show.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact about the characters so far"
)]
pub(crate) struct Shape {
    /// Nothing but blanks since the line began.
    fresh: bool,
    /// Characters since the line began.
    column: usize,
    /// Words since the line began.
    words: usize,
    /// The line began with digits, and nothing else came so far.
    numbered: bool,
    was_space: bool,
    was_digit: bool,
    /// Length of the run of capitals that ends here.
    capitals: usize,
    /// The last character that is no blank, and the one before it.
    last: (char, char),
}

/// The longest label of a line, in characters and words.
const LABEL: (usize, usize) = (40, 5);

impl Shape {
    pub(crate) fn new() -> Self {
        Self {
            fresh: true,
            column: 0,
            words: 0,
            numbered: false,
            was_space: true,
            was_digit: false,
            capitals: 0,
            last: (' ', ' '),
        }
    }

    /// Takes the next character.
    pub(crate) fn take(&mut self, c: char, counts: &mut Counts) {
        if c == '\n' {
            bump(counts, Cue::Lines);
            *self = Self {
                last: self.last,
                ..Self::new()
            };
            return;
        }
        self.line(c, counts);
        self.mark(c, counts);
        if c.is_whitespace() {
            self.was_space = true;
        } else {
            if self.was_space {
                self.words += 1;
            }
            self.was_space = false;
            self.last = (c, self.last.0);
            self.fresh = false;
        }
        self.column += 1;
    }

    fn line(&mut self, c: char, counts: &mut Counts) {
        if self.fresh {
            match c {
                '-' | '*' | '•' | '·' => bump(counts, Cue::BulletLines),
                '#' | '=' => bump(counts, Cue::Dividers),
                _ => {}
            }
            self.numbered = c.is_ascii_digit();
        } else if self.numbered && !c.is_ascii_digit() {
            if matches!(c, '.' | ')' | ':' | '、' | '．') {
                bump(counts, Cue::NumberedLines);
            }
            self.numbered = false;
        }
        let label = self.column > 0 && self.column <= LABEL.0 && self.words <= LABEL.1;
        if matches!(c, ':' | '：') && label {
            bump(counts, Cue::LabelLines);
            // One label a line.
            self.column = LABEL.0 + 1;
        }
    }

    fn mark(&mut self, c: char, counts: &mut Counts) {
        match c {
            '[' | '<' | '【' | '《' => bump(counts, Cue::Slots),
            '{' | '}' | ';' => bump(counts, Cue::Punctuated),
            '?' | '？' => bump(counts, Cue::QuestionMarks),
            '"' | '“' | '「' => bump(counts, Cue::Quotes),
            _ => {}
        }
        let digit = c.is_ascii_digit();
        if digit && !self.was_digit {
            bump(counts, Cue::Numbers);
        }
        self.was_digit = digit;
        if c.is_uppercase() {
            self.capitals += 1;
            if self.capitals == 3 {
                bump(counts, Cue::Capitals);
            }
        } else {
            self.capitals = 0;
        }
    }

    /// The text is over.
    pub(crate) fn end(&self, counts: &mut Counts) {
        let open = match self.last {
            (':' | '：', _) => true,
            ('.', before) => before.is_ascii_digit(),
            _ => false,
        };
        if open {
            bump(counts, Cue::OpenEnd);
        }
    }
}
