//! The report: a page with plots, and the same as lines for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use simulation::benchmark::SeedResult;

use super::plot::{Axes, Line, bars, intervals, lines};

/// A figure by its path; 0 where there is none.
fn figure(report: &Value, path: &str) -> f64 {
    report.pointer(path).and_then(Value::as_f64).unwrap_or(0.0)
}

fn percent(x: f64) -> String {
    format!("{:.1} %", x * 100.0)
}

/// A figure with its range over seeds.
fn ranged(report: &Value, path: &str) -> String {
    let ends = report.pointer(&format!("/range{path}"));
    let end = |n: usize| {
        ends.and_then(|e| e.get(n))
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
    };
    format!(
        "{} ({} to {})",
        percent(figure(report, path)),
        percent(end(0)),
        percent(end(1))
    )
}

/// The sizes of a table, in the order of numbers.
fn sizes(report: &Value) -> Vec<String> {
    let table = report.get("fpr_at_1pct").and_then(Value::as_object);
    let mut all: Vec<String> = table.into_iter().flat_map(|t| t.keys().cloned()).collect();
    all.sort_by_key(|n| n.parse::<u32>().unwrap_or(0));
    all
}

/// The tables, as rows of cells; the first row names them.
fn tables(report: &Value) -> Vec<(&'static str, Vec<Vec<String>>)> {
    vec![
        (
            "Honest accounts flagged at p <= 1 %, sources never seen",
            honest(report, "fpr_at_1pct"),
        ),
        (
            "Honest accounts flagged at p <= 5 %",
            honest(report, "fpr_at_5pct"),
        ),
        (
            "Accounts of campaigns never seen that are found (mixtures at p <= 5 %)",
            found(report),
        ),
        (
            "Rules for rings, hydras of 11 to 100 accounts among innocents",
            hydras(report),
        ),
        ("What others would do, accounts of 100", baselines(report)),
    ]
}

fn honest(report: &Value, level: &str) -> Vec<Vec<String>> {
    let head = [
        "exchanges",
        "flagged",
        "by source",
        "worst type",
        "worst source",
        "95 % interval over programmes",
        "programmes",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for n in sizes(report) {
        let at = |what: &str| format!("/{level}/{n}/{what}");
        let word = |what: &str| {
            report
                .pointer(&at(what))
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned()
        };
        rows.push(vec![
            n.clone(),
            ranged(report, &at("marginal")),
            percent(figure(report, &at("by_source"))),
            format!(
                "{} {}",
                percent(figure(report, &at("worst_type"))),
                word("worst_type_is")
            ),
            format!(
                "{} {}",
                percent(figure(report, &at("worst_source"))),
                word("worst_source_is")
            ),
            format!(
                "{} to {}",
                percent(figure(report, &at("lower95"))),
                percent(figure(report, &at("upper95")))
            ),
            format!("{:.0}", figure(report, &at("programmes"))),
        ]);
    }
    rows
}

fn found(report: &Value) -> Vec<Vec<String>> {
    let head = [
        "exchanges",
        "p <= 1 %",
        "p <= 5 %",
        "logged only, 5 %",
        "without twins, 5 %",
        "half found, 5 %",
        "5 % mixed in",
        "10 %",
        "25 %",
        "50 %",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for n in sizes(report) {
        let at = |table: &str, what: &str| ranged(report, &format!("/{table}/{n}/{what}"));
        let mixed = |share: &str| percent(figure(report, &format!("/mixtures/{share}/{n}")));
        rows.push(vec![
            n.clone(),
            at("tpr_p1", "all"),
            at("tpr_p5", "all"),
            percent(figure(report, &format!("/tpr_p5/{n}/logged"))),
            percent(figure(report, &format!("/tpr_p5/{n}/without_twins"))),
            percent(figure(report, &format!("/tpr_p5/{n}/half_found"))),
            mixed("0.05"),
            mixed("0.1"),
            mixed("0.25"),
            mixed("0.5"),
        ]);
    }
    rows
}

fn hydras(report: &Value) -> Vec<Vec<String>> {
    let mut rows = vec![
        [
            "attacker",
            "rule",
            "members found",
            "precision",
            "innocents named",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let random = report.get("hydra").map(|rules| ("random_queue", rules));
    let others = report.get("hydra_attackers").and_then(Value::as_object);
    let others = others
        .into_iter()
        .flatten()
        .map(|(attacker, rules)| (attacker.as_str(), rules));
    for (attacker, rules) in random.into_iter().chain(others) {
        for (rule, rates) in rules.as_object().into_iter().flatten() {
            let at = |what: &str| percent(figure(rates, &format!("/{what}")));
            rows.push(vec![
                attacker.to_owned(),
                rule.clone(),
                at("member_recall"),
                at("precision"),
                at("innocent_rate"),
            ]);
        }
    }
    rows
}

fn baselines(report: &Value) -> Vec<Vec<String>> {
    let mut rows = vec![
        ["rule", "honest flagged", "campaigns found", "what it is"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (name, rates) in report
        .get("baselines")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let rule = rates
            .get("rule")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned();
        rows.push(vec![
            name.clone(),
            percent(figure(rates, "/fpr")),
            percent(figure(rates, "/tpr")),
            rule,
        ]);
    }
    rows
}

fn sentences(report: &Value) -> Vec<String> {
    let known = report.pointer("/known_campaign/recall").map_or_else(
        || "Known campaigns: not measured on this pool.".to_owned(),
        |_| format!(
            "Known campaigns: a sketch of one confirmed account finds {} of further accounts that sent five exchanges; it fires on {} of unseen honest accounts.",
            percent(figure(report, "/known_campaign/recall")), percent(figure(report, "/known_campaign/fpr"))
        ),
    );
    vec![
        format!(
            "Over six looks at nominal 5 %: {} of honest accounts ever flagged, {} over sources (naive looks: {}); {} of campaigns' accounts found.",
            ranged(report, "/anytime_fpr_5pct"),
            percent(figure(report, "/anytime_fpr_5pct_by_source")),
            percent(figure(report, "/naive_looks_fpr_5pct")),
            percent(figure(report, "/anytime_tpr_5pct"))
        ),
        format!(
            "Compared with {:.0} honest programmes at 100 exchanges; no p below {:.4} can be shown.",
            figure(report, "/programmes"),
            figure(report, "/p_floor")
        ),
        known,
        format!(
            "Split by exchange instead of lineage, accounts of 50 at p <= 1 %: {} found (beside {} on campaigns never seen); hashed words at p <= 5 %: {} beside {}.",
            percent(figure(report, "/random_split_tpr_p1")),
            percent(figure(report, "/tpr_p1/50/all")),
            percent(figure(report, "/random_split_words_tpr_p5")),
            percent(figure(report, "/baselines/hashed_words/tpr"))
        ),
        format!(
            "{:.0} exchanges a second on one core, read and summed; a plain scan of the same bytes for spaces passes {:.0}.",
            figure(report, "/exchanges_per_second_per_core"),
            figure(report, "/plain_scan_per_second_per_core")
        ),
    ]
}

/// Lines for a terminal.
pub(super) fn table(report: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for (title, rows) in tables(report) {
        out.push(format!("\n{title}"));
        let columns = rows.first().map_or(0, Vec::len);
        let wide: Vec<usize> = (0..columns)
            .map(|c| {
                rows.iter()
                    .filter_map(|r| r.get(c))
                    .map(|s| s.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for row in rows {
            let cells = row.iter().zip(&wide).map(|(cell, w)| format!("{cell:<w$}"));
            out.push(format!(
                "  {}",
                cells.collect::<Vec<_>>().join("  ").trim_end()
            ));
        }
    }
    out.push(String::new());
    out.extend(sentences(report));
    out
}

/// The page.
pub(super) fn page(report: &Value, seeds: &[SeedResult]) -> String {
    let mut out = String::from(crate::page::head("Fairhold: detection, measured", "").as_str());
    let what = report
        .pointer("/pool/what")
        .and_then(Value::as_str)
        .unwrap_or("");
    let _ = write!(
        out,
        "<h1>Detection, measured</h1><p>Pool: {}. {:.0} campaigns, {:.0} honest sources, {:.0} exchanges, each once. Medians over {:.0} seeds, range in brackets. Method and limits: docs/benchmark.md.</p>",
        crate::page::escaped(what),
        figure(report, "/pool/campaigns"),
        figure(report, "/pool/honest_sources"),
        figure(report, "/pool/exchanges"),
        figure(report, "/seeds")
    );
    for sentence in sentences(report) {
        let _ = write!(out, "<p>{}</p>", crate::page::escaped(&sentence));
    }
    let _ = write!(
        out,
        "<h2>Realised against nominal error</h2><p>Accounts of 100 exchanges; points on or below the diagonal keep what they promise. Bars: least and greatest over seeds.</p>{}",
        realised(seeds)
    );
    let _ = write!(
        out,
        "<h2>Campaigns found, by honest accounts flagged</h2><p>One line for each campaign never seen (name on hovering); low rates only.</p>{}",
        roc(seeds)
    );
    let _ = write!(out, "<h2>Rings</h2>{}", rings(report));
    for (title, rows) in tables(report) {
        let _ = write!(
            out,
            "<h2>{title}</h2><div style=\"overflow-x:auto\"><table>"
        );
        for (n, row) in rows.iter().enumerate() {
            let tag = if n == 0 { "th" } else { "td" };
            let cells = row
                .iter()
                .map(|cell| format!("<{tag}>{}</{tag}>", crate::page::escaped(cell)));
            let _ = write!(out, "<tr>{}</tr>", cells.collect::<String>());
        }
        out.push_str("</table></div>");
    }
    out.push_str(crate::page::FOOT);
    out
}

fn realised(seeds: &[SeedResult]) -> String {
    let levels = seeds.first().map_or(0, |s| s.realised.len());
    let points = (0..levels).filter_map(|n| {
        let mut all: Vec<f64> = seeds
            .iter()
            .filter_map(|s| s.realised.get(n))
            .map(|p| p.1)
            .collect();
        all.sort_by(f64::total_cmp);
        let nominal = seeds.first()?.realised.get(n)?.0;
        Some((
            nominal,
            all.get(all.len() / 2).copied()?,
            all.first().copied()?,
            all.last().copied()?,
        ))
    });
    let points: Vec<_> = points.filter(|p| p.0 <= 0.2).collect();
    intervals(
        Axes {
            x_max: 0.2,
            y_max: 0.3,
            x: "nominal",
            y: "realised",
        },
        &points,
    )
}

fn roc(seeds: &[SeedResult]) -> String {
    let mut honest: Vec<f64> = Vec::new();
    let mut campaigns: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (source, p, harvest) in seeds.iter().flat_map(|s| &s.scores) {
        if *harvest {
            campaigns.entry(source).or_default().push(*p);
        } else {
            honest.push(*p);
        }
    }
    let at = |all: &[f64], p: f64| {
        let hit = all.iter().filter(|x| **x <= p).count();
        detection::bounds::real(hit) / detection::bounds::real(all.len().max(1))
    };
    let steps: Vec<f64> = (0..=60).map(|n| 0.005 + f64::from(n) * 0.005).collect();
    let drawn: Vec<Line> = campaigns
        .iter()
        .enumerate()
        .map(|(n, (name, ps))| Line {
            name: crate::page::escaped(name),
            colour: format!("hsl({} 55% 45%)", n * 47 % 360),
            points: steps
                .iter()
                .map(|p| (at(&honest, *p), at(ps, *p)))
                .collect(),
        })
        .collect();
    lines(
        Axes {
            x_max: 0.1,
            y_max: 1.0,
            x: "honest accounts flagged",
            y: "found",
        },
        &drawn,
    )
}

fn rings(report: &Value) -> String {
    let rules = report.get("hydra").and_then(Value::as_object);
    let named: Vec<(String, f64, f64)> = rules
        .into_iter()
        .flatten()
        .map(|(rule, r)| {
            (
                rule.clone(),
                figure(r, "/member_recall"),
                figure(r, "/innocent_rate"),
            )
        })
        .collect();
    bars(&named, "members found", "innocents named")
}
