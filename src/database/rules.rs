//! PURE: the SQL that says which rows a rule may condemn, in each engine's dialect. Its clock is read in Rust: a date may
//! be written in many ways.

use crate::config::Engine;
use crate::database::source::{ColumnFacts, Table, date_text, quoted};

/// A rule's conditions on a row of a table.
#[derive(Debug, Clone)]
pub struct RuleSql {
    /// TRUE for rows that it may condemn.
    pub condition: String,
    /// The column where its clock starts, qualified.
    pub since: Option<String>,
}

impl RuleSql {
    /// NULL for a row that the rule spares; else when its clock started, or nothing where it has none.
    pub fn mark(&self, engine: Engine) -> String {
        match &self.since {
            Some(since) => format!("CASE WHEN {} THEN {} END", self.condition, date_text(engine, since)),
            None => format!("CASE WHEN {} THEN '' END", self.condition),
        }
    }
}

/// A condition of the configuration, which condemns only where it is TRUE. It may end in a comment.
pub fn is_true(sql: &str) -> String {
    format!("((\n{sql}\n) IS TRUE)")
}

/// The owner's table of one type of [`Entity`](crate::config::Entity).
pub struct Owners<'a> {
    pub type_name: &'a str,
    pub table: &'a Table,
    /// The column that the row's id points at.
    pub id: &'a ColumnFacts,
}

/// TRUE for rows whose owner is gone. `type_column` and `id_column` are qualified; `id` is what the catalog says of the
/// latter. Two types that write the same id in two ways must not make an owner look gone.
pub fn owner_is_gone(
    engine: Engine,
    (type_column, id_column): (&str, &str),
    id: &ColumnFacts,
    owners: &[Owners<'_>],
) -> String {
    let gone = owners.iter().map(|owners| {
        let is_gone = match engine {
            Engine::Postgres => has_no_owner(id_column, id, owners),
            Engine::MySql | Engine::Sqlite => is_not_listed(engine, id_column, id, owners),
        };
        let type_name = literal(engine, owners.type_name);
        format!("({type_column} = {type_name} AND {id_column} IS NOT NULL AND {is_gone})")
    });
    format!("(({}) IS TRUE)", gone.collect::<Vec<_>>().join(" OR "))
}

/// MySQL and SQLite read the list of owners once, and look each id up in it.
fn is_not_listed(engine: Engine, id_column: &str, id: &ColumnFacts, owners: &Owners<'_>) -> String {
    let (table, owner) = (owners.table.sql(engine), owners.table.column(engine, &owners.id.name));
    if engine == Engine::Sqlite && is_whole(id) && is_whole(owners.id) {
        // Both are converted alike, and the key's index serves.
        let owner = format!("cleanup_assets_owner.{}", quoted(engine, &owners.id.name));
        return format!("NOT EXISTS (SELECT 1 FROM {table} AS cleanup_assets_owner WHERE {owner} = {id_column})");
    }
    let is_same_type = owners.id.type_name.eq_ignore_ascii_case(&id.type_name) || is_whole(id) && is_whole(owners.id);
    let (this, that) = match is_same_type && engine == Engine::MySql {
        true => (id_column.to_owned(), owner.clone()),
        false => (as_written(engine, id_column), as_written(engine, &owner)),
    };
    format!("{this} NOT IN (SELECT {that} FROM {table} WHERE {owner} IS NOT NULL)")
}

/// PostgreSQL would read a list that outgrows its working memory again for each row; so it looks each id up through the
/// index of the owners' key, for which the id must be of the key's own type.
fn has_no_owner(id_column: &str, id: &ColumnFacts, owners: &Owners<'_>) -> String {
    let owner = format!("cleanup_assets_owner.{}", quoted(Engine::Postgres, &owners.id.name));
    let table = owners.table.sql(Engine::Postgres);
    let none = |same: &str| format!("NOT EXISTS (SELECT 1 FROM {table} AS cleanup_assets_owner WHERE {same})");
    let text = format!("btrim({id_column}::text)");
    let slow =
        || none(&format!("{} = {}", as_written(Engine::Postgres, &owner), as_written(Engine::Postgres, id_column)));
    match (PostgresFamily::of(id), PostgresFamily::of(owners.id)) {
        (this, that) if this == that && this != PostgresFamily::Other => none(&format!("{owner} = {id_column}")),
        _ if id.type_name == owners.id.type_name => none(&format!("{owner} = {id_column}")),
        // What cannot be read as the owner's key is not judged.
        (PostgresFamily::Text, PostgresFamily::Whole) => format!(
            "CASE WHEN {text} ~ '^-?[0-9]{{1,18}}$' THEN {} ELSE FALSE END",
            none(&format!("{owner} = {text}::bigint"))
        ),
        (PostgresFamily::Text, PostgresFamily::Uuid) => format!(
            "CASE WHEN {text} ~* '^([0-9a-f]{{4}}-?){{8}}$' THEN {} ELSE FALSE END",
            none(&format!("{owner} = {text}::uuid"))
        ),
        (PostgresFamily::Whole | PostgresFamily::Uuid, PostgresFamily::Text) => {
            format!("CASE WHEN {} THEN {} ELSE FALSE END", none(&format!("{owner} = {text}")), slow())
        }
        _ => slow(),
    }
}

/// Types of PostgreSQL that can be compared with each other through an index.
#[derive(PartialEq)]
enum PostgresFamily {
    Whole,
    Text,
    Uuid,
    Other,
}

impl PostgresFamily {
    fn of(facts: &ColumnFacts) -> Self {
        match facts.type_name.split('(').next().unwrap_or_default() {
            "smallint" | "integer" | "bigint" => PostgresFamily::Whole,
            "text" | "character varying" => PostgresFamily::Text,
            "uuid" => PostgresFamily::Uuid,
            _ => PostgresFamily::Other,
        }
    }
}

/// The SQL that counts rows by a type that no table is named for.
pub fn strangers(engine: Engine, table: &Table, type_column: &str, owners: &[Owners<'_>]) -> String {
    let known: Vec<String> = owners.iter().map(|owners| literal(engine, owners.type_name)).collect();
    let text = match engine {
        Engine::Postgres => format!("{type_column}::text"),
        Engine::MySql => format!("CAST({type_column} AS CHAR)"),
        Engine::Sqlite => format!("CAST({type_column} AS TEXT)"),
    };
    let count = match engine {
        Engine::Postgres => "count(*)::text",
        Engine::MySql => "CAST(COUNT(*) AS CHAR)",
        Engine::Sqlite => "CAST(count(*) AS TEXT)",
    };
    format!(
        "SELECT {text}, {count} FROM {} WHERE {type_column} IS NOT NULL AND {type_column} NOT IN ({}) GROUP BY {type_column}",
        table.sql(engine),
        known.join(", ")
    )
}

/// An id without what two types may write in two ways: case, spaces around it, dashes in a UUID.
fn as_written(engine: Engine, column: &str) -> String {
    match engine {
        Engine::Postgres => format!("replace(lower(trim({column}::text)), '-', '')"),
        Engine::MySql => format!("REPLACE(LOWER(TRIM(CAST({column} AS CHAR))), '-', '')"),
        // A REAL that is a whole number is written 7.0.
        Engine::Sqlite => format!(
            "CASE WHEN typeof({column}) = 'real' AND {column} = CAST({column} AS INTEGER) \
             THEN CAST(CAST({column} AS INTEGER) AS TEXT) ELSE replace(lower(trim(CAST({column} AS TEXT))), '-', '') END"
        ),
    }
}

/// Whether a column of MySQL or SQLite holds whole numbers.
fn is_whole(facts: &ColumnFacts) -> bool {
    let name = facts.type_name.to_lowercase();
    name.contains("int") && !name.contains("point")
}

/// A text as a literal, whatever a backslash means to the server.
fn literal(engine: Engine, text: &str) -> String {
    match engine {
        Engine::Postgres => format!("$cleanup_assets${text}$cleanup_assets$"),
        Engine::MySql => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("_utf8mb4 X'{hex}'")
        }
        Engine::Sqlite => format!("'{}'", text.replace('\'', "''")),
    }
}
