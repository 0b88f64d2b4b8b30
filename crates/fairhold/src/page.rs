//! A page that stands alone: its frame, and text made safe inside it.
//!
//! No script, no font and no picture from elsewhere: such a page can be sent,
//! kept and printed.

pub(crate) use console::escaped;

/// What every page looks like.
const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}\
h1,h2,h3{line-height:1.2}.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.5rem}\
.figures div{border:1px solid #d5dae1;border-radius:.4rem;padding:.6rem}.figures b{display:block;font-size:1.6rem}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #e6e9ee}\
tr.ring td{background:#fdf1ec}svg{max-width:100%;height:auto}section{border-left:3px solid #c4552d;padding-left:1rem}";

/// The beginning of a page; `style` is what this one looks like besides.
pub(crate) fn head(title: &str, style: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <title>{}</title><style>{STYLE}{style}</style><main>",
        escaped(title)
    )
}

/// The end of a page.
pub(crate) const FOOT: &str = "</main></html>\n";
