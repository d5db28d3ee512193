//! Where keys may come from: references as columns, expressions, URLs and files, and tables in more than one database.

mod databases;
mod files;
mod folders;
mod forward;
mod references;
mod servers;

/// The findings' keys of a report, by kind.
fn keys(report: &serde_json::Value, kind: &str) -> Vec<String> {
    crate::support::tool::keys_of(report, kind)
}
