//! Servers that are not simply a primary server: a pooler that gives each transaction to another connection, a standby, and
//! one that takes no writes.

use std::fs;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use crate::rules::scene::{Engine, Scene, warnings};
use crate::support::mariadb::MariaDb;
use crate::support::servers::{blocking, setting, with_database};
use crate::support::terminal;

const RULES: &str = "missing_file = \"delete\"\n[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\nthen = { set = { status = \"gone\" } }\n";

/// A stray file, a row without its file, and a row that a rule condemns.
fn scene(engine: Engine) -> Scene {
    let scene = Scene::of_assets(engine, "where = \"status <> 'gone'\"\n");
    scene.configure_assets(&format!("where = \"status <> 'gone'\"\n{RULES}"), crate::rules::scene::NO_LIMITS);
    fill(&scene);
    scene
}

fn fill(scene: &Scene) {
    scene.asset(4, "live/lost.png", "live", "NULL");
    scene.asset(5, "live/dead.png", "dead", "NULL");
    scene.put("live/dead.png");
    scene.put("live/stray.png");
}

/// The tool asks through another server, where the database has the same name.
fn through(scene: &Scene, server: &str) {
    let own = scene.database.url();
    let name = own.rsplit('/').next().expect("a name");
    let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    scene.tool.configure(&config.replace(&format!("{own:?}"), &format!("{:?}", with_database(server, name))));
}

#[test]
#[ignore = "needs PgBouncer: run tests/run"]
fn a_pooler_of_transactions_serves_runs_removals_and_restores() {
    let scene = scene(Engine::Postgres);
    let pooler = setting("PGBOUNCER");
    through(&scene, &pooler);
    let name = scene.database.url().rsplit('/').next().expect("a name").to_owned();
    // Each of the pool's connections has statements of the names that drivers give theirs, as other clients leave them.
    blocking(async {
        let mut held = Vec::new();
        for _ in 0..3 {
            let mut connection = PgConnection::connect(&with_database(&pooler, &name)).await.expect("the pooler");
            sqlx::raw_sql("BEGIN; PREPARE sqlx_s_1 AS SELECT 1; PREPARE sqlx_s_2 AS SELECT 1")
                .execute(&mut connection)
                .await
                .expect("statements");
            held.push(connection);
        }
        for mut connection in held {
            sqlx::raw_sql("COMMIT").execute(&mut connection).await.expect("a commit");
        }
    });
    for _ in 0..4 {
        assert_eq!(crate::support::tool::keys_of(&scene.tool.report(), "orphaned-file"), ["live/stray.png"]);
    }
    let removals = scene.executed()["removals"].clone();
    assert_eq!((&removals["records_deleted"], &removals["records_updated"]), (&1.into(), &1.into()), "{removals:#}");
    assert_eq!(removals["files_trashed"], 2, "{removals:#}");
    let outcome = scene.tool.run(&["restore", "--run", "5"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.ids("assets").len(), 5);
    assert!(["live/dead.png", "live/stray.png"].iter().all(|key| scene.files().contains(*key)));
}

/// A dry run against a standby reports, and says what it is; a run that removes is refused before it asks.
#[test]
#[ignore = "needs a standby of PostgreSQL: run tests/run"]
fn a_standby_reports_and_removes_nothing() {
    let scene = scene(Engine::Postgres);
    let standby = setting("STANDBY");
    let name = scene.database.url().rsplit('/').next().expect("a name").to_owned();
    wait_for(&with_database(&standby, &name));
    through(&scene, &standby);
    expect_refused(&scene, "it is a standby, and has replayed nothing that is newer than");
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_server_that_takes_no_writes_reports_and_removes_nothing() {
    let scene = Scene { database: Box::new(MariaDb::on(&setting("READ_ONLY_MARIADB"))), ..Scene::new(Engine::MariaDb) };
    scene.run("CREATE TABLE assets (id {id}, storage_key {text}, created_at {time}, status {text}, ended_at {time})");
    for id in 1..=3 {
        scene.asset(id, &format!("live/{id}.png"), "live", "NULL");
        scene.put(&format!("live/{id}.png"));
    }
    scene.configure_assets(&format!("where = \"status <> 'gone'\"\n{RULES}"), crate::rules::scene::NO_LIMITS);
    fill(&scene);
    expect_refused(&scene, "it takes no writes (read_only is on)");
}

fn expect_refused(scene: &Scene, words: &str) {
    let report = scene.tool.report();
    assert_eq!(crate::support::tool::keys_of(&report, "orphaned-file"), ["live/stray.png"], "{report:#}");
    assert!(warnings(&report).iter().any(|warning| warning.contains(words)), "{report:#}");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
    assert_eq!((outcome.code, outcome.json()["refusal"]["limit"].clone()), (12, "read_only".into()), "{outcome:#?}");
    assert!(scene.files().contains("live/stray.png"));
}

/// Waits until the standby has the last row that the test made.
fn wait_for(url: &str) {
    let began = Instant::now();
    let has_it = || {
        blocking(async {
            let mut connection = PgConnection::connect(url).await.ok()?;
            let sql = AssertSqlSafe("SELECT count(*) FROM assets WHERE id = 5".to_owned());
            let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.ok()?;
            Some(count == 1)
        })
    };
    while has_it() != Some(true) {
        assert!(began.elapsed() < Duration::from_secs(60), "the standby does not follow");
        std::thread::sleep(Duration::from_millis(100));
    }
}
