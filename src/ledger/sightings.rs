//! Findings as they are kept: when each was first and last seen, and when it was seen no more.

use std::borrow::Cow;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SubsecRound};
use serde::Deserialize;
use sqlx::Connection;

use super::Ledger;
use super::history::stamp;
use crate::domain::{CondemnedFile, Finding, Held, Hold, Kind, Side, Subject, Time};

/// Where a page of findings begins: after this key, table and id.
#[derive(Debug, Clone, Default)]
pub struct Position {
    key: String,
    table: String,
    id: String,
}

impl Ledger {
    /// Writes the run's findings as sightings, and resolves what was seen before and is no more: within `kinds` and
    /// below `prefix`, for a narrowed run says nothing of the rest. Where not all kinds were asked for, files of condemned
    /// rows are neither found nor gone.
    pub async fn keep_sightings(
        &mut self,
        run: i64,
        (kinds, are_all): (&[Kind], bool),
        prefix: &str,
        now: Time,
    ) -> Result<()> {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO sightings (pair, kind, key, table_name, record_id, first_seen, last_seen, last_run, first_run) \
             SELECT ?1, kind, key, table_name, record_id, ?2, ?2, ?3, ?3 FROM temp.finding WHERE true \
             ON CONFLICT DO UPDATE SET \
                 first_seen = iif(resolved_at IS NULL, first_seen, excluded.first_seen), \
                 first_run = iif(resolved_at IS NULL, first_run, excluded.first_run), \
                 last_seen = excluded.last_seen, last_run = excluded.last_run, resolved_at = NULL",
        )
        .bind(self.pair)
        .bind(stamp(now))
        .bind(run)
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
        fixture.ledger.keep_sightings(run, (&Kind::BUILT_IN, true), prefix, at(now)).await.expect("sightings");
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
