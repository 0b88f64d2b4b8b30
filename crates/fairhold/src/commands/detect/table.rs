//! The ranked table: rings first, then accounts, one line each.

use std::collections::BTreeSet;

use console::{DetectionView, LookView, MayView, RingView, SuspectView};

/// Accounts that are listed without being asked for all.
const ACCOUNTS_MAX: usize = 20;
/// Characters of a name.
const NAME_MAX: usize = 32;

/// One line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'a> {
    /// Accounts that run one programme.
    Ring(&'a RingView),
    /// An account by itself.
    Account(&'a SuspectView),
}

impl<'a> Row<'a> {
    /// All that may follow.
    pub(super) fn may(self) -> MayView {
        match self {
            Self::Ring(ring) => ring.may,
            Self::Account(suspect) => suspect.may,
        }
    }

    /// Its first account.
    pub(super) fn account(self) -> &'a str {
        match self {
            Self::Ring(ring) => ring.members.first().map_or("", |m| m.account.as_str()),
            Self::Account(suspect) => &suspect.account,
        }
    }

    /// Who it is about.
    pub(super) fn who(self) -> String {
        match self {
            Self::Ring(ring) => {
                format!("ring of {}: {}, ...", ring.members.len(), self.account())
            }
            Self::Account(suspect) => suspect.account.clone(),
        }
    }

    /// Its exchanges.
    pub(super) fn exchanges(self) -> u64 {
        match self {
            Self::Ring(ring) => ring.exchanges(),
            Self::Account(suspect) => suspect.exchanges,
        }
    }

    /// How often the honest look like this, at most.
    pub(super) fn p(self) -> f64 {
        match self {
            Self::Ring(ring) => ring.bound,
            Self::Account(suspect) => suspect.rank.p,
        }
    }

    /// The strongest reason.
    pub(super) fn because(self) -> &'a str {
        match self {
            Self::Ring(ring) => &ring.because,
            Self::Account(suspect) => &suspect.because,
        }
    }
}

/// The lines, and how many accounts that stand out are not among them.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    /// In order; their numbers begin with 1.
    pub(super) listed: Vec<Row<'a>>,
    /// Accounts left out.
    pub(super) hidden: usize,
}

impl<'a> Rows<'a> {
    /// Rings, then accounts of which something may follow; who is in a ring is told with it.
    pub(super) fn of(found: &'a DetectionView, all: bool) -> Self {
        let ringed: BTreeSet<&str> = found
            .rings
            .iter()
            .flat_map(|ring| &ring.members)
            .map(|member| member.account.as_str())
            .collect();
        let outstanding =
            |s: &&SuspectView| s.may != MayView::Watch && !ringed.contains(s.account.as_str());
        let accounts: Vec<&SuspectView> = found.suspects.iter().filter(outstanding).collect();
        let shown = if all { accounts.len() } else { ACCOUNTS_MAX };
        let hidden = accounts.len().saturating_sub(shown);
        let rings = found.rings.iter().map(Row::Ring);
        let accounts = accounts.into_iter().take(shown).map(Row::Account);
        Self {
            listed: rings.chain(accounts).collect(),
            hidden,
        }
    }
}

/// All that is printed when no line is opened.
pub(super) fn lines(found: &DetectionView, rows: &Rows<'_>) -> Vec<String> {
    let mut out = vec![format!(
        "{} exchanges of {} accounts",
        grouped(found.exchanges),
        grouped(found.accounts as u64)
    )];
    if rows.listed.is_empty() {
        out.push("nothing stands out, as far as these exchanges show".to_owned());
    } else {
        out.push(
            "These look unlike honest use, the least like it first. A line is a reason to look \
             or to ask, not a verdict."
                .to_owned(),
        );
        out.push(String::new());
        out.extend(ruled(&rows.listed));
        if rows.hidden > 0 {
            out.push(format!(
                "     ... and {} more accounts: --all lists them",
                rows.hidden
            ));
        }
    }
    out.push(String::new());
    out.extend(population(found));
    out.extend(found.limits.iter().map(|limit| format!("- {limit}")));
    out.iter().map(|line| plain(line)).collect()
}

/// The table itself, as wide as its names.
fn ruled(rows: &[Row<'_>]) -> Vec<String> {
    let names: Vec<String> = rows.iter().map(|row| short(&row.who())).collect();
    let wide = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
    let line = |n: &str, who: &str, exchanges: &str, p: &str, may: &str, because: &str| {
        format!("{n:>4}  {who:<wide$}  {exchanges:>9}  {p:<29}  {may:<21}  {because}")
    };
    let head = line(
        "#",
        "who",
        "exchanges",
        "p: chance if honest",
        "what may follow",
        "because",
    );
    let each = rows.iter().zip(&names).enumerate().map(|(n, (row, who))| {
        line(
            &(n + 1).to_string(),
            who,
            &grouped(row.exchanges()),
            &figure(row.p()),
            row.may().words(),
            row.because(),
        )
    });
    std::iter::once(head).chain(each).collect()
}

/// Who was compared with whom, and what could be shown at all.
pub(super) fn population(found: &DetectionView) -> Vec<String> {
    let small = format!(
        "{} accounts were too small to be judged by themselves (fewer than {} exchanges); ",
        grouped(found.too_small as u64),
        found.exchanges_min
    );
    let Some(with) = &found.compared_with else {
        return vec![format!(
            "{small}nobody was compared: there is no population"
        )];
    };
    let whose = if with.own {
        "cleared by this house"
    } else {
        "shipped with Fairhold"
    };
    let reached: Vec<&LookView> = with
        .looks
        .iter()
        .filter(|look| found.suspects.iter().any(|s| s.look == look.exchanges))
        .collect();
    let least = reached.iter().map(|look| look.compared).min();
    let fewer = least
        .filter(|n| *n < with.programmes)
        .map_or(String::new(), |n| {
            format!(" (down to {n} for accounts of many exchanges)")
        });
    let floor = reached.iter().map(|look| look.floor);
    let floor = floor.fold(with.floor, f64::max);
    let floor = if floor > with.floor {
        format!(
            "{}, or {} where there are fewest",
            figure(with.floor),
            figure(floor)
        )
    } else {
        figure(with.floor)
    };
    let mut out = vec![format!(
        "{small}{} were compared with {} honest programmes{fewer} of {} sources ({whose}: {}). No \
         p can be below {floor}.",
        grouped(found.suspects.len() as u64),
        with.programmes,
        with.sources,
        with.said,
    )];
    if found.sample_max > 0 && found.sample_max < detection::SAMPLE_MAX {
        out.push(format!(
            "So many accounts were read that at most {} prompts of each were compared for rings.",
            found.sample_max
        ));
    }
    out
}

/// A probability in figures and in words; the words never make it smaller than it is.
pub(super) fn figure(p: f64) -> String {
    if p < 1e-6 {
        return "< 0.000001 (< 1 in a million)".to_owned();
    }
    if p > 0.5 {
        return format!("{p:.2} (more than 1 in 2)");
    }
    let number = if p < 0.001 {
        format!("{p:.1e}")
    } else {
        format!("{p:.4}")
    };
    format!("{number} (1 in {})", grouped(one_in(p)))
}

/// The whole number of which p is one part at most, to two figures.
fn one_in(p: f64) -> u64 {
    let mut scale = 1_u64;
    let mut rest = 1.0 / p;
    while rest >= 100.0 {
        rest /= 10.0;
        scale *= 10;
    }
    let whole = (1..=100_u32).rev().find(|n| f64::from(*n) <= rest + 1e-9);
    u64::from(whole.unwrap_or(1)) * scale
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn short(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    let kept: String = name.chars().take(NAME_MAX - 3).collect();
    format!("{kept}...")
}

/// Without characters that a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    let seen = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(seen).collect()
}

#[cfg(test)]
pub(super) mod tests;
