//! The acceptance suite: every test drives the real binary, the way a user would.
//!
//! SQLite, a local folder and an S3 server in the process serve every `cargo test`. Tests that need PostgreSQL,
//! MariaDB or Garage are `#[ignore]`d with that reason and run by `tests/run`, which starts those servers.

mod applications;
mod command_line;
mod derived;
mod documents;
mod doubts;
mod execute;
mod faults;
mod golden;
mod house;
mod invariants;
mod judged;
mod keys;
mod killed;
mod read_only;
mod real_applications;
mod restored;
mod row_faults;
mod rules;
mod sources;
mod stores;
mod support;
