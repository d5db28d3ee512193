//! The looks before a row is removed: at its object, and at the row itself (I8).

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;

use super::{ASK, name_of, removal_of, row_of};
use crate::config::Action;
use crate::database::Writer;
use crate::domain::key::Printable;
use crate::domain::removal::Removals;
use crate::domain::{Seen, Time, row_id};
use crate::execute::Site;
use crate::judge::{self, Standing};
use crate::ledger::{NewRemoval, PlannedRow, State};
use crate::storage::{Presence, Store, look_for};

/// What a look at a row's object says.
pub(super) enum Look {
    Clear,
    /// The row must stay, and why.
    Stay(String),
    Failed(String),
}

/// Whether any object below a folder is too young to judge.
async fn newest_below(store: &dyn Store, folder: &str, min_age: Duration) -> Result<bool> {
    let mut listing = store.listing_below(folder);
    while let Some(page) = listing.next_page().await? {
        // The folder's own marker, if there is one, says nothing of what is in it.
        let mut inside = page.objects.iter().filter(|object| object.key != folder && object.key.starts_with(folder));
        if inside.any(|object| judge::is_young_file(object, page.now, min_age)) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl<'a> Site<'a> {
    /// Looks at the object of each row: why the row must stay because of it, if so.
    pub(super) async fn look_at_objects(&self, batch: &[PlannedRow]) -> Vec<Look> {
        let looks: Vec<_> = batch.iter().map(|row| self.look_at_all(row)).collect();
        futures::stream::iter(looks).buffered(self.concurrency).collect().await
    }

    /// The first of the row's objects that it must stay for, if any.
    async fn look_at_all(&self, row: &PlannedRow) -> Look {
        for row in row.all() {
            match self.look_at_object(row).await {
                Look::Clear => {}
                look => return look,
            }
        }
        Look::Clear
    }

    async fn look_at_object(&self, row: &PlannedRow) -> Look {
        let owns_folder = self.owns_folder(row);
        // What lies in a folder follows its row, and is looked at file by file.
        let is_folder_to_go = owns_folder && row.kind.rule().is_some();
        if is_folder_to_go && row.key.ends_with('/') {
            return self.look_at_folder(&row.key).await;
        }
        if row.key.is_empty() || is_folder_to_go || row.object.is_some() && row.rivals == 0 {
            return Look::Clear;
        }
        match (&row.object, look_for(self.store, &row.key, owns_folder).await) {
            (Some(object), Ok(Presence::Present(now))) if judge::is_still(object, &now) => Look::Clear,
            (Some(_), Ok(Presence::Present(_))) => Look::Stay("its file changed".to_owned()),
            (None, Ok(Presence::Present(_))) => Look::Stay("its file is there now".to_owned()),
            (_, Ok(Presence::Missing)) => Look::Clear,
            (_, Ok(Presence::Unknown(reason))) => Look::Failed(reason),
            (_, Err(error)) => Look::Failed(format!("its file could not be looked at: {error:#}")),
        }
    }

    /// Looks for files that came to a folder meanwhile: its row stays with them.
    async fn look_at_folder(&self, folder: &str) -> Look {
        match newest_below(self.store, folder, self.config.safety.min_age.0).await {
            Ok(false) => Look::Clear,
            Ok(true) => Look::Stay("a file in its folder is too young to judge".to_owned()),
            Err(error) => Look::Failed(format!("its folder could not be looked at: {error:#}")),
        }
    }

    /// Reads each row and judges it once more (I8). What is to stay is given apart, to be recorded.
    pub(super) async fn judge_rows<'p>(
        &mut self,
        writer: &mut Writer<'a>,
        batch: &'p [PlannedRow],
        looks: Vec<Look>,
        removals: &mut Removals,
    ) -> Result<(Vec<(&'p PlannedRow, Seen)>, Vec<NewRemoval>)> {
        let (mut going, mut left) = (Vec::new(), Vec::new());
        let mut nows: HashMap<usize, Time> = HashMap::new();
        for (row, look) in batch.iter().zip(looks) {
            let now = match nows.get(&row.section) {
                Some(now) => *now,
                None => *nows.entry(row.section).or_insert(writer.now(row.section).await.context(ASK)?),
            };
            let seen = writer.see(row.section, &row.handle).await.context(ASK)?;
            let mut stays = seen.as_ref().and_then(|seen| self.stays(row, seen, now));
            for other in row.also.iter().filter(|_| seen.is_some()) {
                let seen = writer.see(other.section, &other.handle).await.context(ASK)?;
                stays = stays.or(seen.map_or(Some("it is gone already"), |seen| self.stays(other, &seen, now)));
            }
            let look = match look {
                Look::Clear if seen.is_some() && stays.is_none() && *self.action_of(row) == Action::Delete => {
                    self.look_at_other_keys(writer, row, now).await?
                }
                look => look,
            };
            let (state, reason) = match (seen, look) {
                (_, Look::Failed(reason)) => {
                    removals.fail(&name_of(row), &reason);
                    (State::Failed, reason)
                }
                (_, Look::Stay(reason)) => (State::Skipped, reason),
                (None, Look::Clear) if row_id::parts(&row.handle).contains(&None) => {
                    (State::Skipped, "a column of its id is NULL".to_owned())
                }
                (None, Look::Clear) => (State::Skipped, "it is gone already".to_owned()),
                (Some(seen), Look::Clear) => match stays {
                    Some(reason) => (State::Skipped, reason.to_owned()),
                    None => {
                        going.push((row, seen));
                        continue;
                    }
                },
            };
            if state == State::Skipped {
                removals.skip(&reason);
            }
            left.push(NewRemoval { row: row_of(row, None), ..removal_of(row, state, Some(reason)) });
        }
        Ok((going, left))
    }

    /// Looks at the keys of a row in sections by which it is not on the plan: it must not go from under what they name.
    async fn look_at_other_keys(&self, writer: &mut Writer<'a>, row: &PlannedRow, now: Time) -> Result<Look> {
        for section in 0..self.config.records.len() {
            if self.config.records[section].name != row.table || row.all().any(|row| row.section == section) {
                continue;
            }
            let Some(seen) = writer.see(section, &row.handle).await.context(ASK)? else { continue };
            if !seen.owns || seen.key.is_empty() {
                continue;
            }
            let look = match row.kind.rule() {
                Some(_) => self.look_at_condemned(section, &seen, now),
                None => self.look_at_present(section, &seen.key).await,
            };
            match look {
                Look::Clear => {}
                look => return Ok(look),
            }
        }
        Ok(Look::Clear)
    }

    /// A key by which a rule condemns the row too, and which is not on the plan: it is young, or was not asked for.
    fn look_at_condemned(&self, section: usize, seen: &Seen, now: Time) -> Look {
        let storage = &self.config.storage;
        let is_compared = seen.key.starts_with(&storage.prefix) && !storage.ignore.is_match(&seen.key);
        let clocks: Vec<_> = self.config.records[section].rules.iter().map(|rule| rule.after()).collect();
        // One that updates the row has a place of its own on the plan.
        let deletes = |rule: usize| self.config.records[section].rules[rule].then == Action::Delete;
        match judge::standing(seen.created, &seen.marks, &clocks, now, self.config.safety.min_age.0) {
            Standing::Live => Look::Clear,
            Standing::Condemned(rule) if !deletes(rule) => Look::Clear,
            Standing::Young | Standing::Condemned(_) if is_compared => {
                Look::Stay(format!("it owns {} too, which does not go now", Printable(&seen.key)))
            }
            Standing::Young | Standing::Condemned(_) => Look::Clear,
        }
    }

    /// A key of a row that has lost the object of another one.
    async fn look_at_present(&self, section: usize, key: &str) -> Look {
        match look_for(self.store, key, self.config.records[section].owns_folders()).await {
            Ok(Presence::Missing) => Look::Clear,
            Ok(Presence::Present(_)) => Look::Stay(format!("it owns {} too, which is there", Printable(key))),
            Ok(Presence::Unknown(reason)) => Look::Failed(reason),
            Err(error) => Look::Failed(format!("{} could not be looked at: {error:#}", Printable(key))),
        }
    }

    /// Why a row must stay by one of its keys, as it is now.
    fn stays(&self, row: &PlannedRow, seen: &Seen, now: Time) -> Option<&'static str> {
        let clocks: Vec<_> = self.config.records[row.section].rules.iter().map(|rule| rule.after()).collect();
        judge::stays(seen, (&row.key, self.rule_of(row)), &clocks, now, self.config.safety.min_age.0)
    }
}
