//! Files that the store gives under names that it does not list.

use std::os::unix::fs::symlink;

use super::scene::{Scene, held, warnings};
use crate::support::s3::{Application, Call};
use crate::support::servers::Database;

fn alias(key: &str) -> (String, String) {
    (key.to_owned(), "alias".to_owned())
}

/// A row, or a reference, that names a file through a symbolic link holds it under the name that it is listed by.
#[test]
fn a_file_that_is_named_through_a_link_stays() {
    for by_reference in [false, true] {
        let sql = "CREATE TABLE users (avatar TEXT); INSERT INTO users VALUES ('a/1.png')";
        let scene = Scene::new(sql, "[[references]]\ntable = \"users\"\nkey = \"avatar\"\n");
        ["archive/2019/x.png", "archive/2019/other.png", "archive/y.png"].iter().for_each(|key| scene.put(key));
        symlink("archive/2019", scene.path("old")).expect("a link to a folder");
        symlink("../archive/y.png", scene.path("a/link.png")).expect("a link to a file");
        match by_reference {
            true => scene.database.run("INSERT INTO users VALUES ('old/x.png'), ('a/link.png')"),
            false => scene.own(&["old/x.png", "a/link.png"]),
        }
        let report = scene.tool.report();
        let files: Vec<_> = held(&report).into_iter().filter(|(key, _)| key.starts_with("archive/")).collect();
        assert_eq!(files, [alias("archive/2019/x.png"), alias("archive/y.png")]);
        let said = warnings(&report);
        assert!(said.iter().any(|warning| warning.contains("old/x.png for archive/2019/x.png")), "{said:?}");

        let outcome = scene.remove();
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert!(scene.has("old/x.png") && scene.has("a/link.png"), "both can be opened as before");
        assert!(!scene.has("archive/2019/other.png"), "nobody names the other");
    }
}

/// The same where the name is written otherwise too, or stands in a list; and the row of such a name stays with its file.
#[test]
fn a_name_through_a_link_may_be_written_otherwise() {
    // No path opens for the last three.
    let names = [
        "old//x.png",
        "old%2Fx.png",
        "/old/./x.png",
        "[\"old/x.png\"]",
        "OLD/X.png",
        "OLD%2Fx.png",
        "/srv/www/Old/x.png",
    ];
    for name in names {
        let scene = Scene::new("", "");
        scene.put("archive/2019/x.png");
        symlink("archive/2019", scene.path("old")).expect("a link to a folder");
        scene.configure("missing_file = \"delete\"\n");
        scene.own(&[name]);
        let outcome = scene.remove();
        assert!([0, 12].contains(&outcome.code), "{name}: {outcome:#?}");
        assert!(scene.has("old/x.png"), "{name}");
        let rows = scene.database.texts("SELECT storage_key FROM assets WHERE storage_key LIKE '%x.png%'");
        assert_eq!(rows, [name]);
    }
}

/// A link that leads nowhere, or to a file that is known, or out of the root, proves nothing.
#[test]
fn links_that_lead_elsewhere_hold_no_file() {
    let scene = Scene::new("", "");
    scene.put("archive/x.png");
    symlink("no-such-folder", scene.path("nowhere")).expect("a link");
    symlink("a", scene.path("known")).expect("a link");
    symlink("/etc", scene.path("out")).expect("a link");
    scene.own(&["nowhere/x2.png", "known/1.png", "out/hostname", "../escaped.png", "/etc/hostname"]);
    let files: Vec<_> = scene.held().into_iter().filter(|(key, _)| key == "archive/x.png").collect();
    assert_eq!(files, []);
}

/// A store that gives an object under a name that it does not list holds those of the same size, etag and time.
#[test]
fn a_store_that_folds_names_holds_what_it_gave() {
    let app = Application::small();
    let (bucket, then) = (app.server.bucket.clone(), crate::support::s3::hours_ago(90 * 24));
    bucket.put("blob-17", "one", then);
    bucket.put("blob-18", "two", then);
    app.insert(&["written otherwise".to_owned()]);
    // It answers a look as though it had listed the name.
    app.server.before(Call::Head, move |seen| {
        if seen.key == "written otherwise" {
            bucket.put("written otherwise", "one", then);
        }
    });
    let report = app.tool.report();
    let code = |key: &str| held(&report).into_iter().find(|(held, _)| held == key).map(|(_, code)| code);
    assert_eq!(code("blob-17").as_deref(), Some("alias"), "{report:#}");
    assert_eq!(code("blob-18"), None, "it has another size or etag");
    let said = warnings(&report);
    assert!(said.iter().any(|warning| warning.contains("written otherwise for blob-17")), "{said:?}");
}

/// What was stored while the listing was under way is new, and proves nothing.
#[test]
fn what_came_meanwhile_is_no_alias() {
    let app = Application::small();
    let bucket = app.server.bucket.clone();
    bucket.put("blob-17", "one", crate::support::s3::hours_ago(90 * 24));
    app.insert(&["late.png".to_owned()]);
    app.server.before(Call::Head, move |seen| {
        if seen.key == "late.png" {
            bucket.put("late.png", "one", std::time::SystemTime::now() + std::time::Duration::from_secs(5));
        }
    });
    let report = app.tool.report();
    assert_eq!(held(&report), [], "{report:#}");
}
