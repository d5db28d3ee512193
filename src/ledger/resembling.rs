//! Names that may resemble each other (I4), on disk: what has no partner on either side is read back page by page, and what
//! was found to resemble is kept until the findings are held.

use anyhow::Result;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::Ledger;
use super::staging::{MISSING, MISSING_REFERENCE, YOUNG};
use crate::domain::{Kind, MOST_SOURCES};

pub const SCHEMA: &str = "
    -- Names of objects that share a number with a value: what they are, the object's key, and the name that was compared.
    CREATE TEMP TABLE near (
        hash INTEGER NOT NULL,
        is_whole INTEGER NOT NULL, -- whether it is that of the whole name
        what INTEGER NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL
    );
    -- Values that share a number with an object.
    CREATE TEMP TABLE vouch (
        hash INTEGER NOT NULL,
        is_whole INTEGER NOT NULL,
        value TEXT NOT NULL,
        is_record INTEGER NOT NULL
    );
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
        Uncarried { value: key.clone(), is_record: side == MISSING, place: (side, key), sources: sources as u64 }
    }
}

/// A name that shares a number with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    pub hash: u64,
    /// Whether it is the number of the whole name, and not of an end of it.
    pub is_whole: bool,
    pub what: What,
    /// The object's key.
    pub key: String,
    /// The name that was compared: the key, or that of what a derived file belongs to.
    pub name: String,
}

/// A value and a name that share a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub value: String,
    pub is_record: bool,
    pub what: What,
    pub key: String,
    pub name: String,
    place: (i64, i64),
}

impl Ledger {
    /// Values without an object, after one of them.
    pub async fn uncarried_after(&mut self, after: Option<&Uncarried>, limit: usize) -> Result<Vec<Uncarried>> {
        let sql = "SELECT side, key, sources FROM temp.unmatched WHERE (side, key) > (?, ?) AND side <> ? ORDER BY side, key LIMIT ?";
        let (side, key) = after.map(Uncarried::place).unwrap_or_default();
        let query = sqlx::query_as(sql).bind(side).bind(key).bind(YOUNG).bind(limit as i64);
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
            What::Trashed => {
                "SELECT DISTINCT key, NULL FROM removals WHERE pair = ?5 AND key > ?1 AND trash_key IS NOT NULL \
                     AND state IN ('trashed', 'trashed-unsettled') ORDER BY key LIMIT ?2"
            }
            What::Known => return Ok(Vec::new()),
        };
        let query = sqlx::query_as(sql).bind(after).bind(limit as i64).bind(YOUNG).bind(kind.name()).bind(self.pair);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// Adds names that share a number with a value.
    pub async fn add_near(&mut self, near: &[Near]) -> Result<()> {
        let rows =
            near.iter().map(|near| json!([near.hash as i64, near.is_whole, near.what as u8, near.key, near.name]));
        let rows: Vec<_> = rows.collect();
        let sql = "INSERT INTO temp.near SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// The numbers that names share with values, in order.
    pub async fn near_hashes(&mut self) -> Result<Vec<u64>> {
        let sql = "SELECT DISTINCT hash FROM temp.near";
        let hashes: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&mut self.connection).await?;
        let mut hashes: Vec<u64> = hashes.into_iter().map(|hash| hash as u64).collect();
        hashes.sort_unstable();
        Ok(hashes)
    }

    /// Adds values that share a number with a name, and whether it is that of the whole value.
    pub async fn add_vouching(&mut self, values: &[((u64, bool), &Uncarried)]) -> Result<()> {
        let rows = values
            .iter()
            .map(|((hash, is_whole), value)| json!([*hash as i64, is_whole, value.value, value.is_record]));
        let rows: Vec<_> = rows.collect();
        let sql = "INSERT INTO temp.vouch SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(&rows)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Makes the pairs ready to be read.
    pub async fn pair(&mut self) -> Result<()> {
        let sql = "CREATE INDEX temp.near_hash ON near (hash)";
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Values and names of which one ends with the other, by their numbers, after one such pair; those of one value follow
    /// each other.
    pub async fn pairs_after(&mut self, after: Option<&Pair>, limit: usize) -> Result<Vec<Pair>> {
        let (value, name) = after.map_or((0, 0), |after| after.place);
        // First the rest of the same value: to begin with it anew would read its names again for each page.
        let mut pairs = self.pairs("v.rowid = ?1 AND n.rowid > ?2", (value, name), limit).await?;
        if pairs.len() < limit {
            let left = limit - pairs.len();
            pairs.extend(self.pairs("v.rowid > ?1 AND n.rowid > ?2", (value, 0), left).await?);
        }
        Ok(pairs)
    }

    async fn pairs(&mut self, which: &str, (value, name): (i64, i64), limit: usize) -> Result<Vec<Pair>> {
        // A name that is itself a value without an object is not an object.
        let sql = format!(
            "SELECT v.value, v.is_record, n.what, n.key, n.name, v.rowid, n.rowid
             FROM temp.vouch AS v CROSS JOIN temp.near AS n INDEXED BY near_hash ON n.hash = v.hash
             WHERE {which} AND (v.is_whole OR n.is_whole) AND (n.what <> ?3 OR NOT EXISTS (
                 SELECT 1 FROM temp.unmatched AS u WHERE u.side IN (?4, ?5) AND u.key = n.name))
             ORDER BY v.rowid, n.rowid LIMIT ?6"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(value).bind(name).bind(What::Known as u8);
        let query = query.bind(MISSING).bind(MISSING_REFERENCE).bind(limit as i64);
        type Row = (String, bool, u8, String, String, i64, i64);
        let rows: Vec<Row> = query.fetch_all(&mut self.connection).await?;
        let pairs = rows.into_iter().filter_map(|(value, is_record, what, key, name, vouch, near)| {
            let what = What::ALL.into_iter().find(|known| *known as u8 == what)?;
            Some(Pair { value, is_record, what, key, name, place: (vouch, near) })
        });
        Ok(pairs.collect())
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
