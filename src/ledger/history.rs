//! Runs: begun, ended, and read back.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::SecondsFormat;
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Row};

use super::Ledger;
use crate::domain::removal::Removals;
use crate::domain::{Counts, Found, Requests, Time, Totals};

/// What format 5 adds: what a complete comparison counted, of which a later run may have nothing new to tell; and in which
/// run each finding was first seen.
pub const COUNTS: &str = "
    ALTER TABLE runs ADD COLUMN scope TEXT;     -- what it was narrowed to; NULL: it was not complete
    ALTER TABLE runs ADD COLUMN warnings INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN young INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN told INTEGER NOT NULL DEFAULT 0; -- whether its report was printed
    ALTER TABLE sightings ADD COLUMN first_run INTEGER;";

/// What format 6 adds: what every run amounted to, for ever.
pub const TOTALS: &str = "
    ALTER TABLE runs ADD COLUMN objects INTEGER;    -- NULL: the comparison did not come to its end
    ALTER TABLE runs ADD COLUMN object_bytes INTEGER;
    ALTER TABLE runs ADD COLUMN records INTEGER;
    ALTER TABLE runs ADD COLUMN record_references INTEGER;
    ALTER TABLE runs ADD COLUMN requests TEXT;      -- JSON
    CREATE TABLE run_kinds (
        run INTEGER NOT NULL REFERENCES runs (id),
        kind TEXT NOT NULL,
        found INTEGER NOT NULL DEFAULT 0,
        found_bytes INTEGER NOT NULL DEFAULT 0,
        held INTEGER NOT NULL DEFAULT 0,
        -- Of the removals that are remembered no longer.
        files INTEGER NOT NULL DEFAULT 0,
        record_rows INTEGER NOT NULL DEFAULT 0,
        removed_bytes INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (run, kind)
    ) STRICT, WITHOUT ROWID;";

/// What a run amounted to.
pub struct RunTotals<'a> {
    pub outcome: &'static str,
    pub found: &'a Found,
    /// `None`: the comparison did not come to its end.
    pub totals: Option<&'a Totals>,
    pub requests: Requests,
    pub removals: &'a Removals,
}

/// A run, as the ledger remembers it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Run {
    pub id: i64,
    pub mode: String,
    /// How it ended; `None` for a run that is under way, or that was killed.
    pub outcome: Option<String>,
    pub started_at: String,
    pub finished_at: Option<String>,
    /// Findings, held ones included.
    pub found: i64,
    pub removed: i64,
    /// Bytes removed.
    pub bytes: i64,
    /// Removals that are remembered no longer, one by one.
    pub dropped: i64,
    /// What was removed, by the kind of finding.
    pub kinds: BTreeMap<String, Sums>,
}

/// What a run removed of one kind of finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Sums {
    pub files: i64,
    pub rows: i64,
    /// Of the files.
    pub bytes: i64,
}

/// A time as the ledger and reports write it: UTC, to the second.
pub fn stamp(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Ledger {
    /// Says of runs that were to remove something and never ended that they were cut off; when, nobody knows. The lock, which
    /// is the ledger's, must be held: none of them is under way then, of whatever pair.
    pub async fn mark_interrupted(&mut self) -> Result<()> {
        let sql = "UPDATE runs SET outcome = 'interrupted' WHERE mode = 'execute' AND outcome IS NULL";
        sqlx::query(sql).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Begins a run and gives its number.
    pub async fn begin(&mut self, mode: &str, now: Time) -> Result<i64> {
        self.add_pair().await?;
        let query = sqlx::query("INSERT INTO runs (pair, mode, started_at) VALUES (?, ?, ?)");
        let done = query.bind(self.pair).bind(mode).bind(stamp(now)).execute(&mut self.connection).await?;
        Ok(done.last_insert_rowid())
    }

    /// Writes how a run ended.
    pub async fn end(&mut self, run: i64, ended: &RunTotals<'_>, now: Time) -> Result<()> {
        let RunTotals { outcome, found, totals, requests, removals } = ended;
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let sql = "UPDATE runs SET outcome = ?, found = ?, removed = ?, bytes = ?, finished_at = ?, objects = ?, \
                       object_bytes = ?, records = ?, record_references = ?, requests = ? WHERE id = ?";
        let removed = removals.files_trashed + removals.files_deleted + removals.records();
        let Requests { list, head, copy, delete } = requests;
        let requests = json!({ "list": list, "head": head, "copy": copy, "delete": delete }).to_string();
        let query = sqlx::query(sql).bind(outcome).bind(found.all().findings as i64).bind(removed as i64);
        let query = query.bind(removals.bytes as i64).bind(stamp(now));
        let query = query.bind(totals.map(|totals| totals.objects as i64));
        let query = query.bind(totals.map(|totals| totals.object_bytes as i64));
        let query = query.bind(totals.map(|totals| totals.records as i64));
        let query = query.bind(totals.map(|totals| totals.references as i64));
        let query = query.bind(requests).bind(run);
        query.execute(&mut *transaction).await?;
        for (kind, sum) in &found.kinds {
            let sql = "INSERT INTO run_kinds (run, kind, found, found_bytes, held) VALUES (?1, ?2, ?3, ?4, ?5) \
                       ON CONFLICT DO UPDATE SET found = ?3, found_bytes = ?4, held = ?5";
            let query = sqlx::query(sql).bind(run).bind(kind.name()).bind(sum.findings as i64);
            query.bind(sum.bytes as i64).bind(sum.held as i64).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes what a complete comparison counted, and what it was narrowed to.
    pub async fn count(&mut self, run: i64, scope: &str, counts: Counts) -> Result<()> {
        let sql = "UPDATE runs SET scope = ?, warnings = ?, held = ?, young = ? WHERE id = ?";
        let Counts { warnings, held, young } = counts;
        let query = sqlx::query(sql).bind(scope).bind(warnings as i64).bind(held as i64).bind(young as i64);
        query.bind(run).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Notes that the report of a run was printed.
    pub async fn mark_told(&mut self, run: i64) -> Result<()> {
        sqlx::query("UPDATE runs SET told = 1 WHERE id = ?").bind(run).execute(&mut self.connection).await?;
        Ok(())
    }

    /// What the last complete run of this pair and scope counted, before `run`; and when the report of one was last printed.
    pub async fn told_before(&mut self, run: i64, scope: &str) -> Result<(Option<Counts>, Option<Time>)> {
        let sql =
            "SELECT warnings, held, young FROM runs WHERE pair = ? AND scope = ? AND id < ? ORDER BY id DESC LIMIT 1";
        let query = sqlx::query_as(sql).bind(self.pair).bind(scope).bind(run);
        let counts: Option<(i64, i64, i64)> = query.fetch_optional(&mut self.connection).await?;
        let counts = counts.map(|(warnings, held, young)| {
            let [warnings, held, young] = [warnings, held, young].map(i64::unsigned_abs);
            Counts { warnings, held, young }
        });
        let sql =
            "SELECT started_at FROM runs WHERE pair = ? AND scope = ? AND id < ? AND told ORDER BY id DESC LIMIT 1";
        let query = sqlx::query_scalar(sql).bind(self.pair).bind(scope).bind(run);
        let told: Option<String> = query.fetch_optional(&mut self.connection).await?;
        Ok((counts, told.and_then(|told| told.parse().ok())))
    }

    /// This pair's runs, newest first; or the one with this number.
    pub async fn runs(&mut self, number: Option<i64>) -> Result<Vec<Run>> {
        let sql = AssertSqlSafe(format!("{RUNS} AND (?2 IS NULL OR runs.id = ?2) ORDER BY runs.id DESC"));
        let query = sqlx::query(sql).bind(self.pair).bind(number);
        let mut runs: Vec<Run> = query.fetch_all(&mut self.connection).await?.iter().map(run).collect::<Result<_>>()?;
        let query = sqlx::query_as(AssertSqlSafe(SUMS)).bind(self.pair).bind(number);
        let sums: Vec<(i64, String, i64, i64, i64)> = query.fetch_all(&mut self.connection).await?;
        for (id, kind, files, rows, bytes) in sums {
            // Newest first.
            if let Ok(at) = runs.binary_search_by(|run| id.cmp(&run.id)) {
                runs[at].kinds.insert(kind, Sums { files, rows, bytes });
            }
        }
        Ok(runs)
    }
}

/// States of a removal that stands.
macro_rules! stands {
    () => {
        "('trashed', 'deleted', 'trashed-unsettled', 'deleted-unsettled', 'purging', 'purged', 'restoring', 'restored', 'restored-left', \
          'row-deleted', 'row-updated', 'row-deleted-unsettled', 'row-updated-unsettled', 'row-restoring')"
    };
}
pub(super) use stands;

/// Runs with what they removed: one that was cut off could not count it itself.
const RUNS: &str = concat!(
    "WITH done AS (
        SELECT run, count(*) AS removed, sum(size) AS bytes FROM removals WHERE pair = ?1 AND state IN ",
    stands!(),
    " GROUP BY run
    )
    , gone AS (
        SELECT run, sum(files + record_rows) AS removed, sum(removed_bytes) AS bytes FROM run_kinds GROUP BY run
    )
    SELECT runs.id, mode, outcome, started_at, finished_at, found, dropped,
           max(runs.removed, coalesce(done.removed, 0) + coalesce(gone.removed, 0)) AS removed,
           max(runs.bytes, coalesce(done.bytes, 0) + coalesce(gone.bytes, 0)) AS bytes
    FROM runs LEFT JOIN done ON done.run = runs.id LEFT JOIN gone ON gone.run = runs.id WHERE pair = ?1"
);

/// What runs removed, by the kind of finding.
const SUMS: &str = concat!(
    "SELECT run, kind, sum(files), sum(record_rows), sum(bytes) FROM (
         SELECT run, kind, count(*) FILTER (WHERE handle IS NULL) AS files, count(handle) AS record_rows,
                coalesce(sum(size), 0) AS bytes
         FROM removals WHERE pair = ?1 AND (?2 IS NULL OR run = ?2) AND state IN ",
    stands!(),
    " GROUP BY run, kind
         UNION ALL
         SELECT run, kind, files, record_rows, removed_bytes FROM run_kinds
         WHERE files + record_rows > 0 AND run IN (SELECT id FROM runs WHERE pair = ?1) AND (?2 IS NULL OR run = ?2)
     ) GROUP BY run, kind"
);

fn run(row: &SqliteRow) -> Result<Run> {
    Ok(Run {
        id: row.try_get("id")?,
        mode: row.try_get("mode")?,
        outcome: row.try_get("outcome")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        found: row.try_get("found")?,
        removed: row.try_get("removed")?,
        bytes: row.try_get("bytes")?,
        dropped: row.try_get("dropped")?,
        kinds: BTreeMap::new(),
    })
}
