//! The page for people: the table, every line opening to its reasons, with
//! pictures; one file, no script.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use console::{DetectionView, MayView, RingView, SuspectView};

use super::picture;
use super::table::{Row, Rows, figure, grouped, population};
use crate::page::{self, escaped};

/// Accounts that are listed; the JSON has every one.
const LINES_MAX: usize = 500;
/// Members of a ring that are listed.
const MEMBERS_MAX: usize = 200;

/// What this page looks like besides.
const STYLE: &str = "\
body{max-width:72rem}h1{margin-bottom:.2rem}.lead{font-size:1.1rem;color:#47525f;margin-top:0}\
.note{background:#f4f6f9;border-left:3px solid #3b6ea5;padding:.6rem 1rem;border-radius:.2rem}\
details.line{border-bottom:1px solid #e6e9ee}\
.cols{display:grid;grid-template-columns:2.2rem minmax(9rem,1.3fr) 5.5rem 11rem 10.5rem 2fr;gap:.8rem;align-items:baseline}\
.cols.head{font-size:.85rem;color:#5a6573;border-bottom:2px solid #c9d0d9;padding:.3rem 2rem .3rem .4rem}\
summary{cursor:pointer;padding:.45rem 2rem .45rem .4rem;list-style:none;position:relative}\
summary::-webkit-details-marker{display:none}\
summary:after{content:'+';position:absolute;right:.4rem;top:.4rem;color:#5a6573}\
details[open]>summary:after{content:'\\2212'}summary:hover{background:#f4f6f9}\
.who{font-weight:600;overflow-wrap:anywhere}.number{text-align:right;font-variant-numeric:tabular-nums}\
.p small{display:block;color:#5a6573}.why{color:#47525f;font-size:.95rem}\
.may{display:inline-block;padding:.05rem .5rem;border-radius:1rem;font-size:.85rem;background:#e9edf2}\
.may.ask{background:#fff0cf}.may.notice{background:#fbdccd}\
.open{padding:.2rem 1.2rem 1.2rem 3.4rem}.open li{margin:.3rem 0}\
.side{display:grid;grid-template-columns:minmax(0,1fr) 300px;gap:1.5rem}\
figure{margin:1rem 0}figcaption{color:#47525f;font-size:.95rem}\
svg text{font:12px system-ui,sans-serif;fill:#47525f}td.number{text-align:right}\
@media(max-width:52rem){.cols{grid-template-columns:1.6rem 1fr 6rem}.cols.head{display:none}.p{grid-column:2}.p small{display:inline;margin-left:.5rem}\
.why{grid-column:1/-1}.side{grid-template-columns:1fr}.open{padding-left:.6rem}}\
@media print{body{max-width:none;font-size:12px}}";

/// The page.
pub(super) fn page(found: &DetectionView) -> String {
    let rows = Rows::of(found, true);
    let mut out = page::head("Fairhold: who looks unlike honest use", STYLE);
    out.push_str(
        "<h1>Who looks unlike honest use</h1><p class=lead>The least like it first. A line is a \
         reason to look or to ask, not a verdict; open it to read why.</p>",
    );
    figures(&mut out, found, &rows);
    lines(&mut out, found, &rows);
    pictures(&mut out, found);
    observed(&mut out, found);
    reading(&mut out, found);
    out.push_str(page::FOOT);
    out
}

fn figures(out: &mut String, found: &DetectionView, rows: &Rows<'_>) {
    let alone = rows.listed.len() - found.rings.len();
    let figures = [
        ("exchanges", found.exchanges),
        ("accounts", found.accounts as u64),
        ("compared by themselves", found.suspects.len() as u64),
        ("too small for that", found.too_small as u64),
        ("rings", found.rings.len() as u64),
        ("further accounts that may be asked", alone as u64),
    ];
    out.push_str("<div class=figures>");
    for (name, value) in figures {
        let _ = write!(out, "<div><b>{}</b>{name}</div>", grouped(value));
    }
    out.push_str("</div>");
}

fn lines(out: &mut String, found: &DetectionView, rows: &Rows<'_>) {
    out.push_str("<h2>Line by line</h2>");
    if rows.listed.is_empty() {
        out.push_str("<p class=note>Nothing stands out, as far as these exchanges show.</p>");
        return;
    }
    out.push_str(
        "<div class=\"cols head\"><span>#</span><span>who</span><span class=number>exchanges</span>\
         <span>p: chance if honest</span><span>what may follow</span><span>because</span></div>",
    );
    let alone: BTreeMap<&str, &SuspectView> = found
        .suspects
        .iter()
        .map(|suspect| (suspect.account.as_str(), suspect))
        .collect();
    for (n, row) in rows.listed.iter().take(LINES_MAX).enumerate() {
        line(out, n + 1, *row, &alone);
    }
    if rows.listed.len() > LINES_MAX {
        let more = grouped((rows.listed.len() - LINES_MAX) as u64);
        let _ = write!(
            out,
            "<p>... and {more} more; <code>--json</code> has every one.</p>"
        );
    }
}

fn line(out: &mut String, n: usize, row: Row<'_>, alone: &BTreeMap<&str, &SuspectView>) {
    let p = figure(row.p());
    let (number, words) = p.split_once(" (").unwrap_or((&p, ""));
    let _ = write!(
        out,
        "<details class=line><summary class=cols><span>{n}</span><span class=who>{}</span>\
         <span class=number>{}</span><span class=p>{}<small>{}</small></span>\
         <span><span class=\"may {}\">{}</span></span><span class=why>{}</span></summary>\
         <div class=open>",
        escaped(&row.who()),
        grouped(row.exchanges()),
        escaped(number),
        escaped(words.trim_end_matches(')')),
        class(row.may()),
        row.may().words(),
        escaped(row.because()),
    );
    match row {
        Row::Ring(ring) => of_ring(out, ring, alone),
        Row::Account(suspect) => of_account(out, suspect),
    }
    out.push_str("</div></details>");
}

fn class(may: MayView) -> &'static str {
    match may {
        MayView::Watch => "watch",
        MayView::AskForDeclaration => "ask",
        MayView::Notice => "notice",
    }
}

fn reasons(out: &mut String, reasons: &[String]) {
    out.push_str("<ul>");
    for reason in reasons {
        let _ = write!(out, "<li>{}</li>", escaped(reason));
    }
    out.push_str("</ul>");
}

fn of_account(out: &mut String, suspect: &SuspectView) {
    reasons(out, &suspect.reasons);
    let _ = write!(
        out,
        "<p>Over all looks so far the chance is at most {}. Its prompts look most like those of \
         {} customers.</p>",
        escaped(&figure(suspect.anytime)),
        escaped(&suspect.peers)
    );
}

fn of_ring(out: &mut String, ring: &RingView, alone: &BTreeMap<&str, &SuspectView>) {
    out.push_str("<div class=side><div>");
    reasons(out, &ring.reasons);
    out.push_str("</div><figure>");
    picture::ring(out, ring);
    out.push_str(
        "<figcaption>Its accounts around the frame they share; the larger, the more \
         exchanges.</figcaption></figure></div><table><tr><th>account<th class=number>exchanges\
         <th>p by itself</tr>",
    );
    for member in ring.members.iter().take(MEMBERS_MAX) {
        let own = alone.get(member.account.as_str());
        let own = own.map_or("too small to be judged".to_owned(), |s| figure(s.rank.p));
        let _ = write!(
            out,
            "<tr><td>{}<td class=number>{}<td>{}</tr>",
            escaped(&member.account),
            grouped(member.exchanges),
            escaped(&own)
        );
    }
    out.push_str("</table>");
    let more = ring.members.len().saturating_sub(MEMBERS_MAX);
    if more > 0 {
        let _ = write!(out, "<p>... and {more} more.</p>");
    }
}

fn pictures(out: &mut String, found: &DetectionView) {
    let Some(with) = &found.compared_with else {
        return;
    };
    let mut drawn = false;
    for look in &with.looks {
        let here: Vec<&SuspectView> = found
            .suspects
            .iter()
            .filter(|suspect| suspect.look == look.exchanges)
            .collect();
        if here.is_empty() {
            continue;
        }
        if !drawn {
            out.push_str(
                "<h2>Among honest programmes</h2><p>The further right, the more an account's most \
                 suspicious programme asks for what harvests ask for. Accounts are compared with \
                 honest programmes once both have reached the same number of exchanges.</p>",
            );
            drawn = true;
        }
        let _ = write!(
            out,
            "<figure><figcaption><b>{} accounts</b> that have reached {} exchanges, among {} \
             honest programmes; no p can be below {}</figcaption>",
            grouped(here.len() as u64),
            grouped(u64::from(look.exchanges)),
            look.compared,
            escaped(&figure(look.floor))
        );
        picture::honest(out, look, &here);
        out.push_str("</figure>");
    }
}

/// What gathers and is not named: shown, so that nobody thinks it was not seen.
fn observed(out: &mut String, found: &DetectionView) {
    if found.observed.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<h2>Seen and not named</h2><p>{} gatherings of accounts share a frame and fail a test. \
         This is no ground to act on anyone.</p>",
        found.observed.len()
    );
    for ring in found.observed.iter().take(LINES_MAX) {
        let _ = write!(
            out,
            "<details class=line><summary>{} accounts, {} exchanges: {}</summary><div class=open>",
            ring.members.len(),
            grouped(ring.exchanges()),
            escaped(
                ring.reasons
                    .iter()
                    .rfind(|r| r.starts_with("Not named"))
                    .map_or("", |r| r)
            )
        );
        reasons(out, &ring.reasons);
        out.push_str("</div></details>");
    }
}

fn reading(out: &mut String, found: &DetectionView) {
    out.push_str("<h2>How to read this</h2><div class=note>");
    for line in population(found) {
        let _ = write!(out, "<p>{}</p>", escaped(&line));
    }
    out.push_str(
        "<p><b>p</b> of an account: how often an honest account would score as high, at most. \
         <b>p</b> of a ring: the chance that a report on unrelated accounts names any such \
         gathering, at most.</p></div>",
    );
    reasons(out, &found.limits);
}

#[cfg(test)]
mod tests;
