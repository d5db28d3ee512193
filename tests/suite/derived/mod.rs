//! Files that belong to other files: wanted while those are, found with the name of what they belonged to, and gone with
//! it in the same plan.

mod held;
mod judged;
mod meanwhile;
mod model;
mod removed;
mod wrong;

use std::collections::BTreeMap;

use serde_json::Value;

/// `x_preview.png` belongs to `x.png`.
const PREVIEW: &str = "[[derived]]\npattern = '^(.+)_preview\\.png$'\nowner = '$1.png'\n";
/// `x.thumb` belongs to whatever begins with `x.`.
const THUMB: &str = "[[derived]]\npattern = '^(.+)\\.thumb$'\nowner = '$1.*'\n";
/// Few files, of which many go.
const MANY: &str = "[safety]\nmax_percent = 50\n";

/// The orphaned files of a report, each with what it belonged to and why it is held.
fn orphans(report: &Value) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let files = findings.filter(|finding| finding["kind"] == "orphaned-file");
    let text = |finding: &Value, name: &str| finding[name].as_str().map(str::to_owned);
    files.map(|file| (text(file, "key").expect("a key"), (text(file, "derived_from"), text(file, "held")))).collect()
}
