//! There and back: rows are deleted by a rule, and restored.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::random::{Column, name};

use crate::support::local::Folder;
use crate::support::servers::Database;
use crate::support::stores::{Store, Stored};
use crate::support::terminal;
use crate::support::tool::{Outcome, Tool};

/// Rows that are deleted, for each engine.
pub const ROWS: usize = 10_000;

/// The columns of a table that the tool is told of.
pub const ID: &str = "the id";
pub const KEY: &str = "storage \"key\"";
/// 1 in rows that are to go, and 2 in those that own nothing any more.
pub const DOOMED: &str = "doomed";

/// An application whose rows can be sent away and called back.
pub struct Trip {
    pub tool: Tool,
    folder: Folder,
}

impl Trip {
    /// For tables, as the configuration names them. `then` is what their rule does.
    pub fn of(database: &dyn Database, tables: &[String], then: &str) -> Trip {
        let folder = Folder::new();
        let sections = tables.iter().map(|table| {
            format!(
                "[[records]]\ntable = {table:?}\nid = {ID:?}\nkey = {KEY:?}\nwhere = \"{DOOMED} <> 2\"\n[[records.rules]]\nname = \"doomed\"\n\
                 where = \"{DOOMED} = 1\"\nthen = {then}\n\n"
            )
        });
        let tool = Tool::new(&format!(
            "[database]\nurl = {:?}\n\n{}\n{}[safety]\nmin_age = \"0s\"\nmax_removals = 100_000\nmax_percent = 100\n",
            database.url(),
            folder.configuration(),
            sections.collect::<String>(),
        ));
        let kept = (0..10).map(|number| (format!("kept-{number}.png"), Stored::LastMonth));
        folder.put(&kept.collect::<Vec<_>>());
        Trip { tool, folder }
    }

    /// The literal of a row's key: most have none, some name a file, and some one that is gone.
    pub fn key(&self, row: usize) -> String {
        match row % 10 {
            3 => {
                let key = format!("gone/{row}.png");
                self.folder.put(&[(key.clone(), Stored::LastMonth)]);
                format!("'{key}'")
            }
            6 => format!("'missing/{row}.png'"),
            _ => "NULL".to_owned(),
        }
    }

    /// Runs `--execute` at a terminal and confirms.
    pub fn execute(&self) -> Outcome {
        let root = self.folder.root().file_name().and_then(|name| name.to_str()).expect("a name");
        terminal::run(&self.tool, &["--execute", "--format", "json"], root)
    }

    /// Sends so many rows away, and gives the run's number.
    pub fn there(&self, rows: usize, word: &str) -> Value {
        let start = Instant::now();
        let outcome = self.execute();
        let report = outcome.json();
        assert_eq!(outcome.code, 0, "{:#}\n{}", report["removals"], outcome.stderr);
        assert_eq!(report["removals"][word], rows, "{:#}", report["removals"]);
        println!("{rows} rows: {word} in {:.1?}", start.elapsed());
        report["run"]["id"].clone()
    }

    /// Calls them back.
    pub fn back(&self, run: &Value, rows: usize) {
        let start = Instant::now();
        let mut child = self.tool.command(&["restore", "--run", &run.to_string()]);
        let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool starts");
        let status = format!("/proc/{}/status", child.id());
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            let mut peak = None;
            while stopped.recv_timeout(Duration::from_millis(10)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                peak = peak_kibibytes(&status).max(peak);
            }
            peak
        });
        let output = child.wait_with_output().expect("the tool ends");
        drop(stop);
        let peak = watch.join().expect("a peak");
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
        assert!(stdout.contains(&format!(" {rows} rows")), "{stdout}");
        println!("{rows} rows restored in {:.1?}, at most {:?} KiB", start.elapsed(), peak);
    }

    /// Every file that went with its row is back.
    pub fn expect_files(&self, rows: impl Iterator<Item = usize>) {
        let gone: Vec<String> = rows
            .filter(|row| row % 10 == 3)
            .map(|row| format!("gone/{row}.png"))
            .filter(|key| fs::metadata(self.folder.root().join(key)).is_err())
            .collect();
        assert!(gone.is_empty(), "{} files are not back: {:?}", gone.len(), &gone[..gone.len().min(5)]);
    }
}

/// Rows of [`Trip::undo`]: what was set is changed; something else is; it is deleted.
pub const CHANGED: usize = 5;
pub const CHANGED_ELSEWHERE: usize = 8;
pub const GONE: usize = 11;

impl Trip {
    /// Rows were updated, and three of them have changed since: `everything` gives the rows, in the order of their ids.
    pub fn undo(&self, rows: usize, change: impl Fn(), everything: impl Fn() -> Vec<String>) {
        let before = everything();
        let run = self.there(rows, "records_updated");
        let updated = everything();
        assert_eq!((0..rows).filter(|row| before[*row] == updated[*row]).count(), 0, "every row was updated");
        change();
        let changed = everything();
        let outcome = self.tool.run(&["restore", "--run", &run.to_string()]);
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        assert!(outcome.stdout.contains(&format!(" {} rows", rows - 2)), "{outcome:#?}");
        assert!(outcome.stderr.contains(&format!("id {CHANGED}: {DOOMED} was changed since")), "{outcome:#?}");
        assert!(outcome.stderr.contains(&format!("id {GONE}: the row is gone")), "{outcome:#?}");
        let after = everything();
        assert_eq!(after.len(), before.len() - 1);
        assert_eq!(after[CHANGED], changed[CHANGED], "a row that was changed since is left alone");
        assert_ne!(after[CHANGED_ELSEWHERE], changed[CHANGED_ELSEWHERE], "what the rule set is undone");
        assert_ne!(after[CHANGED_ELSEWHERE], before[CHANGED_ELSEWHERE], "what somebody else has set is left alone");
        let mut expected = before;
        expected.remove(GONE);
        for row in [CHANGED, CHANGED_ELSEWHERE] {
            expected[row].clone_from(&after[row]);
        }
        assert_same(&expected, &after);
    }
}

/// What a rule does that sets columns: those that `value` gives a value for, as TOML, and that the row owns nothing.
pub fn sets(columns: &[Column], value: impl Fn(&Column) -> Option<&'static str>) -> String {
    let written = columns.iter().enumerate().filter(|(_, column)| column.random.is_some());
    let set = written.filter_map(|(at, column)| Some(format!(", {:?} = {}", name(at), value(column)?)));
    format!("{{ set = {{ {DOOMED} = 2{} }} }}", set.collect::<String>())
}

/// The most memory that a process has had so far, where the system tells.
fn peak_kibibytes(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Expects rows to be what they were, and shows the first that is not.
pub fn assert_same(before: &[String], after: &[String]) {
    if let Some((was, is)) = before.iter().zip(after).find(|(was, is)| was != is) {
        let at = was.char_indices().zip(is.char_indices()).find(|((_, was), (_, is))| was != is);
        let from = at.map_or(0, |((at, _), _)| was.floor_char_boundary(at.saturating_sub(200)));
        let end = |text: &str| text.floor_char_boundary((from + 500).min(text.len()));
        let different = before.iter().zip(after).filter(|(was, is)| was != is).count();
        panic!(
            "{different} rows differ, the first here:\n{}\n{}",
            &was[from..end(was)],
            &is[from.min(end(is))..end(is)]
        );
    }
    assert_eq!(before.len(), after.len(), "rows");
}
