//! The report as people read it. Whatever came from outside is escaped.

use std::fmt::Display;
use std::io::{self, Write};

use super::{Outcome, Rendering, Report};
use crate::domain::key::Printable;
use crate::domain::removal::{Removals, Stopped, Versions};
use crate::domain::row_id;
use crate::domain::{CondemnedFile, Finding, Kind, Side, Subject, Time};

/// Findings that standard output lists in a section; a file has them all.
pub const LISTED: usize = 100;

pub struct Text<'a> {
    report: &'a Report,
    out: Box<dyn Write + 'a>,
    /// How many findings of the section that is being written are still to come.
    section: Option<u64>,
}

impl<'a> Text<'a> {
    pub fn begin(report: &'a Report, out: Box<dyn Write + 'a>) -> io::Result<Self> {
        let mut text = Text { report, out, section: None };
        text.head()?;
        Ok(text)
    }

    fn end_section(&mut self) -> io::Result<()> {
        match self.section.take() {
            Some(more) if more > 0 => {
                writeln!(self.out, "  … and {more} more; `--output report.csv` or `--format json` lists them all")
            }
            _ => Ok(()),
        }
    }

    fn head(&mut self) -> io::Result<()> {
        let report = self.report;
        writeln!(self.out, "=== Storage Maintenance Report ===")?;
        writeln!(self.out, "Timestamp: {}", report.started_at.format("%Y-%m-%dT%H:%M:%SZ"))?;
        writeln!(self.out, "Database: {} {}", report.database_engine, Printable(&report.database_address))?;
        for other in &report.databases {
            let (engine, address) = (&other.engine, Printable(&other.address));
            writeln!(self.out, "Database {}: {engine} {address}", other.name)?;
        }
        writeln!(self.out, "Storage: {} {}", report.storage_kind, Printable(&report.storage_address))?;
        if report.resumed > 0 {
            let plural = if report.resumed == 1 { "" } else { "s" };
            writeln!(self.out, "Resolved {} removal{plural} that an earlier run left open", report.resumed)?;
        }
        for warning in &report.warnings {
            writeln!(self.out, "\n⚠️  WARNING: {}", Printable(warning))?;
        }
        Ok(())
    }

    fn failure(&mut self) -> io::Result<()> {
        let what = match self.report.outcome {
            Outcome::Interrupted => "was interrupted",
            _ => "failed",
        };
        writeln!(self.out, "\n❌ The comparison {what}: nothing is known to be missing, and nothing is reported.")?;
        match &self.report.error {
            Some(error) => writeln!(self.out, "   {}", Printable(error)),
            None => Ok(()),
        }
    }

    /// What to say of a kind that is always told of, where nothing was found.
    fn nothing(&self, kind: &Kind) -> String {
        if self.report.is_list {
            return format!("No {}s among those that --only names", kind.noun());
        }
        match kind.side() {
            Side::Row => self.no_rows(),
            Side::File => self.no_files(),
        }
    }

    fn no_rows(&self) -> String {
        let Report { totals, found, min_age, .. } = self.report;
        match totals.too_young_records {
            _ if totals.records == 0 => "⚠️  The database has no records to check".to_owned(),
            young @ 1.. => format!("✅ No orphaned records; {young} without a file are younger than {min_age}"),
            _ if found.condemned().without_file > 0 || totals.too_young_condemned > 0 => {
                "✅ No orphaned records; what rules say of others stands below".to_owned()
            }
            _ => format!("✅ All {} DB records have corresponding files", totals.records),
        }
    }

    fn no_files(&self) -> String {
        let Report { totals, min_age, .. } = self.report;
        match totals.too_young.saturating_sub(totals.too_young_records + totals.too_young_condemned) {
            _ if totals.objects == 0 => "⚠️  The storage has no files to check".to_owned(),
            young @ 1.. => format!("✅ No orphaned files; {young} without a DB record are younger than {min_age}"),
            _ => format!("✅ All {} files are known to the database", totals.objects),
        }
    }

    fn summary(&mut self) -> io::Result<()> {
        let Report { totals, found, min_age, .. } = self.report;
        writeln!(self.out, "\n=== Summary ===")?;
        for kind in &self.report.kinds {
            match found.of(kind).findings {
                0 if !kind.is_always_told() => {}
                count => writeln!(self.out, "{}: {count}", Printable(kind.label()))?,
            }
        }
        for kind in self.report.kinds.iter().filter(|kind| kind.side() == Side::File && found.of(kind).bytes > 0) {
            writeln!(self.out, "Bytes in {}s: {}", kind.noun(), size(found.of(kind).bytes))?;
        }
        writeln!(
            self.out,
            "Compared: {} files ({}), {} DB records",
            totals.objects,
            size(totals.object_bytes),
            totals.records
        )?;
        let asides = [
            (totals.references, "References: ", ""),
            (totals.derived, "Files that belong to wanted ones: ", ""),
            (found.all().held, "Held, and never removed: ", ""),
            (self.report.later, "Left for a later run (--limit): ", ""),
            (totals.too_young, "Too young to judge: ", min_age.as_str()),
            (totals.outside_prefix, "Database keys outside the prefix, not compared: ", ""),
            (totals.unreadable_names, "File names that are not UTF-8, never findings: ", ""),
        ];
        for (count, words, age) in asides.into_iter().filter(|(count, ..)| *count > 0) {
            match age {
                "" => writeln!(self.out, "{words}{count}")?,
                age => writeln!(self.out, "{words}{count} (younger than {age})")?,
            }
        }
        Ok(())
    }
}

impl Rendering for Text<'_> {
    fn section(&mut self, kind: &Kind) -> io::Result<()> {
        if matches!(self.report.outcome, Outcome::Failed | Outcome::Interrupted) && self.report.removals.is_none() {
            return Ok(());
        }
        self.end_section()?;
        let findings = self.report.found.of(kind).findings;
        self.section = Some(findings);
        if findings == 0 && !kind.is_always_told() {
            return Ok(());
        }
        writeln!(self.out, "\n=== {} ===", Printable(&kind.heading()))?;
        let plural = if findings == 1 { "" } else { "s" };
        match findings {
            0 => writeln!(self.out, "{}", self.nothing(kind)),
            _ => writeln!(self.out, "⚠️  Found {findings} {}{plural}:", Printable(&kind.noun())),
        }
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        if let Some(to_come) = &mut self.section {
            *to_come = to_come.saturating_sub(1);
        }
        writeln!(self.out, "{}", line(finding))
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.end_section()?;
        match self.report.outcome {
            Outcome::Failed | Outcome::Interrupted if self.report.removals.is_none() => self.failure()?,
            _ => self.summary()?,
        }
        if let Some((_, message)) = &self.report.refusal {
            writeln!(self.out, "\n❌ Refused, and nothing was removed: {}", Printable(message))?;
        }
        if let Some(done) = &self.report.removals {
            removals(&mut self.out, done)?;
        }
        self.out.flush()
    }
}

/// What was removed, as the end of a report.
pub fn removals(out: &mut dyn Write, done: &Removals) -> io::Result<()> {
    writeln!(out, "\n=== Removals ===")?;
    if done.files_trashed > 0 || done.removed() == 0 && done.put_back == 0 {
        writeln!(out, "Files moved to the trash: {}", done.files_trashed)?;
    }
    let lines = [
        (done.files_deleted, "Files deleted for good"),
        (done.records_deleted, "Records deleted"),
        (done.records_updated, "Records updated"),
        (done.put_back, "Put back, as they became wanted"),
        (done.purged, "Old trash deleted for good"),
        (done.skipped, "Skipped, as they changed or are wanted after all"),
        (done.failed, "Failed"),
        (done.left, "Left for another run"),
    ];
    for (count, words) in lines.into_iter().filter(|(count, _)| *count > 0) {
        writeln!(out, "{words}: {count}")?;
    }
    for (reason, count) in &done.reasons {
        writeln!(out, "  - {count}: {}", Printable(reason))?;
    }
    bytes(out, done)?;
    match done.stopped {
        Some(Stopped::Interrupted) => writeln!(out, "Interrupted: the batch in hand was finished.")?,
        Some(Stopped::OutOfTime) => writeln!(out, "Out of time (max_runtime): the batch in hand was finished.")?,
        None => {}
    }
    done.errors.iter().try_for_each(|error| writeln!(out, "  ❌ {}", Printable(error)))
}

/// What of it was freed: a file in the trash takes as much room as before, and so does an old version.
fn bytes(out: &mut dyn Write, done: &Removals) -> io::Result<()> {
    if done.bytes + done.purged_bytes == 0 {
        return Ok(());
    }
    match done.freed_bytes() {
        Some(bytes) => writeln!(out, "Bytes freed: {}", size(bytes))?,
        None => writeln!(out, "Bytes freed: unknown")?,
    }
    if done.later_bytes() > 0 {
        writeln!(out, "Bytes freed later: {}", size(done.later_bytes()))?;
    }
    let versions = match done.versions {
        Versions::None => return Ok(()),
        Versions::Kept => {
            "The bucket keeps old versions: what is deleted takes up room until a lifecycle rule expires it."
        }
        Versions::Suspended => {
            "The bucket's versioning is suspended: what was stored since then goes for good when it is deleted, and what was \
             stored before stays as an old version."
        }
        Versions::Unknown => {
            "Whether the bucket keeps old versions is unknown: it could not be asked (s3:GetBucketVersioning)."
        }
    };
    writeln!(out, "{versions}")
}

fn line(finding: &Finding) -> String {
    let key = Printable(&finding.key);
    let facts = match &finding.subject {
        Subject::File { size: bytes, last_modified, derived_from, .. } => {
            let facts = format!("created: {}, {}", day(*last_modified), size(*bytes));
            match derived_from {
                Some(owner) => format!("{facts}, belonged to {}", Printable(owner)),
                None => facts,
            }
        }
        Subject::Record { table, id, created_at, file } => {
            let row =
                format!("{} id {}, created: {}", Printable(table), Printable(row_id::shown(id)), day(*created_at));
            match file {
                None => row,
                Some(CondemnedFile { shared: true, .. }) => format!("{row}; others want its file"),
                Some(CondemnedFile { size: Some(bytes), .. }) => format!("{row}, {}", size(*bytes)),
                Some(CondemnedFile { is_folder: true, .. }) => format!("{row}, with its folder"),
                Some(CondemnedFile { size: None, .. }) => format!("{row}, no file"),
            }
        }
    };
    let key: &dyn Display = if finding.key.is_empty() { &"(no key)" } else { &key };
    match &finding.held {
        Some(held) => format!("  - {key} ({facts}) [held: {}]", Printable(&held.reason)),
        None => format!("  - {key} ({facts})"),
    }
}

fn day(time: Option<Time>) -> String {
    time.map_or_else(|| "unknown".to_owned(), |time| time.format("%Y-%m-%d").to_string())
}

/// Bytes as people read them.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut scaled = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        // 1023.95 KiB would print as 1024.0 KiB.
        if scaled < 1023.95 {
            break;
        }
        (scaled, unit) = (scaled / 1024.0, larger);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{scaled:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_readable() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (49_357, "48.2 KiB"),
            (1 << 20, "1.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
