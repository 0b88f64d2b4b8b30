use facts::{ExchangeId, OrganisationId, Timestamp};

use super::*;
use crate::sketch::SketchKey;

const FRAME: &str = "Take the role of a harbour examiner who writes trick questions for pilots in \
    training, never reuse a question, and mark which of the four replies is the safe one. Matter: ";

const MATTERS: [&str; 12] = [
    "anchors", "buoys", "currents", "dredging", "ebb", "fenders", "gales", "hawsers", "ice",
    "jetties", "keels", "lights",
];

fn key() -> SketchKey {
    SketchKey::new([9; 16])
}

fn said(account: &str, n: usize, text: String) -> Exchange {
    Exchange {
        id: ExchangeId::parse(&format!("{account}-{n}")).unwrap(),
        account: AccountId::parse(account).unwrap(),
        at: Timestamp(0),
        model: None,
        prompt: vec![("user".into(), text)],
        response: None,
        usage: None,
    }
}

/// Words that no two prompts of these tests share by chance.
fn own(account: usize, n: usize) -> String {
    let letter = |k: usize| char::from(b'a' + u8::try_from(k % 26).unwrap());
    let words = (0..30).map(|k| {
        let parts = [letter(account), letter(account / 26), letter(n), letter(k)];
        parts.iter().collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `ring` accounts deal one queue out among 80 strangers.
fn fleet(ring: usize) -> Vec<Exchange> {
    let mut all = Vec::new();
    for account in 0..80 {
        for n in 0..10 {
            all.push(said(&format!("s{account}"), n, own(account, n)));
        }
    }
    for account in 0..ring {
        for n in 0..10 {
            let item = (account + n * 5) % MATTERS.len();
            let text = format!("{FRAME}{} {}", MATTERS[item], own(100 + account, n));
            all.push(said(&format!("r{account}"), n, text));
        }
    }
    all
}

#[test]
fn a_ring_among_strangers_is_named_and_they_are_not() {
    let report = detect(&fleet(24), &Settings::standard(key()));
    assert_eq!((report.accounts, report.exchanges), (104, 1040));
    assert_eq!(report.clusters.len(), 1, "{report:?}");
    assert_eq!(report.named().len(), 24);
    assert!(report.named().iter().all(|a| a.as_str().starts_with('r')));
    let cluster = &report.clusters[0];
    assert_eq!(cluster.prompts, 240);
    assert!(
        cluster.bound <= 0.01 && cluster.bound > 0.0,
        "{}",
        cluster.bound
    );
}

#[test]
fn the_order_of_exchanges_changes_nothing() {
    let mut all = fleet(24);
    let report = detect(&all, &Settings::standard(key()));
    all.reverse();
    assert_eq!(detect(&all, &Settings::standard(key())), report);
    all.sort_by_key(|e| key().hash(e.id.as_str().as_bytes()));
    assert_eq!(detect(&all, &Settings::standard(key())), report);
}

#[test]
fn few_carriers_are_observed_at_most() {
    assert_eq!(
        detect(&fleet(9), &Settings::standard(key())).observed.len(),
        0
    );
    let report = detect(&fleet(11), &Settings::standard(key()));
    assert!(report.clusters.is_empty());
    assert_eq!(report.observed.len(), 1);
    assert!(
        report.observed[0]
            .reasons
            .iter()
            .any(|r| r.contains("above the allowed"))
    );
}

#[test]
fn accounts_of_one_customer_are_one_carrier() {
    let mut settings = Settings::standard(key());
    let customer = OrganisationId::parse("harbour-school").unwrap();
    for n in 0..24 {
        let account = AccountId::parse(&format!("r{n}")).unwrap();
        settings.customers.insert(account, customer.clone());
    }
    let report = detect(&fleet(24), &settings);
    assert!(
        report.clusters.is_empty() && report.observed.is_empty(),
        "{report:?}"
    );
}

#[test]
fn a_reference_that_carries_it_too_clears_it() {
    let unrelated: Vec<Exchange> = (0..120)
        .flat_map(|a| (0..5).map(move |n| said(&format!("h{a}"), n, own(300 + a, n))))
        .collect();
    let clean = Background::Reference(Profiles::of(key(), &unrelated));
    let report = detect(&fleet(24), &Settings::new(key(), 0.01, 10, clean));
    assert_eq!(report.named().len(), 24, "{report:?}");
    let carriers = (0..60).flat_map(|a| {
        (0..5).map(move |n| {
            said(
                &format!("h{a}"),
                n + 9,
                format!("{FRAME}{}", own(500 + a, n)),
            )
        })
    });
    let both: Vec<Exchange> = unrelated.iter().cloned().chain(carriers).collect();
    let common = Background::Reference(Profiles::of(key(), &both));
    let report = detect(&fleet(24), &Settings::new(key(), 0.01, 10, common));
    assert!(report.clusters.is_empty(), "{report:?}");
    assert_eq!(report.observed.len(), 1);
}

#[test]
fn nothing_is_found_in_nothing() {
    let report = detect(&[], &Settings::standard(key()));
    assert_eq!((report.accounts, report.programmes), (0, 0));
    assert!(report.clusters.is_empty() && report.observed.is_empty());
}
