//! Pairs of database and store, which all that the ledger knows belongs to: found by their addresses, or by what they are,
//! so that neither a renamed host nor a failover loses what was seen and removed before.

use anyhow::Result;
use sqlx::Sqlite;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};

use super::Ledger;
use crate::same_file::UNDATED;

/// What format 5 adds: what the sides are, beside where they are. A fingerprint has been both addresses.
pub const SIDES: &str = "
    ALTER TABLE pairs ADD COLUMN database_address TEXT NOT NULL DEFAULT '';
    ALTER TABLE pairs ADD COLUMN database_identity TEXT; -- NULL: it could not be asked
    ALTER TABLE pairs ADD COLUMN store_address TEXT NOT NULL DEFAULT '';
    ALTER TABLE pairs ADD COLUMN store_identity TEXT;
    UPDATE pairs SET database_address = substr(fingerprint, 1, instr(fingerprint, ' | ') - 1),
                     store_address = substr(fingerprint, instr(fingerprint, ' | ') + 3)
        WHERE fingerprint LIKE '% | %';";

/// One side of a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Side {
    /// Where it is, as the configuration says.
    pub address: String,
    /// What it is, wherever that may be; `None`: that is not known. Of several databases all, separated as their addresses
    /// are, by [`SEPARATOR`].
    pub identity: Option<String>,
}

/// What stands before the number of a device in the identity of a file.
pub const DEVICE: &str = " on device ";

/// What stands between several databases.
pub const SEPARATOR: &str = " + ";

/// A database and a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair {
    pub database: Side,
    pub store: Side,
}

/// By what a side was found: the surest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FoundBy {
    /// Something else answers there.
    AddressAlone,
    /// What answers there does not say what it is, or did not.
    Address,
    /// It is somewhere else.
    IdentityAlone,
    Both,
}

impl Side {
    /// By what it is the side that was seen `before`; `None`: it is another.
    fn found_by(&self, before: &Side) -> Option<FoundBy> {
        let parts = |text: &str| text.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>();
        let (now, then) = (parts(&self.address), parts(&before.address));
        let identities = self.identity.as_deref().zip(before.identity.as_deref());
        let several = identities.map(|(now, then)| (parts(now), parts(then)));
        match several {
            Some((now_is, then_is)) if [then.len(), now_is.len(), then_is.len()] == [now.len(); 3] => {
                let found = (0..now.len()).map(|at| found_by(now[at] == then[at], Some((&now_is[at], &then_is[at]))));
                found.collect::<Option<Vec<_>>>()?.into_iter().min()
            }
            _ => found_by(self.address == before.address, identities),
        }
    }
}

impl Side {
    /// Whether it is the side that was seen `before`, and nothing speaks against that.
    fn is_surely(&self, before: &Side) -> bool {
        self.found_by(before).is_some_and(|by| by != FoundBy::AddressAlone)
    }

    /// Whether it is known to be another.
    fn is_surely_not(&self, before: &Side) -> bool {
        self.identity.is_some() && before.identity.is_some() && !self.is_surely(before)
    }
}

fn found_by(is_there: bool, identities: Option<(&str, &str)>) -> Option<FoundBy> {
    // Numbers alone tell that something is another, and not that it is the same.
    let undated = format!("{UNDATED}{DEVICE}");
    match (is_there, identities) {
        (true, Some((now, then))) if without_device(now) != without_device(then) => Some(FoundBy::AddressAlone),
        (true, Some(_)) => Some(FoundBy::Both),
        (true, None) => Some(FoundBy::Address),
        (false, Some((now, then))) if now == then && !now.contains(&undated) => Some(FoundBy::IdentityAlone),
        (false, _) => None,
    }
}

/// A file's identity without the number of its device, which another start of the machine may change.
fn without_device(identity: &str) -> &str {
    identity.split(DEVICE).next().unwrap_or_default()
}

impl Pair {
    fn found_by(&self, before: &Pair) -> Option<(FoundBy, FoundBy)> {
        Some((self.database.found_by(&before.database)?, self.store.found_by(&before.store)?))
    }

    /// What people should know of a pair that is not at its place any more, or has something else there.
    fn changes(&self, before: &Pair) -> Vec<String> {
        let change = |what: &str, now: &Side, then: &Side| match now.found_by(then) {
            Some(FoundBy::IdentityAlone) => Some(format!(
                "the {what} was at {} before, and is the same one at {}: what the ledger knows of it holds",
                then.address, now.address
            )),
            Some(FoundBy::AddressAlone) => Some(format!(
                "another {what} than before is at {}: if it was not replaced on purpose (a failover, a restore), check the \
                 configuration; what the ledger knows of the one before holds",
                now.address
            )),
            _ => None,
        };
        let changes =
            [change("database", &self.database, &before.database), change("storage", &self.store, &before.store)];
        changes.into_iter().flatten().collect()
    }
}

/// A pair as the ledger has it.
struct Known {
    id: i64,
    pair: Pair,
}

/// The pairs of the ledger, the newest first.
async fn known(connection: &mut SqliteConnection) -> Result<Vec<Known>> {
    let sql =
        "SELECT id, database_address, database_identity, store_address, store_identity FROM pairs ORDER BY id DESC";
    type Row = (i64, String, Option<String>, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(connection).await?;
    let known = rows.into_iter().map(|(id, database, database_identity, store, store_identity)| Known {
        id,
        pair: Pair {
            database: Side { address: database, identity: database_identity },
            store: Side { address: store, identity: store_identity },
        },
    });
    Ok(known.collect())
}

/// The one of `known` that `pair` is, if it is there.
fn find<'k>(pair: &Pair, known: &'k [Known]) -> Option<&'k Known> {
    let found = known.iter().filter_map(|known| Some((pair.found_by(&known.pair)?, known)));
    // One that was made while the database could not say what it is is the lesser.
    let rank = |by: (FoundBy, FoundBy), known: &Known| (by, known.pair.database.identity.is_some());
    found.min_by_key(|(by, known)| std::cmp::Reverse(rank(*by, known))).map(|(_, known)| known)
}

/// The pairs of a pair's store, as JSON arrays of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin {
    /// All of them: the trash is the store's, whatever its database is called.
    pub of_store: String,
    /// Those of the same database: only its own rows are looked for, and put back, in it.
    pub of_database: String,
    /// All but those that are known to be of another database: only that one says what became wanted of what they left open.
    pub not_of_others: String,
    /// Those at the address of the store where another one was; empty: it is the one that was there.
    pub replaced: Vec<i64>,
}

impl Kin {
    /// The kin of the pair with the number `id`, 0 where it is not known.
    fn of(id: i64, pair: &Pair, known: &[Known]) -> Self {
        let numbers = |is_meant: &dyn Fn(&Side) -> bool| {
            let same = known.iter().filter(|known| pair.store.found_by(&known.pair.store).is_some());
            let same = same.filter(|known| known.id != id && is_meant(&known.pair.database)).map(|known| known.id);
            serde_json::json!(same.chain([id]).collect::<Vec<_>>()).to_string()
        };
        let is_replaced = |known: &&Known| pair.store.found_by(&known.pair.store) == Some(FoundBy::AddressAlone);
        Kin {
            replaced: known.iter().filter(is_replaced).map(|known| known.id).collect(),
            of_store: numbers(&|_| true),
            of_database: numbers(&|database| pair.database.is_surely(database)),
            not_of_others: numbers(&|database| !pair.database.is_surely_not(database)),
        }
    }
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Gives a query what the sides are and where, in the order of the columns.
fn with_sides<'q>(query: Query<'q>, Pair { database, store }: &'q Pair) -> Query<'q> {
    query.bind(&database.address).bind(&database.identity).bind(&store.address).bind(&store.identity)
}

/// The number of a pair, 0 where it is not known; and its kin.
pub async fn look_up(connection: &mut SqliteConnection, pair: &Pair) -> Result<(i64, Kin)> {
    let known = known(connection).await?;
    let id = find(pair, &known).map_or(0, |known| known.id);
    Ok((id, Kin::of(id, pair, &known)))
}

impl Ledger {
    /// Adds the pair, where a run is the first of it.
    pub(super) async fn add_pair(&mut self) -> Result<()> {
        if self.pair != 0 {
            return Ok(());
        }
        let pair = &self.pair_now;
        let sql = "INSERT INTO pairs (fingerprint, database_address, database_identity, store_address, store_identity) \
                   SELECT ?1 || iif(EXISTS (SELECT 1 FROM pairs WHERE fingerprint = ?1), \
                                    ' #' || (SELECT max(id) + 1 FROM pairs), ''), ?2, ?3, ?4, ?5";
        let fingerprint = format!("{} | {}", pair.database.address, pair.store.address);
        let added = with_sides(sqlx::query(sql).bind(fingerprint), pair).execute(&mut self.connection).await?;
        self.pair = added.last_insert_rowid();
        self.kin = look_up(&mut self.connection, &self.pair_now).await?.1;
        Ok(())
    }

    /// The address of the store, where another one was there before.
    pub fn replaced_store(&self) -> Option<String> {
        (!self.kin.replaced.is_empty()).then(|| self.pair_now.store.address.clone())
    }

    /// Whether the store has pairs of which it is not known that they are of this database.
    pub fn may_have_others(&self) -> bool {
        self.kin.of_store != self.kin.of_database
    }

    /// Makes the ledger that of the database with this identity, where it is known by another address.
    pub async fn recognize(&mut self, database: Option<String>) -> Result<()> {
        self.pair_now.database.identity = database;
        (self.pair, self.kin) = look_up(&mut self.connection, &self.pair_now).await?;
        Ok(())
    }

    /// Says what the database is, once that is known: where the ledger knows it by another address, `run` goes on as one of
    /// that pair. Gives what people should know of it. A store that `is_strayed` is not the one that the ledger is to know.
    pub async fn identify(&mut self, database: Option<String>, run: i64, is_strayed: bool) -> Result<Vec<String>> {
        self.pair_now.database.identity = database;
        let mut pair = self.pair_now.clone();
        let known = known(&mut self.connection).await?;
        let Some(found) = find(&pair, &known) else { return Ok(Vec::new()) };
        let changes = pair.changes(&found.pair);
        if found.id != self.pair {
            self.go_on_as(found.id, run).await?;
        }
        if is_strayed {
            pair.store.identity = None;
        }
        let sql = "UPDATE pairs SET database_address = ?2, database_identity = coalesce(?3, database_identity), \
                       store_address = ?4, store_identity = coalesce(?5, store_identity) WHERE id = ?1";
        let replaced = "UPDATE pairs SET store_identity = coalesce(?1, store_identity) \
                            WHERE id IN (SELECT value FROM json_each(?2))";
        with_sides(sqlx::query(sql).bind(found.id), &pair).execute(&mut self.connection).await?;
        let query =
            sqlx::query(replaced).bind(&pair.store.identity).bind(serde_json::json!(self.kin.replaced).to_string());
        query.execute(&mut self.connection).await?;
        self.kin = look_up(&mut self.connection, &self.pair_now).await?.1;
        Ok(changes)
    }

    /// Leaves the pair that was made for an address, and takes `run` along; one without any run is forgotten.
    async fn go_on_as(&mut self, pair: i64, run: i64) -> Result<()> {
        let sql = "UPDATE runs SET pair = ? WHERE id = ?";
        sqlx::query(sql).bind(pair).bind(run).execute(&mut self.connection).await?;
        let sql = "DELETE FROM pairs WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE pair = ?1) \
                       AND NOT EXISTS (SELECT 1 FROM sightings WHERE pair = ?1) \
                       AND NOT EXISTS (SELECT 1 FROM removals WHERE pair = ?1)";
        sqlx::query(sql).bind(self.pair).execute(&mut self.connection).await?;
        self.pair = pair;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(address: &str, identity: Option<&str>) -> Side {
        Side { address: address.to_owned(), identity: identity.map(str::to_owned) }
    }

    #[test]
    fn a_side_is_found_by_where_it_is_or_by_what_it_is() {
        let before = side("a", Some("x"));
        for (now, expected) in [
            (side("a", Some("x")), Some(FoundBy::Both)),
            (side("a", None), Some(FoundBy::Address)),
            (side("a", Some("y")), Some(FoundBy::AddressAlone)),
            (side("b", Some("x")), Some(FoundBy::IdentityAlone)),
            (side("b", Some("y")), None),
            (side("b", None), None),
        ] {
            assert_eq!(now.found_by(&before), expected, "{now:?}");
        }
        assert_eq!(side("b", Some("x")).found_by(&side("a", None)), None);
    }

    #[test]
    fn each_of_several_databases_may_be_found_in_its_own_way() {
        let before = side("a + b", Some("x + y"));
        assert_eq!(side("a + c", Some("z + y")).found_by(&before), Some(FoundBy::AddressAlone));
        assert_eq!(side("a + c", Some("x + y")).found_by(&before), Some(FoundBy::IdentityAlone));
        assert_eq!(side("a + c", Some("x + z")).found_by(&before), None);
        assert_eq!(side("a", Some("x")).found_by(&before), None);
    }

    #[test]
    fn a_folder_is_the_same_where_only_its_device_has_another_number() {
        let before = side("/srv", Some("file 7 of 1 on device 2"));
        assert_eq!(side("/srv", Some("file 7 of 1 on device 3")).found_by(&before), Some(FoundBy::Both));
        assert_eq!(side("/srv", Some("file 8 of 1 on device 2")).found_by(&before), Some(FoundBy::AddressAlone));
    }

    #[test]
    fn what_a_database_is_outweighs_where_it_is() {
        let pair = |id, address, identity| Known {
            id,
            pair: Pair { database: side(address, Some(identity)), store: side("s", None) },
        };
        let known = [pair(1, "a", "x"), pair(2, "b", "y")];
        let now = Pair { database: side("a", Some("y")), store: side("s", None) };
        assert_eq!(find(&now, &known).map(|known| known.id), Some(2));
        let now = Pair { database: side("b", Some("y")), store: side("t", None) };
        assert!(find(&now, &known).is_none());
    }
}
