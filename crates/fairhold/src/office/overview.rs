//! An account at a glance, from sums and indexes: however much it sent, the
//! page takes the same time.

use std::collections::BTreeMap;

use console::{
    CasesAsked, ClusterLine, ClusterView, DayView, ExchangeLine, HeldMeasure, LimitView,
    MeasureView, NewLimits, OfficeError, OverviewView, RingView,
};
use engine::quota::Limits;
use engine::{Act, Held, Scope};
use evidence::{Event, Record};
use facts::{AccountId, Timestamp};
use store::{ClusterRow, JournalRow, SystemClock};

use super::people::malformed;
use crate::keeper::Keeper;

/// Days that are shown.
const DAYS: usize = 90;
/// Records that are shown.
const RECENT: u32 = 20;
/// Cases that are shown.
const CASES: u32 = 50;

fn broken(error: impl std::fmt::Display) -> OfficeError {
    OfficeError::Unavailable(format!("failed to read the account: {error}"))
}

fn measure(held: &Held) -> HeldMeasure {
    let limits = match held.act {
        Act::Throttle {
            requests_per_minute,
            tokens_per_minute,
        } => NewLimits {
            requests_per_minute,
            tokens_per_minute,
        },
        Act::Notice | Act::Mark | Act::Suspend | Act::Terminate => NewLimits::default(),
    };
    HeldMeasure {
        case: held.case.to_string(),
        clause: held.clause.to_string(),
        measure: MeasureView {
            measure: held.act.word().to_owned(),
            limits,
            from: String::new(),
            until: held.until.map(Timestamp::rfc3339),
            emergency: false,
        },
    }
}

fn exchange(row: &JournalRow) -> Option<ExchangeLine> {
    let (seq, record) = Record::parse(&row.leaf).ok()?;
    let (exchange, said) = match &record.event {
        Event::Intent {
            exchange, model, ..
        } => (exchange, model.to_string()),
        Event::Completion {
            exchange, ending, ..
        } => (exchange, format!("{ending:?}").to_lowercase()),
        Event::Refusal { exchange, code, .. } => (exchange, code.clone()),
        Event::CaseStep { .. }
        | Event::Asked { .. }
        | Event::Judged { .. }
        | Event::Directory { .. }
        | Event::Erased { .. }
        | Event::Expired { .. }
        | Event::BodyRead { .. } => return None,
    };
    Some(ExchangeLine {
        seq,
        exchange: exchange.to_string(),
        at: record.at.rfc3339(),
        kind: row.kind.clone(),
        said,
    })
}

fn day(number: i64) -> String {
    let at = Timestamp(number.saturating_mul(86_400_000)).rfc3339();
    at.chars().take(10).collect()
}

fn limits(of: Limits, today: &DayView, spent: u64) -> Vec<LimitView> {
    let line = |what: &str, limit: Option<u64>, used| {
        Some(LimitView {
            what: what.to_owned(),
            limit: limit?,
            used,
        })
    };
    let all = [
        line("requests_per_minute", of.requests_per_minute, None),
        line("tokens_per_minute", of.tokens_per_minute, None),
        line(
            "requests_per_day",
            of.requests_per_day,
            Some(today.requests),
        ),
        line("tokens_per_day", of.tokens_per_day, Some(today.tokens)),
        line("budget_micro_usd", of.budget.map(|b| b.0), Some(spent)),
    ];
    all.into_iter().flatten().collect()
}

/// The account.
pub(super) async fn of(keeper: &Keeper, name: &str) -> Result<OverviewView, OfficeError> {
    let account = AccountId::parse(name).map_err(|e| malformed(&e))?;
    let now = SystemClock.now();
    let known = keeper.ask(|engine| {
        let directory = engine.directory();
        let row = directory.account(&account)?;
        let project = directory.project(&row.project);
        let (settled, _) = engine.spent(&Scope::Account(account.clone()));
        let view = OverviewView {
            account: row.id.to_string(),
            project: row.project.to_string(),
            organisation: project
                .map(|p| p.organisation.to_string())
                .unwrap_or_default(),
            standing: row.standing.word(now).to_owned(),
            purposes: project.map(|p| p.purposes.clone()).unwrap_or_default(),
            in_force: row
                .standing
                .held()
                .iter()
                .filter(|held| held.until.is_none_or(|until| now < until))
                .map(measure)
                .collect(),
            micro_usd: settled.0,
            ..OverviewView::default()
        };
        Some((view, row.limits))
    });
    let Some((mut view, own)) = known else {
        return Err(OfficeError::NotFound(format!(
            "there is no account `{account}`; `fairhold account list` shows all"
        )));
    };
    let database = keeper.database();
    let mut days: BTreeMap<i64, DayView> = BTreeMap::new();
    for row in database.spend_of(&account).await.map_err(broken)? {
        let sum = days.entry(row.day).or_default();
        sum.requests += row.requests;
        sum.tokens += row.tokens;
        sum.micro_usd += row.amount.0;
        view.requests += row.requests;
        view.tokens += row.tokens;
    }
    let today = days.get(&now.0.div_euclid(86_400_000)).cloned();
    view.limits = limits(own, &today.unwrap_or_default(), view.micro_usd);
    let last = days.into_iter().rev().take(DAYS);
    view.days = last
        .map(|(number, sum)| DayView {
            day: day(number),
            ..sum
        })
        .collect();
    view.days.reverse();
    let recent = database.last_records_of(&account, RECENT).await;
    view.recent = recent
        .map_err(broken)?
        .iter()
        .filter_map(exchange)
        .collect();
    let asked = CasesAsked {
        account: Some(account.to_string()),
        limit: Some(CASES),
        ..CasesAsked::default()
    };
    view.cases = super::cases::listed(keeper, &asked).await?.cases;
    view.findings = database.finding_count(&account).await.map_err(broken)?;
    Ok(view)
}

fn ring(row: &ClusterRow) -> Result<RingView, OfficeError> {
    serde_json::from_str(&row.json).map_err(broken)
}

/// Gatherings that detection found last, the surest first.
pub(super) async fn clusters(keeper: &Keeper) -> Result<Vec<ClusterLine>, OfficeError> {
    let rows = keeper.database().clusters(None).await.map_err(broken)?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let ring = ring(&row)?;
        all.push(ClusterLine {
            id: row.id,
            at: row.at.rfc3339(),
            accounts: ring.members.len() as u64,
            score: ring.score,
            bound: ring.bound,
            because: ring.because,
        });
    }
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(all)
}

/// One of them, with where its accounts stand now.
pub(super) async fn cluster(keeper: &Keeper, id: &str) -> Result<ClusterView, OfficeError> {
    let rows = keeper.database().clusters(Some(id)).await.map_err(broken)?;
    let Some(row) = rows.first() else {
        return Err(OfficeError::NotFound(format!(
            "there is no gathering `{id}`; `fairhold detect` looks for them"
        )));
    };
    let ring = ring(row)?;
    let now = SystemClock.now();
    let standing = |name: &str| {
        let account = AccountId::parse(name).ok()?;
        keeper.ask(|engine| {
            let row = engine.directory().account(&account)?;
            Some(row.standing.word(now).to_owned())
        })
    };
    let members = ring.members.iter();
    Ok(ClusterView {
        id: row.id.clone(),
        at: row.at.rfc3339(),
        standings: members
            .map(|member| standing(&member.account).unwrap_or_else(|| "unknown".to_owned()))
            .collect(),
        ring,
    })
}

/// Keeps what detection found, for pages.
pub(super) async fn keep(keeper: &Keeper, rings: &[RingView]) -> Result<(), OfficeError> {
    let at = SystemClock.now();
    let row = |(n, ring): (usize, &RingView)| {
        let name = if ring.programme.is_empty() {
            format!("gathering-{}", n + 1)
        } else {
            ring.programme.clone()
        };
        let json = serde_json::to_string(ring).map_err(broken)?;
        Ok(ClusterRow { id: name, at, json })
    };
    let rows: Vec<ClusterRow> = rings
        .iter()
        .enumerate()
        .map(row)
        .collect::<Result<_, OfficeError>>()?;
    keeper.database().keep_clusters(&rows).await.map_err(broken)
}
