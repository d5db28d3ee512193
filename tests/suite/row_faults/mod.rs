//! What breaks in the database while rows are removed: whatever does, nothing is lost, what is reported as removed is
//! removed, and the next run ends the work.
//!
//! | fault | the stream of keys | the second look | the row's transaction | the answer to its commit |
//! | --- | --- | --- | --- | --- |
//! | connection lost (a proxy) | `connection` | `connection` | `connection` | `connection`: never arrives, is lost, arrives late, with the database down |
//! | session ended by an administrator | `stopped` | `stopped` | `stopped` | |
//! | statement cancelled, as by a timeout | `stopped` | `stopped` | `stopped` | |
//! | lock timeout | | | `locks` | |
//! | deadlock | | | `locks`: once, and for ever | |
//! | rights revoked | `rights` | `rights` | `rights` | |
//!
//! `races` is an application at work on the same rows, `guards` what a row stays for.
//!
//! Which guard each of these tests holds: `src/invariants.rs`.

mod connection;
mod guards;
mod locks;
mod races;
mod rights;
mod stopped;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::row_scene::{BUCKET, RowScene};
use crate::support::servers::Database;
use crate::support::terminal::{self, Terminal};
use crate::support::tool::Outcome;

/// The row at which something breaks, counted from 0; there are others before and after it.
const BROKEN: usize = 1;
const ROWS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);

/// Prints how many cells were run; not with `println!`, which a test that passes keeps to itself.
fn say(cells: usize, name: &str) {
    writeln!(io::stdout(), "row_faults: {cells} cells, {name}").expect("standard output");
}

fn execute(scene: &RowScene) -> Outcome {
    terminal::run(&scene.tool, &["--execute", "--format", "json"], BUCKET)
}

/// The tool, at its prompt.
fn at_prompt(scene: &RowScene) -> Terminal {
    let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
    assert!(terminal.prompt(), "there is nothing to confirm: {}", terminal.shown);
    terminal
}

/// How many rows a run says it has removed.
fn reported(report: &Value) -> u64 {
    let count = |name: &str| report["removals"][name].as_u64().unwrap_or(0);
    count("records_deleted") + count("records_updated")
}

/// How many rows are not what they were.
fn gone(scene: &RowScene) -> u64 {
    let table = scene.table();
    let gone = scene.first_rows.iter().filter(|(id, row)| table.get(*id).map(|row| &row.status) != Some(&row.status));
    gone.count() as u64
}

/// It failed before it removed anything.
fn assert_nothing_happened(scene: &RowScene, outcome: &Outcome) {
    assert_eq!(outcome.code, 1, "{outcome:#?}");
    scene.assert_all_is_back();
    assert_eq!(reported(&outcome.json()), 0, "{outcome:#?}");
}

/// One row failed alone: the others are gone, and their files.
fn assert_one_failed(scene: &RowScene, outcome: &Outcome) {
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["removals"]["failed"], 1, "{outcome:#?}");
    assert_eq!((reported(&report), gone(scene)), (ROWS as u64 - 1, ROWS as u64 - 1), "{outcome:#?}");
    assert_eq!(scene.table().get(&scene.id(BROKEN)), scene.first_rows.get(&scene.id(BROKEN)));
    scene.assert_nothing_is_lost();
    scene.assert_ledger_agrees();
}

/// A run without faults ends the work, and everything comes back.
fn assert_converges(scene: &RowScene) {
    let outcome = execute(scene);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    scene.assert_all_went(&[]);
    scene.assert_ledger_agrees();
    for run in scene.runs() {
        let outcome = scene.tool.run(&["restore", "--run", &run.to_string()]);
        let nothing = outcome.code == 2 && outcome.stderr.contains("nothing of run");
        assert!(outcome.code == 0 || nothing, "{outcome:#?}");
    }
    scene.assert_all_is_back();
    scene.assert_ledger_agrees();
}

/// Waits until the database answers `sql` with anything, and gives that.
fn wait_for(database: &dyn Database, sql: &str) -> String {
    let began = Instant::now();
    loop {
        if let Some(answer) = database.texts(sql).pop() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "never: {sql}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The tool's sessions that wait for a lock, in PostgreSQL.
const WAITING: &str = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() \
     AND wait_event_type = 'Lock' AND application_name = 'cleanup-assets'";
/// The tool's sessions that wait for a row, in MariaDB: nothing else of theirs takes so long. Its own list of what waits is
/// renewed only when nobody has asked for a while.
const WAITING_FOR_ROW: &str = "SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE db = DATABASE() \
     AND id <> CONNECTION_ID() AND command IN ('Query', 'Execute') AND time_ms > 400";
