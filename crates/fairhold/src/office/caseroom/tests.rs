use console::{Caseroom as _, NewAccount, NewCase, NewLinks, NewShadow, Office as _, RuleAsked};

use super::*;
use crate::house::{House, Plan};

async fn with_accounts(folder: &std::path::Path, names: &[&str]) -> (House, LocalOffice) {
    let house = House::open(folder, Plan::at_rest()).await.unwrap();
    let office = LocalOffice::of(&house);
    for name in names {
        let new = NewAccount {
            account: (*name).to_owned(),
            project: (*name).to_owned(),
            organisation: (*name).to_owned(),
            ..NewAccount::default()
        };
        office.open_account(new).await.unwrap();
    }
    (house, office)
}

#[tokio::test]
async fn accounts_that_share_a_token_share_a_hub() {
    let folder = tempfile::tempdir().unwrap();
    let (house, office) = with_accounts(folder.path(), &["a", "b", "c"]).await;
    for (account, card) in [("a", "card-1"), ("b", "card-1"), ("c", "card-2")] {
        let new = NewLinks {
            payment: vec![card.to_owned()],
            ..NewLinks::default()
        };
        office.link(account, new).await.unwrap();
    }
    let all: Vec<String> = ["a", "b", "c"].map(ToOwned::to_owned).to_vec();
    let hubs = office.hubs(&all).await.unwrap();
    assert_eq!(hubs.len(), 1);
    assert_eq!(
        (hubs[0].kind.as_str(), hubs[0].accounts.as_slice()),
        ("payment", &all[..2])
    );
    drop(office);
    house.close().await;
}

#[tokio::test]
async fn a_rule_is_tried_and_watched_and_acts_on_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (house, office) = with_accounts(folder.path(), &["a"]).await;
    let rule = |what: &str, value: &str| RuleAsked {
        what: what.to_owned(),
        value: value.to_owned(),
    };
    let rules = office.rules(Some(rule("level", "0.05"))).await.unwrap();
    let tried = rules.tried.unwrap();
    assert_eq!(tried.hits.len(), 3);
    assert!(
        tried
            .hits
            .iter()
            .all(|row| row.hit == 0 && row.interval == (0.0, 1.0))
    );
    assert!(rules.documents.iter().any(|d| d == "openai/services"));
    for wrong in [rule("level", "2"), rule("document", "x"), rule("moon", "1")] {
        assert!(office.rules(Some(wrong)).await.is_err());
    }
    let new = NewShadow {
        rule: rule("document", "openai/services"),
        days: 14,
        by: "ann".to_owned(),
        reason: "a new text".to_owned(),
    };
    office.shadow(new.clone()).await.unwrap();
    assert!(office.shadow(NewShadow { days: 0, ..new }).await.is_err());
    let watched = office.rules(None).await.unwrap().shadows;
    assert_eq!(watched[0].state, "watching");
    office.end_shadow(&watched[0].id, "ann").await.unwrap();
    assert!(office.end_shadow(&watched[0].id, "ann").await.is_err());
    drop(office);
    house.close().await;
}

#[tokio::test]
async fn numbers_count_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let (house, office) = with_accounts(folder.path(), &["a"]).await;
    let new = NewCase {
        account: "a".to_owned(),
        clause: "t/1".to_owned(),
        summary: "facts".to_owned(),
        exculpatory: "none found".to_owned(),
        by: "ann".to_owned(),
        by_hand: true,
        ..NewCase::default()
    };
    let case = office.propose(new).await.unwrap().case;
    let brief = office.brief(&case).await.unwrap();
    assert_eq!((brief.facts.as_str(), brief.automated), ("facts", false));
    let steps = [
        (
            console::CaseStep::Propose(console::NewMeasure {
                measure: "mark".to_owned(),
                ..Default::default()
            }),
            "ann",
        ),
        (console::CaseStep::Approve, "bob"),
        (console::CaseStep::Appeal, "a"),
        (console::CaseStep::Overturn, "cat"),
    ];
    for (step, by) in steps {
        let step = console::Step {
            step,
            by: by.to_owned(),
            comment: "because".to_owned(),
            attachments: Vec::new(),
        };
        office.step(&case, step).await.unwrap();
    }
    let numbers = office.statistics().await.unwrap();
    assert_eq!(
        (numbers.cases, numbers.automated, numbers.appeals),
        (1, 0, 1)
    );
    assert_eq!((numbers.decided, numbers.overturned), (1, 1));
    let mark = numbers
        .measures
        .iter()
        .find(|m| m.measure == "mark")
        .unwrap();
    assert_eq!((mark.count, mark.acting, mark.reversed), (1, 0, 1));
    assert!(office.signal("a").await.unwrap().is_none());
    drop(office);
    house.close().await;
}
