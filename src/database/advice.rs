//! Says which index would spare the database a sort of its keys, where there are so many that it takes long.

use crate::database::connection::{Connection, Driver};
use crate::database::source::Source;

/// Rows that are sorted without a word.
const FEW: f64 = 5e5;

/// Asks how the server would read each source, and logs what would help. What cannot be asked is no trouble.
pub async fn log(driver: &dyn Driver, connection: &mut Connection, sources: &[&Source]) {
    for source in sources {
        let Some(index) = &source.index_sql else { continue };
        let table = source.rows.as_ref().map(|rows| &rows.table);
        match driver.sorted_rows(connection, &source.stream.sql, table).await {
            Ok(Some(rows)) if rows >= FEW => tracing::warn!(
                "{}: the database sorts about {rows:.0} keys for each run; this index would spare it that: {index}",
                source.name
            ),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!("how {} is read is not known: {error:#}", source.name);
                // PostgreSQL answers nothing more in this transaction.
                return;
            }
        }
    }
}
