//! One line of the table, opened to its reasons.

use console::{DetectionView, RingView, SuspectView};

use super::table::{Row, Rows, figure, grouped, plain};

/// The reasons of line `asked`, or of the account whose name begins with it.
///
/// # Errors
/// In words, when there is no such line, no such account, or more than one.
pub(super) fn open(
    found: &DetectionView,
    rows: &Rows<'_>,
    asked: &str,
) -> Result<Vec<String>, String> {
    let number = asked.parse::<usize>().ok();
    let line = number.and_then(|n| rows.listed.get(n.checked_sub(1)?));
    let lines = match line {
        Some(Row::Ring(ring)) => of_ring(found, ring),
        Some(Row::Account(suspect)) => of_account(suspect),
        None => of_name(found, rows, asked)?,
    };
    Ok(lines.iter().map(|line| plain(line)).collect())
}

fn of_name(found: &DetectionView, rows: &Rows<'_>, asked: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<&str> = found.suspects.iter().map(|s| s.account.as_str()).collect();
    let gathered = found.rings.iter().chain(&found.observed);
    let members = gathered.flat_map(|ring| &ring.members);
    names.extend(members.map(|member| member.account.as_str()));
    names.retain(|name| name.starts_with(asked));
    names.sort_unstable();
    names.dedup();
    let name = match names.as_slice() {
        [] => {
            return Err(format!(
                "`{asked}` is neither a line (1 to {}) nor an account that was judged: accounts of \
                 fewer than {} exchanges are not, and others are spelled as in the logs",
                rows.listed.len(),
                found.exchanges_min
            ));
        }
        [one] => *one,
        [first, ..] if *first == asked => *first,
        [first, second, ..] => {
            return Err(format!(
                "`{asked}` is the beginning of {} accounts, for example `{first}` and `{second}`: \
                 give more of it",
                names.len()
            ));
        }
    };
    let mut lines = Vec::new();
    if let Some(suspect) = found.suspects.iter().find(|s| s.account == name) {
        lines.extend(of_account(suspect));
    }
    for ring in found.rings.iter().chain(&found.observed) {
        if ring.members.iter().any(|member| member.account == name) {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(of_ring(found, ring));
        }
    }
    Ok(lines)
}

fn of_account(suspect: &SuspectView) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} exchanges, p {}; what may follow: {}",
        suspect.account,
        grouped(suspect.exchanges),
        figure(suspect.rank.p),
        suspect.may.words()
    )];
    lines.extend(suspect.reasons.iter().map(|reason| format!("- {reason}")));
    lines.push(format!(
        "- Over all looks so far the chance is at most {}. Its prompts look most like those of {} \
         customers.",
        figure(suspect.anytime),
        suspect.peers
    ));
    lines
}

fn of_ring(found: &DetectionView, ring: &RingView) -> Vec<String> {
    let what = if found.rings.contains(ring) {
        "ring"
    } else {
        "gathering, not named,"
    };
    let mut lines = vec![format!(
        "{what} of {} accounts: {} exchanges, p {}; what may follow: {}",
        ring.members.len(),
        grouped(ring.exchanges()),
        figure(ring.bound),
        ring.may.words()
    )];
    lines.extend(ring.reasons.iter().map(|reason| format!("- {reason}")));
    for member in &ring.members {
        let own = found.suspects.iter().find(|s| s.account == member.account);
        let own = own.map_or("too small to be judged by itself".to_owned(), |s| {
            format!("by itself p {}", figure(s.rank.p))
        });
        lines.push(format!(
            "    {:<40} {:>9} exchanges   {own}",
            member.account,
            grouped(member.exchanges)
        ));
    }
    lines
}

#[cfg(test)]
mod tests;
