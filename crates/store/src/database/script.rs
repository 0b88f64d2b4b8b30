//! Many statements as one, in each engine's own way of counting places.

use super::Cell;

/// Statements that are carried out together.
///
/// `SQLite` gets them as one text: each would cost two changes of thread, to its worker and back.
pub(crate) struct Script {
    pub(super) parts: Vec<(String, Vec<Cell>)>,
    pub(super) sqlite: bool,
}

impl Script {
    /// Adds the writing of many rows with few statements: `{}` of `sql` becomes the rows. At most
    /// 8,000 values a statement: `SQLite` allows 32,766, `PostgreSQL` 65,535.
    pub(crate) fn rows(&mut self, sql: &str, rows: Vec<Vec<Cell>>) {
        let Some(width) = rows.first().map(Vec::len) else {
            return;
        };
        let per_statement = (8_000 / width.max(1)).max(1);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<_> = rows.by_ref().take(per_statement).collect();
            let places = places(width, chunk.len(), self.sqlite);
            let statement = sql.replacen("{}", &places, 1);
            let cells = chunk.into_iter().flatten().collect();
            self.parts.push((statement, cells));
        }
    }

    /// Adds one statement; `{}` of `sql` becomes `($1,$2...)`, a place for each cell.
    pub(crate) fn list(&mut self, sql: &str, cells: Vec<Cell>) {
        self.rows(sql, vec![cells]);
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
