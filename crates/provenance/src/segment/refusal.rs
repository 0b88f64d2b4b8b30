//! Does an output decline to answer?

/// What refusals of many models begin with, in lower case, with straight apostrophes.
const BEGINNINGS: [&str; 16] = [
    "i'm sorry, but",
    "i am sorry, but",
    "sorry, but i can",
    "sorry, i can",
    "i apologize, but",
    "i'm unable to",
    "i am unable to",
    "i cannot ",
    "i can't ",
    "i won't ",
    "as an ai",
    "i'm not able to",
    "i am not able to",
    "i must decline",
    "很抱歉",
    "抱歉，我",
];

/// A refusal says little else: longer texts that begin like one go on to answer.
const WORDS_MAX: usize = 80;

pub(super) fn is_refusal(text: &str, words: usize) -> bool {
    if words > WORDS_MAX {
        return false;
    }
    let head: String = text
        .trim_start()
        .chars()
        .take(24)
        .map(|c| if c == '’' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect();
    BEGINNINGS.iter().any(|begins| head.starts_with(begins))
}
