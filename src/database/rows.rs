//! PURE: a table whose rows own objects, and the SQL that reads, judges, removes and brings back its rows one by one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::database::column::{ColumnFacts, DateColumn, Table};
use crate::database::date;
use crate::database::dialect::sql::Dialect;
use crate::database::key_column::KeyColumn;
use crate::database::rules::RuleSql;
use crate::domain::{Created, Image, Mark, row_id};

/// Rows that are read to learn how new a table is. So many whose dates are still to come, as those of a placeholder are, hide
/// no row that was made.
const NEWEST_ROWS: usize = 1_000;

/// What rows of a table that owns objects are told apart, judged and removed by.
#[derive(Debug)]
pub struct Rows {
    pub dialect: &'static dyn Dialect,
    /// Which of the configuration's `[[records]]` it is.
    pub section: usize,
    pub table: Table,
    /// The columns that tell its rows apart; at least one.
    pub ids: Vec<ColumnFacts>,
    pub key: ColumnFacts,
    /// The columns that can be written.
    pub columns: Vec<ColumnFacts>,
    /// When a row was made.
    pub created: Option<DateColumn>,
    /// When it was last changed: it is as old as the later of both.
    pub updated: Option<DateColumn>,
    /// SQL for rows that own an object.
    pub condition: Option<String>,
    pub rules: Vec<RuleSql>,
    /// How long the clock of each rule runs.
    pub clocks: Vec<Duration>,
    /// For each rule with an entity, what counts rows by a type that it names no table for.
    pub strangers: Vec<Strangers>,
    /// For each type of an entity whose table must have rows, what finds those that would be condemned without one.
    pub ownerless: Vec<Ownerless>,
}

/// Rows that are condemned because their owners' table has no row.
#[derive(Debug)]
pub struct Ownerless {
    pub rule: Arc<str>,
    pub type_name: String,
    /// The owners' table, as the configuration names it.
    pub owners: String,
    /// Gives a row where that table has any.
    pub any_owner_sql: String,
    /// The [handles](crate::domain::Record::handle) of the rows that the rule condemns for owners of this type.
    pub handles_sql: String,
}

/// Rows whose owner nobody can look for.
#[derive(Debug)]
pub struct Strangers {
    pub rule: Arc<str>,
    pub type_column: String,
    pub sql: String,
}

impl Rows {
    /// The columns that every question about rows begins with, as text: the id, when the row was made and changed, the id as
    /// it is found again, and what each rule says.
    pub fn details(&self) -> Vec<String> {
        let id_text = |id: &ColumnFacts| self.dialect.id_text(&self.column(&id.name), id.is_binary);
        let mut columns: Vec<String> = self.ids.iter().map(id_text).collect();
        columns.extend(self.dates());
        columns.extend(self.handle());
        columns.extend(self.marks());
        columns
    }

    /// The columns of a row's [handle](crate::domain::Record::handle).
    pub fn handle(&self) -> Vec<String> {
        self.ids.iter().map(|id| self.dialect.image(id, &self.column(&id.name))).collect()
    }

    /// What a handle binds, in the order of the columns.
    ///
    /// # Errors
    /// A handle of other columns than those that are configured now.
    pub fn handle_values(&self, handle: &str) -> Result<Vec<Option<String>>> {
        let values = match self.ids.len() {
            1 => vec![Some(handle.to_owned())],
            _ => row_id::parts(handle),
        };
        anyhow::ensure!(
            values.len() == self.ids.len(),
            "the row {} is known by {} columns, and its [[records]] id names {}",
            row_id::shown(handle),
            values.len(),
            self.ids.len()
        );
        Ok(values)
    }

    /// Whether an image is that of the row with this handle: of a row that is known by other columns, or by these in another
    /// order, it is not.
    pub fn is_of(&self, image: &Image, handle: &str) -> Result<bool> {
        let values = self.handle_values(handle)?;
        // A column that the database computes is in no image.
        Ok(self.ids.iter().zip(&values).all(|(id, value)| image.get(&id.name).is_none_or(|kept| kept == value)))
    }

    /// Gives a row where two have the same id; `None`: the catalog says that none can.
    pub fn same_ids_sql(&self, primary_key: &[&str]) -> Option<String> {
        let names: Vec<&str> = self.ids.iter().map(|id| id.name.as_str()).collect();
        if !primary_key.is_empty() && primary_key.iter().all(|name| names.contains(name)) {
            return None;
        }
        let ids: Vec<String> = names.iter().map(|name| self.column(name)).collect();
        let are_there = ids.iter().map(|id| format!("{id} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
        let (table, ids) = (self.table(), ids.join(", "));
        Some(format!("SELECT '1' FROM {table} WHERE {are_there} GROUP BY {ids} HAVING count(*) > 1 LIMIT 1"))
    }

    /// What each rule says, one column a rule.
    pub fn marks(&self) -> Vec<String> {
        self.rules.iter().map(|rule| rule.mark(self.dialect, &self.table)).collect()
    }

    /// When a row was made and when it was changed, as text.
    fn dates(&self) -> [String; 2] {
        let text = |date: &Option<DateColumn>| match date {
            Some(date) => self.dialect.text(&self.date(date)),
            None => "NULL".to_owned(),
        };
        [text(&self.created), text(&self.updated)]
    }

    fn date(&self, date: &DateColumn) -> String {
        self.dialect.column_or_expression(&self.table, &date.facts)
    }

    /// How old a row is, from what its [dates](Self::details) gave: as old as the later of them that can be read. And whether
    /// it says when it was last changed.
    pub fn age(&self, created: Option<&str>, updated: Option<&str>) -> (Created, bool) {
        let read = |column: &Option<DateColumn>, text: Option<&str>| column.as_ref()?.read(text?);
        let (created, updated) = (read(&self.created, created), read(&self.updated, updated));
        let age = match created.max(updated) {
            Some(time) => Created::At(time),
            None if self.created.is_none() && self.updated.is_none() => Created::Unconfigured,
            None => Created::Unreadable,
        };
        (age, updated.is_some())
    }

    /// What a rule says of a row, from what its column gave.
    pub fn mark(&self, rule: usize, text: Option<&str>) -> Mark {
        let since = self.rules[rule].since.as_ref();
        match (text, since) {
            (None, _) => Mark::Spared,
            (Some(_), None) => Mark::Condemned,
            // It never starts.
            (Some(text), Some(_)) if text == "infinity" || date::is_never(text) => Mark::Spared,
            (Some(text), Some(since)) => {
                since.read(text).map_or_else(|| Mark::Unreadable(text.to_owned()), Mark::Since)
            }
        }
    }

    pub fn key_column(&self) -> KeyColumn<'_> {
        let condition = self.condition.as_deref();
        KeyColumn { dialect: self.dialect, table: &self.table, facts: &self.key, condition }
    }

    /// Whether a row owns its object; NULL counts as owning one.
    pub fn owns(&self) -> String {
        self.condition.as_ref().map_or("1 = 1".to_owned(), |sql| format!("((\n{sql}\n) IS NOT FALSE)"))
    }

    /// The SQL of rows that name no object and that a rule may condemn; `None` without rules. Its first column is empty,
    /// for the key.
    pub fn keyless_sql(&self) -> Option<String> {
        let rules: Vec<&str> = self.rules.iter().map(|rule| rule.condition.as_str()).collect();
        if rules.is_empty() {
            return None;
        }
        let (details, empty) = (self.details().join(", "), self.is_keyless());
        let (table, owns, rules) = (self.table(), self.owns(), rules.join(" OR "));
        Some(format!("SELECT '', {details} FROM {table} WHERE {empty} AND {owns} AND ({rules})"))
    }

    /// The SQL that gives the ids of all rows, and the bytes of what each holds as its key.
    pub fn bytes_sql(&self) -> String {
        let mut columns: Vec<String> =
            self.ids.iter().map(|id| self.dialect.id_text(&self.column(&id.name), id.is_binary)).collect();
        let value = self.key_column().value();
        columns.push(self.dialect.hex(&value));
        format!("SELECT {} FROM {} WHERE {value} IS NOT NULL", columns.join(", "), self.table())
    }

    /// The SQL that counts rows that name no object.
    pub fn keyless_count_sql(&self) -> String {
        self.count_sql(&format!("{} AND {}", self.is_keyless(), self.owns()))
    }

    /// The SQL that counts rows of the table for which a condition is TRUE.
    pub fn count_sql(&self, condition: &str) -> String {
        format!("SELECT {} FROM {} WHERE {condition}", self.dialect.text("count(*)"), self.table())
    }

    /// Whether a row names an object that it owns.
    pub fn names_an_object(&self) -> String {
        format!("(NOT {} AND {})", self.is_keyless(), self.owns())
    }

    /// The SQL that asks when rows were made, each a few rows: first those of the greatest ids, which an index finds at once
    /// and of which one is new in most tables; then the newest, which may read all. Empty: the table does not say.
    pub fn newest_sql(&self) -> Vec<String> {
        let Some(created) = &self.created else { return Vec::new() };
        let (made, table) = (self.date(created), self.table());
        let text = self.dialect.text(&made);
        let by = |order: &str| {
            format!("SELECT {text} FROM {table} WHERE {made} IS NOT NULL ORDER BY {order} DESC LIMIT {NEWEST_ROWS}")
        };
        let ids: Vec<String> = self.ids.iter().map(|id| self.column(&id.name)).collect();
        vec![by(&ids.join(" DESC, ")), by(&made)]
    }

    /// Whether the ids of rows grow: the greatest are the newest.
    pub fn has_growing_ids(&self) -> bool {
        let is_whole_number = |id: &ColumnFacts| {
            let name = id.type_name.to_ascii_lowercase();
            (name.contains("int") && !name.contains("point") && !name.contains("interval")) || name.contains("serial")
        };
        matches!(self.ids.as_slice(), [id] if is_whole_number(id))
    }

    /// The SQL of the newest rows that name an object: the value of each, when it was made, its first id as text, and its
    /// [handle](Self::handle). First those of the greatest ids, where ids grow; then those of the newest dates, which may read
    /// all. Where nothing says which are the newest, it gives always the same.
    pub fn recent_sql(&self) -> Vec<String> {
        let [made, _] = self.dates();
        let id = self.ids.first().map(|id| self.dialect.id_text(&self.column(&id.name), id.is_binary));
        let columns = [self.key_column().value(), made].into_iter().chain(id).chain(self.handle());
        let columns = columns.collect::<Vec<_>>().join(", ");
        // No row can be asked for by an id of which a part is NULL.
        let whole = self.ids.iter().map(|id| format!(" AND {} IS NOT NULL", self.column(&id.name))).collect::<String>();
        let (table, names) = (self.table(), self.names_an_object() + &whole);
        let ids: Vec<String> = self.ids.iter().map(|id| format!("{} DESC", self.column(&id.name))).collect();
        let ids = ids.join(", ");
        let by = |condition: &str, order: &str| {
            format!("SELECT {columns} FROM {table} WHERE {names}{condition} ORDER BY {order} LIMIT {NEWEST_ROWS}")
        };
        let by_date = self.created.as_ref().map(|created| {
            let made = self.date(created);
            by(&format!(" AND {made} IS NOT NULL"), &format!("{made} DESC, {ids}"))
        });
        let by_id = (self.has_growing_ids() || by_date.is_none()).then(|| by("", &ids));
        by_id.into_iter().chain(by_date).collect()
    }

    /// By what it shows which rows are the newest; empty: by nothing.
    pub fn placed_by(&self) -> String {
        let date = self.created.as_ref().map(|created| &created.facts);
        let date = date.map(|facts| facts.expression.as_ref().unwrap_or(&facts.name).as_str());
        let number = self.has_growing_ids().then_some("number");
        number.into_iter().chain(date).collect::<Vec<_>>().join(" ")
    }

    /// The SQL of so many rows, whose handles are its parameters: the value of each, and its handle.
    pub fn values_sql(&self, rows: usize) -> String {
        let columns = std::iter::once(self.key_column().value()).chain(self.handle()).collect::<Vec<_>>().join(", ");
        let these: Vec<String> = (0..rows).map(|row| format!("({})", self.is_it(row * self.ids.len() + 1))).collect();
        format!("SELECT {columns} FROM {} WHERE {}", self.table(), these.join(" OR "))
    }

    /// The SQL that gives a row of another date than the first parameter, if there is any.
    pub fn dates_sql(&self) -> Option<String> {
        let made = self.date(self.created.as_ref()?);
        let (text, table, date) = (self.dialect.text(&made), self.table(), self.dialect.placeholder(1));
        Some(format!("SELECT '1' FROM {table} WHERE {made} IS NOT NULL AND {text} <> {date} LIMIT 1"))
    }

    /// Whether a row names no object.
    pub fn is_keyless(&self) -> String {
        let value = self.key_column().value();
        format!("({value} IS NULL OR {value} = '')")
    }
}

/// SQL for one row, whose [handle](crate::domain::Record::handle) is always what is named first: a parameter for each of its
/// columns.
impl Rows {
    /// The row as it is: its key, whether it owns its object, when it was made, what each rule says, and every column that
    /// can be written. `lock`: nobody else changes it until the transaction ends.
    pub fn read_sql(&self, lock: bool) -> String {
        let owns = format!("CASE WHEN {} THEN '1' ELSE '0' END", self.owns());
        let [created, updated] = self.dates();
        let mut columns = vec![self.key_column().value(), owns, created, updated];
        columns.extend(self.rules.iter().map(|rule| rule.acting_mark(self.dialect, &self.table)));
        let image = |facts: &ColumnFacts| self.dialect.image(facts, &self.column(&facts.name));
        columns.extend(self.columns.iter().map(image));
        let lock = if lock { self.dialect.row_lock() } else { "" };
        format!("SELECT {} FROM {} WHERE {}{lock}", columns.join(", "), self.table(), self.is_it(1))
    }

    /// Deletes the row if it still is what it was: the same key, which is the last parameter unless it is `keyless`, and
    /// still condemned by `rule`, if it was.
    pub fn delete_sql(&self, keyless: bool, rule: Option<usize>) -> String {
        format!("DELETE FROM {} WHERE {}", self.table(), self.is_unchanged(1, keyless, rule))
    }

    /// Sets columns of the row if it still is what it was. Their values are the first parameters, then come the handle
    /// and the key.
    pub fn set_sql(&self, set: &[(&str, String)], keyless: bool, rule: Option<usize>) -> String {
        let next = set.len() + 1;
        self.update(set, &self.is_unchanged(next, keyless, rule))
    }

    /// Whether columns of the row hold what they were set to, their values as they are set: these are the first parameters,
    /// then comes the handle.
    pub fn is_set_sql(&self, set: &[(&str, String)]) -> String {
        let holds = set.iter().map(|(name, value)| self.dialect.is_same(&self.column(name), value));
        let holds: Vec<String> = holds.collect();
        let (table, it) = (self.table(), self.is_it(set.len() + 1));
        format!("SELECT CASE WHEN {} THEN '1' ELSE '0' END FROM {table} WHERE {it}", holds.join(" AND "))
    }

    /// Sets columns to what they were: their images are the first parameters, then comes the handle.
    pub fn unset_sql(&self, columns: &[&ColumnFacts]) -> String {
        let names = columns.iter().map(|facts| facts.name.as_str());
        let set: Vec<(&str, String)> = names.zip(self.made_of_images(columns)).collect();
        self.update(&set, &self.is_it(columns.len() + 1))
    }

    /// Inserts a row of the images of these columns.
    pub fn insert_sql(&self, columns: &[&ColumnFacts]) -> String {
        let names: Vec<String> = columns.iter().map(|facts| self.dialect.quoted(&facts.name)).collect();
        let (table, names, overriding) = (self.table(), names.join(", "), self.dialect.overriding());
        let values = self.made_of_images(columns).join(", ");
        format!("INSERT INTO {table} ({names}){overriding} VALUES ({values})")
    }

    /// The values of these columns, whose images are the first parameters.
    fn made_of_images(&self, columns: &[&ColumnFacts]) -> Vec<String> {
        let images = columns.iter().enumerate();
        images.map(|(at, facts)| self.dialect.made_of_image(facts, &self.dialect.placeholder(at + 1))).collect()
    }

    fn update(&self, set: &[(&str, String)], which: &str) -> String {
        let set: Vec<String> =
            set.iter().map(|(name, value)| format!("{} = {value}", self.dialect.quoted(name))).collect();
        format!("UPDATE {} SET {} WHERE {which}", self.table(), set.join(", "))
    }

    fn is_it(&self, at: usize) -> String {
        let is_same = self.ids.iter().enumerate().map(|(next, id)| {
            let (column, placeholder) = (self.column(&id.name), self.dialect.placeholder(at + next));
            format!("{column} = {}", self.dialect.compared(id, &placeholder))
        });
        is_same.collect::<Vec<_>>().join(" AND ")
    }

    fn is_unchanged(&self, at: usize, keyless: bool, rule: Option<usize>) -> String {
        let (value, key) = (self.key_column().value(), self.dialect.placeholder(at + self.ids.len()));
        let same_key = if keyless { self.is_keyless() } else { self.dialect.is_key(&value, &key) };
        let mut conditions = vec![self.is_it(at), same_key];
        if !self.dialect.asks_what_it_changes() {
            // The row was read under a lock just now.
            return conditions.join(" AND ");
        }
        conditions.push(self.owns());
        conditions.extend(rule.and_then(|rule| self.rules.get(rule)).map(|rule| rule.acting.clone()));
        conditions.join(" AND ")
    }

    fn table(&self) -> String {
        self.dialect.table(&self.table)
    }

    fn column(&self, name: &str) -> String {
        self.dialect.column(&self.table, name)
    }
}
