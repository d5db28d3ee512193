//! What is left of a small application after a run, by its model.

use std::collections::BTreeSet;

use super::model::{Found, Stored, World, key};

impl World {
    /// The rows of `assets` that are left: id and status.
    pub fn assets_left(&self) -> BTreeSet<String> {
        let left = self.assets.iter().enumerate().filter_map(|(at, asset)| match self.asset_finding(at) {
            _ if asset.waits() => Some((at, asset.status)),
            Some(found) if found.0 == "expired" => Some((at, Some("expired"))),
            // Lost its file, or condemned by a rule that deletes.
            Some(_) => None,
            None => Some((at, asset.status)),
        });
        left.map(|(id, status)| format!("{id} {}", status.unwrap_or("NULL"))).collect()
    }

    pub fn downloads_left(&self) -> BTreeSet<String> {
        let left = self.downloads.iter().enumerate().filter_map(|(at, download)| match self.download_finding(at) {
            Some(found) if found.0 == "stale" => Some((at, Some("done"))),
            Some(found) if found.0 == "downloaded" => None,
            // One that lost its file is only reported.
            _ => Some((at, download.state)),
        });
        left.map(|(id, state)| format!("{id} {}", state.unwrap_or("NULL"))).collect()
    }

    pub fn files_left(&self) -> BTreeSet<String> {
        let left = (0..self.files.len()).filter(|number| self.files[*number] != Stored::Absent);
        left.filter(|number| !self.follows(*number) && !self.is_orphan(*number)).map(key).collect()
    }

    /// What a second run finds that is not held: rows of the table whose lost files are only reported.
    pub fn expected_again(&self) -> BTreeSet<Found> {
        let is_reported = |found: &Found| found.0 == "orphaned-record" && found.2.as_deref() == Some("downloads");
        self.expected().into_iter().filter(is_reported).collect()
    }
}
