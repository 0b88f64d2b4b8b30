use console::{NewCase, Office as _};

use super::*;
use crate::house::Plan;
use crate::office::cases;
use crate::watch::tests::{Bench, ordinary};

async fn kinds(database: &Database, account: &str, most: usize, before: u64) -> String {
    let account = AccountId::parse(account).unwrap();
    let rows = first_records(database, &account, most, before).await;
    let kinds: Vec<String> = rows.unwrap().into_iter().map(|row| row.kind).collect();
    kinds.join(" ")
}

#[tokio::test]
async fn first_records_end_with_the_last_exchange_that_counts() {
    let mut bench = Bench::with(Plan::at_rest()).await;
    bench.account("a", &[]).await;
    bench.account("b", &[]).await;
    for n in 0..3 {
        bench.exchange("b", &ordinary(n)).await;
        bench.exchange("a", &ordinary(n)).await;
    }
    let database = bench.house.keeper.database();
    let end = database.count().await.unwrap();
    // The account's opening and its key come first.
    let of = |exchanges: usize| {
        let each = ["intent completion"].repeat(exchanges);
        [&["directory directory"][..], &each].concat().join(" ")
    };
    assert_eq!(kinds(database, "a", 0, end).await, "");
    for most in 1..=3 {
        assert_eq!(kinds(database, "a", most, end).await, of(most));
    }
    // Fewer than count were recorded: all of them, as far as they lie before the case.
    assert_eq!(kinds(database, "a", 1_000, end).await, of(3));
    let last = format!("{} intent", of(2));
    assert_eq!(kinds(database, "a", 1_000, end - 1).await, last);
    assert_eq!(kinds(database, "nobody", 5, end).await, "");
}

/// A case that names no finding rests on what was recorded before it, and on a detector.
#[tokio::test]
async fn what_comes_after_the_case_is_not_disclosed() {
    let mut bench = Bench::with(Plan::at_rest()).await;
    bench.account("a", &[]).await;
    bench.exchange("a", &ordinary(0)).await;
    let new = NewCase {
        account: "a".to_owned(),
        clause: "t/1".to_owned(),
        summary: "facts".to_owned(),
        exculpatory: "none found".to_owned(),
        by: "ann".to_owned(),
        ..NewCase::default()
    };
    let id = bench.office.propose(new).await.unwrap().case;
    bench.exchange("a", &ordinary(1)).await;
    let keeper = &bench.house.keeper;
    let case = cases::one(keeper, &id).await.unwrap();
    let end = keeper.database().count().await.unwrap();
    let chosen = of_case(keeper.database(), &case, end).await.unwrap();
    let kinds: Vec<&str> = chosen.records().map(|row| row.kind.as_str()).collect();
    let own = ["case_step", "judged"];
    let of_account = ["directory", "directory", "intent", "completion"];
    assert_eq!(kinds, [&own[..], &of_account].concat());
    let told: Value = serde_json::from_slice(&chosen.told().unwrap()).unwrap();
    assert_eq!(told["accounts"][0]["exchanges_counted"], 1);
    assert_eq!(told["accounts"][0]["first_records"], 4);
}
