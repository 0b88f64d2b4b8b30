//! How is the origin of a text hidden, and is it found all the same?
//!
//! What is done to outputs before they are trained on: copied, pasted into a page, names and
//! numbers exchanged or masked, sentences cut or moved, letters disguised. And the trial that measures
//! the corpus audit on them: [`trial`].

use crate::random::Random;

pub mod measure;
mod names;
pub mod own;
pub mod rows;
pub mod trial;
mod tricks;

/// What is done to an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transform {
    /// Nothing.
    Exact,
    /// Its middle half is pasted into a page by a person.
    HalfPasted,
    /// Names and numbers become others.
    NamesSwapped,
    /// Names and numbers become placeholders, and half of the sentences are cut.
    PlaceholdersHalfCut,
    /// Case, punctuation, white space, invisible characters and look-alikes.
    Tricks,
    /// Its sentences in another order.
    Shuffled,
}

impl Transform {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Exact,
        Self::HalfPasted,
        Self::NamesSwapped,
        Self::PlaceholdersHalfCut,
        Self::Tricks,
        Self::Shuffled,
    ];

    /// As tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::HalfPasted => "half_pasted",
            Self::NamesSwapped => "names_swapped",
            Self::PlaceholdersHalfCut => "placeholders_half_cut",
            Self::Tricks => "tricks",
            Self::Shuffled => "shuffled",
        }
    }

    /// Does it to `text`; `page` is a person's text for what is pasted.
    pub fn apply(self, text: &str, page: &str, random: &mut Random) -> String {
        match self {
            Self::Exact => text.to_owned(),
            Self::HalfPasted => pasted(&middle_half(text), page, random),
            Self::NamesSwapped => names::swapped(text, random),
            Self::PlaceholdersHalfCut => {
                let masked = names::masked(text);
                let sentences = sentences(&masked);
                let mut places: Vec<usize> = (0..sentences.len()).collect();
                random.shuffle(&mut places);
                places.truncate(sentences.len().div_ceil(2));
                places.sort_unstable();
                let kept = places.iter().filter_map(|n| sentences.get(*n).copied());
                kept.collect()
            }
            Self::Tricks => tricks::disguised(text, random),
            Self::Shuffled => {
                let mut sentences = sentences(text);
                random.shuffle(&mut sentences);
                let lines = sentences.iter().map(|s| s.trim_end());
                lines.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// The sentences of a text, with the white space behind each; a line ends one too.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut before = '\0';
    let mut from = 0;
    let mut at = 0;
    for c in text.chars() {
        at += c.len_utf8();
        let wide = matches!(c, '。' | '！' | '？' | '\n');
        let spaced = c.is_whitespace() && matches!(before, '.' | '!' | '?');
        if (wide || spaced)
            && let Some((head, tail)) = rest.split_at_checked(at - from)
        {
            if !head.trim().is_empty() {
                found.push(head);
            }
            rest = tail;
            from = at;
        }
        before = c;
    }
    if !rest.trim().is_empty() {
        found.push(rest);
    }
    found
}

/// The middle half of a text's characters, from white space to white space where there is some.
fn middle_half(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let quarter = chars.len() / 4;
    let half = chars.iter().skip(quarter).take(chars.len() - 2 * quarter);
    let half: String = half.collect();
    let cut = half.find(char::is_whitespace).filter(|at| *at < 40);
    cut.and_then(|at| half.get(at..))
        .unwrap_or(&half)
        .trim_start()
        .to_owned()
}

/// `text` after one of the sentences of `page`.
fn pasted(text: &str, page: &str, random: &mut Random) -> String {
    let around = sentences(page);
    let at = random.below(around.len() + 1);
    let (head, tail) = around.split_at(at.min(around.len()));
    format!("{} {text} {}", head.concat(), tail.concat())
}

#[cfg(test)]
mod tests;
