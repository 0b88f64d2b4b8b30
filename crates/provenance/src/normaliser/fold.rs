//! What becomes of one character?

use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::Place;

/// What one character becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folded {
    /// It never was there: marks, soft hyphens, zero-width and direction characters.
    Dropped,
    /// It ends a word.
    Separator,
    /// It is a word alone.
    Alone(char),
    /// It is part of a word.
    Letters(Letters),
}

/// At most eighteen letters (the longest compatibility decomposition), nearly always one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letters {
    letters: [char; 18],
    count: usize,
}

impl Letters {
    const NONE: Self = Self {
        letters: ['\0'; 18],
        count: 0,
    };

    pub(super) fn iter(&self) -> impl Iterator<Item = char> + '_ {
        self.letters.iter().take(self.count).copied()
    }

    fn push(&mut self, c: char) {
        if let Some(place) = self.letters.get_mut(self.count) {
            *place = c;
            self.count += 1;
        }
    }
}

/// What `c` becomes. One letter of the first plane is answered from a table made at the first call.
pub(super) fn fold(c: char) -> Folded {
    match table().get(c as usize).copied() {
        Some(SEPARATOR) => Folded::Separator,
        Some(DROPPED) => Folded::Dropped,
        Some(SEVERAL) | None => folded(c),
        Some(one) => {
            let c = char::from_u32(one & 0x00ff_ffff).unwrap_or('\0');
            if one & ALONE == 0 {
                let mut letters = Letters::NONE;
                letters.push(c);
                Folded::Letters(letters)
            } else {
                Folded::Alone(c)
            }
        }
    }
}

/// What `c` becomes, if it is a word alone and of the first plane, where nearly all of them are.
#[inline]
pub(super) fn alone(c: char) -> Option<char> {
    let one = table().get(c as usize).copied()?;
    if one & ALONE == 0 {
        return None;
    }
    char::from_u32(one & 0x00ff_ffff)
}

fn table() -> &'static [u32] {
    static TABLE: OnceLock<Vec<u32>> = OnceLock::new();
    TABLE.get_or_init(|| {
        (0..0x1_0000_u32)
            .map(|u| char::from_u32(u).map_or(SEPARATOR, |c| packed(folded(c))))
            .collect()
    })
}

/// What `c` does to the word before it, without what it becomes.
pub(super) fn place(c: char) -> Place {
    match table().get(c as usize).copied() {
        Some(SEPARATOR) => Place::Separator,
        Some(DROPPED) => Place::Dropped,
        Some(one) if one != SEVERAL && one & ALONE != 0 => Place::Alone,
        Some(_) => Place::Letter,
        None => match folded(c) {
            Folded::Dropped => Place::Dropped,
            Folded::Separator => Place::Separator,
            Folded::Alone(_) => Place::Alone,
            Folded::Letters(_) => Place::Letter,
        },
    }
}

const SEPARATOR: u32 = 0;
const DROPPED: u32 = 1;
const SEVERAL: u32 = 2;
const ALONE: u32 = 1 << 24;

fn packed(folded: Folded) -> u32 {
    match folded {
        Folded::Separator => SEPARATOR,
        Folded::Dropped => DROPPED,
        Folded::Alone(c) => ALONE | u32::from(c),
        Folded::Letters(letters) if letters.count == 1 => {
            letters.iter().next().map_or(SEVERAL, u32::from)
        }
        Folded::Letters(_) => SEVERAL,
    }
}

/// The rules themselves.
fn folded(c: char) -> Folded {
    if invisible(c) {
        return Folded::Dropped;
    }
    let mut letters = Letters::NONE;
    let (mut marks, mut others) = (0, 0);
    let cased = std::iter::once(c)
        .nfkd()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkd();
    for c in cased {
        if is_combining_mark(c) || invisible(c) {
            marks += 1;
        } else if c.is_alphanumeric() && !modifier(c) {
            letters.push(look_alike(c));
        } else {
            others += 1;
        }
    }
    match (letters.count, letters.iter().next()) {
        (0, _) if marks > 0 && others == 0 => Folded::Dropped,
        (0, _) | (_, None) => Folded::Separator,
        (1, Some(one)) if without_spaces(one) => Folded::Alone(one),
        _ => Folded::Letters(letters),
    }
}

/// Format characters (category Cf), fillers and variation selectors that print nothing.
fn invisible(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
        | 0xFEFF | 0xFFA0 | 0xFFF9..=0xFFFB | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// Letter-like apostrophes and modifiers: they separate, as apostrophes do.
fn modifier(c: char) -> bool {
    matches!(u32::from(c), 0x02B9..=0x02DF | 0xA788 | 0xA78B..=0xA78C)
}

/// Scripts written without spaces: Han, kana, bopomofo, Thai, Lao, Tibetan, Burmese, Khmer.
fn without_spaces(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x0F00..=0x0FFF | 0x1000..=0x109F | 0x1780..=0x17FF
        | 0x2E80..=0x2FDF | 0x3005..=0x3007 | 0x3040..=0x312F | 0x31A0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// Cyrillic, Greek and other letters that print as a Latin one, which spelling tricks use. All
/// texts are folded alike, so that a Russian text still equals itself.
fn look_alike(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'ь' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'ɡ' => 'g',
        'н' | 'һ' | 'հ' | 'η' => 'h',
        'і' | 'ι' | 'ı' | 'ɩ' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' | 'μ' => 'm',
        'п' | 'ո' => 'n',
        'о' | 'ο' | 'օ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ѡ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'ζ' | 'ᴢ' => 'z',
        other => other,
    }
}
