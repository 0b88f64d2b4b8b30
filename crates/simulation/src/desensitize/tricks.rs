//! The same letters in disguise.

use crate::random::Random;

/// Another case, other punctuation and spaces, invisible characters, look-alikes: all at once.
pub(super) fn disguised(text: &str, random: &mut Random) -> String {
    let case = random.below(4);
    let mut new = String::with_capacity(text.len() * 2);
    let mut before = ' ';
    for c in text.chars() {
        match c {
            ',' | ';' if random.below(2) == 0 => {}
            '.' | '!' | '?' if random.below(4) == 0 => new.push('…'),
            '\'' => new.push('’'),
            '"' => new.push('“'),
            '-' => new.push('–'),
            ' ' if random.below(10) == 0 => new.push_str("\u{a0} "),
            ' ' if random.below(20) == 0 => new.push('\n'),
            c if c.is_alphabetic() => {
                for letter in cased(c, case, before, random) {
                    new.push(letter_instead(letter, random));
                }
                match random.below(30) {
                    0 => new.push('\u{200b}'),
                    1 => new.push('\u{ad}'),
                    _ => {}
                }
            }
            c => new.push(c),
        }
        before = c;
    }
    new
}

fn cased(c: char, case: usize, before: char, random: &mut Random) -> Vec<char> {
    match case {
        0 => c.to_uppercase().collect(),
        1 => c.to_lowercase().collect(),
        2 if !before.is_alphanumeric() => c.to_uppercase().collect(),
        3 if random.below(2) == 0 => c.to_uppercase().collect(),
        _ => vec![c],
    }
}

/// One letter in twelve becomes a look-alike, one in forty its full-width form.
fn letter_instead(c: char, random: &mut Random) -> char {
    match random.below(40) {
        0 if c.is_ascii_alphabetic() => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
        1..=3 => match c {
            'a' => 'а',
            'c' => 'с',
            'e' => 'е',
            'i' => 'і',
            'o' => 'о',
            'p' => 'р',
            's' => 'ѕ',
            'x' => 'х',
            'A' => 'А',
            'B' => 'В',
            'E' => 'Е',
            'H' => 'Н',
            'K' => 'К',
            'M' => 'М',
            'O' => 'О',
            'T' => 'Т',
            other => other,
        },
        _ => c,
    }
}
