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
//! Mutations of the program, made by hand, and the tests of this folder that they fail:
//!
//! | mutation | fails |
//! | --- | --- |
//! | the next run does not resolve what is open (`maintain`) | every test of `removal` that was tried |
//! | it resolves, and puts nothing back (`resume::settle`) | `put_back` in the next run, `removal` to trash |
//! | it leaves copies in the trash whose originals stay (`resume::resolution`) | `removal` to trash |
//! | it takes what is in the trash for not removed (`resume::resolution`) | `removal` to trash |
//! | it drops a copy whose original was replaced (`resume::resolution`) | `removal`, stored meanwhile |
//! | it calls trashed what was put back already (`resume::resolution`) | `put_back`, unwanted again |
//! | it calls trashed what of due trash is gone (`resume::resolution`) | `purge` |
//! | it calls failed what went for good (`resume::resolution`) | `removal` for good, in a bucket and in a folder |
//! | a batch is not asked about once more (`batch::ask_once_more`) | `put_back` in the same run |
//! | the way back overwrites (`put_back::bring_back`) | `restore` over something, `removal`, stored meanwhile |

mod agreement;
mod every_call;
mod hold;
pub mod process;
mod purge;
mod put_back;
mod removal;
mod restore;
mod rows;
mod scene;
