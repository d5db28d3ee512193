//! The application's tables in the three engines' own words, and the rows in them.

use super::model::{Application, Made, Row};
use crate::support::servers::Database;

/// Rows of one INSERT.
const BATCH: usize = 1000;

/// An engine's CREATE TABLE statements, and the query over `posts`. Each has a table whose collation is not bytewise,
/// another type of id, and another type of date.
pub struct Schema {
    pub tables: &'static str,
    pub photos: &'static str,
}

pub const POSTGRES: Schema = Schema {
    tables: r#"
        CREATE TABLE assets (id bigint PRIMARY KEY, storage_key text, status text, created_at timestamptz);
        CREATE INDEX ON assets (storage_key);
        CREATE TABLE documents (id uuid PRIMARY KEY, path text COLLATE "en-US-x-icu", uploaded_at timestamp);
        CREATE INDEX ON documents (path);
        CREATE TABLE users (id bigint PRIMARY KEY, avatar_key text);
        CREATE TABLE posts (id bigint PRIMARY KEY, photos jsonb);
    "#,
    photos: "SELECT jsonb_array_elements_text(photos) FROM posts",
};

pub const MARIADB: Schema = Schema {
    tables: "
        CREATE TABLE assets (id bigint PRIMARY KEY, storage_key varchar(1024), status varchar(20),
            created_at timestamp NULL, KEY (storage_key(100))) CHARACTER SET utf8mb4;
        CREATE TABLE documents (id char(36) PRIMARY KEY, path varchar(1024) COLLATE utf8mb4_bin,
            uploaded_at datetime NULL, KEY (path(100))) CHARACTER SET utf8mb4;
        CREATE TABLE users (id bigint PRIMARY KEY, avatar_key varchar(1024)) CHARACTER SET utf8mb4;
        CREATE TABLE posts (id bigint PRIMARY KEY, photos json) CHARACTER SET utf8mb4;
    ",
    photos: "SELECT photo.path FROM posts, \
             JSON_TABLE(posts.photos, '$[*]' COLUMNS (path text PATH '$')) AS photo",
};

pub const SQLITE: Schema = Schema {
    tables: "
        CREATE TABLE assets (id integer PRIMARY KEY, storage_key text, status text, created_at text);
        CREATE INDEX assets_storage_key ON assets (storage_key);
        CREATE TABLE documents (id text PRIMARY KEY, path text COLLATE NOCASE, uploaded_at integer);
        CREATE TABLE users (id integer PRIMARY KEY, avatar_key text);
        CREATE TABLE posts (id integer PRIMARY KEY, photos text);
    ",
    photos: "SELECT photo.value FROM posts, json_each(posts.photos) AS photo",
};

impl Schema {
    /// Makes the tables and fills them.
    pub fn install(&self, database: &dyn Database, application: &Application) {
        database.run(self.tables);
        let of = |table: &'static str| application.rows.iter().filter(move |row| row.table == table);
        insert(
            database,
            "assets (id, storage_key, status, created_at)",
            of("assets").map(|row| {
                let text = |value| literal(database, value);
                format!("({}, {}, {}, {})", row.id, text(row.value.as_deref()), text(row.status), date(row))
            }),
        );
        let is_sqlite = database.url().starts_with("sqlite:");
        insert(
            database,
            "documents (id, path, uploaded_at)",
            of("documents").map(|row| {
                let date = if is_sqlite { format!("unixepoch({})", date(row)) } else { date(row) };
                format!("('{}', {}, {date})", row.id, literal(database, row.value.as_deref()))
            }),
        );
        for (table, values) in
            [("users (id, avatar_key)", &application.avatars), ("posts (id, photos)", &application.photos)]
        {
            let rows = values.iter().enumerate();
            insert(database, table, rows.map(|(id, value)| format!("({id}, {})", literal(database, value.as_deref()))));
        }
    }
}

fn insert(database: &dyn Database, table: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    for batch in rows.chunks(BATCH) {
        database.run(&format!("INSERT INTO {table} VALUES {}", batch.join(", ")));
    }
}

fn literal(database: &dyn Database, value: Option<&str>) -> String {
    value.map_or("NULL".to_owned(), |value| database.literal(value))
}

/// The row's date as a literal that every engine takes for UTC, as the servers run in it.
fn date(row: &Row) -> String {
    let days = match row.made {
        Made::LastMonth => 30,
        Made::Now => 0,
        Made::Unknown => return "NULL".to_owned(),
    };
    (chrono::Utc::now() - chrono::TimeDelta::days(days)).format("'%Y-%m-%d %H:%M:%S'").to_string()
}
