//! Checks what the configuration names against the database's own catalog, and makes sources of it. What is missing is
//! an error that names what there is.

use anyhow::{Result, bail};

use crate::config::{Config, Engine, Records, Reference};
use crate::database::connection::{Connection, Parameter};
use crate::database::source::{self, ColumnFacts, KeyColumn, Source, Table};
use crate::exit_code::Misconfigured;

/// Every source of keys that the configuration names, checked.
///
/// # Errors
/// [`Misconfigured`] for a table, column, condition or query that the database does not accept.
pub async fn sources(connection: &mut Connection, config: &Config) -> Result<Vec<Source>> {
    let mut catalog =
        Catalog { engine: config.database.engine, must_be_spooled: false, answers_for_any_key: true, connection };
    catalog.look_at_the_server().await?;
    let mut sources = Vec::new();
    for records in &config.records {
        sources.push(catalog.records(records).await?);
    }
    for (at, reference) in config.references.iter().enumerate() {
        sources.push(match reference {
            Reference::Column { table, key } => catalog.reference(table, key).await?,
            Reference::Query(query) => catalog.query(at + 1, query).await?,
        });
    }
    Ok(sources)
}

struct Catalog<'a> {
    engine: Engine,
    must_be_spooled: bool,
    /// Whether rows can be asked for by any key.
    answers_for_any_key: bool,
    connection: &'a mut Connection,
}

impl Catalog<'_> {
    async fn look_at_the_server(&mut self) -> Result<()> {
        match self.engine {
            Engine::Sqlite => {
                // Without a write-ahead log an open cursor locks the application's writers out.
                self.must_be_spooled = self.one("PRAGMA journal_mode").await?.as_deref() != Some("wal");
                let encoding = self.one("PRAGMA encoding").await?.unwrap_or_default();
                if encoding != "UTF-8" {
                    bail!(Misconfigured(format!("[database] is stored in {encoding}; only UTF-8 sorts in key order")));
                }
            }
            // A server in another encoding cannot even be asked for a key that it has no letters for.
            Engine::Postgres => {
                self.answers_for_any_key = self.one("SHOW server_encoding").await?.as_deref() == Some("UTF8");
            }
            Engine::MySql => {}
        }
        Ok(())
    }

    async fn one(&mut self, sql: &str) -> Result<Option<String>> {
        let rows = self.connection.fetch(sql, &[]).await?;
        Ok(rows.into_iter().flatten().next().flatten())
    }

    async fn records(&mut self, records: &Records) -> Result<Source> {
        let table = Table::parse(&records.table);
        let section = format!("[[records]] table {}", records.table);
        let columns = self.columns(&table, &section).await?;
        let key = self.key_column(&columns, &records.key, &section)?;
        let id = named(&columns, &records.id, &section, "id")?;
        let created =
            records.created_at.as_deref().map(|name| named(&columns, name, &section, "created_at")).transpose()?;
        let id_text = source::id_text(self.engine, &table.column(self.engine, &id.name), id.is_binary);
        let created_text = match created {
            Some(created) => source::date_text(self.engine, &table.column(self.engine, &created.name)),
            None => "NULL".to_owned(),
        };
        let column = KeyColumn { table: &table, facts: key, condition: records.r#where.as_deref() };
        let lookup_sql = source::lookup_column(self.engine, &column, &[id_text, created_text]);
        let stream_sql = source::stream_column(self.engine, &column);
        let what = if records.r#where.is_some() { format!("{section}: where") } else { section };
        self.accepts(&stream_sql, &what).await?;
        Ok(Source {
            placeholder: source::placeholder(key),
            answers_for_any_key: self.answers_for_any_key,
            may_be_json: false,
            name: records.table.clone(),
            owns: true,
            key_prefix: records.key_prefix.clone(),
            stream_sql,
            lookup_sql: Some(lookup_sql),
            must_be_spooled: self.must_be_spooled,
            dated: created.is_some(),
        })
    }

    async fn reference(&mut self, table_name: &str, key: &str) -> Result<Source> {
        let table = Table::parse(table_name);
        let section = format!("[[references]] table {table_name}");
        let columns = self.columns(&table, &section).await?;
        let facts = self.key_column(&columns, key, &section)?;
        let column = KeyColumn { table: &table, facts, condition: None };
        Ok(Source {
            placeholder: source::placeholder(facts),
            answers_for_any_key: self.answers_for_any_key,
            may_be_json: false,
            name: format!("{table_name}.{key}"),
            owns: false,
            key_prefix: String::new(),
            stream_sql: source::stream_column(self.engine, &column),
            lookup_sql: Some(source::lookup_column(self.engine, &column, &[])),
            must_be_spooled: self.must_be_spooled,
            dated: false,
        })
    }

    async fn query(&mut self, number: usize, query: &str) -> Result<Source> {
        let section = format!("[[references]] query {number}");
        let query = query.trim().trim_end_matches(';');
        let columns = self.accepts(query, &section).await?;
        let [(column, type_name)] = columns.as_slice() else {
            let names = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            bail!(Misconfigured(format!(
                "{section} must give one column of keys; it gives {}: {names}",
                columns.len()
            )));
        };
        let upper = type_name.to_uppercase();
        if upper.contains("JSON") || upper.ends_with("[]") || upper == "BYTEA" {
            bail!(Misconfigured(format!(
                "{section} gives {upper} and not text: unpack it, with `->>`, jsonb_array_elements_text, unnest, \
                 JSON_UNQUOTE or JSON_TABLE"
            )));
        }
        let stream_sql = source::stream_query(self.engine, query, column);
        self.accepts(&stream_sql, &section).await?;
        Ok(Source {
            placeholder: String::new(),
            answers_for_any_key: false,
            may_be_json: true,
            name: format!("reference query {number}"),
            owns: false,
            key_prefix: String::new(),
            stream_sql,
            lookup_sql: None,
            must_be_spooled: self.must_be_spooled,
            dated: false,
        })
    }

    /// Asks the server whether it would run `sql`, and for the names and types of its columns.
    async fn accepts(&mut self, sql: &str, section: &str) -> Result<Vec<(String, String)>> {
        match self.connection.columns(sql).await {
            Ok(columns) => Ok(columns),
            Err(sqlx::Error::Database(error)) if !is_the_servers_matter(error.code().as_deref()) => {
                bail!(Misconfigured(format!("{section}: the database does not accept it: {}", error.message())))
            }
            Err(error) => Err(anyhow::Error::from(error).context(format!("preparing to read {section}"))),
        }
    }

    async fn columns(&mut self, table: &Table, section: &str) -> Result<Vec<ColumnFacts>> {
        let columns = match self.engine {
            Engine::Postgres => self.postgres_columns(table).await?,
            Engine::MySql => self.mysql_columns(table).await?,
            Engine::Sqlite => self.sqlite_columns(table).await?,
        };
        if columns.is_empty() {
            let there = self.tables().await?;
            let there = if there.is_empty() { "no tables".to_owned() } else { listed(there) };
            bail!(Misconfigured(format!("{section}: there is no such table; the database has {there}")));
        }
        Ok(columns)
    }

    async fn tables(&mut self) -> Result<Vec<String>> {
        let sql = match self.engine {
            Engine::Postgres => {
                "SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END \
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') \
                 ORDER BY 1"
            }
            Engine::MySql => {
                "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1"
            }
            Engine::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY 1"
            }
        };
        Ok(self.connection.fetch(sql, &[]).await?.into_iter().flatten().flatten().collect())
    }

    async fn postgres_columns(&mut self, table: &Table) -> Result<Vec<ColumnFacts>> {
        let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typcategory::text, \
                     (t.typname IN ('text', 'varchar') OR b.typname IN ('text', 'varchar'))::text, \
                     EXISTS (SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_collation c ON c.oid = i.indcollation[0] \
                             WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND c.collname IN ('C', 'POSIX'))::text \
                   FROM pg_catalog.pg_attribute a \
                   JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype \
                   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
        let name = table.sql(Engine::Postgres);
        let rows = self.connection.fetch(sql, &[Parameter::Text(&name)]).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let [name, type_name, category, is_plain_text, indexed_by_bytes] = cells(row);
                ColumnFacts {
                    charset: None,
                    is_text: matches!(category.as_str(), "S" | "E") || type_name == "uuid",
                    is_plain_text: is_plain_text == "true",
                    indexed_by_bytes: indexed_by_bytes == "true",
                    is_binary: false,
                    name,
                    type_name,
                }
            })
            .collect())
    }

    async fn mysql_columns(&mut self, table: &Table) -> Result<Vec<ColumnFacts>> {
        let sql = "SELECT CAST(column_name AS CHAR), CAST(column_type AS CHAR), CAST(data_type AS CHAR), \
                   CAST(character_set_name AS CHAR), CAST(collation_name AS CHAR) \
                   FROM information_schema.columns \
                   WHERE table_name = ? AND table_schema = COALESCE(NULLIF(?, ''), DATABASE()) ORDER BY ordinal_position";
        let schema = table.schema.as_deref().unwrap_or_default();
        let rows = self.connection.fetch(sql, &[Parameter::Text(&table.name), Parameter::Text(schema)]).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let [name, type_name, data_type, charset, collation] = cells(row);
                let is_binary = data_type.contains("binary") || data_type.contains("blob");
                let is_text = data_type.contains("char")
                    || data_type.contains("text")
                    || ["varbinary", "enum", "uuid"].contains(&data_type.as_str());
                let charset =
                    Some((charset, collation)).filter(|(charset, _)| !["", "utf8mb4"].contains(&charset.as_str()));
                ColumnFacts { name, type_name, is_text, is_binary, charset, ..ColumnFacts::default() }
            })
            .collect())
    }

    async fn sqlite_columns(&mut self, table: &Table) -> Result<Vec<ColumnFacts>> {
        let sql = "SELECT name, type FROM pragma_table_xinfo(?, ?)";
        let schema = table.schema.as_deref().unwrap_or("main");
        let rows = self.connection.fetch(sql, &[Parameter::Text(&table.name), Parameter::Text(schema)]).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let [name, type_name] = cells(row);
                let upper = type_name.to_uppercase();
                let is_text = type_name.is_empty()
                    || ["CHAR", "CLOB", "TEXT", "STRING", "UUID"].iter().any(|word| upper.contains(word));
                // Only a column of TEXT affinity is sure to hold nothing but text.
                let is_plain_text =
                    ["CHAR", "CLOB", "TEXT"].iter().any(|word| upper.contains(word)) && !upper.contains("INT");
                ColumnFacts { name, type_name, is_text, is_plain_text, ..ColumnFacts::default() }
            })
            .collect())
    }

    fn key_column<'c>(&self, columns: &'c [ColumnFacts], name: &str, section: &str) -> Result<&'c ColumnFacts> {
        let column = named(columns, name, section, "key")?;
        if !column.is_text {
            bail!(Misconfigured(format!("{section}: key column {name} is {}; a key is text", column.type_name)));
        }
        Ok(column)
    }
}

/// Whether an error code speaks of rights, resources or the server's state, and not of what was asked: PostgreSQL's
/// classes 42501 (rights, row-level security), 53, 55, 57 and 58.
fn is_the_servers_matter(code: Option<&str>) -> bool {
    code.is_some_and(|code| code == "42501" || ["53", "55", "57", "58"].iter().any(|class| code.starts_with(class)))
}

fn named<'c>(columns: &'c [ColumnFacts], name: &str, section: &str, role: &str) -> Result<&'c ColumnFacts> {
    match columns.iter().find(|column| column.name == name) {
        Some(column) => Ok(column),
        None => {
            let there = listed(columns.iter().map(|column| column.name.clone()).collect());
            bail!(Misconfigured(format!("{section}: {role} column {name} is not there; it has {there}")))
        }
    }
}

/// Names for a message; a database of thousands of tables names the first hundred.
fn listed(names: Vec<String>) -> String {
    let more = names.len().saturating_sub(100);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn cells<const N: usize>(row: Vec<Option<String>>) -> [String; N] {
    let mut cells = row.into_iter();
    std::array::from_fn(|_| cells.next().flatten().unwrap_or_default())
}
