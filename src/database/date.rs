//! PURE: reads the dates that applications store: timestamps with and without a zone, dates, ISO 8601 text, and Unix
//! seconds or milliseconds. Where there is doubt the answer is later, or none.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use crate::domain::Time;

/// Nothing that an application keeps was made earlier: what says so is a placeholder, a year of two digits, or no date.
const FIRST_YEAR: i32 = 1990;
/// Unix seconds from 1990 on. 20240114 is a date without its dashes.
const PLAUSIBLE_SECONDS: std::ops::Range<f64> = 6.3e8..1e11;
/// Milliseconds before 2001 are more likely 202401141200: a time without its separators.
const PLAUSIBLE_MILLISECONDS: std::ops::Range<f64> = 1e12..1e13;

/// The time that `text` stands for; without a zone, in `zone`. `None` where it cannot be read.
pub fn parse(text: &str, zone: Tz) -> Option<Time> {
    let text = text.trim();
    let time = if is_compact(text) {
        in_zone(NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok()?, zone)?
    } else if let Ok(number) = text.parse::<f64>() {
        from_number(number)?
    } else {
        written(text, zone)?
    };
    (time.year() >= FIRST_YEAR).then_some(time)
}

/// Whether a date that cannot be read says "never": nothing, and zeros.
pub fn is_never(text: &str) -> bool {
    text.chars().all(|c| c == '0' || !c.is_alphanumeric())
}

fn written(text: &str, zone: Tz) -> Option<Time> {
    let with_zone = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"];
    if let Some(time) = with_zone.iter().find_map(|format| DateTime::parse_from_str(text, format).ok()) {
        return Some(time.to_utc());
    }
    let zulu = text.strip_suffix(['Z', 'z']).or_else(|| text.strip_suffix(" UTC"));
    let (naive, zone) = (zulu.unwrap_or(text), if zulu.is_some() { Tz::UTC } else { zone });
    let without_zone = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    if let Some(time) = without_zone.iter().find_map(|format| NaiveDateTime::parse_from_str(naive, format).ok()) {
        return in_zone(time, zone);
    }
    // A day's row may have been made in its last second.
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    in_zone(day.and_time(NaiveTime::MIN).checked_add_signed(Duration::days(1) - Duration::seconds(1))?, zone)
}

/// The later of two times that a clock shows where it is put back; and where it is put forward, an hour later than the time
/// that it never shows.
fn in_zone(naive: NaiveDateTime, zone: Tz) -> Option<Time> {
    let time = zone.from_local_datetime(&naive).latest();
    let time = time.or_else(|| zone.from_local_datetime(&naive.checked_add_signed(Duration::hours(1))?).latest());
    time.map(|time| time.to_utc())
}

/// Whether it is a time of fourteen digits, as MediaWiki writes it.
fn is_compact(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.starts_with(['1', '2'])
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
            ("20240114030000", "2024-01-14T03:00:00Z"),
        ] {
            assert_eq!(parse(text, Tz::UTC), Some(expected.parse().expect("a time")), "{text}");
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
            "0001-01-01 00:00:00+00",
            "0001-01-01T00:00:00",
            "1970-01-01 00:00:00",
            "1900-01-01",
            "1989-12-31 23:59:59",
            "30-12-31 00:00:00",
            "30-12-31",
            "0",
            "0.0",
            "20241301000000",
        ] {
            assert_eq!(parse(text, Tz::UTC), None, "{text}");
        }
    }

    #[test]
    fn times_without_a_zone_are_read_in_the_one_that_is_given() {
        let zone: Tz = "America/Los_Angeles".parse().expect("a zone");
        for (text, expected) in [
            ("2024-01-14 03:00:00", "2024-01-14T11:00:00Z"),
            ("2024-07-14T03:00", "2024-07-14T10:00:00Z"),
            ("20240114030000", "2024-01-14T11:00:00Z"),
            ("2024-01-14", "2024-01-15T07:59:59Z"),
            // The clock shows it twice, and never.
            ("2024-11-03 01:30:00", "2024-11-03T09:30:00Z"),
            ("2024-03-10 02:30:00", "2024-03-10T10:30:00Z"),
            ("2024-01-14 03:00:00+00", "2024-01-14T03:00:00Z"),
            ("2024-01-14T03:00:00Z", "2024-01-14T03:00:00Z"),
            ("2024-01-14 03:00:00 UTC", "2024-01-14T03:00:00Z"),
            ("1705201200", "2024-01-14T03:00:00Z"),
        ] {
            assert_eq!(parse(text, zone), Some(expected.parse().expect("a time")), "{text}");
        }
    }

    #[test]
    fn zeros_and_nothing_say_never() {
        for text in ["", " ", "0", "0.0", "0000-00-00", "0000-00-00 00:00:00", "-"] {
            assert!(is_never(text), "{text}");
        }
        for text in ["1970-01-01", "never", "0001-01-01T00:00:00", "42"] {
            assert!(!is_never(text), "{text}");
        }
    }
}
