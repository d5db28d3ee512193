//! Many files of a bucket on their way back out of the trash, in as few requests as prove that they are back: a look at
//! each place, which must be free, and a copy each. Copies and files are looked at by listings where those are believed.

use anyhow::Result;
use futures::StreamExt;

use super::put_back::{NOT_THERE, Restored, Way, bring_back, end, warn_of_left};
use super::sight::{Effort, Found, Look, Scene};
use crate::domain::Object;
use crate::judge;
use crate::ledger::Removal;
use crate::storage::{Copied, Copies, Kept, Target};

/// How far a file is on its way.
enum Stage {
    /// It is where it was, and nobody has looked at it.
    Unseen(Object),
    /// It is where it was, and its copy may go.
    Back,
    Ended(Restored),
}

/// Brings files back; what became of each is given in their order.
pub(super) async fn together(copies: &dyn Copies, way: &mut Way<'_>, removals: &[Removal]) -> Vec<Restored> {
    let concurrency = way.config.storage.concurrency;
    let in_trash: Vec<&str> = removals.iter().map(|removal| removal.trash_key.as_deref().unwrap_or("")).collect();
    let scene = Scene { store: way.store, below: way.config.trash.beginning(), concurrency };
    let looks = way.sight.look_in_trash(scene, &in_trash).await;
    let kept = way.sight.kept();
    let ways: Vec<_> = removals.iter().zip(&looks).map(|(one, look)| copy(copies, way, one, look, kept)).collect();
    let mut stages: Vec<Stage> = futures::stream::iter(ways).buffered(concurrency).collect().await;
    verify(copies, way, removals, &mut stages).await;
    let is_to_go = |(removal, stage): &(&Removal, &Stage)| matches!(stage, Stage::Back) && !removal.late;
    let going = removals.iter().zip(&stages).filter(is_to_go);
    let going: Vec<&str> = going.filter_map(|(removal, _)| removal.trash_key.as_deref()).collect();
    let answers = copies.remove(&going).await;
    going.iter().zip(&answers).for_each(|(key, answer)| warn_of_left(key, answer));
    let ended = |(removal, stage): (&Removal, Stage)| match stage {
        Stage::Ended(restored) => restored,
        _ if removal.late => Restored::DoneLeft,
        _ => Restored::Done,
    };
    removals.iter().zip(stages).map(ended).collect()
}

/// Copies one file back, by a copy that is told nothing where that is whole. Under a key of its own a copy has another etag
/// than the file had: such a file came to the trash by a copy that was told, and goes back by one.
async fn copy(copies: &dyn Copies, way: &Way<'_>, removal: &Removal, look: &Look, kept: Kept) -> Stage {
    match &look.found {
        Found::Present(trashed) if kept > Kept::Unknown => {
            let told = kept == Kept::Told || !trashed.is_plain || !judge::is_surely_copy(&removal.object, trashed);
            let copied = copies.copy_unseen(trashed, &removal.object.key, Target::MustBeFree, told).await;
            match copied {
                Ok(Copied::Made) => Stage::Unseen(trashed.clone()),
                copied => staged(end(way.store, removal, trashed, copied).await),
            }
        }
        Found::Missing => Stage::Ended(Restored::Failed(NOT_THERE.to_owned())),
        _ => Stage::Ended(bring_back(way.store, removal, &[]).await),
    }
}

fn staged(end: Option<Restored>) -> Stage {
    end.map_or(Stage::Back, Stage::Ended)
}

/// Looks at what was copied, by the listing where it is believed; what that does not prove, by looks at both.
async fn verify(copies: &dyn Copies, way: &mut Way<'_>, removals: &[Removal], stages: &mut [Stage]) {
    let unseen: Vec<usize> = (0..stages.len()).filter(|at| matches!(stages[*at], Stage::Unseen(_))).collect();
    let keys: Vec<&str> = unseen.iter().map(|at| removals[*at].object.key.as_str()).collect();
    let concurrency = way.config.storage.concurrency;
    let scene = Scene { store: way.store, below: &way.config.storage.prefix, concurrency };
    let looks = way.sight.look(scene, &keys, Effort::Every).await;
    let store = way.store;
    let ways = unseen.iter().zip(&looks).map(async |(at, look)| match &stages[*at] {
        Stage::Unseen(trashed) if is_back(&removals[*at], trashed, look) => Stage::Back,
        Stage::Unseen(trashed) => {
            let compared: Result<Copied> = copies.compare(trashed, &removals[*at].object.key).await;
            staged(end(store, &removals[*at], trashed, compared).await)
        }
        _ => Stage::Back,
    });
    let ways: Vec<_> = ways.collect();
    let ends: Vec<Stage> = futures::stream::iter(ways).buffered(concurrency).collect().await;
    for (at, stage) in unseen.into_iter().zip(ends) {
        stages[at] = stage;
    }
}

/// Whether a listing proves that a file is back: what it names is surely a copy, and not the file that went.
fn is_back(removal: &Removal, trashed: &Object, look: &Look) -> bool {
    matches!(&look.found, Found::Present(back)
        if judge::is_surely_copy(trashed, back) && back.last_modified != removal.object.last_modified)
}
