//! Objects that the store gives under names that it does not list (I4): what a look found, and the findings that turn out
//! to be the very same objects.

use anyhow::Result;
use serde_json::json;

use super::Ledger;
use super::staging::microseconds;
use crate::domain::{FileNumber, Hold, Object};

pub const SCHEMA: &str = "
    -- What a look found at keys that were not listed.
    CREATE TEMP TABLE unlisted (
        named TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        last_modified INTEGER NOT NULL, -- microseconds since 1970; a look gives whole seconds
        etag TEXT
    ) WITHOUT ROWID;
    -- Files that values open, by their device and number there, and one of the values.
    CREATE TEMP TABLE opened (device INTEGER, number INTEGER, named TEXT NOT NULL, PRIMARY KEY (device, number)) WITHOUT ROWID;
    -- Files among the findings, each with the key that the database knows it by.
    CREATE TEMP TABLE alias (key TEXT PRIMARY KEY, named TEXT NOT NULL) WITHOUT ROWID;";

/// Compared by whole seconds: a listing gives parts of them, a look does not.
const SECOND: i64 = 1_000_000;

impl Ledger {
    /// Notes objects that were found at keys that were not listed. One without a time proves nothing.
    pub async fn add_unlisted(&mut self, objects: &[&Object]) -> Result<()> {
        let rows = objects.iter().filter_map(|object| {
            let modified = microseconds(object.last_modified)?;
            Some(json!([object.key, object.size, modified, object.etag]))
        });
        let rows: Vec<_> = rows.collect();
        let sql = "INSERT OR IGNORE INTO temp.unlisted \
                   SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Finds the files that look like what was found at keys that were not listed: of the same size, etag and time.
    pub async fn match_unlisted(&mut self) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO temp.alias
             SELECT f.key, min(u.named) FROM temp.unlisted AS u CROSS JOIN temp.finding AS f
                 ON f.size = u.size AND f.last_modified / ?1 = u.last_modified / ?1
                 AND (f.etag IS NULL OR u.etag IS NULL OR replace(ltrim(f.etag, 'W/'), char(34), '') = replace(ltrim(u.etag, 'W/'), char(34), ''))
             GROUP BY f.key";
        let any: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM temp.unlisted)").fetch_one(&mut self.connection).await?;
        if any {
            // Without the index each of them would read every finding.
            let index = "CREATE INDEX temp.finding_sizes ON finding (size, last_modified)";
            sqlx::raw_sql(index).execute(&mut self.connection).await?;
            sqlx::query(sql).bind(SECOND).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Adds files that values open, each with the value.
    pub async fn add_opened(&mut self, opened: &[(FileNumber, &str)]) -> Result<()> {
        let rows: Vec<_> =
            opened.iter().map(|((device, number), named)| json!([*device as i64, *number as i64, named])).collect();
        let sql = "INSERT OR IGNORE INTO temp.opened SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Whether values open any.
    pub async fn has_opened(&mut self) -> Result<bool> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM temp.opened)").fetch_one(&mut self.connection).await?)
    }

    /// Notes those of these files that values open.
    pub async fn match_opened(&mut self, files: &[(&str, FileNumber)]) -> Result<()> {
        let rows: Vec<_> =
            files.iter().map(|(key, (device, number))| json!([key, *device as i64, *number as i64])).collect();
        let sql = "INSERT OR IGNORE INTO temp.alias
             SELECT f.value ->> 0, o.named FROM json_each(?) AS f CROSS JOIN temp.opened AS o
                 ON o.device = f.value ->> 1 AND o.number = f.value ->> 2";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// How many files are known by another name, and the first of them with that name.
    pub async fn aliases(&mut self) -> Result<Option<(u64, String, String)>> {
        let sql = "SELECT count(*), min(key), (SELECT named FROM temp.alias ORDER BY key LIMIT 1) FROM temp.alias HAVING count(*) > 0";
        let first: Option<(i64, String, String)> = sqlx::query_as(sql).fetch_optional(&mut self.connection).await?;
        Ok(first.map(|(count, key, named)| (count.unsigned_abs(), key, named)))
    }

    /// The keys of files among the findings after `after`, in byte order.
    pub async fn files_after(&mut self, after: &str, limit: usize) -> Result<Vec<String>> {
        // Each kind in the order of its own index, and then the few pages put together: one statement over all kinds
        // would sort all findings for each page.
        let mut keys: Vec<String> = Vec::new();
        let mut kind = String::new();
        loop {
            let sql = "SELECT min(kind) FROM temp.finding WHERE kind > ?";
            let next: Option<String> = sqlx::query_scalar(sql).bind(&kind).fetch_one(&mut self.connection).await?;
            let Some(next) = next else { break };
            let sql = "SELECT DISTINCT key FROM temp.finding WHERE kind = ? AND key > ? AND size IS NOT NULL \
                       ORDER BY key LIMIT ?";
            let query = sqlx::query_scalar(sql).bind(&next).bind(after).bind(limit as i64);
            let page: Vec<String> = query.fetch_all(&mut self.connection).await?;
            keys.extend(page);
            kind = next;
        }
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(limit);
        Ok(keys)
    }

    /// Holds files that the database knows by another name, and rows that these would follow.
    pub(super) async fn hold_aliases(&mut self) -> Result<()> {
        let sql = "UPDATE temp.finding SET held_by = ?1,
                 held = 'it is what the storage gives for ' || (SELECT named FROM temp.alias AS a WHERE a.key = finding.key)
             WHERE EXISTS (SELECT 1 FROM temp.alias) AND held IS NULL AND size IS NOT NULL AND NOT shared AND key IN (SELECT key FROM temp.alias)";
        sqlx::query(sql).bind(Hold::Alias.code()).execute(&mut self.connection).await?;
        Ok(())
    }
}
