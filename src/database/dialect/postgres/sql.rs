//! PURE: PostgreSQL's SQL.

use crate::config::Value;
use crate::database::column::{ColumnFacts, Owners, Table};
use crate::database::dialect::owners;
use crate::database::dialect::postgres::Postgres;
use crate::database::dialect::sql::{Dialect, KeyList};
use crate::domain::packed::Packing;

/// Everything that a transaction of ours needs to be told. LOCAL, so that it works behind a pooler. Plans are not compiled,
/// where the server could (from 11 on): that takes longer than it saves.
const BEGIN: &str = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY; \
     SET LOCAL row_security = off; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; \
     SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; \
     SELECT set_config('jit', 'off', true) WHERE current_setting('jit', true) IS NOT NULL";

/// The same for one that writes; and how values are written as text, so that they can be read back.
const BEGIN_WRITING: &str = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET LOCAL row_security = off; SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '10s'; \
     SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; \
     SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3";

impl Dialect for Postgres {
    fn literal(&self, text: &str) -> String {
        format!("$cleanup_assets${text}$cleanup_assets$")
    }

    fn placeholder(&self, number: usize) -> String {
        format!("${number}")
    }

    fn text(&self, sql: &str) -> String {
        format!("{sql}::text")
    }

    fn hex(&self, sql: &str) -> String {
        format!("encode(decode(replace(({sql})::text, '\\', '\\\\'), 'escape'), 'hex')")
    }

    fn id_text(&self, column: &str, _is_binary: bool) -> String {
        self.text(column)
    }

    fn now(&self) -> &'static str {
        "SELECT clock_timestamp()::text"
    }

    fn key(&self, facts: &ColumnFacts, column: &str) -> String {
        if facts.is_plain_text { column.to_owned() } else { self.text(column) }
    }

    fn key_order(&self, facts: &ColumnFacts, column: &str) -> Option<String> {
        Some(format!("{} COLLATE \"C\"", self.key(facts, column)))
    }

    fn key_index(&self, table: &Table, facts: &ColumnFacts) -> Option<String> {
        let (table, column) = (self.table(table), self.quoted(&facts.name));
        let key = match facts.is_plain_text {
            true => self.key_order(facts, &column)?,
            false => format!("({}) COLLATE \"C\"", self.key(facts, &column)),
        };
        Some(format!("CREATE INDEX CONCURRENTLY ON {table} ({key})"))
    }

    /// An index serves only comparisons in its own collation.
    fn key_looked_up(&self, facts: &ColumnFacts, column: &str) -> String {
        let collation = if facts.indexed_by_bytes { " COLLATE \"C\"" } else { "" };
        format!("{}{collation}", self.key(facts, column))
    }

    /// A list is served by an index only where it is joined: `= ANY` under a generic plan took minutes where this takes a
    /// tenth of a second. As a set: of `FROM unnest($1)` the planner thinks that a key may come often, and without an index
    /// it would hash the table, and not the list.
    fn key_list(&self, _facts: &ColumnFacts) -> KeyList {
        KeyList::One("SELECT unnest($1::text[])")
    }

    fn can_hold(&self, value: &str) -> bool {
        !value.contains('\0')
    }

    fn is_key(&self, key: &str, placeholder: &str) -> String {
        format!("{key} COLLATE \"C\" = {placeholder}::text")
    }

    fn unpacking(&self, packing: Packing, table: &str, column: &str) -> Option<String> {
        Some(match packing {
            Packing::List | Packing::Map => format!(
                "SELECT part #>> '{{}}' FROM {table}, jsonb_path_query(CASE WHEN {column}::text ~ '^\\s*[[{{]' THEN \
                 {column}::text::jsonb ELSE to_jsonb({column}::text) END, 'strict $.**') AS part \
                 WHERE jsonb_typeof(part) = 'string'"
            ),
            Packing::Links => format!(
                "SELECT coalesce(part[1], part[2]) FROM {table}, \
                 regexp_matches({column}, '(?:src|href)=\"([^\"]+)\"|\\]\\(([^)\\s]+)', 'g') AS part"
            ),
            Packing::Lines => {
                format!("SELECT btrim(part) FROM {table}, regexp_split_to_table({column}, '\\s*[\\r\\n]+\\s*') AS part")
            }
            Packing::Commas => format!("SELECT btrim(part) FROM {table}, regexp_split_to_table({column}, ',') AS part"),
            Packing::Nested | Packing::Other => return None,
        })
    }

    fn image(&self, facts: &ColumnFacts, column: &str) -> String {
        match facts.is_padded {
            true => format!("CASE WHEN {column} IS NOT NULL THEN format('%s', {column}) END"),
            false => self.text(column),
        }
    }

    fn made_of_image(&self, facts: &ColumnFacts, placeholder: &str) -> String {
        format!("CAST({placeholder}::text AS {})", facts.type_name)
    }

    fn set(&self, facts: &ColumnFacts, _value: &Value, placeholder: &str) -> String {
        format!("CAST({placeholder}::text AS {})", without_length(&facts.type_name))
    }

    fn set_text(&self, value: &Value) -> String {
        value.to_string()
    }

    /// Not every type can be compared, but every one is text.
    fn is_same(&self, column: &str, value: &str) -> String {
        format!("{column}::text IS NOT DISTINCT FROM ({value})::text")
    }

    /// Else it makes up the value of an identity column.
    fn overriding(&self) -> &'static str {
        " OVERRIDING SYSTEM VALUE"
    }

    fn begin(&self) -> Option<&'static str> {
        Some(BEGIN)
    }

    fn begin_writing(&self) -> &'static str {
        BEGIN_WRITING
    }

    /// A list that outgrows the working memory would be read again for each row: wherever the id can be of the key's own
    /// type, it is looked up through the key's index.
    fn has_no_owner(&self, id_column: &str, id: &ColumnFacts, owners: &Owners<'_>) -> String {
        let text = format!("btrim({id_column}::text)");
        match (Family::of(id), Family::of(owners.id)) {
            (Family::Text, Family::Text) => owners::none_at_all(self, owners, id_column, id_column),
            (this, that) if this == that && this != Family::Other => owners::none(self, owners, id_column),
            _ if id.type_name == owners.id.type_name && !id.is_text => owners::none(self, owners, id_column),
            (Family::Text, Family::Whole) => format!(
                "CASE WHEN {text} ~ '^-?[0-9]{{1,18}}$' THEN {} ELSE {} END",
                owners::none(self, owners, &format!("{text}::bigint")),
                owners::none_written(self, owners, id_column)
            ),
            (Family::Text, Family::Uuid) => format!(
                "CASE WHEN {text} ~* '^([0-9a-f]{{4}}-?){{8}}$' THEN {} ELSE {} END",
                owners::none(self, owners, &format!("{text}::uuid")),
                owners::none_written(self, owners, id_column)
            ),
            (Family::Whole | Family::Uuid, Family::Text) => owners::none_at_all(self, owners, &text, id_column),
            _ => owners::none_written(self, owners, id_column),
        }
    }

    fn as_written(&self, column: &str) -> String {
        let bare = format!("ltrim(replace(lower(trim({column}::text)), '-', ''), '0')");
        format!("CASE WHEN strpos({bare}, '.') > 0 THEN rtrim(rtrim({bare}, '0'), '.') ELSE {bare} END")
    }

    fn tables(&self) -> &'static str {
        "SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') \
         ORDER BY 1"
    }
}

/// A type without its length: a cast to `varchar(5)` cuts a longer text off, where storing one is an error.
fn without_length(type_name: &str) -> String {
    let Some((before, after)) = type_name.split_once('(') else { return type_name.to_owned() };
    let name = format!("{}{}", before.trim_end(), after.split_once(')').map_or("", |(_, after)| after));
    match name.as_str() {
        "character" => "bpchar".to_owned(),
        "bit" => "bit varying".to_owned(),
        _ => name,
    }
}

/// Types that can be compared with each other through an index.
#[derive(PartialEq)]
enum Family {
    Whole,
    Text,
    Uuid,
    Other,
}

impl Family {
    fn of(facts: &ColumnFacts) -> Self {
        match facts.type_name.split('(').next().unwrap_or_default() {
            "smallint" | "integer" | "bigint" => Family::Whole,
            "text" | "character varying" => Family::Text,
            "uuid" => Family::Uuid,
            _ => Family::Other,
        }
    }
}
