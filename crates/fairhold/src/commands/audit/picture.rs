//! Pictures in SVG: shares with their intervals, and how strong the findings are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::told::ShareTold;
use crate::page::escaped;

const BLUE: &str = "#3b6ea5";
const RED: &str = "#c4552d";

/// A bar for each share with its interval, on one scale.
pub(super) fn shares(rows: &[(&str, ShareTold)]) -> String {
    const LEFT: f64 = 100.0;
    const WIDTH: f64 = 420.0;
    let most = rows.iter().map(|(_, share)| share.hi).fold(0.0, f64::max);
    let scale = (most * 1.15).clamp(1e-6, 1.0);
    let height = rows.len() * 44 + 34;
    let mut svg = format!("<svg viewBox=\"0 0 640 {height}\" role=img aria-label=\"shares\">");
    for (n, (name, share)) in rows.iter().enumerate() {
        let y = n * 44 + 24;
        let x = |value: f64| LEFT + value / scale * WIDTH;
        let _ = write!(
            svg,
            "<text x=0 y={} font-size=15>{}</text>\
             <rect x={LEFT} y={} width={:.1} height=16 fill=\"{BLUE}\"/>\
             <path d=\"M{:.1} {}v12M{:.1} {}v12M{:.1} {}H{:.1}\" stroke=\"{RED}\" stroke-width=2 fill=none />\
             <text x={:.1} y={} font-size=13>{:.2} %</text>",
            y + 5,
            escaped(name),
            y - 8,
            (x(share.share) - LEFT).max(1.0),
            x(share.lo),
            y - 6,
            x(share.hi),
            y - 6,
            x(share.lo),
            y,
            x(share.hi),
            x(share.hi) + 8.0,
            y + 5,
            share.share * 100.0
        );
    }
    let _ = write!(
        svg,
        "<text x={LEFT} y={} font-size=12 fill=\"#5b6675\">0 to {:.2} % of the corpus; red: the interval of 95 %</text></svg>",
        height - 6,
        scale * 100.0
    );
    svg
}

/// How many findings have so many bits.
pub(super) fn bits(by_bits: &BTreeMap<u64, u64>) -> String {
    const WIDTH: u64 = 600;
    let last = by_bits.keys().next_back().copied().unwrap_or(0);
    // At most 30 bars: wide findings share one.
    let step = (last / 30 / 20 + 1) * 20;
    let mut bars: BTreeMap<u64, u64> = BTreeMap::new();
    for (bits, count) in by_bits {
        *bars.entry(bits / step).or_default() += count;
    }
    let most = bars.values().copied().max().unwrap_or(1).max(1);
    let wide = WIDTH / (last / step + 1).max(1);
    let mut svg = String::from("<svg viewBox=\"0 0 640 190\" role=img aria-label=\"bits\">");
    for (n, count) in &bars {
        let height = (count * 130 / most).max(2);
        let _ = write!(
            svg,
            "<rect x={} y={} width={} height={height} fill=\"{BLUE}\"><title>{} to {} bits: {count}</title></rect>",
            20 + n * wide,
            150 - height,
            wide.saturating_sub(2).max(1),
            n * step,
            (n + 1) * step
        );
    }
    let _ = write!(
        svg,
        "<path d=\"M20 150H620\" stroke=\"#8b95a3\"/><text x=20 y=170 font-size=12 fill=\"#5b6675\">0</text>\
         <text x=620 y=170 font-size=12 text-anchor=end fill=\"#5b6675\">{} bits</text>\
         <text x=20 y=14 font-size=12 fill=\"#5b6675\">{most} documents</text></svg>",
        last + step
    );
    svg
}
