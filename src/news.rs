//! PURE: whether a night has anything to tell to somebody who asked to be told of news alone (`--quiet`).

use chrono::TimeDelta;

use crate::domain::{Counts, Time};

/// While anything is found, the report is printed again after so long. A run a few hours early does not wait for the next.
const REMINDER: TimeDelta = TimeDelta::hours(30 * 24 - 12);

/// What a complete comparison has to tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Night {
    /// Whether anything may be removed.
    pub may_remove: bool,
    /// Whether a run that is to remove something would be refused.
    pub is_refused: bool,
    /// Whether any finding is first seen tonight.
    pub has_new: bool,
    /// Whether anything is found at all.
    pub has_findings: bool,
    /// How many of the warnings are of settings, which were chosen before the first night.
    pub of_settings: u64,
    pub counts: Counts,
}

impl Night {
    /// Whether it is news after what the last complete comparison `counted` and when a report was last `told`.
    pub fn is_news(&self, counted: Option<Counts>, told: Option<Time>, now: Time) -> bool {
        let is_due = || told.is_none_or(|told| now - told >= REMINDER);
        self.may_remove
            || self.is_refused
            || self.has_new
            || self.counts_changed(counted)
            || self.has_findings && is_due()
    }

    fn counts_changed(&self, counted: Option<Counts>) -> bool {
        let Counts { warnings, held, young } = self.counts;
        match counted {
            Some(before) => [(warnings, before.warnings), (held, before.held), (young, before.young)]
                .into_iter()
                .any(|(now, before)| now.abs_diff(before).saturating_mul(10) > before),
            // Of the first night, files that are young say nothing.
            None => warnings > self.of_settings || held > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::UNIX_EPOCH;

    fn counts(warnings: u64, held: u64, young: u64) -> Counts {
        Counts { warnings, held, young }
    }

    fn days_ago(days: i64) -> Option<Time> {
        Some(NOW - TimeDelta::days(days))
    }

    #[test]
    fn what_may_be_removed_or_is_new_or_would_be_refused_is_news() {
        let quiet = Night::default();
        assert!(!quiet.is_news(None, None, NOW));
        for night in
            [Night { may_remove: true, ..quiet }, Night { is_refused: true, ..quiet }, Night { has_new: true, ..quiet }]
        {
            assert!(night.is_news(Some(Counts::default()), days_ago(1), NOW), "{night:?}");
        }
    }

    #[test]
    fn counts_that_change_by_more_than_a_tenth_are_news() {
        for (before, now, is_news) in [
            (counts(1, 20, 30), counts(1, 20, 30), false),
            (counts(1, 20, 30), counts(1, 22, 27), false),
            (counts(1, 20, 30), counts(1, 23, 30), true),
            (counts(1, 20, 30), counts(1, 17, 30), true),
            (counts(1, 20, 30), counts(1, 20, 34), true),
            (counts(1, 20, 30), counts(2, 20, 30), true),
            (counts(1, 20, 30), counts(0, 20, 30), true),
            (counts(0, 0, 0), counts(0, 0, 1), true),
        ] {
            let night = Night { has_findings: true, counts: now, ..Night::default() };
            assert_eq!(night.is_news(Some(before), days_ago(1), NOW), is_news, "{before:?} {now:?}");
        }
    }

    #[test]
    fn the_first_night_tells_of_warnings_and_of_what_is_held() {
        for (counts, is_news) in [(counts(0, 0, 9), false), (counts(1, 0, 0), true), (counts(0, 1, 0), true)] {
            let night = Night { counts, ..Night::default() };
            assert_eq!(night.is_news(None, None, NOW), is_news, "{counts:?}");
        }
        let of_settings = Night { of_settings: 1, counts: counts(1, 0, 0), ..Night::default() };
        assert!(!of_settings.is_news(None, None, NOW));
    }

    #[test]
    fn every_thirtieth_day_reminds_of_what_is_found() {
        let held = Night { has_findings: true, counts: counts(0, 1, 0), ..Night::default() };
        for (told, is_news) in [(days_ago(1), false), (days_ago(29), false), (days_ago(30), true), (None, true)] {
            assert_eq!(held.is_news(Some(held.counts), told, NOW), is_news, "{told:?}");
        }
        assert!(!Night::default().is_news(Some(Counts::default()), days_ago(99), NOW));
    }
}
