//! Plots in SVG, drawn by hand: lines, bars, axes.

use std::fmt::Write as _;

const WIDE: f64 = 560.0;
const TALL: f64 = 300.0;
const EDGE: f64 = 46.0;

/// A line with its name: (x, y) in data units, and a colour.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) colour: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// Axes' ends.
#[derive(Clone, Copy)]
pub(super) struct Axes {
    pub(super) x_max: f64,
    pub(super) y_max: f64,
    pub(super) x: &'static str,
    pub(super) y: &'static str,
}

impl Axes {
    fn at(self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |v: f64, most: f64| (v / most).clamp(0.0, 1.0);
        (
            EDGE + share(x, self.x_max) * (WIDE - 2.0 * EDGE),
            TALL - EDGE - share(y, self.y_max) * (TALL - 1.5 * EDGE),
        )
    }

    fn open(self, out: &mut String) {
        let (left, low) = self.at((0.0, 0.0));
        let (right, high) = self.at((self.x_max, self.y_max));
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 {WIDE} {TALL}\" width={WIDE} height={TALL} role=img aria-label=\"{} by {}\" font-size=11>",
            self.y, self.x
        );
        for n in 0..=4 {
            let part = f64::from(n) / 4.0;
            let (x, y) = (part * self.x_max, part * self.y_max);
            let ((px, _), (_, py)) = (self.at((x, 0.0)), self.at((0.0, y)));
            let _ = write!(
                out,
                "<path d=\"M{left} {py}H{right}\" stroke=\"#e6e9ee\"/><text x={px:.0} y={:.0} text-anchor=middle>{:.3}</text><text x={:.0} y={py:.0} text-anchor=end>{:.2}</text>",
                low + 15.0,
                x,
                left - 5.0,
                y
            );
        }
        let _ = write!(
            out,
            "<path d=\"M{left} {high}V{low}H{right}\" fill=none stroke=\"#1c2430\"/><text x={:.0} y={:.0} text-anchor=middle>{}</text><text transform=\"translate(12 {:.0}) rotate(-90)\" text-anchor=middle>{}</text>",
            f64::midpoint(left, right),
            low + 32.0,
            self.x,
            f64::midpoint(low, high),
            self.y
        );
    }
}

/// Lines over common axes.
pub(super) fn lines(axes: Axes, lines: &[Line]) -> String {
    let mut out = String::new();
    axes.open(&mut out);
    for line in lines {
        let points: Vec<String> = line
            .points
            .iter()
            .map(|p| axes.at(*p))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = write!(
            out,
            "<polyline points=\"{}\" fill=none stroke=\"{}\" stroke-width=1.5><title>{}</title></polyline>",
            points.join(" "),
            line.colour,
            line.name
        );
    }
    out.push_str("</svg>");
    out
}

/// Points with vertical intervals, and the diagonal on which they should lie or below.
pub(super) fn intervals(axes: Axes, points: &[(f64, f64, f64, f64)]) -> String {
    let mut out = String::new();
    axes.open(&mut out);
    let ((x0, y0), (x1, y1)) = (
        axes.at((0.0, 0.0)),
        axes.at((axes.x_max, axes.x_max.min(axes.y_max))),
    );
    let _ = write!(
        out,
        "<path d=\"M{x0} {y0}L{x1} {y1}\" stroke=\"#8a94a3\" stroke-dasharray=\"4\"/>"
    );
    for (x, y, low, high) in points {
        let ((px, py), (_, lo), (_, hi)) =
            (axes.at((*x, *y)), axes.at((*x, *low)), axes.at((*x, *high)));
        let _ = write!(
            out,
            "<path d=\"M{px:.1} {lo:.1}V{hi:.1}\" stroke=\"#3b6ea5\"/><circle cx={px:.1} cy={py:.1} r=4 fill=\"#3b6ea5\"><title>nominal {x}, realised {y:.4} ({low:.4} to {high:.4})</title></circle>"
        );
    }
    out.push_str("</svg>");
    out
}

/// Named bars, two to a name: the first filled, the second hollow.
pub(super) fn bars(names: &[(String, f64, f64)], first: &str, second: &str) -> String {
    let row = 26.0;
    let tall = row * detection::bounds::real(names.len()) + 24.0;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {WIDE} {tall}\" width={WIDE} height={tall} role=img aria-label=\"{first} and {second}\" font-size=11>"
    );
    for (n, (name, a, b)) in names.iter().enumerate() {
        let y = row * detection::bounds::real(n) + 4.0;
        let _ = write!(
            out,
            "<text x=150 y={:.0} text-anchor=end>{name}</text><rect x=156 y={y} width={:.0} height=9 fill=\"#3b6ea5\"/><rect x=156 y={:.0} width={:.0} height=9 fill=none stroke=\"#c4552d\"/><text x={:.0} y={:.0}>{:.1} % / {:.1} %</text>",
            y + 12.0,
            a * 300.0,
            y + 11.0,
            b * 300.0,
            164.0 + a.max(*b) * 300.0,
            y + 12.0,
            a * 100.0,
            b * 100.0
        );
    }
    let _ = write!(
        out,
        "<text x=156 y={:.0}>filled: {first}; hollow: {second}</text></svg>",
        tall - 6.0
    );
    out
}
