//! What a dry run asks of the bucket: no writing call, no page twice, and a look only at what it doubts.

use std::collections::BTreeSet;

use crate::support::s3::{Application, Call, found};

/// `cleanup-assets` changes nothing in the bucket, whatever it finds.
#[test]
fn dry_run_makes_no_writing_call() {
    let app = Application::small();
    app.tool.report();
    let before = app.server.bucket.keys();
    for arguments in [vec![], vec!["--check"], vec!["--format", "csv"], vec!["-q"], vec!["--kind", "orphaned-file"]] {
        app.tool.run(&arguments);
    }
    assert_eq!(app.server.writing_calls().len(), 0);
    assert_eq!(app.server.count(Call::Get), 0, "nothing needs a file's contents");
    assert_eq!(app.server.bucket.keys(), before);
}

/// `cleanup-assets` on a bucket of one page lists it once, and looks only at the files of orphaned records.
#[test]
fn a_small_bucket_is_listed_once() {
    let app = Application::small();
    let report = app.tool.report();
    let lists = app.server.count(Call::List);
    assert_eq!(lists, 1, "{:#?}", app.server.calls());
    assert_eq!(report["requests"]["list"], lists);
    let looked_at: Vec<String> = heads(&app).into_iter().collect();
    assert_eq!(looked_at, app.orphaned_records);
    assert_eq!(app.server.count(Call::Head), app.orphaned_records.len());
    assert_eq!(report["requests"]["head"], app.orphaned_records.len());
}

/// `cleanup-assets` on several ranges asks for no page twice, and for hardly more pages than the objects fill.
#[test]
fn no_page_is_listed_twice() {
    let app = Application::with_assets(12_000);
    app.server.page_size(500);
    app.tool.report();
    let lists: Vec<_> = app.server.calls().into_iter().filter(|seen| seen.call == Call::List).collect();
    let places: BTreeSet<_> =
        lists.iter().map(|seen| (seen.parameter("start-after"), seen.parameter("continuation-token"))).collect();
    assert_eq!(places.len(), lists.len(), "a place was listed twice: {lists:#?}");
    // 25 full pages; each range may end in one that is not full.
    assert!((25..=50).contains(&lists.len()), "{} calls for 25 pages", lists.len());
}

/// `cleanup-assets` asks for url-encoded keys, since XML cannot carry every key.
#[test]
fn keys_are_asked_for_in_url_encoding_and_come_back_whole() {
    let app = Application::empty();
    let known = ["a b.png", "a%2Fb.png", "a+b.png", "a&b<c>.png"];
    let unknown = ["\u{1}control.png", "tab\there.png", "x/é ü.png", "ünï/%.png"];
    known.iter().chain(&unknown).for_each(|key| app.put(key));
    app.insert(&known.map(str::to_owned));
    let (files, records) = found(&app.tool.report());
    assert_eq!(files, unknown);
    assert_eq!(records, [""; 0]);
    let mut lists = app.server.calls().into_iter().filter(|seen| seen.call == Call::List);
    assert!(lists.all(|seen| seen.parameter("encoding-type").as_deref() == Some("url")));
}

fn heads(app: &Application) -> BTreeSet<String> {
    app.server.calls().into_iter().filter(|seen| seen.call == Call::Head).map(|seen| seen.key).collect()
}
