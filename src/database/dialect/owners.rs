//! PURE: ways to find out that a row's owner is gone, from which each engine chooses.

use crate::database::column::{ColumnFacts, Owners};
use crate::database::dialect::sql::Dialect;

/// What the owners' table is called in a rule's SQL: it can be the one that owns the rows.
const OWNER: &str = "cleanup_assets_owner";

fn column(dialect: &dyn Dialect, owners: &Owners<'_>) -> String {
    format!("{OWNER}.{}", dialect.quoted(&owners.id.name))
}

/// No owner is the same as `this`; an index of the owners' key serves it.
pub fn none(dialect: &dyn Dialect, owners: &Owners<'_>, this: &str) -> String {
    let (table, owner) = (dialect.table(owners.table), column(dialect, owners));
    format!("NOT EXISTS (SELECT 1 FROM {table} AS {OWNER} WHERE {owner} = {this})")
}

/// No owner is written like `id_column`, whatever the types; it reads them all.
pub fn none_written(dialect: &dyn Dialect, owners: &Owners<'_>, id_column: &str) -> String {
    let (table, owner) = (dialect.table(owners.table), column(dialect, owners));
    let (this, that) = (dialect.as_written(id_column), dialect.as_written(&owner));
    format!("{this} NOT IN (SELECT {that} FROM {table} AS {OWNER} WHERE {owner} IS NOT NULL)")
}

/// First the one, and only where that finds nobody the other.
pub fn none_at_all(dialect: &dyn Dialect, owners: &Owners<'_>, this: &str, id_column: &str) -> String {
    let (fast, slow) = (none(dialect, owners, this), none_written(dialect, owners, id_column));
    format!("CASE WHEN {fast} THEN {slow} ELSE FALSE END")
}

/// For an engine that compares values of any two types: whole numbers as such, and all else as it is written too.
pub fn none_of_any_type(dialect: &dyn Dialect, owners: &Owners<'_>, id_column: &str, id: &ColumnFacts) -> String {
    if is_whole(id) && is_whole(owners.id) {
        return none(dialect, owners, id_column);
    }
    match is_same_type(id, owners) {
        true => none_at_all(dialect, owners, id_column, id_column),
        false => none_written(dialect, owners, id_column),
    }
}

/// Whether ids and owners are declared alike.
pub fn is_same_type(id: &ColumnFacts, owners: &Owners<'_>) -> bool {
    owners.id.type_name.eq_ignore_ascii_case(&id.type_name)
}

/// Whether a column holds whole numbers, by the name of its type.
fn is_whole(facts: &ColumnFacts) -> bool {
    let name = facts.type_name.to_lowercase();
    name.contains("int") && !name.contains("point")
}
