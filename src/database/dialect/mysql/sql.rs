//! PURE: the SQL of MySQL and MariaDB.

use crate::config::Value;
use crate::database::column::{ColumnFacts, Owners, Table};
use crate::database::dialect::mysql::{MySql, link};
use crate::database::dialect::owners;
use crate::database::dialect::sql::{Dialect, KeyList, links};
use crate::domain::packed::Packing;

impl Dialect for MySql {
    fn quoted(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn literal(&self, text: &str) -> String {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("_utf8mb4 X'{hex}'")
    }

    fn placeholder(&self, _number: usize) -> String {
        "?".to_owned()
    }

    fn text(&self, sql: &str) -> String {
        format!("CAST({sql} AS CHAR)")
    }

    fn gives_utc(&self, facts: &ColumnFacts) -> bool {
        // A TIMESTAMP is given in the session's zone, which is set to UTC.
        facts.type_name.to_lowercase().starts_with("timestamp")
    }

    fn id_text(&self, column: &str, is_binary: bool) -> String {
        if is_binary { format!("LOWER(HEX({column}))") } else { self.text(column) }
    }

    fn now(&self) -> &'static str {
        "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)"
    }

    /// Bytes are what they are: converted, those that are not UTF-8 would become other ones. What is UTF-8 already costs the
    /// server less as it is. CONVERT(… USING binary) would cost it least, but the server takes that for as many bytes as the
    /// column has letters, and cuts the rest off wherever it keeps the answer in a table first.
    fn key(&self, facts: &ColumnFacts, column: &str) -> String {
        let is_utf8 =
            matches!(Family::of(facts), Family::Text) && facts.charset.is_none() && facts.expression.is_none();
        match facts.is_binary || is_utf8 {
            true => format!("CAST({column} AS BINARY)"),
            false => format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)"),
        }
    }

    /// No index has this order (utf8mb4_bin ignores trailing spaces), and the server needs six times as long to sort by it
    /// as to read.
    fn key_order(&self, _facts: &ColumnFacts, _column: &str) -> Option<String> {
        None
    }

    /// No index has the order of keys' bytes.
    fn key_index(&self, _table: &Table, _facts: &ColumnFacts) -> Option<String> {
        None
    }

    /// Of an expression nobody knows the collation; bytes have none.
    fn key_looked_up(&self, facts: &ColumnFacts, column: &str) -> String {
        if facts.expression.is_some() { self.key(facts, column) } else { column.to_owned() }
    }

    fn key_list(&self, facts: &ColumnFacts) -> KeyList {
        KeyList::Each(converted(facts, "?"))
    }

    fn is_key(&self, key: &str, placeholder: &str) -> String {
        format!("{key} = CAST({placeholder} AS BINARY)")
    }

    fn unpacking(&self, packing: Packing, table: &str, column: &str) -> Option<String> {
        let parts = |json: String, path: &str| {
            format!(
                "SELECT TRIM(parts.part) FROM {table}, JSON_TABLE({json}, '{path}' COLUMNS (part TEXT PATH '$')) AS parts"
            )
        };
        let split =
            |text: String| parts(format!("CONCAT('[', REPLACE(JSON_QUOTE({text}), '<|>', '\",\"'), ']')"), "$[*]");
        let or = |other: &str| format!("CASE WHEN JSON_VALID({column}) THEN {column} ELSE {other} END");
        Some(match packing {
            Packing::List => parts(or(&format!("JSON_ARRAY({column})")), "$[*]"),
            Packing::Map => parts(or(&format!("JSON_OBJECT('value', {column})")), "$.*"),
            Packing::Links => links(table, column),
            Packing::Lines => split(format!("REPLACE(REPLACE({column}, CHAR(13), ''), CHAR(10), '<|>')")),
            Packing::Commas => split(format!("REPLACE({column}, ',', '<|>')")),
            Packing::Nested | Packing::Other => return None,
        })
    }

    fn image(&self, facts: &ColumnFacts, column: &str) -> String {
        match Family::of(facts) {
            Family::Bytes => format!("HEX({column})"),
            Family::Bits => format!("CAST({column} + 0 AS CHAR)"),
            // As it is, a FLOAT is shown with six digits.
            Family::Approximate => format!("CAST({column} + 0e0 AS CHAR)"),
            Family::Whole | Family::Unsigned | Family::Exact | Family::Other => self.text(column),
            Family::Text => format!("CONVERT({column} USING utf8mb4)"),
        }
    }

    fn made_of_image(&self, facts: &ColumnFacts, placeholder: &str) -> String {
        match Family::of(facts) {
            Family::Bytes => format!("UNHEX({placeholder})"),
            Family::Bits => format!("CAST({placeholder} AS UNSIGNED)"),
            _ => placeholder.to_owned(),
        }
    }

    fn compared(&self, facts: &ColumnFacts, placeholder: &str) -> String {
        match Family::of(facts) {
            Family::Whole => format!("CAST({placeholder} AS SIGNED)"),
            Family::Unsigned => format!("CAST({placeholder} AS UNSIGNED)"),
            Family::Exact => {
                format!("CAST({placeholder} AS {})", facts.type_name.split(' ').next().unwrap_or("DECIMAL"))
            }
            Family::Text => converted(facts, placeholder),
            _ => self.made_of_image(facts, placeholder),
        }
    }

    fn set(&self, _facts: &ColumnFacts, value: &Value, placeholder: &str) -> String {
        match value {
            Value::Integer(_) | Value::Boolean(_) => format!("CAST({placeholder} AS SIGNED)"),
            Value::Float(_) | Value::Text(_) => placeholder.to_owned(),
        }
    }

    fn is_same(&self, column: &str, value: &str) -> String {
        format!("{column} <=> {value}")
    }

    /// It takes no subquery on the table that it changes (error 1093).
    fn asks_what_it_changes(&self) -> bool {
        false
    }

    fn begin(&self) -> Option<&'static str> {
        Some(link::BEGIN)
    }

    fn begin_writing(&self) -> &'static str {
        link::BEGIN_WRITING
    }

    fn has_no_owner(&self, id_column: &str, id: &ColumnFacts, owners: &Owners<'_>) -> String {
        let is_one_way = !id.is_text || id.is_binary || id.type_name.eq_ignore_ascii_case("uuid");
        match is_one_way && owners::is_same_type(id, owners) {
            true => owners::none(self, owners, id_column),
            false => owners::none_of_any_type(self, owners, id_column, id),
        }
    }

    fn as_written(&self, column: &str) -> String {
        let bare = format!("TRIM(LEADING '0' FROM REPLACE(LOWER(TRIM(CAST({column} AS CHAR))), '-', ''))");
        let short = format!("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {bare}))");
        format!("CASE WHEN LOCATE('.', {bare}) > 0 THEN {short} ELSE {bare} END")
    }

    fn tables(&self) -> &'static str {
        "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1"
    }
}

/// A parameter in the column's own character set. A text that the column has no letters for becomes another one, which the
/// comparison of bytes leaves out; unconverted, it would be an error (1270).
fn converted(facts: &ColumnFacts, placeholder: &str) -> String {
    match &facts.charset {
        _ if facts.expression.is_some() => format!("CAST({placeholder} AS BINARY)"),
        Some((charset, collation)) => format!("CONVERT({placeholder} USING {charset}) COLLATE {collation}"),
        None => placeholder.to_owned(),
    }
}

/// Types that are written alike.
enum Family {
    Bytes,
    Bits,
    Approximate,
    Whole,
    Unsigned,
    Exact,
    Text,
    Other,
}

impl Family {
    fn of(facts: &ColumnFacts) -> Self {
        let lower = facts.type_name.to_lowercase();
        let name = lower.split(['(', ' ']).next().unwrap_or_default();
        let is_unsigned = lower.contains("unsigned");
        match name {
            "bit" => Family::Bits,
            "float" | "double" | "real" => Family::Approximate,
            "decimal" | "numeric" => Family::Exact,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" if is_unsigned => Family::Unsigned,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Family::Whole,
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
            | "geometrycollection" | "geomcollection" | "vector" => Family::Bytes,
            _ if facts.is_binary => Family::Bytes,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Family::Text,
            _ => Family::Other,
        }
    }
}
