//! Where removed files went, and what the folders were like that they came from: what is not told by a removal itself.

use std::collections::BTreeSet;

use anyhow::Result;
use sqlx::SqliteConnection;

use super::{Ledger, NewRemoval};
use crate::domain::FolderRights;

/// What format 5 adds. A removal that is older tells where its trash was by its own key there: `PLACE/<a ULID>/<key>`.
pub const SCHEMA: &str = "
    CREATE TABLE trash_places (
        pair INTEGER NOT NULL,
        place TEXT NOT NULL,        -- a prefix of keys; absolute where the trash is a folder of its own
        PRIMARY KEY (pair, place)
    ) STRICT, WITHOUT ROWID;
    INSERT OR IGNORE INTO trash_places
        SELECT DISTINCT pair, substr(trash_key, 1, length(trash_key) - length(key) - 27) FROM removals
        WHERE length(trash_key) > length(key) + 27;
    CREATE TABLE folder_rights (
        pair INTEGER NOT NULL,
        key TEXT NOT NULL,          -- ends in a slash
        owner INTEGER NOT NULL,
        owner_group INTEGER NOT NULL,
        mode INTEGER NOT NULL,
        PRIMARY KEY (pair, key)
    ) STRICT, WITHOUT ROWID;";

/// The bytes of a run's own folder in the trash, with its slash.
const RUN_BYTES: usize = 27;

/// Remembers the places of trash to which these removals go.
pub(super) async fn add_trash(connection: &mut SqliteConnection, pair: i64, removals: &[NewRemoval]) -> Result<()> {
    let places = removals.iter().filter_map(|removal| {
        let run = removal.trash_key.as_deref()?.strip_suffix(removal.object.key.as_str())?;
        run.get(..run.len().checked_sub(RUN_BYTES)?).filter(|place| !place.is_empty())
    });
    for place in places.collect::<BTreeSet<_>>() {
        let sql = "INSERT OR IGNORE INTO trash_places (pair, place) VALUES (?, ?)";
        sqlx::query(sql).bind(pair).bind(place).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Remembers whose folders are.
pub(super) async fn add_rights(connection: &mut SqliteConnection, pair: i64, rights: &[FolderRights]) -> Result<()> {
    for FolderRights { key, owner, group, mode } in rights {
        let sql = "INSERT OR REPLACE INTO folder_rights (pair, key, owner, owner_group, mode) VALUES (?, ?, ?, ?, ?)";
        let query = sqlx::query(sql).bind(pair).bind(key).bind(owner).bind(group).bind(mode);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

impl Ledger {
    /// Where earlier runs put what they removed, of every pair whose fingerprint names this store.
    pub async fn trash_places(&mut self, store: &str) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT place FROM trash_places
                   WHERE pair IN (SELECT id FROM pairs WHERE instr(fingerprint || '/', ? || '/') > 0) ORDER BY place";
        Ok(sqlx::query_scalar(sql).bind(store).fetch_all(&mut self.connection).await?)
    }

    /// Whose the folders above these keys were when files were last removed from them.
    pub async fn rights_above(&mut self, keys: impl Iterator<Item = &str>) -> Result<Vec<FolderRights>> {
        let folders: BTreeSet<&str> =
            keys.flat_map(|key| key.match_indices('/').map(|(slash, _)| &key[..=slash])).collect();
        let sql = "SELECT key, owner, owner_group, mode FROM folder_rights
                   WHERE pair = ? AND key IN (SELECT value FROM json_each(?))";
        let query = sqlx::query_as(sql).bind(self.pair).bind(serde_json::to_string(&folders)?);
        let rows: Vec<(String, u32, u32, u32)> = query.fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(|(key, owner, group, mode)| FolderRights { key, owner, group, mode }).collect())
    }
}
