use console::LookView;

use super::super::table::tests::view;
use super::*;

/// An account's name may hold these; a page over HTTP may hold anything.
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

fn hostile() -> DetectionView {
    let mut found = view();
    found.rings[0].members[0].account = HOSTILE.to_owned();
    found.rings[0].reasons.push(HOSTILE.to_owned());
    found.rings[0].because = HOSTILE.to_owned();
    found.observed = found.rings.clone();
    found.observed[0]
        .reasons
        .push(format!("Not named: {HOSTILE}"));
    found.limits.push(HOSTILE.to_owned());
    for suspect in &mut found.suspects {
        suspect.account.push_str(HOSTILE);
        suspect.because = HOSTILE.to_owned();
        suspect.peers = HOSTILE.to_owned();
        suspect.reasons = vec![HOSTILE.to_owned()];
    }
    if let Some(with) = &mut found.compared_with {
        with.said = HOSTILE.to_owned();
        with.looks = vec![LookView {
            exchanges: 500,
            compared: 99,
            floor: 0.01,
            from: -1.0,
            step: 0.1,
            programmes: vec![3.0, 5.5, 1.0],
        }];
    }
    found
}

#[test]
fn the_page_stands_alone_and_escapes_everything_it_shows() {
    let page = page(&hostile());
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;"));
    for outside in ["http:", "https:", "url(", "@import", "<link", " src="] {
        let own = page.replace(&escaped(HOSTILE), "");
        assert!(!own.contains(outside), "{outside}");
    }
}

#[test]
fn every_line_opens_to_its_reasons() {
    let found = view();
    let page = page(&found);
    let lines = page.matches("<details class=line>").count();
    assert_eq!(lines, Rows::of(&found, true).listed.len());
    assert_eq!(page.matches("</details>").count(), lines);
    assert!(page.contains("20 accounts send one frame."));
    assert!(page.contains("<span class=p>&lt; 0.000001<small>&lt; 1 in a million</small>"));
    assert!(page.contains("99 honest programmes") && page.contains("a limit"));
    assert!(page.contains("not a verdict"));
}

#[test]
fn a_page_of_nothing_says_so() {
    let page = page(&DetectionView::default());
    assert!(page.contains("Nothing stands out") && page.ends_with("</main></html>\n"));
}
