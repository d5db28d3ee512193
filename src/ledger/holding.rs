//! Findings that no run may act on, and why: what is in doubt is held, and named.

use anyhow::Result;

use super::Ledger;
use super::history::stamp;
use crate::domain::Time;

impl Ledger {
    /// Holds orphaned files and records whose keys agree but for their spelling (I4), and derived files whose owners' keys
    /// do. A hash that two folds share holds
    /// one finding too many, which is the side to err on.
    pub async fn hold_near_misses(&mut self) -> Result<()> {
        let sql = "
            CREATE INDEX temp.unmatched_fold ON unmatched (fold);
            CREATE TEMP TABLE near (fold INTEGER NOT NULL, file TEXT NOT NULL, named TEXT NOT NULL);
            INSERT INTO temp.near
                SELECT f.fold, f.key, min(u.key) FROM temp.finding AS f CROSS JOIN temp.unmatched AS u ON u.fold = f.fold
                WHERE f.kind = 'orphaned-file' AND u.side <> 'young' GROUP BY f.key;
            INSERT INTO temp.near
                SELECT u.fold, f.key, min(u.key) FROM temp.finding AS f INDEXED BY finding_derived CROSS JOIN json_each(f.owners) AS o
                CROSS JOIN temp.unmatched AS u ON u.fold = o.value ->> 2
                WHERE f.kind = 'orphaned-file' AND f.owners IS NOT NULL AND u.side <> 'young' GROUP BY f.key, u.fold;
            CREATE INDEX temp.near_file ON near (file);
            UPDATE temp.finding
                SET held = (SELECT 'looks like ' || min(n.named) FROM temp.near AS n WHERE n.file = finding.key)
                WHERE kind = 'orphaned-file' AND held IS NULL AND key IN (SELECT file FROM temp.near);
            UPDATE temp.finding INDEXED BY finding_rows SET held = (SELECT 'looks like ' || min(u.key) FROM temp.unmatched AS u
                                            WHERE u.fold = finding.fold AND u.side <> 'young')
                WHERE kind <> 'orphaned-file' AND kind <> 'orphaned-record' AND held IS NULL AND rivals > 0
                  AND fold IN (SELECT fold FROM temp.unmatched WHERE side <> 'young');
            INSERT INTO temp.near SELECT fold, key, '' FROM temp.unmatched WHERE side = 'young';
            INSERT INTO temp.near SELECT fold, key, '' FROM temp.condemned;
            CREATE INDEX temp.near_fold ON near (fold);
            UPDATE temp.finding SET held = (SELECT 'looks like ' || min(n.file) FROM temp.near AS n WHERE n.fold = finding.fold)
                WHERE kind = 'orphaned-record' AND held IS NULL AND fold IN (SELECT fold FROM temp.near);
            DROP TABLE temp.near;";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds files with a `?` or `#` in their names, and records that name what stands before it: where columns hold URLs,
    /// that is where a URL ends.
    pub async fn hold_where_urls_end(&mut self) -> Result<()> {
        let sql = "
            CREATE TEMP TABLE cut AS
                SELECT key, substr(key, 1, min(iif(q = 0, h, q), iif(h = 0, q, h)) - 1) AS named
                FROM (SELECT key, instr(key, '?') AS q, instr(key, '#') AS h FROM temp.finding
                      WHERE kind = 'orphaned-file') WHERE q + h > 0;
            UPDATE temp.finding SET held = 'its name has a ? or a #, where URLs in a column end'
                WHERE kind = 'orphaned-file' AND held IS NULL AND key IN (SELECT key FROM temp.cut);
            UPDATE temp.finding INDEXED BY finding_rows SET held = 'looks like ' || (SELECT min(c.key) FROM temp.cut AS c WHERE c.named = finding.key)
                WHERE kind <> 'orphaned-file' AND held IS NULL AND key IN (SELECT named FROM temp.cut);
            DROP TABLE temp.cut;";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds records without an object whose file is in our own trash: it can be brought back.
    pub async fn hold_trashed(&mut self) -> Result<()> {
        let sql = "UPDATE temp.finding INDEXED BY finding_rows SET held = 'its file is in the trash, and `restore` brings it back' \
                   WHERE kind <> 'orphaned-file' AND held IS NULL AND size IS NULL AND key <> '' AND EXISTS ( \
                       SELECT 1 FROM removals AS r WHERE r.pair = ? AND r.key = finding.key AND r.handle IS NULL \
                         AND r.state IN ('trashed', 'trashed-unsettled'))";
        sqlx::query(sql).bind(self.pair).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds orphaned files stored after `newest`, for a reason: the database is behind (I17).
    pub async fn hold_newer_than(&mut self, newest: Time, reason: &str) -> Result<()> {
        let sql =
            "UPDATE temp.finding SET held = ? WHERE kind = 'orphaned-file' AND held IS NULL AND last_modified > ?";
        sqlx::query(sql).bind(reason).bind(newest.timestamp_micros()).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds orphaned files below first path segments of which the database knows nothing (I18); "" stands for keys
    /// without a `/` after `root`.
    pub async fn hold_below(&mut self, segments: &[&str], root: &str) -> Result<()> {
        for segment in segments {
            let query = match *segment {
                "" => {
                    let sql = "UPDATE temp.finding SET held = 'nothing at the top level is known to the database'
                               WHERE kind = 'orphaned-file' AND held IS NULL AND instr(substr(key, ?1 + 1), '/') = 0";
                    sqlx::query(sql).bind(root.chars().count() as i64)
                }
                segment => {
                    // Its keys stand together; what follows '/' in ASCII is '0'.
                    let sql = "UPDATE temp.finding SET held = 'nothing below ' || ?1 || ' is known to the database'
                               WHERE kind = 'orphaned-file' AND held IS NULL AND key >= ?1 AND key < ?2";
                    sqlx::query(sql).bind(segment).bind(format!("{}0", segment.strip_suffix('/').unwrap_or(segment)))
                }
            };
            query.execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Holds rows without an age that were first seen after `newest`.
    pub async fn hold_newcomers(&mut self, newest: Time, reason: &str) -> Result<()> {
        let sql = "UPDATE temp.finding INDEXED BY finding_undated SET held = ?1 FROM sightings AS s \
                   WHERE finding.undated = 1 AND finding.held IS NULL AND s.pair = ?2 AND s.kind = finding.kind \
                     AND s.key = finding.key AND s.table_name = finding.table_name \
                     AND s.record_id = finding.record_id AND s.first_seen > ?3";
        let query = sqlx::query(sql).bind(reason).bind(self.pair).bind(stamp(newest));
        query.execute(&mut self.connection).await?;
        Ok(())
    }
}
