//! What the catalog of MySQL and MariaDB says.

use anyhow::{Result, bail};

use crate::database::column::{ColumnFacts, Table};
use crate::database::connection::Connection;
use crate::database::dialect::link::{Parameter, cells};
use crate::exit_code::Misconfigured;

/// The columns of a table.
pub async fn columns(connection: &mut Connection, table: &Table) -> Result<Vec<ColumnFacts>> {
    let sql = "SELECT CAST(column_name AS CHAR), CAST(column_type AS CHAR), CAST(data_type AS CHAR), \
                   CAST(character_set_name AS CHAR), CAST(collation_name AS CHAR), \
                   CAST(COALESCE(generation_expression, '') <> '' AS CHAR), CAST(column_key = 'PRI' AS CHAR) \
                   FROM information_schema.columns \
                   WHERE table_name = ? AND table_schema = COALESCE(NULLIF(?, ''), DATABASE()) ORDER BY ordinal_position";
    let rows = connection.fetch(sql, &names(table)).await?;
    let facts = rows.into_iter().map(|row| {
        let [name, type_name, data_type, charset, collation, is_generated, is_primary_key] = cells(row);
        let is_binary = data_type.contains("binary") || data_type.contains("blob");
        let is_text = data_type.contains("char")
            || data_type.contains("text")
            || ["varbinary", "enum", "uuid"].contains(&data_type.as_str());
        let charset = Some((charset, collation)).filter(|(charset, _)| !["", "utf8mb4"].contains(&charset.as_str()));
        let (is_generated, is_primary_key) = (is_generated == "1", is_primary_key == "1");
        let facts = ColumnFacts { name, type_name, is_text, is_binary, charset, ..ColumnFacts::default() };
        ColumnFacts { is_generated, is_primary_key, ..facts }
    });
    Ok(facts.collect())
}

/// What deleting rows of a table would change.
pub async fn reach_of_deletes(connection: &mut Connection, table: &Table) -> Result<Vec<String>> {
    has_transactions(connection, table).await?;
    // Foreign keys of tables that a user has no rights to, and triggers, are hidden from it: what is not seen is no proof.
    if !sees_everything(connection, table).await? {
        return Ok(vec![
            "foreign keys and triggers that this user cannot see (it needs SELECT and TRIGGER on the whole database)"
                .to_owned(),
        ]);
    }
    let sql = "SELECT CAST(CONCAT('foreign key ', constraint_name, ' of ', table_name, \
                      IF(delete_rule = 'CASCADE', ' deletes rows', ' changes rows')) AS CHAR) \
               FROM information_schema.referential_constraints \
               WHERE referenced_table_name = ? AND unique_constraint_schema = COALESCE(NULLIF(?, ''), DATABASE()) \
                 AND delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
               UNION SELECT CAST(CONCAT('trigger ', trigger_name) AS CHAR) FROM information_schema.triggers \
               WHERE event_object_table = ? AND event_object_schema = COALESCE(NULLIF(?, ''), DATABASE()) \
                 AND event_manipulation = 'DELETE' ORDER BY 1";
    let [name, schema] = names(table);
    connection.texts(sql, &[name, schema, name, schema]).await
}

/// Without transactions nothing that turns out wrong could be taken back.
async fn has_transactions(connection: &mut Connection, table: &Table) -> Result<()> {
    let sql = "SELECT CAST(t.engine AS CHAR) FROM information_schema.tables AS t \
               JOIN information_schema.engines AS e ON e.engine = t.engine \
               WHERE t.table_name = ? AND t.table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND e.transactions <> 'YES'";
    if let Some(engine) = connection.text(sql, &names(table)).await? {
        bail!(Misconfigured(format!(
            "[[records]] table {}: its rows cannot be removed, as {engine} has no transactions; keep missing_file at \
             \"report\" and its rules out, or convert it to InnoDB",
            table.name
        )));
    }
    Ok(())
}

async fn sees_everything(connection: &mut Connection, table: &Table) -> Result<bool> {
    let sql = "SELECT CAST(COUNT(DISTINCT privilege_type) AS CHAR) FROM ( \
                   SELECT privilege_type FROM information_schema.user_privileges \
                   UNION ALL SELECT privilege_type FROM information_schema.schema_privileges \
                   WHERE COALESCE(NULLIF(?, ''), DATABASE()) LIKE table_schema) AS cleanup_assets_rights \
               WHERE privilege_type IN ('SELECT', 'TRIGGER')";
    let [_, schema] = names(table);
    Ok(connection.text(sql, &[schema]).await?.as_deref() == Some("2"))
}

/// A table's name, and its schema: empty for the connection's own.
fn names(table: &Table) -> [Parameter<'_>; 2] {
    [Parameter::Text(&table.name), Parameter::Text(table.schema.as_deref().unwrap_or_default())]
}

/// Takes the lock, which ends with the session.
pub async fn lock(connection: &mut Connection, number: i64) -> Result<bool> {
    connection.fetch("SET SESSION wait_timeout = 86400", &[]).await?;
    let sql = "SELECT CAST(GET_LOCK(?, 0) AS CHAR)";
    Ok(connection.text(sql, &[Parameter::Text(&lock_name(number))]).await?.as_deref() == Some("1"))
}

/// Whether it is held.
pub async fn is_locked(connection: &mut Connection, number: i64) -> Result<bool> {
    let sql = "SELECT CAST(IS_USED_LOCK(?) = CONNECTION_ID() AS CHAR)";
    Ok(connection.text(sql, &[Parameter::Text(&lock_name(number))]).await?.as_deref() == Some("1"))
}

fn lock_name(number: i64) -> String {
    format!("cleanup-assets-{number:x}")
}
