use super::super::Manifest;
use super::*;

const HEAD: &str = r#"
version = 1
[repositories]
"us/words" = "0000000000000000000000000000000000000000"
[[source]]
name = "words"
kind = "app"
licence = "ours"
origin = "us/words"
rows = 2
[[source.file]]
id = "a"
repository = "us/words"
path = "a.txt"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[source.file]]
id = "frame"
repository = "us/words"
path = "frame.py"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
"#;

/// The rows of one source of our own words: user text and response.
fn made(recipe: &str, a: &str, frame: &str) -> Result<Vec<(String, Option<String>)>, String> {
    let manifest = Manifest::parse(&format!("{HEAD}{recipe}")).map_err(|e| e.to_string())?;
    let mut texts = Texts::new();
    texts.insert("a".to_owned(), ("us/words/a.txt".to_owned(), a.to_owned()));
    texts.insert(
        "frame".to_owned(),
        ("us/words/frame.py".to_owned(), frame.to_owned()),
    );
    let source = &manifest.sources()[0];
    let made = of(source, &texts, &|_| true).map_err(|e| e.to_string())?;
    let last = |r: Row| {
        r.prompt
            .last()
            .map(|m| m.content.clone())
            .unwrap_or_default()
    };
    Ok(made
        .rows
        .into_iter()
        .map(|r| (last(r.clone()), r.response))
        .collect())
}

#[track_caller]
fn check(recipe: &str, a: &str, frame: &str, expected: &[&str]) {
    let texts: Vec<String> = made(recipe, a, frame)
        .unwrap()
        .into_iter()
        .map(|r| r.0)
        .collect();
    assert_eq!(texts, expected);
}

#[test]
fn a_template_is_cut_out_of_the_repository_and_filled() {
    let recipe = r#"
[source.text.frame]
file = "frame"
between = ['ask = "', '"']
through = "{text|python}"
[[source.part]]
files = ["a"]
format = "jsonl"
campaign = "c"
realness = "recon"
prompt = [{ role = "user", text = "{text.frame}", fill = { "<T>" = "{topic}" } }]
"#;
    let frame = "x = 1\nask = \"Tell\\nof <T>\"\n";
    check(recipe, "{\"topic\":\"<T>ea\"}", frame, &["Tell\nof <T>ea"]);
    let refused = made(recipe, "{\"topic\":1}", "nothing here").unwrap_err();
    assert!(refused.contains("us/words/frame.py: line 1"), "{refused}");
}

#[test]
fn nested_items_see_what_is_around_them() {
    let recipe = r#"
[[source.part]]
files = ["a"]
format = "json"
each = "shelves.*.books.*"
campaign = "c"
realness = "prompt"
when = [{ text = "{lost?}", is = "" }]
prompt = [{ role = "user", text = "{up.room}/{title}" }]
response = "{key}"
"#;
    let text = r#"{"shelves":[{"room":"A","books":[{"title":"x"},{"title":"y","lost":"yes"}]},
        {"room":"B","books":[{"title":"z"}]}]}"#;
    check(recipe, text, "", &["A/x", "B/z"]);
    let refused = made(recipe, r#"{"shelves":[{"room":"A","books":[{}]}]}"#, "").unwrap_err();
    assert!(
        refused.contains("a.txt: item 0: there is no field `title`"),
        "{refused}"
    );
    let refused = made(recipe, r#"{"shelves":3}"#, "").unwrap_err();
    assert!(refused.contains("neither list nor object"), "{refused}");
}

#[test]
fn lines_are_crossed_and_counted_out() {
    let recipe = r#"
[source.text.shots]
file = "frame"
lines = [1, 2]
per_line = "{q}={a};"
[[source.part]]
files = ["a"]
format = "lines"
campaign = "c"
realness = "recon"
cross = { other = "a" }
prompt = [
    { role = "system", text = "{line}", optional = true },
    { role = "user", text = "{text.shots}{} {}", format = ["{line}", "{cross.other}"] },
]
"#;
    let recipe = recipe.replace("{text.shots}{} {}", "{text.shots}{{}} {{}}");
    let shots = "{\"q\":1,\"a\":2}\n{\"q\":3,\"a\":4}\n{\"q\":5,\"a\":6}\n";
    let all = ["1=2;3=4;x x", "1=2;3=4;y x", "1=2;3=4;x y", "1=2;3=4;y y"];
    check(&recipe, "x\ny\n", shots, &all);
}

#[test]
fn messages_are_listed_and_slots_named_by_the_item() {
    let recipe = r#"
[source.text.before]
file = "frame"
[[source.part]]
files = ["a"]
format = "jsonl"
campaign = "c"
realness = "recon"
prompt = [
    { list = "{text.before}" },
    { role = "user", text = "{ask}", fill_from = "{with}" },
]
"#;
    let before =
        "{\"role\":\"user\",\"content\":\"hi\"}\n{\"role\":\"assistant\",\"content\":\"yes\"}";
    let item = "{\"ask\":\"find x0\",\"with\":{\"x0\":\"tea\"}}";
    check(recipe, item, before, &["find tea"]);
    let refused = made(recipe, item, "{\"role\":3}").unwrap_err();
    assert!(refused.contains("messages"), "{refused}");
}

#[test]
fn conversations_make_a_row_for_every_answer() {
    let recipe = r#"
[[source.part]]
files = ["a"]
format = "jsonl"
campaign = "c"
realness = "both"
turns = { each = "said.*", role = "{who}", text = "{words}", user = ["q"], assistant = ["a"] }
"#;
    let text =
        r#"{"said":[{"who":"q","words":"1"},{"who":"a","words":"2"},{"who":"q","words":"3"}]}"#;
    let rows = made(recipe, text, "").unwrap();
    let expected = [
        ("1".to_owned(), Some("2".to_owned())),
        ("3".to_owned(), None),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_recipe_that_names_what_is_not_there_is_refused() {
    let recipe =
        "[[source.part]]\nfiles = [\"b\"]\nformat = \"text\"\ncampaign = \"c\"\nrealness = \"p\"\n";
    let refused = made(recipe, "", "").unwrap_err();
    assert!(refused.contains("no file has the id `b`"), "{refused}");
    let refused = made("[[source.part]]\nfile = 3\n", "", "").unwrap_err();
    assert!(refused.contains("line"), "{refused}");
}
