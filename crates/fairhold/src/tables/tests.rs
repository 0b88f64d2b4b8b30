use evidence::{Commitment, Event, Record};
use facts::{AccountId, Ending, ExchangeId};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use store::JournalRow;

use super::*;

fn completion(seq: u64, at: i64) -> JournalRow {
    let exchange = ExchangeId::parse("e1").unwrap();
    let account = AccountId::parse("a/b").unwrap();
    let record = Record {
        at: Timestamp(at),
        account: Some(account.clone()),
        event: Event::Completion {
            exchange: exchange.clone(),
            intent: 4,
            ending: Ending::Completed,
            status: 200,
            input_tokens: 3,
            output_tokens: 5,
            estimated: false,
            answer: Some(Commitment([8; 32])),
        },
    };
    let leaf = record.leaf(seq).unwrap();
    JournalRow {
        seq,
        at: record.at,
        kind: "completion".to_owned(),
        account: Some(account),
        exchange: Some(exchange),
        leaf_hash: evidence::merkle::leaf_hash(&leaf),
        leaf,
    }
}

fn opened() -> columns::Opened {
    columns::Opened {
        plaintext: b"hello".to_vec(),
        salt: [9; 32],
    }
}

#[test]
fn a_day_is_a_folder_and_a_record_a_row() {
    let bed = tempfile::tempdir().unwrap();
    let mut tables = Tables::new(bed.path(), true);
    let noon = 1_790_000_000_000;
    for (n, at) in [noon, noon + 1, noon + 86_400_000].into_iter().enumerate() {
        let row = Row::of(completion(n as u64 + 5, at), n as u64, Some(opened()));
        tables.add(Some("a/b"), row).unwrap();
    }
    tables.finish(Some("a/b")).unwrap();
    assert_eq!((tables.rows, tables.files), (3, 2));
    let path = bed
        .path()
        .join("account=a%2Fb/day=2026-09-21/part-0.parquet");
    let file = File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].num_rows(), 2);
    let column = |name: &str| batches[0].column_by_name(name).unwrap().clone();
    let ints = column("output_tokens");
    let ints: &arrow_array::Int64Array = ints.as_any().downcast_ref().unwrap();
    assert_eq!(ints.value(1), 5);
    let leaves = column("leaf");
    let leaves: &arrow_array::BinaryArray = leaves.as_any().downcast_ref().unwrap();
    assert_eq!(leaves.value(0), completion(5, noon).leaf);
    let bodies = column("body");
    let bodies: &arrow_array::BinaryArray = bodies.as_any().downcast_ref().unwrap();
    assert_eq!(bodies.value(1), b"hello");
}

#[test]
fn names_are_escaped_as_hive_does() {
    assert_eq!(escaped("a-b_c.d"), "a-b_c.d");
    assert_eq!(escaped("a/b=c:d%"), "a%2Fb%3Dc%3Ad%25");
}
