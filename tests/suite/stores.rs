//! One small application on every server of S3 that can be run here: what is found, moved to the trash, brought back and
//! removed for good is the same on all of them.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};

use crate::execute::real::{Upload, Uploads, tool};
use crate::support::garage::Garage;
use crate::support::servers::{Database, blocking};
use crate::support::sqlite::Sqlite;
use crate::support::terminal;
use crate::support::tool::{Tool, keys_of};

/// Names that servers and programs are known to get wrong.
const NAMES: [&str; 12] = [
    "plain.png",
    "a b.png",
    "a+b.png",
    "a%20b.png",
    "caf\u{e9}.png",
    "#hash.png",
    "semi;colon.png",
    "com,ma.png",
    "q?.png",
    "'quoted'.png",
    "amp&lt;.png",
    "-dash.png",
];

/// Requests in flight while a bucket is being filled.
const UPLOADS: usize = 16;

macro_rules! on_every_server {
    ($($server:ident: $name:literal, $lines:literal;)+) => {
        $(#[test]
        #[ignore = "needs a server of S3: run tests/run"]
        fn $server() {
            what_goes_is_what_nobody_wants_and_it_comes_back_as_it_was($name, $lines);
        })+
    };
}

on_every_server! {
    garage: "S3", "";
    moto: "MOTO", "";
    seaweedfs: "SEAWEEDFS", "listing = \"unordered\"\n";
}

fn what_goes_is_what_nobody_wants_and_it_comes_back_as_it_was(server: &str, lines: &'static str) {
    let (garage, sqlite) = (Garage::on(server, lines), Sqlite::new());
    let uploads = Uploads::to(&garage);
    sqlite.run("CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT DEFAULT '2020-01-01')");
    let known: Vec<String> = (0..1_100).map(|number| format!("known/{number:04}.png")).collect();
    let known: Vec<String> = known.into_iter().chain(NAMES.map(|name| format!("names/{name}"))).collect();
    let strays: BTreeSet<String> = NAMES.iter().map(|name| format!("known/stray {name}")).collect();
    let lost = ["known/lost.png".to_owned(), "known/lost too.png".to_owned()];
    for key in known.iter().chain(&lost) {
        sqlite.run(&format!("INSERT INTO assets (storage_key) VALUES ({})", sqlite.literal(key)));
    }
    let uploading = stream::iter(known.iter().chain(&strays)).for_each_concurrent(UPLOADS, |key| uploads.put(key));
    blocking(uploading);

    let with = |sections: &str| tool(&sqlite.url(), &garage, sections);
    let report = with("").report();
    assert_eq!(keys_of(&report, "orphaned-file").into_iter().collect::<BTreeSet<_>>(), strays, "{report:#}");
    assert_eq!(keys_of(&report, "orphaned-record").len(), 2, "{report:#}");
    let trash = with("");
    expect_removed(&trash, &uploads, "files_trashed", strays.len());
    expect(&uploads, &known, &strays, false);
    let outcome = trash.run(&["restore", "--run", "1"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    expect(&uploads, &known, &strays, true);
    expect_removed(&with("[trash]\nenabled = false\n"), &uploads, "files_deleted", strays.len());
    expect(&uploads, &known, &strays, false);
}

fn expect_removed(tool: &Tool, uploads: &Uploads, what: &str, files: usize) {
    let outcome = terminal::run(tool, &["--execute", "--format", "json"], &uploads.bucket);
    assert_eq!((outcome.code, outcome.json()["removals"][what].clone()), (0, files.into()), "{outcome:#?}");
}

/// What is known is there as it was uploaded; and what is not, or it is not there at all.
fn expect(uploads: &Uploads, known: &[String], strays: &BTreeSet<String>, are_there: bool) {
    blocking(async {
        for key in known.iter().step_by(50).chain(known.iter().rev().take(NAMES.len())) {
            assert_eq!(uploads.get(key).await, Some(Upload::of(key)), "{key}");
        }
        for key in strays {
            assert_eq!(uploads.get(key).await, are_there.then(|| Upload::of(key)), "{key}");
        }
    });
}
