use super::*;
use crate::detector::Detector;
use crate::reading::Reader;

/// Prompts of our own that ask for data to be made.
pub(crate) fn making(n: usize) -> Vec<(String, String)> {
    let subject = [
        "tram lines",
        "bee hives",
        "salt pans",
        "ink pens",
        "roof tiles",
    ][n % 5];
    let text = format!(
        "Come up with twelve diverse tasks on {subject} number {n}. Every task must be different and challenging. \
         The tasks will be given to a language model; write an instruction, an input and an output for each.\n\n1."
    );
    vec![("user".to_owned(), text)]
}

/// Prompts of people.
pub(crate) fn asking(n: usize) -> Vec<(String, String)> {
    let words = ["boat", "stove", "letter", "garden", "ticket", "violin"];
    let text = format!(
        "hi, my {} is broken since day {n} and i do not know what to do, can you help me please? also the {}",
        words[n % 6],
        words[(n / 6) % 6]
    );
    vec![("user".to_owned(), text)]
}

pub(crate) fn account_of(prompts: impl IntoIterator<Item = Vec<(String, String)>>) -> Account {
    let mut reader = Reader::default();
    let mut account = Account::default();
    for prompt in prompts {
        account.observe(reader.read(&prompt));
    }
    account
}

fn head() -> Head {
    Detector::shipped().unwrap().head
}

#[test]
fn every_weight_has_the_sign_that_its_cue_may_have() {
    let head = head();
    for cue in Cue::ALL {
        assert!(cue.may_weigh(head.of(cue).2), "{cue:?}");
    }
    let speaks = |s: Speaks| Cue::ALL.iter().filter(|c| c.speaks() == s).count();
    assert_eq!(
        speaks(Speaks::For) + speaks(Speaks::Against) + speaks(Speaks::Neither),
        CUES
    );
}

#[test]
fn grading_never_speaks_for_a_harvest() {
    for cue in [Cue::Rubric, Cue::Compare, Cue::GradesAnswer] {
        assert_eq!(cue.speaks(), Speaks::Against);
        assert!(head().of(cue).2 <= 0.0);
    }
}

#[test]
fn making_data_scores_above_asking_for_oneself() {
    let head = head();
    let makes = head.intent(&account_of((0..30).map(making)));
    let asks = head.intent(&account_of((0..30).map(asking)));
    assert!(makes.statistic > asks.statistic + 0.5, "{makes:?} {asks:?}");
}

#[test]
fn a_harvest_in_a_tenth_of_an_account_is_seen_by_its_frame() {
    let head = head();
    let mixed = account_of((0..90).map(asking).chain((0..10).map(making)));
    let intent = head.intent(&mixed);
    assert!(intent.frame.is_some(), "{intent:?}");
    assert!(intent.exchanges < 40, "{intent:?}");
    assert!(
        intent.statistic > head.score(mixed.whole()) + 0.3,
        "{intent:?}"
    );
}

#[test]
fn programmes_of_fewer_than_four_prompts_are_not_looked_at() {
    let head = head();
    let of = |n: usize| head.intent(&account_of((0..n).map(making)));
    assert_eq!((of(3).frame, of(3).exchanges), (None, 3));
    let many = account_of((0..400).map(asking).chain((0..15).map(making)));
    let least = many.whole().exchanges / PROGRAMMES_MAX;
    assert!(
        head.intent(&many).exchanges >= least,
        "a twentieth of the account at least"
    );
}

#[test]
fn what_carried_a_score_adds_up_to_it_or_more() {
    let head = head();
    let sums = account_of((0..20).map(making));
    let carried = head.carried(sums.whole());
    let plus: f64 = carried.iter().map(|(_, adds, _)| adds).sum();
    assert!(head.bias + plus >= head.score(sums.whole()) - 1e-9);
    assert!(carried.windows(2).all(|w| w[0].1 >= w[1].1));
    assert!(
        carried
            .iter()
            .all(|(cue, ..)| cue.speaks() != Speaks::Neither)
    );
}

#[test]
fn peers_are_read_off_the_prompts() {
    let head = head();
    let of = |text: &str| {
        let prompts = (0..10).map(|n| vec![("user".to_owned(), format!("{text} {n}"))]);
        head.peers(account_of(prompts).whole())
    };
    assert_eq!(
        of("def count(items): return sum(items) # fix the bug in this function; {}"),
        Peers::Code
    );
    assert_eq!(
        of("Translate into SQL. Return only the query. table orders, column name, database shop"),
        Peers::Extraction
    );
    assert_eq!(
        of(
            "Which option is correct? A. B. C. D. solve the equation, choose the answer, step by step"
        ),
        Peers::Evaluation
    );
    assert_eq!(
        Peers::ALL.map(|p| Peers::parse(p.word())),
        Peers::ALL.map(Some)
    );
}
