//! On the way to the trash: each file is copied, the copy verified, and the original looked at once more (I11).
//!
//! Where it was tried that a copy which is told nothing lacks nothing, and the listing is believed, a file costs one request:
//! the copies are verified by a listing of the run's own folder, and the originals by one of where they lie. Everything
//! that is not proven so has a look at the file, a copy that is told what to keep, and a look at the copy, as it has
//! elsewhere.

use futures::StreamExt;

use super::Site;
use super::batch::{Fate, Ready};
use super::sight::{Effort, Found, Look, Scene};
use super::taking::CHANGED;
use crate::domain::LOSES;
use crate::judge;
use crate::ledger::Removal;
use crate::storage::{Copied, Copies, Kept, Presence, Target};

/// How a file is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Told nothing.
    Plainly,
    /// Told what a look at the file says.
    Told,
    /// The same, and compared with the file.
    Compared,
}

/// A file that was copied.
struct Way {
    ready: Ready,
    how: How,
    /// Whether nobody has looked at the copy.
    is_unseen: bool,
}

/// Removals that do not go on, each with its fate.
type Left = Vec<(Removal, Fate)>;

impl Site<'_> {
    /// Copies each file to the trash, where there is one, and verifies the copy. Gives those that may now be deleted, and the
    /// others with their fates.
    pub(super) async fn copy_to_trash(&mut self, copies: &dyn Copies, intents: Vec<Ready>) -> (Vec<Ready>, Left) {
        let mut left = Vec::new();
        let Some(folder) = self.trash.clone() else { return (intents, left) };
        let kept = self.sight.kept();
        let how = |ready: &Ready| match kept {
            Kept::All if ready.is_plain => How::Plainly,
            Kept::All | Kept::Told => How::Told,
            Kept::Unknown => How::Compared,
        };
        let ways = intents.into_iter().map(|ready| (how(&ready), ready)).collect();
        let mut copied = self.copy_each(copies, ways, &mut left).await;
        let again = self.verify(copies, &folder, &mut copied).await;
        copied.extend(self.copy_each(copies, again, &mut left).await);
        // Copying takes its time; what was stored meanwhile must not go with the old. All copies are made by now.
        let (plain, others): (Vec<_>, Vec<_>) = copied.into_iter().partition(|way| way.how == How::Plainly);
        let mut deletable = self.look_once_more(readied(others), &mut left).await;
        // What the last look has shown to be more than a plain copy keeps is copied anew.
        let seen = self.look_once_more(readied(plain), &mut left).await;
        let (plain, rare): (Vec<_>, Vec<_>) = seen.into_iter().partition(|ready| ready.is_plain);
        deletable.extend(plain);
        let rare = rare.into_iter().map(|ready| (How::Compared, ready)).collect();
        let copied = self.copy_each(copies, rare, &mut left).await;
        deletable.extend(self.look_once_more(readied(copied), &mut left).await);
        (deletable, left)
    }

    /// Copies files, many at once.
    async fn copy_each(&self, copies: &dyn Copies, ready: Vec<(How, Ready)>, left: &mut Left) -> Vec<Way> {
        let ways: Vec<_> = ready.iter().map(|(how, ready)| self.copy_one(copies, &ready.removal, *how)).collect();
        let ends: Vec<_> = futures::stream::iter(ways).buffered(self.concurrency).collect().await;
        let mut copied = Vec::new();
        for ((how, ready), (fate, is_unseen)) in ready.into_iter().zip(ends) {
            match fate {
                // What was looked at was told everything, however it was to be copied.
                Fate::Go => {
                    copied.push(Way { ready, how: if is_unseen { how } else { How::Compared }, is_unseen });
                }
                fate => left.push((ready.removal, fate)),
            }
        }
        copied
    }

    /// Copies a file, and says whether nobody has looked at the copy.
    async fn copy_one(&self, copies: &dyn Copies, removal: &Removal, how: How) -> (Fate, bool) {
        let (object, Some(trash_key)) = (&removal.object, &removal.trash_key) else { return (Fate::Go, false) };
        let copied = match how {
            How::Plainly => copies.copy_unseen(object, trash_key, Target::Own, false).await,
            How::Told => copies.copy_unseen(object, trash_key, Target::Own, true).await,
            How::Compared => copies.copy(object, trash_key, Target::Own).await,
        };
        let fate = match copied {
            Ok(Copied::Made) => return (Fate::Go, true),
            Ok(Copied::Done(copy)) if judge::is_copy(object, &copy) => Fate::Go,
            Ok(Copied::Done(_)) => Fate::Fail("its copy in the trash is not what was copied".to_owned()),
            Ok(Copied::Lost(what)) => Fate::Fail(format!("{LOSES}{what}")),
            Ok(Copied::SourceChanged) => Fate::Skip(match self.store.look(&object.key).await {
                Ok(Presence::Missing) => "it is gone already".to_owned(),
                _ => CHANGED.to_owned(),
            }),
            Ok(Copied::TargetTaken) => Fate::Taken(format!("something is at {trash_key} already")),
            Err(error) => Fate::Fail(format!("{error:#}")),
        };
        (fate, false)
    }

    /// Looks at copies that nobody has looked at, in the run's own `folder`. Where the listing does not say that one is surely
    /// what was copied (under another etag there may be an encryption of its own, or anything else), file and copy are looked
    /// at; gives those that must be copied anew.
    async fn verify(&mut self, copies: &dyn Copies, folder: &str, copied: &mut Vec<Way>) -> Vec<(How, Ready)> {
        let ways = std::mem::take(copied);
        let (unseen, seen): (Vec<_>, Vec<_>) = ways.into_iter().partition(|way| way.is_unseen);
        copied.extend(seen);
        let keys: Vec<&str> = unseen.iter().filter_map(|way| way.ready.removal.trash_key.as_deref()).collect();
        let scene = Scene { store: self.store, below: folder, concurrency: self.concurrency };
        let looks = self.sight.look_in_trash(scene, &keys).await;
        let (verified, doubtful): (Vec<_>, Vec<_>) =
            unseen.into_iter().zip(looks).partition(|(way, look)| is_verified(&way.ready.removal, look));
        copied.extend(verified.into_iter().map(|(way, _)| way));
        let compared: Vec<_> = doubtful.iter().map(|(way, _)| is_surely_whole(copies, &way.ready.removal)).collect();
        let compared: Vec<bool> = futures::stream::iter(compared).buffered(self.concurrency).collect().await;
        let mut again = Vec::new();
        for ((way, _), is_whole) in doubtful.into_iter().zip(compared) {
            match is_whole {
                true => copied.push(Way { how: How::Compared, is_unseen: false, ..way }),
                false => again.push((How::Compared, way.ready)),
            }
        }
        again
    }

    /// Looks at originals that are about to be deleted. Gives those that are still as they were judged.
    pub(super) async fn look_once_more(&mut self, ready: Vec<Ready>, left: &mut Left) -> Vec<Ready> {
        if ready.is_empty() {
            return ready;
        }
        let keys: Vec<&str> = ready.iter().map(Ready::key).collect();
        let looks = self.look_at(&keys, Effort::Every).await;
        let mut unchanged = Vec::new();
        for (Ready { removal, .. }, look) in ready.into_iter().zip(looks) {
            match look.fate(&removal.object) {
                Fate::Go => unchanged.push(Ready { removal, seen: look.at(), is_plain: look.is_plain() }),
                fate => left.push((removal, fate)),
            }
        }
        unchanged
    }
}

fn is_verified(removal: &Removal, look: &Look) -> bool {
    matches!(&look.found, Found::Present(copy) if judge::is_surely_copy(&removal.object, copy))
}

/// Whether a look at file and copy says that the copy has all that the file has.
async fn is_surely_whole(copies: &dyn Copies, removal: &Removal) -> bool {
    let Some(trash_key) = &removal.trash_key else { return false };
    let compared = copies.compare(&removal.object, trash_key).await;
    matches!(compared, Ok(Copied::Done(copy)) if judge::is_copy(&removal.object, &copy))
}

fn readied(ways: Vec<Way>) -> Vec<Ready> {
    ways.into_iter().map(|way| way.ready).collect()
}
