//! Where removed files went, and what the folders were like that they came from: what is not told by a removal itself.

use std::collections::BTreeSet;

use anyhow::Result;
use sqlx::SqliteConnection;

use super::trash_runs::RUN_BYTES;
use super::{Ledger, NewRemoval, Side};
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
    /// Where earlier runs put what they removed, of every pair of this store, whatever part of it they compared: by where
    /// the whole store is or was, or by what it is.
    pub async fn trash_places(&mut self, store: &Side) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT place FROM trash_places JOIN pairs ON pairs.id = trash_places.pair
                   WHERE pairs.id IN (SELECT value FROM json_each(?1))
                       OR instr(store_address || '/', ?2 || '/') = 1
                       OR instr(fingerprint || '/', ' | ' || ?2 || '/') > 0
                       OR substr(store_identity, 1, length(?3)) = ?3
                          AND substr(store_identity, length(?3) + 1, 1) IN ('', '/', ' ')
                   ORDER BY place";
        let query = sqlx::query_scalar(sql).bind(&self.kin.of_store).bind(&store.address).bind(&store.identity);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// Whose the folders above these keys were when files were last removed from them.
    pub async fn rights_above(&mut self, keys: impl Iterator<Item = &str>) -> Result<Vec<FolderRights>> {
        let folders: BTreeSet<&str> =
            keys.flat_map(|key| key.match_indices('/').map(|(slash, _)| &key[..=slash])).collect();
        // Of several pairs of the store, the newest one's word counts.
        let sql = "SELECT key, owner, owner_group, mode, max(pair) FROM folder_rights
                   WHERE pair IN (SELECT value FROM json_each(?1)) AND key IN (SELECT value FROM json_each(?2))
                   GROUP BY key";
        let query = sqlx::query_as(sql).bind(&self.kin.of_store).bind(serde_json::to_string(&folders)?);
        let rows: Vec<(String, u32, u32, u32, i64)> = query.fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(|(key, owner, group, mode, _)| FolderRights { key, owner, group, mode }).collect())
    }
}
