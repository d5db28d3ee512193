//! PURE: the SQL that says which rows a rule may condemn, in each engine's dialect. Its clock is read in Rust: a date may
//! be written in many ways.

use crate::config::Engine;
use crate::database::column::{ColumnFacts, Table, date_text, quoted};

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

/// What the owners' table is called in a rule's SQL: it can be the one that owns the rows.
const OWNER: &str = "cleanup_assets_owner";

/// TRUE for rows whose owner is gone. `type_column` and `id_column` are qualified; `id` is what the catalog says of the
/// latter. An id that two types, or two programs, write in two ways must not make an owner look gone.
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

impl Owners<'_> {
    fn column(&self, engine: Engine) -> String {
        format!("{OWNER}.{}", quoted(engine, &self.id.name))
    }

    /// No owner is the same as `this`; an index of the owners' key serves it.
    fn none(&self, engine: Engine, this: &str) -> String {
        let (table, owner) = (self.table.sql(engine), self.column(engine));
        format!("NOT EXISTS (SELECT 1 FROM {table} AS {OWNER} WHERE {owner} = {this})")
    }

    /// No owner is written like `id_column`, whatever the types; it reads them all.
    fn none_written(&self, engine: Engine, id_column: &str) -> String {
        let (table, owner) = (self.table.sql(engine), self.column(engine));
        let (this, that) = (as_written(engine, id_column), as_written(engine, &owner));
        format!("{this} NOT IN (SELECT {that} FROM {table} AS {OWNER} WHERE {owner} IS NOT NULL)")
    }

    /// First the one, and only where that finds nobody the other.
    fn none_at_all(&self, engine: Engine, this: &str, id_column: &str) -> String {
        let (fast, slow) = (self.none(engine, this), self.none_written(engine, id_column));
        format!("CASE WHEN {fast} THEN {slow} ELSE FALSE END")
    }
}

fn is_not_listed(engine: Engine, id_column: &str, id: &ColumnFacts, owners: &Owners<'_>) -> String {
    if is_whole(id) && is_whole(owners.id) {
        return owners.none(engine, id_column);
    }
    let is_same_type = owners.id.type_name.eq_ignore_ascii_case(&id.type_name);
    let is_one_way = !id.is_text || id.is_binary || id.type_name.eq_ignore_ascii_case("uuid");
    match (engine, is_same_type) {
        (Engine::MySql, true) if is_one_way => owners.none(engine, id_column),
        (_, true) => owners.none_at_all(engine, id_column, id_column),
        (_, false) => owners.none_written(engine, id_column),
    }
}

/// PostgreSQL would read a list that outgrows its working memory again for each row: wherever the id can be of the key's
/// own type, it is looked up through the key's index.
fn has_no_owner(id_column: &str, id: &ColumnFacts, owners: &Owners<'_>) -> String {
    let engine = Engine::Postgres;
    let text = format!("btrim({id_column}::text)");
    match (PostgresFamily::of(id), PostgresFamily::of(owners.id)) {
        (PostgresFamily::Text, PostgresFamily::Text) => owners.none_at_all(engine, id_column, id_column),
        (this, that) if this == that && this != PostgresFamily::Other => owners.none(engine, id_column),
        _ if id.type_name == owners.id.type_name && !id.is_text => owners.none(engine, id_column),
        (PostgresFamily::Text, PostgresFamily::Whole) => format!(
            "CASE WHEN {text} ~ '^-?[0-9]{{1,18}}$' THEN {} ELSE {} END",
            owners.none(engine, &format!("{text}::bigint")),
            owners.none_written(engine, id_column)
        ),
        (PostgresFamily::Text, PostgresFamily::Uuid) => format!(
            "CASE WHEN {text} ~* '^([0-9a-f]{{4}}-?){{8}}$' THEN {} ELSE {} END",
            owners.none(engine, &format!("{text}::uuid")),
            owners.none_written(engine, id_column)
        ),
        (PostgresFamily::Whole | PostgresFamily::Uuid, PostgresFamily::Text) => {
            owners.none_at_all(engine, &text, id_column)
        }
        _ => owners.none_written(engine, id_column),
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

/// An id without what two types, or two programs, may write in two ways: case, spaces around it, dashes in a UUID, zeros
/// before a number and after its point.
fn as_written(engine: Engine, column: &str) -> String {
    match engine {
        Engine::Postgres => {
            let bare = format!("ltrim(replace(lower(trim({column}::text)), '-', ''), '0')");
            format!("CASE WHEN strpos({bare}, '.') > 0 THEN rtrim(rtrim({bare}, '0'), '.') ELSE {bare} END")
        }
        Engine::MySql => {
            let bare = format!("TRIM(LEADING '0' FROM REPLACE(LOWER(TRIM(CAST({column} AS CHAR))), '-', ''))");
            let short = format!("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {bare}))");
            format!("CASE WHEN LOCATE('.', {bare}) > 0 THEN {short} ELSE {bare} END")
        }
        Engine::Sqlite => {
            let bare = format!("ltrim(replace(lower(trim(CAST({column} AS TEXT))), '-', ''), '0')");
            format!("CASE WHEN instr({bare}, '.') > 0 THEN rtrim(rtrim({bare}, '0'), '.') ELSE {bare} END")
        }
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
