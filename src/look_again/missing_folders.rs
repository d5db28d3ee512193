//! The second look at folders in which no object is (I18): a volume that is not mounted, or a bucket that was copied in part.
//! Rows below such a folder have lost their files all at once, and stay.

use std::collections::HashMap;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};
use globset::GlobSet;

use super::ASK;
use super::folders::{Parents, is_allowed};
use super::records::LOOK;
use crate::compare::folders::{Shape, split};
use crate::compare::scope::Scope;
use crate::database::{Database, Named};
use crate::ledger::Ledger;
use crate::storage::Store;

/// Keys and folders read from the ledger at once.
const PAGE: usize = 2_000;
/// So many rows without their objects below a folder are no accident.
const MANY_ROWS: u64 = 5;

/// Leaves the topmost folders in the ledger below which many rows are and no object is, but for those that may go: `allowed`
/// names them, or their names are ids beside many others of which half hold objects.
pub async fn at_missing_folders(
    ledger: &mut Ledger,
    (database, store): (&Database, &dyn Store),
    scope: &Scope,
    allowed: &GlobSet,
    concurrency: usize,
) -> Result<()> {
    gather(ledger, scope, allowed).await?;
    probe(ledger, store, concurrency).await?;
    let mut parents = Parents::default();
    let mut empty: HashMap<(String, Shape), u64> = HashMap::new();
    each_page(ledger, async |_, folders| {
        for folder in &folders {
            let (parent, own) = split(folder);
            if let Some(shape) = Shape::of(own) {
                *empty.entry((parent.to_owned(), shape)).or_default() += 1;
                parents.add(folder);
            }
        }
        Ok(())
    })
    .await?;
    if parents.is_empty() {
        return Ok(());
    }
    count_carried(ledger, database, scope, &mut parents).await?;
    let many =
        parents.with_many(async |parent, shape| Ok(empty.get(&(parent.to_owned(), shape)).copied().unwrap_or(0)));
    let many = many.await?;
    each_page(ledger, async |ledger, folders| {
        let is_id_among_many = |folder: &&String| {
            let (parent, own) = split(folder);
            many.get(parent).is_some_and(|shapes| Shape::of(own).is_some_and(|shape| shapes.contains(&shape)))
        };
        ledger.drop_missing_folders(&folders.iter().filter(is_id_among_many).collect::<Vec<_>>()).await
    })
    .await
}

async fn each_page(
    ledger: &mut Ledger,
    mut take: impl AsyncFnMut(&mut Ledger, Vec<String>) -> Result<()>,
) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = ledger.missing_folders_after(&after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(last);
        take(ledger, page).await?;
    }
}

/// Notes every folder that has many rows without their objects below it.
async fn gather(ledger: &mut Ledger, scope: &Scope, allowed: &GlobSet) -> Result<()> {
    // The folders around the key, each with the rows below it so far.
    let mut open: Vec<(String, u64)> = Vec::new();
    let mut after = String::new();
    loop {
        let page = ledger.missing_rows_after(&after, PAGE).await?;
        let mut closed = Vec::new();
        for (key, rows) in &page {
            close(&mut open, |folder| key.starts_with(folder), &mut closed);
            let from = open.last().map_or(scope.root.len(), |(folder, _)| folder.len());
            let rest = key.get(from..).unwrap_or_default();
            // A key that is itself a folder is what its row has lost.
            let slashes = rest.match_indices('/').map(|(slash, _)| from + slash).filter(|slash| slash + 1 < key.len());
            open.extend(slashes.map(|slash| (key[..=slash].to_owned(), 0)));
            open.iter_mut().for_each(|(_, count)| *count += rows);
        }
        match page.last() {
            Some((last, _)) => after.clone_from(last),
            None => close(&mut open, |_| false, &mut closed),
        }
        closed.retain(|folder| !is_allowed(folder, scope, allowed));
        ledger.add_missing_folders(&closed).await?;
        if page.is_empty() {
            return Ok(());
        }
    }
}

/// Closes the folders that `stays` does not hold for, and keeps those with many rows.
fn close(open: &mut Vec<(String, u64)>, stays: impl Fn(&str) -> bool, many: &mut Vec<String>) {
    while let Some((folder, rows)) = open.pop_if(|(folder, _)| !stays(folder)) {
        if rows >= MANY_ROWS {
            many.push(folder);
        }
    }
}

/// Drops the folders that hold an object, and those inside of one that holds none: from the top down, so that nothing is
/// asked of what lies inside.
async fn probe(ledger: &mut Ledger, store: &dyn Store, concurrency: usize) -> Result<()> {
    let mut depth = 0;
    while let Some(next) = ledger.missing_folders_deeper_than(depth).await? {
        depth = next;
        let mut after = String::new();
        loop {
            let page = ledger.missing_folders_at(depth, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            let looks = futures::stream::iter(&page)
                .map(|folder| async move { anyhow::Ok((folder, store.has_any(folder).await?)) });
            let looks: Vec<_> = looks.buffer_unordered(concurrency).try_collect().await.context(LOOK)?;
            let (full, empty): (Vec<_>, Vec<_>) = looks.into_iter().partition(|(_, has_any)| *has_any);
            ledger.drop_missing_folders(&full.into_iter().map(|(folder, _)| folder).collect::<Vec<_>>()).await?;
            for (folder, _) in empty {
                ledger.drop_inside(folder).await?;
            }
        }
    }
    Ok(())
}

/// Counts the folders with keys that the database knows and that are not missing: its keys are read once more.
async fn count_carried(ledger: &mut Ledger, database: &Database, scope: &Scope, parents: &mut Parents) -> Result<()> {
    let mut keys = database.keys();
    let mut missing = [true, false].map(|of_records| Missing { of_records, ..Missing::default() });
    while let Some(Named { key, .. }) = keys.next().await.context(ASK)? {
        if !scope.holds(key) || scope.ignores(key) {
            continue;
        }
        let mut is_missing = false;
        for missing in &mut missing {
            is_missing |= missing.has(ledger, key).await?;
        }
        if !is_missing {
            parents.know(key);
        }
    }
    Ok(())
}

/// Keys that records, or references alone, name and that were not listed, read beside a stream in the same order.
#[derive(Default)]
struct Missing {
    of_records: bool,
    page: Vec<String>,
    next: usize,
    after: String,
    is_read: bool,
}

impl Missing {
    /// Whether a key is missing; keys are asked for in byte order.
    async fn has(&mut self, ledger: &mut Ledger, key: &str) -> Result<bool> {
        while !self.is_read && self.page.last().is_none_or(|last| last.as_str() < key) {
            self.page = ledger.absent_after(self.of_records, &self.after, PAGE).await?;
            self.next = 0;
            match self.page.last() {
                Some(last) => self.after.clone_from(last),
                None => self.is_read = true,
            }
        }
        let rest = self.page.get(self.next..).unwrap_or_default();
        self.next += rest.iter().take_while(|missing| missing.as_str() < key).count();
        Ok(self.page.get(self.next).is_some_and(|missing| missing == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;
    use crate::ledger::fixture::{Fixture, record};

    #[tokio::test]
    async fn folders_with_many_rows_are_noted_at_every_depth() {
        let mut fixture = Fixture::new().await;
        let keys = ["r/a/1", "r/a/b/1", "r/a/b/2", "r/a/b/3", "r/a/b/c/4", "r/a/b/c/5", "r/a-b/1", "r/d/1", "r/6", "s"];
        let rows: Vec<_> = keys.iter().map(|key| record(key, key)).collect();
        fixture.rows(&Kind::OrphanedRecord, &rows).await;
        for (root, expected) in [("", vec!["r/", "r/a/", "r/a/b/"]), ("r/", vec!["r/a/", "r/a/b/"])] {
            let scope = Scope { root: root.to_owned(), prefix: root.to_owned(), ..Scope::default() };
            gather(&mut fixture.ledger, &scope, &GlobSet::empty()).await.expect("folders");
            let noted = fixture.ledger.missing_folders_after("", 100).await.expect("folders");
            assert_eq!(noted, expected);
            fixture.ledger.drop_missing_folders(&noted.iter().collect::<Vec<_>>()).await.expect("none");
        }
    }
}
