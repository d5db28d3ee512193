//! The columns of a table, as the database's own catalog describes them.

use anyhow::Result;

use crate::config::Engine;
use crate::database::column::{ColumnFacts, Table};
use crate::database::connection::Connection;
use crate::database::dialect;
use crate::database::dialect::link::Parameter;

/// The columns of `table`, in their order; none where there is no such table.
pub async fn of(connection: &mut Connection, engine: Engine, table: &Table) -> Result<Vec<ColumnFacts>> {
    match engine {
        Engine::Postgres => postgres(connection, table).await,
        Engine::MySql => mysql(connection, table).await,
        Engine::Sqlite => sqlite(connection, table).await,
    }
}

async fn postgres(connection: &mut Connection, table: &Table) -> Result<Vec<ColumnFacts>> {
    let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typcategory::text, \
                     (t.typname IN ('text', 'varchar') OR b.typname IN ('text', 'varchar'))::text, \
                     EXISTS (SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_collation c ON c.oid = i.indcollation[0] \
                             WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND c.collname IN ('C', 'POSIX'))::text, \
                     (COALESCE(to_jsonb(a) ->> 'attgenerated', '') <> '')::text, \
                     EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary \
                             AND i.indnatts = 1 AND i.indkey[0] = a.attnum)::text, \
                     EXISTS (WITH RECURSIVE base AS (SELECT t.typname, t.typbasetype UNION ALL \
                                     SELECT d.typname, d.typbasetype FROM pg_catalog.pg_type d JOIN base ON d.oid = base.typbasetype) \
                             SELECT 1 FROM base WHERE base.typname = 'bpchar')::text \
                   FROM pg_catalog.pg_attribute a \
                   JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype \
                   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
    let name = dialect::of(Engine::Postgres).table(table);
    let rows = connection.fetch(sql, &[Parameter::Text(&name)]).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
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
        })
        .collect())
}

async fn mysql(connection: &mut Connection, table: &Table) -> Result<Vec<ColumnFacts>> {
    let sql = "SELECT CAST(column_name AS CHAR), CAST(column_type AS CHAR), CAST(data_type AS CHAR), \
                   CAST(character_set_name AS CHAR), CAST(collation_name AS CHAR), \
                   CAST(COALESCE(generation_expression, '') <> '' AS CHAR), CAST(column_key = 'PRI' AS CHAR) \
                   FROM information_schema.columns \
                   WHERE table_name = ? AND table_schema = COALESCE(NULLIF(?, ''), DATABASE()) ORDER BY ordinal_position";
    let schema = table.schema.as_deref().unwrap_or_default();
    let rows = connection.fetch(sql, &[Parameter::Text(&table.name), Parameter::Text(schema)]).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let [name, type_name, data_type, charset, collation, is_generated, is_primary_key] = cells(row);
            let is_binary = data_type.contains("binary") || data_type.contains("blob");
            let is_text = data_type.contains("char")
                || data_type.contains("text")
                || ["varbinary", "enum", "uuid"].contains(&data_type.as_str());
            let charset =
                Some((charset, collation)).filter(|(charset, _)| !["", "utf8mb4"].contains(&charset.as_str()));
            let (is_generated, is_primary_key) = (is_generated == "1", is_primary_key == "1");
            let facts = ColumnFacts { name, type_name, is_text, is_binary, charset, ..ColumnFacts::default() };
            ColumnFacts { is_generated, is_primary_key, ..facts }
        })
        .collect())
}

async fn sqlite(connection: &mut Connection, table: &Table) -> Result<Vec<ColumnFacts>> {
    let sql = "SELECT name, type, CAST(hidden IN (2, 3) AS TEXT), CAST(pk > 0 AS TEXT) FROM pragma_table_xinfo(?, ?) \
               WHERE hidden <> 1";
    let schema = table.schema.as_deref().unwrap_or("main");
    let rows = connection.fetch(sql, &[Parameter::Text(&table.name), Parameter::Text(schema)]).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let [name, type_name, is_generated, is_primary_key] = cells(row);
            let upper = type_name.to_uppercase();
            let is_text = type_name.is_empty()
                || ["CHAR", "CLOB", "TEXT", "STRING", "UUID"].iter().any(|word| upper.contains(word));
            // Only a column of TEXT affinity is sure to hold nothing but text.
            let is_plain_text =
                ["CHAR", "CLOB", "TEXT"].iter().any(|word| upper.contains(word)) && !upper.contains("INT");
            let (is_generated, is_primary_key) = (is_generated == "1", is_primary_key == "1");
            let facts = ColumnFacts { name, type_name, is_text, is_plain_text, ..ColumnFacts::default() };
            ColumnFacts { is_generated, is_primary_key, ..facts }
        })
        .collect())
}

fn cells<const N: usize>(row: Vec<Option<String>>) -> [String; N] {
    let mut cells = row.into_iter();
    std::array::from_fn(|_| cells.next().flatten().unwrap_or_default())
}
