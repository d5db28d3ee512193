//! `url_base`: keys that URLs name.

use std::collections::BTreeSet;

use super::scene::{Scene, file, found, record};
use crate::command_line::fixture::expect_usage_error;
use crate::support::servers::Database;

on_each_engine!(
    a_url_names_the_key_below_its_base,
    a_file_whose_name_has_what_ends_a_url_is_held,
    without_a_base_nothing_is_decoded,
    strays_protect_literally_and_are_told,
    many_urls_in_any_order_are_sorted,
    a_base_goes_with_an_expression_and_a_prefix,
    an_empty_base_is_refused,
);

pub const BASE: &str = "https://cdn.example.com/files/";
pub const BY_URL: &str = "key = \"url\"\nurl_base = \"https://cdn.example.com/files/\"\n";

fn a_url_names_the_key_below_its_base(database: &dyn Database) {
    let scene = Scene::new(database, BY_URL);
    let urls = [
        ("zebra.png", "zebra.png"),
        ("ant.png", "ant.png"),
        ("a%20b.png", "a b.png"),
        ("plus+plus.png", "plus+plus.png"),
        ("one%2Bone.png", "one+one.png"),
        ("caf%C3%A9.png", "caf\u{e9}.png"),
        ("na\u{ef}ve.png", "na\u{ef}ve.png"),
        ("folder%2Finside.png", "folder/inside.png"),
        ("versioned.png?v=2#top", "versioned.png"),
        ("fragment.png#page=3?no", "fragment.png"),
        ("question%3Fmark%23.png", "question?mark#.png"),
        ("100%.png", "100%.png"),
        ("twice%2520.png", "twice%20.png"),
        // The same file, spelt otherwise.
        ("%7Ehome.png", "~home.png"),
        ("~home.png", "~home.png"),
    ];
    let rows: Vec<(u32, String)> = urls.iter().zip(1..).map(|((url, _), id)| (id, format!("{BASE}{url}"))).collect();
    scene.insert_urls(&rows.iter().map(|(id, url)| (*id, url.as_str())).collect::<Vec<_>>());
    scene.insert(&[(100, None, None), (101, None, Some("")), (102, None, Some(BASE))]);
    let lost = format!("{BASE}lost%20one.png?v=1");
    scene.insert_urls(&[(103, &lost)]);
    let keys: BTreeSet<&str> = urls.iter().map(|(_, key)| *key).collect();
    scene.put(&keys.into_iter().collect::<Vec<_>>());
    // What the values would name if they were taken as they are.
    let strays = ["a%20b_.png", "files/ant.png", "unknown.png"];
    scene.put(&strays);
    let report = scene.tool.report();
    let expected = strays.iter().map(|key| file(key)).chain([record("lost one.png", "103")]);
    assert_eq!(found(&report), expected.collect(), "{report:#}");
    assert_eq!(report["totals"]["records"], 16, "{report:#}");
    assert_eq!(report["warnings"], serde_json::json!([]), "{report:#}");
}

/// A URL ends where a file's own name may have a `?` or a `#`: such a file is held, and so is who names the rest.
fn a_file_whose_name_has_what_ends_a_url_is_held(database: &dyn Database) {
    let scene = Scene::new(database, BY_URL);
    scene.insert_urls(&[(1, &format!("{BASE}cat.png?v=2")), (2, &format!("{BASE}kept.png"))]);
    scene.put(&["kept.png", "cat.png?v=2", "issue#7.png", "stray.png"]);
    let report = scene.tool.report();
    let text = |finding: &serde_json::Value, name: &str| finding[name].as_str().map(str::to_owned);
    let findings = report["findings"].as_array().expect("findings").iter();
    let held: BTreeSet<_> = findings.map(|finding| (text(finding, "key"), text(finding, "held"))).collect();
    let ends = Some("its name has a ? or a #, where URLs in a column end");
    let expected = [
        ("cat.png", Some("looks like cat.png?v=2")),
        ("cat.png?v=2", ends),
        ("issue#7.png", ends),
        ("stray.png", None),
    ];
    let expected = expected.map(|(key, held)| (Some(key.to_owned()), held.map(str::to_owned)));
    assert_eq!(held, BTreeSet::from(expected), "{report:#}");
}

fn without_a_base_nothing_is_decoded(database: &dyn Database) {
    let scene = Scene::new(database, "key = \"url\"");
    scene.insert_urls(&[(1, "a%20b.png"), (2, "c.png?v=1"), (3, "d#e.png")]);
    scene.put(&["a%20b.png", "c.png?v=1", "d#e.png", "c.png"]);
    assert_eq!(scene.found(), [file("c.png")].into());
}

fn strays_protect_literally_and_are_told(database: &dyn Database) {
    let scene = Scene::new(database, BY_URL);
    let strays = ["//cdn.example.com/files/a.png", "plain%20name.png", "https://elsewhere.example.com/b.png?v=1"];
    scene.insert_urls(&[(1, "https://cdn.example.com/files/good.png"), (2, strays[0]), (3, strays[1]), (4, strays[2])]);
    scene.put(&["good.png", strays[0], strays[1], strays[2], "unknown.png"]);
    let report = scene.tool.report();
    assert_eq!(found(&report), [file("unknown.png")].into(), "{report:#}");
    let warnings = report["warnings"].as_array().expect("warnings");
    let [warning] = warnings.as_slice() else { panic!("one warning: {report:#}") };
    let warning = warning.as_str().expect("a text");
    assert!(warning.starts_with("files: 3 values") && warning.contains("url_base"), "{warning}");
    assert!(strays.iter().any(|stray| warning.contains(stray)), "a sample: {warning}");

    // One whose escapes are no UTF-8 is none either; and one is not several.
    database.run("DELETE FROM files WHERE id IN (2, 3, 4)");
    scene.insert_urls(&[(5, "https://cdn.example.com/files/%ff%fe.png")]);
    let report = scene.tool.report();
    assert!(report["warnings"][0].as_str().is_some_and(|text| text.starts_with("files: 1 value does")), "{report:#}");
    let text = scene.tool.run(&[]).stdout;
    assert!(text.contains("files: 1 value does not begin with its url_base"), "{text}");
}

fn many_urls_in_any_order_are_sorted(database: &dyn Database) {
    let scene = Scene::new(database, BY_URL);
    let count = 5_000_u32;
    // 7919 has no divisor in common with the count.
    let name = |id: u32| format!("{:06}~{}.png", id * 7919 % count, if id.is_multiple_of(2) { "é" } else { "a" });
    let ids: Vec<u32> = (0..count).collect();
    for ids in ids.chunks(1_000) {
        let url = |id: &u32| (*id, format!("{BASE}{}?v={id}", name(*id).replace('~', "%7E").replace('é', "%C3%A9")));
        let urls: Vec<(u32, String)> = ids.iter().map(url).collect();
        scene.insert_urls(&urls.iter().map(|(id, url)| (*id, url.as_str())).collect::<Vec<_>>());
    }
    let keys: Vec<String> = ids.iter().filter(|id| **id != 4_321).map(|id| name(*id)).collect();
    scene.put(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    scene.put(&["000000~b.png", "002500~b.png", "zzz.png"]);
    let mut expected: BTreeSet<_> = ["000000~b.png", "002500~b.png", "zzz.png"].map(file).into();
    expected.insert(record(&name(4_321), "4321"));
    assert_eq!(scene.found(), expected);
}

fn a_base_goes_with_an_expression_and_a_prefix(database: &dyn Database) {
    let scene = Scene::new(database, "key = \"url\"");
    let sql = scene.concat(&["note", "url"]);
    scene.configure(&format!("key_sql = \"{sql}\"\nurl_base = \"https://cdn.example.com/\"\nkey_prefix = \"media/\""));
    scene.insert_urls(&[(1, "cdn.example.com/a%20b.png"), (2, "cdn.example.com/lost.png")]);
    database.run("UPDATE files SET note = 'https://'");
    scene.put(&["media/a b.png", "a b.png"]);
    assert_eq!(scene.found(), [file("a b.png"), record("media/lost.png", "2")].into());
}

fn an_empty_base_is_refused(database: &dyn Database) {
    let scene = Scene::new(database, "key = \"url\"\nurl_base = \"\"");
    expect_usage_error(&scene.tool.run(&[]), &["url_base is empty"]);
}
