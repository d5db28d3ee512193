//! Names that may resemble each other (I4), on disk: what has no partner on either side is read back page by page, and what
//! was found to resemble is kept until the findings are held.

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::Ledger;
use super::staging::{MISSING, MISSING_REFERENCE, OUTSIDE_PACKED, PART, YOUNG};
use super::state::in_trash;
use crate::domain::{Kind, MOST_SOURCES};

pub const SCHEMA: &str = "
    -- Names of objects that share a number with a value: what they are, the object's key, and the name that was compared.
    CREATE TEMP TABLE near (
        hash INTEGER NOT NULL,
        is_whole INTEGER NOT NULL, -- whether it is that of the whole name
        is_lead INTEGER NOT NULL,  -- whether names begin with it, to which the object belongs
        what INTEGER NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL
    );
    -- Values that share a number with an object.
    CREATE TEMP TABLE vouch (
        hash INTEGER NOT NULL,
        is_whole INTEGER NOT NULL,
        value TEXT NOT NULL,
        is_record INTEGER NOT NULL,
        is_single INTEGER NOT NULL, -- whether it is one segment
        is_lead INTEGER NOT NULL,   -- whether it is the number of its beginning
        is_part INTEGER NOT NULL    -- whether it is a part of a value that holds more than a key
    );
    -- Numbers that so many files end with that a value of one segment vouches for none of them.
    CREATE TEMP TABLE common (hash INTEGER PRIMARY KEY, files INTEGER NOT NULL);
    CREATE TEMP TABLE resembling (
        what INTEGER NOT NULL,
        key TEXT NOT NULL,
        named TEXT NOT NULL,   -- what it resembles
        PRIMARY KEY (what, key)
    ) WITHOUT ROWID;";

/// What a name that is compared with the database's values belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum What {
    /// A finding about a file.
    File = 0,
    /// An object with rows that a rule condemns.
    Condemned = 1,
    /// An object that nobody knows and that is too young to judge.
    Young = 2,
    /// An object that the database knows.
    Known = 3,
    /// A file in our own trash, by the key that it had.
    Trashed = 4,
}

impl What {
    const ALL: [What; 5] = [What::File, What::Condemned, What::Young, What::Known, What::Trashed];
}

/// A value of the database without an object of that key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncarried {
    pub value: String,
    /// Whether a record names it, and not just a reference.
    pub is_record: bool,
    /// Whether it is a part of a value that holds more than a key.
    pub is_part: bool,
    place: (String, String),
    sources: u64,
}

impl Uncarried {
    /// The places of the sources that give it; the last stands for all that follow.
    pub fn sources(&self) -> impl Iterator<Item = usize> + '_ {
        (0..=MOST_SOURCES).filter(|place| self.sources & 1 << place != 0)
    }

    /// Where reading goes on after it.
    pub(super) fn place(&self) -> (String, String) {
        self.place.clone()
    }
}

impl From<(String, String, i64)> for Uncarried {
    fn from((side, key, sources): (String, String, i64)) -> Self {
        let (is_record, is_part) = (side == MISSING, side == PART);
        Uncarried { value: key.clone(), is_record, is_part, place: (side, key), sources: sources as u64 }
    }
}

/// A name that shares a number with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    pub hash: u64,
    /// Whether it is the number of the whole name, and not of an end of it.
    pub is_whole: bool,
    /// Whether it is that of what names begin with, to which the object belongs.
    pub is_lead: bool,
    pub what: What,
    /// The object's key.
    pub key: String,
    /// The name that was compared: the key, or that of what a derived file belongs to.
    pub name: String,
}

/// A number of a value that it may share with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    pub hash: u64,
    /// Whether it is the number of the whole value, or of the whole beginning, and not of an end of it.
    pub is_whole: bool,
    /// Whether the value is one segment.
    pub is_single: bool,
    /// Whether it is the number of a beginning of the value.
    pub is_lead: bool,
}

/// A name of an object that is to be compared with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub what: What,
    /// The object's key.
    pub key: String,
    pub name: String,
    /// Whether it is what names begin with, to which the object belongs.
    pub is_lead: bool,
}

/// A name or a value, and a few of those on the other side that share a number with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates<T, O> {
    pub of: T,
    pub others: Vec<O>,
    /// Whether there are more.
    pub more: bool,
}

/// Some of them, and where reading goes on; `None`: there are no more.
pub type CandidatesPage<T, O> = (Vec<Candidates<T, O>>, Option<i64>);

/// An object's key, and its name as it was compared.
pub type KeyAndName = (String, String);

/// So many of the other side are compared with a name; where there are more and none of these resembles it, it is in doubt.
const FEW: usize = 8;

impl Ledger {
    /// Values without an object, after one of them.
    pub async fn uncarried_after(&mut self, after: Option<&Uncarried>, limit: usize) -> Result<Vec<Uncarried>> {
        let sql = "SELECT side, key, sources FROM temp.unmatched WHERE (side, key) > (?, ?) AND side NOT IN (?, ?) ORDER BY side, key LIMIT ?";
        let (side, key) = after.map(Uncarried::place).unwrap_or_default();
        let query = sqlx::query_as(sql).bind(side).bind(key).bind(YOUNG).bind(OUTSIDE_PACKED).bind(limit as i64);
        let rows: Vec<(String, String, i64)> = query.fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(Uncarried::from).collect())
    }

    /// Keys of objects of one sort after a key, each with the names of what it belongs to by a rule.
    pub async fn names_after(
        &mut self,
        what: What,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, Option<String>)>> {
        // Other kinds of files are not compared by their names.
        let kind = Kind::OrphanedFile;
        let sql = match what {
            What::File => "SELECT key, owners FROM temp.finding WHERE kind = ?4 AND key > ?1 ORDER BY key LIMIT ?2",
            What::Condemned => "SELECT key, NULL FROM temp.condemned WHERE key > ?1 ORDER BY key LIMIT ?2",
            What::Young => "SELECT key, NULL FROM temp.unmatched WHERE side = ?3 AND key > ?1 ORDER BY key LIMIT ?2",
            What::Trashed => concat!(
                "SELECT DISTINCT key, NULL FROM removals WHERE pair IN (SELECT value FROM json_each(?5)) AND key > ?1 AND trash_key IS NOT NULL AND state IN ",
                in_trash!(),
                " ORDER BY key LIMIT ?2"
            ),
            What::Known => return Ok(Vec::new()),
        };
        let query = sqlx::query_as(sql).bind(after).bind(limit as i64).bind(YOUNG).bind(kind.name());
        let query = query.bind(&self.kin.of_store);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// Adds names that share a number with a value.
    pub async fn add_near(&mut self, near: &[Near]) -> Result<()> {
        let rows = near
            .iter()
            .map(|near| json!([near.hash as i64, near.is_whole, near.is_lead, near.what as u8, near.key, near.name]));
        let rows: Vec<_> = rows.collect();
        let sql = "INSERT INTO temp.near SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// How many values there are without an object.
    pub async fn count_uncarried(&mut self) -> Result<u64> {
        let sql = "SELECT count(*) FROM temp.unmatched WHERE side NOT IN (?, ?)";
        let count: i64 =
            sqlx::query_scalar(sql).bind(YOUNG).bind(OUTSIDE_PACKED).fetch_one(&mut self.connection).await?;
        Ok(count.unsigned_abs())
    }

    /// How many names may share a number with a value.
    pub async fn count_near(&mut self) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM temp.near").fetch_one(&mut self.connection).await?;
        Ok(count.unsigned_abs())
    }

    /// Their numbers after the place `after`, each with its place.
    pub async fn near_after(&mut self, after: i64, limit: usize) -> Result<Vec<(i64, u64)>> {
        let sql = "SELECT rowid, hash FROM temp.near WHERE rowid > ? ORDER BY rowid LIMIT ?";
        let query = sqlx::query_as(sql).bind(after).bind(limit as i64);
        let numbers: Vec<(i64, i64)> = query.fetch_all(&mut self.connection).await?;
        Ok(numbers.into_iter().map(|(place, number)| (place, number as u64)).collect())
    }

    /// Whether any file belongs to all that begins with something.
    pub async fn has_prefix_owners(&mut self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM temp.finding INDEXED BY finding_derived, json_each(owners) AS o
                                  WHERE owners IS NOT NULL AND o.value ->> 1)";
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.connection).await?)
    }

    /// Adds values that may share a number with a name.
    pub async fn add_vouching(&mut self, values: &[(Shared, &Uncarried)]) -> Result<()> {
        let rows = values.iter().map(|(Shared { hash, is_whole, is_single, is_lead }, value)| {
            json!([*hash as i64, is_whole, value.value, value.is_record, is_single, is_lead, value.is_part])
        });
        let rows: Vec<_> = rows.collect();
        let sql = "INSERT INTO temp.vouch SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, \
                   value ->> 5, value ->> 6 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Makes names and values ready to be compared. A number that more than `common` files end with is too common.
    pub async fn pair(&mut self, common: usize) -> Result<()> {
        let sql = "CREATE INDEX temp.near_hash ON near (hash, is_lead, is_whole);
                   CREATE INDEX temp.vouch_hash ON vouch (hash, is_lead, is_whole)";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        let sql = "INSERT INTO temp.common SELECT hash, count(DISTINCT name) AS files FROM temp.near
             WHERE what = ? AND NOT is_whole AND NOT is_lead GROUP BY hash HAVING files > ? AND EXISTS (
                 SELECT 1 FROM temp.vouch AS v WHERE v.hash = near.hash AND v.is_lead = 0 AND v.is_whole = 1 AND v.is_single)";
        let query = sqlx::query(sql).bind(What::File as u8).bind(common as i64);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Names of objects that the database does not know, after a place, with values that share a number.
    pub async fn names_to_confirm(&mut self, after: i64, limit: usize) -> Result<CandidatesPage<Name, String>> {
        // A value that begins as it is written is no other spelling: whether it is wanted is known.
        let sql = format!(
            "SELECT n.rowid, n.what, n.key, n.name, n.is_lead, (
                 SELECT json_group_array(value) FROM (
                     SELECT value FROM temp.vouch AS v
                     WHERE v.hash = n.hash AND v.is_lead = n.is_lead AND v.is_whole = 1
                         AND NOT (n.is_lead AND NOT v.is_part AND substr(v.value, 1, length(n.name)) = n.name)
                         AND (n.is_whole OR n.hash NOT IN (SELECT hash FROM temp.common))
                     UNION ALL
                     SELECT value FROM temp.vouch AS v
                     WHERE n.is_whole AND v.hash = n.hash AND v.is_lead = n.is_lead AND v.is_whole = 0
                     LIMIT {FEW} + 1))
             FROM temp.near AS n WHERE n.rowid > ? AND n.what <> ? ORDER BY n.rowid LIMIT ?"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(after).bind(What::Known as u8).bind(limit as i64);
        let rows: Vec<(i64, u8, String, String, bool, String)> = query.fetch_all(&mut self.connection).await?;
        let last = rows.last().map(|row| row.0);
        let page = rows.into_iter().filter_map(|(_, what, key, name, is_lead, others)| {
            let what = What::ALL.into_iter().find(|known| *known as u8 == what)?;
            candidates(Name { what, key, name, is_lead }, &others).transpose()
        });
        Ok((page.collect::<Result<_>>()?, last))
    }

    /// Values of records, after a place, with names of objects that share a number: of objects that the database knows, or of
    /// others.
    pub async fn values_to_confirm(
        &mut self,
        known: bool,
        after: i64,
        limit: usize,
    ) -> Result<CandidatesPage<String, KeyAndName>> {
        // Of an object that the database knows the whole name counts, and a name that is itself without an object is none.
        // A row whose file is in our trash is held for that.
        let which = match known {
            true => {
                "n.what = 3 AND n.is_whole AND v.is_whole AND n.name <> v.value AND NOT EXISTS (
                     SELECT 1 FROM temp.unmatched AS u WHERE u.side IN (?2, ?3) AND u.key = n.name)"
            }
            false => "n.what < 3 AND ?2 <> ?3",
        };
        let sql = format!(
            "SELECT v.rowid, v.value, (
                 SELECT json_group_array(json_array(key, name)) FROM (
                     SELECT n.key, n.name FROM temp.near AS n
                     WHERE n.hash = v.hash AND n.is_lead = 0 AND n.is_whole = 1 AND {which}
                     UNION ALL
                     SELECT n.key, n.name FROM temp.near AS n
                     WHERE v.is_whole AND n.hash = v.hash AND n.is_lead = 0 AND n.is_whole = 0 AND {which}
                     LIMIT {FEW} + 1))
             FROM temp.vouch AS v WHERE v.rowid > ?1 AND v.is_record AND NOT v.is_lead ORDER BY v.rowid LIMIT ?4"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(after).bind(MISSING).bind(MISSING_REFERENCE);
        let rows: Vec<(i64, String, String)> = query.bind(limit as i64).fetch_all(&mut self.connection).await?;
        let last = rows.last().map(|row| row.0);
        let page = rows.into_iter().filter_map(|(_, value, others)| candidates(value, &others).transpose());
        Ok((page.collect::<Result<_>>()?, last))
    }

    /// Values of one segment that too many files end with, with how many: at most so many, and how many there are.
    pub async fn common_values(&mut self, limit: usize) -> Result<(Vec<(String, u64)>, u64)> {
        let sql = "SELECT value, max(files) FROM temp.vouch JOIN temp.common USING (hash)
             WHERE is_whole AND is_single AND NOT is_lead GROUP BY value ORDER BY value";
        let query = sqlx::query_as(AssertSqlSafe(format!("{sql} LIMIT {limit}")));
        let named: Vec<(String, i64)> = query.fetch_all(&mut self.connection).await?;
        let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM ({sql})")));
        let count: i64 = count.fetch_one(&mut self.connection).await?;
        Ok((named.into_iter().map(|(value, files)| (value, files.unsigned_abs())).collect(), count.unsigned_abs()))
    }

    /// Notes what resembles: objects with the value that each resembles, and values with the object.
    pub async fn add_resembling(&mut self, objects: &[(What, &str, &str)], values: &[(&str, &str)]) -> Result<()> {
        let objects = objects.iter().map(|(what, key, value)| json!([*what as u8, key, value]));
        let values = values.iter().map(|(value, key)| json!([What::Known as u8, value, key]));
        let rows: Vec<_> = objects.chain(values).collect();
        let sql =
            "INSERT OR IGNORE INTO temp.resembling SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }
}

/// `None`: there are no others.
fn candidates<T, O: DeserializeOwned>(of: T, others: &str) -> Result<Option<Candidates<T, O>>> {
    let mut others: Vec<O> = serde_json::from_str(others)?;
    let more = others.len() > FEW;
    others.truncate(FEW);
    Ok((!others.is_empty()).then_some(Candidates { of, others, more }))
}
