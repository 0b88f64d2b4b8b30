//! How are many rows written with few statements?
//!
//! `SQLite` gets a whole script as one text: each statement of its own would
//! cost two changes of thread, to its worker and back. `PostgreSQL` gets a
//! statement's rows as one array per column: the text stays the same, so that
//! it is parsed and planned once, and a value costs no parameter of its own.

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};

use super::{Cell, Connection, Database, Session, StoreError};

/// Statements that are carried out together.
pub(crate) struct Script {
    parts: Vec<Part>,
    sqlite: bool,
}

enum Part {
    /// A statement and its values.
    Plain(String, Vec<Cell>),
    /// A statement and its columns, for `PostgreSQL`.
    Columns(String, Vec<Vec<Cell>>),
}

/// Rows that are written as they are.
const VALUES: &str = "VALUES {}";
/// Each statement of a text stays prepared until the text ends: values of a text, at most.
const VALUES_AT_ONCE: usize = 30_000;

impl Script {
    /// Adds the writing of many rows with few statements: `{}` of `sql` becomes the rows. At most
    /// 8,000 values a statement: `SQLite` allows 32,766, `PostgreSQL` 65,535.
    pub(crate) fn rows(&mut self, sql: &str, rows: Vec<Vec<Cell>>) {
        let Some(first) = rows.first() else {
            return;
        };
        if !self.sqlite
            && rows.len() > 1
            && sql.contains(VALUES)
            && let Some(arrays) = arrays(first)
        {
            let sql = sql.replacen(VALUES, &format!("SELECT * FROM UNNEST({arrays})"), 1);
            self.parts.push(Part::Columns(sql, columns(rows)));
            return;
        }
        let width = first.len();
        let per_statement = (8_000 / width.max(1)).max(1);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<_> = rows.by_ref().take(per_statement).collect();
            let places = places(width, chunk.len(), self.sqlite);
            let statement = sql.replacen("{}", &places, 1);
            let cells = chunk.into_iter().flatten().collect();
            self.parts.push(Part::Plain(statement, cells));
        }
    }

    /// Adds one statement; `{}` of `sql` becomes `($1,$2...)`, a place for each cell.
    pub(crate) fn list(&mut self, sql: &str, cells: Vec<Cell>) {
        self.rows(sql, vec![cells]);
    }

    /// Adds one statement with `IN {}` over numbers, as many as there are.
    pub(crate) fn among(&mut self, sql: &str, numbers: &[u64]) {
        if self.sqlite {
            for chunk in numbers.chunks(500) {
                self.list(sql, chunk.iter().map(|n| Cell::count(*n)).collect());
            }
        } else if !numbers.is_empty() {
            let sql = sql.replacen("IN {}", "= ANY($1::bigint[])", 1);
            let column = numbers.iter().map(|n| Cell::count(*n)).collect();
            self.parts.push(Part::Columns(sql, vec![column]));
        }
    }

    /// Adds one statement with a `?` for each cell.
    pub(crate) fn one(&mut self, sql: &str, cells: Vec<Cell>) {
        let mut text = String::with_capacity(sql.len() + cells.len());
        let mut place = 0;
        for part in sql.split_inclusive('?') {
            match part.strip_suffix('?') {
                Some(before) if !self.sqlite => {
                    place += 1;
                    text.push_str(before);
                    text.push('$');
                    text.push_str(&place.to_string());
                }
                _ => text.push_str(part),
            }
        }
        self.parts.push(Part::Plain(text, cells));
    }
}

/// `$1::bigint[],$2::text[]` for the columns of this row.
fn arrays(row: &[Cell]) -> Option<String> {
    let mut text = String::new();
    for (n, cell) in (1_usize..).zip(row) {
        let kind = match cell {
            Cell::Int(_) => "bigint",
            Cell::Text(_) => "text",
            Cell::Bytes(_) => "bytea",
        };
        text.push_str(if n > 1 { ",$" } else { "$" });
        text.push_str(&n.to_string());
        text.push_str("::");
        text.push_str(kind);
        text.push_str("[]");
    }
    (!row.is_empty()).then_some(text)
}

fn columns(rows: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
    let width = rows.first().map_or(0, Vec::len);
    let mut columns: Vec<Vec<Cell>> = (0..width).map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            column.push(cell);
        }
    }
    columns
}

/// Binds a column as an array; its cells are of one kind.
fn bind(
    query: Query<'_, Postgres, PgArguments>,
    column: Vec<Cell>,
) -> Query<'_, Postgres, PgArguments> {
    match column.first() {
        Some(Cell::Int(_)) => query.bind(
            column
                .into_iter()
                .map(|cell| match cell {
                    Cell::Int(n) => n,
                    Cell::Text(_) | Cell::Bytes(_) => None,
                })
                .collect::<Vec<Option<i64>>>(),
        ),
        Some(Cell::Text(_)) => query.bind(
            column
                .into_iter()
                .map(|cell| match cell {
                    Cell::Text(text) => text,
                    Cell::Int(_) | Cell::Bytes(_) => None,
                })
                .collect::<Vec<Option<String>>>(),
        ),
        _ => query.bind(
            column
                .into_iter()
                .map(|cell| match cell {
                    Cell::Bytes(bytes) => bytes,
                    Cell::Int(_) | Cell::Text(_) => Vec::new(),
                })
                .collect::<Vec<Vec<u8>>>(),
        ),
    }
}

async fn write_columns(
    connection: &mut PgConnection,
    sql: &str,
    columns: Vec<Vec<Cell>>,
) -> Result<u64, sqlx::Error> {
    let query = columns.into_iter().fold(sqlx::query(sql), bind);
    Ok(query.execute(connection).await?.rows_affected())
}

impl Session {
    /// An empty script for this engine.
    pub(crate) fn script(&self) -> Script {
        Script {
            parts: Vec::new(),
            sqlite: matches!(self.connection, Connection::Sqlite(_)),
        }
    }

    /// Carries a script out within the open transaction, and counts the rows written.
    pub(crate) async fn run(&mut self, script: Script) -> Result<u64, sqlx::Error> {
        let mut written = 0;
        let (mut text, mut values) = (String::new(), Vec::new());
        for part in script.parts {
            match part {
                Part::Plain(sql, cells) if script.sqlite => {
                    if values.len() + cells.len() > VALUES_AT_ONCE && !values.is_empty() {
                        let values = std::mem::take(&mut values);
                        written += self.execute(&std::mem::take(&mut text), values).await?;
                    }
                    if !text.is_empty() {
                        text.push(';');
                    }
                    text.push_str(&sql);
                    values.extend(cells);
                }
                Part::Plain(sql, cells) => written += self.execute(&sql, cells).await?,
                Part::Columns(sql, columns) => {
                    if let Connection::Postgres(connection) = &mut self.connection {
                        written += write_columns(connection, &sql, columns).await?;
                    }
                }
            }
        }
        if !text.is_empty() {
            written += self.execute(&text, values).await?;
        }
        Ok(written)
    }

    /// Carries a script out as a transaction of its own; after an error it must be rolled back.
    pub(crate) async fn transaction(&mut self, mut script: Script) -> Result<(), sqlx::Error> {
        if !script.sqlite {
            self.begin().await?;
            self.run(script).await?;
            return self.commit().await;
        }
        if self.in_transaction {
            self.rollback().await;
        }
        let statement = |sql: &str| Part::Plain(sql.to_owned(), Vec::new());
        script.parts.insert(0, statement("BEGIN IMMEDIATE"));
        script.parts.push(statement("COMMIT"));
        self.in_transaction = true;
        self.run(script).await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Database {
    /// An empty script for this engine.
    pub(crate) fn script(&self) -> Script {
        Script {
            parts: Vec::new(),
            sqlite: !self.is_postgres(),
        }
    }

    /// Carries a script out as a transaction of its own, and counts the rows written. After an
    /// error nothing of it was kept, unless the commit's outcome is unknown.
    pub(crate) async fn in_transaction(&self, script: Script) -> Result<u64, StoreError> {
        let mut session = self.session().await?;
        let done = session.whole(None, script).await;
        Ok(session.settled(done).await?.unwrap_or_default())
    }

    /// The same if `guard` changes exactly one row; says whether it did.
    pub(crate) async fn in_transaction_if(
        &self,
        guard: Script,
        script: Script,
    ) -> Result<bool, StoreError> {
        let mut session = self.session().await?;
        let done = session.whole(Some(guard), script).await;
        Ok(session.settled(done).await?.is_some())
    }
}

impl Session {
    /// One transaction; none when the guard did not change one row.
    async fn whole(
        &mut self,
        guard: Option<Script>,
        script: Script,
    ) -> Result<Option<u64>, sqlx::Error> {
        self.begin().await?;
        if let Some(guard) = guard
            && self.run(guard).await? != 1
        {
            return Ok(None);
        }
        let written = self.run(script).await?;
        self.commit().await?;
        Ok(Some(written))
    }

    /// Undoes what was not committed.
    async fn settled(
        &mut self,
        done: Result<Option<u64>, sqlx::Error>,
    ) -> Result<Option<u64>, sqlx::Error> {
        if !matches!(done, Ok(Some(_))) {
            self.rollback().await;
        }
        done
    }
}

/// `($1,$2),($3,$4)` for two rows of width two; `SQLite` counts for itself, `(?,?),(?,?)`, from
/// statement to statement of one text.
fn places(width: usize, rows: usize, sqlite: bool) -> String {
    let mut text = String::with_capacity(rows * width * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 1..=width {
            if column > 1 {
                text.push(',');
            }
            if sqlite {
                text.push('?');
            } else {
                text.push('$');
                text.push_str(&(row * width + column).to_string());
            }
        }
        text.push(')');
    }
    text
}
