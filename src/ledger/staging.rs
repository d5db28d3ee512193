//! What a run has found so far: temporary tables, on disk but private to the run's connection.

use std::sync::{Arc, LazyLock};

use anyhow::{Result, anyhow, ensure};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, SqlSafeStr, SqlStr, Sqlite, Type};

use super::Ledger;
use super::derived::{ADD_DERIVED, derived_row};
use crate::compare::{DerivedObject, Note, Unmatched};
use crate::domain::listed::{Listed, Objects};
use crate::domain::{Found, Held, Kind, Record, Side, Sum, Time};
use crate::only::Only;

/// `unmatched` holds what has no partner on the other side and is no finding by itself; near misses are looked for in it.
pub const SCHEMA: &str = "
    PRAGMA temp_store = FILE;
    PRAGMA temp.page_size = 16384;  -- a million findings in fewer and larger pages, ...
    PRAGMA temp.cache_size = -2000; -- ... and in memory no more of them than 2,000 KiB
    CREATE TEMP TABLE finding (
        is_row INTEGER NOT NULL DEFAULT 0, -- its side: 0 for a file, 1 for a row
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        table_name TEXT NOT NULL DEFAULT '',
        record_id TEXT NOT NULL DEFAULT '',
        size INTEGER,
        last_modified INTEGER, -- microseconds since 1970
        etag TEXT,
        created_at INTEGER,    -- microseconds since 1970
        held TEXT,             -- why no run may act on it, for people, ...
        held_by TEXT,          -- ... and the code of the hold
        section INTEGER NOT NULL DEFAULT 0, -- which of the [[records]] a row is of
        handle TEXT NOT NULL DEFAULT '',    -- its id, as the database finds it again
        undated INTEGER NOT NULL DEFAULT 0, -- whether it must have been seen for a while: 1 as it has no age, 2 as nothing
                                            -- says when it was changed
        shared INTEGER NOT NULL DEFAULT 0,  -- whether others want its file
        owners TEXT,                        -- of a derived file: JSON, as in `derived`
        rivals INTEGER NOT NULL DEFAULT 0,  -- how many rows must go for its file to follow; 0: it stays, or is not there
        later INTEGER NOT NULL DEFAULT 0,   -- whether it stays for a later run, as this one has a limit or was narrowed
        PRIMARY KEY (kind, key, table_name, record_id)
    ) WITHOUT ROWID;
    -- Files may be millions, and what is asked of the others must not read them all.
    CREATE INDEX temp.finding_rows ON finding (table_name) WHERE is_row;
    CREATE INDEX temp.finding_derived ON finding (key) WHERE owners IS NOT NULL;
    CREATE INDEX temp.finding_undated ON finding (key) WHERE undated > 0;
    CREATE TEMP TABLE unmatched (
        side TEXT NOT NULL,
        key TEXT NOT NULL,
        sources INTEGER NOT NULL DEFAULT 0, -- those that give it, a bit each
        PRIMARY KEY (side, key)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE condemned (
        key TEXT PRIMARY KEY,
        size INTEGER,          -- NULL: it is a folder, and what lies in it is derived
        last_modified INTEGER,
        etag TEXT,
        held TEXT,
        held_by TEXT
    ) WITHOUT ROWID;
    -- Folders of condemned rows in which others name something too.
    CREATE TEMP TABLE shared_folder (
        key TEXT NOT NULL,
        inside TEXT NOT NULL,  -- a key in it; '': more than are noted
        PRIMARY KEY (key, inside)
    ) WITHOUT ROWID;
    PRAGMA temp.journal_mode = OFF;";

/// Whether a record must have been seen for a while before a run may act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Waits {
    No = 0,
    /// Only its first sighting says how old it is.
    Undated = 1,
    /// Nothing says when it was last changed.
    NewlyMissing = 2,
}

/// A record that is a finding, and why no run may act on it, if so.
pub struct NewRecord {
    pub kind: Kind,
    pub record: Record,
    pub waits: Waits,
    pub held: Option<Held>,
}

/// Sides of `unmatched`.
pub(super) const MISSING: &str = "missing";
pub(super) const MISSING_REFERENCE: &str = "missing-reference";
const OUTSIDE: &str = "outside";
/// What holds several keys, and is no other spelling of one by itself.
pub(super) const OUTSIDE_PACKED: &str = "outside-packed";
pub(super) const YOUNG: &str = "young";
/// What is not UTF-8, as it would be in Latin-1.
pub(super) const UNDECODED: &str = "undecoded";
/// Parts of the others.
pub(super) const PART: &str = "part";

/// The statements that add orphaned files, each with how many it takes: any number is made of a few of them, and they stay
/// prepared.
static ADD_ORPHANS: LazyLock<[(usize, SqlStr); 4]> = LazyLock::new(|| {
    [250, 50, 8, 1].map(|count| {
        let row = format!("('{}', ?, ?, ?, ?, ?, ?)", Kind::OrphanedFile);
        let (columns, rows) = ("kind, key, size, last_modified, etag, held, held_by", vec![row; count].join(", "));
        let sql = format!("INSERT OR IGNORE INTO temp.finding ({columns}) VALUES {rows}");
        (count, AssertSqlSafe(Arc::<str>::from(sql)).into_sql_str())
    })
});

/// A note of the scan as the ledger takes it: statements, and what they are given. It is made beside the ledger, so that
/// one can be made while another is taken.
pub struct Staged(Vec<(SqlStr, SqliteArguments)>);

impl Staged {
    /// Makes a note ready; `hold` says why no run may act on a file, if so: one that nobody knows (`Side::File`), or one
    /// that follows its rows.
    pub fn new(note: &Note, hold: impl Fn(Listed<'_>, Side) -> Option<Held>) -> Result<Self> {
        let unmatched = |side: &str, keys: &[Unmatched]| {
            let sql = "INSERT INTO temp.unmatched (side, key, sources) \
                       SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true \
                       ON CONFLICT DO UPDATE SET sources = sources | excluded.sources";
            Staged::rows(sql, keys.iter().map(|unmatched| json!([side, unmatched.key, unmatched.sources as i64])))
        };
        match note {
            Note::Orphans(objects) => Staged::orphans(objects, |object| hold(object, Side::File)),
            Note::Condemned(objects) => {
                let sql = "INSERT OR IGNORE INTO temp.condemned (key, size, last_modified, etag, held, held_by) \
                           SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
                           FROM json_each(?)";
                let rows = objects.iter().map(|object| {
                    let held = hold(object.as_listed(), Side::Row);
                    let (reason, code) = columns(held.as_ref());
                    let modified = microseconds(object.last_modified);
                    json!([object.key, object.size, modified, object.etag, reason, code])
                });
                Staged::rows(sql, rows)
            }
            Note::CondemnedFolders(keys) => {
                let sql = "INSERT OR IGNORE INTO temp.condemned (key) SELECT value FROM json_each(?)";
                Staged::rows(sql, keys.iter().map(|key| json!(key)))
            }
            Note::SharedFolders(keys) => {
                let sql = "INSERT OR IGNORE INTO temp.shared_folder SELECT value ->> 0, value ->> 1 FROM json_each(?)";
                Staged::rows(sql, keys.iter().map(|inside| json!([inside.folder, inside.key.as_deref().unwrap_or("")])))
            }
            Note::Derived(objects) => {
                let row = |derived: &DerivedObject| derived_row(derived, hold(derived.object.as_listed(), Side::File));
                Staged::rows(ADD_DERIVED, objects.iter().map(row))
            }
            Note::Missing(keys) => unmatched(MISSING, keys),
            Note::MissingReferences(keys) => unmatched(MISSING_REFERENCE, keys),
            Note::Outside(keys) => unmatched(OUTSIDE, keys),
            Note::OutsidePacked(keys) => unmatched(OUTSIDE_PACKED, keys),
            Note::Packed(values) => Staged::packed(values),
            Note::Young(keys) => {
                let sql = "INSERT OR IGNORE INTO temp.unmatched (side, key) \
                           SELECT value ->> 0, value ->> 1 FROM json_each(?)";
                Staged::rows(sql, keys.iter().map(|key| json!([YOUNG, key])))
            }
            Note::Undecoded(names) => {
                // It holds files as a value does, and rows as a file does.
                let sql = "INSERT OR IGNORE INTO temp.unmatched (side, key) \
                           SELECT value ->> 0, value ->> 1 FROM json_each(?)";
                let sides = |name| [json!([UNDECODED, name]), json!([YOUNG, name])];
                Staged::rows(sql, names.iter().flat_map(sides))
            }
            Note::Folders(unknown) => Staged::folders(unknown),
            Note::TrashRuns(folders) => {
                let sql = "INSERT OR IGNORE INTO temp.trash_run SELECT value FROM json_each(?)";
                Staged::rows(sql, folders.iter().map(|folder| json!(folder)))
            }
        }
    }

    /// Rows as the JSON that a statement reads.
    pub(super) fn rows(sql: &'static str, rows: impl Iterator<Item = Value>) -> Result<Self> {
        let mut arguments = SqliteArguments::default();
        give(&mut arguments, serde_json::to_string(&rows.collect::<Vec<_>>())?)?;
        Ok(Staged(vec![(sql.into_sql_str(), arguments)]))
    }

    /// These statements, and then those.
    pub(super) fn and(mut self, mut next: Staged) -> Self {
        self.0.append(&mut next.0);
        self
    }

    /// There may be as many of them as there are objects: their values are bound, as many at once as a statement has.
    fn orphans(objects: &Objects, hold: impl Fn(Listed<'_>) -> Option<Held>) -> Result<Self> {
        let mut statements = Vec::new();
        let mut taken = 0;
        while let Some((count, sql)) = ADD_ORPHANS.iter().find(|(count, _)| taken + count <= objects.len()) {
            let mut arguments = SqliteArguments::default();
            for object in (taken..taken + count).filter_map(|at| objects.get(at)) {
                give(&mut arguments, object.key)?;
                give(&mut arguments, i64::try_from(object.size).unwrap_or(i64::MAX))?;
                give(&mut arguments, microseconds(object.last_modified))?;
                give(&mut arguments, object.etag)?;
                let held = hold(object);
                let (reason, code) = columns(held.as_ref());
                give(&mut arguments, reason.map(str::to_owned))?;
                give(&mut arguments, code)?;
            }
            taken += count;
            statements.push((sql.clone(), arguments));
        }
        Ok(Staged(statements))
    }
}

fn give<'a, T>(arguments: &mut SqliteArguments, value: T) -> Result<()>
where
    T: Encode<'a, Sqlite> + Type<Sqlite>,
{
    arguments.add(value).map_err(|error| anyhow!(error))
}

impl Ledger {
    /// Adds what a note of the scan says.
    pub async fn add(&mut self, staged: Staged) -> Result<()> {
        for (sql, arguments) in staged.0 {
            sqlx::query_with(sql, arguments).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Adds records that are findings.
    pub async fn add_records(&mut self, records: &[NewRecord]) -> Result<()> {
        let rows = records.iter().map(|NewRecord { kind, record, waits, held }| {
            let created_at = microseconds(record.created.time());
            let Record { key, table, id, section, handle, .. } = record;
            let (reason, code) = columns(held.as_ref());
            json!([kind.name(), key, table, id, created_at, reason, code, section, handle, *waits as u8])
        });
        let sql = "INSERT OR IGNORE INTO temp.finding \
                       (is_row, kind, key, table_name, record_id, created_at, held, held_by, section, handle, undated) \
                   SELECT 1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
                          value ->> 7, value ->> 8, value ->> 9 FROM json_each(?)";
        self.insert(sql, rows.collect()).await
    }

    /// Tells the findings of these groups what becomes of their files: each key with whether its object stays for others,
    /// and of how many rows it is.
    pub async fn settle_groups(&mut self, groups: &[(String, bool, u64)], kinds: &[&str]) -> Result<()> {
        let rows =
            groups.iter().map(|(key, is_shared, rows)| json!([key, is_shared, if *is_shared { 0 } else { *rows }]));
        let rows: Vec<Value> = rows.collect();
        let sql = "
            WITH settled AS MATERIALIZED (
                SELECT value ->> 0 AS key, value ->> 1 AS shared, value ->> 2 AS rivals FROM json_each(?1)
            )
            UPDATE temp.finding
            SET size = c.size, last_modified = c.last_modified, etag = c.etag, shared = settled.shared,
                rivals = settled.rivals, held = coalesce(finding.held, iif(settled.shared, NULL, c.held)),
                held_by = coalesce(finding.held_by, iif(settled.shared, NULL, c.held_by))
            FROM settled JOIN temp.condemned AS c ON c.key = settled.key
            WHERE finding.key = settled.key AND finding.kind IN (SELECT value FROM json_each(?2))";
        let query = sqlx::query(sql).bind(serde_json::to_string(&rows)?).bind(serde_json::to_string(kinds)?);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Adds folders whose rows a rule may condemn, but for those that hold an object that is too young to judge.
    pub async fn add_condemned_folders(&mut self, folders: &[&String]) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO temp.condemned (key) SELECT value FROM json_each(?) WHERE value NOT IN (
                       SELECT o.value ->> 0 FROM temp.derived AS d, json_each(d.owners) AS o WHERE d.young)";
        sqlx::query(sql).bind(serde_json::to_string(folders)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Keys in folders of condemned rows, each with its folder, after one of them; an empty key stands for more than are noted.
    pub async fn keys_inside_after(&mut self, after: &(String, String), limit: usize) -> Result<Vec<(String, String)>> {
        let sql =
            "SELECT key, inside FROM temp.shared_folder WHERE (key, inside) > (?, ?) ORDER BY key, inside LIMIT ?";
        let query = sqlx::query_as(sql).bind(&after.0).bind(&after.1).bind(limit as i64);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// Forgets keys in folders: the folder's own row names them.
    pub async fn forget_inside(&mut self, keys: &[&(String, String)]) -> Result<()> {
        let sql = "DELETE FROM temp.shared_folder
                   WHERE (key, inside) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))";
        sqlx::query(sql).bind(serde_json::to_string(keys)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// The keys of objects with a record that a rule seems to condemn, after `after` and in byte order.
    pub async fn condemned_after(&mut self, after: &str, limit: usize) -> Result<Vec<String>> {
        let sql = "SELECT key FROM temp.condemned WHERE key > ? ORDER BY key LIMIT ?";
        let query = sqlx::query_scalar(sql).bind(after).bind(limit as i64);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    async fn insert(&mut self, sql: &'static str, rows: Vec<Value>) -> Result<()> {
        self.add(Staged::rows(sql, rows.into_iter())?).await
    }

    /// The keys of orphaned files after `after`, in byte order: at most `keys` of them, of about `bytes` bytes.
    pub async fn orphans_after(&mut self, after: &str, keys: usize, bytes: usize) -> Result<Vec<String>> {
        // One value and not a row for each key: rows come from SQLite's own thread one by one.
        let sql = "SELECT json_group_array(key) FROM \
                   (SELECT key FROM temp.finding WHERE kind = ? AND key > ? ORDER BY key LIMIT 1000)";
        let mut window: Vec<String> = Vec::new();
        let mut window_bytes = 0;
        while window.len() < keys && window_bytes < bytes {
            let after = window.last().map_or(after, String::as_str).to_owned();
            let query = sqlx::query_scalar(sql).bind(Kind::OrphanedFile.name()).bind(after);
            let page: String = query.fetch_one(&mut self.connection).await?;
            let page: Vec<String> = in_order(serde_json::from_str(&page)?)?;
            if page.is_empty() {
                break;
            }
            window_bytes += page.iter().map(String::len).sum::<usize>();
            window.extend(page);
        }
        Ok(window)
    }

    /// How many orphaned files there are.
    pub async fn count_orphans(&mut self) -> Result<u64> {
        let sql = "SELECT count(*) FROM temp.finding WHERE kind = ?";
        let count: i64 =
            sqlx::query_scalar(sql).bind(Kind::OrphanedFile.name()).fetch_one(&mut self.connection).await?;
        Ok(count.unsigned_abs())
    }

    /// The keys of at most so many orphaned files from `first` on, in byte order.
    pub async fn orphans_from(&mut self, first: &str, limit: usize) -> Result<Vec<String>> {
        let sql = "SELECT json_group_array(key) FROM \
                   (SELECT key FROM temp.finding WHERE kind = ? AND key >= ? ORDER BY key LIMIT ?)";
        let query = sqlx::query_scalar(sql).bind(Kind::OrphanedFile.name()).bind(first).bind(limit as i64);
        let keys: String = query.fetch_one(&mut self.connection).await?;
        in_order(serde_json::from_str(&keys)?)
    }

    /// Orphaned files that are wanted after all.
    pub async fn forget_orphans(&mut self, keys: &[String]) -> Result<()> {
        let sql = "DELETE FROM temp.finding WHERE kind = ? AND key IN (SELECT value FROM json_each(?))";
        let query = sqlx::query(sql).bind(Kind::OrphanedFile.name()).bind(serde_json::to_string(keys)?);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// The keys that records name and that were not listed, after `after` and in byte order.
    pub async fn missing_after(&mut self, after: &str, limit: usize) -> Result<Vec<String>> {
        let sql = "SELECT key FROM temp.unmatched WHERE side = ? AND key > ? ORDER BY key LIMIT ?";
        let query = sqlx::query_scalar(sql).bind(MISSING).bind(after).bind(limit as i64);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// The same, or those that only references name.
    pub async fn absent_after(&mut self, of_records: bool, after: &str, limit: usize) -> Result<Vec<String>> {
        let sql = "SELECT key FROM temp.unmatched WHERE side = ? AND key > ? ORDER BY key LIMIT ?";
        let side = if of_records { MISSING } else { MISSING_REFERENCE };
        let query = sqlx::query_scalar(sql).bind(side).bind(after).bind(limit as i64);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// Objects that are there after all. They stay where near misses are looked for: a store that folds names gives the
    /// file under one spelling when listed, and under another when looked at.
    pub async fn found_missing(&mut self, keys: &[String]) -> Result<()> {
        let sql = "UPDATE temp.unmatched SET side = 'here' WHERE side = ? AND key IN (SELECT value FROM json_each(?))";
        let query = sqlx::query(sql).bind(MISSING).bind(serde_json::to_string(keys)?);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Drops findings of other kinds: they were not asked for.
    pub async fn keep_kinds(&mut self, kinds: &[Kind]) -> Result<()> {
        let mut kind = String::new();
        loop {
            let sql = "SELECT min(kind) FROM temp.finding WHERE kind > ?";
            let next: Option<String> = sqlx::query_scalar(sql).bind(&kind).fetch_one(&mut self.connection).await?;
            let Some(next) = next else { return Ok(()) };
            if !kinds.iter().any(|kind| kind.name() == next) {
                let sql = "DELETE FROM temp.finding WHERE kind = ?";
                sqlx::query(sql).bind(&next).execute(&mut self.connection).await?;
            }
            kind = next;
        }
    }

    /// Drops findings that `only` does not name. `has_folders`: a row may own a folder, which is named without its last slash.
    pub async fn keep_only(&mut self, only: &Only, has_folders: bool) -> Result<()> {
        let sql = "CREATE TEMP TABLE only_these (kind TEXT, key TEXT NOT NULL, table_name TEXT, record_id TEXT);
                   CREATE INDEX temp.only_these_key ON only_these (key)";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        for names in only.names().chunks(1000) {
            let rows = names.iter().map(|name| json!([name.kind, name.key, name.table, name.id])).collect();
            let sql = "INSERT INTO temp.only_these SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
            self.insert(sql, rows).await?;
        }
        let sql = "DELETE FROM temp.finding WHERE NOT EXISTS (
                       SELECT 1 FROM temp.only_these AS o WHERE o.key IN (finding.key, iif(
                             ? AND is_row AND substr(finding.key, -1) = '/',
                             substr(finding.key, 1, length(finding.key) - 1), finding.key))
                         AND coalesce(o.kind, finding.kind) = finding.kind
                         AND coalesce(o.table_name, finding.table_name) = finding.table_name
                         AND coalesce(o.record_id, finding.record_id) = finding.record_id)";
        sqlx::query(sql).bind(has_folders).execute(&mut self.connection).await?;
        sqlx::raw_sql("DROP TABLE temp.only_these").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Whether anything was found.
    pub async fn has_findings(&mut self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM temp.finding)";
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.connection).await?)
    }

    /// Drops everything that was found: a run that failed has no findings.
    pub async fn forget_all(&mut self) -> Result<()> {
        sqlx::raw_sql("DELETE FROM temp.finding; DELETE FROM temp.unmatched; DELETE FROM temp.condemned; DELETE FROM temp.derived; DELETE FROM temp.folder")
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Counts the findings, by what they are and of which table.
    pub async fn count_findings(&mut self) -> Result<Found> {
        let sql = "SELECT kind, count(*), coalesce(sum(size), 0), count(held), count(*) - count(size) FROM temp.finding GROUP BY kind";
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(sql).fetch_all(&mut self.connection).await?;
        let kinds = rows.into_iter().map(|(kind, findings, bytes, held, without_file)| {
            let [findings, bytes, held, without_file] = [findings, bytes, held, without_file].map(i64::unsigned_abs);
            (Kind::named(&kind), Sum { findings, bytes, held, without_file })
        });
        let kinds = kinds.collect();
        let sql =
            "SELECT table_name, count(*) FROM temp.finding INDEXED BY finding_rows WHERE is_row GROUP BY table_name";
        let tables: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut self.connection).await?;
        let tables = tables.into_iter().map(|(table, count)| (table, count.unsigned_abs())).collect();
        Ok(Found { kinds, tables })
    }
}

/// What an aggregate gave in the order of the rows that it was given, as it has always done, and promises nowhere.
fn in_order(keys: Vec<String>) -> Result<Vec<String>> {
    ensure!(keys.is_sorted(), "SQLite gave rows out of order");
    Ok(keys)
}

/// The columns of a hold: its reason, and its code.
pub(super) fn columns(held: Option<&Held>) -> (Option<&str>, Option<&'static str>) {
    (held.map(|held| held.reason.as_str()), held.map(|held| held.by.code()))
}

pub(super) fn microseconds(time: Option<Time>) -> Option<i64> {
    time.map(|time| time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, object, record, rule};
    use super::*;
    use crate::domain::Object;
    use crate::ledger::Acting;
    use crate::ledger::Doubts;

    #[tokio::test]
    async fn findings_are_counted_by_kind_and_table() {
        let mut fixture = Fixture::new().await;
        fixture.orphans(&[Object { archived: true, ..object("a") }, Object { size: 4, ..object("b") }]).await;
        fixture.note(Note::Condemned(vec![Object { size: 9, ..object("c") }])).await;
        fixture.rows(&rule("old"), &[record("c", "1"), record("", "2")]).await;
        fixture.rows(&Kind::OrphanedRecord, &[Record { table: "b".to_owned(), ..record("x", "3") }]).await;
        fixture.ledger.settle_groups(&[("c".to_owned(), false, 1)], &["old"]).await.expect("groups");
        let found = fixture.ledger.count_findings().await.expect("counts");
        let sum = |findings, bytes, held, without_file| Sum { findings, bytes, held, without_file };
        assert_eq!(found.of(&Kind::OrphanedFile), sum(2, 5, 1, 0));
        assert_eq!(found.of(&Kind::OrphanedRecord), sum(1, 0, 0, 1));
        assert_eq!(found.of(&rule("old")), sum(2, 9, 0, 1));
        assert_eq!(found.of(&rule("other")), Sum::default());
        assert_eq!((found.all(), found.condemned()), (sum(5, 14, 1, 2), sum(2, 9, 0, 1)));
        assert_eq!(found.tables, [("assets".to_owned(), 2), ("b".to_owned(), 1)].into());
    }

    #[tokio::test]
    async fn a_file_that_others_want_stays_and_is_not_held() {
        let mut fixture = Fixture::new().await;
        fixture
            .note(Note::Condemned(["alone", "shared"].map(|key| Object { archived: true, ..object(key) }).into()))
            .await;
        fixture.rows(&rule("old"), &[record("alone", "1"), record("shared", "2")]).await;
        let groups = [("alone".to_owned(), false, 1), ("shared".to_owned(), true, 1)];
        fixture.ledger.settle_groups(&groups, &["old"]).await.expect("groups");
        fixture.keep(&Doubts::default(), &[rule("old")], 1, at(0)).await;
        let expected = [("alone".to_owned(), Some(crate::domain::Hold::Archived)), ("shared".to_owned(), None)];
        assert_eq!(fixture.findings(&rule("old")).await, expected);
        fixture.ledger.plan_rows(&[Acting { section: 0, kind: "old", deletes: true }]).await.expect("a plan");
        let planned = fixture.ledger.planned_after(0, 10).await.expect("rows");
        assert_eq!(planned.iter().map(|row| (&*row.key, row.rivals)).collect::<Vec<_>>(), [("shared", 0)]);
    }

    #[tokio::test]
    async fn what_was_not_asked_for_is_dropped() {
        let mut fixture = Fixture::new().await;
        fixture.orphans(&["a", "b"].map(object)).await;
        fixture.rows(&Kind::OrphanedRecord, &[record("c", "1")]).await;
        fixture.rows(&rule("old"), &[record("d", "2")]).await;
        fixture.ledger.keep_kinds(&[Kind::OrphanedFile, rule("old")]).await.expect("kinds");
        fixture.keep(&Doubts::default(), &[], 1, at(0)).await;
        let found = fixture.ledger.count_findings().await.expect("counts");
        assert_eq!(found.kinds.keys().cloned().collect::<Vec<_>>(), [Kind::OrphanedFile, rule("old")]);
        fixture.ledger.forget_all().await.expect("nothing");
        assert_eq!(fixture.ledger.count_findings().await.expect("counts"), Found::default());
    }

    #[tokio::test]
    async fn orphans_are_read_in_pages_and_forgotten_by_key() {
        let mut fixture = Fixture::new().await;
        let keys: Vec<String> = (0..2_500).map(|number| format!("{number:04}")).collect();
        fixture.orphans(&keys.iter().map(|key| object(key)).collect::<Vec<_>>()).await;
        assert_eq!(fixture.ledger.count_orphans().await.expect("a count"), 2_500);
        assert_eq!(fixture.ledger.orphans_after("0009", 5_000, 1 << 20).await.expect("keys"), keys[10..]);
        assert_eq!(fixture.ledger.orphans_after("", 5_000, 1).await.expect("keys"), keys[..1_000]);
        assert_eq!(fixture.ledger.orphans_from("0009", 2).await.expect("keys"), keys[9..11]);
        fixture.ledger.forget_orphans(&keys[1..]).await.expect("forgotten");
        assert_eq!(fixture.ledger.orphans_after("", 10, 1 << 20).await.expect("keys"), keys[..1]);
    }

    #[test]
    fn every_orphan_is_in_one_statement_that_takes_as_many_as_it_is_given() {
        for count in 0..600 {
            let keys: Vec<String> = (0..count).map(|number| format!("{number:03}")).collect();
            let mut objects = Objects::default();
            for key in &keys {
                let (size, etag) = (1, None);
                objects.push(Listed {
                    key,
                    size,
                    last_modified: None,
                    etag,
                    archived: false,
                    opaque_etag: false,
                    is_new: false,
                    is_plain: false,
                });
            }
            let Staged(statements) = Staged::orphans(&objects, |_| None).expect("statements");
            let placeholders = |sql: &SqlStr| sql.as_str().matches('?').count();
            assert!(statements.iter().all(|(sql, arguments)| placeholders(sql) == arguments.len()), "{count}");
            let given: usize = statements.iter().map(|(_, arguments)| arguments.len()).sum();
            assert_eq!(given, 6 * count);
        }
    }
}
