//! Findings that no run may act on, and why: what is in doubt is held, and named. Every hold is applied here, in the order
//! of [`Hold::IN_ORDER`]; a finding that is held already stays as it is, so the first that holds it is the one that is
//! named. What an object or a row shows by itself was found when it was looked at, and comes with its finding: only what
//! needs all findings is looked for here.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::Ledger;
use super::history::stamp;
use super::staging::UNDECODED;
use super::state::in_trash;
use super::{Waits, What};
use crate::domain::{Hold, Kind, LOSES, Time};

pub const SCHEMA: &str = "
    -- Rows that rules condemn because their owners' table has no row.
    CREATE TEMP TABLE ownerless (
        table_name TEXT NOT NULL,
        kind TEXT NOT NULL,
        handle TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (table_name, kind, handle)
    ) WITHOUT ROWID;";

/// What a comparison knows, beside the findings themselves, that makes them doubtful.
#[derive(Debug, Default)]
pub struct Doubts<'a> {
    /// Where the configured prefix ends, and first path segments begin.
    pub root: &'a str,
    /// Whether a column holds URLs.
    pub has_urls: bool,
    /// How new what the database knows is, by each way to tell.
    pub database_ends: Vec<End>,
    /// How new the store's objects are.
    pub storage_ends: Option<End>,
    /// Whether files go to the trash.
    pub has_trash: bool,
    /// Whether files in folders of which nothing is known are held.
    pub has_unknown_folders: bool,
    /// Rows without an age must have been seen by then, which is told in these words.
    pub undated: Option<(Time, String)>,
    /// The same of rows of which nothing says when they were changed.
    pub newly_missing: Option<(Time, String)>,
    /// The names of the rules.
    pub rules: Vec<&'a str>,
}

/// Where one side seems to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The newest thing on it.
    pub newest: Time,
    /// The other side goes on where it has something that is newer than this.
    pub believable: Time,
    /// What to say of everything on the other side that is newer than the newest.
    pub reason: String,
}

impl Ledger {
    /// Holds what is in doubt.
    pub async fn hold(&mut self, doubts: &Doubts<'_>) -> Result<()> {
        for hold in Hold::IN_ORDER {
            match hold {
                // The finding came with it, from whoever looked at the object or the row.
                Hold::Archived | Hold::KeyTooLong | Hold::ServerFile | Hold::Forbidden => {}
                Hold::Metadata if doubts.has_trash => self.hold_what_copies_lose().await?,
                Hold::Metadata => {}
                Hold::NotUtf8 => self.hold_undecoded().await?,
                Hold::Resembles => self.hold_what_resembles(doubts.has_urls).await?,
                Hold::Alias => self.hold_aliases().await?,
                Hold::Trashed => self.hold_trashed().await?,
                Hold::Owner => self.hold_ownerless().await?,
                Hold::NewerThanDatabase => self.hold_newer_files(&doubts.database_ends).await?,
                Hold::NewerThanStorage => self.hold_newer_rows(&doubts.storage_ends).await?,
                Hold::UnknownFolder if doubts.has_unknown_folders => self.hold_below(doubts.root).await?,
                Hold::UnknownFolder => {}
                Hold::MissingFolder => self.hold_missing_folders().await?,
                Hold::SharedFolder => self.hold_shared_folders(&doubts.rules).await?,
                Hold::Undated => self.hold_newcomers(*hold, Waits::Undated, &doubts.undated).await?,
                Hold::NewlyMissing => self.hold_newcomers(*hold, Waits::NewlyMissing, &doubts.newly_missing).await?,
            }
        }
        // A derived file is no better known than what it belongs to.
        self.hold_with_owners(&doubts.rules).await?;
        if self.hold_folders_with_files(&doubts.rules).await? {
            self.hold_with_owners(&doubts.rules).await
        } else {
            Ok(())
        }
    }

    /// Holds files, and rows with them, of which an earlier run's copy lost something: the next would lose it too. An object
    /// that was stored anew since is another one; and the store is tried again after 30 days, as it may have learned it.
    async fn hold_what_copies_lose(&mut self) -> Result<()> {
        let sql = "
            WITH lost (key, etag, last_modified, detail) AS MATERIALIZED (
                SELECT key, etag, last_modified, max(detail) FROM removals INDEXED BY removals_failed
                WHERE pair IN (SELECT value FROM json_each(?2)) AND state IN ('failed', 'failed-left')
                  AND handle IS NULL AND done_at > strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-30 days') AND substr(detail, 1, length(?3)) = ?3 GROUP BY 1, 2, 3)
            UPDATE temp.finding SET held = lost.detail, held_by = ?1 FROM lost
            WHERE finding.held IS NULL AND finding.size IS NOT NULL AND NOT finding.shared AND finding.key = lost.key AND finding.etag IS lost.etag
              AND finding.last_modified IS lost.last_modified";
        let query = sqlx::query(sql).bind(Hold::Metadata.code()).bind(&self.kin.of_store).bind(LOSES);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds what resembles a name that is not UTF-8: files by a value of the database, and records by a file.
    async fn hold_undecoded(&mut self) -> Result<()> {
        let held = |what: What| {
            format!(
                "UPDATE temp.finding SET held_by = ?1, held = (
                     SELECT 'looks like ' || r.named || ', which is not UTF-8 there' FROM temp.resembling AS r
                     WHERE r.what = {0} AND r.key = finding.key)
                 WHERE held IS NULL AND key IN (
                     SELECT key FROM temp.resembling WHERE what = {0} AND named IN (
                         SELECT key FROM temp.unmatched WHERE side = '{UNDECODED}'))",
                what as u8
            )
        };
        let files = format!("{} AND kind = ?2", held(What::File));
        self.hold_files(Hold::NotUtf8, &files).await?;
        let rows = format!("{} AND is_row AND size IS NULL AND kind = ?2", held(What::Known));
        let query = sqlx::query(AssertSqlSafe(rows)).bind(Hold::NotUtf8.code());
        query.bind(Kind::OrphanedRecord.name()).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn hold_what_resembles(&mut self, has_urls: bool) -> Result<()> {
        self.hold_near_misses().await?;
        if has_urls { self.hold_where_urls_end().await } else { Ok(()) }
    }

    /// Holds files and records whose names resemble each other (I4), as a second look has found.
    async fn hold_near_misses(&mut self) -> Result<()> {
        let named = "SELECT 'looks like ' || r.named FROM temp.resembling AS r WHERE r.key = finding.key";
        let files = format!(
            "UPDATE temp.finding SET held = ({named} AND r.what = {0}), held_by = ?1
             WHERE kind = ?2 AND held IS NULL AND key IN (SELECT key FROM temp.resembling WHERE what = {0})",
            What::File as u8
        );
        self.hold_files(Hold::Resembles, &files).await?;
        for (of, what) in [("rivals > 0", What::Condemned), ("size IS NULL AND kind = ?2", What::Known)] {
            let rows = format!(
                "UPDATE temp.finding INDEXED BY finding_rows SET held = ({named} AND r.what = {0}), held_by = ?1
                 WHERE is_row AND held IS NULL AND {of}
                   AND key IN (SELECT key FROM temp.resembling WHERE what = {0}) AND ?2 <> ''",
                what as u8
            );
            let query = sqlx::query(AssertSqlSafe(rows)).bind(Hold::Resembles.code());
            query.bind(Kind::OrphanedRecord.name()).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Holds files with a `?` or `#` in their names, and records that name what stands before it: where columns hold URLs,
    /// that is where a URL ends.
    async fn hold_where_urls_end(&mut self) -> Result<()> {
        let sql = "
            CREATE TEMP TABLE cut AS
                SELECT key, substr(key, 1, min(iif(q = 0, h, q), iif(h = 0, q, h)) - 1) AS named
                FROM (SELECT key, instr(key, '?') AS q, instr(key, '#') AS h FROM temp.finding WHERE NOT is_row)
                WHERE q + h > 0;";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        let files = "UPDATE temp.finding SET held = 'its name has a ? or a #, where URLs in a column end', held_by = ?1
             WHERE kind = ?2 AND held IS NULL AND key IN (SELECT key FROM temp.cut)";
        self.hold_files(Hold::Resembles, files).await?;
        let rows = "UPDATE temp.finding INDEXED BY finding_rows
             SET held = 'looks like ' || (SELECT min(c.key) FROM temp.cut AS c WHERE c.named = finding.key), held_by = ?
             WHERE is_row AND held IS NULL AND key IN (SELECT named FROM temp.cut)";
        sqlx::query(rows).bind(Hold::Resembles.code()).execute(&mut self.connection).await?;
        sqlx::raw_sql("DROP TABLE temp.cut").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Runs a statement that holds files of the kind `?2` by the hold `?1`, for each kind of file.
    async fn hold_files(&mut self, hold: Hold, sql: &str) -> Result<()> {
        for kind in Kind::OF_FILES {
            let query = sqlx::query(AssertSqlSafe(sql.to_owned())).bind(hold.code()).bind(kind.name());
            query.execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Holds records without an object whose file is in our own trash: it can be brought back.
    async fn hold_trashed(&mut self) -> Result<()> {
        let sql = concat!(
            "UPDATE temp.finding INDEXED BY finding_rows
             SET held = 'its file is in the trash, and `restore` brings it back', held_by = ?1
             WHERE is_row AND held IS NULL AND size IS NULL AND key <> '' AND (substr(key, -1) <> '/' OR kind = ?3) AND EXISTS (
                 SELECT 1 FROM removals AS r WHERE r.pair IN (SELECT value FROM json_each(?2)) AND r.handle IS NULL AND r.state IN ",
            in_trash!(),
            " AND r.key >= finding.key AND r.key <= finding.key || iif(finding.key LIKE '%/', char(1114111), ''))"
        );
        let query =
            sqlx::query(sql).bind(Hold::Trashed.code()).bind(&self.kin.of_store).bind(Kind::OrphanedRecord.name());
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds rows that these rules condemn and whose folder holds what another row names.
    async fn hold_shared_folders(&mut self, rules: &[&str]) -> Result<()> {
        let sql = "UPDATE temp.finding INDEXED BY finding_rows
             SET held_by = ?, held = coalesce(
                 (SELECT 'something else names ' || nullif(max(inside), '') || ' in its folder' FROM temp.shared_folder AS s
                  WHERE s.key = finding.key), 'others name what is in its folder')
             WHERE is_row AND held IS NULL AND kind IN (SELECT value FROM json_each(?))
               AND key IN (SELECT key FROM temp.shared_folder)";
        let query = sqlx::query(sql).bind(Hold::SharedFolder.code()).bind(json!(rules).to_string());
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds rows that these rules condemn and that own a folder with a file that is held: without it they would point at
    /// less than they did. `false`: there are none.
    async fn hold_folders_with_files(&mut self, rules: &[&str]) -> Result<bool> {
        let sql = "
            WITH held (folder, reason, code) AS (
                SELECT o.value ->> 0, min(f.held), f.held_by
                FROM temp.finding AS f INDEXED BY finding_derived CROSS JOIN json_each(f.owners) AS o
                WHERE f.owners IS NOT NULL AND f.held IS NOT NULL AND o.value ->> 2 GROUP BY 1)
            UPDATE temp.finding SET held = 'a file in its folder is held: ' || held.reason, held_by = held.code FROM held
            WHERE finding.is_row AND finding.held IS NULL AND finding.kind IN (SELECT value FROM json_each(?))
              AND finding.key = held.folder";
        let query = sqlx::query(sql).bind(json!(rules).to_string());
        Ok(query.execute(&mut self.connection).await?.rows_affected() > 0)
    }

    /// Adds rows that a rule condemns because their owners' table has no row: the rule, table, handle and reason of each.
    pub async fn add_ownerless(&mut self, rows: &[(Arc<str>, String, String, String)]) -> Result<()> {
        let rows: Vec<_> =
            rows.iter().map(|(rule, table, handle, reason)| json!([&**rule, table, handle, reason])).collect();
        let sql = "INSERT OR IGNORE INTO temp.ownerless \
                   SELECT value ->> 1, value ->> 0, value ->> 2, value ->> 3 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds them (I3).
    async fn hold_ownerless(&mut self) -> Result<()> {
        let sql =
            "UPDATE temp.finding INDEXED BY finding_rows SET held = o.reason, held_by = ? FROM temp.ownerless AS o
             WHERE is_row AND held IS NULL AND finding.kind = o.kind AND finding.table_name = o.table_name
                 AND finding.handle = o.handle";
        sqlx::query(sql).bind(Hold::Owner.code()).execute(&mut self.connection).await?;
        Ok(())
    }

    /// When the newest file was stored that is a finding.
    pub async fn newest_file(&mut self) -> Result<Option<Time>> {
        let sql = "SELECT max(last_modified) FROM temp.finding WHERE NOT is_row";
        let newest: Option<i64> = sqlx::query_scalar(sql).fetch_one(&mut self.connection).await?;
        Ok(newest.and_then(Time::from_timestamp_micros))
    }

    /// Holds files that are newer than what the database knows, where one of them is so by far (I17).
    async fn hold_newer_files(&mut self, ends: &[End]) -> Result<()> {
        for End { newest, believable, reason } in ends {
            let sql = "UPDATE temp.finding SET held = ?1, held_by = ?2
                 WHERE NOT is_row AND held IS NULL AND last_modified > ?3
                   AND EXISTS (SELECT 1 FROM temp.finding WHERE NOT is_row AND last_modified > ?4)";
            let query = sqlx::query(sql).bind(reason).bind(Hold::NewerThanDatabase.code());
            let query = query.bind(newest.timestamp_micros()).bind(believable.timestamp_micros());
            query.execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Holds rows without their object that are newer than any object, where one of them is so by far (I17).
    async fn hold_newer_rows(&mut self, end: &Option<End>) -> Result<()> {
        let Some(End { newest, believable, reason }) = end else { return Ok(()) };
        // What a rule condemns is expendable with its file and without.
        let sql = "UPDATE temp.finding SET held = ?1, held_by = ?2 WHERE kind = ?5 AND held IS NULL AND created_at > ?3
               AND EXISTS (SELECT 1 FROM temp.finding WHERE kind = ?5 AND created_at > ?4)";
        let query = sqlx::query(sql).bind(reason).bind(Hold::NewerThanStorage.code()).bind(newest.timestamp_micros());
        let query = query.bind(believable.timestamp_micros()).bind(Kind::OrphanedRecord.name());
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds rows that wait and that no run had seen by then.
    async fn hold_newcomers(&mut self, hold: Hold, waits: Waits, seen_before: &Option<(Time, String)>) -> Result<()> {
        let Some((newest, reason)) = seen_before else { return Ok(()) };
        let sql = "UPDATE temp.finding INDEXED BY finding_undated SET held = ?1, held_by = ?2
             WHERE undated > 0 AND undated = ?5 AND held IS NULL AND NOT EXISTS (
                 SELECT 1 FROM sightings AS s WHERE s.pair = ?3 AND s.kind = finding.kind AND s.key = finding.key
                     AND s.table_name = finding.table_name AND s.record_id = finding.record_id
                     AND s.resolved_at IS NULL AND s.first_seen <= ?4)";
        let query = sqlx::query(sql).bind(reason).bind(hold.code()).bind(self.pair).bind(stamp(*newest));
        query.bind(waits as u8).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Holds derived files of what is held, by the same hold: of files, and of rows that these rules condemn.
    async fn hold_with_owners(&mut self, rules: &[&str]) -> Result<()> {
        let kinds: Vec<_> = Kind::OF_FILES.iter().map(Kind::name).chain(rules.iter().copied()).collect();
        let sql = "
            WITH kind (name) AS (SELECT value FROM json_each(?)),
            held (key, reason, code) AS (
                SELECT f.key, min(h.held), h.held_by
                FROM temp.finding AS f INDEXED BY finding_derived CROSS JOIN json_each(f.owners) AS o CROSS JOIN kind
                CROSS JOIN temp.finding AS h ON h.kind = kind.name AND h.key >= o.value ->> 0
                    AND h.key <= (o.value ->> 0) || iif(o.value ->> 1, char(1114111), '')
                WHERE f.held IS NULL AND f.owners IS NOT NULL AND h.held IS NOT NULL
                GROUP BY f.key)
            UPDATE temp.finding SET held = held.reason, held_by = held.code FROM held
            WHERE finding.owners IS NOT NULL AND finding.key = held.key";
        sqlx::query(sql).bind(json!(kinds).to_string()).execute(&mut self.connection).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, object, record, rule};
    use super::*;
    use crate::compare::{DerivedObject, Note, Unknown};
    use crate::domain::derived::Owner;
    use crate::domain::{Created, Object, Record};
    use crate::ledger::{NewRecord, NewRemoval, State};
    use crate::look_again;

    fn held(findings: &[(&str, Option<Hold>)]) -> Vec<(String, Option<Hold>)> {
        findings.iter().map(|(key, by)| ((*key).to_owned(), *by)).collect()
    }

    fn end(newest: u64, believable: u64) -> End {
        End { newest: at(newest), believable: at(believable), reason: "newer".to_owned() }
    }

    #[tokio::test]
    async fn what_is_newer_than_a_side_is_held_where_something_is_newer_by_far() {
        for (newest_file, newest_row, held_files, held_rows) in
            [(90, 70, vec![], vec![]), (91, 71, vec!["c", "d"], vec!["g", "h"])]
        {
            let mut fixture = Fixture::new().await;
            let file = |key: &str, seconds| Object { last_modified: Some(at(seconds)), ..object(key) };
            fixture.orphans(&[file("b", 50), file("c", 51), file("d", newest_file)]).await;
            let row = |key: &str, seconds| Record { created: Created::At(at(seconds)), ..record(key, key) };
            fixture.rows(&Kind::OrphanedRecord, &[row("f", 60), row("g", 61), row("h", newest_row)]).await;
            // The other end is one beyond which nothing lies by far.
            let database_ends = vec![end(10, 1_000), end(50, 90)];
            let doubts = Doubts { database_ends, storage_ends: Some(end(60, 70)), ..Doubts::default() };
            kept(&mut fixture, &doubts).await;
            let held = |found: Vec<(String, Option<Hold>)>| -> Vec<String> {
                found.into_iter().filter(|(_, held)| held.is_some()).map(|(key, _)| key).collect()
            };
            assert_eq!(held(fixture.findings(&Kind::OrphanedFile).await), held_files);
            assert_eq!(held(fixture.findings(&Kind::OrphanedRecord).await), held_rows);
        }
    }

    async fn kept(fixture: &mut Fixture, doubts: &Doubts<'_>) {
        look_again::at_names(&mut fixture.ledger, None, false).await.expect("names");
        fixture.keep(doubts, &Kind::BUILT_IN, 1, at(0)).await;
    }

    #[tokio::test]
    async fn two_spellings_of_one_key_hold_each_other_and_other_keys_stay_as_they_are() {
        let mut fixture = Fixture::new().await;
        fixture.orphans(&[object("a b.png"), object("c.png")]).await;
        fixture.missing(&["/A%20b.png", "d.png"]).await;
        fixture.rows(&Kind::OrphanedRecord, &[record("/A%20b.png", "1"), record("d.png", "2")]).await;
        kept(&mut fixture, &Doubts::default()).await;
        let resembles = Some(Hold::Resembles);
        assert_eq!(fixture.findings(&Kind::OrphanedFile).await, held(&[("a b.png", resembles), ("c.png", None)]));
        assert_eq!(fixture.findings(&Kind::OrphanedRecord).await, held(&[("/A%20b.png", resembles), ("d.png", None)]));
    }

    #[tokio::test]
    async fn a_record_is_held_by_a_young_or_a_condemned_file_of_another_spelling() {
        let mut fixture = Fixture::new().await;
        fixture.note(Note::Young(vec!["young.png".to_owned()])).await;
        fixture.note(Note::Condemned(vec![object("condemned.png")])).await;
        fixture.missing(&["Condemned.png", "Young.png"]).await;
        fixture.rows(&Kind::OrphanedRecord, &[record("Young.png", "1"), record("Condemned.png", "2")]).await;
        kept(&mut fixture, &Doubts::default()).await;
        let resembles = Some(Hold::Resembles);
        let expected = [("Condemned.png", resembles), ("Young.png", resembles)];
        assert_eq!(fixture.findings(&Kind::OrphanedRecord).await, held(&expected));
    }

    #[tokio::test]
    async fn names_that_share_no_more_than_an_end_do_not_resemble() {
        let mut fixture = Fixture::new().await;
        fixture.orphans(&["u/1/original.jpg", "u/3/other.jpg"].map(object)).await;
        fixture.missing(&["u/2/original.jpg"]).await;
        fixture.missing_references(&["original.jpg"]).await;
        fixture.rows(&Kind::OrphanedRecord, &[record("u/2/original.jpg", "1")]).await;
        kept(&mut fixture, &Doubts::default()).await;
        let files = [("u/1/original.jpg", Some(Hold::Resembles)), ("u/3/other.jpg", None)];
        assert_eq!(fixture.findings(&Kind::OrphanedFile).await, held(&files));
        assert_eq!(fixture.findings(&Kind::OrphanedRecord).await, held(&[("u/2/original.jpg", None)]));
    }

    #[tokio::test]
    async fn a_file_that_is_held_already_still_holds_the_row_that_resembles_it() {
        let mut fixture = Fixture::new().await;
        fixture.orphans(&[Object { archived: true, ..object("a b.png") }]).await;
        fixture.missing(&["a%20b.png"]).await;
        fixture.rows(&Kind::OrphanedRecord, &[record("a%20b.png", "1")]).await;
        kept(&mut fixture, &Doubts::default()).await;
        assert_eq!(fixture.findings(&Kind::OrphanedFile).await, held(&[("a b.png", Some(Hold::Archived))]));
        assert_eq!(fixture.findings(&Kind::OrphanedRecord).await, held(&[("a%20b.png", Some(Hold::Resembles))]));
    }

    #[tokio::test]
    async fn the_first_hold_of_the_order_is_the_one_that_is_named() {
        let mut fixture = Fixture::new().await;
        let newer = |key: &str| Object { last_modified: Some(at(100)), ..object(key) };
        let files = [
            Object { archived: true, ..newer("lost/Archived.png") },
            newer("lost/Misspelt.png"),
            newer("lost/newer.png"),
            object("lost/older.png"),
            object("other/older.png"),
        ];
        fixture.orphans(&files).await;
        let named = ["lost/archived.png", "lost/misspelt.png"];
        fixture.missing_references(&named).await;
        let doubts = Doubts { database_ends: vec![end(50, 90)], has_unknown_folders: true, ..Doubts::default() };
        fixture.note(Note::Folders(Unknown { folders: vec!["lost/".to_owned()], siblings: Vec::new() })).await;
        kept(&mut fixture, &doubts).await;
        let expected = [
            ("lost/Archived.png", Some(Hold::Archived)),
            ("lost/Misspelt.png", Some(Hold::Resembles)),
            ("lost/newer.png", Some(Hold::NewerThanDatabase)),
            ("lost/older.png", Some(Hold::UnknownFolder)),
            ("other/older.png", None),
        ];
        assert_eq!(fixture.findings(&Kind::OrphanedFile).await, held(&expected));
    }

    #[tokio::test]
    async fn an_unknown_top_level_holds_what_has_no_folder_below_the_prefix() {
        let mut fixture = Fixture::new().await;
        fixture.orphans(&["\u{e9}/a.png", "\u{e9}/b/a.png"].map(object)).await;
        fixture.note(Note::Folders(Unknown { folders: vec![String::new()], siblings: Vec::new() })).await;
        kept(&mut fixture, &Doubts { root: "\u{e9}/", has_unknown_folders: true, ..Doubts::default() }).await;
        let expected = [("\u{e9}/a.png", Some(Hold::UnknownFolder)), ("\u{e9}/b/a.png", None)];
        assert_eq!(fixture.findings(&Kind::OrphanedFile).await, held(&expected));
    }

    #[tokio::test]
    async fn a_row_without_an_age_is_held_until_it_was_seen_for_long_enough() {
        let mut fixture = Fixture::new().await;
        let undated = || {
            let record = Record { created: Created::Unconfigured, ..record("a.png", "1") };
            [NewRecord { kind: Kind::OrphanedRecord, record, waits: Waits::Undated, held: None }]
        };
        let doubts = |seconds| Doubts { undated: Some((at(seconds), "new".to_owned())), ..Doubts::default() };
        // Each run, when it is, and by when the row must have been seen; the third finds nothing.
        for (run, (now, seen_by, expected)) in
            (1..).zip([(100, 90, true), (200, 100, false), (300, 200, false), (400, 399, true), (500, 400, false)])
        {
            let is_found = run != 3;
            if is_found {
                fixture.ledger.add_records(&undated()).await.expect("a record");
            }
            fixture.keep(&doubts(seen_by), &Kind::BUILT_IN, run, at(now)).await;
            let by = expected.then_some(Hold::Undated);
            let found = if is_found { held(&[("a.png", by)]) } else { Vec::new() };
            assert_eq!(fixture.findings(&Kind::OrphanedRecord).await, found, "run {run}");
            fixture = fixture.next_run().await;
        }
    }

    #[tokio::test]
    async fn a_record_is_held_while_its_file_is_in_the_trash() {
        let mut fixture = Fixture::new().await;
        let trashed = |key: &str, state| NewRemoval {
            kind: Kind::OrphanedFile,
            object: object(key),
            row: None,
            also: Vec::new(),
            trash_key: Some(format!(".trash/{key}")),
            state,
            detail: None,
        };
        let removals = [trashed("trashed.png", State::Trashed), trashed("purged.png", State::Purged)];
        fixture.ledger.record(1, &removals, "test", at(0)).await.expect("removals");
        fixture.rows(&Kind::OrphanedRecord, &[record("purged.png", "1"), record("trashed.png", "2")]).await;
        kept(&mut fixture, &Doubts::default()).await;
        let expected = [("purged.png", None), ("trashed.png", Some(Hold::Trashed))];
        assert_eq!(fixture.findings(&Kind::OrphanedRecord).await, held(&expected));
    }

    #[tokio::test]
    async fn a_derived_file_is_held_by_what_holds_its_owner() {
        let mut fixture = Fixture::new().await;
        let derived = |key: &str, owner: Owner| DerivedObject {
            object: object(key),
            owners: vec![owner],
            is_young: false,
            folder: None,
        };
        fixture
            .note(Note::Derived(vec![
                derived("a_preview.png", Owner::Key("a.png".to_owned())),
                derived("b_preview.png", Owner::Prefix("b.".to_owned())),
                derived("c_preview.png", Owner::Key("c.png".to_owned())),
            ]))
            .await;
        fixture.ledger.gather_owners().await.expect("owners");
        fixture.ledger.resolve_derived().await.expect("findings");
        fixture.orphans(&[Object { archived: true, ..object("a.png") }, object("c.png")]).await;
        let gone = NewRecord {
            kind: rule("gone"),
            record: record("b.png", "1"),
            waits: Waits::No,
            held: Some(crate::domain::Held::new(Hold::Forbidden, "403")),
        };
        fixture.ledger.add_records(&[gone]).await.expect("a record");
        kept(&mut fixture, &Doubts { rules: vec!["gone"], ..Doubts::default() }).await;
        let expected = [
            ("a.png", Some(Hold::Archived)),
            ("a_preview.png", Some(Hold::Archived)),
            ("b_preview.png", Some(Hold::Forbidden)),
            ("c.png", None),
            ("c_preview.png", None),
        ];
        assert_eq!(fixture.findings(&Kind::OrphanedFile).await, held(&expected));
    }
}
