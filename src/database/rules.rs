//! PURE: the SQL that says which rows a rule may condemn. Its clock is read in Rust: a date may be written in many ways.

use crate::database::column::{ColumnFacts, DateColumn, Owners, Table};
use crate::database::dialect::sql::Dialect;

/// A rule's conditions on a row of a table.
#[derive(Debug, Clone)]
pub struct RuleSql {
    /// TRUE for rows that it may condemn.
    pub condition: String,
    /// The same for rows that it may remove: an owners' table that has no row by then condemns nothing.
    pub acting: String,
    /// Where its clock starts.
    pub since: Option<DateColumn>,
}

impl RuleSql {
    /// NULL for a row that the rule spares; else when its clock started, or nothing where it has none.
    pub fn mark(&self, dialect: &dyn Dialect, table: &Table) -> String {
        self.mark_of(&self.condition, dialect, table)
    }

    /// The same for a row that is about to be removed.
    pub fn acting_mark(&self, dialect: &dyn Dialect, table: &Table) -> String {
        self.mark_of(&self.acting, dialect, table)
    }

    fn mark_of(&self, condition: &str, dialect: &dyn Dialect, table: &Table) -> String {
        match &self.since {
            Some(since) => {
                let since = dialect.text(&dialect.column_or_expression(table, &since.facts));
                format!("CASE WHEN {condition} THEN {since} END")
            }
            None => format!("CASE WHEN {condition} THEN '' END"),
        }
    }
}

/// A condition of the configuration, which condemns only where it is TRUE. It may end in a comment.
pub fn is_true(sql: &str) -> String {
    format!("((\n{sql}\n) IS TRUE)")
}

/// TRUE for rows whose owner is gone. `type_column` and `id_column` are qualified; `id` is what the catalog says of the
/// latter: one of 0, of nothing or of zeros alone means that the row is not linked, and condemns nothing. `acting`: a table without a row says nothing of its owners, unless it may be empty.
pub fn owner_is_gone(
    dialect: &dyn Dialect,
    (type_column, id_column): (&str, &str),
    id: &ColumnFacts,
    owners: &[Owners<'_>],
    acting: bool,
) -> String {
    // An id of 0, or of nothing, is how many programs write that there is no owner.
    let is_linked = format!("{} <> ''", dialect.as_written(id_column));
    let gone = owners.iter().map(|owners| {
        let (type_name, is_gone) = (dialect.literal(owners.type_name), dialect.has_no_owner(id_column, id, owners));
        let has_any = match acting && !owners.may_be_empty {
            true => format!(" AND EXISTS (SELECT 1 FROM {})", dialect.table(owners.table)),
            false => String::new(),
        };
        format!("({type_column} = {type_name} AND {id_column} IS NOT NULL AND {is_linked} AND {is_gone}{has_any})")
    });
    format!("(({}) IS TRUE)", gone.collect::<Vec<_>>().join(" OR "))
}

/// The SQL that counts rows by a type that no table is named for.
pub fn strangers(dialect: &dyn Dialect, table: &Table, type_column: &str, owners: &[Owners<'_>]) -> String {
    let known: Vec<String> = owners.iter().map(|owners| dialect.literal(owners.type_name)).collect();
    format!(
        "SELECT {}, {} FROM {} WHERE {type_column} IS NOT NULL AND {type_column} NOT IN ({}) GROUP BY {type_column}",
        dialect.text(type_column),
        dialect.text("count(*)"),
        dialect.table(table),
        known.join(", ")
    )
}
