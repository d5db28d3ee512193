//! What of the findings a run may act on, files and rows, in the order in which it will.

use anyhow::Result;
use chrono::DateTime;
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Ledger;
use super::derived::owners_of;
use crate::domain::derived::Owner;
use crate::domain::{Hold, Kind, LeftOut, Object};

/// A file that is to be removed, and what it was found as.
#[derive(Debug, Clone)]
pub struct FileToGo {
    pub object: Object,
    pub kind: Kind,
    /// What it belongs to, by a rule: it stays where that is wanted.
    pub owners: Vec<Owner>,
}

/// A row that is to be removed.
#[derive(Debug, Clone)]
pub struct PlannedRow {
    /// Its place in the plan.
    pub place: i64,
    pub kind: Kind,
    pub section: usize,
    pub table: String,
    pub id: String,
    pub handle: String,
    /// Empty for a row that names no object.
    pub key: String,
    /// Its object, if that is there.
    pub object: Option<Object>,
    /// How many rows of the plan must go for its object to follow; 0: it stays, or is not there.
    pub rivals: u64,
    /// The same row once more, as what it is by other keys, which go with it.
    pub also: Vec<PlannedRow>,
}

impl PlannedRow {
    /// The row by each of its keys.
    pub fn all(&self) -> impl Iterator<Item = &PlannedRow> {
        std::iter::once(self).chain(&self.also)
    }
}

/// Rows of a kind that a run may act on.
#[derive(Debug, Clone, Copy)]
pub struct Acting<'a> {
    pub section: usize,
    pub kind: &'a str,
    /// Whether they are deleted; otherwise they are updated.
    pub deletes: bool,
}

/// Rows of one table and kind that may be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    pub kind: Kind,
    pub section: usize,
    pub table: String,
    pub rows: u64,
}

const SCHEMA: &str = "
    CREATE TEMP TABLE planned (
        place INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        table_name TEXT NOT NULL,
        record_id TEXT NOT NULL,
        section INTEGER NOT NULL,
        handle TEXT NOT NULL,
        size INTEGER,
        last_modified INTEGER,
        etag TEXT,
        rivals INTEGER NOT NULL,
        deletes INTEGER NOT NULL,
        first INTEGER -- the place by which the row goes, where it is on the list by several keys; NULL: this one
    );";

impl Ledger {
    /// How many files may be removed by themselves, and their bytes.
    pub async fn removable(&mut self) -> Result<(u64, u64)> {
        let sql =
            "SELECT count(*), coalesce(sum(size), 0) FROM temp.finding WHERE NOT is_row AND held IS NULL AND NOT later";
        let (files, bytes): (i64, i64) = sqlx::query_as(sql).fetch_one(&mut self.connection).await?;
        Ok((files.unsigned_abs(), bytes.unsigned_abs()))
    }

    /// Whether any finding may be removed: a file that is not held, or such a row of these sections and kinds.
    pub async fn has_removable(&mut self, acting: &[Acting<'_>]) -> Result<bool> {
        let acting: Vec<_> = acting.iter().map(|Acting { section, kind, .. }| json!([section, kind])).collect();
        let sql = "SELECT EXISTS (SELECT 1 FROM temp.finding WHERE NOT is_row AND held IS NULL) \
                       OR EXISTS (SELECT 1 FROM temp.finding INDEXED BY finding_rows WHERE is_row AND held IS NULL \
                              AND (section, kind) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?)))";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(&acting)?);
        Ok(query.fetch_one(&mut self.connection).await?)
    }

    /// Whether any finding is held by one of these, or lies in a folder of which nothing is known.
    pub async fn has_held(&mut self, holds: &[Hold]) -> Result<bool> {
        let codes: Vec<_> = holds.iter().map(|hold| hold.code()).collect();
        let sql = "SELECT EXISTS (SELECT 1 FROM temp.finding WHERE held_by IN (SELECT value FROM json_each(?))) \
                          OR EXISTS (SELECT 1 FROM temp.folder)";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(&codes)?);
        Ok(query.fetch_one(&mut self.connection).await?)
    }

    /// Files of a kind that may be removed, after a key and in byte order.
    pub async fn removable_after(&mut self, kind: &Kind, after: &str, limit: usize) -> Result<Vec<FileToGo>> {
        let sql = "SELECT key, size, last_modified, etag, owners FROM temp.finding \
                   WHERE kind = ? AND held IS NULL AND NOT later AND key > ? ORDER BY key LIMIT ?";
        let query = sqlx::query_as(sql).bind(kind.name()).bind(after).bind(limit as i64);
        type File = (String, i64, Option<i64>, Option<String>, Option<String>);
        let rows: Vec<File> = query.fetch_all(&mut self.connection).await?;
        let files = rows.into_iter().map(|(key, size, last_modified, etag, owners)| {
            Ok(FileToGo {
                kind: kind.clone(),
                // Of folders the database is asked by the file's own key.
                owners: owners
                    .map_or(Ok(Vec::new()), |owners| owners_of(&owners))?
                    .into_iter()
                    .filter(is_asked)
                    .collect(),
                object: Object {
                    key,
                    size: size.unsigned_abs(),
                    last_modified: last_modified.and_then(DateTime::from_timestamp_micros),
                    etag,
                    archived: false,
                    opaque_etag: false,
                    is_new: false,
                    is_plain: false,
                },
            })
        });
        files.collect()
    }

    /// The sections with findings of these kinds, held ones too.
    pub async fn sections_with(&mut self, kinds: &[(usize, String)]) -> Result<Vec<usize>> {
        let sql = "SELECT DISTINCT section FROM temp.finding INDEXED BY finding_rows \
                   WHERE is_row AND (section, kind) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?)) ORDER BY 1";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(kinds)?);
        let sections: Vec<i64> = query.fetch_all(&mut self.connection).await?;
        Ok(sections.into_iter().map(|section| section as usize).collect())
    }

    /// Makes the plan's list of rows: those that are not held, of these sections and kinds. A file follows its rows only
    /// where every one of them is on the list. A row that is deleted by several keys goes once, and all their files with it; and
    /// it stays where it is held by one of them. Gives what is left out of the plan though nothing holds it.
    pub async fn plan_rows(&mut self, acting: &[Acting<'_>]) -> Result<LeftOut> {
        sqlx::raw_sql(SCHEMA).execute(&mut self.connection).await?;
        let acting = acting.iter().map(|Acting { section, kind, deletes }| json!([section, kind, deletes]));
        let acting: Vec<_> = acting.collect();
        sqlx::query(
            "INSERT INTO temp.planned (kind, key, table_name, record_id, section, handle, size, last_modified, etag, rivals, deletes) \
             SELECT f.kind, key, table_name, record_id, f.section, handle, size, last_modified, etag, rivals, deletes \
             FROM temp.finding AS f INDEXED BY finding_rows \
             CROSS JOIN (SELECT value ->> 0 AS section, value ->> 1 AS kind, value ->> 2 AS deletes FROM json_each(?)) AS a \
               ON a.section = f.section AND a.kind = f.kind \
             WHERE is_row AND held IS NULL ORDER BY key, f.kind, table_name, record_id",
        )
        .bind(serde_json::to_string(&acting)?)
        .execute(&mut self.connection)
        .await?;
        // A row does not go, by whichever of its keys, without what lies in its folder, which a narrowed run may not have
        // been asked about.
        let sql = "DELETE FROM temp.planned WHERE (table_name, handle) IN (
                       SELECT table_name, handle FROM temp.planned
                       WHERE substr(key, -1) = '/' AND kind <> ? AND key IN (
                           SELECT o.value ->> 0 FROM temp.derived AS d, json_each(d.owners) AS o
                           WHERE d.wanted = 1 AND o.value ->> 2 AND NOT EXISTS (
                               SELECT 1 FROM temp.finding AS f WHERE f.kind = ? AND f.key = d.key AND f.held IS NULL)))";
        let query = sqlx::query(sql).bind(Kind::OrphanedRecord.name()).bind(Kind::OrphanedFile.name());
        let rows = query.execute(&mut self.connection).await?.rows_affected();
        let sql = "SELECT EXISTS (SELECT 1 FROM temp.planned GROUP BY table_name HAVING min(section) < max(section))
                       OR EXISTS (SELECT 1 FROM temp.finding INDEXED BY finding_rows WHERE is_row
                                  GROUP BY table_name HAVING min(section) < max(section))";
        let has_several: bool = sqlx::query_scalar(sql).fetch_one(&mut self.connection).await?;
        if has_several {
            let sql = "CREATE INDEX temp.finding_handles ON finding (table_name, handle) WHERE is_row;
                       DELETE FROM temp.planned WHERE EXISTS (
                           SELECT 1 FROM temp.finding AS f INDEXED BY finding_handles WHERE f.is_row AND f.held IS NOT NULL
                             AND f.table_name = planned.table_name AND f.handle = planned.handle);
                       CREATE INDEX temp.planned_row ON planned (table_name, handle);
                       UPDATE temp.planned SET first = (
                           SELECT nullif(min(place), planned.place) FROM temp.planned AS other
                           WHERE other.table_name = planned.table_name AND other.handle = planned.handle
                             AND other.deletes) WHERE deletes";
            sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        }
        // Of most plans the second index is empty, and spares each batch a look at all rows.
        let sql = "CREATE INDEX temp.planned_key ON planned (key);
                   CREATE INDEX temp.planned_first ON planned (first) WHERE first IS NOT NULL;
                   UPDATE temp.planned SET rivals = 0 WHERE rivals > 0
                     AND rivals <> (SELECT count(*) FROM temp.planned AS other WHERE other.key = planned.key)";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        Ok(LeftOut { rows, files: self.leave_files_of_rows_that_stay().await? })
    }

    /// Leaves out files that belong to rows which a rule condemns and which are not on the list.
    async fn leave_files_of_rows_that_stay(&mut self) -> Result<u64> {
        let sql = "UPDATE temp.finding SET later = 1 WHERE kind = ? AND held IS NULL AND key IN (
                       SELECT d.key FROM temp.derived AS d, json_each(d.owners) AS o
                       JOIN temp.condemned AS c ON c.key >= o.value ->> 0
                         AND c.key <= (o.value ->> 0) || iif(o.value ->> 1, char(1114111), '')
                       WHERE d.wanted = 1 AND NOT EXISTS (SELECT 1 FROM temp.planned AS p WHERE p.key = c.key))";
        let query = sqlx::query(sql).bind(Kind::OrphanedFile.name());
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    /// How many rows of each table and kind are on the plan's list.
    pub async fn planned_counts(&mut self) -> Result<Vec<Rows>> {
        let sql = "SELECT kind, section, table_name, count(*) FROM temp.planned WHERE first IS NULL \
                   GROUP BY 1, 2, 3 ORDER BY 2, 1";
        let rows: Vec<(String, i64, String, i64)> = sqlx::query_as(sql).fetch_all(&mut self.connection).await?;
        let counts = rows.into_iter().map(|(kind, section, table, rows)| Rows {
            kind: Kind::named(&kind),
            section: section as usize,
            table,
            rows: rows.unsigned_abs(),
        });
        Ok(counts.collect())
    }

    /// How many files follow their rows, and their bytes.
    pub async fn following(&mut self) -> Result<(u64, u64)> {
        let sql = "SELECT count(*), coalesce(sum(size), 0) FROM \
                   (SELECT max(size) AS size FROM temp.planned WHERE rivals > 0 AND size IS NOT NULL GROUP BY key)";
        let (files, bytes): (i64, i64) = sqlx::query_as(sql).fetch_one(&mut self.connection).await?;
        Ok((files.unsigned_abs(), bytes.unsigned_abs()))
    }

    /// Rows of the plan's list after a place, each once.
    pub async fn planned_after(&mut self, place: i64, limit: usize) -> Result<Vec<PlannedRow>> {
        let sql = "SELECT * FROM temp.planned WHERE place > ? AND first IS NULL ORDER BY place LIMIT ?";
        let rows = sqlx::query(sql).bind(place).bind(limit as i64).fetch_all(&mut self.connection).await?;
        let mut rows: Vec<PlannedRow> = rows.iter().map(planned).collect::<Result<_>>()?;
        let sql = "SELECT * FROM temp.planned WHERE first BETWEEN ? AND ? ORDER BY first, place";
        let places = rows.first().map_or(0, |row| row.place)..=rows.last().map_or(-1, |row| row.place);
        let query = sqlx::query(sql).bind(places.start()).bind(places.end());
        for other in query.fetch_all(&mut self.connection).await? {
            let first: i64 = other.try_get("first")?;
            if let Ok(at) = rows.binary_search_by_key(&first, |row| row.place) {
                rows[at].also.push(planned(&other)?);
            }
        }
        Ok(rows)
    }
}

fn is_asked(owner: &Owner) -> bool {
    !matches!(owner, Owner::Folder(_))
}

fn planned(row: &SqliteRow) -> Result<PlannedRow> {
    let key: String = row.try_get("key")?;
    let size: Option<i64> = row.try_get("size")?;
    let last_modified: Option<i64> = row.try_get("last_modified")?;
    let etag: Option<String> = row.try_get("etag")?;
    Ok(PlannedRow {
        place: row.try_get("place")?,
        kind: Kind::named(row.try_get("kind")?),
        section: row.try_get::<i64, _>("section")? as usize,
        table: row.try_get("table_name")?,
        id: row.try_get("record_id")?,
        handle: row.try_get("handle")?,
        object: size.map(|size| Object {
            key: key.clone(),
            size: size.unsigned_abs(),
            last_modified: last_modified.and_then(DateTime::from_timestamp_micros),
            etag,
            archived: false,
            opaque_etag: false,
            is_new: false,
            is_plain: false,
        }),
        key,
        rivals: row.try_get::<i64, _>("rivals")?.unsigned_abs(),
        also: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, object, record, rule};
    use super::*;
    use crate::compare::Note;
    use crate::domain::Object;

    const KINDS: [&str; 1] = ["old"];
    const OLD: Acting<'static> = Acting { section: 0, kind: "old", deletes: true };

    /// Two rows of `a.png`, one of `b.png` and one of no object, all of them condemned by the rule `old`.
    async fn condemned() -> Fixture {
        let mut fixture = Fixture::new().await;
        fixture.note(Note::Condemned(vec![object("a.png"), Object { size: 5, ..object("b.png") }])).await;
        let rows = [record("a.png", "1"), record("a.png", "2"), record("b.png", "3"), record("", "4")];
        fixture.rows(&rule("old"), &rows).await;
        let groups = [("a.png".to_owned(), false, 2), ("b.png".to_owned(), false, 1)];
        fixture.ledger.settle_groups(&groups, &KINDS).await.expect("groups");
        fixture
    }

    async fn hold(fixture: &mut Fixture, id: &str) {
        let sql = "UPDATE temp.finding SET held = 'doubt', held_by = 'resembles' WHERE record_id = ?";
        sqlx::query(sql).bind(id).execute(&mut fixture.ledger.connection).await.expect("a hold");
    }

    #[tokio::test]
    async fn only_files_that_are_not_held_are_removable() {
        let mut fixture = Fixture::new().await;
        fixture
            .orphans(&[object("a"), Object { archived: true, ..object("b") }, Object { size: 7, ..object("c") }])
            .await;
        assert_eq!(fixture.ledger.removable().await.expect("a count"), (2, 8));
        let after = fixture.ledger.removable_after(&Kind::OrphanedFile, "", 10).await.expect("files");
        assert_eq!(after.iter().map(|file| &*file.object.key).collect::<Vec<_>>(), ["a", "c"]);
        let after = fixture.ledger.removable_after(&Kind::OrphanedFile, "a", 10).await.expect("files");
        assert_eq!(after.iter().map(|file| &*file.object.key).collect::<Vec<_>>(), ["c"]);
    }

    #[tokio::test]
    async fn a_file_follows_its_rows_where_all_of_them_are_on_the_list() {
        let mut fixture = condemned().await;
        fixture.ledger.plan_rows(&[OLD]).await.expect("a plan");
        assert_eq!(fixture.ledger.following().await.expect("files"), (2, 6));
        let rows = fixture.ledger.planned_after(0, 10).await.expect("rows");
        let rows: Vec<_> = rows.iter().map(|row| (&*row.key, &*row.id, row.rivals)).collect();
        assert_eq!(rows, [("", "4", 0), ("a.png", "1", 2), ("a.png", "2", 2), ("b.png", "3", 1)]);
    }

    #[tokio::test]
    async fn a_file_stays_where_one_of_its_rows_is_held() {
        let mut fixture = condemned().await;
        hold(&mut fixture, "2").await;
        fixture.ledger.plan_rows(&[OLD]).await.expect("a plan");
        assert_eq!(fixture.ledger.following().await.expect("files"), (1, 5));
        let counts = fixture.ledger.planned_counts().await.expect("counts");
        let expected = Rows { kind: rule("old"), section: 0, table: "assets".to_owned(), rows: 3 };
        assert_eq!(counts, [expected]);
    }

    #[tokio::test]
    async fn rows_of_other_sections_and_kinds_are_not_planned() {
        for acting in [&[][..], &[Acting { section: 1, ..OLD }], &[Acting { kind: "new", ..OLD }]] {
            let mut fixture = condemned().await;
            fixture.ledger.plan_rows(acting).await.expect("a plan");
            assert_eq!(fixture.ledger.planned_counts().await.expect("counts"), []);
        }
    }
}
