//! What a source file may hold.

use super::Fault;
use super::scrub::scrub;

/// The longest file (STYLE: one mechanism per file).
const FILE_LINES_MAX: usize = 600;
/// The longest function, signature and closing brace included.
const FUNCTION_LINES_MAX: usize = 70;

/// What no file may hold: memory that grows with a slow reader.
const NOWHERE: &[(&str, &str)] = &[
    (
        "unbounded_channel",
        "bound the channel: its memory grows with the slowest reader",
    ),
    (
        "mpsc::unbounded",
        "bound the channel: its memory grows with the slowest reader",
    ),
];

/// What no file below the line may hold.
const NOT_BELOW_THE_LINE: &[&str] = &[
    "std::time::SystemTime",
    "SystemTime::now",
    "Instant::now",
    "std::time::Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "File::open",
    "getrandom",
    "rand::",
    "OsRng",
    "tokio",
];

/// Every rule that this file breaks.
pub(super) fn faults(place: &str, text: &str, below_the_line: bool) -> Vec<Fault> {
    let scrubbed = scrub(text);
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        faults.push(Fault {
            place: place.to_owned(),
            what: format!("{lines} lines, at most {FILE_LINES_MAX}: split it by mechanism"),
        });
    }
    for (number, line) in scrubbed.lines().enumerate() {
        for what in line_faults(line, below_the_line) {
            faults.push(Fault {
                place: format!("{place}:{}", number + 1),
                what,
            });
        }
    }
    for (number, name, length) in functions(&scrubbed) {
        if length > FUNCTION_LINES_MAX {
            faults.push(Fault {
                place: format!("{place}:{number}"),
                what: format!(
                    "`{name}` has {length} lines, at most {FUNCTION_LINES_MAX}: keep the control flow, move the leaves out"
                ),
            });
        }
    }
    faults
}

fn line_faults(line: &str, below_the_line: bool) -> Vec<String> {
    let mut found: Vec<String> = NOWHERE
        .iter()
        .filter(|(word, _)| names(line, word))
        .map(|(word, why)| format!("`{word}`: {why}"))
        .collect();
    if below_the_line {
        found.extend(
            NOT_BELOW_THE_LINE
                .iter()
                .filter(|word| names(line, word))
                .take(1)
                .map(|word| format!("`{word}` below the line: take the value as an argument")),
        );
    }
    found
}

/// Whether `line` names `word` as a word of its own, not inside a longer one.
fn names(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|s| s.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|s| s.chars().next());
        !before.is_some_and(is_word) && (word.ends_with(':') || !after.is_some_and(is_word))
    })
}

/// Each function with a body: its first line, its name and its length.
fn functions(scrubbed: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = scrubbed.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some(name) = function_name(line)
            && let Some(length) = body_length(lines.get(number..).unwrap_or_default())
        {
            found.push((number + 1, name, length));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    words
        .by_ref()
        .take_while(|w| !w.contains(['(', '{', ';', '=']))
        .find(|w| *w == "fn")?;
    let name = line.split_once("fn ")?.1;
    let name: String = name
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!name.is_empty()).then_some(name)
}

/// Lines from the first one to the brace that closes the first opened one;
/// none when a `;` ends the signature first (a trait's method).
fn body_length(lines: &[&str]) -> Option<usize> {
    let (mut depth, mut round) = (0_i64, 0_i64);
    for (number, line) in lines.iter().enumerate() {
        for c in line.chars() {
            match c {
                '(' | '[' => round += 1,
                ')' | ']' => round -= 1,
                ';' if depth == 0 && round == 0 => return None,
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(number + 1);
                    }
                }
                _ => {}
            }
        }
    }
    None
}
