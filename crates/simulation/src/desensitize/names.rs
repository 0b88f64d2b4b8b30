//! Names and numbers: other ones, or none.

use std::collections::{HashMap, HashSet};

use crate::random::Random;

/// Names for names: ours, of several kinds.
const NAMES: [&str; 32] = [
    "Aldous", "Brenna", "Corvin", "Delphine", "Edmund", "Fiorella", "Gunnar", "Henrike", "Isolde",
    "Jorgen", "Katrin", "Leopold", "Mirela", "Nestor", "Ottilie", "Petra", "Quentin", "Rosalind",
    "Sverre", "Tamsin", "Ulrich", "Viveka", "Wendel", "Xenia", "Yorick", "Zelda", "Halmstad",
    "Oberwald", "Trevano", "Kirkby", "Montclar", "Vesterby",
];

/// A piece of a text: a word of letters and digits, or what stands between.
enum Piece<'a> {
    Word(&'a str),
    Between(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = first.is_alphanumeric();
        let length = rest
            .find(|c: char| c.is_alphanumeric() != word)
            .unwrap_or(rest.len());
        let Some((head, tail)) = rest.split_at_checked(length) else {
            break;
        };
        found.push(if word {
            Piece::Word(head)
        } else {
            Piece::Between(head)
        });
        rest = tail;
    }
    found
}

/// Words that are capitalised inside a sentence: what an ordinary script takes for names.
fn names_of(pieces: &[Piece<'_>]) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut begins = true;
    for piece in pieces {
        match piece {
            Piece::Between(between) => {
                begins |=
                    between.contains(|c: char| !(c == ' ' || c == ',' || c == '-' || c == '\''));
            }
            Piece::Word(word) => {
                let mut chars = word.chars();
                let capital = chars.next().is_some_and(char::is_uppercase);
                let long = chars.next().is_some();
                if capital && long && !begins {
                    names.insert((*word).to_owned());
                }
                begins = false;
            }
        }
    }
    names
}

fn number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit())
}

/// Every name and number exchanged for another, the same for the same.
pub(super) fn swapped(text: &str, random: &mut Random) -> String {
    let pieces = pieces(text);
    let names = names_of(&pieces);
    let mut instead: HashMap<&str, String> = HashMap::new();
    let mut new = String::with_capacity(text.len());
    for piece in &pieces {
        match piece {
            Piece::Word(word) if number(word) => {
                let other = instead.entry(word).or_insert_with(|| {
                    let digit =
                        |_| char::from_digit(u32::try_from(random.below(9)).unwrap_or(0) + 1, 10);
                    (0..word.len()).filter_map(digit).collect()
                });
                new.push_str(other);
            }
            Piece::Word(word) if names.contains(*word) => {
                let other = instead
                    .entry(word)
                    .or_insert_with(|| random.pick(&NAMES).to_owned());
                new.push_str(other);
            }
            Piece::Word(same) | Piece::Between(same) => new.push_str(same),
        }
    }
    new
}

/// Every name and number masked.
pub(super) fn masked(text: &str) -> String {
    let pieces = pieces(text);
    let names = names_of(&pieces);
    let mut new = String::with_capacity(text.len());
    for piece in &pieces {
        match piece {
            Piece::Word(word) if number(word) => new.push_str("[NUMBER]"),
            Piece::Word(word) if names.contains(*word) => new.push_str("[NAME]"),
            Piece::Word(same) | Piece::Between(same) => new.push_str(same),
        }
    }
    new
}
