//! PURE: SQLite's SQL.

use crate::config::Value;
use crate::database::column::{ColumnFacts, Owners, Table};
use crate::database::dialect::owners;
use crate::database::dialect::sql::{Dialect, KeyList, links};
use crate::database::dialect::sqlite::Sqlite;
use crate::domain::packed::Packing;

impl Dialect for Sqlite {
    fn literal(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    fn placeholder(&self, number: usize) -> String {
        format!("?{number}")
    }

    fn text(&self, sql: &str) -> String {
        format!("CAST({sql} AS TEXT)")
    }

    fn id_text(&self, column: &str, _is_binary: bool) -> String {
        format!("CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS TEXT) END")
    }

    fn now(&self) -> &'static str {
        "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"
    }

    fn key(&self, _facts: &ColumnFacts, column: &str) -> String {
        self.text(column)
    }

    fn key_order(&self, facts: &ColumnFacts, column: &str) -> Option<String> {
        Some(format!("{} COLLATE BINARY", self.key_looked_up(facts, column)))
    }

    fn key_index(&self, table: &Table, facts: &ColumnFacts) -> Option<String> {
        let name = self.quoted(&format!("{}_{}", table.name, facts.name));
        let (table, key) = (self.table(table), self.key_order(facts, &self.quoted(&facts.name))?);
        facts.is_plain_text.then(|| format!("CREATE INDEX {name} ON {table} ({key})"))
    }

    fn key_looked_up(&self, facts: &ColumnFacts, column: &str) -> String {
        if facts.is_plain_text { column.to_owned() } else { self.text(column) }
    }

    fn key_list(&self, _facts: &ColumnFacts) -> KeyList {
        // A column of text may hold bytes all the same, which are equal to no text.
        KeyList::One("SELECT value FROM json_each(?1) UNION ALL SELECT CAST(value AS BLOB) FROM json_each(?1)")
    }

    fn is_key(&self, key: &str, placeholder: &str) -> String {
        format!("{key} = {placeholder}")
    }

    fn unpacking(&self, packing: Packing, table: &str, column: &str) -> Option<String> {
        let split =
            |text: String| format!("SELECT trim(part.value) FROM {table}, json_each('[' || {text} || ']') AS part");
        let parts = "'\",\"'";
        Some(match packing {
            Packing::List | Packing::Map => format!(
                "SELECT part.atom FROM {table}, json_tree(CASE WHEN json_valid({column}) THEN {column} \
                 ELSE json_quote({column}) END) AS part WHERE part.type = 'text'"
            ),
            Packing::Links => links(table, column),
            Packing::Lines => split(format!("replace(replace(json_quote({column}), '\\r', ''), '\\n', {parts})")),
            Packing::Commas => split(format!("replace(json_quote({column}), ',', {parts})")),
            Packing::Nested | Packing::Other => return None,
        })
    }

    /// A value's type is its own, whatever the column says. Text may hold a NUL, which `quote` would end at. A REAL stays
    /// one: no text that SQLite would make of it is exact.
    fn image(&self, _facts: &ColumnFacts, column: &str) -> String {
        format!(
            "CASE typeof({column}) WHEN 'null' THEN NULL WHEN 'integer' THEN 'i' || {column} \
             WHEN 'real' THEN {column} WHEN 'text' THEN 't' || hex({column}) ELSE 'b' || hex({column}) END"
        )
    }

    fn made_of_image(&self, _facts: &ColumnFacts, placeholder: &str) -> String {
        let rest = format!("substr({placeholder}, 2)");
        format!(
            "CASE WHEN typeof({placeholder}) = 'real' THEN {placeholder} ELSE CASE substr({placeholder}, 1, 1) \
             WHEN 'i' THEN CAST({rest} AS INTEGER) WHEN 't' THEN CAST(unhex({rest}) AS TEXT) WHEN 'b' THEN unhex({rest}) END END"
        )
    }

    fn set(&self, _facts: &ColumnFacts, value: &Value, placeholder: &str) -> String {
        match value {
            Value::Integer(_) | Value::Boolean(_) => format!("CAST({placeholder} AS INTEGER)"),
            Value::Float(_) => format!("CAST({placeholder} AS REAL)"),
            Value::Text(_) => placeholder.to_owned(),
        }
    }

    fn is_same(&self, column: &str, value: &str) -> String {
        format!("{column} IS {value}")
    }

    /// Who writes has the whole database to itself.
    fn row_lock(&self) -> &'static str {
        ""
    }

    fn begin_writing(&self) -> &'static str {
        "BEGIN IMMEDIATE"
    }

    fn has_no_owner(&self, id_column: &str, id: &ColumnFacts, owners: &Owners<'_>) -> String {
        owners::none_of_any_type(self, owners, id_column, id)
    }

    fn as_written(&self, column: &str) -> String {
        let bare = format!("ltrim(replace(lower(trim(CAST({column} AS TEXT))), '-', ''), '0')");
        format!("CASE WHEN instr({bare}, '.') > 0 THEN rtrim(rtrim({bare}, '0'), '.') ELSE {bare} END")
    }

    fn tables(&self) -> &'static str {
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY 1"
    }
}
