//! PURE: a row as text, column by column, so that the very row can be made again; and a row's id, so that it is found
//! again. In each engine's dialect.

use crate::config::Engine;
use crate::database::column::ColumnFacts;

/// The SQL that reads a column's value as text from which [`write`] makes the same value. NULL stays NULL.
pub fn read(engine: Engine, facts: &ColumnFacts, column: &str) -> String {
    match engine {
        Engine::Postgres if facts.is_padded => {
            format!("CASE WHEN {column} IS NOT NULL THEN format('%s', {column}) END")
        }
        Engine::Postgres => format!("{column}::text"),
        Engine::MySql => match Family::of(facts) {
            Family::Bytes => format!("HEX({column})"),
            Family::Bits => format!("CAST({column} + 0 AS CHAR)"),
            // As it is, a FLOAT is shown with six digits.
            Family::Approximate => format!("CAST({column} + 0e0 AS CHAR)"),
            Family::Whole | Family::Unsigned | Family::Exact | Family::Other => format!("CAST({column} AS CHAR)"),
            Family::Text => format!("CONVERT({column} USING utf8mb4)"),
        },
        // A value's type is its own, whatever the column says. Text may hold a NUL, which `quote` would end at. A REAL
        // stays one: no text that SQLite would make of it is exact.
        Engine::Sqlite => format!(
            "CASE typeof({column}) WHEN 'null' THEN NULL WHEN 'integer' THEN 'i' || {column} \
             WHEN 'real' THEN {column} WHEN 'text' THEN 't' || hex({column}) ELSE 'b' || hex({column}) END"
        ),
    }
}

/// The SQL of the value that was read as text and is bound to `placeholder`, to be stored in the column.
pub fn write(engine: Engine, facts: &ColumnFacts, placeholder: &str) -> String {
    match engine {
        Engine::Postgres => format!("CAST({placeholder}::text AS {})", facts.type_name),
        Engine::MySql => match Family::of(facts) {
            Family::Bytes => format!("UNHEX({placeholder})"),
            Family::Bits => format!("CAST({placeholder} AS UNSIGNED)"),
            _ => placeholder.to_owned(),
        },
        Engine::Sqlite => {
            let rest = format!("substr({placeholder}, 2)");
            format!(
                "CASE WHEN typeof({placeholder}) = 'real' THEN {placeholder} ELSE CASE substr({placeholder}, 1, 1) \
                 WHEN 'i' THEN CAST({rest} AS INTEGER) WHEN 't' THEN CAST(unhex({rest}) AS TEXT) WHEN 'b' THEN unhex({rest}) END END"
            )
        }
    }
}

/// The same, to be compared with the column: of the column's own type, so that an index serves and no digit is lost.
pub fn compared(engine: Engine, facts: &ColumnFacts, placeholder: &str) -> String {
    match engine {
        Engine::Postgres | Engine::Sqlite => write(engine, facts, placeholder),
        Engine::MySql => match Family::of(facts) {
            Family::Whole => format!("CAST({placeholder} AS SIGNED)"),
            Family::Unsigned => format!("CAST({placeholder} AS UNSIGNED)"),
            Family::Exact => {
                format!("CAST({placeholder} AS {})", facts.type_name.split(' ').next().unwrap_or("DECIMAL"))
            }
            Family::Text => crate::database::column::placeholder(facts).replacen('?', placeholder, 1),
            _ => write(engine, facts, placeholder),
        },
    }
}

/// The SQL of a value of the configuration that is bound as text to `placeholder`, to be stored in the column. `kind` is
/// `i` for a whole number, `r` for another one and `t` for anything else.
pub fn set(engine: Engine, facts: &ColumnFacts, kind: char, placeholder: &str) -> String {
    match (engine, kind) {
        (Engine::Postgres, _) => format!("CAST({placeholder}::text AS {})", without_length(&facts.type_name)),
        (Engine::MySql, 'i') => format!("CAST({placeholder} AS SIGNED)"),
        (Engine::Sqlite, 'i') => format!("CAST({placeholder} AS INTEGER)"),
        (Engine::Sqlite, 'r') => format!("CAST({placeholder} AS REAL)"),
        (Engine::MySql | Engine::Sqlite, _) => placeholder.to_owned(),
    }
}

/// A type of PostgreSQL's without its length: a cast to `varchar(5)` cuts a longer text off, where storing one is an error.
fn without_length(type_name: &str) -> String {
    let Some((before, after)) = type_name.split_once('(') else { return type_name.to_owned() };
    let name = format!("{}{}", before.trim_end(), after.split_once(')').map_or("", |(_, after)| after));
    match name.as_str() {
        "character" => "bpchar".to_owned(),
        "bit" => "bit varying".to_owned(),
        _ => name,
    }
}

/// Types of MySQL that are written alike.
enum Family {
    Bytes,
    Bits,
    Approximate,
    Whole,
    Unsigned,
    Exact,
    Text,
    Other,
}

impl Family {
    fn of(facts: &ColumnFacts) -> Self {
        let lower = facts.type_name.to_lowercase();
        let name = lower.split(['(', ' ']).next().unwrap_or_default();
        let is_unsigned = lower.contains("unsigned");
        match name {
            "bit" => Family::Bits,
            "float" | "double" | "real" => Family::Approximate,
            "decimal" | "numeric" => Family::Exact,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" if is_unsigned => Family::Unsigned,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Family::Whole,
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
            | "geometrycollection" | "geomcollection" | "vector" => Family::Bytes,
            _ if facts.is_binary => Family::Bytes,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Family::Text,
            _ => Family::Other,
        }
    }
}
