//! PURE: whatever one engine writes in its SQL otherwise than another. Who adds an engine answers these questions; what all
//! engines write alike stands with what it is for.

use std::fmt;

use crate::config::Value;
use crate::database::column::{ColumnFacts, Owners, Table};
use crate::domain::packed::Packing;

/// An engine's SQL. What is named `column` or `sql` is SQL already.
pub trait Dialect: fmt::Debug + Sync {
    // --- names, literals and parameters ---

    /// An identifier in quotes.
    fn quoted(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// The quoted name, for FROM.
    fn table(&self, table: &Table) -> String {
        match &table.schema {
            Some(schema) => format!("{}.{}", self.quoted(schema), self.quoted(&table.name)),
            None => self.quoted(&table.name),
        }
    }

    /// A column of a table, quoted and qualified.
    fn column(&self, table: &Table, name: &str) -> String {
        format!("{}.{}", self.quoted(&table.name), self.quoted(name))
    }

    /// A column of a table, or what stands for one. An expression may end in a comment.
    fn column_or_expression(&self, table: &Table, facts: &ColumnFacts) -> String {
        match &facts.expression {
            Some(sql) => format!("(\n{sql}\n)"),
            None => self.column(table, &facts.name),
        }
    }

    /// A text as a literal, whatever a backslash means to the server.
    fn literal(&self, text: &str) -> String;

    /// The placeholder of a parameter, counted from 1. Each stands in a statement in the order of its number.
    fn placeholder(&self, number: usize) -> String;

    // --- values as text ---

    /// A date, a time, a number or a name as text.
    fn text(&self, sql: &str) -> String;

    /// Whether a column's dates are in UTC though they say no zone.
    fn gives_utc(&self, _facts: &ColumnFacts) -> bool {
        false
    }

    /// The bytes of a value as hexadecimal digits, whatever text they may be.
    fn hex(&self, sql: &str) -> String {
        format!("HEX({sql})")
    }

    /// An id as text, whatever its type.
    fn id_text(&self, column: &str, is_binary: bool) -> String;

    /// Asks for the database's own time, as text in UTC.
    fn now(&self) -> &'static str;

    // --- keys ---

    /// A column's value as the key that it is.
    fn key(&self, facts: &ColumnFacts, column: &str) -> String;

    /// What sorts by the bytes of the key in UTF-8, and by nothing else. `None`: the server had better not, and the keys are
    /// sorted here.
    fn key_order(&self, facts: &ColumnFacts, column: &str) -> Option<String>;

    /// Makes an index in the order of keys, where one can have it.
    fn key_index(&self, table: &Table, facts: &ColumnFacts) -> Option<String>;

    /// What is compared with a list of keys: what an index serves, though a collation may give more than was asked for.
    fn key_looked_up(&self, facts: &ColumnFacts, column: &str) -> String;

    /// What that list is, for `IN`.
    fn key_list(&self, facts: &ColumnFacts) -> KeyList;

    /// Whether a text can be a value at all: else it is not even asked for.
    fn can_hold(&self, _value: &str) -> bool {
        true
    }

    /// Whether [`key`](Self::key) is the text that is bound to `placeholder`, byte for byte.
    fn is_key(&self, key: &str, placeholder: &str) -> String;

    /// A query that gives the keys one by one that values of a column hold, other values as they are; for people, on one line.
    /// `None`: nothing short does it.
    fn unpacking(&self, packing: Packing, table: &str, column: &str) -> Option<String>;

    // --- rows: each column is kept as text, its image, so that the very row can be made again ---

    /// A column's value as text from which [`made_of_image`](Self::made_of_image) makes the same value. NULL stays NULL.
    fn image(&self, facts: &ColumnFacts, column: &str) -> String;

    /// The value whose image is bound to `placeholder`, to be stored in the column.
    fn made_of_image(&self, facts: &ColumnFacts, placeholder: &str) -> String;

    /// The same, to be compared with the column: of the column's own type, so that an index serves and no digit is lost.
    fn compared(&self, facts: &ColumnFacts, placeholder: &str) -> String {
        self.made_of_image(facts, placeholder)
    }

    /// A value of the configuration, to be stored in the column; as [text](Self::set_text) it is bound to `placeholder`.
    fn set(&self, facts: &ColumnFacts, value: &Value, placeholder: &str) -> String;

    /// What is bound for a value of the configuration.
    fn set_text(&self, value: &Value) -> String {
        match value {
            Value::Boolean(is) => i32::from(*is).to_string(),
            value => value.to_string(),
        }
    }

    /// Whether a column holds a value; two NULLs are the same.
    fn is_same(&self, column: &str, value: &str) -> String;

    /// Ends a SELECT of a row that nobody else changes until the transaction ends.
    fn row_lock(&self) -> &'static str {
        " FOR UPDATE"
    }

    /// Stands before VALUES, so that every column takes the value that it is given.
    fn overriding(&self) -> &'static str {
        ""
    }

    /// Whether a statement that changes a table may ask the table itself.
    fn asks_what_it_changes(&self) -> bool {
        true
    }

    // --- transactions ---

    /// Begins one that only reads, and sees what is committed now; `None` where each statement does so by itself.
    fn begin(&self) -> Option<&'static str> {
        None
    }

    /// Begins one that may write.
    fn begin_writing(&self) -> &'static str;

    // --- owners ---

    /// TRUE for rows whose owner is not in its table. `id` is what the catalog says of `id_column`. An id that two types,
    /// or two programs, write in two ways must not make an owner look gone.
    fn has_no_owner(&self, id_column: &str, id: &ColumnFacts, owners: &Owners<'_>) -> String;

    /// An id without what two types, or two programs, may write in two ways: case, spaces around it, dashes in a UUID,
    /// zeros before a number and after its point.
    fn as_written(&self, column: &str) -> String;

    // --- the catalog, and errors ---

    /// Names the tables that there are, in one column.
    fn tables(&self) -> &'static str;

    /// Whether an error's code speaks of rights, resources or the server's state, and not of what was asked: 42501 (rights,
    /// row-level security) and the classes 53, 55, 57 and 58, where codes are SQL's.
    fn is_the_servers_matter(&self, code: &str) -> bool {
        code == "42501" || ["53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
    }

    /// Whether it speaks of a deadlock or a serialization failure, after which a transaction may be tried again: 40001, and
    /// PostgreSQL's 40P01.
    fn is_worth_another_attempt(&self, code: &str) -> bool {
        ["40001", "40P01"].contains(&code)
    }
}

/// How the keys of a look-up are bound.
#[derive(Debug)]
pub enum KeyList {
    /// All to one parameter, which this SQL unpacks.
    One(&'static str),
    /// Each to a parameter of its own, which is written like this. Such a list cannot be empty.
    Each(String),
}

/// The targets of links in a text, where an engine has no regular expressions that give rows: attributes `src`, and `href`.
pub fn links(table: &str, column: &str) -> String {
    let next = |attribute: &str| {
        let (after, found) = (attribute.len() + 2, format!("instr(rest, '{attribute}=\"')"));
        format!("SELECT 1, substr(rest, {found} + {after}) FROM links WHERE {found} > 0")
    };
    format!(
        "WITH RECURSIVE links (is_target, rest) AS (SELECT 0, {column} FROM {table} UNION {} UNION {}) \
         SELECT substr(rest, 1, instr(rest, '\"') - 1) FROM links WHERE is_target = 1 AND instr(rest, '\"') > 1",
        next("src"),
        next("href")
    )
}
