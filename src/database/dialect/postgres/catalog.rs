//! What PostgreSQL's catalog says, and its planner.

use anyhow::Result;
use serde_json::Value;

use crate::database::column::ColumnFacts;
use crate::database::connection::{Connection, Server};
use crate::database::dialect::link::{Parameter, cells};

/// The number that the server was made with, which its copies and standbys share, and the database's name there.
pub async fn identity(connection: &mut Connection) -> Result<Option<String>> {
    let sql = "SELECT s.system_identifier::text || '/' || current_database() FROM pg_catalog.pg_control_system() AS s";
    Ok(connection.text(sql, &[]).await?.map(|identity| format!("postgres {identity}")))
}

/// A server in another encoding cannot even be asked for a key that it has no letters for.
pub async fn server(connection: &mut Connection) -> Result<Server> {
    let encoding = connection.text("SHOW server_encoding", &[]).await?;
    Ok(Server { answers_for_any_key: encoding.as_deref() == Some("UTF8"), ..Server::default() })
}

/// The columns of the table with this quoted name.
pub async fn columns(connection: &mut Connection, table: String) -> Result<Vec<ColumnFacts>> {
    let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typcategory::text, \
                     (t.typname IN ('text', 'varchar') OR b.typname IN ('text', 'varchar'))::text, \
                     EXISTS (SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_collation c ON c.oid = i.indcollation[0] \
                             WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND c.collname IN ('C', 'POSIX'))::text, \
                     (COALESCE(to_jsonb(a) ->> 'attgenerated', '') <> '')::text, \
                     EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary \
                             AND a.attnum = ANY (i.indkey::int2[]))::text, \
                     EXISTS (WITH RECURSIVE base AS (SELECT t.typname, t.typbasetype UNION ALL \
                                     SELECT d.typname, d.typbasetype FROM pg_catalog.pg_type d JOIN base ON d.oid = base.typbasetype) \
                             SELECT 1 FROM base WHERE base.typname = 'bpchar')::text \
                   FROM pg_catalog.pg_attribute a \
                   JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype \
                   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
    let rows = connection.fetch(sql, &[Parameter::Text(&table)]).await?;
    let facts = rows.into_iter().map(|row| {
        let [name, type_name, category, is_plain_text, indexed_by_bytes, is_generated, is_primary_key, is_padded] =
            cells(row);
        ColumnFacts {
            charset: None,
            expression: None,
            is_text: matches!(category.as_str(), "S" | "E") || type_name == "uuid",
            is_plain_text: is_plain_text == "true",
            indexed_by_bytes: indexed_by_bytes == "true",
            is_binary: type_name == "bytea",
            is_generated: is_generated == "true",
            is_primary_key: is_primary_key == "true",
            is_padded: is_padded == "true",
            name,
            type_name,
        }
    });
    Ok(facts.collect())
}

/// Why rows of the table with this quoted name cannot be removed and brought back as they were. Through a view only a part of
/// a row is seen; and a row of a table that inherits from another would come back in that one.
pub async fn obstacle(connection: &mut Connection, table: String) -> Result<Option<String>> {
    let sql = "WITH RECURSIVE family (oid) AS ( \
                   SELECT to_regclass($1)::oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON f.oid = i.inhparent), \
               members AS ( \
                   SELECT c.oid, c.oid::regclass::text AS name, c.relkind::text AS relkind, c.oid = to_regclass($1) AS is_it, \
                          coalesce(to_jsonb(c) ->> 'relispartition', 'false') = 'true' AS is_partition \
                   FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.oid) \
               SELECT CASE WHEN is_it THEN 'it' ELSE name END || CASE \
                          WHEN relkind = 'v' THEN ' is a view' WHEN relkind = 'm' THEN ' is a materialized view' \
                          WHEN relkind = 'f' THEN ' is a foreign table' WHEN relkind IN ('r', 'p') THEN \
                              ' inherits from it, and a row of it would come back in another table' \
                          ELSE ' is not a table' END \
               FROM members WHERE relkind NOT IN ('r', 'p') OR NOT is_it AND NOT is_partition \
               ORDER BY is_it DESC, name LIMIT 1";
    connection.text(sql, &[Parameter::Text(&table)]).await
}

/// What deleting rows of the table with this quoted name would change. Of a partitioned table, its partitions have triggers
/// of their own; and what a partitioned table has holds for its partitions.
pub async fn reach_of_deletes(connection: &mut Connection, table: String) -> Result<Vec<String>> {
    let sql = "WITH RECURSIVE below (oid) AS ( \
                   SELECT to_regclass($1)::oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below f ON f.oid = i.inhparent), \
               above (oid) AS ( \
                   SELECT to_regclass($1)::oid UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN above f ON f.oid = i.inhrelid \
                   JOIN pg_catalog.pg_class c ON c.oid = i.inhparent WHERE c.relkind = 'p'), \
               family AS (SELECT oid FROM below UNION SELECT oid FROM above) \
               SELECT DISTINCT 'foreign key ' || c.conname || ' of ' || c.conrelid::regclass::text || \
                      CASE c.confdeltype WHEN 'c' THEN ' deletes rows' ELSE ' changes rows' END \
               FROM pg_catalog.pg_constraint c JOIN family f ON f.oid = c.confrelid \
               WHERE c.contype = 'f' AND c.confdeltype IN ('c', 'n', 'd') \
               UNION SELECT DISTINCT 'trigger ' || t.tgname FROM pg_catalog.pg_trigger t JOIN family f ON f.oid = t.tgrelid \
               WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND (t.tgtype & 8) <> 0 \
               UNION SELECT 'rule ' || r.rulename FROM pg_catalog.pg_rewrite r JOIN family f ON f.oid = r.ev_class \
               WHERE r.ev_type = '4' ORDER BY 1";
    connection.texts(sql, &[Parameter::Text(&table)]).await
}

/// How many rows the server would sort to stream keys by `sql`.
pub async fn sorted_rows(connection: &mut Connection, sql: &str) -> Result<Option<f64>> {
    let plan = connection.text(&format!("EXPLAIN (FORMAT JSON) {sql}"), &[]).await?;
    Ok(most_sorted(&serde_json::from_str(&plan.unwrap_or_default())?))
}

/// The rows of the largest sort in a plan.
fn most_sorted(plan: &Value) -> Option<f64> {
    let below: Vec<&Value> = match plan {
        Value::Array(parts) => parts.iter().collect(),
        Value::Object(parts) => parts.values().collect(),
        _ => return None,
    };
    let own = plan["Plan Rows"].as_f64().filter(|_| plan["Node Type"].as_str().is_some_and(|kind| kind == "Sort"));
    below.into_iter().filter_map(most_sorted).chain(own).reduce(f64::max)
}

/// Whether the server is a standby, and how far behind.
pub async fn standby(connection: &mut Connection) -> Result<Option<String>> {
    // Where nothing was replayed yet nobody knows how far behind it is.
    let sql = "SELECT coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp())::bigint::text, '') \
               WHERE pg_is_in_recovery()";
    let lag = connection.text(sql, &[]).await?;
    Ok(lag.map(|seconds| match seconds.as_str() {
        "" => "it is a standby; nobody knows how far behind".to_owned(),
        seconds => format!("it is a standby, and has replayed nothing that is newer than {seconds} s"),
    }))
}

/// Takes the lock. It is the transaction's: a session's would be left behind by a pooler.
pub async fn lock(connection: &mut Connection, number: i64) -> Result<bool> {
    let sql = format!("SELECT pg_try_advisory_xact_lock({number})::text");
    Ok(connection.text(&sql, &[]).await?.as_deref() == Some("true"))
}

/// Whether it is held. Were the transaction over, this would be another connection's answer, or none.
pub async fn is_locked(connection: &mut Connection) -> Result<bool> {
    let sql = "SELECT (count(*) > 0)::text FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()";
    Ok(connection.text(sql, &[]).await?.as_deref() == Some("true"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_largest_sort_of_a_plan_is_found() {
        let scan = json!({ "Node Type": "Index Only Scan", "Plan Rows": 9e6 });
        assert_eq!(most_sorted(&json!([{ "Plan": scan }])), None);
        let sort = json!({ "Node Type": "Sort", "Plan Rows": 2_000_000, "Plans": [scan] });
        let merge = json!({ "Node Type": "Gather Merge", "Plan Rows": 4_000_000, "Plans": [sort] });
        assert_eq!(most_sorted(&json!([{ "Plan": merge }])), Some(2e6));
    }
}
