//! The report as CSV, one finding a line.

use std::io::{self, Write};

use super::{Rendering, machine_time};
use crate::domain::row_id;
use crate::domain::{Finding, Subject};

const HEADER: [&str; 9] = ["kind", "key", "size", "last_modified", "table", "id", "created_at", "held", "held_by"];

pub struct Csv<'a> {
    writer: csv::Writer<Box<dyn Write + 'a>>,
}

impl<'a> Csv<'a> {
    pub fn begin(out: Box<dyn Write + 'a>) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(HEADER).map_err(io_error)?;
        Ok(Csv { writer })
    }
}

impl Rendering for Csv<'_> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let kind = finding.kind.name().to_owned();
        let held = finding.held.as_ref().map(|held| held.reason.clone()).unwrap_or_default();
        let held_by = finding.held.as_ref().map_or("", |held| held.by.code()).to_owned();
        let cells = match &finding.subject {
            Subject::File { size, last_modified, .. } => {
                let last_modified = last_modified.map(machine_time).unwrap_or_default();
                [
                    kind,
                    finding.key.clone(),
                    size.to_string(),
                    last_modified,
                    String::new(),
                    String::new(),
                    String::new(),
                    held,
                    held_by,
                ]
            }
            Subject::Record { table, id, created_at, file } => {
                let created_at = created_at.map(machine_time).unwrap_or_default();
                let size = file.and_then(|file| file.size).map(|size| size.to_string()).unwrap_or_default();
                [
                    kind,
                    finding.key.clone(),
                    size,
                    String::new(),
                    table.clone(),
                    row_id::shown(id).to_owned(),
                    created_at,
                    held,
                    held_by,
                ]
            }
        };
        self.writer.write_record(cells.map(guarded)).map_err(io_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.flush()
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A cell that a spreadsheet would run as a formula, and one that begins with `'`, gets a `'` in front: whoever reads
/// the file back takes one `'` away.
fn guarded(cell: String) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\'' | '＝' | '＋' | '－' | '＠') => format!("'{cell}"),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn formulas_are_defused_and_quotes_are_doubled() {
        for (cell, expected) in
            [("=1+1", "'=1+1"), ("@x", "'@x"), ("-x", "'-x"), ("'x", "''x"), ("a=b", "a=b"), ("", "")]
        {
            assert_eq!(guarded(cell.to_owned()), expected);
        }
    }
}
