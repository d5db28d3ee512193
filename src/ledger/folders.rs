//! Folders of which nothing is known (I18): on disk, for there may be as many as there are deleted tenants.

use anyhow::Result;
use serde_json::json;

use super::Ledger;
use super::staging::Staged;
use super::state::State;
use crate::compare::Unknown;
use crate::compare::folders::{Shape, Siblings};
use crate::domain::{Hold, Kind};

pub const SCHEMA: &str = "
    -- Folders whose files are held; '' stands for keys without a `/`.
    CREATE TEMP TABLE folder (name TEXT PRIMARY KEY) WITHOUT ROWID;
    -- How many folders whose names are ids lie in a parent without a known key in them.
    CREATE TEMP TABLE sibling (
        parent TEXT NOT NULL,
        shape INTEGER NOT NULL,
        folders INTEGER NOT NULL,
        PRIMARY KEY (parent, shape)
    ) WITHOUT ROWID;
    -- Folders with rows whose objects are missing, and in the end those in which no object is; how many folders lie around
    -- each, itself counted.
    CREATE TEMP TABLE missing_folder (name TEXT PRIMARY KEY, depth INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX temp.missing_folder_depth ON missing_folder (depth, name);";

const ADD_FOLDERS: &str = "INSERT OR IGNORE INTO temp.folder SELECT value FROM json_each(?)";
const ADD_SIBLINGS: &str = "INSERT INTO temp.sibling SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true \
                            ON CONFLICT DO UPDATE SET folders = folders + excluded.folders";

/// Where the keys below a folder end, which stand together: what follows `/` in ASCII is `0`.
fn end_of(folder: &str) -> String {
    format!("{}0", folder.strip_suffix('/').unwrap_or(folder))
}

impl Staged {
    /// Folders of which nothing is known.
    pub(super) fn folders(unknown: &Unknown) -> Result<Self> {
        let folders = Staged::rows(ADD_FOLDERS, unknown.folders.iter().map(|name| json!(name)))?;
        let row = |siblings: &Siblings| json!([siblings.parent, siblings.shape as u8, siblings.folders]);
        Ok(folders.and(Staged::rows(ADD_SIBLINGS, unknown.siblings.iter().map(row))?))
    }
}

impl Ledger {
    /// Adds folders of which nothing is known.
    pub async fn add_folders(&mut self, unknown: &Unknown) -> Result<()> {
        if unknown.is_empty() { Ok(()) } else { self.add(Staged::folders(unknown)?).await }
    }

    /// Folders of which nothing is known after `after`, in byte order; from the beginning where it is `None`.
    pub async fn folders_after(&mut self, after: Option<&str>, limit: usize) -> Result<Vec<String>> {
        let sql = match after {
            Some(_) => "SELECT name FROM temp.folder WHERE name > ?1 ORDER BY name LIMIT ?2",
            None => "SELECT name FROM temp.folder WHERE ?1 IS NULL ORDER BY name LIMIT ?2",
        };
        let query = sqlx::query_scalar(sql).bind(after).bind(limit as i64);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// How many folders of a shape lie in a parent without a known key in them.
    pub async fn unknown_siblings(&mut self, parent: &str, shape: Shape) -> Result<u64> {
        let sql = "SELECT folders FROM temp.sibling WHERE parent = ? AND shape = ?";
        let query = sqlx::query_scalar(sql).bind(parent).bind(shape as u8);
        let folders: Option<i64> = query.fetch_optional(&mut self.connection).await?;
        Ok(folders.unwrap_or(0).unsigned_abs())
    }

    /// Takes off the folders whose rows an earlier run deleted: it was stopped before it came to their files. Where a file is
    /// newer than that, somebody has used the folder since.
    pub async fn lift_folders_of_deleted_rows(&mut self) -> Result<()> {
        let sql = "DELETE FROM temp.folder WHERE (
                       SELECT max(r.done_at) FROM (
                           SELECT done_at FROM removals INDEXED BY removals_key
                           WHERE pair = ?1 AND key = folder.name AND state = ?2
                           UNION ALL
                           SELECT done_at FROM row_keys AS k JOIN removals ON removals.id = k.removal
                           WHERE k.key = folder.name AND pair = ?1 AND state = ?2) AS r
                   ) > (
                       SELECT strftime('%Y-%m-%dT%H:%M:%SZ', max(coalesce(f.last_modified, 253402300799000000)) / 1000000, 'unixepoch')
                       FROM temp.finding AS f
                       WHERE f.kind = ?3 AND f.key >= folder.name AND f.key <= folder.name || char(1114111))";
        let query = sqlx::query(sql).bind(self.pair).bind(State::RowDeleted.name()).bind(Kind::OrphanedFile.name());
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Takes folders off: their files are not held.
    pub async fn lift_folders(&mut self, names: &[&str]) -> Result<()> {
        let sql = "DELETE FROM temp.folder WHERE name IN (SELECT value FROM json_each(?))";
        sqlx::query(sql).bind(serde_json::to_string(names)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Keys of rows without their objects after `after`, each with how many rows name it.
    pub async fn missing_rows_after(&mut self, after: &str, limit: usize) -> Result<Vec<(String, u64)>> {
        let sql = "SELECT key, count(*) FROM temp.finding WHERE kind = ? AND key > ? GROUP BY key ORDER BY key LIMIT ?";
        let query = sqlx::query_as(sql).bind(Kind::OrphanedRecord.name()).bind(after).bind(limit as i64);
        let rows: Vec<(String, i64)> = query.fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(|(key, rows)| (key, rows.unsigned_abs())).collect())
    }

    /// Adds folders in which many rows have lost their objects.
    pub async fn add_missing_folders(&mut self, names: &[String]) -> Result<()> {
        let rows: Vec<_> = names.iter().map(|name| json!([name, name.matches('/').count()])).collect();
        let sql = "INSERT OR IGNORE INTO temp.missing_folder SELECT value ->> 0, value ->> 1 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// The next depth at which there are such folders.
    pub async fn missing_folders_deeper_than(&mut self, depth: i64) -> Result<Option<i64>> {
        let sql = "SELECT min(depth) FROM temp.missing_folder WHERE depth > ?";
        Ok(sqlx::query_scalar(sql).bind(depth).fetch_one(&mut self.connection).await?)
    }

    /// Such folders of one depth after `after`, in byte order.
    pub async fn missing_folders_at(&mut self, depth: i64, after: &str, limit: usize) -> Result<Vec<String>> {
        let sql = "SELECT name FROM temp.missing_folder WHERE depth = ? AND name > ? ORDER BY name LIMIT ?";
        let query = sqlx::query_scalar(sql).bind(depth).bind(after).bind(limit as i64);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// Such folders of any depth after `after`, in byte order.
    pub async fn missing_folders_after(&mut self, after: &str, limit: usize) -> Result<Vec<String>> {
        let sql = "SELECT name FROM temp.missing_folder WHERE name > ? ORDER BY name LIMIT ?";
        Ok(sqlx::query_scalar(sql).bind(after).bind(limit as i64).fetch_all(&mut self.connection).await?)
    }

    /// Takes such folders off: their rows are not held for them.
    pub async fn drop_missing_folders(&mut self, names: &[&String]) -> Result<()> {
        let sql = "DELETE FROM temp.missing_folder WHERE name IN (SELECT value FROM json_each(?))";
        sqlx::query(sql).bind(serde_json::to_string(names)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Takes those off that lie in another one.
    pub async fn drop_inside(&mut self, folder: &str) -> Result<()> {
        let sql = "DELETE FROM temp.missing_folder WHERE name > ? AND name < ?";
        sqlx::query(sql).bind(folder).bind(end_of(folder)).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds the rows below folders in which no object is.
    pub(super) async fn hold_missing_folders(&mut self) -> Result<()> {
        let mut after = String::new();
        loop {
            let page = self.missing_folders_after(&after, 1_000).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(last);
            for folder in &page {
                let sql = "UPDATE temp.finding SET held_by = ?1,
                         held = 'no object is below ' || ?3 || ' (see unknown_prefixes)'
                     WHERE kind = ?2 AND held IS NULL AND key >= ?3 AND key < ?4";
                let query = sqlx::query(sql).bind(Hold::MissingFolder.code()).bind(Kind::OrphanedRecord.name());
                query.bind(folder).bind(end_of(folder)).execute(&mut self.connection).await?;
            }
        }
    }

    /// Holds the files below folders of which nothing is known; `root` is the configured prefix.
    pub(super) async fn hold_below(&mut self, root: &str) -> Result<()> {
        let mut after: Option<String> = None;
        loop {
            let page = self.folders_after(after.as_deref(), 1_000).await?;
            let Some(last) = page.last() else { return Ok(()) };
            for (folder, kind) in page.iter().flat_map(|folder| Kind::OF_FILES.map(|kind| (folder, kind))) {
                match folder.as_str() {
                    "" => self.hold_top(&kind, root).await?,
                    folder => self.hold_in(&kind, folder).await?,
                }
            }
            after = Some(last.clone());
        }
    }

    async fn hold_top(&mut self, kind: &Kind, root: &str) -> Result<()> {
        let sql = "UPDATE temp.finding SET held = 'nothing at the top level is known to the database (see unknown_prefixes)', held_by = ?1
             WHERE kind = ?2 AND held IS NULL AND instr(substr(key, ?3 + 1), '/') = 0";
        let query = sqlx::query(sql).bind(Hold::UnknownFolder.code()).bind(kind.name());
        query.bind(root.chars().count() as i64).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn hold_in(&mut self, kind: &Kind, folder: &str) -> Result<()> {
        let sql = "UPDATE temp.finding SET held = 'nothing below ' || ?3 || ' is known to the database (see unknown_prefixes)', held_by = ?1
             WHERE kind = ?2 AND held IS NULL AND key >= ?3 AND key < ?4";
        let query = sqlx::query(sql).bind(Hold::UnknownFolder.code()).bind(kind.name()).bind(folder);
        query.bind(end_of(folder)).execute(&mut self.connection).await?;
        Ok(())
    }
}
