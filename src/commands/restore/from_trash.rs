//! `restore --from-trash`: brings back what is in the trash and not in the ledger, which was lost, or is another one. The
//! trash tells the key of each file, and the run's folder when that run began; of rows it tells nothing.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::Utc;
use ulid::Ulid;

use super::{Restoring, opened};
use crate::domain::Time;
use crate::domain::key::Printable;
use crate::ledger::{Stray, Which};
use crate::storage::{self, TrashListing};

/// Files recorded at once.
const BATCH: usize = 1_000;

impl Restoring<'_> {
    /// Records what the ledger does not know, and brings it back: of a key that was removed more than once, the last file.
    /// What was recorded before, and did not come back, is brought back as well.
    pub(super) async fn bring_back_strays(&mut self) -> Result<()> {
        // A run of another ledger may be at work on this very trash.
        opened(&mut self.database, self.config).await?;
        let TrashListing { mut listing, place } = storage::trash_listing(self.config, self.store)?;
        let mut runs: BTreeMap<Ulid, i64> = BTreeMap::new();
        let mut outside = 0_u64;
        while let Some(page) = listing.next_page().await.context("the trash could not be listed")? {
            let mut strays: BTreeMap<Ulid, Vec<Stray>> = BTreeMap::new();
            for object in page.objects.iter().map(|object| object.to_object()) {
                let Some((run, key)) = object.key.strip_prefix(&place.below).and_then(of_run) else { continue };
                if !key.starts_with(&self.config.storage.prefix) {
                    // Another configuration's, which judges what it means.
                    outside += 1;
                    continue;
                }
                let (key, mut object) = (key.to_owned(), object.clone());
                object.key.insert_str(0, &place.outside);
                strays.entry(run).or_default().push(Stray { object, key });
            }
            for (run, strays) in strays {
                for batch in strays.chunks(BATCH) {
                    self.record(run, batch, &mut runs).await?;
                }
            }
        }
        if outside > 0 {
            let (prefix, files) = (Printable(&self.config.storage.prefix), if outside == 1 { "file" } else { "files" });
            eprintln!("{outside} {files} of the trash stay there: they were not below [storage] prefix {prefix}");
        }
        for run in self.ledger.rebuilt_runs().await.context("the ledger")? {
            self.files(Which::NeverRestoredOfRun(run)).await?;
        }
        Ok(())
    }

    async fn record(&mut self, folder: Ulid, strays: &[Stray], runs: &mut BTreeMap<Ulid, i64>) -> Result<()> {
        let known = self.ledger.known_in_trash(strays).await.context("the ledger")?;
        let unknown: Vec<Stray> = strays.iter().filter(|stray| !known.contains(&stray.object.key)).cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let run = match runs.get(&folder) {
            Some(run) => *run,
            None => {
                let run = self.ledger.rebuild_run(began(folder)).await.context("the ledger")?;
                *runs.entry(folder).or_insert(run)
            }
        };
        self.ledger.rebuild(run, &unknown, Utc::now()).await
    }
}

/// The run in whose folder a path of the trash lies, and the key that the file had.
fn of_run(path: &str) -> Option<(Ulid, &str)> {
    let (run, key) = path.split_once('/')?;
    let ulid = Ulid::from_string(run).ok().filter(|ulid| ulid.to_string() == run)?;
    (!key.is_empty()).then_some((ulid, key))
}

/// When a run began, as the name of its folder says.
fn began(folder: Ulid) -> Time {
    folder.datetime().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_in_a_folder_of_a_run_were_removed_by_one() {
        let run = "01M8CWZC55ZGW8GTNN2GD92RVG";
        assert_eq!(of_run(&format!("{run}/a/b.png")).map(|(_, key)| key), Some("a/b.png"));
        for path in [".if-match", "notes/a.png", run, &format!("{run}/"), &run.to_lowercase()] {
            assert!(of_run(path).is_none(), "{path}");
        }
        assert_eq!(began(Ulid::from_string(run).expect("a ULID")).format("%Y-%m-%d").to_string(), "2026-11-26");
    }
}
