//! PURE: the SQL that reads keys from a column, or from a query.
//!
//! Tables go without an alias, so that a condition may name its columns with or without the table.

use crate::database::column::{ColumnFacts, Table};
use crate::database::dialect::sql::{Dialect, KeyList};

/// A column that holds keys.
pub struct KeyColumn<'a> {
    pub dialect: &'static dyn Dialect,
    pub table: &'a Table,
    pub facts: &'a ColumnFacts,
    /// SQL for rows that own an object.
    pub condition: Option<&'a str>,
}

impl KeyColumn<'_> {
    /// The column, or what stands for one.
    fn column(&self) -> String {
        self.dialect.column_or_expression(self.table, self.facts)
    }

    /// The key as it is compared and shown; NULL stays NULL.
    pub fn value(&self) -> String {
        self.dialect.key(self.facts, &self.column())
    }

    /// Streams the values in byte order, unless the server had better not sort them. More columns, such as what rules say,
    /// follow as text.
    pub fn stream(&self, more: &[String]) -> Stream {
        self.scan(more).ordered(self.dialect.key_order(self.facts, &self.column()))
    }

    /// The same in any order.
    pub fn scan(&self, more: &[String]) -> Stream {
        let is_there = format!("{} IS NOT NULL", self.column());
        Stream { sql: format!("{}{}", self.select(more, &is_there), self.owned()), is_sorted: false }
    }

    /// Looks rows up by their values. `details` are more columns, as text.
    pub fn lookup(&self, details: &[String]) -> Lookup {
        let compared = self.dialect.key_looked_up(self.facts, &self.column());
        Lookup {
            before: self.select(details, &format!("{compared} IN (")),
            list: self.dialect.key_list(self.facts),
            after: format!("){}", self.owned()),
        }
    }

    /// Makes an index in the order of the stream. Of an expression nobody knows whether it can have one.
    pub fn index(&self) -> Option<String> {
        if self.facts.expression.is_some() { None } else { self.dialect.key_index(self.table, self.facts) }
    }

    fn select(&self, more: &[String], condition: &str) -> String {
        let mut columns = vec![self.value()];
        columns.extend_from_slice(more);
        format!("SELECT {} FROM {} WHERE {condition}", columns.join(", "), self.dialect.table(self.table))
    }

    /// Rows for which the condition is FALSE own no file; NULL counts as owning one. It stands on a line of its own, since
    /// it may end in a comment.
    fn owned(&self) -> String {
        self.condition.map_or(String::new(), |sql| format!(" AND (\n{sql}\n) IS NOT FALSE"))
    }
}

/// The SQL that looks rows up by a list of keys.
#[derive(Debug)]
pub struct Lookup {
    before: String,
    list: KeyList,
    after: String,
}

impl Lookup {
    /// The SQL for a number of keys.
    pub fn of(&self, keys: usize) -> String {
        let list = match &self.list {
            KeyList::One(sql) => (*sql).to_owned(),
            KeyList::Each(sql) => vec![sql.as_str(); keys].join(", "),
        };
        format!("{}{list}{}", self.before, self.after)
    }

    /// Whether the list may be empty.
    pub fn may_be_empty(&self) -> bool {
        matches!(self.list, KeyList::One(_))
    }
}

/// The SQL that streams the values of a source.
#[derive(Debug, Default)]
pub struct Stream {
    pub sql: String,
    /// Whether the server gives them in byte order.
    pub is_sorted: bool,
}

impl Stream {
    fn ordered(self, order: Option<String>) -> Self {
        match order {
            Some(order) => Stream { sql: format!("{} ORDER BY {order}", self.sql), is_sorted: true },
            None => self,
        }
    }
}

/// Streams a query's only column, which the server calls `column`, in byte order, unless the server had better not sort.
pub fn stream_query(dialect: &'static dyn Dialect, query: &str, column: &str) -> Stream {
    let table = Table { schema: None, name: "cleanup_assets_query".to_owned() };
    let facts = ColumnFacts { name: column.to_owned(), ..ColumnFacts::default() };
    let column = dialect.column(&table, column);
    let (key, table) = (dialect.key(&facts, &column), dialect.table(&table));
    let sql = format!("SELECT {key} FROM (\n{query}\n) AS {table} WHERE {column} IS NOT NULL");
    Stream { sql, is_sorted: false }.ordered(dialect.key_order(&facts, &column))
}
