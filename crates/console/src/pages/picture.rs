//! Pictures as SVG text: no script draws them, and no style is written into
//! them that a strict policy would refuse.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use super::escaped;
use super::frame::segment;
use crate::caseroom::{HubView, SignalView};
use crate::overview::DayView;

fn real(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::from(u32::MAX), f64::from)
}

/// How honest programmes score, and where this account does.
pub(crate) fn population(signal: &SignalView) -> String {
    const W: f64 = 640.0;
    const H: f64 = 190.0;
    const FLOOR: f64 = H - 34.0;
    let look = &signal.look;
    let most = look
        .programmes
        .iter()
        .copied()
        .fold(0.0_f64, f64::max)
        .max(1.0);
    let until = look.step.mul_add(real(look.programmes.len()), look.from);
    let low = look.from.min(signal.statistic);
    let high = until.max(signal.statistic);
    let width = (high - low).max(f64::MIN_POSITIVE);
    let x = |score: f64| 12.0 + (score - low) / width * (W - 24.0);
    let mut out = format!(
        "<svg class=\"picture\" viewBox=\"0 0 {W} {H}\" role=\"img\" aria-label=\"{} of {} honest programmes by score; this account scores {:.2}\">",
        look.compared, signal.programmes, signal.statistic
    );
    for (place, count) in look.programmes.iter().enumerate() {
        let from = x(look.step.mul_add(real(place), look.from));
        let to = x(look.step.mul_add(real(place + 1), look.from));
        let height = count / most * (FLOOR - 22.0);
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
            FLOOR - height,
            (to - from - 1.0).max(0.5)
        );
    }
    let own = x(signal.statistic);
    let _ = write!(
        out,
        "<line class=\"axis\" x1=\"12\" y1=\"{FLOOR}\" x2=\"{}\" y2=\"{FLOOR}\"/>\
         <line class=\"own\" x1=\"{own:.1}\" y1=\"8\" x2=\"{own:.1}\" y2=\"{FLOOR}\"/>",
        W - 12.0
    );
    let (anchor, at) = if own > W / 2.0 {
        ("end", own - 6.0)
    } else {
        ("start", own + 6.0)
    };
    let _ = write!(
        out,
        "<text class=\"said\" x=\"{at:.1}\" y=\"18\" text-anchor=\"{anchor}\">this account: {:.2}</text>\
         <text x=\"12\" y=\"{}\">{low:.1}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{high:.1}</text>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">score of honest programmes at {} exchanges</text></svg>",
        signal.statistic,
        FLOOR + 15.0,
        W - 12.0,
        FLOOR + 15.0,
        W / 2.0,
        FLOOR + 29.0,
        look.exchanges
    );
    out
}

/// The share of honest programmes that score as high, with its interval, on a logarithmic scale.
pub(crate) fn interval(signal: &SignalView) -> String {
    const W: f64 = 640.0;
    const H: f64 = 46.0;
    const LEAST: f64 = -4.0;
    let x = |p: f64| 12.0 + (p.max(1e-4).log10() - LEAST) / -LEAST * (W - 24.0);
    let (low, high) = signal.interval;
    let mut out = format!(
        "<svg class=\"picture\" viewBox=\"0 0 {W} {H}\" role=\"img\" aria-label=\"p {:.4}, 95 % interval {low:.4} to {high:.4}\">",
        signal.p
    );
    for (p, said) in [
        (1e-4, "0.0001"),
        (1e-3, "0.001"),
        (1e-2, "0.01"),
        (1e-1, "0.1"),
        (1.0, "1"),
    ] {
        let at = x(p);
        let anchor = if p < 1e-3 {
            "start"
        } else if p > 0.5 {
            "end"
        } else {
            "middle"
        };
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{at:.1}\" y1=\"4\" x2=\"{at:.1}\" y2=\"28\"/><text x=\"{at:.1}\" y=\"42\" text-anchor=\"{anchor}\">{said}</text>"
        );
    }
    let (from, to, own) = (x(low), x(high), x(signal.p));
    let _ = write!(
        out,
        "<rect class=\"band\" x=\"{from:.1}\" y=\"9\" width=\"{:.1}\" height=\"14\"/>\
         <line class=\"own\" x1=\"{own:.1}\" y1=\"5\" x2=\"{own:.1}\" y2=\"27\"/></svg>",
        (to - from).max(1.0)
    );
    out
}

/// Requests by day.
pub(crate) fn days(days: &[DayView]) -> String {
    const W: f64 = 640.0;
    const H: f64 = 150.0;
    const FLOOR: f64 = H - 20.0;
    let most = days.iter().map(|d| d.requests).max().unwrap_or(0).max(1);
    let real = |n: u64| u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
    let count = u32::try_from(days.len()).unwrap_or(1).max(1);
    let width = ((W - 24.0) / f64::from(count)).min(28.0);
    let mut out = format!(
        "<svg class=\"picture\" viewBox=\"0 0 {W} {H}\" role=\"img\" aria-label=\"requests by day, at most {most}\">\
         <text x=\"12\" y=\"12\">{} requests</text>",
        super::words::n(most)
    );
    for (place, day) in (0_u32..).zip(days) {
        let height = real(day.requests) / real(most) * (FLOOR - 20.0);
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{}: {} requests, {} tokens</title></rect>",
            f64::from(place).mul_add(width, 12.0),
            FLOOR - height,
            (width - 1.0).max(0.5),
            escaped(&day.day),
            day.requests,
            day.tokens
        );
    }
    let edge = |day: Option<&DayView>| day.map_or(String::new(), |d| escaped(&d.day));
    let _ = write!(
        out,
        "<line class=\"axis\" x1=\"12\" y1=\"{FLOOR}\" x2=\"{}\" y2=\"{FLOOR}\"/><text x=\"12\" y=\"{}\">{}</text></svg>",
        W - 12.0,
        FLOOR + 14.0,
        edge(days.first())
    );
    out
}

/// How much of a limit is used.
pub(crate) fn meter(used: u64, most: u64) -> String {
    let share = used
        .saturating_mul(1_000)
        .checked_div(most)
        .unwrap_or(1_000);
    let class = if share > 1_000 { "over" } else { "used" };
    format!(
        "<svg class=\"meter\" viewBox=\"0 0 1000 60\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"all\" width=\"1000\" height=\"60\"/><rect class=\"{class}\" width=\"{}\" height=\"60\"/></svg>",
        share.min(1_000)
    )
}

/// Accounts on a circle, what they have in common inside of it: a line for each account that has
/// it. Five hundred accounts stay legible because lines go to the hubs and not between accounts.
pub(crate) fn graph(accounts: &[String], hubs: &[HubView], chosen: Option<usize>) -> String {
    const SIDE: f64 = 720.0;
    const MIDDLE: f64 = 360.0;
    let ring = |place: usize, of: usize, radius: f64| {
        let angle = TAU * real(place) / real(of.max(1)) - TAU / 4.0;
        (
            radius.mul_add(angle.cos(), MIDDLE),
            radius.mul_add(angle.sin(), MIDDLE),
        )
    };
    // Beyond 120 accounts every second one sits further inside.
    let spread = if accounts.len() > 120 { 22.0 } else { 0.0 };
    let place_of = |n: usize| ring(n, accounts.len(), 320.0 - spread * real(n % 2));
    let hub_of = |n: usize| match hubs.len() {
        1 => (MIDDLE, MIDDLE),
        many => ring(n, many, 120.0),
    };
    let mut out = format!(
        "<svg class=\"picture\" viewBox=\"0 0 {SIDE} {SIDE}\" role=\"group\" aria-label=\"{} accounts and {} things that link them; the table below says the same\">",
        accounts.len(),
        hubs.len()
    );
    let index: std::collections::HashMap<&str, usize> = accounts
        .iter()
        .enumerate()
        .map(|(n, a)| (a.as_str(), n))
        .collect();
    for (n, hub) in hubs.iter().enumerate() {
        let (hx, hy) = hub_of(n);
        let class = if chosen == Some(n) { "edge on" } else { "edge" };
        for place in hub.accounts.iter().filter_map(|a| index.get(a.as_str())) {
            let (x, y) = place_of(*place);
            let _ = write!(
                out,
                "<line class=\"{class}\" x1=\"{hx:.1}\" y1=\"{hy:.1}\" x2=\"{x:.1}\" y2=\"{y:.1}\"/>"
            );
        }
    }
    let size = if accounts.len() > 120 { 4.0 } else { 6.0 };
    for (n, account) in accounts.iter().enumerate() {
        let (x, y) = place_of(n);
        let out_of = chosen
            .and_then(|c| hubs.get(c))
            .is_some_and(|h| !h.accounts.contains(account));
        let _ = write!(
            out,
            "<a href=\"/accounts/{}\" tabindex=\"-1\"><circle class=\"node{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size}\"><title>{}</title></circle></a>",
            segment(account),
            if out_of { " dim" } else { "" },
            escaped(account)
        );
    }
    for (n, hub) in hubs.iter().enumerate() {
        let (x, y) = hub_of(n);
        let _ = write!(
            out,
            "<circle class=\"hub\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"15\"><title>{}: {}</title></circle><text class=\"said\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            escaped(&hub.kind),
            escaped(&hub.said),
            y + 4.0,
            n + 1
        );
    }
    out.push_str("</svg>");
    out
}
