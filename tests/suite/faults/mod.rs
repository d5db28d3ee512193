//! What breaks while the tool compares, and what must not come of it: a finding that was not proven.
//!
//! An S3 server in the process plays the faults (`support::s3`), a proxy cuts the databases off (`support::proxy`).

mod certificates;
mod clock;
mod database;
mod listing;
mod markers;
mod pair;
mod requests;
mod second_look;
mod secrets;
mod stealing;
mod unordered;
