//! ODRL 2.2 as JSON-LD: one prohibition for each clause and condition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Subject;
use crate::question::Verdict;
use crate::{Clause, Declaration, Purpose};

/// What a purpose is prohibited unless: from each set one word is declared in
/// full. The empty list: in any case.
type Conditions = Vec<BTreeSet<Declaration>>;

/// The agreement.
pub fn write(subject: &Subject<'_>) -> Value {
    let mut prohibitions = Vec::new();
    for version in subject.terms.in_force(subject.at).unwrap_or_default() {
        for clause in version.clauses() {
            for (conditions, purposes) in grouped(subject, clause) {
                prohibitions.push(prohibition(clause, &purposes, &conditions));
            }
        }
    }
    let documents: Vec<_> = subject
        .terms
        .documents()
        .iter()
        .map(ToString::to_string)
        .collect();
    json!({
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"fairhold": "https://fairhold.example/ns#"}],
        "@type": "Agreement",
        "uid": format!("urn:fairhold:agreement:{}:{}", subject.account, subject.at.rfc3339()),
        "profile": "fairhold:terms",
        "fairhold:documents": documents,
        "assignee": format!("urn:fairhold:account:{}", subject.account),
        "conflict": "prohibit",
        "permission": [{"target": "urn:fairhold:outputs", "action": "use"}],
        "prohibition": prohibitions,
    })
}

/// The purposes that a clause prohibits to this subject, by condition.
fn grouped(subject: &Subject<'_>, clause: &Clause) -> BTreeMap<Conditions, BTreeSet<Purpose>> {
    let mut groups: BTreeMap<Conditions, BTreeSet<Purpose>> = BTreeMap::new();
    for purpose in clause.forbids.iter().copied() {
        let waived = subject.authorisations.iter().any(|given| {
            given.clause == clause.id
                && given.lasts(subject.at)
                && given.concerns(Some(purpose), None)
        });
        let excepted = clause
            .exceptions
            .iter()
            .filter(|e| e.purposes.contains(&purpose));
        let conditions: Conditions = excepted.map(|e| e.needs.clone()).collect();
        if !waived && !conditions.contains(&BTreeSet::new()) {
            groups.entry(conditions).or_default().insert(purpose);
        }
    }
    groups
}

fn prohibition(clause: &Clause, purposes: &BTreeSet<Purpose>, conditions: &Conditions) -> Value {
    let words = |set: &BTreeSet<Declaration>| -> Vec<_> { set.iter().map(|d| d.word()).collect() };
    let mut constraints = vec![json!({
        "leftOperand": "purpose",
        "operator": "isAnyOf",
        "rightOperand": purposes.iter().map(|p| p.word()).collect::<Vec<_>>(),
    })];
    constraints.extend(clause.only.map(|only| {
        json!({"leftOperand": "fairhold:declaration", "operator": "isAnyOf", "rightOperand": [only.word()]})
    }));
    // Lacking one of the words of an exception is enough to be outside it.
    constraints.extend(conditions.iter().map(|needs| {
        let lacking = words(needs).into_iter().map(|word| {
            json!({"leftOperand": "fairhold:declaration", "operator": "isNoneOf", "rightOperand": [word]})
        });
        json!({"or": {"@list": lacking.collect::<Vec<_>>()}})
    }));
    json!({
        "uid": format!("urn:fairhold:clause:{}", clause.id),
        "target": "urn:fairhold:outputs",
        "action": "use",
        "dc:description": clause.paraphrase,
        "constraint": constraints,
    })
}

/// What an agreement written by [`write`](fn@write) decides, read from the
/// JSON alone.
pub fn decide(agreement: &Value, purpose: Purpose, declared: &[Declaration]) -> Verdict {
    let rules = |kind: &str| {
        agreement
            .get(kind)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let applies = |rule: &Value| {
        let constraints = rule.get("constraint").and_then(Value::as_array);
        constraints
            .into_iter()
            .flatten()
            .all(|constraint| holds(constraint, purpose, declared))
    };
    let prohibited = rules("prohibition").any(&applies);
    if !prohibited && rules("permission").any(applies) {
        Verdict::Allow
    } else {
        Verdict::Deny
    }
}

fn holds(constraint: &Value, purpose: Purpose, declared: &[Declaration]) -> bool {
    if let Some(either) = constraint.pointer("/or/@list").and_then(Value::as_array) {
        return either.iter().any(|one| holds(one, purpose, declared));
    }
    let text = |name: &str| constraint.get(name).and_then(Value::as_str);
    let right = constraint.get("rightOperand").and_then(Value::as_array);
    let right: BTreeSet<&str> = right
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let left: BTreeSet<&str> = match text("leftOperand") {
        Some("purpose") => BTreeSet::from([purpose.word()]),
        Some("fairhold:declaration") => declared.iter().map(|d| d.word()).collect(),
        _ => return true, // What is not understood restricts.
    };
    match text("operator") {
        Some("isAnyOf") => !left.is_disjoint(&right),
        Some("isNoneOf") => left.is_disjoint(&right),
        _ => true,
    }
}
