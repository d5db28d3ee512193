//! `cleanup-assets` compares the files in a bucket (or a folder) with the rows of a database that speak of them, and
//! names what has lost its other half.
//!
//! ```text
//! args + config
//!      │
//! database ──keys in byte order──┐
//!                                ├─ compare ──► judge ──► findings (ledger) ──► report
//! storage ───listing by range────┘                             │
//!                                                             plan ──► confirm ──► execute ──► removals (ledger)
//! ```
//!
//! One way, no way back; [`maintain`] tells the story. The database's keys are streamed once, in byte order; as many of
//! them as fill a page of a listing cut out a range of the key space, which a task lists beside other ranges and joins with
//! its slice of keys; where it turns out to be long, others take its upper parts ([`compare`]). What only one side has,
//! what rules condemn and what belongs to another key ([`domain::derived`]) is asked of both sides once more ([`look_again`]), and
//! is then a finding, kept in the tool's own SQLite file ([`ledger`]), from which the report is streamed ([`report`],
//! [`publish`]). [`inspect`] is all of that. A dry run stops at the report; only `--execute` goes on, through a pure
//! [`plan`] that may refuse, and a typed confirmation ([`confirm`]) without whose token nothing below [`execute`] can be
//! called: rows go first, each in a transaction of its own, and files after them.
//!
//! Pure rooms, values in and values out: [`domain`], [`forward`], [`judge`], [`news`], [`plan`],
//! [`report`], `compare::{density, folders, merge, owners, part, scope, slice, split}`,
//! `database::{column, key_column, source, rows, rules, date, url}`, what an engine writes (`database::dialect::{sql, owners}`,
//! each engine's `sql`) and PostgreSQL's `copied`, `ledger::{state, which}`, `storage::s3::{page, scan}`.
//! sqlx lives in [`database`] and [`ledger`], the AWS SDK in [`storage`], clap in [`cli`] and in the arguments of each of
//! the [`commands`]; [`database`] and [`storage`] do not know each other, and whatever deletes is called from [`execute`]
//! alone.
//!
//! What I1, I2 and so on mean, where it is enforced and which tests fail without it: [`invariants`].

pub mod cli;
pub mod commands;
pub mod compare;
pub mod config;
pub mod confirm;
pub mod database;
pub mod domain;
mod execute;
pub mod exit_code;
mod failpoint;
pub mod forward;
mod inspect;
mod interrupt;
pub mod invariants;
pub mod judge;
pub mod ledger;
mod lock;
mod look_again;
mod maintain;
mod news;
mod only;
pub mod plan;
mod publish;
pub mod report;
mod same_file;
mod scratch;
mod sorted;
pub mod storage;
