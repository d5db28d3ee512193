//! What only MariaDB has: tables without transactions, and foreign keys that a user with few rights is not shown.

use std::fs;

use super::scene::{Engine, NAME, Scene};
use crate::support::mariadb::MariaDb;
use crate::support::servers::{Database, unique_name, with_login};
use crate::support::terminal;

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

fn condemned() -> Scene {
    let scene = Scene::of_assets(Engine::MariaDb, DEAD);
    scene.asset(4, "dead-4.png", "dead", "NULL");
    scene.put("dead-4.png");
    scene
}

/// `--execute` on a MyISAM table: what turned out wrong could not be taken back.
#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn rows_of_a_table_without_transactions_are_never_removed() {
    let scene = condemned();
    scene.run("ALTER TABLE assets ENGINE = MyISAM");
    scene.expect_refused("whole_rows", &["assets", "MyISAM", "InnoDB"]);
}

/// `--execute` as a user with rights to the table alone: what it is not shown may cascade (I19).
#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_user_that_is_not_shown_every_foreign_key_is_refused() {
    let scene = condemned();
    scene.run(
        "CREATE TABLE comments (id {id}, asset bigint, FOREIGN KEY (asset) REFERENCES assets (id) ON DELETE CASCADE);
         INSERT INTO comments VALUES (1, 4);",
    );
    let user = unique_name('_');
    scene.run(&format!("CREATE USER {user} IDENTIFIED BY 'secret'"));
    scene.run(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON assets TO {user}"));
    let path = scene.tool.path("config.toml");
    let config = fs::read_to_string(&path).expect("the configuration");
    let url = scene.database.url();
    fs::write(&path, config.replace(&url, &with_login(&url, &user, "secret"))).expect("the configuration");
    scene.expect_refused("allow_cascade", &["assets", "cannot see", "SELECT and TRIGGER"]);
    assert_eq!(scene.ids("comments"), ["1"]);
    // Whoever has them is told what there is.
    scene.run(&format!("GRANT SELECT, TRIGGER ON {}.* TO {user}", url.rsplit('/').next().expect("a name")));
    scene.expect_refused("allow_cascade", &["foreign key", "comments", "deletes rows", "other databases", "PROCESS"]);
    scene.configure_assets(&format!("allow_cascade = true\n{DEAD}"), "[safety]\nmax_percent = 100\n");
    let outcome = terminal::run(&scene.tool, &["--execute"], NAME);
    assert!(outcome.code == 0 && outcome.stderr.contains("that cannot be brought back"), "{outcome:#?}");
    scene.run(&format!("DROP USER {user}"));
}

/// A foreign key of a table in another database, which only the server's own catalog tells a user of who has no rights there.
#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_foreign_key_of_another_database_is_refused() {
    let (scene, other) = (condemned(), MariaDb::new());
    let url = scene.database.url();
    let name = url.rsplit('/').next().expect("a name");
    other.run(&format!(
        "CREATE TABLE `com-ments` (id bigint PRIMARY KEY, asset bigint,
             FOREIGN KEY (asset) REFERENCES {name}.assets (id) ON DELETE CASCADE)"
    ));
    let words = ["foreign key", "deletes rows"];
    scene.expect_refused("allow_cascade", &words);
    let user = unique_name('_');
    scene.run(&format!("CREATE USER {user} IDENTIFIED BY 'secret'"));
    scene.run(&format!("GRANT ALL ON {name}.* TO {user}"));
    let path = scene.tool.path("config.toml");
    let config = fs::read_to_string(&path).expect("the configuration");
    fs::write(&path, config.replace(&url, &with_login(&url, &user, "secret"))).expect("the configuration");
    scene.expect_refused("allow_cascade", &["foreign keys of other databases that this user cannot see", "PROCESS"]);
    scene.run(&format!("GRANT PROCESS ON *.* TO {user}"));
    scene.expect_refused("allow_cascade", &words);
    other.run("DROP TABLE `com-ments`");
    assert_eq!(scene.executed()["removals"]["records_deleted"], 1);
    scene.run(&format!("DROP USER {user}"));
}
