use super::*;
use crate::{AccountTally, AuditKey, Depth, Guarantee, Month, OutputText, Scanner, SegmentBuilder};
use facts::{AccountId, ExchangeId, ModelName, Timestamp};

/// A judge over a thousand pretended human documents of up to ten bits.
pub(crate) fn judge() -> Judge {
    let bits = (0..999).map(|n| f64::from(n) * 0.01).collect();
    // One independent answer in two hundred is as much as half a bit a word nearer.
    let contrasts: Vec<f64> = (0..999).map(|n| f64::from(n) * 0.000_5).collect();
    Judge {
        fusion: Fusion::STANDARD,
        calibration: Calibration::new(bits, contrasts.clone(), contrasts),
        unrelated_max: 0.003,
        independent_max: 0.01,
        texts: 4096.0,
        per_doubling: 0.0,
    }
}

fn text(salt: usize, count: usize) -> String {
    let word = |n| format!("w{salt}x{n}");
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// (account, model, prompt, text, role) of each.
fn registry(key: &AuditKey, outputs: &[(&str, &str, &str, String, Role)]) -> Registry {
    let mut segments = Vec::new();
    for (n, (account, model, prompt, text, role)) in outputs.iter().enumerate() {
        let account = AccountId::parse(account).unwrap();
        let mut builder = SegmentBuilder::new(key, account.clone(), Month::of(Timestamp(0)));
        let output = OutputText {
            id: ExchangeId::parse(&n.to_string()).unwrap(),
            account,
            prompt,
            text,
            at: Timestamp(0),
            model: ModelName::parse(model).unwrap(),
            role: *role,
        };
        builder.add(&output).unwrap();
        segments.push(builder.build());
    }
    Registry::join(key.id(), segments, None).unwrap()
}

fn scan(registry: &Registry, key: &AuditKey, text: &str) -> Verdict {
    Scanner::new(
        registry,
        key,
        Depth::Paraphrases(Guarantee::Words23),
        judge(),
    )
    .scan(text)
}

/// Twenty outputs of a permissive model in one document hide no short one of a restricted model.
#[test]
fn a_weaker_finding_behind_many_stronger_is_kept() {
    let key = AuditKey::new([1; 16]);
    let mut outputs: Vec<_> = (0..20)
        .map(|n| ("a", "open", "", text(n, 90), Role::Output))
        .collect();
    outputs.push(("b", "closed", "", text(99, 45), Role::Output));
    let registry = registry(&key, &outputs);
    let whole: Vec<String> = outputs.iter().map(|o| o.3.clone()).collect();
    let verdict = scan(&registry, &key, &whole.join(" Then. "));
    let derived: Vec<usize> = verdict
        .matches
        .iter()
        .filter(|m| m.derived)
        .map(|m| m.output)
        .collect();
    assert_eq!(derived.len(), 21);
    let last = registry.outputs().get(derived[20]).unwrap();
    assert_eq!(last.model.as_str(), "closed");
    let mut tally = AccountTally::default();
    tally.add(&verdict, &registry);
    let found = tally.findings(0.001, 2);
    assert_eq!(found.len(), 2);
    let bytes: u64 = found.iter().map(|f| f.bytes).sum();
    assert_eq!(bytes, verdict.bytes_derived as u64);
    assert!(found.iter().all(|f| f.documents == 1 && f.bytes > 0));
}

/// Documents that share no more than chance with outputs and their twins say nothing of who came first.
#[test]
fn ten_thousand_unrelated_documents_accuse_nobody() {
    let key = AuditKey::new([2; 16]);
    let outputs = [
        ("a", "m", "what was asked", text(1, 90), Role::Output),
        ("t", "n", "what was asked", text(2, 90), Role::Control),
    ];
    let registry = registry(&key, &outputs);
    let mut tally = AccountTally::default();
    let mut touched = 0;
    let judged = Judge {
        calibration: Calibration::new(
            (0..999).map(|n| f64::from(n) * 0.1).collect(),
            vec![],
            vec![],
        ),
        ..judge()
    };
    let depth = Depth::Paraphrases(Guarantee::Words23);
    let scanner = Scanner::new(&registry, &key, depth, judged);
    for n in 0..10_000 {
        // A gram of the output in every document, and nothing of its twin.
        let gram: Vec<String> = (n % 80..n % 80 + 9).map(|w| format!("w1x{w}")).collect();
        let verdict = scanner.scan(&format!("{} {}", text(1_000 + n, 40), gram.join(" ")));
        touched += usize::from(!verdict.matches.is_empty());
        assert!(!verdict.derived());
        tally.add(&verdict, &registry);
    }
    assert!(touched > 2_000, "{touched}");
    assert_eq!(tally.common_source().compared, 0);
    assert!(tally.findings(0.005, 1).is_empty());
}

/// A document that resembles a twin and not the output counts against the output's coming first.
#[test]
fn twins_are_counted_where_outputs_are_not_found() {
    let key = AuditKey::new([3; 16]);
    let outputs = [
        ("a", "m", "what was asked", text(1, 90), Role::Output),
        ("t", "n", "what was asked", text(2, 90), Role::Control),
    ];
    let registry = registry(&key, &outputs);
    let (own, twin) = (text(1, 90), text(2, 90));
    let mut tally = AccountTally::default();
    for document in [own, twin] {
        let verdict = scan(&registry, &key, &document);
        tally.add(&verdict, &registry);
    }
    let common = tally.common_source();
    assert_eq!((common.compared, common.explained), (2, 1));
    let found = tally.findings(0.005, 1);
    assert_eq!(found.len(), 1);
    // One of two came first, each with one chance in two: three in four.
    let p = 10_f64.powf(found[0].log10_p_independent.unwrap());
    assert!((p - 0.75).abs() < 1e-9, "{p}");
}

/// The same bits beside a registry sixteen times as large are worth less.
#[test]
fn the_threshold_grows_with_the_registry() {
    let key = AuditKey::new([4; 16]);
    let registry = registry(&key, &[("a", "m", "", text(1, 60), Role::Output)]);
    let grown = Judge {
        texts: 256.0,
        per_doubling: 5.0,
        ..judge()
    };
    let (flat, grown) = (judge().threshold(&registry), grown.threshold(&registry));
    assert!((grown - flat - 20.0).abs() < 1e-9, "{flat} {grown}");
}

/// Answers of other models to the same prompt are independent answers too: what is near to both is nobody's,
/// and a copy of one is that one's. Another answer of the same model explains nothing.
#[test]
fn outputs_of_other_models_are_twins_of_each_other() {
    let key = AuditKey::new([5; 16]);
    let (shared, own, other) = (text(1, 60), text(2, 60), text(3, 60));
    let first = format!("{shared} {own}");
    let second = format!("{shared} {other}");
    let asked = "what was asked";
    let of = |model| {
        let outputs = [
            ("a", "m", asked, first.clone(), Role::Output),
            ("b", model, asked, second.clone(), Role::Output),
        ];
        registry(&key, &outputs)
    };
    let fleet = of("n");
    let copied = scan(&fleet, &key, &first);
    let strange = scan(&fleet, &key, &own);
    assert!(strange.derived() && strange.matches[0].independent.is_none());
    let derived: Vec<usize> = copied
        .matches
        .iter()
        .filter(|m| m.derived)
        .map(|m| m.output)
        .collect();
    assert_eq!(derived, [0]);
    let independent = copied.matches[0].independent.unwrap();
    assert_eq!((independent.twins, independent.fleet), (0, 1));
    assert!(copied.compared().is_none());
    let common = scan(&fleet, &key, &shared);
    assert!(common.matches.iter().all(|m| m.resembles) && !common.derived());
    assert!(common.matches[0].p_same_prompt > 0.01);
    let alike = scan(&of("m"), &key, &shared);
    assert!(alike.derived() && alike.matches.iter().all(|m| m.independent.is_none()));
}

/// Without twins it is told how many independent answers are as near.
#[test]
fn without_twins_the_nearness_is_ranked() {
    let key = AuditKey::new([6; 16]);
    let whole = text(1, 90);
    let registry = registry(&key, &[("a", "m", "", whole.clone(), Role::Output)]);
    let copied = scan(&registry, &key, &whole);
    let gram: Vec<&str> = whole.split(' ').take(16).collect();
    let touched = scan(
        &registry,
        &key,
        &format!("{} {}", text(7, 300), gram.join(" ")),
    );
    let p = |of: &Verdict| of.matches[0].p_same_prompt;
    assert!(
        p(&copied) < 0.002 && p(&touched) > 0.3,
        "{} {}",
        p(&copied),
        p(&touched)
    );
}
