//! PURE: which removals are meant, in SQL, and of which pairs.

use super::pairs::Kin;
use super::state::{in_trash, open, open_rows};
use crate::domain::Time;

/// Whether trash of another database of the same store is this one's to empty: where that one still runs, be it seldom, it
/// is its own, however short this one keeps its trash.
macro_rules! is_left_to_us {
    () => {
        "(removals.pair IN (SELECT value FROM json_each(?5)) \
          OR NOT EXISTS (SELECT 1 FROM runs WHERE runs.pair = removals.pair \
                             AND runs.started_at > min(?3, strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-90 days'))))"
    };
}
pub(super) use is_left_to_us;

/// Which removals are meant.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    OfRun(i64),
    /// In the trash, of a run.
    TrashedByRun(i64),
    /// The same, and never brought back: a copy may stay in the trash.
    NeverRestoredOfRun(i64),
    /// Of a run, and back where they were.
    RestoredOfRun(i64),
    /// In the trash, of a key, or of all below a folder, whose name ends in `/`; of one that was removed more than once, the
    /// last time: that is what people miss.
    TrashedAt(&'a str),
    /// Rows that were deleted or updated, of a run.
    RowsOfRun(i64),
    /// The same, of a key; of a row that was removed more than once, the last time: that is what people miss.
    LastRowsOf(&'a str),
    /// Files whose steps a run that died did not finish.
    Open,
    /// The same of rows.
    OpenRows,
    /// In the trash since before this time.
    Due(Time),
    /// Files that are in the trash, or of which a step may be under way; the last ones first.
    Expected,
}

impl Which<'_> {
    pub(super) fn condition(self) -> &'static str {
        match self {
            Which::OfRun(_) => "run = ?3",
            Which::TrashedByRun(_) => concat!("state IN ", in_trash!(), " AND run = ?3"),
            Which::NeverRestoredOfRun(_) => {
                concat!("state IN ", in_trash!(), " AND state <> 'restored-left' AND run = ?3")
            }
            Which::RestoredOfRun(_) => "state = 'restored' AND run = ?3",
            Which::TrashedAt(_) => concat!(
                "id IN (SELECT max(id) FROM removals WHERE pair IN (SELECT value FROM json_each(?1)) AND state IN ",
                in_trash!(),
                " AND key >= ?3 AND key <= ?3 || iif(?3 LIKE '%/', char(1114111), '') GROUP BY key)"
            ),
            Which::RowsOfRun(_) => "state IN ('row-deleted', 'row-updated') AND run = ?3",
            Which::LastRowsOf(_) => {
                "id IN (SELECT max(id) FROM removals WHERE pair IN (SELECT value FROM json_each(?1)) \
                        AND id IN (SELECT id FROM removals WHERE pair IN (SELECT value FROM json_each(?1)) AND key IN (?3, ?3 || '/') \
                                   UNION SELECT removal FROM row_keys WHERE key IN (?3, ?3 || '/')) \
                        AND state IN ('row-deleted', 'row-updated') GROUP BY table_name, handle)"
            }
            Which::Expected => concat!("(state IN ", in_trash!(), " OR state IN ", open!(), ") AND ?3 = 0"),
            Which::Open => concat!("state IN ", open!(), " AND ?3 = 0"),
            Which::OpenRows => concat!("state IN ", open_rows!(), " AND ?3 = 0"),
            // What resembles a value that no object carries may be wanted (I4). A delete that may come late is waited for.
            Which::Due(_) => {
                concat!(
                    "state IN ('trashed', 'skipped-left', 'failed-left', 'put-back-left', 'restored-left') AND done_at <= ?3 \
                     AND (NOT late OR done_at <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 day')) \
                     AND key NOT IN (SELECT key FROM temp.resembling WHERE what = 4) AND ",
                    is_left_to_us!()
                )
            }
        }
    }
}

impl Kin {
    /// The pairs of which such removals are meant.
    pub(super) fn of_removals(&self, which: Which<'_>) -> &str {
        match which {
            Which::RowsOfRun(_) | Which::LastRowsOf(_) | Which::OpenRows => &self.of_database,
            Which::Open => &self.not_of_others,
            _ => &self.of_store,
        }
    }
}
