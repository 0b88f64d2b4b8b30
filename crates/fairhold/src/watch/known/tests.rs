use detection::campaign::{BackTest, NewCampaign, Rule, make};
use facts::{Exchange, ExchangeId, Timestamp};

use super::*;
use crate::watch::tests::{harvest, ordinary};

const DAY: i64 = 86_400_000;

fn exchange(account: &str, n: usize, text: String) -> Exchange {
    Exchange {
        id: ExchangeId::parse(&format!("{account}-{n}")).unwrap(),
        account: AccountId::parse(account).unwrap(),
        at: Timestamp(i64::try_from(n).unwrap()),
        model: None,
        prompt: vec![("user".to_owned(), text)],
        response: None,
        usage: None,
    }
}

fn campaign(back_test: Option<BackTest>) -> Campaign {
    let confirmed: Vec<Exchange> = (0..100)
        .map(|n| exchange("confirmed", n, harvest(n)))
        .collect();
    let new = NewCampaign {
        name: "lists".to_owned(),
        made_at: Timestamp(0),
        expires_at: Timestamp(180 * DAY),
        rule: Rule::STANDARD,
    };
    let made = make(&new, &confirmed, &BTreeSet::new()).unwrap();
    back_test.map_or(made.clone(), |test| made.tested(test).unwrap())
}

const CLEARED: BackTest = BackTest {
    accounts: 200,
    exchanges: 4_000,
    fired: 0,
};

fn seen(matcher: &Matcher, all: impl IntoIterator<Item = Exchange>) -> Vec<Seen> {
    let mut reader = detection::Reader::default();
    all.into_iter()
        .filter_map(|e| Seen::of(e, 1, &mut reader, matcher))
        .collect()
}

fn nobody(_: &AccountId) -> Standing {
    Standing::default()
}

#[test]
fn an_account_that_never_stops_is_remembered_by_its_last_exchanges_only() {
    let matcher = Arc::new(Matcher::new([campaign(Some(CLEARED))]));
    let mut known = Known::default();
    let all = (0..500).map(|n| exchange("busy", n, harvest(n)));
    let rows = known.findings(&matcher, &seen(&matcher, all), nobody);
    assert_eq!(rows.len(), 1);
    let kept = known.tallies.values().map(|r| r.exchanges.len()).max();
    assert!(kept.is_some_and(|n| n <= EXCHANGES_MAX), "{kept:?}");
}

#[test]
fn an_account_of_a_known_campaign_is_found_at_its_third_prompt_and_told_once() {
    let matcher = Arc::new(Matcher::new([campaign(Some(CLEARED))]));
    let mut known = Known::default();
    let two = (0..2).map(|n| exchange("new", n, harvest(n + 500)));
    assert!(
        known
            .findings(&matcher, &seen(&matcher, two), nobody)
            .is_empty()
    );
    let more = (2..9).map(|n| exchange("new", n, harvest(n + 500)));
    let rows = known.findings(&matcher, &seen(&matcher, more), nobody);
    assert_eq!(rows.len(), 1);
    let view: FindingView = serde_json::from_str(&rows[0].json).unwrap();
    assert_eq!((view.account.as_str(), view.relied_on.len()), ("new", 3));
    assert!(view.may.starts_with("a notice"), "{}", view.may);
    assert!(
        view.summary.contains("campaign `lists`") && view.p <= FIRES_MAX,
        "{view:?}"
    );
    let later = (0..9).map(|n| exchange("new", n, harvest(n + 500)));
    let again = Known::default().findings(&matcher, &seen(&matcher, later), nobody);
    assert_eq!(
        again[0].id, rows[0].id,
        "after a restart the same finding is the same row"
    );
}

#[test]
fn people_match_nothing_and_leave_nothing_behind() {
    let matcher = Arc::new(Matcher::new([campaign(Some(CLEARED))]));
    let mut known = Known::default();
    let people = (0..60).map(|n| exchange(&format!("person-{}", n % 6), n, ordinary(n)));
    assert!(
        known
            .findings(&matcher, &seen(&matcher, people), nobody)
            .is_empty()
    );
    assert!(known.tallies.is_empty());
}

#[test]
fn a_campaign_that_was_not_tried_enough_says_nothing() {
    let few = BackTest {
        accounts: 10,
        ..CLEARED
    };
    for untried in [campaign(None), campaign(Some(few))] {
        let matcher = Arc::new(Matcher::new([untried]));
        let mut known = Known::default();
        let all = (0..9).map(|n| exchange("new", n, harvest(n + 500)));
        assert!(
            known
                .findings(&matcher, &seen(&matcher, all), nobody)
                .is_empty()
        );
    }
}
