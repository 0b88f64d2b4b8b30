//! The page's frame and its escaping.

pub(super) const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8>\
<meta name=viewport content=\"width=device-width,initial-scale=1\"><title>Fairhold demo</title><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}\
h1,h2,h3{line-height:1.2}.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.5rem}\
.figures div{border:1px solid #d5dae1;border-radius:.4rem;padding:.6rem}.figures b{display:block;font-size:1.6rem}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #e6e9ee}\
tr.ring td{background:#fdf1ec}svg{max-width:100%;height:auto}section{border-left:3px solid #c4552d;padding-left:1rem}\
</style><main>";

pub(super) const FOOT: &str = "</main></html>\n";

/// Text made safe inside HTML elements and quoted attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
