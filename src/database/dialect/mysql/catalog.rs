//! What the catalog of MySQL and MariaDB says.

use anyhow::Result;

use crate::database::column::{ColumnFacts, Table};
use crate::database::connection::Connection;
use crate::database::dialect::link::{Parameter, cells};

/// The number that the server gave itself, and the database's name there.
pub async fn identity(connection: &mut Connection) -> Result<Option<String>> {
    let with = async |connection: &mut Connection, variable: &str| {
        let sql = format!("SELECT CAST(CONCAT(@@GLOBAL.{variable}, '/', DATABASE()) AS CHAR)");
        connection.text(&sql, &[]).await
    };
    // MariaDB has the one, and MySQL the other.
    let identity = match with(connection, "server_uid").await {
        Ok(identity) => identity,
        Err(_) => with(connection, "server_uuid").await?,
    };
    Ok(identity.map(|identity| format!("mysql {identity}")))
}

/// The columns of a table.
pub async fn columns(connection: &mut Connection, table: &Table) -> Result<Vec<ColumnFacts>> {
    let sql = "SELECT CAST(column_name AS CHAR), CAST(column_type AS CHAR), CAST(data_type AS CHAR), \
                   CAST(character_set_name AS CHAR), CAST(collation_name AS CHAR), \
                   CAST(COALESCE(generation_expression, '') <> '' AS CHAR), CAST(column_key = 'PRI' AS CHAR) \
                   FROM information_schema.columns \
                   WHERE table_name = ? AND table_schema = COALESCE(NULLIF(?, ''), DATABASE()) ORDER BY ordinal_position";
    let rows = connection.fetch(sql, &names(table)).await?;
    let facts = rows.into_iter().map(|row| {
        let [name, type_name, data_type, charset, collation, is_generated, is_primary_key] = cells(row);
        let is_binary = data_type.contains("binary") || data_type.contains("blob");
        let is_text = data_type.contains("char")
            || data_type.contains("text")
            || data_type.contains("blob")
            || ["varbinary", "enum", "uuid"].contains(&data_type.as_str());
        let charset = Some((charset, collation)).filter(|(charset, _)| !["", "utf8mb4"].contains(&charset.as_str()));
        let (is_generated, is_primary_key) = (is_generated == "1", is_primary_key == "1");
        let facts = ColumnFacts { name, type_name, is_text, is_binary, charset, ..ColumnFacts::default() };
        ColumnFacts { is_generated, is_primary_key, ..facts }
    });
    Ok(facts.collect())
}

/// Why rows of a table cannot be removed and brought back as they were. Without transactions nothing that turns out wrong
/// could be taken back; and of what lies on another server nobody here knows what else goes with it.
pub async fn obstacle(connection: &mut Connection, table: &Table) -> Result<Option<String>> {
    let sql = "SELECT CAST(CASE \
                   WHEN t.table_type LIKE '%VIEW' THEN 'it is a view' \
                   WHEN t.engine IN ('FEDERATED', 'SPIDER', 'CONNECT') THEN CONCAT('it lies elsewhere: its engine is ', t.engine) \
                   WHEN t.table_type NOT IN ('BASE TABLE', 'SYSTEM VERSIONED') THEN 'it is not a table' \
                   WHEN e.transactions <> 'YES' THEN CONCAT('its engine, ', t.engine, ', has no transactions; convert it to InnoDB') \
               END AS CHAR) \
               FROM information_schema.tables AS t LEFT JOIN information_schema.engines AS e ON e.engine = t.engine \
               WHERE t.table_name = ? AND t.table_schema = COALESCE(NULLIF(?, ''), DATABASE())";
    connection.text(sql, &names(table)).await
}

/// What deleting rows of a table would change. Foreign keys of tables that a user has no rights to, and triggers, are hidden
/// from it: what is not seen is no proof.
pub async fn reach_of_deletes(connection: &mut Connection, table: &Table) -> Result<Vec<String>> {
    let sql = "SELECT CAST(CONCAT('foreign key ', constraint_name, ' of ', \
                      IF(constraint_schema = unique_constraint_schema, '', CONCAT(constraint_schema, '.')), table_name, \
                      IF(delete_rule = 'CASCADE', ' deletes rows', ' changes rows')) AS CHAR) \
               FROM information_schema.referential_constraints \
               WHERE referenced_table_name = ? AND unique_constraint_schema = COALESCE(NULLIF(?, ''), DATABASE()) \
                 AND delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
               UNION SELECT CAST(CONCAT('trigger ', trigger_name) AS CHAR) FROM information_schema.triggers \
               WHERE event_object_table = ? AND event_object_schema = COALESCE(NULLIF(?, ''), DATABASE()) \
                 AND event_manipulation = 'DELETE' ORDER BY 1";
    let [name, schema] = names(table);
    let mut reached = connection.texts(sql, &[name, schema, name, schema]).await?;
    let Rights { here, everywhere, is_administrator } = Rights::of(connection, table).await?;
    if !here {
        reached.push(
            "foreign keys and triggers that this user cannot see (it needs SELECT and TRIGGER on the whole database)"
                .to_owned(),
        );
    }
    match (everywhere, is_administrator) {
        (true, _) => {}
        (false, true) => reached.extend(foreign_keys_of_others(connection, table).await?),
        (false, false) => reached.push(
            "foreign keys of other databases that this user cannot see (it needs PROCESS, or SELECT on *.*)".to_owned(),
        ),
    }
    Ok(reached)
}

/// What the connection's user may look at.
struct Rights {
    /// All tables and triggers of the table's own database.
    here: bool,
    /// All tables of all databases.
    everywhere: bool,
    /// The storage engine's own catalog, of everything.
    is_administrator: bool,
}

impl Rights {
    async fn of(connection: &mut Connection, table: &Table) -> Result<Self> {
        let sql = "SELECT CAST(CONCAT('*.*: ', privilege_type) AS CHAR) FROM information_schema.user_privileges \
                   UNION SELECT CAST(CONCAT('here: ', privilege_type) AS CHAR) FROM information_schema.schema_privileges \
                   WHERE COALESCE(NULLIF(?, ''), DATABASE()) LIKE table_schema";
        let [_, schema] = names(table);
        let rights = connection.texts(sql, &[schema]).await?;
        let has = |right: &str| rights.iter().any(|has| has == right);
        let has_here = |right: &str| has(&format!("*.*: {right}")) || has(&format!("here: {right}"));
        Ok(Rights {
            here: has_here("SELECT") && has_here("TRIGGER"),
            everywhere: has("*.*: SELECT"),
            is_administrator: has("*.*: PROCESS"),
        })
    }
}

/// Foreign keys of other databases that change rows, by the engine's own catalog, which MariaDB and MySQL name differently.
/// It spells names as those of files; a table of MyISAM cannot have any.
async fn foreign_keys_of_others(connection: &mut Connection, table: &Table) -> Result<Vec<String>> {
    let sql = "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
               WHERE table_schema = 'information_schema' AND table_name IN ('INNODB_SYS_FOREIGN', 'INNODB_FOREIGN')";
    let Some(catalog) = connection.text(sql, &[]).await? else {
        return Ok(vec!["foreign keys of other databases, which this server does not tell of".to_owned()]);
    };
    let sql = format!(
        "SELECT CAST(CONCAT('foreign key of ', REPLACE(for_name, '/', '.'), IF(type & 1, ' deletes rows', ' changes rows')) AS CHAR) \
         FROM information_schema.{catalog} \
         WHERE LOWER(ref_name) = LOWER(CONCAT(CONVERT(CONVERT(COALESCE(NULLIF(?, ''), DATABASE()) USING filename) USING utf8), '/', \
                                              CONVERT(CONVERT(? USING filename) USING utf8))) AND type & 3 \
           AND SUBSTRING_INDEX(for_name, '/', 1) <> SUBSTRING_INDEX(ref_name, '/', 1) ORDER BY 1"
    );
    let [name, schema] = names(table);
    connection.texts(&sql, &[schema, name]).await
}

/// A table's name, and its schema: empty for the connection's own.
fn names(table: &Table) -> [Parameter<'_>; 2] {
    [Parameter::Text(&table.name), Parameter::Text(table.schema.as_deref().unwrap_or_default())]
}

/// Whether the server takes no writes, as a replica does. How far behind one is only privileged users may ask.
pub async fn standby(connection: &mut Connection) -> Result<Option<String>> {
    let sql = "SELECT CAST(@@GLOBAL.read_only AS CHAR)";
    let takes_writes = connection.text(sql, &[]).await?.is_none_or(|is| ["0", "OFF"].contains(&is.as_str()));
    Ok((!takes_writes).then(|| "it takes no writes (read_only is on): a replica may be behind".to_owned()))
}

/// Takes the lock, which ends with the session.
pub async fn lock(connection: &mut Connection, number: i64) -> Result<bool> {
    connection.fetch("SET SESSION wait_timeout = 86400", &[]).await?;
    let sql = "SELECT CAST(GET_LOCK(?, 0) AS CHAR)";
    Ok(connection.text(sql, &[Parameter::Text(&lock_name(number))]).await?.as_deref() == Some("1"))
}

/// Whether it is held.
pub async fn is_locked(connection: &mut Connection, number: i64) -> Result<bool> {
    let sql = "SELECT CAST(IS_USED_LOCK(?) = CONNECTION_ID() AS CHAR)";
    Ok(connection.text(sql, &[Parameter::Text(&lock_name(number))]).await?.as_deref() == Some("1"))
}

fn lock_name(number: i64) -> String {
    format!("cleanup-assets-{number:x}")
}
