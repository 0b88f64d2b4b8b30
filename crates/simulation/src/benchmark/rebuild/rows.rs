//! Items as rows: what one part of a recipe makes of its files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RebuildError;
use super::items::{self, Misread};
use super::manifest::{Format, MessageEntry, Part, SourceEntry, Turns};
use super::template::{Scope, Template, fill, format};
use super::turns;

/// More rows than this from one source are a recipe's mistake.
const ROWS_MAX: usize = 2_000_000;

/// One message of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) role: String,
    pub(super) content: String,
}

/// A row of the pool, before it is written.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) campaign: String,
    pub(super) prompt: Vec<Message>,
    pub(super) response: Option<String>,
    pub(super) model: Option<String>,
    pub(super) realness: String,
    pub(super) group: Option<String>,
}

/// The files of a source by id: what each is called, and its text.
pub(super) type Texts = BTreeMap<String, (String, String)>;

/// What a recipe made: how many rows, and those that are kept.
pub(super) struct Made<'a> {
    pub(super) rows: Vec<Row>,
    pub(super) count: usize,
    keep: &'a dyn Fn(&[Message]) -> bool,
}

/// The rows that the recipe makes and `keep` wants, in the order of its parts,
/// files and items.
pub(super) fn of<'a>(
    source: &SourceEntry,
    texts: &Texts,
    keep: &'a dyn Fn(&[Message]) -> bool,
) -> Result<Made<'a>, RebuildError> {
    let names = cuts(source, texts)?;
    let mut rows = Made {
        rows: Vec::new(),
        count: 0,
        keep,
    };
    for part in &source.parts {
        for crossed in crossings(part, texts) {
            let mut names = names.clone();
            names.extend(crossed);
            for id in &part.files {
                names.insert("file".to_owned(), id.clone());
                file(part, id, texts, &names, &mut rows)?;
            }
        }
    }
    Ok(rows)
}

/// The named texts of a source, cut out of its files.
fn cuts(source: &SourceEntry, texts: &Texts) -> Result<BTreeMap<String, String>, RebuildError> {
    let mut names = BTreeMap::new();
    for (name, cut) in &source.text {
        let Some((file, text)) = texts.get(&cut.file) else {
            continue;
        };
        let malformed = |place: String, why: String| RebuildError::Malformed {
            file: file.clone(),
            place,
            why,
        };
        let (first, last) = cut.lines.unwrap_or((1, usize::MAX));
        let mut found: String = text
            .split_inclusive('\n')
            .skip(first.saturating_sub(1))
            .take((last - first.min(last)).saturating_add(1))
            .collect();
        if let Some((from, to)) = &cut.between {
            let inside = found.split_once(from);
            let inside = inside.and_then(|(_, rest)| rest.split_once(to));
            found = inside.map(|(inside, _)| inside.to_owned()).ok_or_else(|| {
                malformed(format!("line {first}"), format!("`{name}` lacks its marks"))
            })?;
        }
        if let Some(template) = &cut.per_line {
            found = per_line(template, &found)
                .map_err(|why| malformed(format!("line {first}"), why))?;
        }
        if let Some(template) = &cut.through {
            let raw = BTreeMap::from([("text".to_owned(), found)]);
            let scope = Scope {
                stack: Vec::new(),
                key: String::new(),
                names: &raw,
            };
            found = template
                .render(&scope)
                .map_err(|why| malformed(format!("line {first}"), why))?;
        }
        names.insert(format!("text.{name}"), found);
    }
    Ok(names)
}

/// Every line, as JSON, through a template.
fn per_line(template: &Template, text: &str) -> Result<String, String> {
    let names = BTreeMap::new();
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
            template.render(&Scope {
                stack: vec![&value],
                key: String::new(),
                names: &names,
            })
        })
        .collect()
}

/// Every choice of one line of each crossed file.
fn crossings(part: &Part, texts: &Texts) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::new()];
    for (name, id) in &part.cross {
        let text = texts.get(id).map_or("", |(_, text)| text.as_str());
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        all = all
            .iter()
            .flat_map(|chosen| {
                lines.iter().map(move |line| {
                    let mut chosen = chosen.clone();
                    chosen.insert(format!("cross.{name}"), (*line).to_owned());
                    chosen
                })
            })
            .collect();
    }
    all
}

fn file(
    part: &Part,
    id: &str,
    texts: &Texts,
    names: &BTreeMap<String, String>,
    rows: &mut Made<'_>,
) -> Result<(), RebuildError> {
    let Some((file, text)) = texts.get(id) else {
        return Ok(());
    };
    let malformed = |misread: Misread| RebuildError::Malformed {
        file: file.clone(),
        place: misread.place,
        why: misread.why,
    };
    let mut found = items::read(part, text).map_err(malformed)?;
    for (field, id) in &part.beside {
        let text = texts.get(id).map_or("", |(_, text)| text.as_str());
        items::beside(&mut found, field, text).map_err(malformed)?;
    }
    let steps: Vec<&str> = part.each.split('.').filter(|s| !s.is_empty()).collect();
    for item in &found {
        let scope = Scope {
            stack: vec![&item.value],
            key: String::new(),
            names,
        };
        walk(&scope, &steps, &mut |scope| take(part, scope, rows)).map_err(|why| {
            let place = if part.format == Format::Json {
                format!("item {}", why.0)
            } else {
                format!("{}, item {}", item.place, why.0)
            };
            malformed(Misread { place, why: why.1 })
        })?;
    }
    Ok(())
}

/// A place inside a value, and what is wrong there.
type Wrong = (String, String);

/// Calls `take` with every item that the steps lead to.
pub(super) fn walk(
    scope: &Scope<'_>,
    steps: &[&str],
    take: &mut dyn FnMut(&Scope<'_>) -> Result<(), String>,
) -> Result<(), Wrong> {
    match scope.stack.last().copied() {
        Some(here) => descend(scope, here, steps, take),
        None => Ok(()),
    }
}

/// Only a choice among many opens a level that `up` leaves.
fn descend(
    scope: &Scope<'_>,
    here: &Value,
    steps: &[&str],
    take: &mut dyn FnMut(&Scope<'_>) -> Result<(), String>,
) -> Result<(), Wrong> {
    let Some((step, rest)) = steps.split_first() else {
        let mut inner = scope.clone();
        if !scope
            .stack
            .last()
            .is_some_and(|last| std::ptr::eq(*last, here))
        {
            inner.stack.push(here);
        }
        return take(&inner).map_err(|why| (scope.key.clone(), why));
    };
    if *step != "*" {
        let child = match here {
            Value::Object(fields) => fields.get(*step),
            Value::Array(items) => step.parse::<usize>().ok().and_then(|n| items.get(n)),
            _ => None,
        };
        let child = child.ok_or_else(|| (scope.key.clone(), format!("there is no `{step}`")))?;
        return descend(scope, child, rest, take);
    }
    let children: Vec<(String, &Value)> = match here {
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(n, v)| (n.to_string(), v))
            .collect(),
        _ => {
            return Err((
                scope.key.clone(),
                "it is neither list nor object".to_owned(),
            ));
        }
    };
    for (key, child) in children {
        let mut inner = scope.clone();
        inner.stack.push(child);
        inner.key = key;
        descend(&inner, child, rest, take)?;
    }
    Ok(())
}

fn take(part: &Part, scope: &Scope<'_>, rows: &mut Made<'_>) -> Result<(), String> {
    for condition in &part.when {
        let text = condition.text.render(scope)?;
        if condition.is.as_ref().is_some_and(|is| *is != text)
            || condition.not.as_ref().is_some_and(|not| *not == text)
        {
            return Ok(());
        }
    }
    let mut prompt = Vec::new();
    for entry in &part.prompt {
        if let Some(list) = &entry.list {
            prompt.extend(listed(&list.render(scope)?)?);
            continue;
        }
        let content = message(entry, scope)?;
        if !(entry.optional && content.is_empty()) {
            prompt.push(Message {
                role: entry.role.clone(),
                content,
            });
        }
    }
    let mut push = |prompt: Vec<Message>, response: Option<String>| {
        rows.count += 1;
        if rows.count > ROWS_MAX {
            return Err(format!("it makes more than {ROWS_MAX} rows"));
        }
        if !(rows.keep)(&prompt) {
            return Ok(());
        }
        let render = |t: &Option<Template>| t.as_ref().map(|t| t.render(scope)).transpose();
        rows.rows.push(Row {
            campaign: part.campaign.render(scope)?,
            prompt,
            response,
            model: render(&part.model)?.filter(|m| !m.is_empty()),
            realness: part.realness.clone(),
            group: render(&part.group)?,
        });
        Ok(())
    };
    if let Some(turns) = &part.turns {
        return conversation(turns, scope, &prompt, &mut push);
    }
    let response = part.response.as_ref().map(|r| r.render(scope));
    push(prompt, response.transpose()?.filter(|r| !r.is_empty()))
}

/// Messages written as JSON objects, one a line.
fn listed(text: &str) -> Result<Vec<Message>, String> {
    serde_json::Deserializer::from_str(text)
        .into_iter::<Message>()
        .collect::<Result<_, _>>()
        .map_err(|e| format!("messages: {e}"))
}

fn message(entry: &MessageEntry, scope: &Scope<'_>) -> Result<String, String> {
    let mut text = entry.text.render(scope)?;
    if !entry.format.is_empty() {
        let given = entry.format.iter().map(|t| t.render(scope));
        text = format(&text, &given.collect::<Result<Vec<_>, _>>()?);
    }
    let slots = entry
        .fill
        .iter()
        .map(|(slot, with)| Ok((slot.as_str(), with.render(scope)?)))
        .collect::<Result<Vec<_>, String>>()?;
    let own = entry
        .fill_from
        .as_ref()
        .map(|t| t.render(scope))
        .transpose()?;
    let own: BTreeMap<String, String> = own
        .map(|text| serde_json::from_str(&text).map_err(|e| format!("slots: {e}")))
        .transpose()?
        .unwrap_or_default();
    let mut slots = slots;
    slots.extend(own.iter().map(|(slot, with)| (slot.as_str(), with.clone())));
    Ok(if slots.is_empty() {
        text
    } else {
        fill(&text, &slots)
    })
}

fn conversation(
    form: &Turns,
    scope: &Scope<'_>,
    before: &[Message],
    push: &mut dyn FnMut(Vec<Message>, Option<String>) -> Result<(), String>,
) -> Result<(), String> {
    if let Some(transcript) = &form.transcript {
        let said = turns::transcript(form, &transcript.render(scope)?);
        return turns::rows(before, &said, push);
    }
    if let Some(replies) = &form.replies {
        return turns::tree(form, replies, scope, before.to_vec(), push);
    }
    let steps: Vec<&str> = form.each.split('.').filter(|s| !s.is_empty()).collect();
    let mut said = Vec::new();
    walk(scope, &steps, &mut |turn| {
        said.extend(turns::said(form, turn)?);
        Ok(())
    })
    .map_err(|(at, why)| format!("turn {at}: {why}"))?;
    turns::rows(before, &said, push)
}

#[cfg(test)]
mod tests;
