//! Template files: sections of text with words in braces.

use std::collections::BTreeMap;
use std::fmt;

/// A language that statements are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese, simplified.
    Chinese,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// ISO 639-1.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// The file of its words.
    pub fn file(self) -> &'static str {
        match self {
            Self::English => include_str!("../../statements/en.txt"),
            Self::Chinese => include_str!("../../statements/zh.txt"),
        }
    }

    /// Its template. The shipped files are well-formed: a test says so.
    pub(crate) fn template(self) -> Template {
        Template::parse(self.file()).unwrap_or_default()
    }
}

/// Every section, with the words that it must name and may name no others.
const SECTIONS: [(&str, &[&str]); 20] = [
    (
        "restriction",
        &[
            "case",
            "accounts",
            "measure",
            "from",
            "duration",
            "facts",
            "reason",
            "exculpatory",
            "detection",
            "decision",
            "clause",
            "redress",
        ],
    ),
    (
        "notice",
        &[
            "case",
            "accounts",
            "facts",
            "exculpatory",
            "under",
            "metric",
            "due",
            "declaration",
            "termination",
            "detection",
            "undecided",
            "clause",
            "answer",
        ],
    ),
    (
        "observation",
        &[
            "case",
            "accounts",
            "facts",
            "exculpatory",
            "detection",
            "undecided",
            "clause",
            "answer",
        ],
    ),
    ("measure.throttle", &["limits"]),
    ("measure.mark", &[]),
    ("measure.suspend", &[]),
    ("measure.terminate", &[]),
    ("limits.requests", &["number"]),
    ("limits.tokens", &["number"]),
    ("limits.and", &[]),
    ("duration.until", &["until"]),
    ("duration.open", &[]),
    ("duration.forever", &[]),
    ("detection.automated", &[]),
    ("detection.manual", &[]),
    ("decision.two", &[]),
    ("decision.emergency", &[]),
    ("undecided", &[]),
    ("answer", &[]),
    ("redress", &["appeal_until"]),
];

/// Sections that only choose between two texts.
const CHOICES: [&str; 2] = ["declaration.asked", "declaration.none"];

/// Why a file is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// Text before the first section.
    Outside {
        /// The line, from 1.
        line: usize,
    },
    /// A section that no statement uses, or one that is there twice.
    Section {
        /// Its name.
        name: String,
    },
    /// A section that is missing or empty.
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// The section's words in braces are not the ones it needs.
    Words {
        /// The section.
        name: &'static str,
        /// The word that is missing or unknown.
        word: String,
    },
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside { line } => {
                write!(
                    f,
                    "line {line} stands before the first section: begin with `[restriction]`"
                )
            }
            Self::Section { name } => write!(f, "section `{name}` is unknown or there twice"),
            Self::Missing { name } => write!(f, "section `{name}` is missing: write it"),
            Self::Words { name, word } => {
                write!(f, "section `{name}` lacks `{{{word}}}` or does not know it")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

/// A language's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    sections: BTreeMap<String, String>,
}

impl Template {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`TemplateError`] naming the section that is wrong.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut sections: BTreeMap<String, String> = BTreeMap::new();
        let mut current: Option<String> = None;
        for (n, line) in text.lines().enumerate() {
            let name = line.strip_prefix('[').and_then(|l| l.strip_suffix(']'));
            if let Some(name) = name {
                if sections.insert(name.to_owned(), String::new()).is_some() {
                    let name = name.to_owned();
                    return Err(TemplateError::Section { name });
                }
                current = Some(name.to_owned());
            } else if let Some(section) = current.as_ref().and_then(|c| sections.get_mut(c)) {
                if !section.is_empty() {
                    section.push('\n');
                }
                section.push_str(line);
            } else if !line.is_empty() && !line.starts_with('#') {
                return Err(TemplateError::Outside { line: n + 1 });
            }
        }
        for section in sections.values_mut() {
            let end = section.trim_end_matches('\n').len();
            section.truncate(end);
        }
        let template = Self { sections };
        template.check()?;
        Ok(template)
    }

    fn check(&self) -> Result<(), TemplateError> {
        let names = SECTIONS.iter().map(|(name, _)| *name).chain(CHOICES);
        for name in names.clone() {
            if self.section(name).is_empty() {
                return Err(TemplateError::Missing { name });
            }
        }
        if let Some(name) = self
            .sections
            .keys()
            .find(|k| !names.clone().any(|n| n == *k))
        {
            let name = name.clone();
            return Err(TemplateError::Section { name });
        }
        let all = SECTIONS
            .into_iter()
            .chain(CHOICES.map(|name| (name, &[][..])));
        for (name, needed) in all {
            let written = words(self.section(name));
            let lacking = needed.iter().find(|word| !written.contains(word));
            let unknown = written.iter().find(|word| !needed.contains(word));
            if let Some(word) = lacking.or(unknown) {
                let word = (*word).to_owned();
                return Err(TemplateError::Words { name, word });
            }
        }
        Ok(())
    }

    /// A section's text; empty where there is none.
    pub(crate) fn section(&self, name: &str) -> &str {
        self.sections.get(name).map_or("", String::as_str)
    }

    /// A section with its words filled in. What is filled in is not read again:
    /// braces in somebody's facts stay braces.
    pub(crate) fn fill(&self, name: &str, words: &[(&'static str, String)]) -> String {
        let mut out = String::new();
        let mut rest = self.section(name);
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((word, after)) = after.split_once('}') else {
                break;
            };
            let value = words.iter().find(|(known, _)| *known == word);
            out.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// The words in braces.
fn words(text: &str) -> Vec<&str> {
    let parts = text.split('{').skip(1);
    parts
        .filter_map(|part| part.split_once('}'))
        .map(|(word, _)| word)
        .collect()
}
