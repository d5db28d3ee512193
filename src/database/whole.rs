//! Whether rows of a table can be removed, each by itself, and brought back as they were: by the catalog, and by their ids
//! (I11).

use anyhow::{Context, Result};

use crate::database::checked::Database;
use crate::database::connection::Connection;

impl Database {
    /// Why rows of a table cannot be removed and brought back as they were, with the table as `it`, and what to do; `None`:
    /// they can.
    pub async fn obstacle(&self, section: usize) -> Result<Option<String>> {
        let (source, rows) = self.section(section)?;
        let (login, driver) = (&source.login, source.login.driver);
        let mut connection = Connection::open(login).await.context("connecting")?;
        connection.begin().await?;
        if let Some(obstacle) = driver.obstacle(&mut connection, &rows.table).await? {
            return Ok(Some(format!(
                "{obstacle}. Name the table that holds the rows, or keep them with missing_file = \"report\" and no rules"
            )));
        }
        let columns = driver.columns(&mut connection, &rows.table).await?;
        let primary_key: Vec<&str> =
            columns.iter().filter(|column| column.is_primary_key).map(|column| column.name.as_str()).collect();
        let Some(sql) = rows.same_ids_sql(&primary_key) else { return Ok(None) };
        let same = connection.fetch(&sql, &[]).await.context("looking for rows with the same id")?;
        connection.end().await?;
        Ok((!same.is_empty()).then(|| {
            let ids: Vec<&str> = rows.ids.iter().map(|id| id.name.as_str()).collect();
            let example = if primary_key.len() > 1 { primary_key } else { vec!["a", "b"] };
            format!(
                "several of its rows have the same {}. Name columns that tell its rows apart, as in id = {example:?}",
                ids.join(", ")
            )
        }))
    }
}
