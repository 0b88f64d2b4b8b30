use serde_json::json;

use super::*;

fn part(format: &str) -> Part {
    toml::from_str(&format!(
        "files = []\nformat = {format}\ncampaign = \"c\"\nrealness = \"prompt\"\n"
    ))
    .unwrap()
}

#[track_caller]
fn check(format: &str, text: &str, expected: Result<&[serde_json::Value], &str>) {
    let found = read(&part(format), text);
    match (found, expected) {
        (Ok(found), Ok(expected)) => {
            let values: Vec<_> = found.into_iter().map(|f| f.value).collect();
            assert_eq!(values, expected);
        }
        (Err(e), Err(place)) => assert_eq!(e.place, place, "{}", e.why),
        (found, _) => panic!("{:?}", found.map(|f| f.len())),
    }
}

#[test]
fn every_form_is_read() {
    check("\"json\"", "{\"a\": [1]}", Ok(&[json!({ "a": [1] })]));
    check(
        "\"jsonl\"",
        "1\n\n{\"b\":2}\n",
        Ok(&[json!(1), json!({ "b": 2 })]),
    );
    check(
        "\"lines\"",
        "one\ntwo\n",
        Ok(&[json!({ "line": "one" }), json!({ "line": "two" })]),
    );
    check("\"text\"", "a\nb", Ok(&[json!({ "text": "a\nb" })]));
    let pattern = "\"regex\"\npattern = \"Q: (?P<q>.*)\"";
    check(
        pattern,
        "x\nQ: why\nQ: who\n",
        Ok(&[json!({ "q": "why" }), json!({ "q": "who" })]),
    );
}

#[test]
fn csv_keeps_quotes_commas_and_lines() {
    let text = "a,b\r\n\"x, \"\"y\"\"\nz\",2\r\n3,4";
    let rows = [
        json!({ "a": "x, \"y\"\nz", "b": "2" }),
        json!({ "a": "3", "b": "4" }),
    ];
    check("\"csv\"", text, Ok(&rows));
    let headless = "\"csv\"\ncolumns = [\"n\", \"w\"]\ndivider = \"\\t\"";
    check(headless, "1\tone\n", Ok(&[json!({ "n": "1", "w": "one" })]));
}

#[test]
fn a_broken_file_is_told_by_its_line() {
    check("\"json\"", "{\n\"a\": }", Err("line 2"));
    check("\"jsonl\"", "1\n{oops\n", Err("line 2"));
    check("\"csv\"", "a,b\n1,2\n1,2,3\n", Err("line 3"));
    check("\"csv\"", "a,b\n1,\"2\n", Err("line 2"));
    check("\"regex\"\npattern = \"(\"", "x", Err("line 1"));
}

#[test]
fn broken_lines_are_passed_over_only_when_the_recipe_says_so() {
    check(
        "\"jsonl\"\nskip_broken = true",
        "1\n{oops\n2",
        Ok(&[json!(1), json!(2)]),
    );
}

#[test]
fn files_in_step_have_as_many_lines() {
    let mut found = read(&part("\"lines\""), "one\ntwo").unwrap();
    assert_eq!(
        beside(&mut found, "label", "1").unwrap_err().place,
        "line 2"
    );
    beside(&mut found, "label", "1\n2").unwrap();
    assert_eq!(found[1].value, json!({ "line": "two", "label": "2" }));
}
