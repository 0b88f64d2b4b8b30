//! Pictures in SVG: who is in the cluster, and how long calls took.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::AccountRow;
use crate::page::escaped;

/// Every account as a dot; those of the cluster are filled, ring members are red.
pub(super) fn ring(out: &mut String, accounts: &[AccountRow], cluster: &[String]) {
    const PER_ROW: usize = 40;
    let inside: HashSet<&str> = cluster.iter().map(String::as_str).collect();
    let height = accounts.len().div_ceil(PER_ROW) * 20 + 10;
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 810 {height}\" width=810 height={height} role=img>"
    );
    for (n, row) in accounts.iter().enumerate() {
        let (x, y) = (n % PER_ROW * 20 + 15, n / PER_ROW * 20 + 15);
        let colour = if row.ring { "#c4552d" } else { "#3b6ea5" };
        let fill = if inside.contains(row.name.as_str()) {
            colour
        } else {
            "none"
        };
        let _ = write!(
            out,
            "<circle cx={x} cy={y} r=7 fill=\"{fill}\" stroke=\"{colour}\"><title>{}</title></circle>",
            escaped(&row.name)
        );
    }
    out.push_str("</svg><p><small>Filled: in this cluster. Red: ring member. Blue: honest account.</small></p>");
}

/// Edges of the bars in milliseconds.
const EDGES: [f64; 9] = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];

/// How many values fall at or below each edge and above the one before; the last bar is the rest.
pub(super) fn bars(millis: &[f64]) -> [usize; 10] {
    let mut counts = [0; 10];
    for value in millis {
        let place = EDGES
            .iter()
            .position(|edge| value <= edge)
            .unwrap_or(EDGES.len());
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    counts
}

/// A bar for each span of milliseconds.
pub(super) fn histogram(out: &mut String, millis: &[f64]) {
    let counts = bars(millis);
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    out.push_str("<svg viewBox=\"0 0 640 200\" width=640 height=200 role=img>");
    for (n, count) in counts.iter().enumerate() {
        let tall = count * 140 / most;
        let x = n * 64;
        let label = EDGES
            .get(n)
            .map_or_else(|| "more".to_owned(), |edge| format!("≤ {edge} ms"));
        let _ = write!(
            out,
            "<rect x={} y={} width=52 height={tall} fill=\"#3b6ea5\"/>\
             <text x={} y={} font-size=11>{count}</text><text x={} y=188 font-size=11>{label}</text>",
            x + 4,
            165 - tall,
            x + 6,
            160 - tall,
            x + 4
        );
    }
    out.push_str("</svg>");
}
