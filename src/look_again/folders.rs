//! The second look at folders of which nothing is known (I18): the configuration may let their files go, and so do rows of
//! theirs that an earlier run deleted, and what their names say. A folder whose name is an id, beside many others of which half are known, is a tenant that was deleted,
//! and not a table that was forgotten.

use std::collections::HashMap;

use anyhow::{Context, Result};
use globset::GlobSet;

use super::ASK;
use crate::compare::folders::{Shape, split};
use crate::compare::scope::Scope;
use crate::database::{Database, Named};
use crate::ledger::Ledger;

/// Folders read from the ledger at once.
const PAGE: usize = 2_000;
/// Parents whose known folders are counted, at most: what lies in others stays held.
const MOST_PARENTS: usize = 100_000;
/// So many folders of one shape in one parent are many.
const MANY_SIBLINGS: u64 = 10;

/// Takes those folders off the list that may go; `allowed` are the `unknown_prefixes`.
pub async fn at_folders(ledger: &mut Ledger, database: &Database, scope: &Scope, allowed: &GlobSet) -> Result<()> {
    ledger.lift_folders_of_deleted_rows().await.context("the ledger")?;
    let mut parents = Parents::default();
    lift(ledger, |folder| {
        let is_allowed = is_allowed(folder, scope, allowed);
        if !is_allowed {
            parents.add(folder);
        }
        is_allowed
    })
    .await?;
    if parents.is_empty() {
        return Ok(());
    }
    parents.count_known(database, scope).await?;
    let many = parents.with_many(async |parent, shape| ledger.unknown_siblings(parent, shape).await).await?;
    lift(ledger, |folder| {
        let (parent, own) = split(folder);
        many.get(parent).is_some_and(|shapes| shapes.iter().any(|shape| Shape::of(own) == Some(*shape)))
    })
    .await
}

/// Whether the configuration lets the files of this folder go: it names the folder, or one around it.
pub(super) fn is_allowed(folder: &str, scope: &Scope, allowed: &GlobSet) -> bool {
    let around = folder.match_indices('/').map(|(slash, _)| &folder[..slash]);
    let is_named = |name: &str| {
        let below = name.strip_prefix(&scope.root).filter(|below| !below.is_empty());
        allowed.is_match(name) || below.is_some_and(|below| allowed.is_match(below))
    };
    // What has no folder is named by nothing but "".
    if folder.is_empty() { allowed.is_match("") } else { around.into_iter().any(is_named) }
}

async fn lift(ledger: &mut Ledger, mut may_go: impl FnMut(&str) -> bool) -> Result<()> {
    let mut after: Option<String> = None;
    loop {
        let page = ledger.folders_after(after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        let lifted: Vec<&str> = page.iter().map(String::as_str).filter(|folder| may_go(folder)).collect();
        ledger.lift_folders(&lifted).await?;
        after = Some(last.clone());
    }
}

/// The parents of folders whose names are ids.
#[derive(Default)]
pub(super) struct Parents(HashMap<String, Parent>);

#[derive(Default)]
struct Parent {
    /// Shapes of unknown folders in it, with how many known folders have them too.
    shapes: Vec<(Shape, u64)>,
    /// The known folder that was counted last; its keys stand together.
    last: String,
}

impl Parents {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the parent of a folder whose name is an id.
    pub fn add(&mut self, folder: &str) {
        let (parent, own) = split(folder);
        let Some(shape) = Shape::of(own) else { return };
        if self.0.len() >= MOST_PARENTS && !self.0.contains_key(parent) {
            return;
        }
        let parent = self.0.entry(parent.to_owned()).or_default();
        if parent.shapes.iter().all(|(known, _)| *known != shape) {
            parent.shapes.push((shape, 0));
        }
    }

    /// Counts the folders in them that the database knows: its keys are read once more.
    async fn count_known(&mut self, database: &Database, scope: &Scope) -> Result<()> {
        let mut keys = database.keys();
        while let Some(Named { key, .. }) = keys.next().await.context(ASK)? {
            if scope.holds(key) && !scope.ignores(key) {
                self.know(key);
            }
        }
        Ok(())
    }

    /// Counts the folders around a key that the database knows; keys come in byte order.
    pub fn know(&mut self, key: &str) {
        let mut start = 0;
        for (slash, _) in key.match_indices('/') {
            if let Some(parent) = self.0.get_mut(&key[..start]) {
                parent.know(&key[start..slash]);
            }
            start = slash + 1;
        }
    }

    /// Those that hold many folders of a shape, half of them known or more; `unknown` counts the others.
    pub async fn with_many(
        self,
        mut unknown: impl AsyncFnMut(&str, Shape) -> Result<u64>,
    ) -> Result<HashMap<String, Vec<Shape>>> {
        let mut many: HashMap<String, Vec<Shape>> = HashMap::new();
        for (name, parent) in self.0 {
            for (shape, known) in parent.shapes {
                let unknown = unknown(&name, shape).await?;
                if known + unknown >= MANY_SIBLINGS && known >= unknown {
                    many.entry(name.clone()).or_default().push(shape);
                }
            }
        }
        Ok(many)
    }
}

impl Parent {
    fn know(&mut self, own: &str) {
        if self.last == own {
            return;
        }
        own.clone_into(&mut self.last);
        self.shapes.iter_mut().filter(|(shape, _)| Shape::of(own) == Some(*shape)).for_each(|(_, known)| *known += 1);
    }
}

#[cfg(test)]
mod tests {
    use globset::{Glob, GlobSetBuilder};

    use super::*;

    fn globs(patterns: &[&str]) -> GlobSet {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(Glob::new(pattern).expect("a glob"));
        }
        set.build().expect("globs")
    }

    #[test]
    fn a_folder_may_go_where_it_or_one_around_it_is_named() {
        let scope = Scope { root: "assets/".to_owned(), prefix: "assets/".to_owned(), ..Scope::default() };
        let allowed = globs(&["logs", "assets/tmp", "old-*"]);
        for (folder, expected) in [
            ("assets/logs/", true),
            ("assets/logs/2024/", true),
            ("assets/tmp/", true),
            ("assets/old-uploads/", true),
            ("assets/uploads/", false),
            ("assets/logs2/", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(folder, &scope, &allowed), expected, "{folder}");
        }
    }

    #[test]
    fn known_folders_of_the_shape_are_counted_once_each() {
        let mut parents = Parents::default();
        ["tenants/17/", "tenants/18/", "tenants/x/a/"].iter().for_each(|folder| parents.add(folder));
        for key in ["tenants/1/a", "tenants/1/b/c", "tenants/2/a", "tenants/name/a", "tenants/3", "other/4/a"] {
            parents.know(key);
        }
        let counted: Vec<_> = parents.0.iter().map(|(name, parent)| (name.as_str(), parent.shapes.clone())).collect();
        assert_eq!(counted, [("tenants/", vec![(Shape::Digits, 2)])]);
    }
}
