//! SIGKILL at every step that leaves a mark: the tool is killed before and after it, at the first and at the last item,
//! and run again. After the kill nothing is lost; after the next run no orphaned file is left at its place, every wanted
//! file is at its own, no intent is open, and the ledger agrees with the store.
//!
//! | step | to trash, bucket | for good, bucket | to trash, folder | for good, folder |
//! | --- | --- | --- | --- | --- |
//! | commit of an intent, of an outcome | `removal` | `removal` | `removal` | `removal` |
//! | commit that settles a batch | `removal`, `put_back` | `removal` | `removal`, `put_back` | `removal` |
//! | copy (a link) | `removal` | | `removal` | |
//! | delete (an unlink) | `removal` | `removal` | `removal` | `removal` |
//! | put-back: copy, delete of the trash's copy | `put_back` | | `put_back` | |
//! | due trash: commits, delete; of one batch, and of the second | `purge` | | `purge` | |
//! | restore: commits, copy, delete of the trash's copy | `restore` | | `restore` | |
//!
//! `every_call` adds each call of a small run, reading ones included.
//!
//! Calls to a bucket are held by the test server. Commits, and what is done in a folder, are held by failpoints of the
//! binary, which a normal build does not have: those tests are ignored unless the suite is built with them.
//!
//! Each test prints how many cells it has run, and the last one how many there are in all: `killed: N cells, …`.
//!
//! Which guard each of these tests holds: `src/invariants.rs`.

mod agreement;
mod every_call;
mod hold;
mod late;
mod others;
pub mod process;
mod purge;
mod put_back;
mod removal;
mod restore;
mod rows;
mod scene;
