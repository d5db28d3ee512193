//! A ledger that an older program wrote, with runs, removals, an open intent and trash: it opens, is brought up to date in
//! one step, and restores what it knows. `ledger_format_3.sql` is such a ledger, as `sqlite3 .dump` prints it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use chrono::Utc;

use crate::support::sqlite::run_sql;
use crate::support::tool::{Tool, keys_of};

const DUMP: &str = include_str!("ledger_format_3.sql");
/// The folder of the run in the trash.
const TRASHED: &str = ".trash/01M8CWZC55ZGW8GTNN2GD92RVG";

/// The application of the dump as it was left: three files and a row with its file were removed, and the run died before it
/// had asked about the last of them once more.
fn left_behind() -> Tool {
    let tool = Tool::new("");
    let (database, root) = (tool.path("app.db"), tool.path("uploads"));
    tool.configure(&format!(
        "[database]\nurl = \"sqlite:{}\"\n\n[storage]\nkind = \"local\"\nroot = {root:?}\nage_by = \"modified\"\n\n\
         [[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\ncreated_at = \"created_at\"\n\n\
         [[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n\n[safety]\nmin_age = \"0s\"\n",
        database.display()
    ));
    let url = |path: PathBuf| format!("sqlite:{}?mode=rwc", path.display());
    let now = Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let replaced =
        [("@DATABASE@", &*database.display().to_string()), ("@ROOT@", &root.display().to_string()), ("@NOW@", &now)];
    let dump = replaced.iter().fold(DUMP.to_owned(), |dump, (name, value)| dump.replace(name, value));
    run_sql(&url(tool.path("ledger.db")), &dump);
    run_sql(&url(tool.path("ledger.db")), "UPDATE removals SET state = 'trashed-unsettled' WHERE id = 5");
    run_sql(&url(tool.path("ledger.db")), "UPDATE runs SET outcome = NULL, finished_at = NULL WHERE id = 2");
    run_sql(
        &url(database),
        "CREATE TABLE assets (id integer PRIMARY KEY, storage_key text, created_at text, status text)",
    );
    let put = |key: String| {
        let path = root.join(&key);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, format!("the file {key}")).expect("a file");
    };
    for id in 1..40 {
        put(format!("live/{id}.png"));
        let row = format!("INSERT INTO assets VALUES ({id}, 'live/{id}.png', datetime('now', '-90 days'), 'live')");
        run_sql(&url(tool.path("app.db")), &row);
    }
    ["live/40.png", "stray/0.png", "stray/1.png", "stray/2.png"].iter().for_each(|key| put(format!("{TRASHED}/{key}")));
    tool
}

fn copy_of(tool: &Tool) -> PathBuf {
    tool.path("ledger.db.format-3")
}

/// Everything that the old run removed comes back, by the ledger that it wrote.
fn expect_restored(tool: &Tool) {
    let outcome = tool.run(&["restore", "--run", "2"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    for key in ["live/40.png", "stray/0.png", "stray/1.png", "stray/2.png"] {
        assert!(tool.path("uploads").join(key).exists(), "{key}: {outcome:#?}");
    }
    let report = tool.report();
    assert_eq!(report["totals"]["records"], 40, "{report:#}");
    assert_eq!(keys_of(&report, "orphaned-file"), ["stray/0.png", "stray/1.png", "stray/2.png"]);
    assert!(!copy_of(tool).exists());
}

#[test]
fn a_ledger_of_an_older_format_is_brought_up_to_date_and_restores_its_trash() {
    let tool = left_behind();
    let outcome = tool.run(&["history", "--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let runs = outcome.json();
    let told: Vec<_> = runs["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| (run["id"].as_i64(), run["removed"].as_i64()))
        .collect();
    assert_eq!(told, [(Some(2), Some(5)), (Some(1), Some(0))], "{runs:#}");
    expect_restored(&tool);
}

/// Killed before the tables are made, with them half made, and with the copy still there.
#[test]
fn a_ledger_that_was_being_brought_up_to_date_opens_again() {
    for (step, has_copy) in [("migration:before", true), ("migrated:before", true), ("migration:after", true)] {
        let tool = left_behind();
        let marker = tool.path("held");
        let mut command = tool.command(&["--format", "json"]);
        command.env("CLEANUP_ASSETS_HOLD", format!("{step}:1")).env("CLEANUP_ASSETS_HOLD_FILE", &marker);
        let mut run = command.spawn().expect("the tool starts");
        while !marker.exists() {
            assert!(run.try_wait().expect("the tool").is_none(), "{step} was not met");
            sleep(Duration::from_millis(5));
        }
        run.kill().expect("the tool is there");
        run.wait().expect("its end");
        assert_eq!(copy_of(&tool).exists(), has_copy, "{step}");
        let mode = fs::metadata(copy_of(&tool)).expect("the copy").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        expect_restored(&tool);
    }
}

#[test]
fn a_ledger_of_a_newer_program_is_refused_and_left_alone() {
    let tool = left_behind();
    run_sql(&format!("sqlite:{}", tool.path("ledger.db").display()), "PRAGMA user_version = 99");
    let outcome = tool.run(&["restore", "--run", "2"]);
    assert_eq!(outcome.code, 1, "{outcome:#?}");
    assert!(outcome.stderr.contains("a newer version of cleanup-assets (format 99"), "{outcome:#?}");
    assert!(!copy_of(&tool).exists());
}

/// Somebody who names the application's own database as the ledger does not find it filled with other tables.
#[test]
fn another_programs_database_is_no_ledger() {
    let tool = left_behind();
    let config = fs::read_to_string(tool.path("config.toml")).expect("the configuration");
    tool.configure(&config.replace("ledger.db", "app.db"));
    for arguments in [&["--format", "json"][..], &["history"], &["--execute"]] {
        let outcome = tool.run(arguments);
        assert_eq!(outcome.code, 2, "{outcome:#?}");
        assert!(outcome.stderr.contains("another program's database, and holds the table assets"), "{outcome:#?}");
    }
}
