//! The report: one HTML page without outside resources.

use std::fmt::Write as _;

use crate::page;

mod chart;

/// One account's line in the report.
#[derive(Debug, Clone)]
pub(crate) struct AccountRow {
    /// Its name.
    pub(crate) name: String,
    /// What it does, as the fleet says.
    pub(crate) kind: String,
    /// Exchanges it made.
    pub(crate) exchanges: usize,
    /// Whether it belongs to the ring.
    pub(crate) ring: bool,
    /// Whether detection found it.
    pub(crate) found: bool,
    /// Whether its request after the decision was refused.
    pub(crate) refused: bool,
}

/// One cluster that detection named.
#[derive(Debug, Clone)]
pub(crate) struct ClusterRow {
    /// Its accounts.
    pub(crate) accounts: Vec<String>,
    /// The bound on a false accusation, in words.
    pub(crate) bound: String,
    /// Why, in words.
    pub(crate) reasons: Vec<String>,
}

/// All that the page tells.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    /// Where the traffic came from, in words.
    pub(crate) traffic: String,
    /// Every account.
    pub(crate) accounts: Vec<AccountRow>,
    /// Programmes that detection told apart.
    pub(crate) programmes: usize,
    /// Clusters, best first.
    pub(crate) clusters: Vec<ClusterRow>,
    /// The case, or none when nothing was found.
    pub(crate) case: Option<String>,
    /// Latency of every call, milliseconds.
    pub(crate) millis: Vec<f64>,
    /// What `fairhold verify` said of the bundle.
    pub(crate) verify: String,
    /// What it said after one byte was altered.
    pub(crate) altered: String,
    /// Seconds that all of it took.
    pub(crate) seconds: f64,
}

impl Story {
    fn count(&self, which: impl Fn(&AccountRow) -> bool) -> usize {
        self.accounts.iter().filter(|a| which(a)).count()
    }

    /// The page.
    pub(crate) fn html(&self) -> String {
        let mut out = String::with_capacity(64 * 1024);
        out.push_str(&page::head("Fairhold demo", ""));
        self.figures(&mut out);
        self.cluster_section(&mut out);
        self.latency(&mut out);
        self.account_section(&mut out);
        out.push_str(page::FOOT);
        out
    }

    fn figures(&self, out: &mut String) {
        let exchanges: usize = self.accounts.iter().map(|a| a.exchanges).sum();
        let _ = write!(
            out,
            "<h1>The story of one ring</h1><p>{}</p>",
            page::escaped(&self.traffic)
        );
        let figures = [
            ("accounts", self.accounts.len()),
            ("exchanges", exchanges),
            ("programmes", self.programmes),
            ("ring members", self.count(|a| a.ring)),
            ("ring found", self.count(|a| a.ring && a.found)),
            ("ring refused", self.count(|a| a.ring && a.refused)),
            ("innocent found", self.count(|a| !a.ring && a.found)),
            ("innocent refused", self.count(|a| !a.ring && a.refused)),
        ];
        out.push_str("<div class=figures>");
        for (name, value) in figures {
            let _ = write!(out, "<div><b>{value}</b>{name}</div>");
        }
        let _ = write!(
            out,
            "</div><p>Case: {}. Bundle: <b>{}</b>; with one byte altered: <b>{}</b>. {:.1} seconds.</p>",
            page::escaped(self.case.as_deref().unwrap_or("none opened")),
            page::escaped(&self.verify),
            page::escaped(&self.altered),
            self.seconds
        );
    }

    fn cluster_section(&self, out: &mut String) {
        out.push_str("<h2>Accounts that run one programme</h2>");
        if self.clusters.is_empty() {
            out.push_str("<p>None was found.</p>");
        }
        for cluster in &self.clusters {
            let _ = write!(
                out,
                "<section><h3>{} accounts</h3><p>{}</p><ul>",
                cluster.accounts.len(),
                page::escaped(&cluster.bound)
            );
            for reason in &cluster.reasons {
                let _ = write!(out, "<li>{}</li>", page::escaped(reason));
            }
            out.push_str("</ul>");
            chart::ring(out, &self.accounts, &cluster.accounts);
            out.push_str("</section>");
        }
    }

    fn latency(&self, out: &mut String) {
        out.push_str("<h2>Latency of every call</h2>");
        chart::histogram(out, &self.millis);
    }

    fn account_section(&self, out: &mut String) {
        out.push_str(
            "<h2>Every account</h2><table><tr><th>account<th>what it does<th>exchanges\
             <th>ring<th>found<th>refused afterwards</tr>",
        );
        for row in &self.accounts {
            let mark = |yes: bool| if yes { "yes" } else { "" };
            let _ = write!(
                out,
                "<tr class={}><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
                if row.ring { "ring" } else { "honest" },
                page::escaped(&row.name),
                page::escaped(&row.kind),
                row.exchanges,
                mark(row.ring),
                mark(row.found),
                mark(row.refused)
            );
        }
        out.push_str("</table>");
    }
}

#[cfg(test)]
mod tests;
