//! The columns of a record.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Int32Builder, Int64Builder, StringBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use evidence::{Commitment, Event, Record};
use store::JournalRow;

/// A body that was opened.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    /// Its exact bytes.
    pub(crate) plaintext: Vec<u8>,
    /// The salt of its commitment.
    pub(crate) salt: [u8; 32],
}

/// One record, as the tables hold it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    seq: i64,
    place: i64,
    pub(super) at: i64,
    kind: String,
    exchange: Option<String>,
    key: Option<String>,
    endpoint: Option<String>,
    model: Option<String>,
    purpose: Option<String>,
    policy: Option<String>,
    clauses: Option<String>,
    intent: Option<i64>,
    ending: Option<String>,
    status: Option<i32>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    estimated: Option<bool>,
    commitment: Option<[u8; 32]>,
    leaf: Vec<u8>,
    leaf_hash: [u8; 32],
    body: Option<Opened>,
}

impl Row {
    /// The row of a record at this index of its account's ledger; a leaf that cannot be read gives itself and its hash only.
    pub(crate) fn of(stored: JournalRow, place: u64, body: Option<Opened>) -> Self {
        let record = Record::parse(&stored.leaf).map(|(_, record)| record);
        let mut row = Self {
            seq: int(stored.seq),
            place: int(place),
            at: stored.at.0,
            kind: stored.kind,
            exchange: stored.exchange.map(|id| id.as_str().to_owned()),
            leaf: stored.leaf,
            leaf_hash: stored.leaf_hash,
            body,
            ..Self::default()
        };
        if let Ok(record) = record {
            row.tell(record.event);
        }
        row
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::Intent {
                key,
                endpoint,
                model,
                request,
                policy,
                clauses,
                purpose,
                ..
            } => {
                self.key = Some(key.as_str().to_owned());
                self.endpoint = Some(endpoint.path().to_owned());
                self.model = Some(model.as_str().to_owned());
                self.policy = Some(policy);
                self.clauses = joined(clauses.iter().map(facts::ClauseId::as_str));
                self.purpose = purpose;
                self.commit(request);
            }
            Event::Refusal {
                code,
                clauses,
                policy,
                purpose,
                ..
            } => {
                self.ending = Some(code);
                self.clauses = joined(clauses.iter().map(facts::ClauseId::as_str));
                self.policy = policy;
                self.purpose = purpose;
            }
            Event::Completion {
                intent,
                ending,
                status,
                input_tokens,
                output_tokens,
                estimated,
                answer,
                ..
            } => {
                self.intent = Some(int(intent));
                self.ending = Some(ending.word().to_owned());
                self.status = Some(i32::from(status));
                self.input_tokens = Some(int(input_tokens));
                self.output_tokens = Some(int(output_tokens));
                self.estimated = Some(estimated);
                if let Some(answer) = answer {
                    self.commit(answer);
                }
            }
            // What they say is in the leaf; nobody sums them up.
            _ => {}
        }
    }

    fn commit(&mut self, to: Commitment) {
        self.commitment = Some(to.0);
    }

    /// What it takes in memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        let body = self.body.as_ref().map_or(0, |b| b.plaintext.len());
        self.leaf.len() + body + 200
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let all: Vec<&str> = words.collect();
    (!all.is_empty()).then(|| all.join(" "))
}

fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The columns' names and types; bodies only where they were asked for.
pub(super) fn schema(bodies: bool) -> Schema {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let must = |name: &str, kind: DataType| Field::new(name, kind, false);
    let may = |name: &str, kind: DataType| Field::new(name, kind, true);
    let mut fields = vec![
        must("seq", DataType::Int64),
        must("place", DataType::Int64),
        must("at", time),
        must("type", DataType::Utf8),
        may("exchange", DataType::Utf8),
        may("key", DataType::Utf8),
        may("endpoint", DataType::Utf8),
        may("model", DataType::Utf8),
        may("purpose", DataType::Utf8),
        may("policy", DataType::Utf8),
        may("clauses", DataType::Utf8),
        may("intent", DataType::Int64),
        may("ending", DataType::Utf8),
        may("status", DataType::Int32),
        may("input_tokens", DataType::Int64),
        may("output_tokens", DataType::Int64),
        may("estimated", DataType::Boolean),
        may("commitment", DataType::Binary),
        must("leaf", DataType::Binary),
        must("leaf_hash", DataType::Binary),
    ];
    if bodies {
        fields.push(may("body", DataType::Binary));
        fields.push(may("body_salt", DataType::Binary));
    }
    Schema::new(fields)
}

/// The rows, column by column, in the order of [`schema`].
pub(super) fn batch(schema: &Arc<Schema>, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let at: TimestampMillisecondArray = rows.iter().map(|r| Some(r.at)).collect();
    let mut columns: Vec<ArrayRef> = vec![
        ints(rows, |r| Some(r.seq)),
        ints(rows, |r| Some(r.place)),
        Arc::new(at.with_timezone("UTC")),
        texts(rows, |r| Some(&r.kind)),
        texts(rows, |r| r.exchange.as_deref()),
        texts(rows, |r| r.key.as_deref()),
        texts(rows, |r| r.endpoint.as_deref()),
        texts(rows, |r| r.model.as_deref()),
        texts(rows, |r| r.purpose.as_deref()),
        texts(rows, |r| r.policy.as_deref()),
        texts(rows, |r| r.clauses.as_deref()),
        ints(rows, |r| r.intent),
        texts(rows, |r| r.ending.as_deref()),
    ];
    let mut status = Int32Builder::new();
    let mut estimated = BooleanBuilder::new();
    for row in rows {
        status.append_option(row.status);
        estimated.append_option(row.estimated);
    }
    columns.push(Arc::new(status.finish()));
    columns.push(ints(rows, |r| r.input_tokens));
    columns.push(ints(rows, |r| r.output_tokens));
    columns.push(Arc::new(estimated.finish()));
    columns.push(bytes(rows, |r| {
        r.commitment.as_ref().map(<[u8; 32]>::as_slice)
    }));
    columns.push(bytes(rows, |r| Some(&r.leaf)));
    columns.push(bytes(rows, |r| Some(&r.leaf_hash)));
    if schema.fields().len() > columns.len() {
        columns.push(bytes(rows, |r| {
            r.body.as_ref().map(|b| b.plaintext.as_slice())
        }));
        columns.push(bytes(rows, |r| r.body.as_ref().map(|b| b.salt.as_slice())));
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn ints(rows: &[Row], of: impl Fn(&Row) -> Option<i64>) -> ArrayRef {
    let mut column = Int64Builder::with_capacity(rows.len());
    for row in rows {
        column.append_option(of(row));
    }
    Arc::new(column.finish())
}

fn texts(rows: &[Row], of: impl Fn(&Row) -> Option<&str>) -> ArrayRef {
    let mut column = StringBuilder::new();
    for row in rows {
        column.append_option(of(row));
    }
    Arc::new(column.finish())
}

fn bytes(rows: &[Row], of: impl Fn(&Row) -> Option<&[u8]>) -> ArrayRef {
    let mut column = BinaryBuilder::new();
    for row in rows {
        column.append_option(of(row));
    }
    Arc::new(column.finish())
}
