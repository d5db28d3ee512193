//! What became of everything that was to be brought back: what is not back is named at once on standard error, and the
//! end is said on standard output, as text or as one JSON document. Nothing is decided here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::TextOrJson;
use crate::database::Back;
use crate::domain::key::Printable;
use crate::domain::row_id;
use crate::execute::Restored;
use crate::ledger::Removal;
use crate::report::{size, write_value};
use crate::scratch;

/// Reasons that are told apart; rows that fail for others are all named.
const REASONS: usize = 20;

pub struct Told {
    files: u64,
    bytes: u64,
    rows: u64,
    left_alone: u64,
    failed: u64,
    /// Why rows failed, and how many more did so than the one that was named.
    reasons: BTreeMap<String, u64>,
    /// For JSON, what is not back, a line each: there may be millions.
    errors: Option<BufWriter<File>>,
}

impl Told {
    pub fn new(format: TextOrJson) -> Result<Self> {
        let errors = match format {
            TextOrJson::Text => None,
            TextOrJson::Json => Some(BufWriter::new(scratch::file()?)),
        };
        Ok(Told { files: 0, bytes: 0, rows: 0, left_alone: 0, failed: 0, reasons: BTreeMap::new(), errors })
    }

    /// Whether everything is back.
    pub fn is_complete(&self) -> bool {
        self.failed + self.left_alone == 0
    }

    /// What became of one file.
    pub fn file(&mut self, removal: &Removal, restored: Restored) -> io::Result<()> {
        let key = Printable(&removal.object.key);
        match restored {
            Restored::Done | Restored::DoneLeft => {
                self.files += 1;
                self.bytes += removal.object.size;
                Ok(())
            }
            Restored::Taken => {
                eprintln!("{key}: something else is there now, and was left alone");
                self.left_alone(document(removal, "something else is there now"))
            }
            Restored::Failed(reason) => {
                eprintln!("{key}: {}", Printable(&reason));
                self.failed(document(removal, &reason))
            }
        }
    }

    /// A file of a trash that is not there, which was told once.
    pub fn out_of_reach(&mut self, removal: &Removal, why: &str) -> io::Result<()> {
        self.failed(document(removal, why))
    }

    /// What became of one row.
    pub fn row(&mut self, removal: &Removal, back: Back) -> io::Result<()> {
        let Some(row) = &removal.row else { return Ok(()) };
        let name = format!("{} id {}", row.table, row_id::shown(&row.id));
        match back {
            Back::Done => {
                self.rows += 1;
                Ok(())
            }
            Back::Taken(reason) => {
                eprintln!("{}: {}; it was left alone", Printable(&name), Printable(&reason));
                self.left_alone(document(removal, &reason))
            }
            Back::Failed(reason) => {
                self.failed(document(removal, &reason))?;
                self.say_once(&name, reason);
                Ok(())
            }
        }
    }

    /// Rows of another database, which are not looked for in this one.
    pub fn rows_of_another(&mut self, database: &str, count: u64) -> io::Result<()> {
        let (rows, were) = if count == 1 { ("row", "was") } else { ("rows", "were") };
        let why = format!(
            "{count} {rows} {were} removed from another database ({database}): `restore` with its own configuration brings \
             them back"
        );
        eprintln!("{}", Printable(&why));
        self.failed(json!({ "key": null, "table": null, "id": null, "detail": why }))
    }

    /// A key of which nothing was removed.
    pub fn nothing_of(&mut self, key: &str) -> io::Result<()> {
        let why = "it is not in the trash, and the ledger knows no removed row of it";
        eprintln!("{}: {why}", Printable(key));
        self.failed(json!({ "key": key, "table": null, "id": null, "detail": why }))
    }

    /// Names the first row that failed for a reason, and counts the others.
    fn say_once(&mut self, name: &str, reason: String) {
        if let Some(more) = self.reasons.get_mut(&reason) {
            *more += 1;
            return;
        }
        eprintln!("{}: {}", Printable(name), Printable(&reason));
        if self.reasons.len() < REASONS {
            self.reasons.insert(reason, 0);
        }
    }

    fn left_alone(&mut self, error: Value) -> io::Result<()> {
        self.left_alone += 1;
        self.keep("left-alone", error)
    }

    fn failed(&mut self, error: Value) -> io::Result<()> {
        self.failed += 1;
        self.keep("failed", error)
    }

    fn keep(&mut self, outcome: &str, mut error: Value) -> io::Result<()> {
        let Some(errors) = &mut self.errors else { return Ok(()) };
        error["outcome"] = json!(outcome);
        let is_first = self.failed + self.left_alone == 1;
        errors.write_all(if is_first { b"\n  " } else { b",\n  " })?;
        write_value(errors, &error)
    }

    /// Says how it ended. Whoever reads standard output may stop reading.
    pub fn finish(mut self) -> io::Result<()> {
        for (reason, more) in self.reasons.iter().filter(|(_, more)| **more > 0) {
            let rows = if *more == 1 { "row" } else { "rows" };
            let reason = reason.lines().next().unwrap_or_default();
            eprintln!("{more} more {rows} for the same reason: {}", Printable(reason));
        }
        let errors = self.errors.take().map(BufWriter::into_inner).transpose()?;
        let said = match errors {
            Some(errors) => self.say_json(errors),
            None => self.say_text(),
        };
        said.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
    }

    fn say_text(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "Restored: {} files ({}), {} rows", self.files, size(self.bytes), self.rows)?;
        if self.left_alone > 0 {
            writeln!(out, "Left alone, as something else is in their place now: {}", self.left_alone)?;
        }
        if self.failed > 0 {
            writeln!(out, "Failed: {}", self.failed)?;
        }
        Ok(())
    }

    fn say_json(&self, mut errors: File) -> io::Result<()> {
        errors.rewind()?;
        let mut out = BufWriter::new(io::stdout().lock());
        write!(out, "{{\"schema\": 1,\n \"restored\": ")?;
        write_value(&mut out, &json!({ "files": self.files, "bytes": self.bytes, "rows": self.rows }))?;
        write!(out, ",\n \"left_alone\": {},\n \"failed\": {},\n \"errors\": [", self.left_alone, self.failed)?;
        io::copy(&mut errors, &mut out)?;
        writeln!(out, "]}}")?;
        out.flush()
    }
}

/// A file or a row that is not back, and why.
fn document(removal: &Removal, why: &str) -> Value {
    json!({
        "key": Some(&removal.object.key).filter(|key| !key.is_empty()),
        "table": removal.row.as_ref().map(|row| &row.table),
        "id": removal.row.as_ref().map(|row| row_id::to_json(&row.id)),
        "detail": why,
    })
}
