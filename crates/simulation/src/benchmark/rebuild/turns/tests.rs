use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn form(more: &str) -> Turns {
    toml::from_str(&format!(
        "user = [\"asks\"]\nassistant = [\"answers\"]\nrole = \"{{who}}\"\ntext = \"{{says}}\"\n{more}"
    ))
    .unwrap()
}

fn told(form: &Turns, value: &Value) -> Vec<(usize, Option<String>)> {
    let names = BTreeMap::new();
    let scope = Scope {
        stack: vec![value],
        key: String::new(),
        names: &names,
    };
    let mut all = Vec::new();
    tree(
        form,
        "replies",
        &scope,
        Vec::new(),
        &mut |prompt, answer| {
            all.push((prompt.len(), answer));
            Ok(())
        },
    )
    .unwrap();
    all
}

#[test]
fn a_transcript_is_cut_at_its_marks() {
    let form = form("").clone();
    let form = Turns {
        user: vec!["\nH:".to_owned()],
        assistant: vec!["\nA:".to_owned()],
        ..form
    };
    let said = transcript(&form, "\nH: hello\nA: hi\nH: bye");
    let texts: Vec<_> = said
        .iter()
        .map(|m| (m.role.as_str(), m.content.as_str()))
        .collect();
    assert_eq!(
        texts,
        [("user", "hello"), ("assistant", "hi"), ("user", "bye")]
    );
    assert!(transcript(&form, "no mark").is_empty());
}

#[test]
fn every_answer_makes_a_row() {
    let said = transcript(
        &Turns {
            user: vec!["H:".to_owned()],
            assistant: vec!["A:".to_owned()],
            ..form("")
        },
        "H:a A:b H:c",
    );
    let mut all = Vec::new();
    rows(&[], &said, &mut |prompt, answer| {
        all.push((prompt.len(), answer));
        Ok(())
    })
    .unwrap();
    assert_eq!(all, [(1, Some("b".to_owned())), (3, None)]);
}

#[test]
fn a_tree_makes_a_row_for_every_path() {
    let value = json!({ "who": "asks", "says": "a", "replies": [
        { "who": "answers", "says": "b", "replies": [{ "who": "asks", "says": "c", "replies": [] }] },
        { "who": "answers", "says": "d" },
        { "who": "nobody", "says": "e" },
    ]});
    let all = told(&form("replies = \"replies\""), &value);
    let expected = [
        (1, Some("b".to_owned())),
        (3, None),
        (1, Some("d".to_owned())),
    ];
    assert_eq!(all, expected);
}

#[test]
fn a_bottomless_tree_is_refused() {
    let mut value = json!({ "who": "asks", "says": "a" });
    for _ in 0..=DEPTH_MAX {
        value = json!({ "who": "asks", "says": "a", "replies": [value] });
    }
    let names = BTreeMap::new();
    let scope = Scope {
        stack: vec![&value],
        key: String::new(),
        names: &names,
    };
    let refused = tree(&form(""), "replies", &scope, Vec::new(), &mut |_, _| Ok(()));
    assert!(refused.unwrap_err().contains("deeper"));
}
