//! Pictures in SVG: accounts among honest programmes, and the accounts of a ring.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use console::{LookView, MayView, RingView, SuspectView};

use crate::page::escaped;

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 20.0;
/// Where the axis runs, and how tall the tallest bar on either side is.
const AXIS: f64 = 150.0;
const TALL: f64 = 105.0;
const HEIGHT: f64 = 310.0;
/// Accounts that are marked one by one.
const MARKS_MAX: usize = 200;
/// Bins at most, however far an account lies off.
const BINS_MAX: usize = 120;

const HONEST: &str = "#3b6ea5";
const FLEET: &str = "#8a94a3";
const ASKED: &str = "#c4552d";

/// Honest programmes upwards, accounts downwards, over the same bins; those that may be asked are
/// marked.
pub(super) fn honest(out: &mut String, look: &LookView, accounts: &[&SuspectView]) {
    let Some(scale) = Scale::of(look, accounts) else {
        return;
    };
    let mut fleet = vec![0.0; scale.bins];
    for suspect in accounts {
        if let Some(count) = fleet.get_mut(scale.bin(suspect.statistic)) {
            *count += 1.0;
        }
    }
    let mut programmes = vec![0.0; scale.bins];
    for (to, count) in programmes
        .iter_mut()
        .skip(scale.before)
        .zip(&look.programmes)
    {
        *to = *count;
    }
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH:.0} {HEIGHT:.0}\" role=img><title>{} accounts among {:.0} \
         honest programmes</title>",
        accounts.len(),
        programmes.iter().sum::<f64>()
    );
    bars(out, &scale, &programmes, HONEST, true);
    bars(out, &scale, &fleet, FLEET, false);
    let _ = write!(
        out,
        "<line x1={LEFT} x2={} y1={AXIS} y2={AXIS} stroke=\"#1c2430\"/>\
         <text x={LEFT} y=16 style=\"fill:{HONEST}\">honest programmes, share at each score</text>\
         <text x={LEFT} y={} style=\"fill:#5a6573\">accounts of this fleet, share at each score</text>\
         <text x={} y={} text-anchor=end>more like a harvest &#8594;</text>",
        WIDTH - LEFT,
        HEIGHT - 8.0,
        WIDTH - LEFT,
        HEIGHT - 8.0,
    );
    marks(out, &scale, accounts);
    out.push_str("</svg>");
}

/// How scores become places.
struct Scale {
    from: f64,
    step: f64,
    /// Bins that lie before the first honest one.
    before: usize,
    bins: usize,
}

impl Scale {
    fn of(look: &LookView, accounts: &[&SuspectView]) -> Option<Self> {
        let sound = look.step.is_finite() && look.step > 0.0 && look.from.is_finite();
        if !sound || look.programmes.is_empty() {
            return None;
        }
        let bins_to = |distance: f64| {
            (0..=BINS_MAX)
                .zip(0_u32..)
                .find(|(_, n)| f64::from(*n) * look.step >= distance)
                .map_or(BINS_MAX, |(n, _)| n)
        };
        let width = f64::from(u32::try_from(look.programmes.len()).ok()?) * look.step;
        let scores = || {
            accounts
                .iter()
                .map(|s| s.statistic)
                .filter(|s| s.is_finite())
        };
        let least = scores().fold(look.from, f64::min);
        let most = scores().fold(look.from + width, f64::max);
        let before = bins_to(look.from - least);
        let after = bins_to(most - look.from - width);
        let offset = f64::from(u32::try_from(before).ok()?) * look.step;
        Some(Self {
            from: look.from - offset,
            step: look.step,
            before,
            bins: before + look.programmes.len() + after,
        })
    }

    fn bin(&self, score: f64) -> usize {
        let beyond = (0..self.bins)
            .zip(0_u32..)
            .skip(1)
            .find(|(_, n)| score < self.from + f64::from(*n) * self.step);
        beyond.map_or(self.bins.saturating_sub(1), |(n, _)| n - 1)
    }

    fn wide(&self) -> f64 {
        (WIDTH - 2.0 * LEFT) / f64::from(u32::try_from(self.bins).unwrap_or(1).max(1))
    }

    fn x(&self, score: f64) -> f64 {
        let place = LEFT + (score - self.from) / self.step * self.wide();
        place.clamp(LEFT, WIDTH - LEFT)
    }
}

fn bars(out: &mut String, scale: &Scale, counts: &[f64], colour: &str, up: bool) {
    let most = counts.iter().copied().fold(0.0, f64::max);
    let all: f64 = counts.iter().sum();
    if most <= 0.0 {
        return;
    }
    let _ = write!(out, "<g fill=\"{colour}\">");
    for (count, n) in counts.iter().zip(0_u32..) {
        if *count <= 0.0 {
            continue;
        }
        // A single one must be seen.
        let tall = (count / most * TALL).max(2.0);
        let _ = write!(
            out,
            "<rect x={:.1} y={:.1} width={:.1} height={tall:.1}><title>{:.1} %</title></rect>",
            LEFT + f64::from(n) * scale.wide() + 0.5,
            if up { AXIS - tall } else { AXIS },
            (scale.wide() - 1.0).max(1.0),
            count / all * 100.0
        );
    }
    out.push_str("</g>");
}

fn marks(out: &mut String, scale: &Scale, accounts: &[&SuspectView]) {
    let asked = accounts.iter().filter(|s| s.may != MayView::Watch);
    for suspect in asked.take(MARKS_MAX) {
        let x = scale.x(suspect.statistic);
        let _ = write!(
            out,
            "<circle cx={x:.1} cy={AXIS} r=5 fill=\"{ASKED}\" fill-opacity=.75 stroke=\"#fff\">\
             <title>{}: p {:.4}</title></circle>",
            escaped(&suspect.account),
            suspect.rank.p
        );
    }
    if accounts.iter().any(|s| s.may != MayView::Watch) {
        let _ = write!(
            out,
            "<circle cx={} cy=12 r=5 fill=\"{ASKED}\"/><text x={} y=16>an account that may be \
             asked</text>",
            WIDTH - 225.0,
            WIDTH - 214.0
        );
    }
}

/// Dots of one circle around the frame.
const AROUND: usize = 36;
/// Dots drawn.
const DOTS_MAX: usize = 140;

/// The accounts of a ring around the frame that they share.
pub(super) fn ring(out: &mut String, ring: &RingView) {
    let most = ring.members.iter().map(|m| m.exchanges).max().unwrap_or(1);
    let shown = ring.members.len().min(DOTS_MAX);
    let circles = shown.div_ceil(AROUND).max(1);
    let _ = write!(
        out,
        "<svg viewBox=\"-150 -150 300 300\" width=300 height=300 role=img><title>{} accounts \
         around one frame</title>",
        ring.members.len()
    );
    let mut dots = String::new();
    for (n, member) in ring.members.iter().take(shown).enumerate() {
        let (circle, place) = (n % circles, n / circles);
        let on_it = (shown - circle).div_ceil(circles);
        let real = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        let angle = (real(place) + real(circle) / real(circles)) / real(on_it) * TAU;
        let far = 130.0 - 20.0 * real(circle) - if circles == 1 { 18.0 } else { 0.0 };
        let (x, y) = (far * angle.sin(), -far * angle.cos());
        let share = u32::try_from(member.exchanges * 1000 / most.max(1)).unwrap_or(1000);
        let radius = 3.0 + 5.0 * (f64::from(share) / 1000.0).sqrt();
        let _ = write!(
            out,
            "<line x1=0 y1=0 x2={x:.1} y2={y:.1} stroke=\"#e2c3b6\"/>"
        );
        let _ = write!(
            dots,
            "<circle cx={x:.1} cy={y:.1} r={radius:.1} fill=\"{ASKED}\" stroke=\"#fff\"><title>{}: \
             {} exchanges</title></circle>",
            escaped(&member.account),
            member.exchanges
        );
    }
    out.push_str(&dots);
    let more = ring.members.len() - shown;
    let said = if more > 0 {
        format!("{more} more")
    } else {
        "one frame".to_owned()
    };
    let _ = write!(
        out,
        "<circle r=34 fill=\"#fff\" stroke=\"{ASKED}\"/><text text-anchor=middle y=4>{said}</text></svg>"
    );
}

#[cfg(test)]
mod tests;
