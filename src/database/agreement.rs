//! Whether the stream and the look-up of a column agree: on every type that can hold keys, with random values, a source that
//! is asked by key names what its stream names, and nothing else; and a row is found again by an id of that type.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use crate::config;
use crate::database::Database;
use crate::database::connection::{Connection, Login};
use crate::database::dialect;
use crate::database::dialect::link::Parameter;

/// Values of a column, where its type has so many; and in the long form.
const VALUES: usize = 1_000;
const MANY_VALUES: usize = 10_000;
/// Rows that are found again by their ids.
const ROWS: usize = 200;

/// What a type can hold.
#[derive(Debug, Clone, Copy)]
enum Letters {
    /// Whatever UTF-8 has; NUL is one of them.
    AnyWithNul,
    Any,
    /// Three bytes of UTF-8 at most.
    Basic,
    Latin1,
    Ascii,
    Uuid,
    /// One of a few words.
    Words,
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.next(of.len())]
    }
}

/// Pieces of names that a collation, a codec or a literal may take for others.
const ASCII: [&str; 24] = [
    "a", "A", "b", "/", ".", "..", " ", "  ", "'", "\"", "\\", "\\n", "\n", "\r", "\t", "%", "%20", "_", "-", ":", "0",
    "1e2", "{", "~",
];
const LATIN1: [&str; 6] = ["é", "É", "ß", "ÿ", "¡", "ã©"];
const BASIC: [&str; 8] = ["e\u{301}", "日本", "\u{200b}", "ﬁ", "İ", "ı", "Å", "\u{fffd}"];
const ANY: [&str; 3] = ["😀", "\u{10ffff}", "𝒳"];

impl Letters {
    fn value(self, random: &mut Random) -> String {
        match self {
            Letters::Uuid => {
                let digits: String = (0..32).map(|_| char::from(*random.one(b"0123456789abcdef"))).collect();
                // Of version 4: MariaDB takes no others.
                let (time, node) = (&digits[..12], &digits[12..]);
                return format!("{}-{}-4{}-8{}-{}", &time[..8], &time[8..], &node[..3], &node[3..6], &node[6..18]);
            }
            Letters::Words => return (*random.one(&["a.png", "A.png", "é.png", "b c.png"])).to_owned(),
            _ => {}
        }
        let mut pieces: Vec<&str> = ASCII.into();
        if !matches!(self, Letters::Ascii) {
            pieces.extend(LATIN1);
        }
        if !matches!(self, Letters::Ascii | Letters::Latin1) {
            pieces.extend(BASIC);
        }
        if matches!(self, Letters::Any | Letters::AnyWithNul) {
            pieces.extend(ANY);
        }
        if matches!(self, Letters::AnyWithNul) {
            pieces.push("\0");
        }
        let length = 1 + random.next(8);
        // The end is no space: some types take those away, which is told of apart.
        (0..length).map(|_| *random.one(&pieces)).chain(["x"]).collect()
    }
}

/// A column: its type, how a value is put into it, what it can hold, and what must be there first.
type Column<'a> = (&'a str, &'a str, Letters, &'a str);

/// One engine, with how a list of values becomes rows; `{}` is a value.
async fn agree(url: &str, columns: &[Column<'_>], insert: &dyn Fn(&str, &str, usize) -> (String, usize)) {
    let engine = config::Engine::of(url).expect("an engine");
    let login = Login { driver: dialect::of(engine), url: url.to_owned().into() };
    let mut connection = Connection::open_to_write(&login).await.expect("a connection");
    let table = format!("agreement_{}", std::process::id());
    for (number, (type_name, put, letters, before)) in columns.iter().enumerate() {
        let mut random = Random(number as u64 + 7);
        let mut values = BTreeSet::new();
        let is_long = std::env::var_os("CLEANUP_ASSETS_TEST_WORLDS").is_some();
        for _ in 0..if is_long { MANY_VALUES } else { VALUES } {
            values.insert(letters.value(&mut random));
        }
        let key = login.driver.quoted("key");
        let mut run = async |sql: &str, parameters: &[Parameter<'_>]| {
            connection
                .change(sql, parameters)
                .await
                .unwrap_or_else(|error| panic!("{type_name}: {error:#}: {sql:.200}"));
        };
        run(&format!("DROP TABLE IF EXISTS {table}"), &[]).await;
        for statement in before.split(';').filter(|sql| !sql.trim().is_empty()) {
            run(statement, &[]).await;
        }
        run(&format!("CREATE TABLE {table} ({key} {type_name})"), &[]).await;
        let list: Vec<&str> = values.iter().map(String::as_str).collect();
        let (_, at_once) = insert(&table, put, 1);
        for batch in list.chunks(at_once) {
            run(&insert(&table, put, batch.len()).0, &[Parameter::Keys(batch)]).await;
        }
        check(url, &table, type_name, &values).await;
        let mut connection = Connection::open_to_write(&login).await.expect("a connection");
        connection.change(&format!("DROP TABLE {table}"), &[]).await.expect("a table to drop");
    }
}

/// The column `key` of a table, as one of records and as one of references.
fn configured(url: &str, table: &str) -> config::Config {
    let text = format!(
        "[database]\nurl = {url:?}\n[storage]\nkind = \"local\"\nroot = \"/tmp\"\n\
         [[records]]\ntable = \"{table}\"\nid = \"key\"\nkey = \"key\"\n[[references]]\ntable = \"{table}\"\nkey = \"key\"\n"
    );
    config::parse(&text, &|_| None).expect("a configuration")
}

async fn check(url: &str, table: &str, type_name: &str, values: &BTreeSet<String>) {
    let database =
        Database::open(&configured(url, table)).await.unwrap_or_else(|error| panic!("{type_name}: {error:#}"));
    let mut streamed: BTreeSet<String> = BTreeSet::new();
    let mut keys = database.keys();
    while let Some(named) = keys.next().await.unwrap_or_else(|error| panic!("{type_name}: {error:#}")) {
        let last = streamed.last().map_or("", String::as_str);
        assert!(last <= named.key, "{type_name}: {:?} comes after {last:?}", named.key);
        streamed.insert(named.key.to_owned());
    }
    let differ = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        let differ: Vec<&String> = one.symmetric_difference(other).take(5).collect();
        assert!(differ.is_empty(), "{type_name}: {differ:?} are not on both sides");
    };
    differ(values, &streamed);

    let mut asked = streamed.clone();
    for value in &streamed {
        let others = [
            value.to_lowercase(),
            value.to_uppercase(),
            format!("{value} "),
            format!(" {value}"),
            value.replace('e', "é"),
        ];
        asked.extend(others);
        asked.extend([value.replace('\0', ""), value.replace("e\u{301}", "é"), value.trim_end_matches('x').to_owned()]);
    }
    asked.remove("");
    let list: Vec<&str> = asked.iter().map(String::as_str).collect();
    let mut session = database.session().await.expect("a session");
    differ(&streamed, &session.wanted_by_key(&list).await.expect("an answer").into_iter().collect());
    differ(&streamed, &session.referenced(&list).await.expect("an answer").into_iter().collect());
    let mut handles = BTreeMap::new();
    let mut note = async |record: crate::domain::Record| {
        handles.insert(record.key, record.handle);
        Ok(())
    };
    session.records(&list, &mut note).await.expect("the rows");
    differ(&streamed, &handles.keys().cloned().collect());

    // An id that a collation takes for another one is an error, and never the other row.
    let mut writer = database.writer().await.expect("a connection");
    let mut found = 0;
    for (key, handle) in handles.iter().step_by((handles.len() / ROWS).max(1)) {
        match writer.see(0, handle).await {
            Ok(Some(seen)) => {
                assert_eq!(seen.key, *key, "{type_name}: {handle}");
                found += 1;
            }
            Ok(None) => panic!("{type_name}: {key:?} is not found by its id {handle:?}"),
            Err(error) => assert!(format!("{error:#}").contains("tell rows apart"), "{type_name}: {error:#}"),
        }
    }
    assert!(found > 0, "{type_name}");
}

fn server(name: &str) -> String {
    let name = format!("CLEANUP_ASSETS_TEST_{name}");
    std::env::var(&name)
        .unwrap_or_else(|_| panic!("{name} is not set; `bash tests/run` starts the servers and sets it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn columns_of_sqlite() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("app.db").display());
        std::fs::write(folder.path().join("app.db"), "").expect("a file");
        let mut columns = Vec::new();
        for type_name in [
            "TEXT",
            "VARCHAR(20)",
            "CHARACTER(20)",
            "NCHAR(55)",
            "NVARCHAR(100)",
            "CLOB",
            "TEXT COLLATE NOCASE",
            "TEXT COLLATE RTRIM",
            "",
            "STRING",
            "UUID",
            "BLOB",
        ] {
            columns.push((
                type_name,
                "CASE WHEN key % 2 THEN value ELSE CAST(value AS BLOB) END",
                Letters::AnyWithNul,
                "",
            ));
        }
        columns.push(("TEXT", "value", Letters::AnyWithNul, ""));
        columns.push(("TEXT", "CAST(value AS BLOB)", Letters::AnyWithNul, ""));
        let insert = |table: &str, put: &str, _: usize| {
            (format!("INSERT INTO {table} SELECT {put} FROM json_each(?1)"), MANY_VALUES)
        };
        agree(&url, &columns, &insert).await;
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: run tests/run"]
    async fn columns_of_postgres() {
        let collation = "DROP COLLATION IF EXISTS agreement_folded; \
                     CREATE COLLATION agreement_folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false)";
        let words = "DROP TYPE IF EXISTS agreement_word; CREATE TYPE agreement_word AS ENUM ('a.png', 'A.png', 'é.png', 'b c.png')";
        let domain = "DROP DOMAIN IF EXISTS agreement_key; CREATE DOMAIN agreement_key AS text";
        let columns = [
            ("text", "v", Letters::Any, ""),
            ("text COLLATE \"C\"", "v", Letters::Any, ""),
            ("text COLLATE agreement_folded", "v", Letters::Any, collation),
            ("varchar", "v", Letters::Any, ""),
            ("varchar(200)", "v", Letters::Any, ""),
            ("char(200)", "v", Letters::Any, ""),
            ("bpchar", "v", Letters::Any, ""),
            ("name", "v", Letters::Ascii, ""),
            ("citext", "v", Letters::Any, "CREATE EXTENSION IF NOT EXISTS citext"),
            ("agreement_key", "v", Letters::Any, domain),
            ("agreement_word", "v::agreement_word", Letters::Words, words),
            ("uuid", "v::uuid", Letters::Uuid, ""),
        ];
        let insert = |table: &str, put: &str, _: usize| {
            (format!("INSERT INTO {table} SELECT {put} FROM unnest($1::text[]) AS v"), MANY_VALUES)
        };
        agree(&server("POSTGRES"), &columns, &insert).await;
    }

    #[tokio::test]
    #[ignore = "needs MariaDB: run tests/run"]
    async fn columns_of_mariadb() {
        let text = |charset: &str, collation: &str| format!("varchar(200) CHARACTER SET {charset} COLLATE {collation}");
        let of_sets: Vec<(String, Letters)> = [
            ("utf8mb4", "utf8mb4_bin", Letters::AnyWithNul),
            ("utf8mb4", "utf8mb4_nopad_bin", Letters::AnyWithNul),
            ("utf8mb4", "utf8mb4_unicode_ci", Letters::Any),
            ("utf8mb4", "utf8mb4_general_ci", Letters::Any),
            ("utf8mb3", "utf8mb3_general_ci", Letters::Basic),
            ("latin1", "latin1_swedish_ci", Letters::Latin1),
            ("latin1", "latin1_bin", Letters::Latin1),
            ("ascii", "ascii_general_ci", Letters::Ascii),
            ("utf16", "utf16_bin", Letters::Any),
            ("ucs2", "ucs2_general_ci", Letters::Basic),
        ]
        .map(|(charset, collation, letters)| (text(charset, collation), letters))
        .into();
        let mut columns: Vec<Column<'_>> =
            of_sets.iter().map(|(type_name, letters)| (type_name.as_str(), "?", *letters, "")).collect();
        for type_name in [
            "char(100) CHARACTER SET utf8mb4",
            "tinytext CHARACTER SET utf8mb4",
            "text CHARACTER SET utf8mb4",
            "mediumtext CHARACTER SET utf8mb4",
            "longtext CHARACTER SET utf8mb4",
        ] {
            columns.push((type_name, "?", Letters::Any, ""));
        }
        for type_name in ["varbinary(500)", "tinyblob", "blob", "mediumblob", "longblob"] {
            columns.push((type_name, "?", Letters::AnyWithNul, ""));
        }
        columns.push((
            "enum('a.png', 'A.png', 'é.png', 'b c.png') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "?",
            Letters::Words,
            "",
        ));
        columns.push(("uuid", "?", Letters::Uuid, ""));
        let insert = |table: &str, put: &str, rows: usize| {
            (format!("INSERT INTO {table} VALUES {}", vec![format!("({put})"); rows].join(", ")), 1_000)
        };
        agree(&server("MARIADB"), &columns, &insert).await;
    }

    /// Where a server keeps its answer in a table first, as it does under `sql_buffer_result`, it cuts off what is longer than
    /// it takes the column for.
    #[tokio::test]
    #[ignore = "needs MariaDB: run tests/run"]
    async fn no_key_of_mariadb_is_cut_off_on_its_way() {
        let url = server("MARIADB");
        let login = Login { driver: dialect::of(config::Engine::MySql), url: url.clone().into() };
        let mut connection = Connection::open_to_write(&login).await.expect("a connection");
        let table = format!("agreement_long_{}", std::process::id());
        for (type_name, null, key) in [
            ("varchar(20) CHARACTER SET utf8mb4", "NULL", "😀".repeat(20)),
            ("varchar(20) CHARACTER SET utf8mb4", "NOT NULL", "😀".repeat(20)),
            ("char(20) CHARACTER SET utf8mb4", "NULL", "😀".repeat(20)),
            ("tinytext CHARACTER SET utf8mb4", "NULL", "😀".repeat(63)),
            ("text CHARACTER SET utf8mb4", "NULL", "😀".repeat(16_383)),
            ("varchar(20) CHARACTER SET utf8mb3", "NULL", "日".repeat(20)),
            ("varchar(20) CHARACTER SET utf16", "NULL", "😀".repeat(20)),
            ("varchar(20) CHARACTER SET latin1", "NULL", "é".repeat(20)),
            ("varbinary(80)", "NULL", "😀".repeat(20)),
            ("enum('😀😀', 'é') CHARACTER SET utf8mb4", "NULL", "😀😀".to_owned()),
        ] {
            let type_name = format!("{type_name} {null}");
            for sql in [format!("DROP TABLE IF EXISTS {table}"), format!("CREATE TABLE {table} (`key` {type_name})")] {
                connection.change(&sql, &[]).await.expect("a table");
            }
            let insert = format!("INSERT INTO {table} VALUES (?)");
            connection.change(&insert, &[Parameter::Text(&key)]).await.expect("a row");
            let database = Database::open(&configured(&url, &table)).await.expect("a database");
            for sql in [&database.sources[0].stream.sql, &database.sources[0].lookup.as_ref().expect("a look-up").of(1)]
            {
                connection.change("SET SESSION sql_buffer_result = 1", &[]).await.expect("a setting");
                let parameters = [Parameter::Text(&key)];
                let rows = connection.texts(sql, &parameters[..sql.matches('?').count()]).await.expect("rows");
                assert!(rows[0] == key, "{type_name}: {} bytes of {}: {sql}", rows[0].len(), key.len());
            }
            connection.change(&format!("DROP TABLE {table}"), &[]).await.expect("a table to drop");
        }
        let setting = "SELECT CAST(@@sql_buffer_result AS CHAR)";
        assert_eq!(connection.text(setting, &[]).await.expect("a setting").as_deref(), Some("ON"));
        connection.begin().await.expect("a transaction");
        assert_eq!(connection.text(setting, &[]).await.expect("a setting").as_deref(), Some("OFF"));
    }
}
