//! Mutants of a clause's policies: what a slip of the pen could make of them.

use cedar_policy::{Policy, PolicyId};
use facts::ClauseId;
use serde_json::Value;

use crate::Terms;

/// Every mutant of one clause, with the change in words.
pub(super) fn of(terms: &Terms, clause: &ClauseId) -> Vec<(String, Terms)> {
    let own: Vec<(PolicyId, Value)> = terms.policies_of(clause);
    let mut mutants = Vec::new();
    let mut add = |change: String, altered: Vec<(PolicyId, Option<Value>)>| {
        if let Some(mutant) = rebuilt(terms, &altered) {
            mutants.push((change, mutant));
        }
    };
    let every = |to: &dyn Fn(&Value) -> Option<Value>| {
        own.iter()
            .map(|(id, policy)| (id.clone(), to(policy)))
            .collect()
    };
    add("deleted".to_owned(), every(&|_| None));
    add(
        "turned round".to_owned(),
        every(&|policy| Some(inverted(policy))),
    );
    for (id, policy) in &own {
        if own.len() > 1 {
            add(format!("policy `{id}` deleted"), vec![(id.clone(), None)]);
        }
        for n in 0..conditions(policy) {
            let altered = with_condition_inverted(policy, n);
            add(
                format!("policy `{id}` with its condition {} turned round", n + 1),
                vec![(id.clone(), Some(altered))],
            );
        }
        for n in 0..exceptions(policy) {
            let altered = without_exception(policy, n);
            add(
                format!("policy `{id}` without its exception {}", n + 1),
                vec![(id.clone(), Some(altered))],
            );
        }
        for n in 0..words(policy) {
            let (altered, word) = with_other_word(policy, n);
            add(
                format!("policy `{id}` with another word than `{word}`"),
                vec![(id.clone(), Some(altered))],
            );
        }
    }
    mutants
}

fn rebuilt(terms: &Terms, altered: &[(PolicyId, Option<Value>)]) -> Option<Terms> {
    let mut policies = Vec::new();
    for (id, json) in altered {
        let policy = match json {
            Some(json) => Some(Policy::from_json(Some(id.clone()), json.clone()).ok()?),
            None => None,
        };
        policies.push((id.clone(), policy));
    }
    terms.with_policies(&policies)
}

fn inverted(policy: &Value) -> Value {
    let mut policy = policy.clone();
    if let Some(effect) = policy.get_mut("effect") {
        let other = if effect == "forbid" {
            "permit"
        } else {
            "forbid"
        };
        *effect = Value::String(other.to_owned());
    }
    policy
}

fn conditions(policy: &Value) -> usize {
    let conditions = policy.get("conditions").and_then(Value::as_array);
    conditions.map_or(0, Vec::len)
}

/// `when` for `unless` and the other way round: the clause catches what it let
/// pass. Turning its effect round shows less: a `forbid` that permits is nearly
/// one that is not there.
fn with_condition_inverted(policy: &Value, n: usize) -> Value {
    let mut policy = policy.clone();
    let condition = policy
        .get_mut("conditions")
        .and_then(|conditions| conditions.get_mut(n));
    if let Some(condition) = condition {
        let other = if is_exception(condition) {
            "when"
        } else {
            "unless"
        };
        if let Some(kind) = condition.get_mut("kind") {
            *kind = Value::String(other.to_owned());
        }
    }
    policy
}

fn is_exception(condition: &Value) -> bool {
    condition.get("kind").is_some_and(|kind| kind == "unless")
}

fn exceptions(policy: &Value) -> usize {
    let conditions = policy.get("conditions").and_then(Value::as_array);
    conditions.map_or(0, |all| all.iter().filter(|c| is_exception(c)).count())
}

fn without_exception(policy: &Value, n: usize) -> Value {
    let mut policy = policy.clone();
    if let Some(conditions) = policy.get_mut("conditions").and_then(Value::as_array_mut) {
        let places: Vec<usize> = (0..conditions.len())
            .filter(|place| conditions.get(*place).is_some_and(is_exception))
            .collect();
        if let Some(place) = places.get(n) {
            conditions.remove(*place);
        }
    }
    policy
}

/// Calls `each` with every word that the conditions compare with.
fn visit(value: &mut Value, each: &mut dyn FnMut(&mut String)) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields.iter_mut() {
                match inner {
                    Value::String(word) if name == "Value" => each(word),
                    _ => visit(inner, each),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn words(policy: &Value) -> usize {
    let mut count = 0;
    let mut conditions = policy.get("conditions").cloned().unwrap_or_default();
    visit(&mut conditions, &mut |_| count += 1);
    count
}

fn with_other_word(policy: &Value, n: usize) -> (Value, String) {
    let mut policy = policy.clone();
    let mut old = String::new();
    let mut place = 0;
    if let Some(conditions) = policy.get_mut("conditions") {
        visit(conditions, &mut |word| {
            if place == n {
                old = std::mem::replace(word, "another word".to_owned());
            }
            place += 1;
        });
    }
    (policy, old)
}
