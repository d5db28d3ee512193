//! What a dry run asks of the bucket: no writing call, no page twice, and a look only at what it doubts.

use std::collections::BTreeSet;

use crate::support::s3::{Application, Call, Seen, found};

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
    assert_eq!(pages(&app).len(), 1, "{:#?}", app.server.calls());
    let looked_at: BTreeSet<String> = calls(&app, Call::Head).into_iter().map(|seen| seen.key).collect();
    assert_eq!(looked_at.into_iter().collect::<Vec<_>>(), app.orphaned_records);
    assert_eq!(app.server.count(Call::Head), app.orphaned_records.len());
    // Beside its page, the bucket may be asked once whether it is still there: a HEAD's 404 does not say.
    assert!(app.server.count(Call::List) <= 2, "{:#?}", app.server.calls());
    assert_eq!(report["requests"]["list"], app.server.count(Call::List), "retries and all");
    assert_eq!(report["requests"]["head"], app.server.count(Call::Head));
}

/// `cleanup-assets` on a bucket where nothing is missing looks at nothing.
#[test]
fn where_nothing_is_missing_nothing_is_looked_at() {
    let app = Application::small();
    app.orphaned_records.iter().for_each(|key| app.put(key));
    app.tool.report();
    assert_eq!(app.server.calls().len(), 1, "{:#?}", app.server.calls());
}

/// `cleanup-assets` on several ranges asks for no page twice, and for hardly more pages than the objects fill.
#[test]
fn no_page_is_listed_twice() {
    let app = Application::with_assets(12_000);
    app.server.page_size(500);
    app.tool.report();
    let pages = pages(&app);
    let place = |seen: &Seen| (seen.parameter("start-after"), seen.parameter("continuation-token"));
    let places: BTreeSet<_> = pages.iter().map(place).collect();
    assert_eq!(places.len(), pages.len(), "a place was listed twice: {pages:#?}");
    // 25 full pages; each range may end in one that is not full.
    assert!((25..=50).contains(&pages.len()), "{} calls for 25 pages", pages.len());
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
    assert!(pages(&app).iter().all(|seen| seen.parameter("encoding-type").as_deref() == Some("url")));
}

fn calls(app: &Application, call: Call) -> Vec<Seen> {
    app.server.calls().into_iter().filter(|seen| seen.call == call).collect()
}

/// The pages of listings; a call for a single key asks for something else.
fn pages(app: &Application) -> Vec<Seen> {
    let lists = calls(app, Call::List).into_iter();
    lists.filter(|seen| seen.parameter("max-keys").as_deref() != Some("1")).collect()
}

/// An endpoint with a path, as of a gateway, with and without a slash at its end: the bucket stands behind it.
#[test]
fn an_endpoint_may_have_a_path_with_or_without_a_final_slash() {
    for end in ["/gateway", "/gateway/"] {
        let app = Application::small();
        let config = std::fs::read_to_string(app.tool.path("config.toml")).expect("the configuration");
        app.tool.configure(&config.replace(&app.server.endpoint(), &format!("{}{end}", app.server.endpoint())));
        let outcome = app.tool.run(&[]);
        assert_eq!(outcome.code, 1, "nothing is there: {outcome:#?}");
        let asked: BTreeSet<String> = app.server.calls().into_iter().map(|seen| seen.key).collect();
        assert_eq!(asked, BTreeSet::from(["app-assets/".to_owned()]), "what stands behind the path");
    }
}
