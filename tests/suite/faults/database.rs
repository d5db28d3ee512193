//! A database that goes away in the middle of its keys: absence was not proven, so nothing is a finding.

use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use crate::support::proxy::Proxy;
use crate::support::tool::{Outcome, Tool};

const ROWS: usize = 60_000;

/// A URL with its place of address, and where that led.
fn through(url: &str, budget: usize) -> (String, Proxy) {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (login, rest) = rest.rsplit_once('@').map_or(("", rest), |(login, rest)| (login, rest));
    let (address, path) = rest.split_once('/').expect("a database in the URL");
    let host_and_port = match (address.contains(':'), scheme) {
        (true, _) => address.to_owned(),
        (false, "mysql") => format!("{address}:3306"),
        (false, _) => format!("{address}:5432"),
    };
    let proxy = Proxy::cutting_after(budget, &host_and_port);
    let login = if login.is_empty() { String::new() } else { format!("{login}@") };
    (format!("{scheme}://{login}{}/{path}", proxy.address), proxy)
}

fn server_url(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run tests/run"))
}

/// The tool, on a table of that database and a folder with one file of every thousandth row.
fn tool_on(url: &str, table: &str) -> Tool {
    let tool = Tool::new("");
    let root = tool.path("uploads");
    std::fs::create_dir(&root).expect("a folder");
    for number in (1..=ROWS).step_by(1000) {
        std::fs::write(root.join(format!("{number:08}.png")), "x").expect("a file");
    }
    tool.configure(&format!(
        "[database]\nurl = {url:?}\n[storage]\nkind = \"local\"\nage_by = \"modified\"\nroot = {root:?}\n[[records]]\ntable = {table:?}\n\
         id = \"id\"\nkey = \"storage_key\"\n[safety]\nmin_age = \"0s\"\n"
    ));
    tool
}

/// Cuts the keys' connection after so many bytes: with 17 bytes a row and more, even the last is in mid-stream.
fn expect_failure_in_mid_stream(url: &str, table: &str) {
    for budget in [50_000, 300_000, 600_000] {
        let (cut_url, proxy) = through(url, budget);
        let outcome = tool_on(&cut_url, table).run(&["--format", "json"]);
        assert!(proxy.was_cut(), "the connection was never cut after {budget} bytes");
        expect_failure(&outcome);
    }
}

fn expect_failure(outcome: &Outcome) {
    // The report is not shown: where this goes wrong, it is tens of thousands of lines long.
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let report = outcome.json();
    assert_eq!(report["run"]["outcome"], "failed", "{}", outcome.stderr);
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "absence was not proven");
    assert!(outcome.stderr.to_lowercase().contains("database"), "{}", outcome.stderr);
}

/// `cleanup-assets` on PostgreSQL, uncut through the proxy, reads every row: the cuts below are what fails.
/// Then, cut off in mid-stream, it fails and finds nothing.
#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_postgres_connection_lost_in_mid_stream_fails_and_finds_nothing() {
    let url = server_url("CLEANUP_ASSETS_TEST_POSTGRES");
    let table = "cut_off_in_mid_stream";
    run(async {
        let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
        let script = format!(
            "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (id bigint PRIMARY KEY, storage_key text);
             INSERT INTO {table} SELECT n, lpad(n::text, 8, '0') || '.png' FROM generate_series(1, {ROWS}) n"
        );
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.expect("a table");
    });
    expect_every_row(&url, table);
    expect_failure_in_mid_stream(&url, table);
    run(async {
        let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL");
        let script = AssertSqlSafe(format!("DROP TABLE {table}"));
        sqlx::raw_sql(script).execute(&mut connection).await.expect("no table");
    });
}

/// `cleanup-assets` on MariaDB, uncut through the proxy, reads every row; cut off, it fails and finds nothing.
#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_mariadb_connection_lost_in_mid_stream_fails_and_finds_nothing() {
    let url = server_url("CLEANUP_ASSETS_TEST_MARIADB");
    let table = "cut_off_in_mid_stream";
    run(async {
        let mut connection = MySqlConnection::connect(&url).await.expect("MariaDB");
        let script = format!(
            "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (id BIGINT PRIMARY KEY, storage_key VARCHAR(100));
             SET SESSION max_recursive_iterations = 1000000;
             INSERT INTO {table} WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})
             SELECT n, CONCAT(LPAD(n, 8, '0'), '.png') FROM numbers"
        );
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.expect("a table");
    });
    expect_every_row(&url, table);
    expect_failure_in_mid_stream(&url, table);
    run(async {
        let mut connection = MySqlConnection::connect(&url).await.expect("MariaDB");
        let script = AssertSqlSafe(format!("DROP TABLE {table}"));
        sqlx::raw_sql(script).execute(&mut connection).await.expect("no table");
    });
}

fn expect_every_row(url: &str, table: &str) {
    let (url, proxy) = through(url, usize::MAX);
    let report = tool_on(&url, table).report();
    assert_eq!(report["totals"]["records"], ROWS);
    assert!(!proxy.was_cut());
}

fn run(steps: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(steps);
}
