//! Objects that rules derive from other keys: on disk until it is known whether the database wants what they belong to.

use anyhow::Result;
use serde_json::{Value, json};

use super::Ledger;
use super::staging::{columns, microseconds};
use crate::compare::DerivedObject;
use crate::compare::owners::Wanted;
use crate::domain::derived::Owner;
use crate::domain::{Held, Hold, Kind, Time};

pub const SCHEMA: &str = "
    CREATE TEMP TABLE derived (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        size INTEGER NOT NULL,
        last_modified INTEGER,
        etag TEXT,
        held TEXT,
        held_by TEXT,
        young INTEGER NOT NULL,
        folder TEXT,           -- the topmost around it of which nothing else is known
        wanted INTEGER NOT NULL DEFAULT 0, -- once it is known: 1: only by rows that rules seem to condemn; 2: surely
        owners TEXT NOT NULL   -- JSON: [text, whether it is a prefix, whether it is a folder], the nearest first
    );
    CREATE TEMP TABLE owner (
        number INTEGER PRIMARY KEY,
        text TEXT NOT NULL,
        is_prefix INTEGER NOT NULL,
        wanted INTEGER NOT NULL DEFAULT 0, -- 1: only by rows that rules seem to condemn; 2: surely
        UNIQUE (text, is_prefix)
    );";

/// What became of derived objects.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Objects whose owners are wanted.
    pub wanted: u64,
    /// Objects that nobody wants and that are too young to judge.
    pub young: u64,
    /// Folders of condemned rows that hold such an object: they are not judged either.
    pub young_folders: u64,
    /// When the oldest object was stored whose owners are wanted.
    pub oldest_wanted: Option<Time>,
}

/// Adds derived objects, given as JSON: an array of rows as [`derived_row`] makes them.
pub const ADD_DERIVED: &str = "INSERT INTO temp.derived (key, size, last_modified, etag, held, held_by, young, folder, owners) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, \
            value -> 8 FROM json_each(?)";

/// A derived object of the scan, with why it could not be acted on, if so.
pub fn derived_row(derived: &DerivedObject, held: Option<Held>) -> Value {
    let DerivedObject { object, owners, is_young, folder } = derived;
    let is_folder = |owner: &Owner| matches!(owner, Owner::Folder(_));
    let owners: Vec<_> =
        owners.iter().map(|owner| json!([owner.text(), owner.is_prefix(), is_folder(owner)])).collect();
    let modified = microseconds(object.last_modified);
    let (reason, code) = columns(held.as_ref());
    json!([object.key, object.size, modified, object.etag, reason, code, is_young, folder, owners])
}

impl Ledger {
    /// Gathers the owners of all derived objects, numbered in byte order. `false`: there are none.
    pub async fn gather_owners(&mut self) -> Result<bool> {
        let sql = "INSERT INTO temp.owner (text, is_prefix) \
                   SELECT o.value ->> 0, o.value ->> 1 FROM temp.derived AS d, json_each(d.owners) AS o \
                   GROUP BY 1, 2 ORDER BY 1, 2";
        Ok(sqlx::query(sql).execute(&mut self.connection).await?.rows_affected() > 0)
    }

    /// Owners after a number, in byte order.
    pub async fn owners_after(&mut self, number: i64, limit: usize) -> Result<Vec<(i64, Owner)>> {
        let sql = "SELECT number, text, is_prefix FROM temp.owner WHERE number > ? ORDER BY number LIMIT ?";
        let query = sqlx::query_as(sql).bind(number).bind(limit as i64);
        let rows: Vec<(i64, String, bool)> = query.fetch_all(&mut self.connection).await?;
        let owner =
            |(number, text, is_prefix)| (number, if is_prefix { Owner::Prefix(text) } else { Owner::Key(text) });
        Ok(rows.into_iter().map(owner).collect())
    }

    /// Marks owners that the database wants.
    pub async fn want_owners(&mut self, owners: &[(i64, Wanted)]) -> Result<()> {
        let rows: Vec<_> = owners.iter().map(|(number, wanted)| json!([number, strength(*wanted)])).collect();
        let sql = "UPDATE temp.owner SET wanted = max(owner.wanted, told.wanted) \
                   FROM (SELECT value ->> 0 AS number, value ->> 1 AS wanted FROM json_each(?)) AS told \
                   WHERE owner.number = told.number";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Makes orphaned files of those derived objects that nobody wants. One whose owner is too young to judge is wanted:
    /// its row may be yet to come. Those whose owners only rows that rules seem to condemn name stay, until
    /// [`follow_owners`](Ledger::follow_owners).
    pub async fn resolve_derived(&mut self) -> Result<Resolved> {
        let sql = "
            UPDATE temp.derived SET wanted = coalesce((
                SELECT max(w.wanted) FROM json_each(derived.owners) AS o
                JOIN temp.owner AS w ON w.text = o.value ->> 0 AND w.is_prefix = o.value ->> 1), 0);
            INSERT OR IGNORE INTO temp.unmatched (side, key)
                SELECT 'young', key FROM temp.derived WHERE wanted = 0 AND young;
            UPDATE temp.owner SET wanted = 2 WHERE EXISTS (
                SELECT 1 FROM temp.unmatched AS u WHERE u.side = 'young' AND u.key >= owner.text
                  AND u.key <= owner.text || iif(owner.is_prefix, char(1114111), ''));
            UPDATE temp.derived SET wanted = 2 WHERE EXISTS (
                SELECT 1 FROM json_each(derived.owners) AS o
                JOIN temp.owner AS w ON w.text = o.value ->> 0 AND w.is_prefix = o.value ->> 1 WHERE w.wanted = 2);";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        let sql = "INSERT OR IGNORE INTO temp.finding (kind, key, size, last_modified, etag, held, held_by, owners)
            SELECT ?, key, size, last_modified, etag, held, held_by, owners FROM temp.derived
            WHERE wanted = 0 AND NOT young";
        sqlx::query(sql).bind(Kind::OrphanedFile.name()).execute(&mut self.connection).await?;
        let sql =
            "SELECT count(*) FILTER (WHERE wanted > 0), count(*) FILTER (WHERE wanted = 0 AND young) FROM temp.derived";
        let (wanted, young): (i64, i64) = sqlx::query_as(sql).fetch_one(&mut self.connection).await?;
        let sql = "SELECT min(last_modified) FROM temp.derived WHERE wanted > 0";
        let oldest: Option<i64> = sqlx::query_scalar(sql).fetch_one(&mut self.connection).await?;
        let sql = "DELETE FROM temp.condemned WHERE substr(key, -1) = '/' AND key IN (
                       SELECT o.value ->> 0 FROM temp.derived AS d, json_each(d.owners) AS o WHERE d.young AND d.wanted = 1)";
        let young_folders = sqlx::query(sql).execute(&mut self.connection).await?.rows_affected();
        let sql = "DELETE FROM temp.folder WHERE name IN (SELECT folder FROM temp.derived WHERE wanted > 0);
                   DELETE FROM temp.derived WHERE wanted <> 1";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        let (wanted, young) = (wanted.unsigned_abs(), young.unsigned_abs());
        let oldest_wanted = oldest.and_then(Time::from_timestamp_micros);
        Ok(Resolved { wanted, young, young_folders, oldest_wanted })
    }

    /// Makes orphaned files of derived objects whose every owner goes with its condemned rows: they go in the same plan. Of
    /// a prefix every key must go.
    pub async fn follow_owners(&mut self, kinds: &[&str]) -> Result<u64> {
        let sql = "INSERT OR IGNORE INTO temp.finding (kind, key, size, last_modified, etag, held, held_by, owners)
            SELECT ?2, key, size, last_modified, etag, iif(held_by = ?3, NULL, held), iif(held_by = ?3, NULL, held_by), owners
            FROM temp.derived AS d
            WHERE NOT young AND NOT EXISTS (
                SELECT 1 FROM json_each(d.owners) AS o
                JOIN temp.owner AS w ON w.text = o.value ->> 0 AND w.is_prefix = o.value ->> 1
                WHERE w.wanted > 0 AND (NOT EXISTS (
                    SELECT 1 FROM temp.condemned AS c WHERE c.key >= w.text
                      AND c.key <= w.text || iif(w.is_prefix, char(1114111), '')
                ) OR EXISTS (
                    SELECT 1 FROM temp.condemned AS c WHERE c.key >= w.text
                      AND c.key <= w.text || iif(w.is_prefix, char(1114111), '') AND NOT EXISTS (
                        SELECT 1 FROM temp.finding AS f WHERE f.kind IN (SELECT value FROM json_each(?1))
                          AND f.key = c.key AND f.rivals > 0 AND f.held IS NULL)
                ) OR EXISTS (
                    SELECT 1 FROM temp.unmatched AS u WHERE u.side = 'missing' AND u.key >= w.text
                      AND u.key <= w.text || iif(w.is_prefix, char(1114111), '') AND NOT EXISTS (
                        SELECT 1 FROM temp.finding AS f WHERE f.kind IN (SELECT value FROM json_each(?1))
                          AND f.key = u.key AND f.held IS NULL))))";
        // A file of the server belongs to the folder that goes.
        let query = sqlx::query(sql).bind(serde_json::to_string(kinds)?).bind(Kind::OrphanedFile.name());
        Ok(query.bind(Hold::ServerFile.code()).execute(&mut self.connection).await?.rows_affected())
    }
}

/// Owners from their JSON.
pub fn owners_of(json: &str) -> Result<Vec<Owner>> {
    let owners: Vec<(String, bool, bool)> = serde_json::from_str(json)?;
    let owner = |(text, is_prefix, is_folder)| match (is_prefix, is_folder) {
        (true, _) => Owner::Prefix(text),
        (false, true) => Owner::Folder(text),
        (false, false) => Owner::Key(text),
    };
    Ok(owners.into_iter().map(owner).collect())
}

fn strength(wanted: Wanted) -> u8 {
    match wanted {
        Wanted::ByCondemned => 1,
        Wanted::Yes => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, object, record, rule};
    use super::*;
    use crate::compare::{Note, Unknown};
    use crate::domain::Kind;

    fn derived(key: &str, owner: Owner, is_young: bool) -> DerivedObject {
        DerivedObject { object: object(key), owners: vec![owner], is_young, folder: None }
    }

    /// The preview of each of these keys, with what the database says of the key.
    async fn resolved(owners: &[(Owner, Option<Wanted>, bool)]) -> (Fixture, Resolved) {
        let mut fixture = Fixture::new().await;
        let previews = owners
            .iter()
            .map(|(owner, _, is_young)| derived(&format!("{}_preview", owner.text()), owner.clone(), *is_young));
        fixture.note(Note::Derived(previews.collect())).await;
        fixture.ledger.gather_owners().await.expect("owners");
        let numbered = fixture.ledger.owners_after(0, 100).await.expect("owners");
        let wanted = numbered.into_iter().filter_map(|(number, owner)| {
            let told = owners.iter().find(|(asked, ..)| *asked == owner)?;
            Some((number, told.1?))
        });
        let wanted: Vec<_> = wanted.collect();
        fixture.ledger.want_owners(&wanted).await.expect("wanted owners");
        let resolved = fixture.ledger.resolve_derived().await.expect("derived objects");
        (fixture, resolved)
    }

    fn key(text: &str) -> Owner {
        Owner::Key(text.to_owned())
    }

    async fn orphans(fixture: &mut Fixture) -> Vec<String> {
        fixture.ledger.orphans_after("", 100, 1 << 20).await.expect("keys")
    }

    #[tokio::test]
    async fn a_derived_file_is_an_orphan_where_nobody_wants_its_owner_and_it_is_old_enough() {
        let owners = [
            (key("gone"), None, false),
            (key("wanted"), Some(Wanted::Yes), false),
            (key("condemned"), Some(Wanted::ByCondemned), false),
            (key("young"), None, true),
        ];
        let (mut fixture, resolved) = resolved(&owners).await;
        assert_eq!((resolved.wanted, resolved.young), (2, 1));
        assert_eq!(orphans(&mut fixture).await, ["gone_preview"]);
    }

    #[tokio::test]
    async fn a_derived_file_stays_with_an_owner_that_is_too_young_to_judge() {
        let thumbs = |owners: Vec<Owner>| {
            let thumb = |(at, owner)| derived(&format!("{at}_thumb"), owner, false);
            (0..).zip(owners).map(thumb).collect::<Vec<_>>()
        };
        let owners =
            vec![key("x.png"), Owner::Prefix("y.".to_owned()), key("x.pn"), Owner::Prefix("z".to_owned()), key("w")];
        let mut fixture = Fixture::new().await;
        fixture.note(Note::Young(vec!["x.png".to_owned(), "y.jpg".to_owned()])).await;
        fixture.note(Note::Derived(thumbs(owners))).await;
        fixture.note(Note::Derived(vec![derived("w", key("gone"), true)])).await;
        fixture.ledger.gather_owners().await.expect("owners");
        let resolved = fixture.ledger.resolve_derived().await.expect("derived objects");
        assert_eq!((resolved.wanted, resolved.young), (3, 1), "w is young, and so its thumb is wanted");
        assert_eq!(orphans(&mut fixture).await, ["2_thumb", "3_thumb"]);
    }

    #[tokio::test]
    async fn a_derived_file_follows_its_owner_only_where_that_goes_whole() {
        for (held, follows) in [(false, true), (true, false)] {
            let (mut fixture, _) = resolved(&[(key("a"), Some(Wanted::ByCondemned), false)]).await;
            fixture.note(Note::Condemned(vec![object("a")])).await;
            fixture.rows(&rule("old"), &[record("a", "1")]).await;
            fixture.ledger.settle_groups(&[("a".to_owned(), held, 1)], &["old"]).await.expect("groups");
            let followed = fixture.ledger.follow_owners(&["old"]).await.expect("files");
            assert_eq!(followed, u64::from(follows));
            let expected: &[&str] = if follows { &["a_preview"] } else { &[] };
            assert_eq!(orphans(&mut fixture).await, expected);
        }
    }

    #[tokio::test]
    async fn of_a_prefix_every_key_must_go() {
        let prefix = Owner::Prefix("a.".to_owned());
        for (rows, follows) in [(vec![("a.jpg", "1"), ("a.png", "2")], 1), (vec![("a.jpg", "1")], 0)] {
            let (mut fixture, _) = resolved(&[(prefix.clone(), Some(Wanted::ByCondemned), false)]).await;
            fixture.note(Note::Condemned(vec![object("a.jpg"), object("a.png")])).await;
            fixture.rows(&rule("old"), &rows.iter().map(|(key, id)| record(key, id)).collect::<Vec<_>>()).await;
            let groups: Vec<_> = rows.iter().map(|(key, _)| ((*key).to_owned(), false, 1)).collect();
            fixture.ledger.settle_groups(&groups, &["old"]).await.expect("groups");
            assert_eq!(fixture.ledger.follow_owners(&["old"]).await.expect("files"), follows);
        }
    }

    #[tokio::test]
    async fn a_wanted_file_makes_its_own_folder_a_known_one_and_no_other() {
        for (folder, left) in [(None, vec!["", "a/"]), (Some("a/"), vec![""]), (Some(""), vec!["a/"])] {
            let mut fixture = Fixture::new().await;
            let unknown = Unknown { folders: vec![String::new(), "a/".to_owned()], siblings: Vec::new() };
            fixture.note(Note::Folders(unknown)).await;
            let object = derived("x_preview", key("x"), false);
            fixture.note(Note::Derived(vec![DerivedObject { folder: folder.map(str::to_owned), ..object }])).await;
            fixture.ledger.gather_owners().await.expect("owners");
            fixture.ledger.want_owners(&[(1, Wanted::Yes)]).await.expect("a wanted owner");
            fixture.ledger.resolve_derived().await.expect("derived objects");
            assert_eq!(fixture.ledger.folders_after(None, 10).await.expect("folders"), left, "{folder:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_derived_from_nothing() {
        let mut fixture = Fixture::new().await;
        assert!(!fixture.ledger.gather_owners().await.expect("no owners"));
        fixture.rows(&Kind::OrphanedRecord, &[record("a", "1")]).await;
        assert_eq!(orphans(&mut fixture).await, Vec::<String>::new());
    }
}
