//! PURE: reads the dates that applications store: timestamps with and without a zone, dates, ISO 8601 text, and Unix
//! seconds or milliseconds. Where there is doubt the answer is later, or none: both make a row young.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime};

use crate::domain::Time;

/// Unix seconds before 1973 are more likely something else: 20240114 is a date without its dashes.
const PLAUSIBLE_SECONDS: std::ops::Range<f64> = 1e8..1e11;
/// Milliseconds before 2001 are more likely 202401141200: a time without its separators.
const PLAUSIBLE_MILLISECONDS: std::ops::Range<f64> = 1e12..1e14;

/// The time that `text` stands for; without a zone, in UTC. `None` where it cannot be read.
pub fn parse(text: &str) -> Option<Time> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return from_number(number);
    }
    let with_zone = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"];
    if let Some(time) = with_zone.iter().find_map(|format| DateTime::parse_from_str(text, format).ok()) {
        return Some(time.to_utc());
    }
    let zulu = text.strip_suffix(['Z', 'z']).or_else(|| text.strip_suffix(" UTC")).unwrap_or(text);
    let without_zone = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    if let Some(time) = without_zone.iter().find_map(|format| NaiveDateTime::parse_from_str(zulu, format).ok()) {
        return Some(time.and_utc());
    }
    // A day's row may have been made in its last second.
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    day.and_time(NaiveTime::MIN).and_utc().checked_add_signed(Duration::days(1) - Duration::seconds(1))
}

fn from_number(number: f64) -> Option<Time> {
    let milliseconds = match number {
        n if PLAUSIBLE_SECONDS.contains(&n) => n * 1000.0,
        n if PLAUSIBLE_MILLISECONDS.contains(&n) => n,
        _ => return None,
    };
    DateTime::from_timestamp_millis(milliseconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dates_of_three_engines_are_read_in_utc() {
        for (text, expected) in [
            ("2024-01-14 03:00:00+00", "2024-01-14T03:00:00Z"),
            ("2024-01-14 03:00:00.25+05:30", "2024-01-13T21:30:00.25Z"),
            ("2024-01-14 03:00:00", "2024-01-14T03:00:00Z"),
            ("2024-01-14T03:00:00.123456", "2024-01-14T03:00:00.123456Z"),
            ("2024-01-14T03:00:00Z", "2024-01-14T03:00:00Z"),
            ("2024-01-14T05:00:00+02:00", "2024-01-14T03:00:00Z"),
            ("2024-01-14 03:00:00 UTC", "2024-01-14T03:00:00Z"),
            ("2024-01-14 03:00", "2024-01-14T03:00:00Z"),
            ("2024-01-14", "2024-01-14T23:59:59Z"),
            ("1705201200", "2024-01-14T03:00:00Z"),
            ("1705201200000", "2024-01-14T03:00:00Z"),
            ("1705201200.5", "2024-01-14T03:00:00.5Z"),
        ] {
            assert_eq!(parse(text), Some(expected.parse().expect("a time")), "{text}");
        }
    }

    #[test]
    fn what_may_be_something_else_is_not_read() {
        for text in [
            "",
            "yesterday",
            "0000-00-00 00:00:00",
            "infinity",
            "NaN",
            "20240114",
            "202401141200",
            "42",
            "-1705201200",
            "2024-13-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
