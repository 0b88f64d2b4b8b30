//! Exchanges that were recorded elsewhere.

use facts::{AccountId, Exchange, ExchangeId, ModelName, Timestamp, Usage};

use crate::database::{Cell, Database, Row, StoreError};
use crate::directory::id;

/// Where the next page of imported exchanges starts: after this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedAfter {
    /// Its moment.
    pub at: Timestamp,
    /// Its id.
    pub exchange: ExchangeId,
}

/// Rows per transaction and reading page.
const BATCH: usize = 1_000;

const COLUMNS: &str = "SELECT exchange, account, at, model, prompt, response, input_tokens, output_tokens, estimated FROM imported";

impl Database {
    /// Keeps the exchanges that are not there yet and returns how many those
    /// were; importing a file again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]; batches of 1,000 before the failed one stay.
    pub async fn import(&self, exchanges: &[Exchange]) -> Result<u64, StoreError> {
        let mut inserted = 0;
        for batch in exchanges.chunks(BATCH) {
            let rows = batch.iter().map(cells).collect::<Result<Vec<_>, _>>()?;
            let mut script = self.script();
            script.rows("INSERT INTO imported (exchange, account, at, model, prompt, response, input_tokens, output_tokens, estimated) VALUES {} ON CONFLICT (exchange) DO NOTHING", rows);
            inserted += self.in_transaction(script).await?;
        }
        Ok(inserted)
    }

    /// A page of imported exchanges, by moment and id: of one account or of
    /// all, after the given place, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn imported(
        &self,
        account: Option<&AccountId>,
        after: Option<&ImportedAfter>,
        limit: u32,
    ) -> Result<Vec<Exchange>, StoreError> {
        let mut terms = Vec::new();
        let mut cells = Vec::new();
        if let Some(account) = account {
            cells.push(Cell::text(account.as_str()));
            terms.push(format!("account = ${}", cells.len()));
        }
        if let Some(after) = after {
            cells.push(Cell::int(after.at.0));
            cells.push(Cell::text(after.exchange.as_str()));
            let last = cells.len();
            terms.push(format!("(at, exchange) > (${}, ${last})", last - 1));
        }
        cells.push(Cell::int(i64::from(limit)));
        let filter = if terms.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", terms.join(" AND "))
        };
        let sql = format!(
            "{COLUMNS}{filter} ORDER BY at, exchange LIMIT ${}",
            cells.len()
        );
        self.rows(&sql, cells).await?.iter().map(exchange).collect()
    }

    /// How many exchanges of an account were imported.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn imported_of(&self, account: &AccountId) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM imported WHERE account = $1";
        let rows = self.rows(sql, vec![Cell::text(account.as_str())]).await?;
        rows.first().map_or(Ok(0), |row| row.count(0))
    }

    /// How many exchanges were imported.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn imported_count(&self) -> Result<u64, StoreError> {
        let rows = self
            .rows("SELECT COUNT(*) FROM imported", Vec::new())
            .await?;
        rows.first().map_or(Ok(0), |row| row.count(0))
    }
}

fn cells(exchange: &Exchange) -> Result<Vec<Cell>, StoreError> {
    let prompt = serde_json::to_string(&exchange.prompt)
        .map_err(|e| StoreError::Corrupt(format!("a prompt has no JSON form: {e}")))?;
    let tokens = |n: fn(&Usage) -> u64| {
        Cell::Int(
            exchange
                .usage
                .as_ref()
                .map(|u| i64::try_from(n(u)).unwrap_or(i64::MAX)),
        )
    };
    Ok(vec![
        Cell::text(exchange.id.as_str()),
        Cell::text(exchange.account.as_str()),
        Cell::int(exchange.at.0),
        Cell::Text(exchange.model.as_ref().map(ToString::to_string)),
        Cell::Text(Some(without_nul(prompt))),
        Cell::Text(exchange.response.clone().map(without_nul)),
        tokens(|u| u.input_tokens),
        tokens(|u| u.output_tokens),
        tokens(|u| u64::from(u.estimated)),
    ])
}

/// `PostgreSQL` keeps no NUL in text; U+FFFD stands for it on both engines.
fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

fn exchange(row: &Row) -> Result<Exchange, StoreError> {
    let usage = match (row.int_or_none(6)?, row.int_or_none(7)?) {
        (Some(_), Some(_)) => Some(Usage {
            input_tokens: row.count(6)?,
            output_tokens: row.count(7)?,
            estimated: row.int_or_none(8)? == Some(1),
        }),
        _ => None,
    };
    Ok(Exchange {
        id: id(ExchangeId::parse, &row.text(0)?)?,
        account: id(AccountId::parse, &row.text(1)?)?,
        at: Timestamp(row.int(2)?),
        model: row
            .text_or_none(3)?
            .map(|t| id(ModelName::parse, &t))
            .transpose()?,
        prompt: serde_json::from_str(&row.text(4)?)
            .map_err(|e| StoreError::Corrupt(format!("a stored prompt is not JSON: {e}")))?,
        response: row.text_or_none(5)?,
        usage,
    })
}
