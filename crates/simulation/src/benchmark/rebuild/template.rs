//! Text with places for fields: `{question|trim}`, `{up.context}`, `{{` for a
//! brace. What stands in a file is never read as a template.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// A text with places for fields.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Literal(String),
    Field {
        path: String,
        optional: bool,
        steps: Vec<Step>,
    },
}

/// What is done to a field before it is put in.
#[derive(Debug, Clone)]
enum Step {
    Trim,
    TrimStart,
    TrimEnd,
    Lower,
    Spaces,
    Python,
    Join(String),
    Leaves(String),
    Pairs(String),
    Sort(String),
    Literals,
    Drop(Regex),
    First(usize),
    Last(usize),
    Before(String),
    After(String),
    AfterLast(String),
    UpTo(String),
    Lead(String),
    Tail(String),
    Or(String),
    Replace(String, String),
}

/// Where the fields are found: an item, those around it, and named texts.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    /// Outermost first; the item last.
    pub(super) stack: Vec<&'a Value>,
    /// Key or place of the item in what holds it.
    pub(super) key: String,
    /// Texts of the source, lines of crossed files, the file's id.
    pub(super) names: &'a BTreeMap<String, String>,
}

impl Scope<'_> {
    fn find(&self, path: &str) -> Option<String> {
        if path == "key" {
            return Some(self.key.clone());
        }
        if let Some(text) = self.names.get(path) {
            return Some(text.clone());
        }
        let mut depth = 1;
        let mut rest = path;
        while let Some(outer) = rest.strip_prefix("up.") {
            depth += 1;
            rest = outer;
        }
        let mut value = *self.stack.get(self.stack.len().checked_sub(depth)?)?;
        if rest != "self" {
            for step in rest.split('.') {
                value = match value {
                    Value::Object(fields) => fields.get(step)?,
                    Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                    _ => return None,
                };
            }
        }
        Some(match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

impl Template {
    /// The text with the fields of `scope`.
    ///
    /// # Errors
    /// The path of the field that is not there.
    pub(super) fn render(&self, scope: &Scope<'_>) -> Result<String, String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(words) => text.push_str(words),
                Piece::Field {
                    path,
                    optional,
                    steps,
                } => {
                    let found = scope.find(path);
                    if found.is_none() && !optional {
                        return Err(format!("there is no field `{path}`"));
                    }
                    let found = found.unwrap_or_default();
                    text.push_str(&steps.iter().fold(found, |text, step| step.apply(text)));
                }
            }
        }
        Ok(text)
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text.as_str();
        while let Some((before, from)) = rest.find(['{', '}']).map(|at| rest.split_at(at)) {
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                literal.extend(from.chars().next());
                rest = after;
                continue;
            }
            let inner = from
                .strip_prefix('{')
                .ok_or_else(|| format!("a brace closes nothing in `{text}`; write `}}}}`"))?;
            let (field, after) = inner
                .split_once('}')
                .ok_or_else(|| format!("a brace is not closed in `{text}`"))?;
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(parse_field(field)?);
            rest = after;
        }
        literal.push_str(rest);
        pieces.push(Piece::Literal(literal));
        Ok(Self(pieces))
    }
}

fn parse_field(field: &str) -> Result<Piece, String> {
    let mut parts = field.split('|');
    let path = parts.next().unwrap_or_default();
    let optional = path.ends_with('?');
    let steps = parts.map(Step::parse).collect::<Result<_, _>>()?;
    Ok(Piece::Field {
        path: path.trim_end_matches('?').to_owned(),
        optional,
        steps,
    })
}

impl Step {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, given) = text.split_once(':').unwrap_or((text, ""));
        let count = || {
            given
                .parse::<usize>()
                .map_err(|_| format!("`{text}` needs a number"))
        };
        let words = given.to_owned();
        Ok(match name {
            "trim" => Self::Trim,
            "trim_start" => Self::TrimStart,
            "trim_end" => Self::TrimEnd,
            "lower" => Self::Lower,
            "spaces" => Self::Spaces,
            "python" => Self::Python,
            "join" => Self::Join(words),
            "leaves" => Self::Leaves(words),
            "pairs" => Self::Pairs(words),
            "sort" => Self::Sort(words),
            "literals" => Self::Literals,
            "drop" => Self::Drop(Regex::new(given).map_err(|e| e.to_string())?),
            "first" => Self::First(count()?),
            "last" => Self::Last(count()?),
            "before" => Self::Before(words),
            "after" => Self::After(words),
            "after_last" => Self::AfterLast(words),
            "up_to" => Self::UpTo(words),
            "lead" => Self::Lead(words),
            "tail" => Self::Tail(words),
            "or" => Self::Or(words),
            "replace" => {
                let (from, to) = given
                    .split_once("=>")
                    .ok_or_else(|| format!("`{text}` needs `FROM=>TO`"))?;
                Self::Replace(from.to_owned(), to.to_owned())
            }
            _ => return Err(format!("`{name}` is no step of a template")),
        })
    }

    fn apply(&self, text: String) -> String {
        match self {
            Self::Trim => text.trim().to_owned(),
            Self::TrimStart => text.trim_start().to_owned(),
            Self::TrimEnd => text.trim_end().to_owned(),
            Self::Lower => text.to_lowercase(),
            Self::Spaces => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Python => unescape(&text),
            Self::Join(between) => join(&text, between),
            Self::Leaves(between) => {
                let mut all = Vec::new();
                leaves(&parsed(&text), &mut all);
                all.join(between)
            }
            Self::Pairs(between) => pairs(&parsed(&text), between),
            Self::Literals => literals(&text),
            Self::Drop(pattern) => pattern.replace_all(&text, "").into_owned(),
            Self::Sort(between) => {
                let mut parts: Vec<&str> = text.split(between.as_str()).collect();
                parts.sort_unstable();
                parts.dedup();
                parts.join(between)
            }
            Self::First(count) => text.chars().take(*count).collect(),
            Self::Last(count) => {
                let skip = text.chars().count().saturating_sub(*count);
                text.chars().skip(skip).collect()
            }
            Self::Before(mark) => text
                .split_once(mark)
                .map_or(text.as_str(), |p| p.0)
                .to_owned(),
            Self::After(mark) => text.split_once(mark).map_or("", |p| p.1).to_owned(),
            Self::AfterLast(mark) => text.rsplit_once(mark).map_or("", |p| p.1).to_owned(),
            Self::UpTo(mark) => text
                .split_once(mark)
                .map_or_else(|| text.clone(), |(before, _)| format!("{before}{mark}")),
            Self::Lead(words) if !text.is_empty() => format!("{words}{text}"),
            Self::Tail(words) if !text.is_empty() => format!("{text}{words}"),
            Self::Or(words) if text.is_empty() => words.clone(),
            Self::Replace(from, to) if !from.is_empty() => text.replace(from, to),
            Self::Lead(_) | Self::Tail(_) | Self::Or(_) | Self::Replace(..) => text,
        }
    }
}

/// The strings of a JSON list, joined; another text as it is.
fn join(text: &str, between: &str) -> String {
    serde_json::from_str::<Vec<String>>(text)
        .map_or_else(|_| text.to_owned(), |parts| parts.join(between))
}

/// A field that was a list or an object, as the value it was.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Every string in a value, in order.
fn leaves(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|v| leaves(v, all)),
        Value::Object(fields) => fields.values().for_each(|v| leaves(v, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A line for each field of an object.
fn pairs(value: &Value, between: &str) -> String {
    let fields = value.as_object().into_iter().flatten();
    let lines = fields.map(|(key, value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        format!("{key}{between}{value}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The values of all Python string literals in a text, one after another.
fn literals(text: &str) -> String {
    let mut value = String::new();
    let mut inside: Option<char> = None;
    let mut raw = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match inside {
            None if matches!(c, '"' | '\'') => inside = Some(c),
            None => {}
            Some(quote) if c == quote => {
                value.push_str(&unescape(&raw));
                raw.clear();
                inside = None;
            }
            Some(_) => {
                raw.push(c);
                if c == '\\' {
                    raw.extend(chars.next());
                }
            }
        }
    }
    value
}

/// The value of a Python string literal's inside (no octal, no names).
fn unescape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('r') => value.push('\r'),
            Some('\n') => {}
            Some(same @ ('\\' | '\'' | '"')) => value.push(same),
            Some(other) => {
                value.push('\\');
                value.push(other);
            }
            None => value.push('\\'),
        }
    }
    value
}

/// `text` with every slot replaced, in one pass: what was put in is not read again.
pub(super) fn fill(text: &str, slots: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let next = slots
            .iter()
            .filter(|(slot, _)| !slot.is_empty())
            .filter_map(|(slot, with)| rest.find(slot).map(|at| (at, *slot, with)))
            .min_by_key(|(at, slot, _)| (*at, usize::MAX - slot.len()));
        let Some((at, slot, with)) = next else {
            filled.push_str(rest);
            return filled;
        };
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        filled.push_str(with);
        rest = from.strip_prefix(slot).unwrap_or_default();
    }
}

/// `text` with `{}` replaced in turn and doubled braces made single.
pub(super) fn format(text: &str, given: &[String]) -> String {
    let mut given = given.iter();
    let mut formatted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.find(['{', '}']).map(|at| rest.split_at(at)) {
        formatted.push_str(before);
        let mut chars = from.chars();
        let (first, second) = (chars.next(), chars.next());
        rest = from.get(2..).unwrap_or_default();
        match (first, second) {
            (Some('{'), Some('}')) => formatted.push_str(given.next().map_or("", String::as_str)),
            (Some(brace), Some(same)) if brace == same => formatted.push(brace),
            (first, _) => {
                formatted.extend(first);
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    formatted.push_str(rest);
    formatted
}

#[cfg(test)]
mod tests;
