//! Files taken away and brought back, each in one step. A rename takes whatever is at the path, so that a file which was
//! stored there after the last look is not lost: what turns out to be another one than was judged is put back. Nothing
//! is written over.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use md5::{Digest, Md5};
use rustix::fs::{AtFlags, RenameFlags, linkat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::beneath::{self, Beneath, Spot, Way, is_path};
use super::own::IN_HAND;
use super::status::Status;
use super::{Folder, folders};
use crate::domain::key::Printable;
use crate::domain::{FolderRights, Object};
use crate::failpoint;
use crate::storage::{Moves, Presence, Removed, Returned, Taken, Target};

const CANNOT: &str = "this file system can neither rename a file without writing over another one, nor link it, so that what \
                      is taken by mistake could not be put back";
const MAY_NOT: &str = "this file system cannot rename a file without writing over another one, and this file may not be \
                       linked, so that it could not be put back if it were taken by mistake; run as its owner";

/// What became of a rename.
#[derive(Debug)]
enum Renamed {
    Done,
    /// Something is at the target.
    TargetTaken,
    /// Nothing is at the source.
    Gone,
    /// Nobody knows, and why.
    Unknown(String),
}

impl Moves for Folder {
    fn take(&self, going: &[(&Object, Option<&str>)]) -> Vec<Result<Taken>> {
        let mut unsynced = None;
        let taken = going.iter().map(|(object, to)| self.take_one(object, *to, &mut unsynced)).collect();
        sync_last(unsynced);
        taken
    }

    fn give_back(&self, trash_key: &str, key: &str, rights: &[FolderRights]) -> Result<Returned> {
        let (trash, path) = self.trash_place(trash_key)?;
        let (from, before) = match trash.file(path).with_context(|| format!("looking at {trash_key}"))? {
            Way::Open(found) => found,
            Way::Absent => return Ok(Returned::NotThere),
            Way::Barred(why) => bail!(why),
        };
        let (folder, name) = split(key);
        let folder = folders::make(&self.root, folder, |path, parent| folders::as_it_was(path, parent, rights))?;
        let to = Spot { folder, name: name.into() };
        failpoint::before("move");
        let moved = rename(&from, &before, &to, Target::MustBeFree);
        failpoint::after("move");
        let returned = match moved.with_context(|| format!("moving {trash_key} to {key}"))? {
            Renamed::Done => Returned::Done,
            Renamed::Gone if is_absent(&from) => Returned::NotThere,
            Renamed::Gone => bail!("its folder went away as it was put back"),
            Renamed::Unknown(why) => bail!(why),
            // Both are one file where it was linked, and a run was killed before the other name went.
            Renamed::TargetTaken if is_one_file(&from, &to)? => {
                unlinkat(&from.folder, &*from.name, AtFlags::empty())?;
                Returned::Done
            }
            Renamed::TargetTaken => Returned::TargetTaken,
        };
        sync_last(Some(to.folder));
        folders::tidy_trash(&trash, split(path).0);
        Ok(returned)
    }

    fn look_in_trash(&self, trash_key: &str) -> Result<Presence> {
        let (trash, path) = self.trash_place(trash_key)?;
        Ok(match trash.file(path).with_context(|| format!("looking at {trash_key}"))? {
            Way::Open((_, status)) => Presence::Present(status.object(trash_key.to_owned(), self.new_for)),
            Way::Absent => Presence::Missing,
            Way::Barred(why) => Presence::Unknown(why),
        })
    }

    fn discard(&self, trash_keys: &[&str]) -> Vec<Option<Removed>> {
        // Whatever kept it from being looked at kept it from being removed.
        let discard = |key: &&str| self.discard_one(key).unwrap_or_else(|e| Some(Removed::Refused(format!("{e:#}"))));
        trash_keys.iter().map(discard).collect()
    }

    fn bring_back_from_hand(&self, key: &str) -> Result<()> {
        let (folder, name) = split(key);
        let Way::Open(folder) = self.root.folder(folder.as_bytes(), beneath::LOOK)? else { return Ok(()) };
        let to = Spot { folder, name: name.into() };
        let Some((from, before)) = in_hand(&to)? else { return Ok(()) };
        match rename(&from, &before, &to, Target::MustBeFree).with_context(|| format!("putting {key} back"))? {
            Renamed::Done | Renamed::Gone => {}
            Renamed::Unknown(why) => bail!(why),
            Renamed::TargetTaken => tracing::warn!(
                "{}: a file that was stored there before is left beside it as {}",
                Printable(key),
                Printable(&beside(key, &from))
            ),
        }
        Ok(())
    }

    fn rights_above(&self, keys: &[&str]) -> Vec<FolderRights> {
        folders::rights_above(&self.root, keys)
    }

    fn remove_emptied(&self, folders: BTreeSet<String>, base: &str) {
        folders::remove_emptied(&self.root, folders, base);
    }
}

impl Folder {
    fn take_one(&self, object: &Object, to: Option<&str>, unsynced: &mut Option<Opened>) -> Result<Taken> {
        let key = &object.key;
        let (from, before) = match self.root.file(key).with_context(|| format!("looking at {key}"))? {
            Way::Open(found) if is_path(key) => found,
            Way::Barred(why) => bail!(why),
            _ => return Ok(Taken::Gone),
        };
        if self.own.holds(key.as_bytes(), &before) {
            bail!("it is a file of cleanup-assets itself");
        }
        if !before.is_still(object) {
            return Ok(Taken::Changed);
        }
        let target = match to {
            Some(trash_key) => self.trash_spot(trash_key)?,
            None => free_hand(&from, key)?,
        };
        failpoint::before("move");
        let moved = rename(&from, &before, &target, Target::Own);
        failpoint::after("move");
        match moved.with_context(|| format!("moving {key}"))? {
            Renamed::Done => {}
            Renamed::TargetTaken => return Ok(Taken::TargetTaken),
            Renamed::Gone => return Ok(Taken::Gone),
            Renamed::Unknown(why) => return Ok(Taken::Unknown(why)),
        }
        let place = to.map_or_else(|| beside(key, &target), str::to_owned);
        match target.status() {
            Ok(now) if now.is_same_file(&before) => {}
            Ok(now) => return Ok(put_back(&target, &now, &from, &place, "it was replaced as it was taken")),
            Err(error) => return Ok(Taken::Unknown(format!("it was moved, and could not be looked at: {error}"))),
        }
        match to {
            Some(_) => sync_before(unsynced, target.folder),
            None => {
                failpoint::before("unlink");
                let removed = unlinkat(&target.folder, &*target.name, AtFlags::empty());
                failpoint::after("unlink");
                if let Err(error) = removed
                    && !is_absent(&target)
                {
                    let why = format!("it could not be removed ({error})");
                    match put_back(&target, &before, &from, &place, &why) {
                        Taken::Changed => bail!(why),
                        left => return Ok(left),
                    }
                }
            }
        }
        Ok(Taken::Done)
    }

    fn discard_one(&self, trash_key: &str) -> Result<Option<Removed>> {
        let (trash, path) = self.trash_place(trash_key)?;
        let spot = match trash.file(path).with_context(|| format!("looking at {trash_key}"))? {
            Way::Open((spot, _)) => spot,
            Way::Absent => return Ok(None),
            Way::Barred(why) => return Ok(Some(Removed::Refused(why))),
        };
        failpoint::before("unlink");
        let removed = unlinkat(&spot.folder, &*spot.name, AtFlags::empty());
        failpoint::after("unlink");
        match removed {
            Ok(()) => {
                folders::tidy_trash(&trash, split(path).0);
                Ok(Some(Removed::Gone))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Ok(Some(Removed::Refused(error.to_string()))),
        }
    }

    /// The folder that holds the trash, and the path in it. A key of another folder than the root is absolute.
    fn trash_place<'k>(&self, trash_key: &'k str) -> Result<(Arc<Beneath>, &'k str)> {
        let (trash, path) = match trash_key.starts_with('/') {
            false => (self.root.clone(), trash_key),
            true => self.outer_trash(trash_key)?,
        };
        anyhow::ensure!(is_path(path), "{} is not a key in the trash", Printable(trash_key));
        Ok((trash, path))
    }

    /// The same of a key in a folder of its own: the one that is configured, or one that was.
    fn outer_trash<'k>(&self, trash_key: &'k str) -> Result<(Arc<Beneath>, &'k str)> {
        if let Some((folder, trash)) = &self.trash
            && let Some(path) = trash_key.strip_prefix(folder.as_str())
        {
            return Ok((trash.clone(), path));
        }
        let run = folders::run_in(trash_key)
            .with_context(|| format!("{} is not a key in the trash", Printable(trash_key)))?;
        let (folder, path) = trash_key.split_at(run);
        let trash = Beneath::open(folder.as_ref()).with_context(|| format!("the trash {}", Printable(folder)))?;
        Ok((trash.into(), path))
    }

    /// A name in the trash, in a folder that is made for it.
    fn trash_spot(&self, trash_key: &str) -> Result<Spot> {
        let (trash, path) = self.trash_place(trash_key)?;
        let (folder, name) = split(path);
        let folder = folders::make_trash(&trash, folder)?;
        Ok(Spot { folder, name: name.into() })
    }
}

type Opened = std::os::fd::OwnedFd;

/// The folder of a key, and the name in it.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

/// Where a file is for the moment in which it is removed for good: beside its place.
fn hand(from: &Spot) -> io::Result<Spot> {
    let digest = Md5::digest(&from.name);
    let name = digest.iter().fold(format!("{IN_HAND}in-hand-"), |name, byte| format!("{name}{byte:02x}"));
    Ok(Spot { folder: from.folder.try_clone()?, name: name.into() })
}

/// The same, where a file is there.
fn in_hand(place: &Spot) -> io::Result<Option<(Spot, Status)>> {
    let spot = hand(place)?;
    match spot.status() {
        Ok(seen) => Ok(Some((spot, seen))),
        Err(error) if beneath::proves_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where what an earlier run had to leave in hand has gone, so that its place is free.
fn free_hand(from: &Spot, key: &str) -> io::Result<Spot> {
    if let Some((left, _)) = in_hand(from)? {
        let aside = Spot { folder: left.folder, name: format!("{IN_HAND}left-{}", ulid::Ulid::generate()).into() };
        renameat(&aside.folder, &*left.name, &aside.folder, &*aside.name)?;
        let (key, place) = (Printable(key), beside(key, &aside));
        tracing::warn!("{key}: a file that an earlier run left beside it is now {}", Printable(&place));
    }
    hand(from)
}

/// The path of what lies in the folder of a key.
fn beside(key: &str, spot: &Spot) -> String {
    let name = String::from_utf8_lossy(&spot.name);
    key.rsplit_once('/').map_or_else(|| name.clone().into_owned(), |(folder, _)| format!("{folder}/{name}"))
}

/// Whether it is certain that nothing is there.
fn is_absent(spot: &Spot) -> bool {
    spot.status().is_err_and(|error| beneath::proves_absence(&error))
}

/// Puts back what is not to be taken, and why; `place` is where it is.
fn put_back(taken: &Spot, seen: &Status, from: &Spot, place: &str, why: &str) -> Taken {
    let left = |more: &str| format!("{why}, and {more}: what was taken is {place}");
    match rename(taken, seen, from, Target::MustBeFree) {
        Ok(Renamed::Done) => Taken::Changed,
        Ok(Renamed::Gone) if is_absent(taken) => Taken::Changed,
        Ok(Renamed::TargetTaken) => Taken::Left(left("something was stored there since")),
        // The next run tries again.
        Ok(Renamed::Gone) => Taken::Unknown(left("its folder went away")),
        Ok(Renamed::Unknown(error)) => Taken::Unknown(left(&format!("may not be back ({error})"))),
        Err(error) => Taken::Unknown(left(&format!("could not be put back ({error})"))),
    }
}

/// Renames a file to a name at which nothing is. A server may have done what it answers with an error, or with "nothing is
/// there" the second time: then the file says where it is, by its number `before` (I13).
fn rename(from: &Spot, before: &Status, to: &Spot, target: Target) -> io::Result<Renamed> {
    let answer = match try_rename(from, to, target) {
        Ok(Renamed::Done) if failpoint::lacks("rename-answer") => Err(Errno::IO.into()),
        Ok(Renamed::Done) if failpoint::lacks("first-rename-answer") => Ok(Renamed::Gone),
        answer => answer,
    };
    let why = match &answer {
        Ok(Renamed::Gone) => "nothing is there".to_owned(),
        Err(error) => error.to_string(),
        _ => return answer,
    };
    let is_at = |spot: &Spot| spot.status().is_ok_and(|now| now.number == before.number);
    match is_at(to) {
        true if is_absent(from) => Ok(Renamed::Done),
        false if is_absent(to) => answer,
        _ => Ok(Renamed::Unknown(format!("it may have been moved, though the answer was: {why}"))),
    }
}

fn try_rename(from: &Spot, to: &Spot, target: Target) -> io::Result<Renamed> {
    let renamed = match failpoint::lacks("rename-noreplace") {
        true => Err(Errno::INVAL),
        false => renameat_with(&from.folder, &*from.name, &to.folder, &*to.name, RenameFlags::NOREPLACE),
    };
    match (renamed, target) {
        // File systems that do not know how (NFS, some in user space), and kernels that do not.
        (Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP), Target::Own) => rename_to_own(from, to),
        (Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP), Target::MustBeFree) => link_over(from, to),
        (renamed, _) => renamed_as(renamed),
    }
}

/// The same to a name that only this run uses, where the system cannot refuse to write over a file. The way back is a link,
/// which can: a file that cannot be linked is not taken.
fn rename_to_own(from: &Spot, to: &Spot) -> io::Result<Renamed> {
    try_link(from, to)?;
    match to.status() {
        Ok(_) => Ok(Renamed::TargetTaken),
        Err(error) if beneath::proves_absence(&error) => {
            renamed_as(renameat(&from.folder, &*from.name, &to.folder, &*to.name))
        }
        Err(error) => Err(error),
    }
}

fn renamed_as(renamed: rustix::io::Result<()>) -> io::Result<Renamed> {
    match renamed {
        Ok(()) => Ok(Renamed::Done),
        Err(Errno::EXIST) => Ok(Renamed::TargetTaken),
        Err(Errno::NOENT) => Ok(Renamed::Gone),
        Err(error) => Err(error.into()),
    }
}

/// Moves a file in two steps: the second name is never put over anything, and then the first one goes, which is ours.
fn link_over(from: &Spot, to: &Spot) -> io::Result<Renamed> {
    let linked = linkat(&from.folder, &*from.name, &to.folder, &*to.name, AtFlags::empty());
    match renamed_as(linked) {
        Ok(Renamed::Done) => {
            unlinkat(&from.folder, &*from.name, AtFlags::empty())?;
            Ok(Renamed::Done)
        }
        renamed => renamed,
    }
}

/// Tries whether this very file can be linked where it goes: another user's may not be, one with very many links cannot.
fn try_link(from: &Spot, to: &Spot) -> io::Result<()> {
    let probe = format!("{IN_HAND}probe-{}", ulid::Ulid::generate());
    let linked = match failpoint::lacks("link") {
        true => Err(Errno::OPNOTSUPP),
        false => linkat(&from.folder, &*from.name, &to.folder, &*probe, AtFlags::empty()),
    };
    let refused = |why: &str, error: Errno| {
        let kind = io::ErrorKind::Unsupported;
        Err(io::Error::new(kind, format!("{why} ({})", io::Error::from(error))))
    };
    match linked {
        Ok(()) => Ok(unlinkat(&to.folder, &*probe, AtFlags::empty())?),
        // The rename will say so.
        Err(Errno::NOENT) => Ok(()),
        Err(error @ (Errno::PERM | Errno::ACCESS | Errno::MLINK)) => refused(MAY_NOT, error),
        Err(error) => refused(CANNOT, error),
    }
}

fn is_one_file(one: &Spot, other: &Spot) -> io::Result<bool> {
    Ok(one.status()?.number == other.status()?.number)
}

/// Remembers a folder that has new names, and syncs the one before it, where that is another.
fn sync_before(unsynced: &mut Option<Opened>, folder: Opened) {
    let number = |folder: &Opened| Status::of(folder).ok().map(|status| status.number);
    let is_same = unsynced.as_ref().is_some_and(|before| number(before) == number(&folder));
    if !is_same {
        sync_last(unsynced.replace(folder));
    }
}

/// Makes sure that what was moved to a folder is there after a power cut too. Where that cannot be done it is moved all
/// the same.
fn sync_last(folder: Option<impl AsFd>) {
    if let Some(Err(error)) = folder.map(beneath::sync) {
        tracing::warn!("a folder could not be synced: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use globset::GlobSet;

    use super::*;

    const PLACE: &str = ".trash/01ARZ3NDEKTSV4RRFFQ69G5FAV/a/b.png";

    /// A folder with one file, and that file as a look sees it.
    fn folder() -> (tempfile::TempDir, Folder, Object) {
        let home = tempfile::tempdir().expect("a folder");
        fs::create_dir(home.path().join("a")).expect("a folder");
        fs::write(home.path().join("a/b.png"), "bytes").expect("a file");
        let folder = Folder::open(home.path(), "", &GlobSet::empty()).expect("a store");
        let Ok(Presence::Present(object)) = folder.look_at("a/b.png") else { panic!("the file is there") };
        (home, folder, object)
    }

    fn take(folder: &Folder, object: &Object, to: Option<&str>) -> Result<Taken> {
        folder.take(&[(object, to)]).remove(0)
    }

    fn read(home: &tempfile::TempDir, key: &str) -> Option<String> {
        fs::read_to_string(home.path().join(key)).ok()
    }

    #[test]
    fn a_file_goes_to_the_trash_and_comes_back_and_leaves_no_folder_there() {
        let (home, folder, object) = folder();
        assert_eq!(take(&folder, &object, Some(PLACE)).expect("a move"), Taken::Done);
        assert_eq!((read(&home, "a/b.png"), read(&home, PLACE)), (None, Some("bytes".to_owned())));
        fs::remove_dir(home.path().join("a")).expect("an empty folder");
        assert_eq!(folder.give_back(PLACE, "a/b.png", &[]).expect("a way back"), Returned::Done);
        assert_eq!((read(&home, "a/b.png"), read(&home, PLACE)), (Some("bytes".to_owned()), None));
        assert_eq!(fs::read_dir(home.path().join(".trash")).expect("the trash").count(), 0);
        assert_eq!(folder.give_back(PLACE, "a/b.png", &[]).expect("a look"), Returned::NotThere);
    }

    #[test]
    fn nothing_is_moved_over_what_is_there() {
        let (home, folder, object) = folder();
        let place = home.path().join(PLACE);
        fs::create_dir_all(place.parent().expect("a folder")).expect("folders");
        fs::write(&place, "another").expect("a file");
        assert_eq!(take(&folder, &object, Some(PLACE)).expect("a move"), Taken::TargetTaken);
        assert_eq!(folder.give_back(PLACE, "a/b.png", &[]).expect("a move"), Returned::TargetTaken);
        assert_eq!(
            (read(&home, "a/b.png").as_deref(), read(&home, PLACE).as_deref()),
            (Some("bytes"), Some("another"))
        );
    }

    #[test]
    fn a_file_that_changed_is_not_moved() {
        let (home, folder, object) = folder();
        fs::write(home.path().join("a/b.png"), "longer bytes").expect("a file");
        for to in [Some(PLACE), None] {
            assert_eq!(take(&folder, &object, to).expect("a move"), Taken::Changed);
        }
        assert!(!home.path().join(PLACE).exists());
        assert_eq!(read(&home, "a/b.png").as_deref(), Some("longer bytes"));
        fs::remove_file(home.path().join("a/b.png")).expect("the file");
        assert_eq!(take(&folder, &object, Some(PLACE)).expect("a look"), Taken::Gone);
    }

    #[test]
    fn a_file_is_removed_for_good_and_what_was_in_hand_comes_back() {
        let (home, folder, object) = folder();
        assert_eq!(take(&folder, &object, None).expect("a removal"), Taken::Done);
        assert_eq!(fs::read_dir(home.path().join("a")).expect("the folder").count(), 0);
        fs::write(home.path().join("a/b.png"), "bytes").expect("a file");
        let Ok(Way::Open((spot, _))) = folder.root.file("a/b.png") else { panic!("the file is there") };
        let name = String::from_utf8(hand(&spot).expect("a name").name).expect("a name");
        fs::rename(home.path().join("a/b.png"), home.path().join("a").join(&name)).expect("a rename");
        folder.bring_back_from_hand("a/b.png").expect("a way back");
        assert_eq!(read(&home, "a/b.png").as_deref(), Some("bytes"));
    }

    #[test]
    fn a_trash_that_is_a_link_takes_nothing() {
        let (home, folder, object) = folder();
        let elsewhere = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(elsewhere.path(), home.path().join(".trash")).expect("a link");
        take(&folder, &object, Some(PLACE)).expect_err("an error");
        assert_eq!(fs::read_dir(elsewhere.path()).expect("the folder").count(), 0);
        assert!(home.path().join("a/b.png").exists());
    }

    #[test]
    fn a_link_and_what_is_behind_one_is_not_removed() {
        let (home, folder, object) = folder();
        std::os::unix::fs::symlink(home.path().join("a/b.png"), home.path().join("link")).expect("a link");
        std::os::unix::fs::symlink("a", home.path().join("linked")).expect("a link");
        for key in ["link", "linked/b.png", "a/../a/b.png"] {
            let linked = Object { key: key.to_owned(), ..object.clone() };
            for to in [Some(PLACE), None] {
                let taken = take(&folder, &linked, to);
                assert!(taken.is_err() || taken.is_ok_and(|taken| taken == Taken::Gone), "{key}");
            }
        }
        assert!(home.path().join("link").is_symlink());
        assert_eq!(read(&home, "a/b.png").as_deref(), Some("bytes"));
    }

    #[test]
    fn a_file_of_our_own_is_not_moved() {
        let (home, folder, object) = folder();
        let folder = folder.with_own(&[home.path().join("a/b.png")]);
        take(&folder, &object, Some(PLACE)).expect_err("an error");
        assert!(home.path().join("a/b.png").exists());
    }
}
