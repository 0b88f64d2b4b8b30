//! Does one raw field alone tell harvest from honest? Then the pool is too
//! easy, and what is measured on it says little.

use std::collections::BTreeMap;

use crate::benchmark::pool::{Item, Pool};

/// Above this, a pool leaks.
pub const LEAK: f64 = 0.75;

/// What a raw field says of a prompt, as a number.
type Field<'a> = &'a dyn Fn(&Item) -> f64;

/// For each raw field, the area under its ROC (or one minus it, whichever is more), sources
/// weighing alike.
pub fn leaks(pool: &Pool) -> BTreeMap<String, f64> {
    let last = |i: &Item| i.prompt.last().map_or("", |(role, _)| role.as_str()).len();
    let fields: [(&str, Field<'_>); 6] = [
        ("system_message", &|i| {
            f64::from(i.prompt.iter().any(|(role, _)| role == "system"))
        }),
        ("messages", &|i| {
            f64::from(u32::try_from(i.prompt.len()).unwrap_or(0))
        }),
        ("characters", &|i| f64::from(i.characters)),
        ("last_role", &|i| {
            f64::from(u32::try_from(last(i)).unwrap_or(0))
        }),
        ("ascii", &|i| {
            f64::from(i.prompt.iter().all(|(_, text)| text.is_ascii()))
        }),
        ("answer_recorded", &|i| f64::from(i.answered)),
    ];
    let area = |of: &dyn Fn(&Item) -> f64| {
        let auc = auc(pool, of);
        auc.max(1.0 - auc)
    };
    fields
        .iter()
        .map(|(name, of)| ((*name).to_owned(), area(*of)))
        .collect()
}

/// The chance that a random harvest prompt has more of it than a random honest one.
fn auc(pool: &Pool, of: &dyn Fn(&Item) -> f64) -> f64 {
    let count = |harvest: bool| {
        let n = pool.sources.iter().filter(|s| s.harvest == harvest).count();
        f64::from(u32::try_from(n.max(1)).unwrap_or(1))
    };
    let (harvests, others) = (count(true), count(false));
    let mut all: Vec<(f64, f64, f64)> = Vec::new();
    for source in &pool.sources {
        let each = 1.0 / f64::from(u32::try_from(source.items.len().max(1)).unwrap_or(1));
        for item in &source.items {
            let (own, other) = if source.harvest {
                (each / harvests, 0.0)
            } else {
                (0.0, each / others)
            };
            all.push((of(item), own, other));
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut area) = (0.0, 0.0);
    for run in all.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let (own, other) = run.iter().fold((0.0, 0.0), |(o, h), r| (o + r.1, h + r.2));
        area += own * (below + other / 2.0);
        below += other;
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::own::own_pool;

    #[test]
    fn a_field_that_tells_all_has_an_area_of_one_and_a_constant_one_of_a_half() {
        let pool = own_pool(1);
        let harvest: Vec<*const Item> = pool
            .sources
            .iter()
            .filter(|s| s.harvest)
            .flat_map(|s| s.items.iter().map(std::ptr::from_ref))
            .collect();
        let tells = |i: &Item| f64::from(harvest.contains(&std::ptr::from_ref(i)));
        assert!((auc(&pool, &tells) - 1.0).abs() < 1e-9);
        assert!((auc(&pool, &|_| 3.0) - 0.5).abs() < 1e-9);
    }
}
