//! Findings as they are kept: when each was first and last seen, and when it was seen no more.

use std::borrow::Cow;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SubsecRound};
use serde::Deserialize;
use sqlx::{Connection, SqliteConnection};

use super::Ledger;
use super::history::stamp;
use crate::config::Decides;
use crate::domain::{CondemnedFile, Finding, Held, Hold, Kind, Side, Subject, Time};

/// Where a page of findings begins: after this key, table and id.
#[derive(Debug, Clone, Default)]
pub struct Position {
    key: String,
    table: String,
    id: String,
}

/// What format 6 adds: by what a finding is known to be the same, and how often it was seen so.
pub const IDENTITY: &str = "
    ALTER TABLE sightings ADD COLUMN size INTEGER;          -- NULL: a row, or an older program saw it
    ALTER TABLE sightings ADD COLUMN last_modified INTEGER; -- microseconds since 1970
    ALTER TABLE sightings ADD COLUMN etag TEXT;
    ALTER TABLE sightings ADD COLUMN sightings INTEGER NOT NULL DEFAULT 0; -- complete runs that saw it, ...
    ALTER TABLE sightings ADD COLUMN since TEXT;            -- ... from the first of them on: NULL where there was none
    ALTER TABLE sightings ADD COLUMN held_at TEXT;          -- when it was last held, since then
    ALTER TABLE pairs ADD COLUMN decides TEXT;              -- JSON: what made the last complete run take things for wanted";

/// What a sighting is worth as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sighting {
    /// A run that was narrowed saw it: that counts for nothing.
    Narrowed,
    /// A complete run saw it, under a configuration that protects as much as that of the one before.
    Complete,
    /// The same, under one that protects less, or otherwise: what was seen before counts for nothing any more.
    First,
}

/// Whether a sighting goes on: it was not resolved, and the object is the same. Listings and looks agree in seconds alone.
macro_rules! goes_on {
    () => {
        "(resolved_at IS NULL AND (kind <> 'orphaned-file' OR size IS NULL OR size = excluded.size \
             AND last_modified / 1000000 IS excluded.last_modified / 1000000 AND coalesce(etag = excluded.etag, true)))"
    };
}

const SEE: &str = concat!(
    "INSERT INTO sightings (pair, kind, key, table_name, record_id, first_seen, last_seen, last_run, first_run, size, \
                            last_modified, etag, sightings, since, held_at) \
     SELECT ?1, kind, key, table_name, record_id, ?2, ?2, ?3, ?3, size, last_modified, etag, ?4, iif(?4, ?2, NULL), \
            iif(held IS NULL, NULL, ?2) FROM temp.finding WHERE true \
     ON CONFLICT DO UPDATE SET first_seen = iif(",
    goes_on!(),
    ", first_seen, excluded.first_seen), first_run = iif(",
    goes_on!(),
    ", first_run, excluded.first_run), sightings = iif(?5 AND ",
    goes_on!(),
    ", sightings, 0) + excluded.sightings, since = iif(?5 AND ",
    goes_on!(),
    ", coalesce(since, excluded.since), excluded.since), held_at = coalesce(excluded.held_at, iif(?5 AND ",
    goes_on!(),
    ", held_at, NULL)), size = excluded.size, last_modified = excluded.last_modified, etag = excluded.etag, \
     last_seen = excluded.last_seen, last_run = excluded.last_run, resolved_at = NULL"
);

impl Ledger {
    /// Writes the run's findings as sightings, and resolves what was seen before and is no more: within `kinds` and
    /// below `prefix`, for a narrowed run says nothing of the rest. Where not all kinds were asked for, files of condemned
    /// rows are neither found nor gone. Another object under the same key is another finding. `decides` is what a complete
    /// run decided by; `None`: the run was narrowed.
    pub async fn keep_sightings(
        &mut self,
        run: i64,
        decides: Option<&Decides>,
        (kinds, are_all, prefix): (&[Kind], bool, &str),
        now: Time,
    ) -> Result<()> {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let sighting = match decides {
            None => Sighting::Narrowed,
            Some(decides) => sighting_of_all(&mut transaction, self.pair, decides).await?,
        };
        sqlx::query(SEE)
            .bind(self.pair)
            .bind(stamp(now))
            .bind(run)
            .bind(sighting != Sighting::Narrowed)
            .bind(sighting != Sighting::First)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "UPDATE sightings SET resolved_at = ?2 WHERE pair = ?1 AND resolved_at IS NULL AND last_run <> ?3 \
             AND kind IN (SELECT value FROM json_each(?4)) AND substr(key, 1, length(?5)) = ?5 \
             AND (?6 OR kind <> ?7 OR key NOT IN (SELECT key FROM temp.derived))",
        )
        .bind(self.pair)
        .bind(stamp(now))
        .bind(run)
        .bind(serde_json::to_string(&names)?)
        .bind(prefix)
        .bind(are_all)
        .bind(Kind::OrphanedFile.name())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.kept_at = Some(now.trunc_subsecs(0));
        Ok(())
    }

    /// Whether any finding was first seen by this run.
    pub async fn has_new(&mut self, run: i64) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM temp.finding AS f JOIN sightings AS s \
                     ON s.pair = ? AND s.kind = f.kind AND s.key = f.key AND s.table_name = f.table_name \
                        AND s.record_id = f.record_id WHERE s.first_run = ?)";
        Ok(sqlx::query_scalar(sql).bind(self.pair).bind(run).fetch_one(&mut self.connection).await?)
    }

    /// Whether any of these keys was ever found by a run of this pair, or removed from this store.
    pub async fn knows_any(&mut self, keys: &[&str], kinds: &[&str]) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM json_each(?1) AS k JOIN sightings AS s ON s.key IN (k.value, k.value || '/') \
                       AND s.pair = ?2 AND s.kind IN (SELECT value FROM json_each(?4))) \
                   OR EXISTS (SELECT 1 FROM json_each(?1) AS k JOIN removals AS r ON r.key IN (k.value, k.value || '/') \
                       AND r.pair IN (SELECT value FROM json_each(?3)))";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(keys)?).bind(self.pair);
        let query = query.bind(&self.kin.of_store).bind(serde_json::to_string(kinds)?);
        Ok(query.fetch_one(&mut self.connection).await?)
    }

    /// A page of the run's findings of one kind: those after a position, in byte order of their keys.
    pub async fn findings(&mut self, kind: &Kind, after: &Position, limit: usize) -> Result<FindingsPage> {
        // One value and not a row for each finding: rows come from SQLite's own thread one by one, and a column at a time.
        // What was not first seen by this run is read beside them: to look each up would take as long as all the rest.
        let sql = match kind.side() {
            Side::File => {
                "SELECT findings, last, '', '', ( \
                     SELECT json_group_array(json_array(key, '', '', first_seen)) FROM ( \
                         SELECT key, first_seen FROM sightings AS s \
                         WHERE pair = ?1 AND kind = ?2 AND key > ?3 AND key <= last AND first_seen <> ?7 \
                            AND EXISTS (SELECT 1 FROM temp.finding AS f WHERE f.kind = ?2 AND f.key = s.key) \
                         ORDER BY key)) \
                 FROM (SELECT json_group_array(json_array(key, '', '', size, last_modified, etag, NULL, held, held_by, 0, \
                                iif(owners ->> 0 ->> 2, NULL, \
                                    owners ->> 0 ->> 0 || iif(owners ->> 0 ->> 1, '*', '')))) AS findings, max(key) AS last \
                       FROM (SELECT * FROM temp.finding WHERE kind = ?2 AND key > ?3 ORDER BY key LIMIT ?6))"
            }
            Side::Row => {
                "SELECT findings, last, last_table, last_id, ( \
                     SELECT json_group_array(json_array(key, table_name, record_id, first_seen)) FROM ( \
                         SELECT key, table_name, record_id, first_seen FROM sightings AS s \
                         WHERE pair = ?1 AND kind = ?2 AND (key, table_name, record_id) > (?3, ?4, ?5) \
                            AND (key, table_name, record_id) <= (last, last_table, last_id) AND first_seen <> ?7 \
                            AND EXISTS (SELECT 1 FROM temp.finding AS f WHERE f.kind = ?2 AND f.key = s.key \
                                           AND f.table_name = s.table_name AND f.record_id = s.record_id) \
                         ORDER BY key, table_name, record_id)) \
                 FROM (SELECT json_group_array(json_array(key, table_name, record_id, size, NULL, NULL, created_at, held, \
                                held_by, shared, NULL)) AS findings, \
                              key AS last, table_name AS last_table, record_id AS last_id, max(place) \
                       FROM (SELECT *, row_number() OVER (ORDER BY key, table_name, record_id) AS place FROM ( \
                           SELECT * FROM temp.finding WHERE kind = ?2 AND (key, table_name, record_id) > (?3, ?4, ?5) \
                           ORDER BY key, table_name, record_id LIMIT ?6)))"
            }
        };
        let page: (String, Option<String>, Option<String>, Option<String>, String) = sqlx::query_as(sql)
            .bind(self.pair)
            .bind(kind.name())
            .bind(&after.key)
            .bind(&after.table)
            .bind(&after.id)
            .bind(limit as i64)
            .bind(self.kept_at.map(stamp).unwrap_or_default())
            .fetch_one(&mut self.connection)
            .await?;
        let (findings, key, table, id, seen_before) = page;
        let last = key.map(|key| Position { key, table: table.unwrap_or_default(), id: id.unwrap_or_default() });
        Ok(FindingsPage { kind: kind.clone(), first_seen: self.kept_at, findings, seen_before, last })
    }
}

/// What the sighting of a complete run is worth; the next one is compared with what it decided by.
async fn sighting_of_all(connection: &mut SqliteConnection, pair: i64, decides: &Decides) -> Result<Sighting> {
    let query = sqlx::query_scalar("SELECT decides FROM pairs WHERE id = ?").bind(pair);
    let before: Option<Option<String>> = query.fetch_optional(&mut *connection).await?;
    let before = before.flatten().and_then(|before| serde_json::from_str(&before).ok());
    let query = sqlx::query("UPDATE pairs SET decides = ? WHERE id = ?").bind(serde_json::to_string(decides)?);
    query.bind(pair).execute(&mut *connection).await?;
    Ok(match before {
        Some(before) if decides.protects_as_much_as(&before) => Sighting::Complete,
        _ => Sighting::First,
    })
}

/// Some findings, as the ledger wrote them: they can be read while it is asked for the next.
pub struct FindingsPage {
    kind: Kind,
    /// The first sighting of those that were not seen before.
    first_seen: Option<Time>,
    /// JSON: rows.
    findings: String,
    /// JSON: those that were first seen at another time.
    seen_before: String,
    last: Option<Position>,
}

impl FindingsPage {
    /// Where the next page begins; `None` where this one is empty: there are no more.
    pub fn last(&self) -> Option<&Position> {
        self.last.as_ref()
    }

    /// The findings.
    pub fn read(&self) -> Result<Vec<Finding>> {
        let rows: Vec<Row> = serde_json::from_str(&self.findings)?;
        let is_before = |a: &Row, b: &Row| a.place() <= b.place();
        ensure!(rows.is_sorted_by(is_before), "SQLite gave rows out of order");
        let seen_before: Vec<SeenBefore<'_>> = serde_json::from_str(&self.seen_before)?;
        let mut seen_before = seen_before.iter().peekable();
        // Most were first seen by the same run.
        let mut last = ("", Time::UNIX_EPOCH);
        let rows = rows.into_iter().map(|row| {
            let first_seen = match seen_before.next_if(|seen| seen.place() == row.place()) {
                Some(seen) if seen.first_seen == last.0 => last.1,
                Some(seen) => {
                    last = (&seen.first_seen, seen.first_seen.parse()?);
                    last.1
                }
                None => self.first_seen.context("a finding that was not kept")?,
            };
            row.finding(&self.kind, first_seen)
        });
        let findings = rows.collect::<Result<_>>()?;
        ensure!(seen_before.next().is_none(), "SQLite gave sightings out of order");
        Ok(findings)
    }
}

/// A sighting as it is read: an array, in this order.
#[derive(Deserialize)]
struct SeenBefore<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    table: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    first_seen: Cow<'a, str>,
}

impl SeenBefore<'_> {
    fn place(&self) -> (&str, &str, &str) {
        (&self.key, &self.table, &self.id)
    }
}

/// A finding as it is stored: an array, in this order.
#[derive(Deserialize)]
struct Row {
    key: String,
    table: String,
    id: String,
    size: Option<i64>,
    last_modified: Option<i64>,
    etag: Option<String>,
    created_at: Option<i64>,
    held: Option<String>,
    held_by: Option<String>,
    shared: i64,
    derived_from: Option<String>,
}

impl Row {
    fn place(&self) -> (&str, &str, &str) {
        (&self.key, &self.table, &self.id)
    }

    fn finding(self, kind: &Kind, first_seen: Time) -> Result<Finding> {
        let time = |microseconds: Option<i64>| microseconds.and_then(DateTime::from_timestamp_micros);
        let size = self.size.map(i64::unsigned_abs);
        let held = match (self.held, self.held_by) {
            (Some(reason), code) => {
                let by = code.as_deref().and_then(Hold::coded).context("a finding that nobody knows who holds")?;
                Some(Held { by, reason })
            }
            (None, _) => None,
        };
        let subject = match kind.side() {
            Side::File => Subject::File {
                size: size.context("an orphaned file without a size")?,
                last_modified: time(self.last_modified),
                etag: self.etag,
                derived_from: self.derived_from,
            },
            Side::Row => Subject::Record {
                table: self.table,
                id: self.id,
                created_at: time(self.created_at),
                file: kind.rule().map(|_| CondemnedFile { size, shared: self.shared != 0, is_folder: false }),
            },
        };
        Ok(Finding { key: self.key, kind: kind.clone(), subject, first_seen, held })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, object, record};
    use super::*;
    use crate::domain::Object;
    use crate::ledger::Doubts;

    /// A run that finds these files, at `now`; narrowed to `prefix`.
    async fn night(
        mut fixture: Fixture,
        run: i64,
        now: u64,
        keys: &[&str],
        prefix: &str,
    ) -> (Fixture, Vec<(String, u64)>) {
        fixture = fixture.next_run().await;
        fixture.orphans(&keys.iter().map(|key| object(key)).collect::<Vec<_>>()).await;
        fixture.ledger.hold(&Doubts::default()).await.expect("holds");
        let decides = Decides::default();
        let decides = Some(&decides).filter(|_| prefix.is_empty());
        let scope = (&Kind::BUILT_IN[..], true, prefix);
        fixture.ledger.keep_sightings(run, decides, scope, at(now)).await.expect("sightings");
        let seen = fixture.first_seen(&Kind::OrphanedFile).await;
        let since = |time: Time| (time - at(0)).num_seconds().unsigned_abs();
        let seen = seen.into_iter().map(|(key, time)| (key, since(time))).collect();
        (fixture, seen)
    }

    fn seen(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected.iter().map(|(key, time)| ((*key).to_owned(), *time)).collect()
    }

    #[tokio::test]
    async fn a_first_sighting_stays_while_the_finding_does_and_begins_anew_where_it_was_away() {
        let fixture = Fixture::new().await;
        let (fixture, found) = night(fixture, 1, 10, &["a", "b"], "").await;
        assert_eq!(found, seen(&[("a", 10), ("b", 10)]));
        let (fixture, found) = night(fixture, 2, 20, &["a", "c"], "").await;
        assert_eq!(found, seen(&[("a", 10), ("c", 20)]));
        let (_, found) = night(fixture, 3, 30, &["a", "b", "c"], "").await;
        assert_eq!(found, seen(&[("a", 10), ("b", 30), ("c", 20)]));
    }

    #[tokio::test]
    async fn a_narrowed_run_resolves_nothing_outside_its_prefix() {
        let fixture = Fixture::new().await;
        let (fixture, _) = night(fixture, 1, 10, &["in/a", "in/b", "out/a"], "").await;
        let (fixture, _) = night(fixture, 2, 20, &["in/a"], "in/").await;
        let (_, found) = night(fixture, 3, 30, &["in/a", "in/b", "out/a"], "").await;
        assert_eq!(found, seen(&[("in/a", 10), ("in/b", 30), ("out/a", 10)]));
    }

    /// When a file was first seen, by how many complete runs since when, and when it was last held.
    async fn evidence(fixture: &mut Fixture, key: &str) -> (u64, i64, Option<u64>, Option<u64>) {
        let sql = "SELECT first_seen, sightings, since, held_at FROM sightings WHERE key = ?";
        let row: (String, i64, Option<String>, Option<String>) =
            sqlx::query_as(sql).bind(key).fetch_one(&mut fixture.ledger.connection).await.expect("a sighting");
        let since = |text: String| (text.parse::<Time>().expect("a time") - at(0)).num_seconds().unsigned_abs();
        (since(row.0), row.1, row.2.map(since), row.3.map(since))
    }

    /// A run that finds one file.
    async fn see(fixture: Fixture, run: u64, decides: Option<Decides>, object: Object) -> Fixture {
        let mut fixture = fixture.next_run().await;
        fixture.ledger.begin("dry-run", at(run)).await.expect("a run");
        fixture.orphans(&[object]).await;
        fixture.ledger.hold(&Doubts::default()).await.expect("holds");
        let scope = (&Kind::BUILT_IN[..], true, "");
        fixture.ledger.keep_sightings(run as i64, decides.as_ref(), scope, at(run)).await.expect("sightings");
        fixture
    }

    #[tokio::test]
    async fn evidence_is_of_one_object_and_of_complete_runs() {
        let [strict, lax] = [2, 1].map(|min_age| Some(Decides::of_min_age(min_age)));
        let other = |object: Object, etag: &str| Object { etag: Some(etag.to_owned()), ..object };
        let plain = object("a");
        let held = Object { archived: true, ..plain.clone() };
        let later = Object { last_modified: Some(at(1)), ..plain.clone() };
        let larger = Object { size: 2, ..later.clone() };
        let tagged = other(larger.clone(), "x");
        let retagged = other(larger.clone(), "y");
        let mut fixture = Fixture::new().await;
        for (run, decides, object, expected) in [
            (10, &strict, &plain, (10, 1, Some(10), None)),
            (11, &strict, &plain, (10, 2, Some(10), None)),
            // A narrowed run says only that it is still there.
            (12, &None, &plain, (10, 2, Some(10), None)),
            (13, &strict, &held, (10, 3, Some(10), Some(13))),
            (14, &strict, &plain, (10, 4, Some(10), Some(13))),
            // The configuration protects less than it did.
            (15, &lax, &plain, (10, 1, Some(15), None)),
            (16, &lax, &later, (16, 1, Some(16), None)),
            (17, &lax, &larger, (17, 1, Some(17), None)),
            // An etag that is not known before says nothing, ...
            (18, &lax, &tagged, (17, 2, Some(17), None)),
            // ... and another one says that it is another object.
            (19, &None, &retagged, (19, 0, None, None)),
            (20, &lax, &retagged, (19, 1, Some(20), None)),
        ] {
            fixture = see(fixture, run, decides.clone(), object.clone()).await;
            assert_eq!(evidence(&mut fixture, "a").await, expected, "run {run}");
        }
        // What was away, and is back.
        fixture = see(fixture, 21, lax.clone(), object("b")).await;
        fixture = see(fixture, 22, lax, retagged).await;
        assert_eq!(evidence(&mut fixture, "a").await, (22, 1, Some(22), None));
    }

    #[tokio::test]
    async fn rows_of_one_key_are_told_apart_whatever_the_size_of_a_page() {
        let mut fixture = Fixture::new().await;
        let rows: Vec<_> = ["1", "2", "3", "4", "5"].iter().map(|id| record("a.png", id)).collect();
        fixture.rows(&Kind::OrphanedRecord, &rows).await;
        fixture.keep(&Doubts::default(), &Kind::BUILT_IN, 1, at(0)).await;
        for limit in 1..7 {
            let (mut position, mut ids) = (Position::default(), Vec::new());
            loop {
                let page = fixture.ledger.findings(&Kind::OrphanedRecord, &position, limit).await.expect("a page");
                let Some(last) = page.last() else { break };
                position = last.clone();
                ids.extend(page.read().expect("findings").into_iter().map(|finding| match finding.subject {
                    Subject::Record { id, .. } => id,
                    Subject::File { .. } => String::new(),
                }));
            }
            assert_eq!(ids, ["1", "2", "3", "4", "5"], "pages of {limit}");
        }
    }
}
