//! The second look at derived objects: whatever they belong to is asked of the database in one more pass over its keys, so
//! that no object costs a question of its own.

use anyhow::{Context, Result};

use super::ASK;
use crate::compare::owners::{OwnerJoin, Wanted};
use crate::database::{Database, Named};
use crate::domain::derived::Owner;
use crate::ledger::{Ledger, Resolved};

/// Owners read from the ledger, and answers written to it, at once.
const PAGE: usize = 2_000;

/// Finds out which derived objects are wanted, and makes findings of the others.
pub async fn at_derived(ledger: &mut Ledger, database: &Database) -> Result<Resolved> {
    if !ledger.gather_owners().await? {
        return Ok(Resolved::default());
    }
    let mut keys = database.keys();
    let mut owners = Owners::default();
    let mut join = OwnerJoin::default();
    let mut told: Vec<(i64, Wanted)> = Vec::new();
    while let Some(Named { key, claim, .. }) = keys.next().await.context(ASK)? {
        while let Some((number, owner)) = owners.next_through(ledger, key).await? {
            join.owner(number, owner);
        }
        join.key(key, claim.into(), |number, wanted| told.push((number, wanted)));
        if told.len() >= PAGE {
            ledger.want_owners(&std::mem::take(&mut told)).await?;
        }
    }
    ledger.want_owners(&told).await?;
    ledger.resolve_derived().await
}

/// The owners in byte order, page by page.
#[derive(Default)]
struct Owners {
    page: std::collections::VecDeque<(i64, Owner)>,
    last: i64,
    complete: bool,
}

impl Owners {
    /// The next owner, if it does not sort after `key`.
    async fn next_through(&mut self, ledger: &mut Ledger, key: &str) -> Result<Option<(i64, Owner)>> {
        if self.page.is_empty() && !self.complete {
            self.page = ledger.owners_after(self.last, PAGE).await?.into();
            self.last = self.page.back().map_or(self.last, |(number, _)| *number);
            self.complete = self.page.is_empty();
        }
        match self.page.front() {
            Some((_, owner)) if owner.text() <= key => Ok(self.page.pop_front()),
            _ => Ok(None),
        }
    }
}
