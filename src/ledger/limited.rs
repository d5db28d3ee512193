//! Which findings a run removes where it is to remove only so many (`--limit`): those first seen longest ago. What belongs
//! together stays together: the rows of a file that follows them, a row by all of its keys, derived files and their owner.

use anyhow::Result;

use super::Ledger;

const SCHEMA: &str = "
    CREATE TEMP TABLE going (
        id INTEGER PRIMARY KEY, -- of a row, its place on the plan's list
        is_row INTEGER NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        first_seen TEXT NOT NULL,
        counts INTEGER NOT NULL,        -- 0: it is a row by another of its keys, and counts once
        unit INTEGER NOT NULL DEFAULT 0 -- the smallest id of those that it stays together with
    );
    -- What stays together, both ways.
    CREATE TEMP TABLE bond (a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID;";

/// Everything that the plan has so far: rows keep their places, and files come after them.
const GATHER_ROWS: &str = "
    INSERT INTO temp.going (id, is_row, kind, key, first_seen, counts)
    SELECT p.place, 1, p.kind, p.key, coalesce(s.first_seen, ''), p.first IS NULL
    FROM temp.planned AS p LEFT JOIN sightings AS s
      ON s.pair = ? AND s.kind = p.kind AND s.key = p.key AND s.table_name = p.table_name AND s.record_id = p.record_id";
const GATHER_FILES: &str = "
    INSERT INTO temp.going (is_row, kind, key, first_seen, counts)
    SELECT 0, f.kind, f.key, coalesce(s.first_seen, ''), 1
    FROM temp.finding AS f LEFT JOIN sightings AS s
      ON s.pair = ? AND s.kind = f.kind AND s.key = f.key AND s.table_name = '' AND s.record_id = ''
    WHERE NOT f.is_row AND f.held IS NULL AND NOT f.later";

const BIND: &str = "
    CREATE INDEX temp.going_key ON going (key);
    UPDATE temp.going SET unit = id;
    -- A row by its other keys.
    INSERT OR IGNORE INTO temp.bond SELECT place, first FROM temp.planned WHERE first IS NOT NULL;
    -- The rows of a file that goes once all of them are gone.
    INSERT OR IGNORE INTO temp.bond
        SELECT p.place, (SELECT min(o.place) FROM temp.planned AS o WHERE o.key = p.key)
        FROM temp.planned AS p WHERE p.rivals > 1;
    -- Derived files with what they belong to.
    CREATE TEMP TABLE derived_bond AS
        SELECT d.id AS a, o.id AS b
        FROM temp.finding AS f INDEXED BY finding_derived
        JOIN temp.going AS d ON d.key = f.key AND d.kind = f.kind AND NOT d.is_row
        CROSS JOIN json_each(f.owners) AS w
        CROSS JOIN temp.going AS o ON o.key >= w.value ->> 0
            AND o.key <= (w.value ->> 0) || iif(w.value ->> 1, char(1114111), '')
        WHERE f.owners IS NOT NULL AND o.id <> d.id;
    INSERT OR IGNORE INTO temp.bond SELECT a, b FROM temp.derived_bond;
    DROP TABLE temp.derived_bond;
    INSERT OR IGNORE INTO temp.bond SELECT b, a FROM temp.bond;";

/// Gives each the smallest unit of those next to it; to be repeated until nothing changes.
const JOIN_UNITS: &str = "
    UPDATE temp.going SET unit = near.unit
    FROM (SELECT bond.a, min(o.unit) AS unit FROM temp.bond JOIN temp.going AS o ON o.id = bond.b GROUP BY bond.a) AS near
    WHERE going.id = near.a AND near.unit < going.unit";

/// The units that go: one that is larger than the limit by itself never fits, and must not keep the others waiting.
const CHOOSE: &str = "
    CREATE TEMP TABLE unit AS
        SELECT unit, max(1, sum(counts)) AS findings, min(first_seen) AS first_seen, min(key) AS key
        FROM temp.going GROUP BY unit;
    CREATE TEMP TABLE chosen (unit INTEGER PRIMARY KEY);";
const CHOOSE_FIRST: &str = "
    INSERT INTO temp.chosen
    SELECT unit FROM (
        SELECT unit, sum(findings) OVER (ORDER BY first_seen, key, unit ROWS UNBOUNDED PRECEDING) AS so_far
        FROM temp.unit WHERE findings <= ?1)
    WHERE so_far <= ?1";

const LEAVE: &str = "
    DELETE FROM temp.planned WHERE place IN (SELECT id FROM temp.going WHERE unit NOT IN (SELECT unit FROM temp.chosen));
    UPDATE temp.finding SET later = 1 WHERE NOT is_row AND (kind, key) IN (
        SELECT kind, key FROM temp.going WHERE NOT is_row AND unit NOT IN (SELECT unit FROM temp.chosen));
    DROP TABLE temp.going;
    DROP TABLE temp.bond;
    DROP TABLE temp.unit;
    DROP TABLE temp.chosen;";

impl Ledger {
    /// Leaves on the plan at most `limit` findings, those first seen longest ago and then by key; a row's own file counts
    /// with it. Gives the size of the largest group that stays because it is more
    /// than `limit` by itself. To be called once, after [`plan_rows`](Ledger::plan_rows).
    pub async fn limit_plan(&mut self, limit: u64) -> Result<Option<u64>> {
        sqlx::raw_sql(SCHEMA).execute(&mut self.connection).await?;
        for gather in [GATHER_ROWS, GATHER_FILES] {
            sqlx::query(gather).bind(self.pair).execute(&mut self.connection).await?;
        }
        sqlx::raw_sql(BIND).execute(&mut self.connection).await?;
        while sqlx::query(JOIN_UNITS).execute(&mut self.connection).await?.rows_affected() > 0 {}
        sqlx::raw_sql(CHOOSE).execute(&mut self.connection).await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        sqlx::query(CHOOSE_FIRST).bind(limit).execute(&mut self.connection).await?;
        let sql = "SELECT max(findings) FROM temp.unit WHERE findings > ?";
        let largest: Option<i64> = sqlx::query_scalar(sql).bind(limit).fetch_one(&mut self.connection).await?;
        sqlx::raw_sql(LEAVE).execute(&mut self.connection).await?;
        Ok(largest.map(i64::unsigned_abs))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at, object, record, rule};
    use crate::compare::{DerivedObject, Note};
    use crate::domain::derived::Owner;
    use crate::domain::{Kind, Object};
    use crate::ledger::{Acting, Doubts};

    const KINDS: [&str; 1] = ["old"];
    const OLD: Acting<'static> = Acting { section: 0, kind: "old", deletes: true };

    /// What goes of the plan: the keys of files, and the ids of rows.
    async fn going(fixture: &mut Fixture, limit: u64) -> (Vec<String>, Vec<String>, Option<u64>) {
        fixture.ledger.plan_rows(&[OLD]).await.expect("a plan");
        let too_large = fixture.ledger.limit_plan(limit).await.expect("a smaller one");
        let files = fixture.ledger.removable_after(&Kind::OrphanedFile, "", 100).await.expect("files");
        let rows = fixture.ledger.planned_after(0, 100).await.expect("rows");
        assert_eq!(fixture.ledger.removable().await.expect("a count").0, files.len() as u64);
        let files = files.into_iter().map(|file| file.object.key).collect();
        (files, rows.into_iter().map(|row| row.id).collect(), too_large)
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[tokio::test]
    async fn what_was_seen_first_goes_first_and_then_by_key() {
        let mut fixture = Fixture::new().await;
        fixture.orphans(&["d", "e"].map(object)).await;
        fixture.keep(&Doubts::default(), &Kind::BUILT_IN, 1, at(10)).await;
        for (limit, expected) in
            [(1, vec!["d"]), (3, vec!["b", "d", "e"]), (4, vec!["b", "c", "d", "e"]), (9, vec!["b", "c", "d", "e"])]
        {
            fixture = fixture.next_run().await;
            fixture.orphans(&["b", "c", "d", "e"].map(object)).await;
            fixture.keep(&Doubts::default(), &Kind::BUILT_IN, 2, at(20)).await;
            assert_eq!(going(&mut fixture, limit).await, (texts(&expected), vec![], None), "{limit}");
        }
    }

    /// Rows 1 and 2 of `a.png`, 3 of `b.png`, 4 of nothing; and the orphaned file `z.png`.
    async fn condemned() -> Fixture {
        let mut fixture = Fixture::new().await;
        fixture.note(Note::Condemned(vec![object("a.png"), Object { size: 5, ..object("b.png") }])).await;
        let rows = [record("a.png", "1"), record("a.png", "2"), record("b.png", "3"), record("z", "4")];
        fixture.rows(&rule("old"), &rows).await;
        let groups = [("a.png".to_owned(), false, 2), ("b.png".to_owned(), false, 1)];
        fixture.ledger.settle_groups(&groups, &KINDS).await.expect("groups");
        fixture.orphans(&[object("z.png")]).await;
        fixture.keep(&Doubts::default(), &[], 1, at(0)).await;
        fixture
    }

    #[tokio::test]
    async fn the_rows_of_a_file_that_follows_them_stay_together() {
        for (limit, files, rows, too_large) in [
            (1, vec![], vec!["3"], Some(2)),
            (2, vec![], vec!["1", "2"], None),
            (3, vec![], vec!["1", "2", "3"], None),
            (5, vec!["z.png"], vec!["1", "2", "3", "4"], None),
        ] {
            let mut fixture = condemned().await;
            assert_eq!(going(&mut fixture, limit).await, (texts(&files), texts(&rows), too_large), "{limit}");
        }
    }

    #[tokio::test]
    async fn derived_files_stay_with_what_they_belong_to() {
        for (limit, expected, too_large) in [
            (1, vec!["b.png"], Some(3)),
            (3, vec!["a.jpg", "a.png", "a.webp"], None),
            (4, vec!["a.jpg", "a.png", "a.webp", "b.png"], None),
        ] {
            let mut fixture = Fixture::new().await;
            fixture.orphans(&["a.png", "b.png"].map(object)).await;
            let derived = |key: &str, owner: &str| DerivedObject {
                object: object(key),
                owners: vec![Owner::Key(owner.to_owned())],
                is_young: false,
                folder: None,
            };
            fixture
                .note(Note::Derived(vec![
                    derived("a.jpg", "a.png"),
                    derived("a.webp", "a.png"),
                    derived("c.jpg", "c.png"),
                ]))
                .await;
            fixture.ledger.gather_owners().await.expect("owners");
            fixture.ledger.resolve_derived().await.expect("files");
            fixture.keep(&Doubts::default(), &Kind::BUILT_IN, 1, at(0)).await;
            assert_eq!(going(&mut fixture, limit).await, (texts(&expected), vec![], too_large), "{limit}");
        }
    }
}
