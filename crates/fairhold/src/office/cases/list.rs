//! Pages of cases, and who works on which.

use std::collections::HashMap;

use console::{CasesAsked, CasesView, ClaimView, OfficeError};
use facts::{AccountId, Span, Timestamp};
use store::{ClaimRow, SummariesAsked, SystemClock};

use super::summary::line;
use super::{broken, malformed, one};
use crate::keeper::Keeper;

/// Cases of a page where nothing is said.
const USUAL: u32 = 50;
/// And at most.
const MOST: u32 = 500;
/// How long a claim holds: long enough to read a case, short enough that one left behind is free soon.
const CLAIM: Span = Span(30 * 60_000);

fn place(text: &str) -> Option<(Timestamp, String)> {
    let (due, case) = text.split_once(':')?;
    Some((Timestamp(due.parse().ok()?), case.to_owned()))
}

fn read(asked: &CasesAsked) -> Result<SummariesAsked, OfficeError> {
    let after = asked.after.as_deref().map(|text| {
        place(text).ok_or_else(|| {
            OfficeError::Invalid("`after` is `next` of the page before, as it was given".to_owned())
        })
    });
    let account = asked.account.as_deref().map(AccountId::parse);
    Ok(SummariesAsked {
        awaits: asked.awaits.clone(),
        closed: asked.closed,
        account: account.transpose().map_err(|e| malformed(&e))?,
        after: after.transpose()?,
    })
}

/// A page of cases.
pub(crate) async fn cases(keeper: &Keeper, asked: &CasesAsked) -> Result<CasesView, OfficeError> {
    let now = SystemClock.now();
    let limit = asked.limit.unwrap_or(USUAL).clamp(1, MOST);
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    // One more than is shown says whether there is a next page.
    let page = if asked.state.is_some() {
        MOST
    } else {
        limit.saturating_add(1)
    };
    let read_at_once = usize::try_from(page).unwrap_or(usize::MAX);
    let database = keeper.database();
    let mut place = read(asked)?;
    let mut claims: HashMap<String, ClaimRow> = database
        .claims(now)
        .await
        .map_err(broken)?
        .into_iter()
        .map(|claim| (claim.case_id.clone(), claim))
        .collect();
    let (mut found, mut next) = (Vec::new(), None);
    let mut last = None;
    // The state depends on the time, so that it is not asked of the store: read on until a page is full.
    'pages: loop {
        let rows = database.summaries(&place, page).await.map_err(broken)?;
        for row in &rows {
            let mut line = line(row, now)?;
            if asked
                .state
                .as_ref()
                .is_some_and(|state| *state != line.state)
            {
                continue;
            }
            if found.len() == wanted {
                next = last;
                break 'pages;
            }
            last = Some(format!("{}:{}", row.due.0, row.case_id));
            line.claim = claims.remove(&row.case_id).map(claim);
            found.push(line);
        }
        match rows.last() {
            Some(end) if rows.len() >= read_at_once => {
                place.after = Some((end.due, end.case_id.clone()));
            }
            _ => break,
        }
    }
    Ok(CasesView {
        cases: found,
        next,
        counts: database.awaiting().await.map_err(broken)?,
    })
}

fn claim(row: ClaimRow) -> ClaimView {
    ClaimView {
        case: row.case_id,
        by: row.person,
        until: row.until.rfc3339(),
    }
}

/// Claims a case, or makes one's claim longer.
pub(crate) async fn claimed(
    keeper: &Keeper,
    case: &str,
    by: &str,
) -> Result<ClaimView, OfficeError> {
    one(keeper, case).await?;
    let now = SystemClock.now();
    let row = ClaimRow {
        case_id: case.to_owned(),
        person: by.to_owned(),
        until: now.plus(CLAIM),
    };
    let database = keeper.database();
    if database.claim(&row, now).await.map_err(broken)? {
        return Ok(claim(row));
    }
    let claims = database.claims(now).await.map_err(broken)?;
    let other = claims.into_iter().find(|claim| claim.case_id == case);
    let who = other.map_or_else(|| "somebody else".to_owned(), |claim| claim.person);
    Err(OfficeError::Conflict(format!(
        "`{who}` works on case `{case}`: take another one"
    )))
}

/// Ends a claim.
pub(crate) async fn unclaimed(
    keeper: &Keeper,
    case: &str,
    by: &str,
) -> Result<ClaimView, OfficeError> {
    if !keeper.database().unclaim(case, by).await.map_err(broken)? {
        return Err(OfficeError::NotFound(format!(
            "`{by}` has no claim on case `{case}`"
        )));
    }
    Ok(ClaimView {
        case: case.to_owned(),
        by: by.to_owned(),
        until: SystemClock.now().rfc3339(),
    })
}
