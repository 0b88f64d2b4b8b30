//! What was done, in numbers (after the Santa Clara Principles: publish numbers,
//! errors and reversals).

use std::collections::BTreeSet;

use cases::{Case, Deed, Measure};
use console::{MeasureCount, StatisticsView};
use detection::bounds::clopper_pearson;
use facts::Timestamp;
use store::SystemClock;

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The middle of some lengths of time, in hours.
fn median(mut millis: Vec<i64>) -> Option<f64> {
    millis.sort_unstable();
    let middle = *millis.get(millis.len() / 2)?;
    let seconds = i32::try_from(middle / 1_000).unwrap_or(i32::MAX);
    Some(f64::from(seconds) / 3_600.0)
}

#[derive(Default)]
struct Times {
    to_appeal: Vec<i64>,
    to_decision: Vec<i64>,
}

/// From a restriction to its appeal, and from there to the decision.
fn times(case: &Case, into: &mut Times) {
    let mut opened: Option<Timestamp> = None;
    for step in case.steps() {
        match &step.deed {
            Deed::Appealed => {
                opened = Some(step.at);
                let last = case.restrictions().iter().map(|r| r.from);
                if let Some(from) = last.filter(|from| *from <= step.at).max() {
                    into.to_appeal.push(step.at.0.saturating_sub(from.0));
                }
            }
            Deed::Upheld | Deed::Overturned => {
                if let Some(at) = opened.take() {
                    into.to_decision.push(step.at.0.saturating_sub(at.0));
                }
            }
            _ => {}
        }
    }
}

fn deeds(cases: &[Case], of: fn(&Deed) -> bool) -> u64 {
    let steps = cases.iter().flat_map(Case::steps);
    count(steps.filter(|step| of(&step.deed)).count())
}

fn measures(cases: &[Case], now: Timestamp) -> Vec<MeasureCount> {
    let notices = MeasureCount {
        measure: "notice".to_owned(),
        count: count(cases.iter().filter(|c| c.notice().is_some()).count()),
        acting: count(
            cases
                .iter()
                .filter(|c| c.notice().is_some() && !c.closed())
                .count(),
        ),
        automated: count(
            cases
                .iter()
                .filter(|c| c.notice().is_some() && c.observation().automated)
                .count(),
        ),
        reversed: 0,
    };
    let mut rows = vec![notices];
    for word in ["throttle", "mark", "suspend", "terminate"] {
        let mut row = MeasureCount {
            measure: word.to_owned(),
            count: 0,
            acting: 0,
            automated: 0,
            reversed: 0,
        };
        for case in cases {
            let is = |measure: &Measure| measure.word() == word;
            let own = case.restrictions().iter().filter(|r| is(&r.measure));
            for restriction in own {
                row.count += 1;
                row.automated += u64::from(case.observation().automated);
                row.reversed += u64::from(restriction.reversed);
            }
            row.acting += count(case.standing(now).iter().filter(|f| is(&f.measure)).count());
        }
        rows.push(row);
    }
    rows
}

/// The numbers of these cases.
pub(super) fn of(cases: &[Case]) -> StatisticsView {
    let mut all = Times::default();
    for case in cases {
        times(case, &mut all);
    }
    let accounts: BTreeSet<_> = cases.iter().flat_map(Case::accounts).collect();
    let decided = all.to_decision.len();
    let appealed = |case: &&Case| {
        let steps = case.steps().iter();
        steps.clone().any(|s| s.deed == Deed::Overturned)
            && steps.clone().any(|s| s.deed == Deed::Appealed)
    };
    let overturned = cases.iter().filter(appealed).count().min(decided);
    StatisticsView {
        cases: count(cases.len()),
        accounts: count(accounts.len()),
        measures: measures(cases, SystemClock.now()),
        automated: count(cases.iter().filter(|c| c.observation().automated).count()),
        decided_by_nobody: 0,
        appeals: deeds(cases, |deed| *deed == Deed::Appealed),
        decided: count(decided),
        overturned: count(overturned),
        overturn_interval: if decided == 0 {
            (0.0, 1.0)
        } else {
            clopper_pearson(overturned, decided, 0.05)
        },
        hours_to_appeal: median(all.to_appeal),
        hours_to_decision: median(all.to_decision),
        returned: deeds(cases, |deed| *deed == Deed::Returned),
        emergencies: deeds(cases, |deed| matches!(deed, Deed::Emergency(_))),
    }
}
