//! Which files that were removed, by this run or an earlier one, are wanted now: by their own keys, or by what they belong
//! to.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Result;

use crate::database::Database;
use crate::domain::derived::{self, DerivedRule, Owner};
use crate::domain::{Kind, Side};
use crate::ledger::Removal;

/// The keys of those that are wanted. A file that followed its rows belonged to them, whatever its key looks like.
pub(super) async fn wanted(database: &Database, rules: &[DerivedRule], removed: &[Removal]) -> Result<HashSet<String>> {
    let orphans = removed.iter().filter(|removal| Kind::named(&removal.kind).side() == Side::File);
    let owners: HashMap<&str, Vec<Owner>> = orphans
        .map(|removal| removal.object.key.as_str())
        .map(|key| (key, derived::owners(rules, key).owners.into_iter().filter(is_asked).collect()))
        .collect();
    let (prefixes, exact): (BTreeSet<&Owner>, BTreeSet<&Owner>) =
        owners.values().flatten().partition(|owner| owner.is_prefix());
    let keys = removed.iter().map(|removal| removal.object.key.as_str());
    // What a prefix begins may lie in a folder that is owned.
    let owned = exact.into_iter().chain(prefixes.iter().copied()).map(Owner::text);
    let keys: Vec<&str> = keys.chain(owned).collect();
    let named = database.session().await?.wanted(&keys).await?;
    let used = database.prefixes_in_use(&prefixes).await?;
    let is_wanted = |key: &str| {
        let owners = owners.get(key).into_iter().flatten();
        named.contains(key) || owners.into_iter().any(|owner| used.contains(owner) || named.contains(owner.text()))
    };
    let keys = removed.iter().map(|removal| &removal.object.key).filter(|key| is_wanted(key));
    Ok(keys.cloned().collect())
}

/// Of folders the database is asked by the file's own key.
fn is_asked(owner: &Owner) -> bool {
    !matches!(owner, Owner::Folder(_))
}
