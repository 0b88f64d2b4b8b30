//! The report: one page that stands alone.

use std::fmt::Write as _;

use provenance::Independent;

use super::found::Resembled;
use super::picture;
use super::side::{Pair, Piece};
use super::told::{Told, power};
use crate::page;
use crate::page::escaped;

/// What this page looks like besides.
const STYLE: &str = "\
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}.pair>div{overflow-wrap:anywhere;background:#f7f8fa;padding:.6rem;border-radius:.3rem}\
mark{background:#ffe2a8}details{border:1px solid #d5dae1;border-radius:.4rem;padding:.4rem .8rem;margin:.6rem 0}\
summary{cursor:pointer;overflow-wrap:anywhere}.wide{overflow-x:auto}.note{border-left:3px solid #3b6ea5;padding-left:1rem}\
code{overflow-wrap:anywhere}@media(max-width:44rem){.pair{grid-template-columns:1fr}}";
/// Files that are named.
const FILES: usize = 30;

/// The page.
pub(super) fn page(told: &Told, pairs: &[Pair]) -> String {
    let mut html = page::head("Corpus audit", STYLE);
    html.push_str("<h1>Whose outputs does this corpus hold?</h1>");
    figures(&mut html, told);
    let _ = write!(html, "<p class=note>{}</p>", escaped(told.wording));
    html.push_str("<h2>How much of it</h2>");
    html.push_str(&picture::shares(&[
        ("documents", told.share_of_documents),
        ("bytes", told.share_of_bytes),
        ("words", told.share_of_words),
    ]));
    let _ = write!(
        html,
        "<p>Corrected for what the scanner misses and flags in vain (Rogan and Gladen), with the \
         interval of Lang and Reiczigel; {}.</p>",
        told.rates
    );
    accounts(&mut html, told);
    let _ = write!(html, "<p>{}.</p>", escaped(&told.common_source.line));
    if told.flagged > 0 {
        html.push_str("<h2>How strong the findings are</h2>");
        html.push_str(&picture::bits(&told.by_bits));
        files(&mut html, told);
        opened(&mut html, pairs);
    }
    limits(&mut html, told);
    html.push_str(page::FOOT);
    html
}

fn figures(html: &mut String, told: &Told) {
    html.push_str("<div class=figures>");
    let share = told.share_of_documents;
    for (figure, what) in [
        (told.documents.to_string(), "documents read"),
        (told.flagged.to_string(), "with a finding"),
        (format!("{:.2} %", share.share * 100.0), "of the corpus"),
        (
            format!("{:.2}–{:.2} %", share.lo * 100.0, share.hi * 100.0),
            "interval of 95 %",
        ),
        (told.accounts.len().to_string(), "accounts named"),
        (told.bad.to_string(), "could not be read"),
    ] {
        let _ = write!(html, "<div><b>{figure}</b>{what}</div>");
    }
    html.push_str("</div>");
}

fn accounts(html: &mut String, told: &Told) {
    html.push_str("<h2>Whose outputs</h2>");
    if !told.accounts_not_named.is_empty() {
        let _ = write!(
            html,
            "<p>Not named, for chance may explain so few documents (Holm's p above 5 %): {}.</p>",
            told.accounts_not_named
                .iter()
                .map(|one| format!("{} ({})", escaped(&one.account), one.documents))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    if let Some(to_name) = &told.to_name {
        let _ = write!(html, "<p>{}.</p>", escaped(&to_name.line));
    }
    if told.accounts.is_empty() && !told.accounts_not_named.is_empty() {
        return;
    }
    if told.accounts.is_empty() {
        let _ = write!(
            html,
            "<p>No document holds an output of the {} accounts asked. What is not in the registry \
             was not looked for.</p>",
            told.accounts_asked
        );
        return;
    }
    html.push_str(
        "<div class=wide><table><tr><th>account<th>documents<th>bytes in spans<th>chance, human \
         text<th>chance, independent answers<th>Holm<th>Benjamini-Hochberg",
    );
    for one in &told.accounts {
        let independent = one
            .log10_p_independent
            .map_or_else(|| "no twins".to_owned(), power);
        let _ = write!(
            html,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{independent}<td>{}<td>{}",
            escaped(&one.account),
            one.documents,
            one.bytes,
            power(one.log10_p_unrelated),
            power(one.log10_holm),
            power(one.log10_bh)
        );
    }
    html.push_str("</table></div>");
}

fn files(html: &mut String, told: &Told) {
    html.push_str("<h2>Where</h2><div class=wide><table><tr><th>file<th>documents with a finding");
    let mut files: Vec<_> = told.by_file.iter().collect();
    files.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (file, count) in files.iter().take(FILES) {
        let _ = write!(html, "<tr><td>{}<td>{count}", escaped(file));
    }
    html.push_str("</table></div>");
    if files.len() > FILES {
        let _ = write!(html, "<p>and {} more files</p>", files.len() - FILES);
    }
}

fn opened(html: &mut String, pairs: &[Pair]) {
    html.push_str("<h2>The strongest findings</h2>");
    for pair in pairs {
        let found = &pair.found;
        let Some(one) = found.strongest() else {
            continue;
        };
        let _ = write!(
            html,
            "<details><summary>{}:{} — {:.0} bits in channel {}, {:.0} % of an output of {}</summary>",
            escaped(&found.file),
            found.row,
            one.bits,
            one.channel,
            one.share * 100.0,
            escaped(&one.account)
        );
        let _ = write!(
            html,
            "<p>Output <code>{}</code> of model {}, {}; family of {}; chance in human text {:.4}{}. \
             Document SHA-256 <code>{}</code>.</p><div class=pair><div><b>document</b><br>",
            escaped(&one.exchange),
            escaped(&one.model),
            escaped(&one.at),
            one.family.len(),
            one.p_unrelated,
            independent(one),
            found.sha256
        );
        text(html, &pair.document);
        html.push_str("</div><div><b>output</b><br>");
        if pair.output.is_empty() {
            html.push_str(
                "not at hand: a registry keeps fingerprints only. Spans in the document (first \
                 byte, end, place in the output, channel):",
            );
            for (start, end, position, channel) in one.spans.iter().take(12) {
                let _ = write!(html, "<br><code>{start}-{end} {position} {channel}</code>");
            }
        } else {
            text(html, &pair.output);
        }
        html.push_str("</div></div></details>");
    }
}

/// What independent answers to the same prompt say of a match.
fn independent(one: &Resembled) -> String {
    let p = one.p_same_prompt;
    match one.independent {
        Some(Independent {
            twins: 0, fleet, ..
        }) => format!(
            "; nearer than {fleet} answers of other models to the same prompt, as {p:.4} of \
             independent answers are"
        ),
        Some(Independent { twins, as_near, .. }) => format!(
            "; {as_near} of {twins} control twins as near; {p:.4} of independent answers are so much \
             nearer than twins"
        ),
        None => format!(
            "; no control twin at hand: {p:.4} of independent answers to the same prompt are so \
             near (1 stands for the nearer half and more)"
        ),
    }
}

fn text(html: &mut String, pieces: &[Piece]) {
    for piece in pieces {
        let text = escaped(&piece.text);
        if piece.both {
            let _ = write!(html, "<mark>{text}</mark>");
        } else {
            html.push_str(&text);
        }
    }
}

fn limits(html: &mut String, told: &Told) {
    let _ = write!(
        html,
        "<h2>What this does not say</h2><ul><li>Outputs that are not in the registry were not \
         looked for: {} outputs of {} accounts were.<li>Outputs under 40 words, refusals and what \
         outputs repeat of their prompts are nobody's mark.<li>Overlap alone does not say who \
         copied from whom. Normaliser version {}.</ul>",
        told.outputs, told.accounts_asked, told.normaliser
    );
    if told.bad > 0 {
        let _ = write!(
            html,
            "<h2>What could not be read</h2><p>{} lines or files; what they hold was not checked.</p><ul>",
            told.bad
        );
        for fault in told.faults.iter().take(FILES) {
            let _ = write!(html, "<li>{}", escaped(fault));
        }
        html.push_str("</ul>");
    }
}
