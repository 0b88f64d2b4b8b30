use provenance::Role;

use super::*;
use crate::args::provenance::Aim;

fn output(model: &str, day: &str) -> Output {
    Output {
        id: facts::ExchangeId::parse("e1").unwrap(),
        account: AccountId::parse("a").unwrap(),
        at: terms::day(day).unwrap(),
        model: ModelName::parse(model).unwrap(),
        role: Role::Output,
        prompt: 0,
        words: 100,
        own: [1; 3],
    }
}

fn uses(verb: Verb, target: Option<Aim>) -> UseOf {
    UseOf {
        verb,
        target,
        distributed: false,
        on_provider: false,
        terms: vec![
            "gpt-*=openai/services".to_owned(),
            "deepseek-*=deepseek/open-platform".to_owned(),
        ],
        agreement: None,
    }
}

#[track_caller]
fn check(uses: &UseOf, model: &str, day: &str, said: Said) -> Judgement {
    let judged = Ruler::of(uses).unwrap().judge(&output(model, day));
    assert_eq!(judged.said, said, "{judged:?}");
    judged
}

#[test]
fn training_a_competitor_is_blocked_by_one_provider_and_allowed_by_another() {
    let train = uses(Verb::Train, Some(Aim::Competing));
    let judged = check(&train, "gpt-5", "2026-06-01", Said::Blocked);
    assert_eq!(judged.clauses, ["openai-services-2026-01-01/3.3(e)"]);
    assert_eq!(judged.terms, ["openai-services-2026-01-01"]);
    check(&train, "deepseek-chat", "2026-06-01", Said::Allowed);
}

#[test]
fn the_terms_of_the_outputs_own_day_decide() {
    let train = uses(Verb::Train, Some(Aim::Competing));
    let old = check(&train, "gpt-4", "2023-06-01", Said::Blocked);
    assert_eq!(old.terms, ["openai-services-2023-10-16"]);
    let before = check(&train, "deepseek-chat", "2020-01-01", Said::Undecided);
    assert!(before.errors[0].contains("was in force"), "{before:?}");
}

#[test]
fn an_allowance_that_rests_on_a_word_names_the_word() {
    let train = uses(Verb::Train, Some(Aim::Classifier));
    let judged = check(&train, "gpt-5", "2026-06-01", Said::AllowedWithConditions);
    assert_eq!(judged.conditions, ["the model is not given to others"]);
    let mut given = train;
    given.distributed = true;
    check(&given, "gpt-5", "2026-06-01", Said::Blocked);
}

#[test]
fn outputs_of_a_model_without_terms_are_undecided() {
    let train = uses(Verb::Train, None);
    let judged = check(&train, "other", "2026-06-01", Said::Undecided);
    assert!(judged.errors[0].contains("--terms other=.."), "{judged:?}");
    assert!(
        Ruler::of(&UseOf {
            terms: vec!["x".to_owned()],
            ..uses(Verb::Train, None)
        })
        .is_err()
    );
}

#[test]
fn a_clear_denial_wins_over_what_nobody_knows() {
    // The other document was not yet in force on that day.
    let mut train = uses(Verb::Train, Some(Aim::Competing));
    train.terms = vec!["gpt-4=deepseek/open-platform".to_owned()];
    check(&train, "gpt-4", "2023-06-01", Said::Undecided);
    train.terms.push("gpt-4=openai/services".to_owned());
    let judged = check(&train, "gpt-4", "2023-06-01", Said::Blocked);
    assert!(!judged.clauses.is_empty(), "{judged:?}");
}
