use super::*;

fn row(user: &str, response: Option<&str>) -> Row {
    Row {
        campaign: "c".to_owned(),
        prompt: vec![Message {
            role: "user".to_owned(),
            content: user.to_owned(),
        }],
        response: response.map(str::to_owned),
        model: None,
        realness: "prompt".to_owned(),
        group: None,
    }
}

#[test]
fn a_row_digest_is_these_bytes() {
    let digest = row_digest([("user", "hello")], Some("hi"));
    assert_eq!(super::super::files::hex(&digest), GOLDEN);
    assert_ne!(digest, row_digest([("user", "hello")], None));
    assert_ne!(
        digest,
        row_digest([("user", "hell"), ("o", "")], Some("hi"))
    );
}

/// `printf 'user\0hello\0' | sha256sum` (10 digits) and `printf '\1hi' | sha256sum` (4).
const GOLDEN: &str = "37751107845fab";

#[test]
fn the_pools_rows_are_chosen_in_its_order() {
    let wanted = [
        row("b", Some("2")),
        row("a", None),
        row("b", Some("9")),
        row("gone", None),
        row("b", Some("8")),
    ];
    let wanted: Vec<RowDigest> = wanted.iter().filter_map(RowDigest::of).collect();
    let made = vec![
        row("a", None),
        row("b", Some("1")),
        row("b", Some("2")),
        row("c", None),
    ];
    let chosen = choose(&made, &wanted);
    let texts: Vec<_> = chosen
        .rows
        .iter()
        .map(|r| (r.prompt[0].content.as_str(), r.response.as_deref()))
        .collect();
    assert_eq!(
        texts,
        [("b", Some("2")), ("a", None), ("b", Some("1")), ("b", None)]
    );
    assert_eq!((chosen.prompts, chosen.with_response), (4, 2));
}

#[test]
fn without_digests_the_seed_chooses_the_same_rows_again() {
    let made = || {
        (0..50)
            .map(|n| row(&format!("{}", n % 40), None))
            .collect::<Vec<_>>()
    };
    let texts = |rows: Vec<Row>| -> Vec<String> {
        rows.into_iter()
            .map(|r| r.prompt[0].content.clone())
            .collect()
    };
    let one = texts(sample(made(), 10, 1));
    assert_eq!(one.len(), 10);
    assert_eq!(one, texts(sample(made(), 10, 1)));
    assert_ne!(one, texts(sample(made(), 10, 2)));
    assert_eq!(texts(sample(made(), 99, 1)).len(), 40);
}
