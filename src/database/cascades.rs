//! What deleting a row of a table would change elsewhere, by the catalog (I19): foreign keys that cascade or set, and
//! triggers.

use anyhow::{Context, Result, bail};

use crate::config::Engine;
use crate::database::Database;
use crate::database::column::Table;
use crate::database::connection::Connection;
use crate::database::dialect;
use crate::database::dialect::link::Parameter;
use crate::exit_code::Misconfigured;

/// Foreign keys and triggers that are named; a table may have many.
const NAMED: usize = 5;

impl Database {
    /// What deleting rows of a table would change elsewhere, in words; `None`: nothing.
    pub async fn reach_of_deletes(&self, section: usize) -> Result<Option<String>> {
        let mut rows = self.sources.iter().filter_map(|source| source.rows.as_ref());
        let rows = rows.find(|rows| rows.section == section).context("a table that is not configured")?;
        let mut connection = Connection::open(&self.login).await.context("connecting")?;
        connection.begin().await?;
        let mut reached = match self.engine {
            Engine::Postgres => postgres(&mut connection, &rows.table).await?,
            Engine::MySql => mysql(&mut connection, &rows.table).await?,
            Engine::Sqlite => sqlite(&mut connection, &rows.table).await?,
        };
        connection.end().await?;
        if reached.is_empty() {
            return Ok(None);
        }
        let more = reached.len().saturating_sub(NAMED);
        reached.truncate(NAMED);
        if more > 0 {
            reached.push(format!("{more} more"));
        }
        Ok(Some(reached.join(", ")))
    }
}

async fn postgres(connection: &mut Connection, table: &Table) -> Result<Vec<String>> {
    // Of a partitioned table, its partitions have triggers of their own.
    let sql = "WITH RECURSIVE family (oid) AS ( \
                   SELECT to_regclass($1)::oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON f.oid = i.inhparent) \
               SELECT DISTINCT 'foreign key ' || c.conname || ' of ' || c.conrelid::regclass::text || \
                      CASE c.confdeltype WHEN 'c' THEN ' deletes rows' ELSE ' changes rows' END \
               FROM pg_catalog.pg_constraint c JOIN family f ON f.oid = c.confrelid \
               WHERE c.contype = 'f' AND c.confdeltype IN ('c', 'n', 'd') \
               UNION SELECT DISTINCT 'trigger ' || t.tgname FROM pg_catalog.pg_trigger t JOIN family f ON f.oid = t.tgrelid \
               WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND (t.tgtype & 8) <> 0 \
               UNION SELECT 'rule ' || r.rulename FROM pg_catalog.pg_rewrite r JOIN family f ON f.oid = r.ev_class \
               WHERE r.ev_type = '4' ORDER BY 1";
    let name = dialect::of(Engine::Postgres).table(table);
    names(connection, sql, &[Parameter::Text(&name)]).await
}

async fn mysql(connection: &mut Connection, table: &Table) -> Result<Vec<String>> {
    let sql = "SELECT CAST(CONCAT('foreign key ', constraint_name, ' of ', table_name, \
                      IF(delete_rule = 'CASCADE', ' deletes rows', ' changes rows')) AS CHAR) \
               FROM information_schema.referential_constraints \
               WHERE referenced_table_name = ? AND unique_constraint_schema = COALESCE(NULLIF(?, ''), DATABASE()) \
                 AND delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
               UNION SELECT CAST(CONCAT('trigger ', trigger_name) AS CHAR) FROM information_schema.triggers \
               WHERE event_object_table = ? AND event_object_schema = COALESCE(NULLIF(?, ''), DATABASE()) \
                 AND event_manipulation = 'DELETE' ORDER BY 1";
    let schema = table.schema.as_deref().unwrap_or_default();
    // Without transactions nothing that turns out wrong could be taken back.
    let engine = "SELECT CAST(t.engine AS CHAR) FROM information_schema.tables AS t \
                  JOIN information_schema.engines AS e ON e.engine = t.engine \
                  WHERE t.table_name = ? AND t.table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND e.transactions <> 'YES'";
    let parameters = [Parameter::Text(&table.name), Parameter::Text(schema)];
    if let Some(engine) = names(connection, engine, &parameters).await?.first() {
        bail!(Misconfigured(format!(
            "[[records]] table {}: its rows cannot be removed, as {engine} has no transactions; keep missing_file at \
             \"report\" and its rules out, or convert it to InnoDB",
            table.name
        )));
    }
    // Foreign keys of tables that a user has no rights to, and triggers, are hidden from it: what is not seen is no proof.
    let seen = "SELECT CAST(COUNT(DISTINCT privilege_type) AS CHAR) FROM ( \
                    SELECT privilege_type FROM information_schema.user_privileges \
                    UNION ALL SELECT privilege_type FROM information_schema.schema_privileges \
                    WHERE COALESCE(NULLIF(?, ''), DATABASE()) LIKE table_schema) AS cleanup_assets_rights \
                WHERE privilege_type IN ('SELECT', 'TRIGGER')";
    if names(connection, seen, &[Parameter::Text(schema)]).await?.first().map(String::as_str) != Some("2") {
        return Ok(vec![
            "foreign keys and triggers that this user cannot see (it needs SELECT and TRIGGER on the whole database)"
                .to_owned(),
        ]);
    }
    let (name, schema) = (Parameter::Text(&table.name), Parameter::Text(schema));
    names(connection, sql, &[name, schema, name, schema]).await
}

async fn sqlite(connection: &mut Connection, table: &Table) -> Result<Vec<String>> {
    let schema = table.schema.as_deref().unwrap_or("main");
    let (schema, name) = (Parameter::Text(schema), Parameter::Text(&table.name));
    let sql = "SELECT DISTINCT 'foreign key of ' || m.name || CASE f.on_delete WHEN 'CASCADE' THEN ' deletes rows' \
                      ELSE ' changes rows' END \
               FROM pragma_table_list AS m JOIN pragma_foreign_key_list(m.name, m.schema) AS f \
               WHERE m.type = 'table' AND m.schema = ?1 AND f.\"table\" = ?2 COLLATE NOCASE \
                 AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') ORDER BY 1";
    let mut reached = names(connection, sql, &[schema, name]).await?;
    let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY 1";
    for row in connection.fetch(sql, &[name]).await? {
        let [name, sql] = [0, 1].map(|at| row.get(at).cloned().flatten().unwrap_or_default());
        // What the trigger is for stands before its body.
        let words: Vec<String> = sql.split_whitespace().map(str::to_uppercase).collect();
        let head = words.iter().position(|word| word == "BEGIN").unwrap_or(words.len());
        if words[..head].iter().any(|word| word == "DELETE") {
            reached.push(format!("trigger {name}"));
        }
    }
    Ok(reached)
}

async fn names(connection: &mut Connection, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<String>> {
    Ok(connection.fetch(sql, parameters).await?.into_iter().flatten().flatten().collect())
}
