use std::sync::Arc;

use console::Office as _;
use engine::Mode;
use evidence::{Event, Record};
use serde_json::json;

use super::*;
use crate::house::Plan;
use crate::judge::{Bound, Documents};
use crate::watch::tests::Bench;

/// Places of the records of questions, with what they say, and what each intent names.
async fn recorded(bench: &Bench) -> (Vec<(u64, Record)>, Vec<Option<u64>>) {
    let database = bench.house.keeper.database();
    let all = database.records(0..database.count().await.unwrap());
    let (mut questions, mut intents) = (Vec::new(), Vec::new());
    for row in all.await.unwrap() {
        let (seq, record) = Record::parse(&row.leaf).unwrap();
        match record.event {
            Event::Asked { .. } => {
                assert!(row.leaf.len() <= 400, "{} bytes", row.leaf.len());
                questions.push((seq, record));
            }
            Event::Intent { asked, .. } => intents.push(asked),
            _ => {}
        }
    }
    (questions, intents)
}

#[tokio::test]
async fn a_question_is_recorded_once_and_anew_when_it_changes() {
    let bound = Bound {
        documents: vec!["openai/services".to_owned()],
        ..Bound::default()
    };
    let mut bench = Bench::with(Plan {
        mode: Mode::Enforced,
        terms: Some(Arc::new(Documents::load(&bound).unwrap())),
        ..Plan::at_rest()
    })
    .await;
    bench.account("a", &[]).await;
    bench.account("b", &[]).await;
    for account in ["a", "a", "b", "a"] {
        bench.exchange(account, "hello").await;
    }
    let agreement = json!({"declared": ["not-distributed"]});
    bench.office.agree("a", agreement).await.unwrap();
    bench.exchange("a", "hello").await;
    let (questions, intents) = recorded(&bench).await;
    let [of_a, of_b, later] = &questions[..] else {
        panic!("{questions:?}");
    };
    let places = [of_a.0, of_a.0, of_b.0, of_a.0, later.0].map(Some);
    assert_eq!(intents, places);
    let said = |(_, record): &(u64, Record)| match &record.event {
        Event::Asked {
            documents, context, ..
        } => (documents.clone(), context["declared"].clone()),
        other => panic!("{other:?}"),
    };
    let documents = vec!["openai/services".to_owned()];
    assert_eq!(said(of_a), (documents.clone(), json!([])));
    assert_eq!(said(later), (documents, json!(["not-distributed"])));
    assert_eq!(
        (
            of_a.1.account.as_ref().unwrap().as_str(),
            of_b.1.account.as_ref().unwrap().as_str()
        ),
        ("a", "b")
    );
}

/// Nothing was put to any policies, so nothing is recorded of it.
#[tokio::test]
async fn without_terms_nothing_is_asked() {
    let mut bench = Bench::with(Plan::at_rest()).await;
    bench.account("a", &[]).await;
    bench.exchange("a", "hello").await;
    assert_eq!(recorded(&bench).await, (Vec::new(), vec![None]));
}

#[test]
fn what_is_remembered_is_bounded() {
    let known = AskedRecords::default();
    let question = |n: usize| {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&n.to_be_bytes());
        id
    };
    for n in 0..=REMEMBERED_MAX {
        known.remember(question(n), n as u64);
    }
    assert_eq!(known.of(&question(0)), None);
    let last = REMEMBERED_MAX;
    assert_eq!(known.of(&question(last)), Some(last as u64));
}
