//! A database whose sources are checked, and what is asked of all of them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::compare::owners::{OwnerJoin, Wanted};
use crate::database::connection::Login;
use crate::database::rows::Rows;
use crate::database::source::Source;
use crate::database::stream::{MergedKeys, Named};
use crate::domain::derived::Owner;
use crate::domain::packed::{self, Packing};

/// A database whose sources are checked.
pub struct Database {
    /// That of `[database]`, and those of `[[databases]]`.
    pub(super) logins: Vec<Arc<Login>>,
    pub(super) sources: Vec<Arc<Source>>,
}

impl Database {
    /// The name of each source, by its place: records first, then references, as the configuration has them.
    pub fn source_names(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.name.clone()).collect()
    }

    /// Whether the rows of the source at this place own their objects.
    pub fn owns(&self, place: usize) -> bool {
        self.sources.get(place).is_some_and(|source| source.owns)
    }

    /// The keys in a value of a source that may hold more than one, and how it does; `key` is what the value would be as one.
    pub fn unpack(&self, place: usize, key: &str) -> Option<(Packing, Vec<String>)> {
        let source = self.sources.get(place)?;
        let value = key.strip_prefix(&source.key_prefix).unwrap_or(key);
        let value = value.strip_suffix('/').filter(|_| source.owns_folders).unwrap_or(value);
        let (packing, parts) = packed::unpack(value)?;
        Some((packing, parts.iter().map(|part| source.key_of(part).0).collect()))
    }

    /// The key that a value of a source names.
    pub fn key_of(&self, place: usize, value: &str) -> String {
        self.sources.get(place).map_or_else(|| value.to_owned(), |source| source.key_of(value).0)
    }

    /// A query that gives the keys one by one that values of a source hold; `None`: this engine has none, or the source is
    /// itself a query.
    pub fn unpacking(&self, place: usize, packing: Packing) -> Option<String> {
        let source = self.sources.get(place)?;
        // What stands around a key would have to stand around each.
        let is_bare = source.key_prefix.is_empty() && source.url_base.is_none();
        source.column.as_ref().filter(|_| is_bare)?.unpacking(packing)
    }

    /// Whether any source owns folders, and all that lies in them.
    pub fn owns_folders(&self) -> bool {
        self.sources.iter().any(|source| source.owns_folders)
    }

    /// Every source's keys.
    pub fn keys(&self) -> MergedKeys {
        MergedKeys::start(&self.sources)
    }

    /// Whether any source must be streamed again to be asked.
    pub fn streams_again(&self) -> bool {
        self.sources.iter().any(|source| !source.can_be_asked())
    }

    /// Which of `keys` is named by a source that cannot be asked by key: each such source is streamed once.
    pub async fn wanted_by_stream(&self, keys: &[&str]) -> Result<HashSet<String>> {
        let streamed: Vec<_> = self.sources.iter().filter(|source| !source.can_be_asked()).cloned().collect();
        self.streamed(&streamed, keys).await
    }

    pub(super) async fn streamed(&self, streamed: &[Arc<Source>], keys: &[&str]) -> Result<HashSet<String>> {
        let mut wanted = HashSet::new();
        if streamed.is_empty() || keys.is_empty() {
            return Ok(wanted);
        }
        let mut asked_for: Vec<&str> = keys.to_vec();
        asked_for.sort_unstable();
        let mut stream = MergedKeys::start(streamed);
        while let Some(Named { key, source, .. }) = stream.next().await? {
            let owns_folders = streamed[source].owns_folders;
            // All that lies in a folder follows it.
            let from = asked_for.partition_point(|asked| *asked < key);
            let is_it = |asked: &&&str| **asked == key || owns_folders && asked.starts_with(key);
            let named = asked_for[from..].iter().take_while(is_it).copied();
            let own = key.strip_suffix('/').filter(|own| owns_folders && asked_for.binary_search(own).is_ok());
            for key in named.chain(own) {
                if !wanted.contains(key) {
                    wanted.insert(key.to_owned());
                }
            }
        }
        Ok(wanted)
    }

    /// Which of these prefixes any source has a key below: every source is streamed once, unless there are none.
    pub async fn prefixes_in_use(&self, prefixes: &BTreeSet<&Owner>) -> Result<HashSet<Owner>> {
        let mut used = HashSet::new();
        if prefixes.is_empty() {
            return Ok(used);
        }
        let mut join = OwnerJoin::default();
        let mut waiting = (0..).zip(prefixes).peekable();
        let mut told = HashSet::new();
        let mut keys = self.keys();
        while let Some(Named { key, .. }) = keys.next().await? {
            while let Some((number, prefix)) = waiting.next_if(|(_, prefix)| prefix.text() <= key) {
                join.owner(number, (*prefix).clone());
            }
            join.key(key, Wanted::Yes, |number, _| {
                told.insert(number);
            });
        }
        used.extend(
            (0..).zip(prefixes).filter(|(number, _)| told.contains(number)).map(|(_, prefix)| (*prefix).clone()),
        );
        Ok(used)
    }

    /// The table of one of the `[[records]]`.
    pub(super) fn section(&self, section: usize) -> Result<(&Source, &Rows)> {
        let mut rows = self.sources.iter().filter_map(|source| Some((&**source, source.rows.as_ref()?)));
        rows.find(|(_, rows)| rows.section == section).context("a table that is not configured")
    }

    /// The place of a table among the `[[records]]`, by its name.
    pub fn section_of(&self, table: &str) -> Option<usize> {
        let sources = self.sources.iter().filter(|source| source.name == table);
        sources.filter_map(|source| source.rows.as_ref()).map(|rows| rows.section).next()
    }
}
