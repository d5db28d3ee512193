//! PURE: one place of the database from which keys come, and the keys that its values name.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use crate::database::connection::Login;
use crate::database::dialect::sql::Dialect;
use crate::database::key_column::{Lookup, Stream};
use crate::database::rows::Rows;
use crate::database::url;
use crate::domain::packed::Packing;

/// One place of the database from which keys come.
#[derive(Debug)]
pub struct Source {
    /// The database that it is in, and the place of that among all; of a file, the first.
    pub login: Arc<Login>,
    pub at: usize,
    /// A file of keys, one a line, where it is not in a database.
    pub file: Option<PathBuf>,
    /// As messages and findings name it: the table, or which reference it is.
    pub name: String,
    /// Whether its rows own their objects; otherwise they only protect them.
    pub owns: bool,
    /// Whether what they own is a folder, and everything below it: its keys end in `/`.
    pub owns_folders: bool,
    /// Put in front of each value to make it a storage key.
    pub key_prefix: String,
    /// Values are URLs that begin with this, and name keys by what follows. They come in any order.
    pub url_base: Option<String>,
    /// Gives every value, NULL left out, and what each rule says of its row.
    pub stream: Stream,
    /// The statement that would make an index in whose order the stream can be read.
    pub index_sql: Option<String>,
    /// The rows with the given values: value, and for a source that owns, [details](Rows::details). A collation may
    /// make it give more than was asked for. `None`: the source must be streamed again instead.
    pub lookup: Option<Lookup>,
    /// The column that its values are in; `None` for a query, or an expression.
    pub column: Option<Column>,
    /// Gives one row where the table has any, whatever it holds; `None` for a query, of which only its keys are known.
    pub any_row_sql: Option<String>,
    /// Whether the lookup may be asked for any key, and not just for those that came from the database itself.
    pub answers_for_any_key: bool,
    /// Whether its values may turn out to be JSON that nobody unpacked.
    pub may_be_json: bool,
    /// Whether the stream must be read to its end before anything else happens, because its cursor locks writers out.
    pub must_be_spooled: bool,
    /// What its rows are like, where they own their objects.
    pub rows: Option<Rows>,
}

/// A column, as SQL.
#[derive(Debug)]
pub struct Column {
    pub dialect: &'static dyn Dialect,
    pub table: String,
    pub column: String,
}

impl Column {
    /// The query that gives the keys one by one that its values hold.
    pub fn unpacking(&self, packing: Packing) -> Option<String> {
        self.dialect.unpacking(packing, &self.table, &self.column)
    }
}

impl Source {
    /// Whether its keys come in any order, and must be sorted here. What is made of values here does, whatever order they had.
    pub fn is_unsorted(&self) -> bool {
        // With its last slash `a/` comes after `a-b/`, and without it before.
        !self.stream.is_sorted || self.url_base.is_some() || self.owns_folders
    }

    /// Whether it can be asked for any key through its lookup.
    pub fn can_be_asked(&self) -> bool {
        self.lookup.is_some() && self.answers_for_any_key
    }

    /// The values that name a storage key, without the key itself where the source has URLs.
    pub fn values_of<'k>(&self, key: &'k str) -> impl Iterator<Item = &'k str> + use<'k> {
        let value = key.strip_prefix(self.key_prefix.as_str());
        let (whole, bare) = match (value, self.owns_folders) {
            (Some(value), true) => match value.strip_suffix('/') {
                // `a/` is its own folder, and not what `a//` names.
                Some(bare) => (Some(value), Some(bare).filter(|bare| !bare.ends_with('/'))),
                None => (None, None),
            },
            (value, _) => (value, None),
        };
        [whole, bare].into_iter().flatten().filter(|value| !value.is_empty())
    }

    /// The storage key that a value names, and whether the value was what the configuration says that it is.
    pub fn key_of(&self, value: &str) -> (String, bool) {
        let (value, is_expected) = match self.url_base.as_deref().map(|base| url::key_of(value, base)) {
            None => (Cow::Borrowed(value), true),
            Some(url::Named::Key(key)) => (Cow::Owned(key), true),
            Some(url::Named::Undecoded(key)) => (Cow::Owned(key), false),
            Some(url::Named::Literal) => (Cow::Borrowed(value), false),
        };
        let mut key = if value.is_empty() { String::new() } else { [&self.key_prefix, &*value].concat() };
        if self.owns_folders && !key.is_empty() && !key.ends_with('/') {
            key.push('/');
        }
        (key, is_expected)
    }
}
