use std::fs;

use super::*;

fn sentence(n: usize) -> String {
    (0..60)
        .map(|k| format!("w{}", n * 1000 + k))
        .collect::<Vec<_>>()
        .join(" ")
}

fn line(n: usize) -> String {
    format!(
        "{{\"account\":\"a\",\"time\":\"2026-01-02T03:04:05Z\",\"messages\":[{{\"role\":\"user\",\"content\":\"q{n}?\"}}],\"response\":\"{}\"}}\n",
        sentence(n)
    )
}

#[test]
fn a_training_set_made_of_answers_is_told_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("log.jsonl"), line(1) + &line(2)).unwrap();
    let set = format!(
        "{{\"instruction\":\"x\",\"output\":[\"{}\"]}}\n\n{{\"output\":\"{}\"}}\n",
        sentence(7),
        sentence(2).to_uppercase()
    );
    fs::write(at("set.jsonl"), set).unwrap();
    fs::write(at("own.txt"), sentence(8)).unwrap();
    let mut what = Audit {
        what: None,
        corpus: vec![at("set.jsonl"), at("own.txt")],
        answers: vec![at("log.jsonl")],
        account: None,
        share: 0.3,
    };
    assert_eq!(run(&what, Out::new(false)).unwrap(), Exit::Finding);
    let found = told(&what, Out::new(true)).unwrap();
    assert_eq!((found.answers, found.documents, found.flagged), (2, 3, 1));
    assert!(found.matches[0].document.ends_with("set.jsonl:3"));
    assert!(found.matches[0].share > 0.99, "{found:?}");
    what.corpus.remove(0);
    assert_eq!(run(&what, Out::new(false)).unwrap(), Exit::Clean);
}

#[test]
fn a_share_is_between_0_and_1() {
    assert_eq!(crate::args::share("0.3"), Ok(0.3));
    for text in ["-0.1", "1.5", "NaN", "half"] {
        assert!(crate::args::share(text).is_err(), "{text}");
    }
}
