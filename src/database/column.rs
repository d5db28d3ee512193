//! PURE: tables and columns as the catalog describes them, and the SQL that reads keys from a column, in each engine's
//! dialect.
//!
//! Tables go without an alias, so that a condition may name its columns with or without the table.

use crate::config::Engine;

/// A column, as the catalog describes it.
#[derive(Debug, Clone, Default)]
pub struct ColumnFacts {
    pub name: String,
    /// The type as the engine spells it.
    pub type_name: String,
    /// Whether it can hold keys.
    pub is_text: bool,
    /// Whether comparing it as it is compares text: not so for PostgreSQL's citext and uuid, or for a SQLite column
    /// without a type.
    pub is_plain_text: bool,
    /// PostgreSQL: whether an index on it sorts by bytes, and so serves only comparisons that say so.
    pub indexed_by_bytes: bool,
    /// MySQL: its character set and collation, where values of the connection's set must be converted to it.
    pub charset: Option<(String, String)>,
    /// Bytes, not letters.
    pub is_binary: bool,
    /// Whether the database computes it: nobody may write it.
    pub is_generated: bool,
    /// SQL over the row that stands for it, where it is no column.
    pub expression: Option<String>,
    /// PostgreSQL: whether a cast to text takes spaces from its end.
    pub is_padded: bool,
    /// Whether it is the primary key, or in SQLite and MySQL a part of it.
    pub is_primary_key: bool,
}

/// A column that holds keys.
pub struct KeyColumn<'a> {
    pub table: &'a Table,
    pub facts: &'a ColumnFacts,
    /// SQL for rows that own an object.
    pub condition: Option<&'a str>,
}

/// A table's name, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub schema: Option<String>,
    pub name: String,
}

impl Table {
    /// Reads `table` or `schema.table`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((schema, name)) => Table { schema: Some(schema.to_owned()), name: name.to_owned() },
            None => Table { schema: None, name: text.to_owned() },
        }
    }

    /// The quoted name, for FROM.
    pub fn sql(&self, engine: Engine) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(engine, schema), quoted(engine, &self.name)),
            None => quoted(engine, &self.name),
        }
    }

    /// A column of it, or what stands for one.
    pub fn value(&self, engine: Engine, facts: &ColumnFacts) -> String {
        match &facts.expression {
            Some(sql) => format!("(\n{sql}\n)"),
            None => self.column(engine, &facts.name),
        }
    }

    /// A column of it, quoted and qualified.
    pub fn column(&self, engine: Engine, column: &str) -> String {
        format!("{}.{}", quoted(engine, &self.name), quoted(engine, column))
    }
}

/// An identifier in the engine's quotes.
pub fn quoted(engine: Engine, name: &str) -> String {
    match engine {
        Engine::MySql => format!("`{}`", name.replace('`', "``")),
        Engine::Postgres | Engine::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// The SQL that streams a column's values in byte order.
///
/// More columns, such as what rules say, follow as text.
pub fn stream_column(engine: Engine, key: &KeyColumn<'_>, more: impl Iterator<Item = String>) -> String {
    let column = key.table.value(engine, key.facts);
    let order = order(engine, key, &column);
    format!("{} ORDER BY {order}", scan_column(engine, key, more))
}

/// The SQL that makes an index in the order of a column's stream. MySQL has none, and for an expression nobody knows whether
/// it can have one.
pub fn index_column(engine: Engine, key: &KeyColumn<'_>) -> Option<String> {
    let column = quoted(engine, &key.facts.name);
    let ordered = order(engine, key, &column);
    let (table, is_column) = (key.table.sql(engine), key.facts.expression.is_none());
    match engine {
        Engine::Postgres if is_column && key.facts.is_plain_text => {
            Some(format!("CREATE INDEX CONCURRENTLY ON {table} ({ordered})"))
        }
        Engine::Postgres if is_column => {
            let value = value(engine, key, &column);
            Some(format!("CREATE INDEX CONCURRENTLY ON {table} (({value}) COLLATE \"C\")"))
        }
        Engine::Sqlite if is_column && key.facts.is_plain_text => {
            let name = quoted(engine, &format!("{}_{}", key.table.name, key.facts.name));
            Some(format!("CREATE INDEX {name} ON {table} ({ordered})"))
        }
        _ => None,
    }
}

/// The same in any order.
pub fn scan_column(engine: Engine, key: &KeyColumn<'_>, more: impl Iterator<Item = String>) -> String {
    let column = key.table.value(engine, key.facts);
    let mut columns = vec![value(engine, key, &column)];
    columns.extend(more);
    let (columns, table, condition) = (columns.join(", "), key.table.sql(engine), condition(key.condition, "AND"));
    format!("SELECT {columns} FROM {table} WHERE {column} IS NOT NULL{condition}")
}

/// The SQL that looks rows up by their values. `details` are more columns, as text.
pub fn lookup_column(engine: Engine, key: &KeyColumn<'_>, details: &[String]) -> String {
    let column = key.table.value(engine, key.facts);
    let table = key.table.sql(engine);
    let mut columns = vec![value(engine, key, &column)];
    columns.extend(details.iter().cloned());
    let columns = columns.join(", ");
    match engine {
        Engine::Postgres => {
            // An index serves only comparisons in its own collation, and a list only where it is joined: `= ANY` under
            // a generic plan took minutes where this takes a tenth of a second. As a set: of `FROM unnest($1)` the
            // planner thinks that a key may come often, and without an index it would hash the table, and not the list.
            let compared = if key.facts.is_plain_text { column } else { format!("{column}::text") };
            let collation = if key.facts.indexed_by_bytes { " COLLATE \"C\"" } else { "" };
            let condition = condition(key.condition, "AND");
            format!(
                "SELECT {columns} FROM {table} WHERE {compared}{collation} IN (SELECT unnest($1::text[])){condition}"
            )
        }
        Engine::MySql => {
            // The placeholder is repeated for as many keys as there are.
            let condition = condition(key.condition, "AND");
            // Of an expression nobody knows the collation; bytes have none.
            let compared = if key.facts.expression.is_some() { value(engine, key, &column) } else { column };
            format!("SELECT {columns} FROM {table} WHERE {compared} IN ({LIST}){condition}")
        }
        Engine::Sqlite => {
            let compared = if key.facts.is_plain_text { column } else { format!("CAST({column} AS TEXT)") };
            let condition = condition(key.condition, "AND");
            format!("SELECT {columns} FROM {table} WHERE {compared} IN (SELECT value FROM json_each(?)){condition}")
        }
    }
}

/// Stands in a MySQL lookup for the list of placeholders.
pub const LIST: &str = "/*cleanup-assets-keys*/";

/// How one key of a MySQL list is written. A key that the column has no letters for becomes another one, which the
/// comparison of bytes leaves out; unconverted, it would be an error (1270).
pub fn placeholder(facts: &ColumnFacts) -> String {
    match &facts.charset {
        _ if facts.expression.is_some() => "CAST(? AS BINARY)".to_owned(),
        Some((charset, collation)) => format!("CONVERT(? USING {charset}) COLLATE {collation}"),
        None => "?".to_owned(),
    }
}

/// The SQL that streams a query's only column, which the server calls `column`, in byte order.
pub fn stream_query(engine: Engine, query: &str, column: &str) -> String {
    let table = Table { schema: None, name: "cleanup_assets_query".to_owned() };
    let facts = ColumnFacts { name: column.to_owned(), ..ColumnFacts::default() };
    let key = KeyColumn { table: &table, facts: &facts, condition: None };
    let column = table.column(engine, column);
    format!(
        "SELECT {} FROM (\n{query}\n) AS {} WHERE {column} IS NOT NULL ORDER BY {}",
        value(engine, &key, &column),
        table.sql(engine),
        order(engine, &key, &column)
    )
}

/// An id as text, whatever its type.
pub fn id_text(engine: Engine, column: &str, is_binary: bool) -> String {
    match engine {
        Engine::Postgres => format!("{column}::text"),
        Engine::MySql if is_binary => format!("LOWER(HEX({column}))"),
        Engine::MySql => format!("CAST({column} AS CHAR)"),
        Engine::Sqlite => {
            format!("CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS TEXT) END")
        }
    }
}

/// A date, a time or a number as text.
pub fn date_text(engine: Engine, column: &str) -> String {
    match engine {
        Engine::Postgres => format!("{column}::text"),
        Engine::MySql => format!("CAST({column} AS CHAR)"),
        Engine::Sqlite => format!("CAST({column} AS TEXT)"),
    }
}

/// The database's own time, as text in UTC.
pub fn now(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "SELECT clock_timestamp()::text",
        Engine::MySql => "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)",
        Engine::Sqlite => "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    }
}

/// A column's value as the key that it is.
pub fn value(engine: Engine, key: &KeyColumn<'_>, column: &str) -> String {
    match engine {
        Engine::Postgres if key.facts.is_plain_text => column.to_owned(),
        Engine::Postgres => format!("{column}::text"),
        Engine::MySql => format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)"),
        Engine::Sqlite => format!("CAST({column} AS TEXT)"),
    }
}

/// What sorts by the bytes of the key in UTF-8, and by nothing else.
fn order(engine: Engine, key: &KeyColumn<'_>, column: &str) -> String {
    match engine {
        Engine::Postgres => format!("{} COLLATE \"C\"", value(engine, key, column)),
        // utf8mb4_bin would ignore trailing spaces.
        Engine::MySql => value(engine, key, column),
        Engine::Sqlite if key.facts.is_plain_text => format!("{column} COLLATE BINARY"),
        Engine::Sqlite => format!("{} COLLATE BINARY", value(engine, key, column)),
    }
}

/// Rows for which it is FALSE own no file; NULL counts as owning one. It stands on a line of its own, since it may end
/// in a comment.
fn condition(condition: Option<&str>, joint: &str) -> String {
    condition.map_or(String::new(), |sql| format!(" {joint} (\n{sql}\n) IS NOT FALSE"))
}
