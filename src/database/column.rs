//! PURE: tables and columns, as the configuration names them and the catalog describes them.

use chrono_tz::Tz;

use crate::database::date;
use crate::domain::Time;

/// A table's name, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub schema: Option<String>,
    pub name: String,
}

impl Table {
    /// Reads `table` or `schema.table`. Either may stand in double quotes, and holds a dot then as it is; a quote in it is
    /// written twice.
    pub fn parse(text: &str) -> Self {
        let mut is_quoted = false;
        let dot = text.char_indices().find(|(_, c)| {
            is_quoted ^= *c == '"';
            *c == '.' && !is_quoted
        });
        match dot {
            Some((dot, _)) => Table { schema: Some(unquoted(&text[..dot])), name: unquoted(&text[dot + 1..]) },
            None => Table { schema: None, name: unquoted(text) },
        }
    }
}

fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

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
    /// Whether it is the primary key, or a part of it.
    pub is_primary_key: bool,
}

/// A column of dates, or an expression that stands for one.
#[derive(Debug, Clone)]
pub struct DateColumn {
    pub facts: ColumnFacts,
    /// The zone of dates that have none.
    pub zone: Tz,
}

impl DateColumn {
    /// The time that a value stands for; `None` where it cannot be read.
    pub fn read(&self, text: &str) -> Option<Time> {
        date::parse(text, self.zone)
    }
}

/// The owners' table of one type of [`Entity`](crate::config::Entity).
pub struct Owners<'a> {
    pub type_name: &'a str,
    pub table: &'a Table,
    /// The column that the row's id points at.
    pub id: &'a ColumnFacts,
    /// Whether the table may have no row.
    pub may_be_empty: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_quotes_holds_what_it_holds() {
        for (text, schema, name) in [
            ("assets", None, "assets"),
            ("public.Assets", Some("public"), "Assets"),
            ("\"my.table\"", None, "my.table"),
            ("\"a.b\".\"c.d\"", Some("a.b"), "c.d"),
            ("app.\"my \"\"own\"\" table\"", Some("app"), "my \"own\" table"),
            ("\"", None, "\""),
        ] {
            let expected = Table { schema: schema.map(str::to_owned), name: name.to_owned() };
            assert_eq!(Table::parse(text), expected, "{text}");
        }
    }
}
