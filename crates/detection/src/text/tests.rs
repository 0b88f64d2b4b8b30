use super::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(normalised(text), expected);
}

#[test]
fn wording_counts_and_spelling_of_it_does_not() {
    check("  Hello,\tWORLD!\r\n", "hello world");
    check("Take 12,345 items in 2024", "take 0 0 items in 0");
    check("v2beta x86_64", "v0beta x0 0");
    check("don\u{2019}t don't", "dont dont");
    check("\u{FB01}ne \u{FF21}BC", "fine abc");
    check("树上有8只鸟", "树 上 有 0 只 鸟");
    check("...", "");
}

#[test]
fn normalising_twice_changes_nothing() {
    for text in ["A b-c 3.14", "Ünïcode straße", "你好 world 42"] {
        let once = normalised(text);
        assert_eq!(normalised(&once), once);
    }
}

#[test]
fn long_messages_are_read_at_both_ends() {
    let text = format!("begin {} end", "x ".repeat(5000));
    let read = pieces(&[("user".into(), text)]);
    assert_eq!(read.len(), 2);
    assert!(read[0].starts_with("begin") && read[1].ends_with("end"));
    assert!(read.iter().map(String::len).sum::<usize>() <= 900);
}

#[test]
fn answers_inside_a_conversation_are_not_read() {
    let turn = |role: &str, text: &str| (role.to_owned(), text.to_owned());
    let read = pieces(&[
        turn("system", "be kind"),
        turn("user", "first"),
        turn("assistant", "said by the model"),
        turn("user", "middle"),
        turn("user", "last"),
    ]);
    assert_eq!(read, ["be kind", "first", "last"]);
}
