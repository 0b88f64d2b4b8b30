use console::{NewCase, Office as _};

use super::*;
use crate::house::Plan;
use crate::office::cases;
use crate::watch::tests::{Bench, harvest, ordinary};

async fn first(database: &Database, account: &str, reach: Reach) -> (String, bool) {
    let account = AccountId::parse(account).unwrap();
    let (rows, full) = first_records(database, &account, &reach).await.unwrap();
    let kinds: Vec<String> = rows.into_iter().map(|row| row.kind).collect();
    (kinds.join(" "), full)
}

async fn kinds(database: &Database, account: &str, most: usize, before: u64) -> String {
    let reach = Reach {
        end: before,
        exchanges: most,
        of_text: false,
        records: usize::MAX,
    };
    first(database, account, reach).await.0
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

#[tokio::test]
async fn embeddings_take_no_exchanges_place_and_records_are_bounded() {
    let mut bench = Bench::with(Plan::at_rest()).await;
    bench.account("a", &[]).await;
    for n in 0..3 {
        bench.embeddings("a", "some text").await;
        bench.exchange("a", &ordinary(n)).await;
    }
    let database = bench.house.keeper.database();
    let end = database.count().await.unwrap();
    let reach = |exchanges: usize, of_text: bool, records: usize| Reach {
        end,
        exchanges,
        of_text,
        records,
    };
    // Two are an opening and a key, each exchange is two.
    for (reach, records, full) in [
        (reach(2, true, 100), 2 + 8, false),
        (reach(2, false, 100), 2 + 4, false),
        (reach(3, true, 14), 2 + 12, false),
        (reach(3, true, 13), 13, true),
        (reach(2, true, 9), 9, true),
        (reach(9, false, 14), 14, false),
    ] {
        let (kinds, cut) = first(database, "a", reach).await;
        assert_eq!((kinds.split(' ').count(), cut), (records, full), "{kinds}");
    }
    let log = Log {
        database,
        before: end,
        sealed: end,
        records_max: 5,
    };
    let account = AccountId::parse("a").unwrap();
    let of = log.of_account(&account, None).await.unwrap();
    let told = serde_json::to_value(&of.told).unwrap();
    assert_eq!(
        (&told["cut"], &told["first_records"]),
        (&json!("records"), &json!(5))
    );
    assert_eq!(told["exchanges_counted"], 6);
    assert_eq!(told["exchanges_disclosed"], 1);
    let log = Log {
        records_max: 14,
        ..log
    };
    let of = log.of_account(&account, None).await.unwrap();
    let told = serde_json::to_value(&of.told).unwrap();
    assert_eq!(
        (&told["cut"], &told["exchanges_embeddings"]),
        (&json!(null), &json!(3))
    );
}

/// A finding about `a` at its twentieth exchange that could be read, and its case.
async fn caught(bench: &mut Bench) -> Chosen {
    bench.account("a", &[]).await;
    for n in 0..25 {
        bench.embeddings("a", "some text").await;
        if n < 3 {
            bench.exchange_of("a", Some("ada"), &ordinary(n)).await;
        }
        bench.exchange("a", &harvest(n)).await;
    }
    // Gone before the watch has read them: they are in no sum.
    bench.erase("a", "ada").await;
    bench.caught_up().await;
    let finding = bench.findings("a").await.remove(0);
    assert_eq!(finding.look, 20);
    chosen(bench, &finding.id).await
}

/// What the bundle of a case that rests on this finding discloses.
async fn chosen(bench: &Bench, finding: &str) -> Chosen {
    let new = NewCase {
        account: "a".to_owned(),
        clause: "t/1".to_owned(),
        finding: Some(finding.to_owned()),
        by: "ann".to_owned(),
        ..NewCase::default()
    };
    let id = bench.office.propose(new).await.unwrap().case;
    let keeper = &bench.house.keeper;
    let case = cases::one(keeper, &id).await.unwrap();
    let end = keeper.database().count().await.unwrap();
    of_case(keeper.database(), &case, end).await.unwrap()
}

/// The watch counts what it can read. The look is disclosed to the last exchange that it counted,
/// with whatever lies between and was not.
#[tokio::test]
async fn a_look_is_disclosed_to_the_last_exchange_that_it_counted() {
    let mut bench = Bench::with(Plan::at_rest()).await;
    let chosen = caught(&mut bench).await;
    let of = &chosen.accounts[0];
    // Twenty that it read, as many of embeddings, three that were gone.
    let count = |kind: &str| of.beginning.iter().filter(|row| row.kind == kind).count();
    assert_eq!((count("intent"), count("completion")), (43, 43));
    let kept: Value = serde_json::from_str(&of.findings[0].json).unwrap();
    let last = of.beginning.last().unwrap();
    assert_eq!(kept["inputs"]["last_ending"], last.seq);
    assert_eq!(last.kind, "completion");
    let told: Value = serde_json::from_slice(&chosen.told().unwrap()).unwrap();
    let told = &told["accounts"][0];
    for (name, value) in [
        ("finding", json!(of.findings[0].id)),
        ("last_ending", json!(last.seq)),
        ("exchanges_recorded", json!(43)),
        ("exchanges_counted", json!(20)),
        ("exchanges_disclosed", json!(43)),
        ("exchanges_read", json!(20)),
        ("exchanges_unread", json!(3)),
        ("exchanges_embeddings", json!(20)),
        ("first_records", json!(88)),
        // The finding's own record.
        ("further_records", json!(1)),
        ("cut", json!(null)),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
}

/// A finding of earlier versions says how many it counted, not which was the last: embeddings are
/// none of them.
#[tokio::test]
async fn findings_that_name_no_ending_or_their_exchanges_are_disclosed_by_these() {
    let mut bench = Bench::with(Plan::at_rest()).await;
    caught(&mut bench).await;
    let account = AccountId::parse("a").unwrap();
    let keeper = &bench.house.keeper;
    let row = keeper.database().findings(Some(&account)).await.unwrap();
    let mut kept: Value = serde_json::from_str(&row[0].json).unwrap();
    let write = async |id: &str, kept: &mut Value| {
        kept["id"] = json!(id);
        let row = FindingRow {
            id: id.to_owned(),
            json: kept.to_string(),
            ..row[0].clone()
        };
        keeper.found(row, [7; 32]).await.unwrap();
        chosen(&bench, id).await
    };
    kept["inputs"]
        .as_object_mut()
        .unwrap()
        .remove("last_ending");
    let older = write("finding-older", &mut kept).await;
    let ended = older.accounts[0].beginning.iter();
    let ended: Vec<&JournalRow> = ended.filter(|row| row.kind == "completion").collect();
    // Three of the first twenty of text were gone; nothing says that it went on beyond them.
    assert_eq!(ended.len(), 37);

    kept["inputs"] = json!({"judged_by": kept["inputs"]["judged_by"]});
    kept["relied_on"] = json!(["x2", "x9"]);
    let named = write("finding-named", &mut kept).await;
    let of = &named.accounts[0];
    assert_eq!(of.beginning.len(), 0);
    let disclosed = of.singles.iter().filter(|row| row.kind != "judged");
    assert_eq!(disclosed.count(), 4);
    assert_eq!(
        (of.told.exchanges_counted, of.told.exchanges_disclosed),
        (2, 2)
    );
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
    assert_eq!(told["accounts"][0]["exchanges_recorded"], 1);
    assert_eq!(told["records_per_account_max"], RECORDS_OF_FEW);
}
