//! Checks what the configuration names against the database's own catalog, and makes sources of it. What is missing is
//! an error that names what there is.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use chrono_tz::Tz;

use crate::config::{Action, Config, Entity, Key, Owns, Records, ReferenceKeys, Rule};
use crate::database::column::{ColumnFacts, DateColumn, Owners, Table};
use crate::database::connection::{Connection, Driver, Login, Server};
use crate::database::key_column::{self, KeyColumn, Stream};
use crate::database::rows::{Ownerless, Rows, Strangers};
use crate::database::rules::{self, RuleSql};
use crate::database::source::{Column, Source};
use crate::database::{advice, lines};
use crate::exit_code::Misconfigured;

/// Every source of keys that the configuration names, checked; each with the catalog of its database.
///
/// # Errors
/// [`Misconfigured`] for a table, column, condition, query or file that cannot be read.
pub async fn sources(catalogs: &mut [Catalog], config: &Config) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for (section, records) in config.records.iter().enumerate() {
        sources.push(catalogs[records.database].records(section, records).await?);
    }
    for (at, reference) in config.references.iter().enumerate() {
        let catalog = &mut catalogs[reference.database];
        let (source, where_it_is) = (catalog.source(), &reference.in_database);
        let mut source = match &reference.keys {
            ReferenceKeys::Column { table, key, r#where } => {
                let reference = (table.as_str(), key, r#where.as_deref(), reference.url_base.is_some());
                catalog.reference(source, reference).await?
            }
            ReferenceKeys::Query(query) => catalog.query(source, at + 1, query).await?,
            ReferenceKeys::File(path) => {
                lines::check(path).await?;
                let (name, file) = (format!("file {}", path.display()), Some(path.clone()));
                Source { name, file, ..source }
            }
        };
        source.name.insert_str(0, where_it_is);
        source.key_prefix.clone_from(&reference.key_prefix);
        source.url_base.clone_from(&reference.url_base);
        sources.push(source);
    }
    Ok(sources)
}

/// One of the databases, and what its catalog is asked through.
pub struct Catalog {
    login: Arc<Login>,
    at: usize,
    driver: &'static dyn Driver,
    server: Server,
    connection: Connection,
}

impl Catalog {
    /// Connects to the database at this place among all.
    pub async fn open(login: &Arc<Login>, at: usize) -> Result<Self> {
        let mut connection = Connection::open(login).await.context("connecting")?;
        connection.begin().await?;
        let server = login.driver.server(&mut connection).await?;
        Ok(Catalog { login: login.clone(), at, driver: login.driver, server, connection })
    }

    /// Logs what would make its sources faster, and gives the connection back.
    pub async fn close(mut self, sources: &[Source]) -> Result<Connection> {
        let own: Vec<&Source> = sources.iter().filter(|source| source.at == self.at).collect();
        advice::log(self.driver, &mut self.connection, &own).await;
        self.connection.end().await?;
        Ok(self.connection)
    }

    /// A source of this database, of which nothing is known yet.
    fn source(&self) -> Source {
        Source {
            login: self.login.clone(),
            at: self.at,
            file: None,
            name: String::new(),
            owns: false,
            owns_folders: false,
            key_prefix: String::new(),
            url_base: None,
            stream: Stream::default(),
            index_sql: None,
            lookup: None,
            column: None,
            any_row_sql: None,
            answers_for_any_key: false,
            may_be_json: false,
            must_be_spooled: self.server.must_be_spooled,
            rows: None,
        }
    }

    async fn records(&mut self, section_number: usize, records: &Records) -> Result<Source> {
        let table = Table::parse(&records.table);
        let section = format!("[[records]] table {}", records.table);
        let columns = self.columns(&table, &section).await?;
        let key = match &records.key {
            Key::Column(name) => self.key_column((&table, &columns), name, &section).await?,
            Key::Sql(sql) => self.key_sql(&table, sql, &section).await?,
        };
        let ids = records.id.iter().map(|name| named(&columns, name, &section, "id").cloned());
        let ids = ids.collect::<Result<Vec<_>>>()?;
        let mut created = None;
        if let Some(column) = &records.created_at {
            created = Some(self.date_column((&table, &columns), column, records.zone, (&section, "created_at")).await?);
        }
        let mut updated = None;
        if let Some(name) = &records.updated_at {
            let column = crate::config::Column::Named(name.clone());
            updated =
                Some(self.date_column((&table, &columns), &column, records.zone, (&section, "updated_at")).await?);
        }
        if let Action::Set(set) = &records.missing_file {
            set.keys().try_for_each(|name| named(&columns, name, &section, "missing_file: set").map(|_| ()))?;
        }
        let mut rows = Rows {
            dialect: self.driver,
            section: section_number,
            ids,
            key,
            created,
            updated,
            condition: records.r#where.clone(),
            rules: Vec::new(),
            clocks: Vec::new(),
            strangers: Vec::new(),
            ownerless: Vec::new(),
            columns: columns.iter().filter(|column| !column.is_generated).cloned().collect(),
            table,
        };
        for rule in &records.rules {
            let section = format!("{section}: rule {}", rule.name);
            self.rule(rule, &mut rows, &columns, (&section, records.zone)).await?;
        }
        let key = rows.key_column();
        let (stream, lookup, index_sql) = match (&records.url_base, records.owns) {
            // Its keys are made here, and are nothing that the database could sort or look up.
            (Some(_), _) => (key.scan(&rows.marks()), None, None),
            // With its last slash `a/` comes after `a-b/`, and without it before.
            (None, Owns::Prefix) => (key.scan(&rows.marks()), Some(key.lookup(&rows.details())), None),
            (None, Owns::Object) => (key.stream(&rows.marks()), Some(key.lookup(&rows.details())), key.index()),
        };
        let what = if records.r#where.is_some() { format!("{section}: where") } else { section };
        self.accepts(&stream.sql, &what).await?;
        Ok(Source {
            answers_for_any_key: self.server.answers_for_any_key && rows.key.expression.is_none(),
            name: records.name.clone(),
            owns: true,
            owns_folders: records.owns_folders(),
            key_prefix: records.key_prefix.clone(),
            url_base: records.url_base.clone(),
            column: rows.key.expression.is_none().then(|| self.column(&rows.table, &rows.key.name)),
            any_row_sql: Some(any_row(&self.driver.table(&rows.table))),
            stream,
            lookup,
            index_sql,
            rows: Some(rows),
            ..self.source()
        })
    }

    /// Adds a rule to the table that it is of.
    async fn rule(
        &mut self,
        rule: &Rule,
        rows: &mut Rows,
        columns: &[ColumnFacts],
        (section, zone): (&str, Tz),
    ) -> Result<()> {
        if let Action::Set(set) = &rule.then {
            set.keys().try_for_each(|name| named(columns, name, section, "set").map(|_| ()))?;
        }
        let mut conditions: Vec<String> = rule.r#where.iter().map(|sql| rules::is_true(sql)).collect();
        let mut acting = conditions.clone();
        let before = rows.ownerless.len();
        if let Some(entity) = &rule.entity {
            let (is_gone, is_gone_for_sure) = self.entity(entity, rows, columns, section, &rule.name).await?;
            conditions.push(is_gone);
            acting.push(is_gone_for_sure);
        }
        let mut since = None;
        if let Some(clock) = &rule.clock {
            since = Some(self.date_column((&rows.table, columns), &clock.since, zone, (section, "since")).await?);
        }
        let start = since.as_ref().map(|since| self.driver.column_or_expression(&rows.table, &since.facts));
        let always = || format!("{} IS NOT NULL", start.as_deref().unwrap_or("NULL"));
        let all = |conditions: Vec<String>| if conditions.is_empty() { always() } else { conditions.join(" AND ") };
        let (condition, acting) = (all(conditions), all(acting));
        let checked = format!("SELECT 1 FROM {} WHERE {condition}", self.driver.table(&rows.table));
        self.accepts(&checked, section).await?;
        for ownerless in &mut rows.ownerless[before..] {
            ownerless.handles_sql.push_str(&format!(" AND {condition}"));
        }
        rows.rules.push(RuleSql { condition, acting, since });
        rows.clocks.push(rule.after());
        Ok(())
    }

    /// The condition for rows whose owner is gone, and the one by which they may be removed.
    async fn entity(
        &mut self,
        entity: &Entity,
        rows: &mut Rows,
        columns: &[ColumnFacts],
        section: &str,
        rule: &Arc<str>,
    ) -> Result<(String, String)> {
        let r#type = named(columns, &entity.r#type, section, "entity type")?;
        let id = named(columns, &entity.id, section, "entity id")?;
        let mut tables = Vec::new();
        for (type_name, table) in &entity.tables {
            let table = Table::parse(table);
            let of_table = format!("{section}: entity table {}", entity.tables[type_name]);
            let of_owners = self.columns(&table, &of_table).await?;
            let mut keys = of_owners.iter().filter(|column| column.is_primary_key);
            let primary = match (keys.next(), keys.next()) {
                (Some(only), None) => only.clone(),
                _ => named(&of_owners, "id", &of_table, "id")?.clone(),
            };
            if primary.is_binary != id.is_binary {
                bail!(Misconfigured(format!(
                    "{of_table}: its {} is {} and {} is {}, which cannot be compared",
                    primary.name, primary.type_name, id.name, id.type_name
                )));
            }
            tables.push((type_name.as_str(), table, primary));
        }
        let owners: Vec<Owners<'_>> = tables
            .iter()
            .map(|(type_name, table, id)| {
                let may_be_empty = entity.may_be_empty.iter().any(|name| name == type_name);
                Owners { type_name, table, id, may_be_empty }
            })
            .collect();
        let type_column = self.driver.column(&rows.table, &r#type.name);
        let id_column = self.driver.column(&rows.table, &id.name);
        let sql = rules::strangers(self.driver, &rows.table, &type_column, &owners);
        self.accepts(&sql, section).await?;
        rows.strangers.push(Strangers { rule: rule.clone(), type_column: r#type.name.clone(), sql });
        let handle = rows.handle().join(", ");
        let table = self.driver.table(&rows.table);
        for owners in owners.iter().filter(|owners| !owners.may_be_empty) {
            let literal = self.driver.literal(owners.type_name);
            rows.ownerless.push(Ownerless {
                rule: rule.clone(),
                type_name: owners.type_name.to_owned(),
                owners: entity.tables[owners.type_name].clone(),
                any_owner_sql: any_row(&self.driver.table(owners.table)),
                handles_sql: format!("SELECT {handle} FROM {table} WHERE {type_column} = {literal}"),
            });
        }
        let is_gone = |acting| rules::owner_is_gone(self.driver, (&type_column, &id_column), id, &owners, acting);
        Ok((is_gone(false), is_gone(true)))
    }

    /// A column of dates, or an expression that stands for one; `role` is what the section calls it.
    async fn date_column(
        &mut self,
        (table, columns): (&Table, &[ColumnFacts]),
        column: &crate::config::Column,
        zone: Tz,
        (section, role): (&str, &str),
    ) -> Result<DateColumn> {
        let facts = match column {
            crate::config::Column::Named(name) => named(columns, name, section, role)?.clone(),
            crate::config::Column::Sql(sql) => {
                let facts = ColumnFacts { expression: Some(sql.clone()), ..ColumnFacts::default() };
                let expression = self.driver.column_or_expression(table, &facts);
                let checked = format!("SELECT {expression} FROM {}", self.driver.table(table));
                let section = format!("{section}: {role}_sql");
                let columns = self.accepts(&checked, &section).await?;
                let [(_, type_name)] = columns.as_slice() else {
                    bail!(Misconfigured(format!("{section} must be one expression; it gives {}", columns.len())));
                };
                ColumnFacts { type_name: type_name.clone(), ..facts }
            }
        };
        let zone = if self.driver.gives_utc(&facts) { Tz::UTC } else { zone };
        Ok(DateColumn { facts, zone })
    }

    /// An expression over a row, as if it were a column.
    async fn key_sql(&mut self, table: &Table, sql: &str, section: &str) -> Result<ColumnFacts> {
        let section = format!("{section}: key_sql");
        let facts = ColumnFacts { expression: Some(sql.to_owned()), ..ColumnFacts::default() };
        let checked =
            format!("SELECT {} FROM {}", self.driver.column_or_expression(table, &facts), self.driver.table(table));
        match self.accepts(&checked, &section).await?.as_slice() {
            [(_, type_name)] => expect_text(type_name, &section)?,
            columns => bail!(Misconfigured(format!("{section} must be one expression; it gives {}", columns.len()))),
        }
        Ok(facts)
    }

    async fn reference(
        &mut self,
        source: Source,
        (table_name, key, condition, has_urls): (&str, &Key, Option<&str>, bool),
    ) -> Result<Source> {
        let table = Table::parse(table_name);
        let section = format!("[[references]] table {table_name}");
        let columns = self.columns(&table, &section).await?;
        let (facts, name) = match key {
            Key::Column(name) => (self.key_column((&table, &columns), name, &section).await?, name.as_str()),
            Key::Sql(sql) => (self.key_sql(&table, sql, &section).await?, "key_sql"),
        };
        let column = KeyColumn { dialect: self.driver, table: &table, facts: &facts, condition };
        let (stream, lookup, index_sql) = match has_urls {
            // Its keys are made here, and are nothing that the database could sort or look up.
            true => (column.scan(&[]), None, None),
            false => (column.stream(&[]), Some(column.lookup(&[])), column.index()),
        };
        let what = if condition.is_some() { format!("{section}: where") } else { section };
        self.accepts(&stream.sql, &what).await?;
        let is_column = facts.expression.is_none();
        Ok(Source {
            answers_for_any_key: self.server.answers_for_any_key && is_column,
            name: format!("{table_name}.{name}"),
            column: is_column.then(|| self.column(&table, &facts.name)),
            any_row_sql: Some(any_row(&self.driver.table(&table))),
            stream,
            lookup,
            index_sql,
            ..source
        })
    }

    async fn query(&mut self, source: Source, number: usize, query: &str) -> Result<Source> {
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
        expect_text(type_name, &section)?;
        let stream = key_column::stream_query(self.driver, query, column);
        self.accepts(&stream.sql, &section).await?;
        Ok(Source { may_be_json: true, name: format!("reference query {number}"), stream, ..source })
    }

    /// Asks the server whether it would run `sql`, and for the names and types of its columns.
    async fn accepts(&mut self, sql: &str, section: &str) -> Result<Vec<(String, String)>> {
        match self.connection.columns(sql).await {
            Ok(columns) => Ok(columns),
            Err(sqlx::Error::Database(error))
                if !error.code().is_some_and(|code| self.driver.is_the_servers_matter(&code)) =>
            {
                bail!(Misconfigured(format!("{section}: the database does not accept it: {}", error.message())))
            }
            Err(error) => Err(anyhow::Error::from(error).context(format!("preparing to read {section}"))),
        }
    }

    async fn columns(&mut self, table: &Table, section: &str) -> Result<Vec<ColumnFacts>> {
        let columns = self.driver.columns(&mut self.connection, table).await?;
        if columns.is_empty() {
            let there = self.tables().await?;
            let there = if there.is_empty() { "no tables".to_owned() } else { listed(there) };
            bail!(Misconfigured(format!("{section}: there is no such table; the database has {there}")));
        }
        Ok(columns)
    }

    fn column(&self, table: &Table, name: &str) -> Column {
        let (column, table) = (self.driver.column(table, name), self.driver.table(table));
        Column { dialect: self.driver, table, column }
    }

    async fn tables(&mut self) -> Result<Vec<String>> {
        self.connection.texts(self.driver.tables(), &[]).await
    }

    async fn key_column(
        &mut self,
        (table, columns): (&Table, &[ColumnFacts]),
        name: &str,
        section: &str,
    ) -> Result<ColumnFacts> {
        let mut column = named(columns, name, section, "key")?.clone();
        if !column.is_text {
            bail!(Misconfigured(format!("{section}: key column {name} is {}; a key is text", column.type_name)));
        }
        if column.is_plain_text {
            let is_text = self.driver.holds_text_alone(&mut self.connection, table, name).await;
            column.is_plain_text = is_text.with_context(|| format!("preparing to read {section}"))?;
        }
        Ok(column)
    }
}

fn any_row(table: &str) -> String {
    format!("SELECT '1' FROM {table} LIMIT 1")
}

fn expect_text(type_name: &str, section: &str) -> Result<()> {
    let upper = type_name.to_uppercase();
    if upper.contains("JSON") || upper.ends_with("[]") || ["BYTEA", "RECORD"].contains(&upper.as_str()) {
        bail!(Misconfigured(format!(
            "{section} gives {upper} and not text: unpack it, with `->>`, jsonb_array_elements_text, unnest, \
             JSON_UNQUOTE or JSON_TABLE"
        )));
    }
    Ok(())
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
