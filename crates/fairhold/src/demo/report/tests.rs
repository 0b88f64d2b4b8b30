use super::*;

fn row(name: &str, ring: bool) -> AccountRow {
    AccountRow {
        name: name.into(),
        kind: "tests".into(),
        exchanges: 7,
        ring,
        found: ring,
        refused: ring,
    }
}

fn story() -> Story {
    Story {
        traffic: "made <here>".into(),
        accounts: vec![row("honest", false), row("<script>x</script>", true)],
        programmes: 2,
        clusters: vec![ClusterRow {
            accounts: vec!["<script>x</script>".into()],
            bound: "at most 1 in 1,000".into(),
            reasons: vec!["a & b".into()],
        }],
        case: None,
        millis: vec![0.2, 3.0, 999.0],
        verify: "ok".into(),
        altered: "failed".into(),
        seconds: 1.25,
    }
}

#[test]
fn the_page_stands_alone_and_escapes_what_it_shows() {
    let page = story().html();
    assert!(!page.contains("<script"), "no script may run");
    assert!(
        !page.contains("http:") && !page.contains("https:"),
        "no outside resource"
    );
    assert!(page.contains("&lt;script&gt;x&lt;/script&gt;") && page.contains("a &amp; b"));
    assert!(page.contains("<b>14</b>exchanges") && page.contains("<b>1</b>ring found"));
    assert!(page.contains("<b>0</b>innocent refused"));
}

#[test]
fn every_value_has_one_bar() {
    assert_eq!(
        chart::bars(&[0.5, 0.6, 200.0, 200.1, 1e9]),
        [1, 1, 0, 0, 0, 0, 0, 0, 1, 2]
    );
    assert_eq!(chart::bars(&[]), [0; 10]);
}
