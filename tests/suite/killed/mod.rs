//! SIGKILL at every step that leaves a mark: the tool is killed before and after it, at the first and at the last item,
//! and run again. After the kill nothing is lost; after the next run no orphaned file is left at its place, every wanted
//! file is at its own, no intent is open, and the ledger agrees with the store.
//!
//! | step | to trash, bucket | for good, bucket | to trash, folder |
//! | --- | --- | --- | --- |
//! | commit of an intent, of an outcome | `removal` | `removal` | `removal` |
//! | commit that settles a batch | `removal`, `put_back` | | `removal`, `put_back` |
//! | copy (a link), delete (an unlink) | `removal` | `removal` | `removal` |
//! | put-back: copy, delete of the trash's copy | `put_back` | | `put_back` |
//! | due trash: commits, delete | `purge` | | `purge` |
//! | restore: commits, copy, delete of the trash's copy | `restore` | | `restore` |
//!
//! Calls to a bucket are held by the test server. Commits, and what is done in a folder, are held by failpoints of the
//! binary, which a normal build does not have: those tests are ignored unless the suite is built with them.
//!
//! Each test prints how many cells it has run: `killed: N cells`.

mod agreement;
mod hold;
mod process;
mod purge;
mod put_back;
mod removal;
mod restore;
mod scene;
