//! A source file with its comments and literals blanked out, line for line.

/// Replaces what stands in comments, strings and character literals by
/// spaces; keeps every line break, so that line numbers stay true.
pub(super) fn scrub(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end > at {
            out.extend(
                chars
                    .get(at..end)
                    .unwrap_or_default()
                    .iter()
                    .copied()
                    .map(blank),
            );
            at = end;
        } else {
            out.extend(chars.get(at));
            at += 1;
        }
    }
    out
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

/// Where the comment or literal that starts at `at` ends; `at` if none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let c = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    match c(0) {
        '/' if c(1) == '/' => find(chars, at, |i| chars.get(i) == Some(&'\n')),
        '/' if c(1) == '*' => block_comment_end(chars, at),
        '"' => string_end(chars, at),
        'r' if matches!(c(1), '"' | '#') && !word(chars, at) => {
            raw_end(chars, at + 1).unwrap_or(at)
        }
        'b' if c(1) == 'r' && !word(chars, at) => raw_end(chars, at + 2).unwrap_or(at),
        '\'' if c(1) == '\\' => find(chars, at + 3, |i| chars.get(i) == Some(&'\'')) + 1,
        '\'' if c(2) == '\'' => at + 3,
        _ => at,
    }
}

/// Whether the character before `at` belongs to a word.
fn word(chars: &[char], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|i| chars.get(i))
        .is_some_and(|c| c.is_alphanumeric() || *c == '_')
}

fn find(chars: &[char], from: usize, is_end: impl Fn(usize) -> bool) -> usize {
    (from..chars.len())
        .find(|i| is_end(*i))
        .unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut i = at;
    while i < chars.len() {
        match (chars.get(i), chars.get(i + 1)) {
            (Some('/'), Some('*')) => (depth, i) = (depth + 1, i + 2),
            (Some('*'), Some('/')) => {
                (depth, i) = (depth.saturating_sub(1), i + 2);
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while let Some(c) = chars.get(i) {
        match c {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// The end of a raw string whose hashes (if any) start at `at`.
fn raw_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars.get(at..)?.iter().take_while(|c| **c == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    let closes = |i: usize| {
        chars.get(i) == Some(&'"')
            && chars
                .get(i + 1..i + 1 + hashes)
                .is_some_and(|h| h.iter().all(|c| *c == '#'))
    };
    Some((find(chars, at + hashes + 1, closes) + 1 + hashes).min(chars.len()))
}
