//! Does what a confirmed plan says, batch by batch, and nothing else: it may drop items, and can never add one.
//!
//! Each batch: the locks are still held; every source is asked again; each object is looked at again; the intent is
//! committed; the object is taken away (`taking`); the outcome is committed; the sources are asked once more, and what became wanted is put back. Rows go before files, in
//! batches of their own (`rows`).

mod batch;
mod copying;
mod due;
mod put_back;
mod removing;
mod restoring;
mod resume;
pub mod rows;
mod rows_back;
mod sight;
mod spans;
mod strayed;
mod taking;
mod wanted;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::Utc;

use crate::config::Config;
use crate::confirm::Confirmed;
use crate::database::{Advisory, Database};
use crate::domain::derived::Owner;
use crate::domain::removal::{Removals, Stopped};
use crate::domain::{Kind, Side};
use crate::interrupt::Interrupt;
use crate::ledger::{FileToGo, Ledger, Removal, State, Step};
use crate::lock::Lock;
use crate::plan::DeletionPlan;
use crate::storage::{Copies, Hands, Keeps, Kept, Store, Tried};

pub use put_back::{Restored, Way, restore};
pub use resume::resume;
pub use rows_back::{has_open_rows, restore_rows, resume_rows};
pub use sight::Sight;
pub use strayed::strayed;

/// Files moved to the trash in one batch.
const TRASH_BATCH: usize = 100;
/// Files deleted for good in one batch: what one DeleteObjects takes.
pub const DELETE_BATCH: usize = 1_000;
/// Planned keys for which a source that cannot be asked by key is streamed together, before and after.
pub const WINDOW: usize = 100_000;
/// No file goes to the trash by an answer of such a source that is older than this, or than one stream takes.
const ANSWER_LASTS: Duration = Duration::from_secs(10);
/// What is put below the trash, and taken away, to try whether a delete heeds a condition. No run's folder is called so.
const TRIED: &str = ".if-match";
/// The same to try what a copy keeps.
const COPIED: &str = ".kept";
/// The same to try whether a listing names at once what has changed.
const LISTED: &str = ".listed";
/// Bytes of a batch for the trash, beyond which it has no more files than the first one: large files take their time.
const LARGE_BATCH: u64 = 1 << 30;

/// Where removals happen, and what holds them in check.
pub struct Site<'a> {
    pub config: &'a Config,
    pub ledger: &'a mut Ledger,
    pub database: &'a Database,
    pub store: &'a dyn Store,
    pub lock: &'a Lock,
    pub advisory: &'a mut Advisory,
    pub interrupt: &'a Interrupt,
    pub run: i64,
    /// The run's own folder in the trash; `None`: files go for good.
    pub trash: Option<String>,
    /// Requests in flight at most.
    pub concurrency: usize,
    /// Keys deleted in a second at most; 0: no limit.
    pub max_deletes_per_second: u32,
    /// When the batch in hand is the last one; `None`: never.
    pub deadline: Option<Instant>,
    /// What the files that are being removed belong to, by their keys: a file is wanted while one of these is.
    pub owners: HashMap<String, Vec<Owner>>,
    /// Folders of the files that are being removed, of which the ledger knows whose they are.
    pub met: HashSet<String>,
    /// Folders from which files were removed that stay removed.
    pub left: BTreeSet<String>,
    pub sight: Sight,
    /// Files deleted at once at most: fewer where a store is too slow for more to be looked at in time.
    pub at_once: usize,
    /// Whether the files in hand may be left in the middle.
    pub pace: Pace,
}

/// What the sources said that are read whole to be asked.
struct Answer {
    /// The keys that are wanted.
    wanted: HashSet<String>,
    /// When the last of it was read, and how long that took.
    ended: Instant,
    took: Duration,
}

/// Whether a window of files may be left in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It may, after the batch in hand.
    UntilStopped,
    ToItsEnd,
}

/// Carries the plan out. What was done until an error stands in `removals`.
pub async fn execute(
    plan: DeletionPlan,
    _confirmed: Confirmed,
    site: &mut Site<'_>,
    removals: &mut Removals,
) -> Result<()> {
    let planned = plan.census();
    removals.left = planned.files + planned.rows() + planned.due_files;
    if planned.files + planned.following_files > 0 {
        site.learn_conditions().await?;
        site.learn_listing().await;
        site.learn_copies().await?;
    }
    site.remove_rows(planned.rows(), removals).await?;
    if removals.stopped.is_none() {
        site.remove_files(planned.files, removals).await?;
    }
    if removals.stopped.is_none() {
        due::purge(site, plan.due_before(), planned.due_files, removals).await?;
    }
    Ok(())
}

impl Site<'_> {
    /// Finds out, once for each pair, whether the store heeds conditions on deletes.
    async fn learn_conditions(&mut self) -> Result<()> {
        let Hands::Copies(copies) = self.store.hands() else { return Ok(()) };
        let known = match self.ledger.heeds_conditions().await? {
            None => {
                let place = format!("{}{TRIED}", self.config.trash.beginning());
                let heeds = match copies.try_conditions(&place).await {
                    Tried::Honoured => Some(true),
                    Tried::Ignored => Some(false),
                    // Every file would be copied to the trash, every night, and stay.
                    Tried::NoDeletes(why) if self.trash.is_some() => anyhow::bail!(
                        "nothing was removed, as the store refuses to delete; allow it (s3:DeleteObject), also below \
                         {}: {why}",
                        self.config.trash.beginning()
                    ),
                    Tried::Nothing | Tried::NoDeletes(_) => None,
                };
                if heeds.is_some() {
                    self.ledger.remember_conditions(heeds).await?;
                }
                heeds
            }
            known => known,
        };
        copies.set_conditions(known.unwrap_or(false));
        Ok(())
    }

    /// Finds out whether a listing lags, before one is believed. Where a delete heeds a condition, it takes nothing that was
    /// stored since, whatever a listing says.
    async fn learn_listing(&mut self) {
        let Hands::Copies(copies) = self.store.hands() else { return };
        if !self.sight.is_trying() || copies.heeds_conditions() {
            return;
        }
        if !copies.try_listing(&format!("{}{LISTED}", self.config.trash.beginning())).await {
            self.sight.believe_none();
        }
    }

    /// Finds out what copies keep, where enough of them are to be made.
    async fn learn_copies(&mut self) -> Result<()> {
        if let (Hands::Copies(copies), true) = (self.store.hands(), self.trash.is_some() && self.sight.is_trying()) {
            self.sight.set_kept(learn_kept(self.ledger, copies, self.config).await?);
        }
        Ok(())
    }

    /// Forgets it where a delete was refused: the next run finds out anew.
    async fn doubt_conditions(&mut self) -> Result<()> {
        match self.store.hands() {
            Hands::Copies(copies) if copies.doubts_conditions() => self.ledger.remember_conditions(None).await,
            _ => Ok(()),
        }
    }

    async fn remove_files(&mut self, planned: u64, removals: &mut Removals) -> Result<()> {
        let mut left = usize::try_from(planned).unwrap_or(usize::MAX);
        for kind in Kind::OF_FILES {
            let mut after = String::new();
            while left > 0 && removals.stopped.is_none() {
                let window = self.ledger.removable_after(&kind, &after, WINDOW.min(left)).await?;
                let Some(last) = window.last() else { break };
                after.clone_from(&last.object.key);
                left -= window.len();
                self.remove_window(&window, Pace::UntilStopped, removals).await?;
            }
        }
        Ok(())
    }

    /// Removes files for which the sources that must be streamed are streamed once before and once after.
    async fn remove_window(&mut self, window: &[FileToGo], pace: Pace, removals: &mut Removals) -> Result<()> {
        let keys: Vec<&str> = window.iter().map(|file| file.object.key.as_str()).collect();
        let derived = window.iter().filter(|file| !file.owners.is_empty());
        self.owners = derived.map(|file| (file.object.key.clone(), file.owners.clone())).collect();
        self.pace = pace;
        let mut answer = self.stream(&keys).await?;
        let mut unsettled = Vec::new();
        let (mut failure, mut at) = (Ok(()), 0);
        while at < window.len() {
            let batch = &window[at..at + self.batch_size(&window[at..])];
            if let (Pace::UntilStopped, Some(reason)) = (pace, self.must_stop()) {
                removals.stopped = Some(reason);
                break;
            }
            // What is waited for is waited for before the last looks, and not between them and the delete.
            self.hold_pace(batch.len()).await;
            if self.is_old(&answer) {
                answer = match self.stream(&keys[at..]).await {
                    Ok(answer) => answer,
                    Err(error) => {
                        failure = Err(error);
                        break;
                    }
                };
            }
            failure = self.batch(batch, &answer, removals, &mut unsettled).await;
            if failure.is_err() {
                break;
            }
            at += batch.len();
            // A file that followed its rows was not counted.
            let planned = batch.iter().filter(|file| file.kind.side() == Side::File).count();
            removals.left = removals.left.saturating_sub(planned as u64);
        }
        // Whatever stopped the run, what was removed is asked about once more.
        let settled = self.settle_streamed(unsettled, removals).await;
        self.met.clear();
        self.remove_emptied();
        failure.and(settled)
    }

    /// Streams every source that must be streamed to be asked of these keys.
    async fn stream(&self, keys: &[&str]) -> Result<Answer> {
        let began = Instant::now();
        let wanted = self.wanted_by_stream(keys).await.context(ASK)?;
        Ok(Answer { wanted, ended: Instant::now(), took: began.elapsed() })
    }

    /// Whether an answer is too old for a removal to rest on it. What goes for good cannot be put back by the question that
    /// follows its removal: it is asked about for as much of the time as it takes.
    fn is_old(&self, answer: &Answer) -> bool {
        let lasts = if self.trash.is_some() { answer.took.max(ANSWER_LASTS) } else { answer.took };
        self.streams_again() && answer.ended.elapsed() > lasts
    }

    /// Removes the folders that removals have emptied, where the store has folders.
    fn remove_emptied(&mut self) {
        let left = std::mem::take(&mut self.left);
        if let (Hands::Moves(moves), true) = (self.store.hands(), self.config.storage.remove_empty_folders) {
            moves.remove_emptied(left, &self.config.storage.prefix);
        }
    }

    fn must_stop(&self) -> Option<Stopped> {
        if self.interrupt.was_asked() {
            Some(Stopped::Interrupted)
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Some(Stopped::OutOfTime)
        } else {
            None
        }
    }

    /// Makes sure that nobody else can be at work (I8, I12).
    async fn still_alone(&mut self) -> Result<()> {
        anyhow::ensure!(self.lock.is_held(), "the lock file was replaced: another run may be at work");
        self.advisory.check().await
    }

    /// What became wanted of files that were just removed; those that are asked by key.
    async fn wanted_now(&self, keys: &[&str]) -> Result<HashSet<String>> {
        let asked = self.with_owners(keys);
        let named = self.database.session().await?.wanted_by_key(&asked).await?;
        Ok(self.kept_by(keys, |owner| named.contains(owner.text()), &named))
    }

    /// The same of those that are read whole to be asked; owners that are prefixes are asked so too.
    async fn wanted_by_stream(&self, keys: &[&str]) -> Result<HashSet<String>> {
        let asked = self.with_owners(keys);
        let named = self.database.wanted_by_stream(&asked).await?;
        let owners = keys.iter().filter_map(|key| self.owners.get(*key)).flatten();
        let prefixes: BTreeSet<&Owner> = owners.filter(|owner| owner.is_prefix()).collect();
        let used = self.database.prefixes_in_use(&prefixes).await?;
        Ok(self.kept_by(keys, |owner| named.contains(owner.text()) || used.contains(owner), &named))
    }

    /// Keys, and those that they belong to. What a prefix begins may lie in a folder that is owned.
    fn with_owners<'k>(&'k self, keys: &[&'k str]) -> Vec<&'k str> {
        let owners = keys.iter().filter_map(|key| self.owners.get(*key)).flatten();
        keys.iter().copied().chain(owners.map(Owner::text)).collect()
    }

    /// Which of `keys` are named, or belong to what is wanted.
    fn kept_by(&self, keys: &[&str], wants: impl Fn(&Owner) -> bool, named: &HashSet<String>) -> HashSet<String> {
        let is_kept =
            |key: &str| named.contains(key) || self.owners.get(key).is_some_and(|owners| owners.iter().any(&wants));
        keys.iter().filter(|key| is_kept(key)).map(|key| (*key).to_owned()).collect()
    }

    /// Whether anything must be read whole to be asked about the files that are being removed.
    fn streams_again(&self) -> bool {
        self.database.streams_again() || self.owners.values().flatten().any(Owner::is_prefix)
    }

    /// Settles removals that only streamed sources could still claim.
    async fn settle_streamed(&mut self, unsettled: Vec<Removal>, removals: &mut Removals) -> Result<()> {
        if unsettled.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = unsettled.iter().map(|removal| removal.object.key.as_str()).collect();
        let wanted = self.wanted_by_stream(&keys).await.context(ASK)?;
        self.settle(&unsettled, &wanted, removals).await
    }

    /// Puts back what is wanted, and settles the rest.
    async fn settle(&mut self, removed: &[Removal], wanted: &HashSet<String>, removals: &mut Removals) -> Result<()> {
        let mut steps = Vec::new();
        for removal in removed {
            let key = &removal.object.key;
            if !wanted.contains(key) {
                let state = if removal.trash_key.is_some() { State::Trashed } else { State::Deleted };
                steps.push(Step::to(removal.id, state));
                self.left.extend(key.rfind('/').map(|slash| key[..=slash].to_owned()));
                continue;
            }
            steps.extend(self.give_back(removal, removals).await);
        }
        self.ledger.advance(&steps, "settle", Utc::now()).await
    }

    /// How many of these files the next batch has. To the trash they are few, so that a stop is not waited for; more where
    /// they are copied in a request each, and small.
    fn batch_size(&self, files: &[FileToGo]) -> usize {
        let mut bytes = 0_u64;
        let small = files.iter().take_while(|file| {
            bytes = bytes.saturating_add(file.object.size);
            bytes <= LARGE_BATCH
        });
        let most = match &self.trash {
            None => DELETE_BATCH,
            Some(_) if self.sight.kept() > Kept::Unknown => small.take(DELETE_BATCH).count().max(TRASH_BATCH),
            Some(_) => TRASH_BATCH,
        };
        self.paced(most.min(self.at_once)).min(files.len())
    }

    /// How many keys a batch has: no more than a second's worth.
    fn paced(&self, batch: usize) -> usize {
        match self.max_deletes_per_second {
            0 => batch,
            limit => batch.min(limit as usize),
        }
    }

    /// Waits so long that `keys` more deletes are within the limit.
    async fn hold_pace(&self, keys: usize) {
        if self.max_deletes_per_second > 0 {
            let seconds = keys as f64 / f64::from(self.max_deletes_per_second);
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        }
    }
}

/// Finds out what copies keep, once for each pair; and each time whether redirects lead anywhere, which no copy keeps by
/// itself.
async fn learn_kept(ledger: &mut Ledger, copies: &dyn Copies, config: &Config) -> Result<Kept> {
    let keeps = match ledger.keeps_in_copies().await? {
        None => {
            let tried = copies.try_copies(&format!("{}{COPIED}", config.trash.beginning())).await;
            let keeps = tried.map(|tried| tried.keeps);
            if tried.is_some_and(|tried| tried.is_whole) {
                ledger.remember_copies(keeps).await?;
            }
            keeps
        }
        known => known,
    };
    Ok(match keeps {
        None => Kept::Unknown,
        Some(Keeps::All) => Kept::All,
        Some(Keeps::AllButRedirects) if copies.is_no_website().await => Kept::All,
        Some(Keeps::AllButRedirects | Keeps::Told) => Kept::Told,
    })
}

const ASK: &str = "the database could not be asked once more";
