//! Objects that stand for folders, as consoles and mounts of a bucket make them: zero bytes, and a key that ends in `/`.

use crate::support::s3::{Application, found, hours_ago};

/// They are counted, are no findings, and hold nothing up: neither as files of an unknown folder nor as the newest object.
#[test]
fn a_marker_of_a_folder_is_counted_and_never_a_finding() {
    let app = Application::small();
    let before = app.tool.report();
    let markers = ["assets/", "assets/000002-unknown/", "x/", "x/1/", "x/2/", "x/3/", "x/4/", "x/5/"];
    markers.iter().for_each(|key| app.server.bucket.put(key, "", hours_ago(40)));
    let report = app.tool.report();
    assert_eq!(found(&report), app.expected());
    assert_eq!(report["totals"]["held"], 0, "{report:#}");
    let objects = before["totals"]["objects"].as_u64().expect("a number");
    assert_eq!(report["totals"]["objects"], objects + markers.len() as u64);
}

/// One that a row names is what that row has, and one with bytes in it is a file.
#[test]
fn a_record_finds_the_marker_that_it_names() {
    let app = Application::small();
    app.server.bucket.put("assets/named/", "", hours_ago(1_000));
    app.insert(&["assets/named/".to_owned()]);
    assert_eq!(found(&app.tool.report()), app.expected());
    app.server.bucket.put("assets/with bytes/", "bytes", hours_ago(1_000));
    let (files, _) = found(&app.tool.report());
    assert!(files.contains(&"assets/with bytes/".to_owned()), "{files:?}");
}
