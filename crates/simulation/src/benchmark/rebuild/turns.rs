//! Conversations as rows: one for every answer, with all that came before it.

use serde_json::Value;

use super::manifest::Turns;
use super::rows::Message;
use super::template::Scope;

/// Deeper trees of replies are no conversation.
const DEPTH_MAX: usize = 64;

/// What takes a prompt and the answer to it.
pub(super) type Push<'a> = dyn FnMut(Vec<Message>, Option<String>) -> Result<(), String> + 'a;

/// The message of one turn; nothing when the recipe does not name its role.
pub(super) fn said(form: &Turns, turn: &Scope<'_>) -> Result<Option<Message>, String> {
    let (Some(role), Some(text)) = (&form.role, &form.text) else {
        return Err("the recipe's turns have no role or no text".to_owned());
    };
    let role = role.render(turn)?;
    let role = if form.user.contains(&role) {
        "user"
    } else if form.assistant.contains(&role) {
        "assistant"
    } else if role == "system" {
        "system"
    } else {
        return Ok(None);
    };
    Ok(Some(Message {
        role: role.to_owned(),
        content: text.render(turn)?,
    }))
}

/// A row for every answer, and one for a question at the end.
pub(super) fn rows(
    before: &[Message],
    said: &[Message],
    push: &mut Push<'_>,
) -> Result<(), String> {
    let mut prompt = before.to_vec();
    for (n, message) in said.iter().enumerate() {
        if message.role == "assistant" && !prompt.is_empty() {
            push(
                prompt.clone(),
                Some(message.content.clone()).filter(|c| !c.is_empty()),
            )?;
        }
        prompt.push(message.clone());
        if message.role == "user" && n + 1 == said.len() {
            push(prompt.clone(), None)?;
        }
    }
    Ok(())
}

/// A text in which marks begin the turns.
pub(super) fn transcript(form: &Turns, text: &str) -> Vec<Message> {
    let marks: Vec<(&str, &str)> = form
        .user
        .iter()
        .map(|m| (m.as_str(), "user"))
        .chain(form.assistant.iter().map(|m| (m.as_str(), "assistant")))
        .filter(|(mark, _)| !mark.is_empty())
        .collect();
    let next = |text: &str| {
        marks
            .iter()
            .filter_map(|(mark, role)| Some((text.find(mark)?, *mark, *role)))
            .min_by_key(|(at, mark, _)| (*at, usize::MAX - mark.len()))
    };
    let mut said = Vec::new();
    let mut rest = text;
    while let Some((at, mark, role)) = next(rest) {
        rest = rest.split_at(at).1.strip_prefix(mark).unwrap_or_default();
        let end = next(rest).map_or(rest.len(), |(at, _, _)| at);
        said.push(Message {
            role: role.to_owned(),
            content: rest.split_at(end).0.trim().to_owned(),
        });
    }
    said
}

/// A tree of turns: a row for every answer in it, with the path to it.
pub(super) fn tree(
    form: &Turns,
    replies: &str,
    turn: &Scope<'_>,
    path: Vec<Message>,
    push: &mut Push<'_>,
) -> Result<(), String> {
    if turn.stack.len() > DEPTH_MAX {
        return Err(format!("replies lie deeper than {DEPTH_MAX}"));
    }
    let Some(message) = said(form, turn)? else {
        return Ok(());
    };
    if message.role == "assistant" && !path.is_empty() {
        push(path.clone(), Some(message.content.clone()))?;
    }
    let mut path = path;
    path.push(message);
    let children = turn.stack.last().and_then(|v| v.get(replies));
    let children = children
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if children.is_empty() && path.last().is_some_and(|m| m.role == "user") {
        push(path, None)?;
        return Ok(());
    }
    for child in children {
        let mut inner = turn.clone();
        inner.stack.push(child);
        tree(form, replies, &inner, path.clone(), push)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
