use serde_json::json;

use super::*;

#[track_caller]
fn check(template: &str, item: &serde_json::Value, expected: Result<&str, &str>) {
    let names = BTreeMap::from([("text.frame".to_owned(), "Tell me of {x}.".to_owned())]);
    let outer = json!({ "shelf": "left" });
    let scope = Scope {
        stack: vec![&outer, item],
        key: "7".to_owned(),
        names: &names,
    };
    let found = Template::try_from(template.to_owned())
        .unwrap()
        .render(&scope);
    assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned));
}

#[test]
fn fields_of_the_item_and_around_it_are_put_in() {
    let item = json!({ "q": " why? ", "a": [{ "b": 3 }], "none": null });
    check("{q|trim}!", &item, Ok("why?!"));
    check(
        "{a.0.b} on the {up.shelf}, {key}",
        &item,
        Ok("3 on the left, 7"),
    );
    check("{{{q|trim}}}", &item, Ok("{why?}"));
    check("{text.frame}", &item, Ok("Tell me of {x}."));
    check("{none?}{gone?|or:nothing}", &item, Ok("nothing"));
    check("{gone}", &item, Err("there is no field `gone`"));
}

#[test]
fn steps_are_what_they_say() {
    let item = json!({
        "s": "  Some  Words_12 ",
        "list": ["b", "a", "b"],
        "map": { "A": "one", "B": "two" },
        "py": "f(\"a\\tb\" 'c\\\"d') + x",
        "none": "",
    });
    check("{s|spaces|lower|drop:_[0-9]+}", &item, Ok("some words"));
    check("{list|join:+}", &item, Ok("b+a+b"));
    check("{list|leaves:, |sort:, }", &item, Ok("a, b"));
    check("{map|pairs:. }", &item, Ok("A. one\nB. two"));
    check("{py|literals}", &item, Ok("a\tbc\"d"));
    check("{s|trim|first:4}{s|trim|last:2}", &item, Ok("Some12"));
    check("{s|before:W|trim}{s|after:_|trim}", &item, Ok("Some12"));
    check(
        "{none|lead:x}{map.A|lead:-}{map.A|tail:.}",
        &item,
        Ok("-oneone."),
    );
    check(
        "{s|trim_start|trim_end|replace:Some  =>}",
        &item,
        Ok("Words_12"),
    );
    check("{map.A|up_to:n}{map.B|after_last:t}", &item, Ok("onwo"));
}

#[test]
fn a_template_that_cannot_be_meant_is_refused() {
    for wrong in [
        "{open",
        "close}",
        "{a|unknown}",
        "{a|first:x}",
        "{a|replace:b}",
        "{a|drop:(}",
    ] {
        assert!(Template::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn what_was_put_in_is_not_read_again() {
    let slots = [("{a}", "{b}".to_owned()), ("{b}", "x".to_owned())];
    assert_eq!(fill("{a}-{b}", &slots), "{b}-x");
    assert_eq!(fill("none", &slots), "none");
}

#[test]
fn format_is_that_of_python() {
    let given = ["one".to_owned(), "{}".to_owned()];
    assert_eq!(format("{} {{x}} {}.", &given), "one {x} {}.");
    assert_eq!(format("{ü} {", &[]), "{ü} {");
    assert_eq!(format("{}{}", &[]), "");
}
