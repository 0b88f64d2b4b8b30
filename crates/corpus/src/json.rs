//! What does this JSON line say in these fields?
//!
//! Two readers. The quick one walks the line once, checks every byte of it and copies only what
//! was asked for; wherever it is not certain it steps back, and `serde_json` decides. They must
//! agree on every line, good or bad: a line that only one of them reads would be a hole in an
//! audit.

mod quick;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::{Column, Columns, Document, Text};

/// The document of one line; why there is none, in words.
pub(crate) fn document<'a>(
    line: &'a [u8],
    columns: &Columns,
    row: u64,
) -> Result<Document<'a>, String> {
    match simdutf8::basic::from_utf8(line)
        .ok()
        .and_then(|line| quick(line, columns, row))
    {
        Some(document) => Ok(document),
        None => slow(line, columns, row),
    }
}

/// The text of one line by the reader that is quick: for measurements and fuzzing.
///
/// # Errors
/// Why the line holds none.
pub fn line_text<'a>(line: &'a [u8], text: &Text) -> Result<Cow<'a, str>, String> {
    document(line, &Columns::text(text.clone()), 0).map(|document| document.text)
}

/// The same by `serde_json` alone: the other reader must agree.
///
/// # Errors
/// Why the line holds none.
pub fn line_text_slowly(line: &[u8], text: &Text) -> Result<String, String> {
    slow(line, &Columns::text(text.clone()), 0).map(|document| document.text.into_owned())
}

/// Nothing when the line is not plain: a field that is no string, an error, rare spellings.
fn quick<'a>(line: &'a str, columns: &Columns, row: u64) -> Option<Document<'a>> {
    let [id, account, model, time, prompt] = Column::ALL.map(|column| columns.name(column));
    let wanted = [Some(columns.text.name()), id, account, model, time, prompt];
    let [text, values @ ..] = quick::fields(line, &wanted)?;
    let text = text?;
    if columns.text == Text::Usual && text.trim_ascii().is_empty() {
        // Its text may stand in another field.
        return None;
    }
    let mut document = Document::new(row, text);
    document.values = values;
    Some(document)
}

fn slow<'a>(line: &[u8], columns: &Columns, row: u64) -> Result<Document<'a>, String> {
    let value: Value = serde_json::from_slice(line).map_err(|e| format!("no JSON: {e}"))?;
    let Value::Object(fields) = &value else {
        return Err("no JSON object: write a document a line, `{\"text\": ..}`".to_owned());
    };
    let text = match (&columns.text, fields.get(columns.text.name()).map(words)) {
        // A row whose usual field says nothing would hide what its other fields say.
        (Text::Usual, Some(text)) if !text.trim_ascii().is_empty() => text,
        (Text::Usual, _) => words(&value),
        (Text::Named(_), Some(text)) => text,
        (Text::Named(name), None) => {
            let known: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
            let known: Vec<&str> = known.into_iter().take(12).collect();
            let known = known.join("`, `");
            return Err(format!(
                "no field `{name}`; it has `{known}`: name one with `--text-field`"
            ));
        }
    };
    let mut document = Document::new(row, Cow::Owned(text));
    for (column, name) in columns.named() {
        let value = fields.get(name).filter(|value| !value.is_null());
        document.set(column, value.map(|value| Cow::Owned(words(value))));
    }
    Ok(document)
}

/// Every string of a value, a line each; a number or truth value as it is written, when it is all.
pub(crate) fn words(value: &Value) -> String {
    fn gather(value: &Value, text: &mut String) {
        match value {
            Value::String(s) => {
                text.push_str(s);
                text.push('\n');
            }
            Value::Array(items) => items.iter().for_each(|v| gather(v, text)),
            Value::Object(fields) => fields.values().for_each(|v| gather(v, text)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    match value {
        Value::String(s) => s.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            let mut text = String::new();
            gather(value, &mut text);
            text
        }
    }
}

#[cfg(test)]
mod tests;
