//! PURE: a table whose rows own objects, and the SQL that reads, judges, removes and brings back its rows one by one.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Engine;
use crate::database::column::{ColumnFacts, KeyColumn, Table, date_text, id_text, quoted, value};
use crate::database::rules::RuleSql;
use crate::database::{date, image};
use crate::domain::Mark;

/// What rows of a table that owns objects are told apart, judged and removed by.
#[derive(Debug)]
pub struct Rows {
    /// Which of the configuration's `[[records]]` it is.
    pub section: usize,
    pub table: Table,
    pub id: ColumnFacts,
    pub key: ColumnFacts,
    /// The columns that can be written.
    pub columns: Vec<ColumnFacts>,
    /// The column of the creation time.
    pub created: Option<ColumnFacts>,
    /// SQL for rows that own an object.
    pub condition: Option<String>,
    pub rules: Vec<RuleSql>,
    /// How long the clock of each rule runs.
    pub clocks: Vec<Duration>,
    /// For each rule with an entity, what counts rows by a type that it names no table for.
    pub strangers: Vec<Strangers>,
}

/// Rows whose owner nobody can look for.
#[derive(Debug)]
pub struct Strangers {
    pub rule: Arc<str>,
    pub type_column: String,
    pub sql: String,
}

impl Rows {
    /// The columns that every question about rows begins with, as text: the id, the creation time, the id as it is found
    /// again, and what each rule says.
    pub fn details(&self, engine: Engine) -> Vec<String> {
        let id = self.table.column(engine, &self.id.name);
        let created = self.created.as_ref().map(|created| self.table.column(engine, &created.name));
        let mut columns = vec![
            id_text(engine, &id, self.id.is_binary),
            created.map_or("NULL".to_owned(), |created| date_text(engine, &created)),
            image::read(engine, &self.id, &id),
        ];
        columns.extend(self.marks(engine));
        columns
    }

    /// What each rule says, one column a rule.
    pub fn marks(&self, engine: Engine) -> impl Iterator<Item = String> {
        self.rules.iter().map(move |rule| rule.mark(engine))
    }

    /// What a rule says of a row, from what its column gave.
    pub fn mark(&self, rule: usize, text: Option<&str>) -> Mark {
        match text {
            None => Mark::Spared,
            Some(_) if self.rules[rule].since.is_none() => Mark::Condemned,
            // It never starts.
            Some("infinity") => Mark::Spared,
            Some(text) => date::parse(text).map_or_else(|| Mark::Unreadable(text.to_owned()), Mark::Since),
        }
    }

    pub fn key_column(&self) -> KeyColumn<'_> {
        KeyColumn { table: &self.table, facts: &self.key, condition: self.condition.as_deref() }
    }

    /// The key as it is compared and shown; NULL stays NULL.
    pub fn key_value(&self, engine: Engine) -> String {
        value(engine, &self.key_column(), &self.table.value(engine, &self.key))
    }

    /// Whether a row owns its object; NULL counts as owning one.
    pub fn owns(&self) -> String {
        self.condition.as_ref().map_or("1 = 1".to_owned(), |sql| format!("((\n{sql}\n) IS NOT FALSE)"))
    }

    /// The SQL of rows that name no object and that a rule may condemn; `None` without rules. Its first column is empty,
    /// for the key.
    pub fn keyless_sql(&self, engine: Engine) -> Option<String> {
        let rules: Vec<&str> = self.rules.iter().map(|rule| rule.condition.as_str()).collect();
        if rules.is_empty() {
            return None;
        }
        let (details, empty) = (self.details(engine).join(", "), self.is_keyless(engine));
        let (table, owns, rules) = (self.table.sql(engine), self.owns(), rules.join(" OR "));
        Some(format!("SELECT '', {details} FROM {table} WHERE {empty} AND {owns} AND ({rules})"))
    }

    /// The SQL that counts rows that name no object.
    pub fn keyless_count_sql(&self, engine: Engine) -> String {
        let count = date_text(engine, "count(*)");
        format!("SELECT {count} FROM {} WHERE {} AND {}", self.table.sql(engine), self.is_keyless(engine), self.owns())
    }

    /// Whether a row names no object.
    pub fn is_keyless(&self, engine: Engine) -> String {
        let value = self.key_value(engine);
        format!("({value} IS NULL OR {value} = '')")
    }
}

/// SQL for one row, whose [handle](crate::domain::Record::handle) is always the parameter that is named first.
impl Rows {
    /// The row as it is: its key, whether it owns its object, when it was made, what each rule says, and every column that
    /// can be written. `lock`: nobody else changes it until the transaction ends.
    pub fn read_sql(&self, engine: Engine, lock: bool) -> String {
        let created = self.created.as_ref().map(|created| self.table.column(engine, &created.name));
        let mut columns = vec![
            self.key_value(engine),
            format!("CASE WHEN {} THEN '1' ELSE '0' END", self.owns()),
            created.map_or("NULL".to_owned(), |created| date_text(engine, &created)),
        ];
        columns.extend(self.marks(engine));
        let image = |facts: &ColumnFacts| image::read(engine, facts, &self.table.column(engine, &facts.name));
        columns.extend(self.columns.iter().map(image));
        let lock = if lock && engine != Engine::Sqlite { " FOR UPDATE" } else { "" };
        format!("SELECT {} FROM {} WHERE {}{lock}", columns.join(", "), self.table.sql(engine), self.is_it(engine, 1))
    }

    /// Deletes the row if it still is what it was: the same key, which is the second parameter unless it is `keyless`, and
    /// still condemned by `rule`, if it was.
    pub fn delete_sql(&self, engine: Engine, keyless: bool, rule: Option<usize>) -> String {
        format!("DELETE FROM {} WHERE {}", self.table.sql(engine), self.is_unchanged(engine, 1, keyless, rule))
    }

    /// Sets columns of the row if it still is what it was. Their values are the first parameters, then come the handle
    /// and the key.
    pub fn set_sql(&self, engine: Engine, set: &[(&str, String)], keyless: bool, rule: Option<usize>) -> String {
        let next = set.len() + 1;
        self.update(engine, set, &self.is_unchanged(engine, next, keyless, rule))
    }

    /// Whether columns of the row hold what they were set to, their values as they are set: these are the first parameters,
    /// then comes the handle.
    pub fn is_set_sql(&self, engine: Engine, set: &[(&str, String)]) -> String {
        let holds = set.iter().map(|(name, value)| {
            let column = self.table.column(engine, name);
            match engine {
                // Not every type can be compared, but every one is text.
                Engine::Postgres => format!("{column}::text IS NOT DISTINCT FROM ({value})::text"),
                Engine::MySql => format!("{column} <=> {value}"),
                Engine::Sqlite => format!("{column} IS {value}"),
            }
        });
        let holds: Vec<String> = holds.collect();
        let (table, it) = (self.table.sql(engine), self.is_it(engine, set.len() + 1));
        format!("SELECT CASE WHEN {} THEN '1' ELSE '0' END FROM {table} WHERE {it}", holds.join(" AND "))
    }

    /// Sets columns to what they were: their images are the first parameters, then comes the handle.
    pub fn unset_sql(&self, engine: Engine, columns: &[&ColumnFacts]) -> String {
        let images = columns.iter().enumerate();
        let set: Vec<(&str, String)> = images
            .map(|(at, facts)| (facts.name.as_str(), image::write(engine, facts, &placeholder(engine, at + 1))))
            .collect();
        self.update(engine, &set, &self.is_it(engine, columns.len() + 1))
    }

    /// Inserts a row of the images of these columns.
    pub fn insert_sql(&self, engine: Engine, columns: &[&ColumnFacts]) -> String {
        let names: Vec<String> = columns.iter().map(|facts| quoted(engine, &facts.name)).collect();
        let images = columns.iter().enumerate();
        let values: Vec<String> =
            images.map(|(at, facts)| image::write(engine, facts, &placeholder(engine, at + 1))).collect();
        // Else PostgreSQL makes up the value of an identity column.
        let overriding = if engine == Engine::Postgres { " OVERRIDING SYSTEM VALUE" } else { "" };
        let (table, names, values) = (self.table.sql(engine), names.join(", "), values.join(", "));
        format!("INSERT INTO {table} ({names}){overriding} VALUES ({values})")
    }

    fn update(&self, engine: Engine, set: &[(&str, String)], which: &str) -> String {
        let set: Vec<String> = set.iter().map(|(name, value)| format!("{} = {value}", quoted(engine, name))).collect();
        format!("UPDATE {} SET {} WHERE {which}", self.table.sql(engine), set.join(", "))
    }

    fn is_it(&self, engine: Engine, at: usize) -> String {
        let id = self.table.column(engine, &self.id.name);
        format!("{id} = {}", image::compared(engine, &self.id, &placeholder(engine, at)))
    }

    fn is_unchanged(&self, engine: Engine, at: usize, keyless: bool, rule: Option<usize>) -> String {
        let (value, key) = (self.key_value(engine), placeholder(engine, at + 1));
        let same_key = match (keyless, engine) {
            (true, _) => self.is_keyless(engine),
            (false, Engine::Postgres) => format!("{value} COLLATE \"C\" = {key}::text"),
            (false, Engine::MySql) => format!("{value} = CAST({key} AS BINARY)"),
            (false, Engine::Sqlite) => format!("{value} = {key}"),
        };
        let mut conditions = vec![self.is_it(engine, at), same_key];
        if engine == Engine::MySql {
            // It takes no subquery on the table that it changes (error 1093): the row was read under a lock just now.
            return conditions.join(" AND ");
        }
        conditions.push(self.owns());
        conditions.extend(rule.and_then(|rule| self.rules.get(rule)).map(|rule| rule.condition.clone()));
        conditions.join(" AND ")
    }
}

/// The placeholder of a parameter, counted from 1. Each stands in a statement in the order of its number.
pub fn placeholder(engine: Engine, number: usize) -> String {
    match engine {
        Engine::Postgres => format!("${number}"),
        Engine::MySql => "?".to_owned(),
        Engine::Sqlite => format!("?{number}"),
    }
}
