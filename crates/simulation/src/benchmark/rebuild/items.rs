//! Files as items: each a JSON value with the place it came from.

use serde_json::{Map, Value};

use super::manifest::{Format, Part};

/// A value and where it stands.
pub(super) struct Found {
    pub(super) place: String,
    pub(super) value: Value,
}

/// Why a file is not of its form.
#[derive(Debug)]
pub(super) struct Misread {
    pub(super) place: String,
    pub(super) why: String,
}

impl Misread {
    fn at(line: usize, why: &dyn ToString) -> Self {
        Self {
            place: format!("line {line}"),
            why: why.to_string(),
        }
    }
}

/// The values of a file.
pub(super) fn read(part: &Part, text: &str) -> Result<Vec<Found>, Misread> {
    let text = text.trim_start_matches('\u{feff}');
    match part.format {
        Format::Json => {
            let value = serde_json::from_str(text).map_err(|e| Misread::at(e.line(), &e))?;
            let place = "its value".to_owned();
            Ok(vec![Found { place, value }])
        }
        Format::Jsonl => jsonl(text, part.skip_broken),
        Format::Csv => csv(text, part.divider, part.columns.as_deref()),
        Format::Lines => Ok(text
            .lines()
            .enumerate()
            .map(|(n, line)| found(n + 1, [("line", line)]))
            .collect()),
        Format::Text => Ok(vec![found(1, [("text", text)])]),
        Format::Regex => matches(text, part.pattern.as_deref().unwrap_or_default()),
    }
}

/// Adds a field to every value: the lines of another file, in step.
pub(super) fn beside(found: &mut [Found], field: &str, text: &str) -> Result<(), Misread> {
    let lines = text.lines().count();
    if lines != found.len() {
        let why = format!("{} items lie beside {lines} lines", found.len());
        return Err(Misread::at(lines.min(found.len()) + 1, &why));
    }
    for (item, line) in found.iter_mut().zip(text.lines()) {
        if let Value::Object(fields) = &mut item.value {
            fields.insert(field.to_owned(), Value::from(line));
        }
    }
    Ok(())
}

fn found<const N: usize>(line: usize, fields: [(&str, &str); N]) -> Found {
    let fields: Map<String, Value> = fields
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Value::from(text)))
        .collect();
    Found {
        place: format!("line {line}"),
        value: Value::Object(fields),
    }
}

fn jsonl(text: &str, skip_broken: bool) -> Result<Vec<Found>, Misread> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            let value = serde_json::from_str(line).map_err(|e| Misread::at(n + 1, &e))?;
            let place = format!("line {}", n + 1);
            Ok(Found { place, value })
        })
        .filter(|found| !skip_broken || found.is_ok())
        .collect()
}

fn matches(text: &str, pattern: &str) -> Result<Vec<Found>, Misread> {
    let pattern = regex::Regex::new(pattern).map_err(|e| Misread::at(1, &e))?;
    let mut line = 1;
    let mut counted = 0;
    let mut all = Vec::new();
    for captures in pattern.captures_iter(text) {
        let start = captures.get(0).map_or(0, |m| m.start());
        let passed = text.get(counted..start).unwrap_or_default();
        line += passed.matches('\n').count();
        counted = start;
        let fields: Map<String, Value> = pattern
            .capture_names()
            .flatten()
            .filter_map(|name| Some((name, captures.name(name)?)))
            .map(|(name, found)| (name.to_owned(), Value::from(found.as_str())))
            .collect();
        all.push(Found {
            place: format!("line {line}"),
            value: Value::Object(fields),
        });
    }
    Ok(all)
}

/// RFC 4180, with either line end.
fn csv(text: &str, divider: char, columns: Option<&[String]>) -> Result<Vec<Found>, Misread> {
    let mut records = records(text, divider)?.into_iter();
    let columns = match columns {
        Some(columns) => columns.to_vec(),
        None => records.next().map(|(_, fields)| fields).unwrap_or_default(),
    };
    records
        .filter(|(_, fields)| fields.iter().any(|f| !f.is_empty()))
        .map(|(line, fields)| {
            if fields.len() > columns.len() {
                let why = format!("{} fields under {} columns", fields.len(), columns.len());
                return Err(Misread::at(line, &why));
            }
            let named = columns
                .iter()
                .cloned()
                .zip(fields.into_iter().map(Value::from));
            Ok(Found {
                place: format!("line {line}"),
                value: Value::Object(named.collect()),
            })
        })
        .collect()
}

fn records(text: &str, divider: char) -> Result<Vec<(usize, Vec<String>)>, Misread> {
    let mut all = Vec::new();
    let mut chars = text.chars().peekable();
    let (mut line, mut began) = (1, 1);
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        if quoted {
            match c {
                '"' if chars.peek() == Some(&'"') => field.extend(chars.next()),
                '"' => quoted = false,
                other => field.push(other),
            }
            continue;
        }
        match c {
            '"' if field.is_empty() => quoted = true,
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                fields.push(std::mem::take(&mut field));
                all.push((began, std::mem::take(&mut fields)));
                began = line;
            }
            c if c == divider => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    if quoted {
        return Err(Misread::at(began, &"a quote is not closed"));
    }
    if !field.is_empty() || !fields.is_empty() {
        fields.push(field);
        all.push((began, fields));
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
