//! The one place that knows which engine keeps the data.

mod script;

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, PgConnection, Row as _, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use crate::faults::{Mutant, has};
use crate::folder::exclusive;
pub(crate) use script::Script;

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "rooms", include_str!("../migrations/0001_rooms.sql")),
    (
        2,
        "agreements",
        include_str!("../migrations/0002_agreements.sql"),
    ),
    (
        3,
        "campaigns",
        include_str!("../migrations/0003_campaigns.sql"),
    ),
    (4, "links", include_str!("../migrations/0004_links.sql")),
    (
        5,
        "profiles",
        include_str!("../migrations/0005_profiles.sql"),
    ),
    (6, "ledgers", include_str!("../migrations/0006_ledgers.sql")),
    (
        7,
        "subject keys",
        include_str!("../migrations/0007_subject_keys.sql"),
    ),
    (8, "notices", include_str!("../migrations/0008_notices.sql")),
    (9, "people", include_str!("../migrations/0009_people.sql")),
    (
        10,
        "outputs",
        include_str!("../migrations/0010_outputs.sql"),
    ),
    (
        11,
        "registry",
        include_str!("../migrations/0011_registry.sql"),
    ),
    (12, "access", include_str!("../migrations/0012_access.sql")),
];

/// `fairhold` in ASCII: our advisory lock inside a `PostgreSQL` database.
const WRITER_LOCK: i64 = 0x6661_6972_686f_6c64;

/// A killed writer's session ends when its server notices the closed socket;
/// 30 x 100 ms is ample on one machine.
const LOCK_TRIES: u32 = 30;

/// Why the store could not do it.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// Neither `sqlite:PATH` nor `postgres://...`.
    Url(String),
    /// Another process writes here.
    Locked(String),
    /// The database was opened for reading.
    ReadOnly,
    /// A secret file does not hold a key of 32 bytes.
    BadSecret(PathBuf),
    /// A file could not be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refused.
    Database(sqlx::Error),
    /// The schema could not be brought up to date.
    Migration(sqlx::migrate::MigrateError),
    /// A stored value is not what its column promises.
    Corrupt(String),
    /// What was forgotten may still be read from the files.
    Remains(String),
    /// The server is told not to sync what it acknowledges.
    NotDurable(&'static str),
}

impl StoreError {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File {
            path: path.to_path_buf(),
            source,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(
                f,
                "open the database: `{url}` is neither `sqlite:PATH` nor `postgres://...`"
            ),
            Self::Locked(what) => write!(
                f,
                "take the store for writing: another process holds `{what}`; stop it or choose another data folder or database"
            ),
            Self::ReadOnly => write!(f, "write: the database was opened for reading"),
            Self::BadSecret(path) => write!(
                f,
                "use the secret file `{}`: it must hold 32 bytes, as they are or in hexadecimal or base64; restore it from your backup",
                path.display()
            ),
            Self::File { path, .. } => write!(f, "use the file `{}`", path.display()),
            Self::Database(_) => write!(f, "use the database"),
            Self::Migration(_) => write!(f, "bring the database's schema up to date"),
            Self::Corrupt(what) => write!(f, "read the database: {what}"),
            Self::Remains(what) => write!(f, "take erased bytes out of the files: {what}"),
            Self::NotDurable(setting) => write!(
                f,
                "record durably: the PostgreSQL server runs with `{setting}`, so that a power cut loses what was acknowledged; switch it on and restart the server"
            ),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Database(source) => Some(source),
            Self::Migration(source) => Some(source),
            Self::Url(_)
            | Self::Locked(_)
            | Self::ReadOnly
            | Self::BadSecret(_)
            | Self::Corrupt(_)
            | Self::Remains(_)
            | Self::NotDurable(_) => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// One value bound to a statement.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Some(text.into()))
    }
    pub(crate) fn int(n: i64) -> Self {
        Self::Int(Some(n))
    }
    /// Counts beyond the database's integers stop at its largest.
    pub(crate) fn count(n: u64) -> Self {
        Self::int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

/// One row, of either engine.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! column {
    ($(#[$doc:meta])* $name:ident, $kind:ty) => {
        $(#[$doc])*
        pub(crate) fn $name(&self, i: usize) -> Result<$kind, StoreError> {
            Ok(match self {
                Self::Sqlite(row) => row.try_get(i)?,
                Self::Postgres(row) => row.try_get(i)?,
            })
        }
    };
}

impl Row {
    column!(int, i64);
    column!(int_or_none, Option<i64>);
    column!(text, String);
    column!(text_or_none, Option<String>);
    column!(bytes, Vec<u8>);

    pub(crate) fn count(&self, i: usize) -> Result<u64, StoreError> {
        u64::try_from(self.int(i)?)
            .map_err(|_| StoreError::Corrupt("a count is negative".to_owned()))
    }

    pub(crate) fn digest(&self, i: usize) -> Result<[u8; 32], StoreError> {
        self.bytes(i)?
            .try_into()
            .map_err(|_| StoreError::Corrupt("a digest does not hold 32 bytes".to_owned()))
    }
}

/// Binds the cells. Long statements differ in length from batch to batch and
/// would only push the others out of the cache of prepared statements.
macro_rules! bound {
    ($sql:expr, $cells:expr) => {{
        let mut query = sqlx::query($sql).persistent($sql.len() < 2_000);
        for cell in $cells {
            query = match cell {
                Cell::Int(value) => query.bind(value),
                Cell::Text(value) => query.bind(value),
                Cell::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

/// The one connection that writes.
pub(crate) struct Session {
    connection: Connection,
    in_transaction: bool,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Session {
    pub(crate) async fn execute(
        &mut self,
        sql: &str,
        cells: Vec<Cell>,
    ) -> Result<u64, sqlx::Error> {
        Ok(match &mut self.connection {
            Connection::Sqlite(c) => bound!(sql, cells).execute(c).await?.rows_affected(),
            Connection::Postgres(c) => bound!(sql, cells).execute(c).await?.rows_affected(),
        })
    }

    /// Reads within the open transaction, or what this connection alone may be told.
    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        cells: Vec<Cell>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match &mut self.connection {
            Connection::Sqlite(c) => {
                let rows = bound!(sql, cells).fetch_all(c).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Connection::Postgres(c) => {
                let rows = bound!(sql, cells).fetch_all(c).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// One setting of `SQLite`, as text.
    #[cfg(test)]
    pub(crate) async fn pragma(&mut self, sql: &str) -> String {
        let Connection::Sqlite(connection) = &mut self.connection else {
            panic!("only SQLite has pragmas");
        };
        let row = sqlx::query(sql).fetch_one(connection).await.unwrap();
        row.try_get_unchecked::<String, _>(0).unwrap()
    }

    /// A future dropped half-way leaves its transaction open; it is undone here.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        if self.in_transaction {
            self.rollback().await;
        }
        let begin = match &self.connection {
            Connection::Sqlite(_) => "BEGIN IMMEDIATE",
            Connection::Postgres(_) => "BEGIN",
        };
        self.in_transaction = true;
        self.execute(begin, Vec::new()).await?;
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.execute("COMMIT", Vec::new()).await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Undoes the open transaction. `SQLite` may have undone it already on a
    /// full disk; then there is nothing to undo and nothing to report.
    pub(crate) async fn rollback(&mut self) {
        if let Err(error) = self.execute("ROLLBACK", Vec::new()).await {
            tracing::debug!(%error, "nothing to roll back");
        }
        self.in_transaction = false;
    }
}

enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// An open database; clones share it.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    readers: Readers,
    writer: Option<Mutex<Session>>,
    /// The file of an embedded database.
    file: Option<PathBuf>,
    _lock: Option<File>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match self.inner.readers {
            Readers::Sqlite(_) => "SQLite",
            Readers::Postgres(_) => "PostgreSQL",
        };
        f.debug_struct("Database")
            .field("engine", &engine)
            .field("writes", &self.inner.writer.is_some())
            .finish()
    }
}

impl Database {
    /// Opens `sqlite:PATH` or `postgres://...` as its only writer and brings
    /// the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process writes there.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_as(url, true).await
    }

    /// `secure` is false only to show that the tests notice it.
    pub(crate) async fn open_as(url: &str, secure: bool) -> Result<Self, StoreError> {
        if let Some(path) = sqlite_path(url) {
            let lock = exclusive(Path::new(&format!("{path}.lock")))?;
            let options = sqlite_options(&path, secure).create_if_missing(true);
            let mut connection = options.connect().await?;
            migrator(|sql| sql.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY"))
                .run_direct(&mut connection)
                .await
                .map_err(StoreError::Migration)?;
            let readers = SqlitePoolOptions::new()
                .max_connections(4)
                .connect_with(sqlite_options(&path, true).read_only(true))
                .await?;
            return Ok(Self::of(
                Readers::Sqlite(readers),
                Some(Connection::Sqlite(connection)),
                Some((PathBuf::from(path), lock)),
            ));
        }
        let options = postgres_options(url)?;
        let mut connection = options.connect().await?;
        durable(&mut connection).await?;
        take_postgres(&mut connection, &options).await?;
        migrator(|sql| sql.replace("BLOB", "BYTEA"))
            .run_direct(&mut connection)
            .await
            .map_err(StoreError::Migration)?;
        Ok(Self::of(
            Readers::Postgres(postgres_readers(options).await?),
            Some(Connection::Postgres(connection)),
            None,
        ))
    }

    /// Opens a database that exists, beside its writer, for reading only.
    ///
    /// # Errors
    /// When it is not there or cannot be reached.
    pub async fn open_to_read(url: &str) -> Result<Self, StoreError> {
        let readers = if let Some(path) = sqlite_path(url) {
            let pool = SqlitePoolOptions::new().max_connections(4);
            Readers::Sqlite(
                pool.connect_with(sqlite_options(&path, true).read_only(true))
                    .await?,
            )
        } else {
            Readers::Postgres(postgres_readers(postgres_options(url)?).await?)
        };
        Ok(Self::of(readers, None, None))
    }

    fn of(readers: Readers, writer: Option<Connection>, owned: Option<(PathBuf, File)>) -> Self {
        let (file, lock) = owned.unzip();
        let writer = writer.map(|connection| {
            Mutex::new(Session {
                connection,
                in_transaction: false,
            })
        });
        Self {
            inner: Arc::new(Inner {
                readers,
                writer,
                file,
                _lock: lock,
            }),
        }
    }

    /// Whether the engine is `PostgreSQL`.
    pub fn is_postgres(&self) -> bool {
        matches!(self.inner.readers, Readers::Postgres(_))
    }

    /// The file of an embedded database.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.inner.file.as_deref()
    }

    pub(crate) async fn session(&self) -> Result<MutexGuard<'_, Session>, StoreError> {
        match &self.inner.writer {
            Some(writer) => Ok(writer.lock().await),
            None => Err(StoreError::ReadOnly),
        }
    }

    pub(crate) async fn rows(&self, sql: &str, cells: Vec<Cell>) -> Result<Vec<Row>, StoreError> {
        Ok(match &self.inner.readers {
            Readers::Sqlite(pool) => {
                let rows = bound!(sql, cells).fetch_all(pool).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Readers::Postgres(pool) => {
                let rows = bound!(sql, cells).fetch_all(pool).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }
}

fn sqlite_path(url: &str) -> Option<String> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    (!path.is_empty()).then(|| path.to_owned())
}

/// `synchronous=FULL` syncs the write-ahead log at each commit: what is
/// acknowledged outlives a power cut as far as the disk tells the truth.
fn sqlite_options(path: &str, secure: bool) -> SqliteConnectOptions {
    let synchronous = if has(Mutant::NeverSync) {
        SqliteSynchronous::Off
    } else if has(Mutant::AckBeforeSync) {
        SqliteSynchronous::Normal
    } else {
        SqliteSynchronous::Full
    };
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        // What is deleted is zeroed in its page; see `bodies` for what else that takes.
        .pragma("secure_delete", if secure { "ON" } else { "OFF" })
        // Statements that can be undone keep old pages in a file outside the data folder otherwise.
        .pragma("temp_store", "MEMORY")
        .busy_timeout(Duration::from_secs(10))
        // Texts differ with the number of rows; a hundred would be parsed again and again.
        .statement_cache_capacity(512)
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(StoreError::Url(url.to_owned()));
    }
    Ok(PgConnectOptions::from_str(url)?.statement_cache_capacity(512))
}

async fn postgres_readers(options: PgConnectOptions) -> Result<PgPool, StoreError> {
    Ok(PgPoolOptions::new()
        .max_connections(4)
        .connect_with(options)
        .await?)
}

/// A commit of this connection is answered when it is on the disk, whatever the role, the
/// database or the server's own settings say; what only the server decides is read back.
async fn durable(connection: &mut PgConnection) -> Result<(), StoreError> {
    // A stricter one, which waits for replicas too, stays.
    sqlx::query("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')")
        .execute(&mut *connection)
        .await?;
    let (commit, fsync): (String, String) =
        sqlx::query_as("SELECT current_setting('synchronous_commit'), current_setting('fsync')")
            .fetch_one(&mut *connection)
            .await?;
    match (commit.as_str(), fsync.as_str()) {
        (_, "off") => Err(StoreError::NotDurable("fsync = off")),
        ("on" | "remote_apply", _) => Ok(()),
        _ => Err(StoreError::NotDurable("synchronous_commit = off")),
    }
}

async fn take_postgres(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
) -> Result<(), StoreError> {
    for left in (0..LOCK_TRIES).rev() {
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(WRITER_LOCK)
            .fetch_one(&mut *connection)
            .await?;
        if taken {
            return Ok(());
        }
        if left > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let name = options.get_database().unwrap_or("postgres");
    Err(StoreError::Locked(format!("PostgreSQL database {name}")))
}

fn migrator(dialect: impl Fn(&str) -> String) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(
            *version,
            Cow::Borrowed(*name),
            MigrationType::Simple,
            Cow::Owned(dialect(sql)),
            false,
        )
    });
    Migrator {
        migrations: Cow::Owned(migrations.collect()),
        ..Migrator::DEFAULT
    }
}
