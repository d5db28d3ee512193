//! One report, three renderings. Pure but for the writer that each is handed: no clock, no database, no terminal.

mod csv;
mod json;
mod text;
pub mod warnings;

use std::io;

use chrono::{Datelike, SecondsFormat, Timelike};

use crate::domain::removal::Removals;
use crate::domain::{Finding, Found, Kind, Requests, Time, Totals};
pub use json::write_value;
pub use text::{LISTED, removals, size};

/// Everything that a report says, but for the findings themselves, which are streamed to it.
#[derive(Debug, Clone)]
pub struct Report {
    pub run: i64,
    pub mode: &'static str,
    pub outcome: Outcome,
    pub started_at: Time,
    pub finished_at: Time,
    pub database_engine: String,
    pub database_address: String,
    /// More of them, which sections name.
    pub databases: Vec<OtherDatabase>,
    pub storage_kind: &'static str,
    pub storage_address: String,
    /// The age under which nothing was judged, as people write it.
    pub min_age: String,
    /// The tables whose rows own folders.
    pub folder_tables: Vec<String>,
    /// The kinds of finding that were asked for.
    pub kinds: Vec<Kind>,
    pub totals: Totals,
    /// What was found, counted.
    pub found: Found,
    pub tables: Vec<TableTotals>,
    pub requests: Requests,
    /// What is probably wrong with the whole comparison.
    pub warnings: Vec<String>,
    /// Why the run failed.
    pub error: Option<String>,
    /// Open removals of runs that died, which this run has resolved.
    pub resumed: u64,
    /// Which limit refused the removals, and in what words.
    pub refusal: Option<(&'static str, String)>,
    /// Findings that could be removed and stay for a later run, as this one has a limit.
    pub later: u64,
    /// Whether there is anything in it that was not told before.
    pub is_news: bool,
    /// Whether only what a file names was asked for.
    pub is_list: bool,
    /// What was removed; `None` where it did not come to that.
    pub removals: Option<Removals>,
}

/// One more database: its name in the configuration, its engine and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherDatabase {
    pub name: String,
    pub engine: String,
    pub address: String,
}

impl Report {
    /// The database of a table, where it is not the first one, and the table as it is called there.
    pub fn in_database<'t>(&self, table: &'t str) -> (Option<&'t str>, &'t str) {
        let split = table.split_once(':').filter(|(name, _)| self.databases.iter().any(|other| other.name == *name));
        split.map_or((None, table), |(name, table)| (Some(name), table))
    }
}

/// What was compared of a table, and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableTotals {
    pub name: String,
    /// Rows that name a key below the prefix that is not ignored; where the table has rules, those without a key too.
    pub records: u64,
    pub findings: u64,
}

/// How a run ended, in the words of reports and of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Clean,
    Findings,
    Declined,
    Removed,
    Partial,
    /// Confirmed, and nothing was removed.
    Skipped,
    Refused,
    Failed,
    Interrupted,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Clean => "clean",
            Outcome::Findings => "findings",
            Outcome::Declined => "declined",
            Outcome::Removed => "removed",
            Outcome::Partial => "partial",
            Outcome::Skipped => "skipped",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Interrupted => "interrupted",
        }
    }
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Csv,
}

/// A report being written: it takes the findings in the order of [`kinds_in_order`], each kind announced, and is then
/// finished.
pub trait Rendering {
    /// Findings of this kind follow, if there are any.
    fn section(&mut self, _kind: &Kind) -> io::Result<()> {
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()>;
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Begins a report.
pub fn begin<'a>(
    format: Format,
    report: &'a Report,
    out: Box<dyn io::Write + 'a>,
) -> io::Result<Box<dyn Rendering + 'a>> {
    Ok(match format {
        Format::Text => Box::new(text::Text::begin(report, out)?),
        Format::Json => Box::new(json::Json::begin(report, out)?),
        Format::Csv => Box::new(csv::Csv::begin(out)?),
    })
}

/// The order in which a rendering wants the kinds.
pub fn kinds_in_order(format: Format, report: &Report) -> Vec<Kind> {
    let mut kinds = report.kinds.clone();
    match format {
        Format::Text => kinds.sort_by_key(Kind::place_in_text),
        Format::Json | Format::Csv => kinds.sort_unstable_by(|a, b| a.name().cmp(b.name())),
    }
    kinds
}

/// A time of the run itself, to the second.
fn run_time(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time as machines read it.
fn machine_time(time: Time) -> String {
    let (date, clock) = (time.date_naive(), time.time());
    if clock.nanosecond() != 0 || !(0..=9999).contains(&date.year()) {
        return time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    }
    // Every finding has one or two, and there may be millions.
    let mut text = String::with_capacity("2024-01-14T03:00:00Z".len());
    let year = date.year().unsigned_abs();
    let numbers = [year % 100, date.month(), date.day(), clock.hour(), clock.minute(), clock.second()];
    let digits = |text: &mut String, number: u32| {
        text.extend([number / 10, number % 10].map(|digit| char::from_digit(digit, 10).unwrap_or('0')));
    };
    digits(&mut text, year / 100);
    for (number, sign) in numbers.into_iter().zip("--T::Z".chars()) {
        digits(&mut text, number);
        text.push(sign);
    }
    text
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_written_as_rfc_3339_has_them(seconds in -70_000_000_000_i64..260_000_000_000, nanoseconds in prop::sample::select(vec![0, 0, 1, 250_000_000])) {
            let time = DateTime::from_timestamp(seconds, nanoseconds).expect("a time");
            prop_assert_eq!(machine_time(time), time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        }
    }
}
