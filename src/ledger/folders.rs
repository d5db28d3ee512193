//! Folders of which nothing is known (I18): on disk, for there may be as many as there are deleted tenants.

use anyhow::Result;
use serde_json::json;

use super::Ledger;
use super::staging::Staged;
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
    ) WITHOUT ROWID;";

const ADD_FOLDERS: &str = "INSERT OR IGNORE INTO temp.folder SELECT value FROM json_each(?)";
const ADD_SIBLINGS: &str = "INSERT INTO temp.sibling SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true \
                            ON CONFLICT DO UPDATE SET folders = folders + excluded.folders";

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

    /// Takes folders off: their files are not held.
    pub async fn lift_folders(&mut self, names: &[&str]) -> Result<()> {
        let sql = "DELETE FROM temp.folder WHERE name IN (SELECT value FROM json_each(?))";
        sqlx::query(sql).bind(serde_json::to_string(names)?).execute(&mut self.connection).await?;
        Ok(())
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
        let sql = "UPDATE temp.finding SET held = 'nothing at the top level is known to the database', held_by = ?1
             WHERE kind = ?2 AND held IS NULL AND instr(substr(key, ?3 + 1), '/') = 0";
        let query = sqlx::query(sql).bind(Hold::UnknownFolder.code()).bind(kind.name());
        query.bind(root.chars().count() as i64).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn hold_in(&mut self, kind: &Kind, folder: &str) -> Result<()> {
        // Its keys stand together; what follows '/' in ASCII is '0'.
        let sql = "UPDATE temp.finding SET held = 'nothing below ' || ?3 || ' is known to the database', held_by = ?1
             WHERE kind = ?2 AND held IS NULL AND key >= ?3 AND key < ?4";
        let query = sqlx::query(sql).bind(Hold::UnknownFolder.code()).bind(kind.name()).bind(folder);
        let end = format!("{}0", folder.strip_suffix('/').unwrap_or(folder));
        query.bind(end).execute(&mut self.connection).await?;
        Ok(())
    }
}
