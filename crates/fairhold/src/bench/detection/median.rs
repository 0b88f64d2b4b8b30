//! Seeds put together: the median of each figure, and its range beside it.

use serde_json::{Map, Number, Value, json};
use simulation::benchmark::SeedResult;

use crate::failure::Failure;

/// Medians under their names, and `range` with the same names: [least, greatest].
pub(super) fn of(seeds: &[SeedResult]) -> Result<Map<String, Value>, Failure> {
    let each: Result<Vec<Value>, _> = seeds.iter().map(serde_json::to_value).collect();
    let each = each.map_err(|e| Failure::error(format!("failed to write the report: {e}")))?;
    let whole: Vec<&Value> = each.iter().collect();
    let mut made = match put(&whole, &middle) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    made.remove("scores");
    let mut range = put(&whole, &ends);
    if let Some(map) = range.as_object_mut() {
        map.remove("scores");
        map.remove("realised");
    }
    made.insert("range".to_owned(), range);
    Ok(made)
}

/// Numbers put together by `of`; words as the first has them.
fn put(all: &[&Value], of: &dyn Fn(&mut [f64]) -> Value) -> Value {
    match all.first() {
        Some(Value::Object(first)) => {
            let keys = first.keys().map(|key| {
                let below: Vec<&Value> = all.iter().filter_map(|v| v.get(key)).collect();
                (key.clone(), put(&below, of))
            });
            Value::Object(keys.collect())
        }
        Some(Value::Array(first)) => {
            let places = 0..first.len();
            Value::Array(
                places
                    .map(|n| {
                        let below: Vec<&Value> = all.iter().filter_map(|v| v.get(n)).collect();
                        put(&below, of)
                    })
                    .collect(),
            )
        }
        Some(Value::Number(_)) => {
            of(&mut all.iter().filter_map(|v| v.as_f64()).collect::<Vec<f64>>())
        }
        Some(other) => (*other).clone(),
        None => Value::Null,
    }
}

fn middle(all: &mut [f64]) -> Value {
    all.sort_by(f64::total_cmp);
    let at = |n: usize| all.get(n).copied().unwrap_or(0.0);
    let half = all.len() / 2;
    let middle = if all.len() % 2 == 1 {
        at(half)
    } else {
        f64::midpoint(at(half.saturating_sub(1)), at(half))
    };
    number(middle)
}

fn ends(all: &mut [f64]) -> Value {
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    json!([number(least), number(most)])
}

/// Six places say all there is to say.
fn number(x: f64) -> Value {
    Number::from_f64((x * 1e6).round() / 1e6).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests;
