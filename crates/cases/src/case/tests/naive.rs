//! The rules once more, without a machine: every question is answered by
//! scanning the list of steps that were taken. Written from the rules, shares
//! nothing with the machine but the types of steps.

use std::collections::BTreeSet;

use crate::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn position(taken: &[Step], what: impl Fn(&Deed) -> bool) -> Option<usize> {
    taken.iter().rposition(|s| what(&s.deed))
}

fn after(taken: &[Step], from: usize, what: impl Fn(&Deed) -> bool) -> Option<usize> {
    (from + 1..taken.len()).find(|n| what(&taken[*n].deed))
}

fn observation(taken: &[Step]) -> &Observation {
    match &taken[0].deed {
        Deed::Observed(o) => o,
        other => panic!("{other:?}"),
    }
}

fn closed(taken: &[Step]) -> bool {
    position(taken, |d| matches!(d, Deed::Dismissed | Deed::Overturned)).is_some()
}

fn notice(taken: &[Step]) -> Option<(usize, &Notice)> {
    taken.iter().enumerate().find_map(|(n, s)| match &s.deed {
        Deed::Noticed(notice) => Some((n, notice)),
        _ => None,
    })
}

fn pending(taken: &[Step]) -> Option<(&Step, &Proposal)> {
    let n = position(taken, |d| matches!(d, Deed::Proposed(_)))?;
    let gone = after(taken, n, |d| {
        matches!(
            d,
            Deed::Approved
                | Deed::Returned
                | Deed::Overturned
                | Deed::Dismissed
                | Deed::Reopened(_)
        )
    });
    match (&taken[n].deed, gone) {
        (Deed::Proposed(p), None) => Some((&taken[n], p)),
        _ => None,
    }
}

fn decides(deed: &Deed) -> bool {
    matches!(deed, Deed::Upheld | Deed::Overturned)
}

fn appealing(taken: &[Step]) -> bool {
    let opened = position(taken, |d| matches!(d, Deed::Appealed));
    opened.is_some_and(|n| after(taken, n, decides).is_none())
}

/// Review periods: (first reversal, when it ended if it did).
fn reviews(taken: &[Step]) -> Vec<(usize, Option<usize>)> {
    let mut all = Vec::new();
    let mut from = 0;
    while let Some(begun) = after(taken, from, |d| matches!(d, Deed::Reopened(_))) {
        let end = after(taken, begun, |d| decides(d) || matches!(d, Deed::Dismissed));
        all.push((begun, end));
        match end {
            Some(end) => from = end,
            None => break,
        }
    }
    all
}

fn reviewing(taken: &[Step]) -> bool {
    reviews(taken).last().is_some_and(|(_, end)| end.is_none())
}

fn kind(measure: &Measure) -> u8 {
    match measure {
        Measure::Throttle(_) => 0,
        Measure::Mark => 1,
        Measure::Suspend => 2,
        Measure::Terminate => 3,
    }
}

pub(super) struct Made {
    n: usize,
    pub(super) kind: u8,
    pub(super) from: i64,
    pub(super) end: i64,
    pub(super) emergency: bool,
}

/// Everything that came into force, with its end as known now.
pub(super) fn made(taken: &[Step]) -> Vec<Made> {
    let mut all = Vec::new();
    for (n, step) in taken.iter().enumerate() {
        let (kind, planned, emergency) = match &step.deed {
            Deed::Emergency(_) => (0, step.at.0 + 4 * HOUR, true),
            Deed::Approved => {
                let (_, p) = pending(&taken[..n]).unwrap();
                (kind(&p.measure), p.until.map_or(i64::MAX, |t| t.0), false)
            }
            _ => continue,
        };
        all.push(Made {
            n,
            kind,
            from: step.at.0,
            end: planned,
            emergency,
        });
    }
    let next: Vec<(usize, u8, i64)> = all.iter().map(|m| (m.n, m.kind, m.from)).collect();
    for one in &mut all {
        let replaced = next
            .iter()
            .find(|(n, kind, _)| *n > one.n && *kind == one.kind);
        let mut ends: Vec<i64> = replaced.map(|r| r.2).into_iter().collect();
        for (begun, end) in reviews(taken) {
            let lapse = taken[begun].at.0 + 7 * DAY;
            let held = end.is_none_or(|end| lapse <= taken[end].at.0);
            if begun > one.n && held {
                ends.push(lapse);
            }
        }
        for later in &taken[one.n + 1..] {
            if matches!(later.deed, Deed::Overturned | Deed::Reinstated) {
                ends.push(later.at.0);
            }
        }
        one.end = ends.into_iter().fold(one.end, i64::min);
    }
    all
}

/// What acts at `now`: kinds with ends.
pub(super) fn acting(taken: &[Step], now: i64) -> Vec<(u8, i64)> {
    let all = made(taken).into_iter();
    all.filter(|m| m.from <= now && now < m.end)
        .map(|m| (m.kind, m.end))
        .collect()
}

/// Whether the accused may still contest something.
pub(super) fn appealable(taken: &[Step], now: i64) -> bool {
    made(taken).iter().any(|m| {
        let mut heard = false;
        for (n, step) in taken.iter().enumerate().skip(m.n + 1) {
            if matches!(step.deed, Deed::Appealed) {
                heard |= after(taken, n, decides).is_some();
            }
            heard |= matches!(step.deed, Deed::Overturned);
        }
        !heard && now <= m.from + 183 * DAY
    })
}

fn protected(taken: &[Step], now: i64) -> bool {
    let offered = position(taken, |d| matches!(d, Deed::Undertaken(_)));
    let Some(offered) = offered else { return false };
    let Deed::Undertaken(conditions) = &taken[offered].deed else {
        return false;
    };
    if after(taken, offered, |d| matches!(d, Deed::Accepted)).is_none() {
        return false;
    }
    let mut unchecked = 0;
    for (n, condition) in conditions.iter().enumerate() {
        let of = |s: &&Step| matches!(s.deed, Deed::Checked { condition, .. } if condition as usize == n);
        match taken[offered..].iter().find(of).map(|s| &s.deed) {
            Some(Deed::Checked { met: false, .. }) => return false,
            Some(_) => {}
            None if condition.by.0 < now => return false,
            None => unchecked += 1,
        }
    }
    unchecked > 0
}

fn due(taken: &[Step], p: &Proposal, at: i64) -> bool {
    let ended = p.until.is_some_and(|until| until.0 <= at);
    let terminated = acting(taken, at).iter().any(|(kind, _)| *kind == 3);
    if ended || terminated || protected(taken, at) {
        return false;
    }
    let warned = notice(taken).filter(|(n, notice)| {
        let answer = |d: &Deed| matches!(d, Deed::Declared | Deed::Undertaken(_));
        after(taken, *n, answer).is_some() || notice.due.0 < at
    });
    match p.measure {
        Measure::Throttle(_) | Measure::Mark => true,
        Measure::Suspend => {
            warned.is_some() || taken.iter().any(|s| matches!(s.deed, Deed::Emergency(_)))
        }
        Measure::Terminate => warned.is_some_and(|(n, _)| taken[n].at.0 + 30 * DAY <= at),
    }
}

fn same(a: &Actor, b: &Actor) -> bool {
    a.person == b.person || a.identity == b.identity
}

fn throttle(limits: Limits) -> bool {
    let both = [limits.requests_per_minute, limits.tokens_per_minute];
    both.iter().any(Option::is_some) && !both.contains(&Some(0))
}

fn role_fits(step: &Step) -> bool {
    let staff = [Role::Reviewer, Role::Approver];
    match step.deed {
        Deed::Observed(_) => false,
        Deed::Noticed(_)
        | Deed::Accepted
        | Deed::Checked { .. }
        | Deed::Proposed(_)
        | Deed::Returned
        | Deed::Reinstated
        | Deed::Dismissed => staff.contains(&step.by.role),
        Deed::Emergency(_) => staff.contains(&step.by.role) || step.by.role == Role::Administrator,
        Deed::Approved | Deed::Upheld | Deed::Overturned => step.by.role == Role::Approver,
        Deed::Declared | Deed::Undertaken(_) | Deed::Appealed | Deed::EvidenceAdded => {
            step.by.role == Role::Customer
        }
        Deed::Reopened(_) => step.by.role == Role::System,
    }
}

/// Whether `step` may follow what was taken.
pub(super) fn allows(taken: &[Step], step: &Step) -> bool {
    let at = step.at.0;
    if at < taken[taken.len() - 1].at.0 || !role_fits(step) {
        return false;
    }
    let names: BTreeSet<&str> = observation(taken)
        .accounts
        .iter()
        .map(facts::AccountId::as_str)
        .collect();
    if step.by.role == Role::Customer && !names.contains(step.by.person.as_str()) {
        return false;
    }
    let said = !step.comment.trim().is_empty();
    let told = notice(taken).is_some() || !made(taken).is_empty();
    let open = !closed(taken);
    let workable = open && !reviewing(taken);
    let contested = appealing(taken) || reviewing(taken);
    let staff = |s: &&Step| !matches!(s.by.role, Role::Customer | Role::System);
    let stranger = !taken.iter().filter(staff).any(|s| same(&s.by, &step.by));
    match &step.deed {
        Deed::Observed(_) => false,
        Deed::Noticed(n) => open && notice(taken).is_none() && n.due.0 >= at + 3 * DAY,
        Deed::Declared => open && told && said,
        Deed::Undertaken(conditions) => {
            let future = conditions.iter().all(|c| at < c.by.0);
            open && told && !protected(taken, at) && !conditions.is_empty() && future
        }
        Deed::Accepted => {
            let offered = position(taken, |d| matches!(d, Deed::Undertaken(_)));
            open && offered.is_some_and(|n| after(taken, n, |d| *d == Deed::Accepted).is_none())
        }
        Deed::Checked { condition, .. } => {
            let offered = position(taken, |d| matches!(d, Deed::Undertaken(_)));
            let again =
                |d: &Deed| matches!(d, Deed::Checked { condition: c, .. } if c == condition);
            open && offered.is_some_and(|n| {
                let exists = matches!(&taken[n].deed, Deed::Undertaken(all) if (*condition as usize) < all.len());
                let accepted = after(taken, n, |d| *d == Deed::Accepted).is_some();
                exists && accepted && after(taken, n, again).is_none()
            })
        }
        Deed::Proposed(p) => {
            let limits = match p.measure {
                Measure::Throttle(limits) => throttle(limits),
                Measure::Terminate => p.until.is_none(),
                Measure::Mark | Measure::Suspend => true,
            };
            workable && pending(taken).is_none() && limits && due(taken, p, at)
        }
        Deed::Approved => {
            workable
                && pending(taken)
                    .is_some_and(|(by, p)| !same(&by.by, &step.by) && due(taken, p, at))
        }
        Deed::Returned => pending(taken).is_some() && said,
        Deed::Emergency(limits) => {
            workable && said && throttle(*limits) && !made(taken).iter().any(|m| m.emergency)
        }
        Deed::Appealed => said && !appealing(taken) && appealable(taken, at),
        Deed::EvidenceAdded => contested && said,
        Deed::Upheld => contested && stranger && said,
        Deed::Overturned => contested && stranger,
        Deed::Reinstated => {
            let reversed = position(taken, |d| *d == Deed::Overturned);
            let to_do = reversed.is_some_and(|n| {
                after(taken, n, |d| matches!(d, Deed::Reinstated | Deed::Upheld)).is_none()
            });
            to_do || !acting(taken, at).is_empty()
        }
        Deed::Dismissed => open && !appealing(taken) && acting(taken, at).is_empty(),
        Deed::Reopened(because) => {
            let done = |d: &Deed| matches!(d, Deed::Reopened(b) if b == because);
            open && observation(taken).rests_on.contains(because) && position(taken, done).is_none()
        }
    }
}
