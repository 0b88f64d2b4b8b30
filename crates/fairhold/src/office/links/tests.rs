use console::{CaseStep, NewAccount, NewCase, NewLimits, NewMeasure, Office as _, Step};

use super::*;
use crate::house::{House, Plan};
use crate::office::LocalOffice;

#[track_caller]
fn cut_to(given: &str, expected: &str) {
    assert_eq!(block(given).unwrap(), expected, "{given}");
}

#[test]
fn addresses_are_cut_to_their_block() {
    cut_to("203.0.113.77", "203.0.113.0/24");
    cut_to("203.0.113.64/26", "203.0.113.0/24");
    cut_to("203.0.113.0/24", "203.0.113.0/24");
    cut_to("::ffff:203.0.113.77", "203.0.113.0/24");
    cut_to("::ffff:203.0.113.0/120", "203.0.113.0/24");
    cut_to("2001:db8:1:2::9", "2001:db8:1::/48");
    cut_to("2001:db8:1::/56", "2001:db8:1::/48");
}

#[test]
fn what_links_strangers_or_nobody_is_refused_with_the_way_out() {
    for (given, hint) in [
        ("203.0.0.0/16", "/24"),
        ("2001:db8::/32", "/48"),
        ("203.0.113.0/33", "at most 32"),
        ("10.1.2.3", "public"),
        ("192.168.1.0/24", "public"),
        ("100.64.0.1", "public"),
        ("::1", "public"),
        ("fd00::1", "public"),
        ("DE", "IP address"),
        ("AS64496", "IP address"),
        ("203.0.113.0/x", "203.0.113.0/24"),
    ] {
        let said = block(given).unwrap_err().to_string();
        assert!(said.contains(hint), "{given}: {said}");
    }
}

#[test]
fn tokens_differ_by_key_and_kind_and_hide_their_value() {
    let key = LinkKey([1; 32]);
    let other = LinkKey([2; 32]);
    let token = key.token(LinkKind::Payment, "card");
    assert_eq!(token, key.token(LinkKind::Payment, "card"));
    assert_ne!(token, key.token(LinkKind::Identity, "card"));
    assert_ne!(token, other.token(LinkKind::Payment, "card"));
    assert_eq!(format!("{key:?}"), "LinkKey(..)");
}

const HOUR: i64 = 3_600_000;

async fn open(office: &LocalOffice, account: &str) {
    let new = NewAccount {
        account: account.to_owned(),
        project: account.to_owned(),
        organisation: account.to_owned(),
        ..NewAccount::default()
    };
    office.open_account(new).await.unwrap();
}

fn exchange(account: &str, n: i64, at: i64) -> facts::Exchange {
    facts::Exchange {
        id: facts::ExchangeId::parse(&format!("x{n}")).unwrap(),
        account: AccountId::parse(account).unwrap(),
        at: Timestamp(at),
        model: None,
        prompt: Vec::new(),
        response: None,
        usage: None,
    }
}

async fn house(folder: &std::path::Path) -> (House, LocalOffice) {
    let house = House::open(folder, Plan::at_rest()).await.unwrap();
    let office = LocalOffice::of(&house);
    open(&office, "a").await;
    open(&office, "b").await;
    let all = [
        exchange("a", 1, 5),
        exchange("a", 2, 900 * HOUR),
        exchange("c", 3, 901 * HOUR),
    ];
    house.keeper.database().import(&all).await.unwrap();
    (house, office)
}

fn id(name: &str) -> AccountId {
    AccountId::parse(name).unwrap()
}

#[tokio::test]
async fn links_and_activity_become_traits_and_plain_values_are_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (house, office) = house(folder.path()).await;
    let new = NewLinks {
        payment: vec!["card-4711-plain".to_owned(), " card-4711-plain ".to_owned()],
        identity: vec!["jane-plain".to_owned()],
        network: vec!["203.0.113.9".to_owned()],
    };
    let known = office.link("a", new.clone()).await.unwrap();
    assert_eq!((known.payment, known.identity, known.network), (1, 1, 1));
    let imported = NewLinks {
        network: vec!["203.0.113.200/32".to_owned()],
        ..NewLinks::default()
    };
    office.link("c", imported).await.unwrap();
    let nobody = office.link("nobody", new).await.unwrap_err();
    assert!(matches!(nobody, OfficeError::NotFound(_)), "{nobody}");
    let empty = NewLinks {
        payment: vec![" ".to_owned()],
        ..NewLinks::default()
    };
    assert!(office.link("a", empty).await.is_err());

    let found = traits(&house.keeper).await.unwrap();
    let (a, c) = (&found[&id("a")], &found[&id("c")]);
    assert_eq!((a.payment.len(), a.identity.len()), (1, 1));
    assert_eq!(a.network, c.network);
    assert_eq!(a.first_seen, Some(Timestamp(5)));
    let hours = a.activity.hours();
    assert_eq!(hours, [(900, 1)], "older hours are out of the window");

    drop(office);
    house.close().await;
    let mut read = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        // The database's side files go when its last connection has closed.
        let Ok(bytes) = std::fs::read(file.unwrap().path()) else {
            continue;
        };
        read += bytes.len();
        for plain in ["4711-plain", "jane-plain", "203.0.113"] {
            let found = bytes.windows(plain.len()).any(|w| w == plain.as_bytes());
            assert!(!found, "{plain}");
        }
    }
    assert!(read > 20_000, "the database was read: {read} bytes");
}

#[tokio::test]
async fn an_approved_suspension_is_a_block_until_it_is_overturned() {
    let folder = tempfile::tempdir().unwrap();
    let (house, office) = house(folder.path()).await;
    let new = NewCase {
        account: "b".to_owned(),
        clause: "t/1".to_owned(),
        summary: "facts".to_owned(),
        exculpatory: "none".to_owned(),
        by: "ann".to_owned(),
        ..NewCase::default()
    };
    let case = office.propose(new).await.unwrap().case;
    let blocked = async || traits(&house.keeper).await.unwrap().contains_key(&id("b"));
    assert!(!blocked().await, "observed is not blocked");
    let slow = NewLimits {
        requests_per_minute: Some(1),
        tokens_per_minute: None,
    };
    let suspend = NewMeasure {
        measure: "suspend".to_owned(),
        ..NewMeasure::default()
    };
    for (step, by, expected) in [
        (CaseStep::Emergency(slow), "ann", false),
        (CaseStep::Propose(suspend), "ann", false),
        (CaseStep::Approve, "bob", true),
        (CaseStep::Appeal, "b", true),
        (CaseStep::Overturn, "eve", false),
    ] {
        let step = Step {
            step,
            by: by.to_owned(),
            comment: "because".to_owned(),
            attachments: Vec::new(),
        };
        office.step(&case, step).await.unwrap();
        assert_eq!(blocked().await, expected);
    }
}
