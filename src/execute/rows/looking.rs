//! The looks before a row is removed: at its object, and at the row itself (I8).

use anyhow::{Context, Result};
use futures::StreamExt;

use super::{ASK, name_of, removal_of, row_of};
use crate::database::Writer;
use crate::domain::Seen;
use crate::domain::removal::Removals;
use crate::execute::Site;
use crate::judge;
use crate::ledger::{NewRemoval, PlannedRow, State};
use crate::storage::Presence;

/// What a look at a row's object says.
pub(super) enum Look {
    Clear,
    /// The row must stay, and why.
    Stay(String),
    Failed(String),
}

impl<'a> Site<'a> {
    /// Looks at the object of each row: why the row must stay because of it, if so.
    pub(super) async fn look_at_objects(&self, batch: &[PlannedRow]) -> Vec<Look> {
        let looks: Vec<_> = batch.iter().map(|row| self.look_at_object(row)).collect();
        futures::stream::iter(looks).buffered(self.concurrency).collect().await
    }

    async fn look_at_object(&self, row: &PlannedRow) -> Look {
        if row.key.is_empty() || row.object.is_some() && row.rivals == 0 {
            return Look::Clear;
        }
        match (&row.object, self.store.look(&row.key).await) {
            (Some(object), Ok(Presence::Present(now))) if judge::is_still(object, &now) => Look::Clear,
            (Some(_), Ok(Presence::Present(_))) => Look::Stay("its file changed".to_owned()),
            (None, Ok(Presence::Present(_))) => Look::Stay("its file is there now".to_owned()),
            (_, Ok(Presence::Missing)) => Look::Clear,
            (_, Ok(Presence::Unknown(reason))) => Look::Stay(reason),
            (_, Err(error)) => Look::Failed(format!("its file could not be looked at: {error:#}")),
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
        let now = writer.now().await.context(ASK)?;
        let (mut going, mut left) = (Vec::new(), Vec::new());
        for (row, look) in batch.iter().zip(looks) {
            let records = &self.config.records[row.section];
            let clocks: Vec<_> = records.rules.iter().map(|rule| rule.after()).collect();
            let rule = self.rule_of(row);
            let seen = writer.see(row.section, &row.handle).await.context(ASK)?;
            let stays = |seen: &Seen| judge::stays(seen, (&row.key, rule), &clocks, now, self.config.safety.min_age.0);
            let (state, reason) = match (seen, look) {
                (_, Look::Failed(reason)) => {
                    removals.fail(&name_of(row), &reason);
                    (State::Failed, reason)
                }
                (_, Look::Stay(reason)) => (State::Skipped, reason),
                (None, Look::Clear) => (State::Skipped, "it is gone already".to_owned()),
                (Some(seen), Look::Clear) => match stays(&seen) {
                    Some(reason) => (State::Skipped, reason.to_owned()),
                    None => {
                        going.push((row, seen));
                        continue;
                    }
                },
            };
            removals.skipped += u64::from(state == State::Skipped);
            left.push(NewRemoval { row: row_of(row, None), ..removal_of(row, state, Some(reason)) });
        }
        Ok((going, left))
    }
}
