//! `cleanup-assets` without `--execute` needs no more than SELECT, changes nothing, and never takes what it was not
//! shown for what is not there.

use serde_json::json;

use crate::support::local::{Folder, everything_below};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::{Store, Stored};
use crate::support::tool::{Outcome, Tool, keys_of};

/// Two tenants with two pictures each, of which the first has lost one file; beside them a file that nobody knows.
const ROWS: &str = "
    CREATE TABLE assets (id integer PRIMARY KEY, tenant varchar(20), storage_key varchar(200));
    CREATE TABLE users (id integer PRIMARY KEY, avatar_key varchar(200));
    INSERT INTO assets VALUES (1, 'first', 'first/there.png'), (2, 'first', 'first/lost.png'),
        (3, 'second', 'second/there.png'), (4, 'second', 'second/there too.png');
    INSERT INTO users VALUES (1, 'avatars/wanted.png');
";

const OBJECTS: [&str; 5] =
    ["first/there.png", "second/there.png", "second/there too.png", "avatars/wanted.png", "stray.png"];

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_postgres_role_that_may_only_select_is_enough() {
    let (database, folder) = (Postgres::new(), folder());
    database.run(ROWS);
    let url = database.role("GRANT SELECT ON assets, users TO {role}");
    assert_finds_both(&run(&url, &folder, "assets", "storage_key"));
}

/// Where the server would sort a million keys for each run, the log says which index spares it that.
#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn an_index_that_spares_postgres_a_long_sort_is_named() {
    let (database, folder) = (Postgres::new(), folder());
    database.run(ROWS);
    let index = "CREATE INDEX CONCURRENTLY ON \"assets\" (\"storage_key\" COLLATE \"C\")";
    let run = || run(&database.url(), &folder, "assets", "storage_key");
    let outcome = run();
    assert_finds_both(&outcome);
    assert!(!outcome.stderr.contains("CREATE INDEX"), "of four rows: {outcome:#?}");
    // As if there were two million.
    let many = "UPDATE pg_class SET reltuples = 2000000, relpages = 1 WHERE oid = 'assets'::regclass";
    database.run(many);
    let outcome = run();
    assert_finds_both(&outcome);
    assert!(outcome.stderr.contains(index), "{outcome:#?}");
    assert!(!outcome.stderr.contains("avatar_key"), "the other table is small: {outcome:#?}");
    database.run(&index.replace("CONCURRENTLY ", ""));
    database.run(many);
    let outcome = run();
    assert_finds_both(&outcome);
    assert!(!outcome.stderr.contains("CREATE INDEX"), "there is one: {outcome:#?}");
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_mariadb_user_that_may_only_select_is_enough() {
    let (database, folder) = (MariaDb::new(), folder());
    database.run(ROWS);
    let url = database.user("SELECT");
    assert_finds_both(&run(&url, &folder, "assets", "storage_key"));
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_table_that_hides_rows_from_the_role_fails_the_run() {
    for hidden in ["assets", "users"] {
        let (database, folder) = (Postgres::new(), folder());
        database.run(ROWS);
        database.run(&format!("ALTER TABLE {hidden} ENABLE ROW LEVEL SECURITY"));
        let visible = if hidden == "assets" { "tenant = 'first'" } else { "id <> 1" };
        let url = database.role(&format!(
            "GRANT SELECT ON assets, users TO {{role}};
             CREATE POLICY visible ON {hidden} FOR SELECT TO {{role}} USING ({visible})"
        ));

        let outcome = run(&url, &folder, "assets", "storage_key");
        assert_eq!(outcome.code, 1, "{outcome:#?}");
        assert_eq!(outcome.json()["run"]["outcome"], "failed");
        assert_eq!(outcome.json()["findings"], json!([]));
        assert!(outcome.stderr.contains("row-level security"), "{outcome:#?}");
        assert!(outcome.stderr.contains(hidden), "{outcome:#?}");
    }
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_table_that_the_role_may_not_read_fails_the_run() {
    let (database, folder) = (Postgres::new(), folder());
    database.run(ROWS);
    let url = database.role("GRANT SELECT ON assets TO {role}");

    let outcome = run(&url, &folder, "assets", "storage_key");
    assert_eq!(outcome.code, 1, "{outcome:#?}");
    assert_eq!(outcome.json()["findings"], json!([]));
    assert!(outcome.stderr.contains("permission denied for table users"), "{outcome:#?}");
}

/// Rights to what only the second look reads are missed before anything is compared, whatever the keys.
#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_column_that_the_role_may_not_read_fails_the_run_at_once() {
    let (database, folder) = (Postgres::new(), folder());
    database.run(ROWS);
    let url = database.role("GRANT SELECT (storage_key) ON assets TO {role}; GRANT SELECT ON users TO {role}");
    for column in ["storage_key", "storage_key\"\nkey_prefix = \"uploads/"] {
        let outcome = run(&url, &folder, "assets", column);
        assert_eq!(outcome.code, 1, "{outcome:#?}");
        assert!(outcome.stderr.contains("looking rows of assets up: "), "{outcome:#?}");
        assert!(outcome.stderr.contains("permission denied for table assets"), "{outcome:#?}");
        assert!(!outcome.stderr.contains("once more"), "it was asked before it was compared: {outcome:#?}");
    }
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_postgres_role_that_no_policy_filters_sees_everything() {
    let (database, folder) = (Postgres::new(), folder());
    database.run(ROWS);
    database.run("ALTER TABLE assets ENABLE ROW LEVEL SECURITY");
    let url = database.role("GRANT SELECT ON assets, users TO {role}; ALTER ROLE {role} BYPASSRLS");
    assert_finds_both(&run(&url, &folder, "assets", "storage_key"));
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_dry_run_on_postgres_writes_nothing() {
    let (database, folder) = (Postgres::new(), folder());
    database.run(ROWS);
    // Whatever the tool asks for, its transactions are refused every write ...
    let name = database.url().rsplit('/').next().expect("a database's name").to_owned();
    database.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let written = || {
        database.texts(
            "SELECT pg_stat_clear_snapshot()::text || concat_ws(' ', relname, n_tup_ins, n_tup_upd, n_tup_del)
             FROM pg_stat_user_tables ORDER BY relid",
        )
    };
    let contents = || database.texts("SELECT a::text FROM assets a UNION ALL SELECT u::text FROM users u ORDER BY 1");
    let before = (settled(&written), contents(), everything_below(folder.root()));

    assert_finds_both(&run(&database.url(), &folder, "assets", "storage_key"));
    // ... and none was counted.
    assert_eq!((settled(&written), contents(), everything_below(folder.root())), before);
}

#[test]
fn a_dry_run_on_sqlite_and_a_folder_writes_nothing() {
    let (database, folder) = (Sqlite::new(), folder());
    database.run(ROWS);
    let everything = || (everything_below(database.folder()), everything_below(folder.root()));
    let before = everything();

    assert_finds_both(&run(&database.url(), &folder, "assets", "storage_key"));
    assert_eq!(everything(), before);
}

#[test]
fn a_dry_run_leaves_the_file_of_a_write_ahead_logged_database_alone() {
    let (database, folder) = (Sqlite::new(), folder());
    database.run(&format!("PRAGMA journal_mode = wal; {ROWS}"));
    let file = || std::fs::read(database.file()).expect("the database");
    let before = file();

    assert_finds_both(&run(&database.url(), &folder, "assets", "storage_key"));
    assert_eq!(file(), before);
}

#[test]
fn a_sqlite_database_that_is_not_there_is_not_made() {
    let (database, folder) = (Sqlite::new(), folder());
    let outcome = run(&database.url(), &folder, "assets", "storage_key");
    assert!(matches!(outcome.code, 1 | 2), "{outcome:#?}");
    assert!(!database.file().exists());
}

#[test]
fn a_table_or_column_that_sqlite_does_not_have_is_named_with_those_that_are_there() {
    assert_says_what_there_is(&Sqlite::new());
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_table_or_column_that_postgres_does_not_have_is_named_with_those_that_are_there() {
    assert_says_what_there_is(&Postgres::new());
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_table_or_column_that_mariadb_does_not_have_is_named_with_those_that_are_there() {
    assert_says_what_there_is(&MariaDb::new());
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.put(&OBJECTS.map(|key| (key.to_owned(), Stored::LastMonth)));
    folder
}

fn run(url: &str, folder: &Folder, table: &str, column: &str) -> Outcome {
    let tool = Tool::new(&format!(
        r#"
[database]
url = "{url}"

{storage}
[[records]]
table = "{table}"
id = "id"
key = "{column}"

[[references]]
table = "users"
key = "avatar_key"
"#,
        storage = folder.configuration(),
    ));
    tool.run(&["--format", "json"])
}

fn assert_finds_both(outcome: &Outcome) {
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(keys_of(&outcome.json(), "orphaned-file"), ["stray.png"]);
    assert_eq!(keys_of(&outcome.json(), "orphaned-record"), ["first/lost.png"]);
}

fn assert_says_what_there_is(database: &dyn Database) {
    database.run(ROWS);
    let folder = folder();
    for (table, column, wrong, there) in
        [("asets", "storage_key", "asets", "assets"), ("assets", "storage_kee", "storage_kee", "storage_key")]
    {
        let outcome = run(&database.url(), &folder, table, column);
        assert_eq!(outcome.code, 2, "{outcome:#?}");
        let names =
            |name: &str| outcome.stderr.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
        assert!(names(wrong) && names(there), "{outcome:#?}");
    }
}

/// PostgreSQL's counters arrive late: the value that two looks in a row agree on.
fn settled(look: &dyn Fn() -> Vec<String>) -> Vec<String> {
    let mut last = look();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(1200));
        let next = look();
        if next == last {
            return next;
        }
        last = next;
    }
}
