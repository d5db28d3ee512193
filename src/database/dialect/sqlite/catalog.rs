//! What SQLite's catalog says, and its planner.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::database::column::{ColumnFacts, Table};
use crate::database::connection::{Connection, Server};
use crate::database::dialect::link::{Parameter, cells};
use crate::exit_code::Misconfigured;
use crate::same_file;

/// The file, whatever its path.
pub async fn identity(connection: &mut Connection) -> Result<Option<String>> {
    let path = connection.text("SELECT file FROM pragma_database_list WHERE name = 'main'", &[]).await?;
    let path = path.filter(|path| !path.is_empty());
    Ok(path.and_then(|path| same_file::identity(Path::new(&path))).map(|identity| format!("sqlite {identity}")))
}

/// Without a write-ahead log an open cursor locks the application's writers out.
pub async fn server(connection: &mut Connection) -> Result<Server> {
    let must_be_spooled = connection.text("PRAGMA journal_mode", &[]).await?.as_deref() != Some("wal");
    let encoding = connection.text("PRAGMA encoding", &[]).await?.unwrap_or_default();
    if encoding != "UTF-8" {
        bail!(Misconfigured(format!("[database] is stored in {encoding}; only UTF-8 sorts in key order")));
    }
    Ok(Server { must_be_spooled, ..Server::default() })
}

/// The columns of a table.
pub async fn columns(connection: &mut Connection, table: &Table) -> Result<Vec<ColumnFacts>> {
    let sql = "SELECT name, type, CAST(hidden IN (2, 3) AS TEXT), CAST(pk > 0 AS TEXT) FROM pragma_table_xinfo(?, ?) \
               WHERE hidden <> 1";
    let rows = connection.fetch(sql, &[Parameter::Text(&table.name), Parameter::Text(schema(table))]).await?;
    let facts = rows.into_iter().map(|row| {
        let [name, type_name, is_generated, is_primary_key] = cells(row);
        let upper = type_name.to_uppercase();
        let is_text = type_name.is_empty()
            || ["CHAR", "CLOB", "TEXT", "STRING", "UUID", "BLOB"].iter().any(|word| upper.contains(word));
        // Only a column of TEXT affinity is sure to hold nothing but text.
        let is_plain_text = ["CHAR", "CLOB", "TEXT"].iter().any(|word| upper.contains(word)) && !upper.contains("INT");
        let (is_generated, is_primary_key) = (is_generated == "1", is_primary_key == "1");
        let facts = ColumnFacts { name, type_name, is_text, is_plain_text, ..ColumnFacts::default() };
        ColumnFacts { is_generated, is_primary_key, ..facts }
    });
    Ok(facts.collect())
}

/// Whether a column, by its quoted name, holds no bytes: they sort after every text.
pub async fn holds_text_alone(connection: &mut Connection, table: String, column: String) -> Result<bool> {
    let last = connection.text(&format!("SELECT typeof(max({column})) FROM {table}"), &[]).await?;
    Ok(last.as_deref() != Some("blob"))
}

fn schema(table: &Table) -> &str {
    table.schema.as_deref().unwrap_or("main")
}

/// What deleting rows of a table, whose quoted name is given too, would change.
pub async fn reach_of_deletes(connection: &mut Connection, table: &Table, quoted: String) -> Result<Vec<String>> {
    let (schema, name) = (Parameter::Text(schema(table)), Parameter::Text(&table.name));
    let sql = "SELECT DISTINCT 'foreign key of ' || m.name || CASE f.on_delete WHEN 'CASCADE' THEN ' deletes rows' \
                      ELSE ' changes rows' END \
               FROM pragma_table_list AS m JOIN pragma_foreign_key_list(m.name, m.schema) AS f \
               WHERE m.type = 'table' AND m.schema = ?1 AND f.\"table\" = ?2 COLLATE NOCASE \
                 AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') ORDER BY 1";
    let mut reached = connection.texts(sql, &[schema, name]).await?;
    reached.extend(delete_triggers(connection, quoted).await?);
    Ok(reached)
}

/// The triggers that a delete would run: each begins a part of the statement's program, which says its name. The engine's own
/// compiler knows them, whatever the text of a trigger looks like. What a foreign key does is such a part too, without a name.
async fn delete_triggers(connection: &mut Connection, quoted: String) -> Result<Vec<String>> {
    const BEGINS: &str = "-- TRIGGER ";
    let sql = format!("EXPLAIN DELETE FROM {quoted}");
    let program = connection.fetch(&sql, &[]).await.context("asking what a delete would do")?;
    let mut triggers: Vec<String> = program
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|text| Some(format!("trigger {}", text.strip_prefix(BEGINS)?)))
        .collect();
    triggers.sort_unstable();
    triggers.dedup();
    Ok(triggers)
}

/// Why rows of a table cannot be removed and brought back as they were.
pub async fn obstacle(connection: &mut Connection, table: &Table) -> Result<Option<String>> {
    let sql = "SELECT CASE type WHEN 'view' THEN 'it is a view' WHEN 'virtual' THEN 'it is a virtual table' \
                      ELSE 'it belongs to a virtual table' END \
               FROM pragma_table_list WHERE schema = ? AND name = ? COLLATE NOCASE AND type <> 'table'";
    connection.text(sql, &[Parameter::Text(schema(table)), Parameter::Text(&table.name)]).await
}

/// How many rows would be sorted to stream keys by `sql` from the table with this quoted name.
pub async fn sorted_rows(connection: &mut Connection, sql: &str, table: Option<String>) -> Result<Option<f64>> {
    let plan = connection.texts(&format!("EXPLAIN QUERY PLAN {sql}"), &[]).await?;
    let sorts = plan.iter().any(|text| text.contains("USE TEMP B-TREE FOR ORDER BY"));
    let Some(table) = table.filter(|_| sorts) else { return Ok(None) };
    // The table's last rowid: counting its rows would read it whole.
    let last = connection.text(&format!("SELECT CAST(max(rowid) AS TEXT) FROM {table}"), &[]).await?;
    Ok(last.and_then(|last| last.parse().ok()))
}
