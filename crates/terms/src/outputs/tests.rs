use facts::AccountId;

use super::{
    Kind, Lineage, Origin, OutputSet, Target, Use, UseQuestion, UseRuling, Verb, use_output,
};
use crate::{Catalogue, Countries, Declaration, DocumentId, Library, Verdict, day};

fn library() -> Library {
    Library::new(Catalogue::builtin().unwrap(), Countries::new())
}

fn made(document: &str, on: &str) -> OutputSet {
    OutputSet {
        origin: Some(Origin {
            documents: vec![DocumentId::parse(document).unwrap()],
            model: None,
            at: day(on).unwrap(),
        }),
        ..OutputSet::default()
    }
}

fn copy(sources: &[&str], transform: &str, marked: Option<&str>) -> OutputSet {
    OutputSet {
        origin: None,
        sources: sources.iter().map(|s| (*s).to_owned()).collect(),
        transform: Some(transform.to_owned()),
        marked: marked.map(str::to_owned),
    }
}

fn lineage(sets: &[(&str, OutputSet)]) -> Lineage {
    sets.iter()
        .map(|(name, set)| ((*name).to_owned(), set.clone()))
        .collect()
}

const RIVAL: Use = Use {
    verb: Verb::Train,
    target: Some(Target {
        kind: Kind::Finetuned,
        competes: true,
        distributed: true,
        on_provider: false,
    }),
};

fn asked(lineage: &Lineage, set: &str, purpose: Use, declared: &[Declaration]) -> UseRuling {
    let account = AccountId::parse("acme").unwrap();
    let question = UseQuestion {
        account: &account,
        set,
        purpose,
        declared,
        conduct: &[],
        authorisations: &[],
    };
    use_output(&library(), lineage, &question)
}

#[test]
fn a_desensitized_copy_marked_unrestricted_keeps_what_binds_its_source() {
    let sets = lineage(&[
        ("answers", made("openai/services", "2023-12-01")),
        ("paraphrased", copy(&["answers"], "paraphrased", None)),
        (
            "clean",
            copy(&["paraphrased"], "desensitized", Some("unrestricted")),
        ),
    ]);
    let ruling = asked(&sets, "clean", RIVAL, &[]);
    assert_eq!(ruling.verdict, Verdict::Deny);
    assert_eq!(ruling.errors, Vec::<String>::new());
    assert_eq!(ruling.origins[0].0, "answers");
    assert_eq!(
        ruling.origins[0].1.because[0].as_str(),
        "openai-services-2023-10-16/2(c)(iii)"
    );
    assert!(
        ruling
            .analysis
            .iter()
            .any(|line| line.contains("lifts nothing"))
    );
}

#[test]
fn the_strictest_origin_wins_and_each_is_judged_by_its_own_day() {
    let sets = lineage(&[
        ("free", made("deepseek/open-platform", "2026-06-01")),
        ("bound", made("xai/enterprise", "2026-06-01")),
        ("later", made("xai/enterprise", "2026-09-01")),
        ("mix", copy(&["free", "bound"], "merged", None)),
        ("mix2", copy(&["free", "later"], "merged", None)),
    ]);
    let other = Use {
        verb: Verb::Train,
        target: Some(Target {
            kind: Kind::Finetuned,
            competes: false,
            distributed: false,
            on_provider: false,
        }),
    };
    let third = [Declaration::ThirdPartyModel];
    assert_eq!(asked(&sets, "free", RIVAL, &[]).verdict, Verdict::Allow);
    assert_eq!(asked(&sets, "mix", RIVAL, &[]).verdict, Verdict::Deny);
    assert_eq!(asked(&sets, "mix", other, &third).verdict, Verdict::Allow);
    assert_eq!(asked(&sets, "mix2", other, &third).verdict, Verdict::Deny);
}

#[test]
fn llama_allows_with_a_name_that_begins_so_or_when_nothing_leaves_the_house() {
    let sets = lineage(&[("answers", made("meta/llama-3-1", "2026-06-01"))]);
    assert_eq!(asked(&sets, "answers", RIVAL, &[]).verdict, Verdict::Deny);
    assert_eq!(
        asked(&sets, "answers", RIVAL, &[Declaration::NamedLlama]).verdict,
        Verdict::Allow
    );
    let inside = Use {
        target: RIVAL.target.map(|target| Target {
            distributed: false,
            ..target
        }),
        ..RIVAL
    };
    assert_eq!(asked(&sets, "answers", inside, &[]).verdict, Verdict::Allow);
    let older = lineage(&[("answers", made("meta/llama-3", "2026-06-01"))]);
    assert_eq!(
        asked(&older, "answers", inside, &[Declaration::NamedLlama]).verdict,
        Verdict::Deny
    );
}

#[test]
fn what_is_not_known_denies() {
    let circle = lineage(&[
        ("a", copy(&["b"], "translated", None)),
        ("b", copy(&["a"], "translated", None)),
    ]);
    let orphan = lineage(&[("a", OutputSet::default())]);
    let dangling = lineage(&[
        ("free", made("deepseek/open-platform", "2026-06-01")),
        ("a", copy(&["free", "gone"], "merged", None)),
    ]);
    let unknown = lineage(&[("a", made("nobody/terms", "2026-06-01"))]);
    let early = lineage(&[("a", made("deepseek/open-platform", "2020-01-01"))]);
    for (sets, why) in [
        (&Lineage::new(), "is not known"),
        (&circle, "comes from no model"),
        (&orphan, "neither origin nor sources"),
        (&dangling, "`gone` is not known"),
        (&unknown, "no version of `nobody/terms`"),
        (&early, "in force at"),
    ] {
        for verb in Verb::ALL {
            let ruling = asked(sets, "a", Use { verb, target: None }, &[]);
            assert_eq!(ruling.verdict, Verdict::Deny, "{why}");
            assert!(ruling.errors[0].contains(why), "{:?}", ruling.errors);
        }
    }
}
